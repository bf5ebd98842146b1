"""Synchronisations as a page shows them: what can be pressed, how far each platform is, and the report that is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.access import Person
from shared.domain.model import SiteState, SyncMode
from shared.domain.platform import Platform
from shared.domain.reports import Figures
from shared.domain.spoken import PARIS, Said
from shared.domain.wish import Wanted, covers
from shared.engine import sync_words
from shared.engine.homes_seen import states_seen
from shared.engine.jobs import GIVEN_UP, Jobs, is_running, wish_of
from shared.engine.sync_desk import deciding_for, followed_by, only
from shared.engine.world import World
from shared.state.jobs import Job, JobStep

LISTED = timedelta(days=30)
MOST_LISTED = 10
"""Synchronisations a page lists, of so many days."""

MOST_LINES = 100
"""Writes a report names; the rest are counted."""

_JOB = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Share:
    """How far one platform is: steps in all, over, and failed among those."""

    platform: str
    name: str
    total: int
    done: int
    failed: int

    @property
    def over(self) -> bool:
        """Whether nothing is left to do there."""
        return self.done >= self.total


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. ``state`` is "running", "done", "failed" (over, but not all of it went well) or "stopped" (it
    never came to its end). ``lasted`` is until now while it runs."""

    id: str
    wanted: Wanted
    at: datetime
    state: str
    total: int
    done: int
    failed: int
    lasted: timedelta
    shares: tuple[Share, ...]

    @property
    def running(self) -> bool:
        """Whether somebody may still be at work on it."""
        return self.state == "running"


@dataclass(frozen=True, slots=True)
class Told:
    """One step of a report. ``troubles`` say what went wrong, ``writes`` what was closed or opened; ``left_out`` more
    of those."""

    title: Said
    state: str
    lasted: timedelta
    said: Said
    troubles: tuple[Said, ...]
    writes: tuple[Said, ...]
    left_out: int

    @property
    def loud(self) -> bool:
        """Whether somebody would want to know of it: it failed, was not done, or wrote something."""
        return self.state != "done" or bool(self.troubles or self.writes)


