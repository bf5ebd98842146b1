"""Double bookings."""

from __future__ import annotations

from pydantic import Field

from shared.web.api.models_base import Answer, Instant, Nights, Said


class Side(Answer):
    """One of the stays that claim the nights."""

    platform: str
    platform_name: str
    listing: str
    home: str
    booking: str
    nights: Nights
    nights_text: Said
    kind: str = Field(alias="class")
    status: str
    what: Said
    known_since: Instant | None
    first: bool
    how_sure: Said
    page: str | None


class Exposure(Answer):
    """Nights that a channel could still sell."""

    platform: str
    platform_name: str
    listing: str
    nights: Nights
    since: Instant | None
    seconds: int | None
    on_its_way: bool
    page: str | None


class Acknowledged(Answer):
    """Who takes care of it, since when."""

    by: str
    at: Instant


class Decided(Answer):
    """What was decided, by whom."""

    proposal: str
    what: Said | None
    by: str
    at: Instant
    note: str | None


class Short(Answer):
    """A double booking in the list."""

    id: str
    href: str
    site: str
    home: str
    home_name: str
    nights: list[Nights]
    nights_text: Said
    severity: str
    severity_text: Said
    state: str
    state_text: Said
    detected_at: Instant | None
    told_at: Instant | None
    acknowledged: Acknowledged | None
    decision: Decided | None
    ended_at: Instant | None
    verified_at: Instant | None
    who_was_first: str
    sides: list[Side]
    exposure: list[Exposure]


class Conflicts(Answer):
    """Every double booking, open ones on top."""

    at: Instant
    conflicts: list[Short]


class ToDo(Answer):
    """Something to do, and where."""

    do: str
    booking: str | None
    listing: str
    platform: str | None
    nights: Nights
    to: str | None
    page: str | None


class Proposal(Answer):
    """Something that can be decided: why, what it costs, what will happen."""

    id: str
    rank: int
    kind: str
    what: Said
    reason: Said
    cost: Said
    what_will_happen: Said
    message: Said | None
    can_be_taken_back: bool
    automatic: bool
    by_hand: bool
    steps: list[ToDo]


class Task(Answer):
    """What a decision left to a person."""

    what: Said
    steps: list[ToDo]
    message: Said | None


class Conflict(Short):
    """One double booking, with what can be done about it."""

    proposals: list[Proposal]
    task: Task | None
