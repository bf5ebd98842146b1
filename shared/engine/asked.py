"""What people ask over HTTP about synchronisations: start one, see how far it is, see what ran."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from shared.domain.access import Person
from shared.domain.errors import NotFound, PayloadRejected
from shared.engine.answers import REFUSALS, json_answer, refused
from shared.engine.homes_seen import states_seen
from shared.engine.jobs import Jobs, as_json, read_wish, wish_of
from shared.engine.reports import Reports
from shared.engine.scope import sites_seen
from shared.engine.sync_desk import SyncDesk, may_follow
from shared.engine.work import parse_request
from shared.engine.world import World
from shared.state.jobs import Job
from shared.use_cases import HttpAnswer

MOST_LISTED = 500
"""Reports one answer holds at most."""

_LISTED = 100
_FIELDS = ("day", "platform", "limit")
_YEARS = range(2000, 2201)
_JOB = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Asked:
    """Reads requests, words answers."""

    def __init__(self, world: World, desk: SyncDesk, jobs: Jobs, reports: Reports) -> None:
        self._world = world
        self._desk = desk
        self._jobs = jobs
        self._reports = reports

    async def sync(self, person: Person, body: bytes) -> HttpAnswer:
        """202 with the job and where to follow it; 400 naming the field that is wrong. Somebody who does not decide
        for all owners asks for the homes of those he decides for."""
        try:
            job = await self._desk.start(person, read_wish(parse_request(body)))
        except REFUSALS as wrong:
            return refused(wrong)
        shown = as_json(job, self._world.now())
        href = f"/api/jobs/{job.head.id}"
        steps = shown.pop("steps")
        assert isinstance(steps, list), "a job is always shown with its steps"
        return json_answer(202, {**shown, "href": href, "steps": len(steps)}, location=href)

    async def job(self, person: Person, name: str) -> HttpAnswer:
        """200 with progress and report; 404 for a job that never was, or was for others' homes."""
        job = await self._jobs.load(name) if _JOB.fullmatch(name) else None
        if job is None or not may_follow(person, wish_of(job.head).owners):
            return refused(NotFound("there is no such job"))
        return json_answer(200, as_json(await self._theirs(person, job), self._world.now()))

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

    async def runs(self, person: Person, query: Mapping[str, str]) -> HttpAnswer:
        """200 with the reports of a day (today's by default; UTC), newest first; 400 naming a wrong parameter. Runs for
        several owners' homes at once are for those who see all."""
        try:
            day, platform, most = self._read(query)
        except PayloadRejected as wrong:
            return refused(wrong)
        sources = None if person.everywhere else await self._sources(person)
        found = await self._reports.listed(day, platform, most, sources)
        return json_answer(200, {"day": day.isoformat(), "runs": found})

    async def _sources(self, person: Person) -> frozenset[str]:
        """The sites and accounts a person sees: whom a run was done for."""
        found = set(await sites_seen(self._world, person))
        for name in await self._world.accounts.directory("account"):
            state = await self._world.accounts.load(name)
            if state is not None and person.sees(state.account.owner):
                found.add(name)
        return frozenset(found)

    def _read(self, query: Mapping[str, str]) -> tuple[date, str, int]:
        unknown = sorted(query.keys() - set(_FIELDS))
        if unknown:
            raise PayloadRejected(f"unknown parameter {unknown[0]!r}: known are {', '.join(_FIELDS)}")
        day, limit = query.get("day", ""), query.get("limit", f"{_LISTED}")
        try:
            when = date.fromisoformat(day) if day else self._world.now().date()
        except ValueError:
            raise PayloadRejected("day is not a date like 2027-03-01") from None
        if when.year not in _YEARS:
            raise PayloadRejected(f"day is not in a year from {_YEARS[0]} to {_YEARS[-1]}")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:6]) <= MOST_LISTED:
            raise PayloadRejected(f"limit is not a number from 1 to {MOST_LISTED}")
        return when, query.get("platform", ""), int(limit)
