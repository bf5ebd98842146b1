"""The sync desk: a person presses "synchronise now". What is meant are homes in their care; what already does the same
while they press is what they get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.access import Person
from shared.domain.errors import NotFound
from shared.domain.wish import Wanted
from shared.engine.asked import deciding_for, may_follow
from shared.engine.jobs import Jobs, wish_of
from shared.engine.scope import must_decide
from shared.engine.world import World
from shared.state.jobs import Job, JobHead

MISSING = "there is no such home"


class SyncDesk:
    """Starts synchronisations for people."""

    def __init__(self, world: World, jobs: Jobs) -> None:
        self._world = world
        self._jobs = jobs

    async def start(self, person: Person, wanted: Wanted) -> Job:
        """The job that does what is wanted: one under way that does all of it and that this person may follow, or a new
        one. Raises ``PayloadRejected`` for a platform that is not connected, ``NotFound`` for a home that is not there
        for this person, ``NotAllowed`` for somebody who decides for none."""
        meant = await self.meant(person, wanted)
        running = await self._jobs.running(meant, seen=followed_by(person))
        return running or await self._jobs.start(meant)

    async def running(self, person: Person, wanted: Wanted) -> Job | None:
        """The job that a press would lead to, instead of a new one."""
        return await self._jobs.running(await self.meant(person, wanted), seen=followed_by(person))

    async def meant(self, person: Person, wanted: Wanted) -> Wanted:
        """The wish with the owners it is about: a home's or a site's own, or all that this person decides for."""
        if not wanted.property and not wanted.site:
            return replace(wanted, owners=deciding_for(person))
        site = wanted.site
        if wanted.property:
            home = (await self._world.accounts.directory("home", wanted.property)).get(wanted.property, {})
            site = home.get("site", "")
        known = (await self._world.accounts.directory("site", site)).get(site) if site else None
        if known is None:
            raise NotFound(MISSING)
        owner = known.get("owner", "")
        must_decide(person, owner, MISSING)
        return replace(wanted, owners=only(owner))


def only(owner: str) -> tuple[str, ...]:
    """The owners of a wish about one owner's home; a home of nobody is among everybody's."""
    return (owner,) if owner else ()


def followed_by(person: Person) -> Callable[[JobHead], bool]:
    """Which jobs a person may follow."""
    return lambda head: may_follow(person, wish_of(head).owners)
