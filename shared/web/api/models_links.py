"""Links, calendars, the portfolio, and what is kept of a person."""

from __future__ import annotations

from shared.web.api.models_base import Answer, Instant, Nights


class Fetch(Answer):
    """One request for our calendar."""

    at: Instant
    agent: str
    status: int


class Link(Answer):
    """The two links of one listing: the address we publish (a secret), and the host we read."""

    id: str
    href: str
    listing: str
    home: str
    home_name: str
    platform: str
    platform_name: str
    address: str | None
    revoked: bool
    former_until: Instant | None
    served: bool
    waits_for: list[str]
    read_by_platform: Fetch | None
    read_by_others: Fetch | None
    reads_from: str | None
    last_answer: Instant | None
    fresh: bool
    error: str | None
    dead: bool
    stays: int


class Links(Answer):
    """All of a person's homes."""

    links: list[Link]


class Stretch(Answer):
    """Taken nights of a calendar."""

    kind: str
    nights: Nights


class FeedLook(Answer):
    """What is in a calendar link."""

    host: str
    platform: str
    platform_name: str
    recognised: bool
    stays: int
    past: int
    taken: list[Stretch]
    oddities: list[str]


class Connected(Answer):
    """A calendar that was added; ``anew`` is false where it was connected before."""

    link: str
    href: str
    listing: str
    home: str
    anew: bool


class PortfolioTaken(Answer):
    """What came of a text: the sites that are new, and those that changed."""

    created: list[str]
    changed: list[str]
    homes: int
    listings: int


class PersonStay(Answer):
    """A stay of a person."""

    site: str
    homes: list[str]
    platform: str
    account: str
    reservation: str
    code: str | None
    nights: list[Nights]
    status: str
    guest: str | None
    departed: bool
    name_erased: bool


class PersonNote(Answer):
    """What somebody wrote beside a decision."""

    site: str
    home: str
    conflict: str
    note: str
    by: str
    at: Instant


class PersonMessage(Answer):
    """A message as it came."""

    id: str
    source: str
    at: Instant | None
    reason: str | None
    waits: bool
    text: str


class PersonFound(Answer):
    """Everything that is kept of a person, and what could not be looked through."""

    stays: list[PersonStay]
    notes: list[PersonNote]
    record: list[dict[str, str | int]]
    messages: list[PersonMessage]
    not_looked_through: list[str]


class ErasedCounts(Answer):
    """How much was erased."""

    names: int
    notes: int
    lines: int
    messages: int


class PersonErased(Answer):
    """How much was erased, and what is left for now."""

    erased: ErasedCounts
    left: PersonFound
