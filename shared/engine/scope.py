"""Scope: what of all there is a person sees. What is another owner's is answered as if it never was."""

from __future__ import annotations

from shared.domain.access import Person
from shared.domain.errors import NotAllowed, NotFound
from shared.engine.world import World

LOOK_ONLY = "you may look at this, but not decide about it"
"""What somebody is told who may see a thing, and no more."""


def must_see(person: Person, owner: str, missing: str) -> None:
    """Raises ``NotFound`` with the words for what never was, unless the person sees this owner's homes."""
    if not person.sees(owner):
        raise NotFound(missing)


def must_decide(person: Person, owner: str, missing: str) -> None:
    """The same, and ``NotAllowed`` for somebody who may only look."""
    must_see(person, owner, missing)
    if not person.decides(owner):
        raise NotAllowed(LOOK_ONLY)


async def sites_seen(world: World, person: Person) -> list[str]:
    """The sites a person sees, by the directory: one read."""
    known = await world.accounts.directory("site")
    return [name for name, what in known.items() if person.sees(what.get("owner", ""))]


async def owner_of(world: World, site: str) -> str | None:
    """Whose site it is; None for one nobody knows. One small read."""
    found = (await world.accounts.directory("site", site)).get(site)
    return None if found is None else found.get("owner", "")
