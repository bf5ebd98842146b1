"""What people may see of synchronisations: how far one is, and what ran. Of what was done for several owners' homes at
once, each sees what concerns theirs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from shared.domain.access import Person
from shared.domain.errors import NotFound
from shared.engine.homes_seen import states_seen
from shared.engine.jobs import Jobs, wish_of
from shared.engine.modes import Modes
from shared.engine.reports import Reports
from shared.engine.scope import sites_seen
from shared.engine.sync_desk import may_follow
from shared.engine.world import World
from shared.state.jobs import Job

_JOB = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Asked:
    """Shows jobs and runs to whom they concern."""

    def __init__(self, world: World, jobs: Jobs, reports: Reports, modes: Modes) -> None:
        self._world = world
        self._jobs = jobs
        self._reports = reports
        self._modes = modes

    async def job(self, person: Person, name: str) -> Job:
        """A job with its progress. Raises ``NotFound`` for one that never was, or was for others' homes."""
        job = await self._jobs.load(name) if _JOB.fullmatch(name) else None
        if job is None or not may_follow(person, wish_of(job.head).owners):
            raise NotFound("there is no such job")
        return await self._theirs(person, job)

    async def _theirs(self, person: Person, job: Job) -> Job:
        """The job without what it did for others: an account's queue is asked whole, and may bring news of homes that
        are not this person's."""
        if person.everywhere:
            return job
        listings = [
            one for state in await states_seen(self._world, person) for one in state.listings.values()
        ]
        known = {one.id for one in listings} | {one.unit for one in listings if one.unit}

        def is_theirs(line: Mapping[str, str | int]) -> bool:
            whose = line.get("listing", line.get("whom"))
            return whose is None or whose in known

        steps = (replace(one, lines=tuple(filter(is_theirs, one.lines))) for one in job.steps)
        return replace(job, steps=tuple(steps))

    async def runs(self, person: Person, day: date, platform: str, most: int) -> list[dict[str, object]]:
        """The reports of a day (UTC), newest first. Runs for several owners' homes at once are for those who see
        all."""
        sources = None if person.everywhere else await self._sources(person)
        return await self._reports.listed(day, platform, most, sources)

    async def _sources(self, person: Person) -> frozenset[str]:
        """The sites and accounts a person sees: whom a run was done for."""
        found = set(await sites_seen(self._world, person))
        for name in await self._world.accounts.directory("account"):
            state = await self._modes.readable(name, fresh=True)
            if state is not None and person.sees(state.account.owner):
                found.add(name)
        return frozenset(found)
