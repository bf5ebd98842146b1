"""The sync desk: a person presses "synchronise now". What is meant are homes in their care; what already does the same
while they press is what they get."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta

from shared.domain.access import ALL_OWNERS, Person
from shared.domain.errors import NotAllowed, PayloadRejected
from shared.domain.wish import Wanted
from shared.engine.jobs import Jobs, wish_of
from shared.engine.scope import LOOK_ONLY, must_decide
from shared.engine.world import World
from shared.state.jobs import Job, JobHead


class SyncDesk:
    """Starts synchronisations for people."""

    def __init__(self, world: World, jobs: Jobs) -> None:
        self._world = world
        self._jobs = jobs

    async def start(self, person: Person, wanted: Wanted, *, young: timedelta = timedelta()) -> Job:
        """The job that does what is wanted: one under way that does all of it and that this person may follow, or a new
        one; of jobs asked for less than ``young`` ago also one that is over. Raises ``PayloadRejected`` for a platform,
        a home or a site that is not there for this person, ``NotAllowed`` where they may only look."""
        meant = await self.meant(person, wanted)
        running = await self._jobs.running(meant, seen=followed_by(person), young=young)
        return running or await self._jobs.start(meant)

    async def running(self, person: Person, wanted: Wanted) -> Job | None:
        """The job that a press would lead to, instead of a new one."""
        return await self._jobs.running(await self.meant(person, wanted), seen=followed_by(person))

    async def meant(self, person: Person, wanted: Wanted) -> Wanted:
        """The wish with the owners it is about: a home's or a site's own, or all that this person decides for."""
        if not wanted.property and not wanted.site:
            return replace(wanted, owners=deciding_for(person))
        site, missing = wanted.site, f"there is no site {wanted.site!r}"
        if wanted.property:
            homes = await self._world.accounts.directory("home")
            site = homes.get(wanted.property, {}).get("site", "")
            missing = f"there is no property {wanted.property!r}"
        known = (await self._world.accounts.directory("site")).get(site)
        owner = known.get("owner", "") if known else ""
        if known is None or not person.sees(owner):
            raise PayloadRejected(missing)
        must_decide(person, owner, missing)
        return replace(wanted, owners=only(owner))


def deciding_for(person: Person) -> tuple[str, ...]:
    """The owners whose homes a person's wish is about; empty for everybody's. Raises ``NotAllowed`` for somebody who
    decides for none."""
    if person.everywhere:
        return ()
    owners = tuple(sorted(owner for owner in person.roles if owner != ALL_OWNERS and person.decides(owner)))
    if not owners:
        raise NotAllowed(LOOK_ONLY)
    return owners


def may_follow(person: Person, owners: Collection[str]) -> bool:
    """Whether a person may see a job for these owners' homes; one for everybody's is for those who decide for all."""
    return person.everywhere or (bool(owners) and all(person.sees(one) for one in owners))


def only(owner: str) -> tuple[str, ...]:
    """The owners of a wish about one owner's home; a home of nobody is among everybody's."""
    return (owner,) if owner else ()


def followed_by(person: Person) -> Callable[[JobHead], bool]:
    """Which jobs a person may follow."""
    return lambda head: may_follow(person, wish_of(head).owners)
