"""Work: what a message of the queue names, and the timers that ring for what is due. All end in the same use cases."""

from __future__ import annotations

from collections.abc import Callable, Container, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from shared import meter
from shared.correlation import correlated
from shared.domain.confirm import pause
from shared.domain.errors import SyncError, TransientError
from shared.domain.modes import next_look, survey_period
from shared.domain.platform import Platform
from shared.engine.calendars import Calendars
from shared.engine.inbox import Inbox
from shared.engine.mail_doorbell import REST
from shared.engine.observe import Observer
from shared.engine.queues import Queues
from shared.engine.readback import ReadBack
from shared.engine.reconcile import Reconciler
from shared.engine.reports import Reports
from shared.engine.side_by_side import side_by_side
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.accounts import AccountState
from shared.state.due import Work as DueWork
from shared.state.inbox import SetAside

INLINE = timedelta(seconds=10)
"""How long a sweep does work by itself while the bus is down: a timer's handler is done within 15 s."""

TICK = timedelta(seconds=1)
"""What is due within this is rung for now: a tick that comes early by a hair must not cost a whole one."""

SLOT = 2
"""Seconds within which two bells for the same source are one: enough for hosts that ring at the same tick, and less
than any rhythm, or a tick would be swallowed as its predecessor's double. Who asks decides whether it is time."""

NEWER = 60.0
"""Seconds until a message of an unknown kind comes back: its eight tries outlast the minutes in which two releases run
side by side."""

AGAIN = timedelta(seconds=9)
"""How long a bell for one look at an account is not rung again by the same process: longer than one tick, since a copy
of the account may be as old as that, and shorter than two."""

NEVER = datetime.min.replace(tzinfo=UTC)

MOST_DELIVERIES = 8
"""After so many a message is set aside with its reason, before the queue would bury it without one."""