@dataclass(frozen=True, slots=True)
class Report:
    """A job with what it did. ``target`` names the home or platform it was for, empty for everything; ``sums`` are the
    figures by platform's name."""

    progress: Progress
    target: str
    sums: tuple[tuple[str, str, Figures], ...]
    steps: tuple[Told, ...]
    zone: str


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be synchronised by itself; ``job`` is the one under way that does it already, empty for
    none."""

    id: str
    name: str
    job: str = ""


@dataclass(frozen=True, slots=True)
class SyncPage:
    """What can be pressed now, and what ran. ``everything`` is the job that already does all, empty for none.
    ``allowed``: this person decides for some home."""

    at: datetime
    allowed: bool
    everything: str
    platforms: tuple[Target, ...]
    homes: tuple[Target, ...]
    running: tuple[tuple[Progress, str], ...]
    past: tuple[tuple[Progress, str], ...]
    zone: str


@dataclass(frozen=True, slots=True)
class _Names:
    """What things of a person's homes are called: ``homes``, ``listings`` ("Le Moulin, Airbnb"; also by their unit) and
    ``sites`` by id; ``platforms`` that sell homes in this person's care; ``decided`` are those homes with their
    owners."""

    homes: Mapping[str, str]
    listings: Mapping[str, str]
    sites: Mapping[str, str]
    platforms: Mapping[str, str]
    decided: Mapping[str, str]
    zone: str


class SyncView:
    """Shows synchronisations to people."""

    def __init__(self, world: World, jobs: Jobs) -> None:
        self._world = world
        self._jobs = jobs

    async def page(self, person: Person, mode: SyncMode) -> SyncPage:
        """What can be pressed in a mode, and the last jobs this person may follow."""
        now, names = self._world.now(), await self._names(person)
        jobs = await self._jobs.newest(LISTED, seen=followed_by(person), most=MOST_LISTED)
        under_way = [job for job in jobs if is_running(job, now)]
        theirs = deciding_for(person) if names.decided else ()

        def does(wanted: Wanted) -> str:
            found = (job.head.id for job in under_way if covers(wish_of(job.head), wanted))
            return next(found, "")

        return SyncPage(
            at=now,
            allowed=bool(names.decided),
            everything=does(Wanted(mode, owners=theirs)),
            platforms=tuple(
                Target(key, name, does(Wanted(mode, platform=key, owners=theirs)))
                for key, name in sorted(names.platforms.items(), key=_by_name)
            ),
            homes=tuple(
                Target(key, name, does(Wanted(mode, property=key, owners=only(names.decided[key]))))
                for key, name in sorted(names.homes.items(), key=_by_name)
                if key in names.decided
            ),
            running=tuple((self._progress(job, now), _target(job, names)) for job in under_way),
            past=tuple(
                (self._progress(job, now), _target(job, names)) for job in jobs if job not in under_way
            ),
            zone=names.zone,
        )

    async def progress(self, person: Person, name: str) -> Progress | None:
        """How far a job is, for one read of the tables; None for one that is not there for this person."""
        job = await self._followed(person, name)
        return None if job is None else self._progress(job, self._world.now())

    async def report(self, person: Person, name: str) -> Report | None:
        """A job with all it did, as far as this person's homes are concerned."""
        job = await self._followed(person, name)
        if job is None:
            return None
        names = await self._names(person)
        sums: dict[str, Figures] = {}
        for one in job.steps:
            for platform, more in one.figures.items():
                sums[platform] = sums.get(platform, Figures()) + more
        return Report(
            self._progress(job, self._world.now()),
            _target(job, names),
            tuple((key, self._name(key), total) for key, total in sorted(sums.items()) if key),
            tuple(self._told(one, names) for one in job.steps),
            names.zone,
        )

    async def _followed(self, person: Person, name: str) -> Job | None:
        job = await self._jobs.load(name) if _JOB.fullmatch(name) else None
        return job if job is not None and followed_by(person)(job.head) else None

    def _progress(self, job: Job, now: datetime) -> Progress:
        states = [one.state for one in job.steps]
        failed = states.count("failed")
        over = states.count("done") + failed
        state = "running" if is_running(job, now) else "stopped"
        if job.finished:
            state = "failed" if failed else "done"
        ends = [one.begun + one.duration for one in job.steps if one.begun is not None]
        until = max(ends, default=job.head.at) if state != "running" else now
        return Progress(
            id=job.head.id,
            wanted=wish_of(job.head),
            at=job.head.at,
            state=state,
            total=max(len(states), job.head.steps),
            done=over,
            failed=failed,
            lasted=min(until - job.head.at, GIVEN_UP),
            shares=tuple(
                self._share(name, job) for name in sorted({p for one in job.steps for p in one.platforms})
            ),
        )

    def _share(self, platform: str, job: Job) -> Share:
        steps = [one for one in job.steps if platform in one.platforms]
        over = sum(1 for one in steps if one.state != "waiting")
        return Share(
            platform,
            self._name(platform),
            len(steps),
            over,
            sum(1 for one in steps if _failed(one, platform)),
        )

    def _told(self, step: JobStep, names: _Names) -> Told:
        written = [
            line
            for line in step.lines
            if line.get("what") == "write" and line.get("listing") in names.listings
        ]
        return Told(
            sync_words.title(
                step.kind, step.key, step.platforms, {**self._world.platform_names, **names.sites}
            ),
            step.state,
            step.duration,
            sync_words.done(step.said),
            sync_words.troubles(step.error, names.listings),
            tuple(
                sync_words.write(line, names.listings[str(line["listing"])]) for line in written[:MOST_LINES]
            ),
            max(0, len(written) - MOST_LINES) + step.dropped,
        )

    async def _names(self, person: Person) -> _Names:
        states = await states_seen(self._world, person)
        mine = [state for state in states if person.decides(state.site.owner)]
        homes = {key: one.name for state in states for key, one in state.site.properties.items()}
        listings = {key: one for state in states for key, one in state.listings.items()}
        named = {
            key: f"{homes.get(one.property, one.property)}, {self._name(one.platform)}"
            for key, one in listings.items()
        }
        return _Names(
            homes,
            {one.unit: named[key] for key, one in listings.items() if one.unit} | named,
            {state.site.id: _joined(state) for state in states},
            {one.platform: self._name(one.platform) for state in mine for one in state.listings.values()},
            {key: state.site.owner for state in mine for key in state.site.properties},
            next((home.zone for state in states for home in state.site.properties.values()), PARIS),
        )

    def _name(self, platform: str) -> str:
        return self._world.platform_names.get(Platform(platform), platform)


def _failed(step: JobStep, platform: str) -> bool:
    """Whether a step failed for a platform: one that concerns several fails for those that brought no answer. Where no
    figures say whose fault it was, it failed for all."""
    if step.state != "failed":
        return False
    bad = {name for name, one in step.figures.items() if one.failed or one.refused}
    return platform in bad if bad & set(step.platforms) else True


def _joined(state: SiteState) -> str:
    return ", ".join(sorted(home.name for home in state.site.properties.values()))


def _by_name(item: tuple[str, str]) -> tuple[str, str]:
    return item[1].lower(), item[0]


def _target(job: Job, names: _Names) -> str:
    """What it was for, in words; empty for everything. A home that is no longer there is called by its id."""
    wanted = wish_of(job.head)
    home = names.homes.get(wanted.property, wanted.property) or names.sites.get(wanted.site, wanted.site)
    channel = names.platforms.get(Platform(wanted.platform), wanted.platform)
    return ", ".join(piece for piece in (home, channel) if piece)
