"""What is remembered and explained; what vanished; what nobody could process."""

from __future__ import annotations

from pydantic import Field

from shared.web.api.models_base import Answer, Day, Instant, Nights, Said


class Line(Answer):
    """One line of the record."""

    at: Instant | None
    what: str | None
    of: str | None
    home: str | None
    why: str | None
    correlation: str | None
    version: int
    kind: str
    listing: str | None
    platform: str | None
    before: str | None
    after: str | None
    by: str | None
    text: Said
    by_text: Said


class History(Answer):
    """Lines, newest first, and where to go on."""

    site: str
    lines: list[Line]
    next: str | None


class ChainStep(Answer):
    """One step from the doorbell to the platform."""

    at: Instant | None
    version: int
    what: str | None
    correlation: str | None
    text: Said
    by: Said


class NightClosure(Answer):
    """A closure of the night in one listing."""

    because_of: str
    nights: Nights
    phase: str
    decided: Instant | None
    sent: Instant | None
    accepted: Instant | None
    seen: Instant | None
    opening_since: Instant | None
    attempts: int
    error: str | None
    text: Said
    chain: list[ChainStep]


class NightListing(Answer):
    """The night in one listing."""

    listing: str
    platform: str
    state: str
    units_left: int | None
    doubt: str | None
    nothing_is_sent: str | None
    text: Said
    facts: list[str]
    closures: list[NightClosure]


class NightFact(Answer):
    """A fact behind the night."""

    of: str
    home: str
    listing: str
    platform: str
    nights: Nights
    kind: str = Field(alias="class")
    status: str
    shown: str
    since: Instant
    by: str | None
    by_text: Said | None
    correlation: str | None
    missing_since: Instant | None
    at_the_latest: Instant | None
    text: Said
    chain: list[ChainStep]


class NightHold(Answer):
    """Nights promised while somebody pays."""

    listing: str
    until: Instant
    text: Said


class Why(Answer):
    """Why a night is as it is. ``record`` is of a night that is over."""

    home: str
    home_name: str
    night: Day
    past: bool
    text: Said
    listings: list[NightListing]
    facts: list[NightFact]
    holds: list[NightHold]
    held_back: list[Said]
    record: list[ChainStep] | None = None


class Removal(Answer):
    """Something that vanished from a calendar and is still held."""

    id: str
    site: str
    home: str
    home_name: str
    listing: str
    platform: str
    of: str
    stay: Nights
    nights: list[Nights]
    nights_text: Said
    since: Instant
    reason: str
    vanished_at_once: int
    reason_text: Said
    confirmed_by: Said
    at_the_latest: Instant | None


class Removals(Answer):
    """All of them, the soonest arrival first."""

    removals: list[Removal]


class Released(Answer):
    """What a click let go; ``already``: an earlier one did."""

    released: list[Nights]
    by: str | None
    at: Instant | None
    already: bool
    opening_waits_for: list[str]


class Quarantined(Answer):
    """Something nobody could process, without what it held."""

    id: str
    what: str
    source: str
    reason: str
    reason_text: Said
    at: Instant | None
    age_s: int | None
    size: int
    correlation: str | None


class DeadLetter(Answer):
    """A message that was delivered too often."""

    id: str
    queue: str
    sequence: int
    kind: str | None
    reason: str | None
    reason_text: Said | None
    deliveries: int
    size: int
    correlation: str | None


class Quarantine(Answer):
    """All of it; the dead letters are null, with the reason in ``bus``, while the bus does not answer."""

    quarantine: list[Quarantined]
    left_out: int
    dead_letters: list[DeadLetter] | None
    bus: str | None


class Replayed(Answer):
    """It is on its way again, or was before."""

    replayed: bool
    already: bool
    by: str | None
    at: Instant | None = None
