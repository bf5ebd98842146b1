"""Jobs: a synchronisation that a person asked for, cut into steps that any host may do, with a report of all of it.

Every step is a row and a message. A step done twice is harmless, a message lost is sent again by the health timer, and
a host that dies in a step leaves it waiting: its message comes back. Sites wait for the sources, since what those tell
decides what is to be sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from shared import meter
from shared.correlation import correlated, current
from shared.domain.errors import PayloadRejected, StoreUnavailable, SyncError
from shared.domain.model import SyncMode
from shared.domain.wish import Wanted, covers
from shared.engine.reports import FAILED, Reports, by_platform
from shared.engine.steps import BUSY, QUEUE, Step, Steps, Territory
from shared.engine.strategies import Done, strategy_for
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.jobs import SITES, SOURCES, Job, JobHead, JobStep, JobStore, over

MAKING = timedelta(seconds=15)
"""How long a job may be claimed and not yet stored whole: whoever asks within it is answered with its id."""

GIVEN_UP = timedelta(minutes=15)
"""After so long a step that is not over is shown as never finished, and rung for no more."""

AGAIN = timedelta(seconds=60)
"""How long a step is left to its message before it is rung for again."""

STILL = timedelta(minutes=5)
"""How long after its last step a job that is not over counts as standing still."""

PATIENCE = timedelta(seconds=6)
"""When to look again at a source that somebody else is asking."""

MOST_TRIES = 6
"""How often: longer than any poll and the pause after it."""

INLINE = timedelta(seconds=8)
"""How long a health timer does steps itself while the bus is down."""

KEPT = timedelta(days=90)

MOST_KEY = 100
"""Characters of a step's address that are looked at: ours have 28."""

FIELDS = ("mode", "platform", "property", "site")