class Work:
    """Does what messages and timers ask."""

    def __init__(
        self,
        world: World,
        reconciler: Reconciler,
        calendars: Calendars,
        queues: Queues,
        observer: Observer,
        inbox: Inbox,
        readback: ReadBack,
        rhythms: Mapping[Platform, float],
        reports: Reports,
    ) -> None:
        """``rhythms`` are the seconds between two polls of the platforms that have a queue."""
        self._world = world
        self._reconciler = reconciler
        self._calendars = calendars
        self._queues = queues
        self._observer = observer
        self._modes = reconciler.modes
        self._inbox = inbox
        self._readback = readback
        self._rhythms = rhythms
        self._reports = reports
        self._rung: dict[tuple[str, str], tuple[datetime | None, datetime]] = {}

    # ---------------------------------------------------------------------------------------- messages

    async def do(self, message: Message) -> str:
        """What one message asks. Raises ``PayloadRejected`` for one that can never be done; ``TransientError`` for one
        of a kind that is not known here: it comes back, and the release that sent it may be there then (rule 27)."""
        doers: dict[str, Callable[[str], Coroutine[Any, Any, object]]] = {
            "site": self.site,
            "inbox": self._inbox.process,
            "feeds": self._calendars.shard,
            "feed": self._feed,
            "queue": self._queue,
            "observe": self._observe,
            "deep": self._deep,
            "readback": self._readback.check,
            "drift": self._readback.check_all,
        }
        doer = doers.get(message.kind)
        if doer is None:
            raise TransientError(f"no work is called {message.kind[:40]!r} in this release", NEWER)
        return str(await self._reports.run(message.kind, message.key, lambda: doer(message.key)))

    async def site(self, site: str) -> str:
        """Reconcile a site. A failure is recorded in its due row with a pause; the message is done (rule 19)."""
        due = await self._world.due.get(site)
        try:
            report = await self._reconciler.reconcile(site, due.reason if due else "asked", work=due)
        except SyncError as wrong:
            await self._put_off(site, due, wrong)
            meter.blame(str(wrong))
            return f"failed: {wrong}"
        return f"version {report.version}, {report.sent} sent"

    async def _feed(self, key: str) -> str:
        """Ask one calendar (shard and listing) now, since somebody heard of a stay there; a bell that comes too soon
        after another comes back when the rest is over, so that a flood of them is one look in ``REST``."""
        if await self._world.accounts.lease("~mail", key, REST) is None:
            due = self._world.now() + REST
            slot = int(due.timestamp() // REST.total_seconds())
            await self._world.ring(WORK, Message("feed", key, f"mail{slot}", due=due))
            return "rests"
        shard, _, listing = key.rpartition("/")
        return "answered" if await self._calendars.one(shard, listing) else "no good answer"

    async def _deep(self, account: str) -> str:
        """The nightly look: every stay there is, and then, site by site, whether our closures still stand."""
        try:
            errors = await self._observer.observe(account)
        except SyncError as wrong:
            return self._later(account, wrong)
        state = await self._world.accounts.load(account)
        for site in {place.site for place in state.units.values()} if state else ():
            await self._ring_or_do(Message("drift", site, self._slot()))
        return "; ".join(f"{unit}: {why}" for unit, why in errors.items()) or "whole"

    async def _queue(self, account: str) -> str:
        """Poll a queue. A failure moves the ladder, and the clock rings again: the message is done."""
        try:
            return await self._queues.poll(account)
        except SyncError as wrong:
            return self._later(account, wrong)

    async def _observe(self, account: str) -> str:
        """Ask for whole states, as above."""
        try:
            return await self._observer.look(account)
        except SyncError as wrong:
            return self._later(account, wrong)

    def _later(self, account: str, wrong: SyncError) -> str:
        self._world.telemetry.event("look_failed", account=account, why=str(wrong))
        return f"failed: {wrong}"

    async def _put_off(self, site: str, due: DueWork | None, wrong: SyncError) -> None:
        attempts = due.attempts + 1 if due else 1
        at = self._world.now() + pause(attempts)
        self._world.telemetry.event("reconcile_failed", site=site, why=str(wrong), attempts=attempts)
        reason = due.reason if due else "asked"
        if due is None:
            await self._world.due.put(site, at, reason, attempts)
        else:
            await self._world.due.postpone(site, due.etag, at, reason, attempts)

    async def set_aside(self, name: str, source: str, reason: str, raw: bytes) -> None:
        """Keep a message nobody can process, to be shown and replayed."""
        await self._world.inbox.quarantine(name, source, reason, raw, SetAside.MESSAGE)
        self._world.telemetry.count("quarantined", queue=source)

    # ------------------------------------------------------------------------------------------ timers

    async def ring_feeds(self) -> None:
        """Ring for every shard: the pass itself knows which of its calendars are due."""
        slot = self._slot()
        for shard in await self._world.accounts.directory("shard"):
            await self._ring_or_do(Message("feeds", shard, slot))

    async def ring_accounts(self) -> None:
        """Ring for every API account that is due by its mode: for its queue, or for its whole state where it only
        pushes or was never wholly looked at. One whose rows cannot be read is passed over (``Modes.readable`` tells of
        it); another error of an account is raised once every other had its turn."""
        names = await self._with_api(self._world.apis)
        wrong = next(filter(None, await side_by_side(self._ring_account, names)), None)
        if wrong is not None:
            raise wrong

    async def _ring_account(self, name: str) -> SyncError | None:
        try:
            state = await self._modes.readable(name)
            if state is not None and state.units:
                await self._ring_due(name, state)
        except SyncError as wrong:
            return wrong
        return None

    async def _ring_due(self, name: str, state: AccountState) -> None:
        rhythm = self._rhythms.get(state.account.platform)
        if rhythm is not None and self._is_due(state, state.polled, rhythm):
            await self._ring_once("queue", name, state.polled)
        survey = survey_period(state.setting, len(state.units))
        if (rhythm is None or state.looked is None) and self._is_due(state, state.last_look, survey):
            await self._ring_once("observe", name, state.last_look)

    async def _ring_once(self, kind: str, name: str, looked: datetime | None) -> None:
        """Ring for what was last ``looked`` at then, unless this process just did: its copy of the account is some
        seconds old, so that the next tick would ring for the same look, and pay for a message and an execution."""
        rung, at = self._rung.get((kind, name), (None, NEVER))
        now = self._world.now()
        if looked is not None and rung == looked and now - at < AGAIN:
            return
        self._rung[kind, name] = (looked, now)
        await self._ring_or_do(Message(kind, name, self._slot()))

    def _is_due(self, state: AccountState, looked: datetime | None, rhythm: float = 0.0) -> bool:
        due = next_look(state.setting, state.standing, looked, rhythm)
        return due is None or due <= self._world.now() + TICK

    async def sweep(self) -> None:
        """Ring for what was left behind: sites whose row is due, webhooks not worked off. While the bus is down the
        work is done here, most urgent first (rule 12)."""
        started = self._world.now()
        for work in await self._world.due.all():
            if work.at > started:
                break
            if await self._world.ring(WORK, Message("site", work.site, work.etag, work.correlation)):
                continue
            if self._world.now() - started > INLINE:
                break
            with correlated(work.correlation):
                await self.do(Message("site", work.site))
        most = (
            1 if self._world.now() - started > INLINE else 50
        )  # a delivery closes nights: it waits for no site
        for platform in self._world.apis:
            if platform not in self._rhythms or platform in self._world.doorbells:
                await self._inbox.sweep(platform, most)

    async def walk(self, now: datetime) -> list[str]:
        """Visit the sites whose turn it is in this hour: each once a day, index or not (rule 10). Webhooks of the
        week are looked for too which nobody worked off while everything stood still. Returns the sites."""
        for platform in self._world.apis:
            if platform not in self._rhythms or platform in self._world.doorbells:
                await self._inbox.sweep(platform, most=50, days=range(7, 1, -1))
        sites = [
            s for s in await self._world.accounts.directory("site") if crc32(s.encode()) % 24 == now.hour
        ]
        for site in sites:
            await self._ring_or_do(Message("site", site, f"walk{now:%Y%m%d%H}"))
        return sites

    async def ring_observe(self) -> None:
        """Ask every API account for its whole state: nightly, and first of all when it is new."""
        slot = self._slot()
        for name in await self._with_api(self._world.apis):
            await self._ring_or_do(Message("deep", name, slot))

    async def _with_api(self, platforms: Container[Platform]) -> list[str]:
        """Accounts of these platforms that are connected by API; the others are names for calendar links."""
        known = await self._world.accounts.directory("account")
        return [
            name
            for name, what in known.items()
            if what.get("api") and Platform(what.get("platform", "")) in platforms
        ]

    def _slot(self) -> str:
        """A version for what is rung by the clock: several hosts that ring at once ring for one thing. Schedules tick
        on whole seconds and hosts differ by less than half of one, so a slot begins half a second before one."""
        return f"{int((self._world.now().timestamp() + 0.5) // SLOT)}"

    async def _ring_or_do(self, message: Message) -> None:
        if await self._world.ring(WORK, message):
            return
        try:
            await self.do(message)
        except SyncError as wrong:
            self._world.telemetry.event("work_waits", kind=message.kind, why=str(wrong))
