"""Who asks, in stories where it does not matter whose homes they are: people who decide for all owners."""

from __future__ import annotations

from shared.domain.access import ALL_OWNERS, Person, Role


def operator(name: str) -> Person:
    """Somebody who decides for everybody's homes."""
    return Person(name, {ALL_OWNERS: Role.OPERATOR})


LOCAL = operator("local")
