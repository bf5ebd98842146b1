"""Access: who asks, and what that person may do with whose homes.

Homes belong to owners, and people have a role for each owner (``Role``). A home, an account or a conflict of an owner
whom somebody does not look after is *not there* for that person: the answer is the same as for a name that never was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ALL_OWNERS = "*"
"""In the portfolio: the owner whose people look after everybody's homes."""


class Role(StrEnum):
    """What a person may do with the homes of an owner."""

    VIEWER = "viewer"  # look
    OPERATOR = "operator"  # look, decide conflicts, start syncs, release nights


class Right(StrEnum):
    """What a route asks of whoever calls it."""

    OPEN = "open"  # nothing: its address is the secret, or it tells nothing
    LOOK = "look"  # a role, of whatever kind, for one owner at least
    DECIDE = (
        "decide"  # the role of an operator for one owner at least; each object is judged again by its owner
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. ``name`` is how the sign-in calls them, fit to be stored and shown; ``roles`` are
    by owner; ``language`` is "fr" or "en", empty where none was chosen. ``principal`` is by which name the portfolio or
    the settings know them, empty where that is ``name`` itself."""

    name: str
    roles: Mapping[str, Role] = field(default_factory=dict)
    language: str = ""
    principal: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether this person decides for all owners, and so may see what belongs to none: a message that nobody could
        process, the engine's own health."""
        return self.roles.get(ALL_OWNERS) is Role.OPERATOR

    def sees(self, owner: str) -> bool:
        """Whether an owner's homes are there for this person."""
        return owner in self.roles or ALL_OWNERS in self.roles

    def decides(self, owner: str) -> bool:
        """Whether this person may change anything about an owner's homes."""
        return Role.OPERATOR in (self.roles.get(owner), self.roles.get(ALL_OWNERS))

    def has(self, right: Right) -> bool:
        """Whether this person may call a route at all; what it names is judged by ``sees`` and ``decides``."""
        if right is Right.DECIDE:
            return Role.OPERATOR in self.roles.values()
        return right is Right.OPEN or bool(self.roles)


NOBODY = Person("")
"""Whoever is not signed in."""