class Jobs:
    """Starts jobs, does their steps, shows them."""

    def __init__(self, world: World, steps: Steps, reports: Reports) -> None:
        self._world = world
        self._steps = steps
        self._reports = reports
        self._store = JobStore(world.tables)

    # --------------------------------------------------------------------------------------- to start

    async def start(self, wanted: Wanted) -> Job:
        """The job for what is wanted: the one that runs for the very same wish, whoever asked for it, or else a new
        one. Raises ``PayloadRejected`` naming what is not there."""
        wish = wanted.written()
        digest = sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()[:32]
        now = self._world.now()
        last, asked = await self._store.claimed(digest)
        if last and asked is not None:
            running = await self._store.load(last) or _being_made(last, wish, asked)
            if is_running(running, now) and (running.whole or now - asked < MAKING):
                return running
        territory = await self._steps.territory(wanted)
        job = self._world.new_id()[:20]
        holder = await self._store.claim(digest, job, last)
        if holder != job:
            return await self._store.load(holder) or _being_made(holder, wish, now)
        sources, sites = strategy_for(wanted.mode).steps(territory)
        steps = [*_rows(SOURCES, sources), *_rows(SITES, sites)]
        head = JobHead(job, wish, now, len(steps), current())
        await self._store.create(head, steps)
        await self._ring(job, [one for one in steps if one.phase == (SOURCES if sources else SITES)])
        return Job(head, tuple(steps))

    # ------------------------------------------------------------------------------------------ to do

    async def do(self, key: str) -> str:
        """The step that a message names (``job/step``). Raises ``PayloadRejected`` for one that names none, and
        ``StoreUnavailable``."""
        job, _, name = key[:MOST_KEY].partition("/")
        step, head = await self._store.step(job, name), await self._store.head(job)
        if step is None or head is None:
            raise PayloadRejected(f"{key!r} names no step of a job")
        if step.state == "waiting":
            step = await self._run(head, step)
        if step.state != "waiting" and step.phase == SOURCES:
            await self._advance(job)
        return step.state

    async def _run(self, head: JobHead, step: JobStep) -> JobStep:
        begun = self._world.now()
        plain = Step(step.kind, step.key, step.platforms, step.parts, step.force, step.asked)
        with meter.metering(wanted=True) as counted:
            done = await self._attempt(plain, begun, counted)
        if done.said.startswith(BUSY):
            later = await self._busy(head, step, done.said)
            if later is not None:
                return later
        step = replace(
            over(step, said=done.said, error=done.error),
            begun=begun,
            duration=done.duration,
            figures=done.figures,
            lines=tuple(counted.lines),
            dropped=counted.dropped,
        )
        await self._store.put(head.id, step)
        await self._reports.keep(step.kind, step.key, begun, counted, asked=True)
        return step

    async def territory(self, wanted: Wanted) -> Territory:
        """What a wish comes to. Raises ``PayloadRejected`` for what is not there."""
        return await self._steps.territory(wanted)

    async def measured(self, step: Step) -> Done:
        """Do a step here and now, outside of any job."""
        begun = self._world.now()
        with meter.metering() as counted:
            done = await self._attempt(step, begun, counted)
        await self._reports.keep(step.kind, step.key, begun, counted, asked=True)
        return done

    async def _attempt(self, step: Step, begun: datetime, counted: meter.Meter) -> Done:
        """Do a step; only our own store's silence is raised, since then nothing could be written down either."""
        said, error = "", ""
        try:
            said = await self._steps.do(step)
        except StoreUnavailable:
            raise
        except SyncError as wrong:
            error = str(wrong)
        if said.startswith(FAILED):
            said, error = "", said.removeprefix(FAILED)
        counted.why, counted.error = said, error or counted.error
        figures = by_platform(counted)
        return Done(step, said, error, begun, self._world.now() - begun, figures)

    async def _busy(self, head: JobHead, step: JobStep, said: str) -> JobStep | None:
        """Somebody else is asking the source. If he began after the job was asked for, that is what was wanted (None);
        else the step comes back in a moment, a few times."""
        if step.kind == QUEUE:
            state = await self._world.accounts.load(step.key)
            if state is not None and state.polled is not None and state.polled >= head.at:
                return None
        if step.tries >= MOST_TRIES:
            return over(step, error=said)
        step = replace(step, tries=step.tries + 1)
        await self._store.put(head.id, step)
        due = self._world.now() + PATIENCE
        await self._world.ring(WORK, _message(head.id, step, f"try{step.tries}", due))
        return step

    async def _advance(self, job: str) -> None:
        """Ring for the sites once every source is over. Twice is harmless: to the queue it is a duplicate."""
        if any(one.state == "waiting" for one in await self._store.phase(job, SOURCES)):
            return
        waiting = [one for one in await self._store.phase(job, SITES) if one.state == "waiting"]
        await self._ring(job, waiting)

    async def _ring(self, job: str, steps: Iterable[JobStep], version: str = "1") -> bool:
        return await self._world.ring_all(WORK, [_message(job, one, version) for one in steps])

    async def tend(self) -> list[tuple[str, datetime]]:
        """Ring again for steps that were rung for and are not over: a message was lost, or its host died. While the bus
        is down some are done here. Returns the jobs that stand still, with when each was asked for."""
        now, still = self._world.now(), list[tuple[str, datetime]]()
        for name in await self._store.since(now - GIVEN_UP):
            job = await self._store.load(name)
            if job is None or job.finished or now - job.head.at < AGAIN:
                continue
            left = [one for one in job.steps if one.state == "waiting"]
            ready = [one for one in left if one.phase == SOURCES] or left
            version = f"again{int((now - job.head.at) / AGAIN)}"
            with correlated(job.head.correlation):
                if not await self._ring(name, ready, version):
                    await self._inline(name, ready, now)
            last = max((one.begun + one.duration for one in job.steps if one.begun), default=job.head.at)
            if now - last > STILL:
                still.append((name, job.head.at))
        return still

    async def _inline(self, job: str, steps: Sequence[JobStep], started: datetime) -> None:
        for one in steps:
            if self._world.now() - started > INLINE:
                return
            await self.do(f"{job}/{one.name}")

    async def clean(self) -> int:
        """Take away what is older than it is kept."""
        return await self._store.clean(self._world.now() - KEPT)

    # ---------------------------------------------------------------------------------------- to show

    async def running(
        self, wanted: Wanted, *, seen: Callable[[JobHead], bool], young: timedelta = timedelta()
    ) -> Job | None:
        """The newest job, among those that may be ``seen``, that does all that is wanted and is under way, or was asked
        for less than ``young`` ago; None for none."""
        now = self._world.now()
        for name in await self._store.since(now - GIVEN_UP):
            job = await self._store.load(name)
            if job is None or not seen(job.head) or not covers(wish_of(job.head), wanted):
                continue
            if is_running(job, now) or now - job.head.at < young:
                return job
        return None

    async def load(self, name: str) -> Job | None:
        """A job with its steps, or None: one read."""
        return await self._store.load(name)

    async def newest(self, since: timedelta, *, seen: Callable[[JobHead], bool], most: int) -> list[Job]:
        """The newest jobs of a span that may be ``seen``, newest first."""
        found: list[Job] = []
        for name in await self._store.since(self._world.now() - since):
            head = await self._store.head(name)
            if head is None or not seen(head):
                continue
            job = await self._store.load(name)
            if job is not None:
                found.append(job)
            if len(found) >= most:
                break
        return found


def is_running(job: Job, now: datetime) -> bool:
    """Whether somebody may still be at work on it."""
    return not job.finished and now - job.head.at <= GIVEN_UP


def wish_of(head: JobHead) -> Wanted:
    """What a job was asked for. One of a release that knew no owners was for everybody's homes."""
    asked = head.wish
    return Wanted(
        SyncMode(asked.get("mode", SyncMode.AUTO)),
        asked.get("platform", ""),
        asked.get("property", ""),
        asked.get("site", ""),
        tuple(asked.get("owners", "").split()),
    )


def _being_made(name: str, wish: Mapping[str, str], at: datetime) -> Job:
    """A job that somebody else has claimed and is storing: one step at least is still to come."""
    return Job(JobHead(name, wish, at, 1), ())


def _rows(phase: str, steps: Sequence[Step]) -> list[JobStep]:
    return [
        JobStep(f"{phase}|{number:05d}", one.kind, one.key, one.platforms, one.parts, one.force, one.asked)
        for number, one in enumerate(steps)
    ]


def _message(job: str, step: JobStep, version: str, due: datetime | None = None) -> Message:
    return Message("job", f"{job}/{step.name}", version, due=due)
