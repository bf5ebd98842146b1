"""What the control API takes: bodies and queries, checked before any use case sees them.

Imported with the first body or question that is checked, or with the document made of these models: a webhook pays for
none of it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.domain.zones import is_zone

Mode = Literal["auto", "real_time", "batch", "manual"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name of something: a platform, a home, a site, an owner."""


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("there is no such time zone")
    return name


Zone = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$"), AfterValidator(_zone)
]
"""An IANA time zone."""

Note = Annotated[str, StringConstraints(max_length=500)]
Link = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
"""A calendar link: a secret."""


class Body(BaseModel):
    """A JSON object with these fields and no others; a number is no text and a text is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """The parameters of an address, these and no others."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


# ------------------------------------------------------------------------------------------------ bodies


class SyncWish(Body):
    """What a synchronisation is to do: everything, or one platform, home or site."""

    mode: Mode = Field("auto", description="How thoroughly: as the clock would, or everything anew (manual)")
    platform: Word | None = Field(None, examples=["booking"])
    property: Word | None = Field(None, description="A home", examples=["moulin"])
    site: Word | None = None


class ModeWish(Body):
    """What is chosen for an account; what is left out stays as it is."""

    mode: Mode | None = None
    poll_minutes: int | None = Field(None, ge=1, le=5)
    batch_minutes: int | None = Field(None, ge=15, le=30)


class CircuitWish(Body):
    """Where a circuit is moved to; ``closed`` lets it judge for itself again."""

    state: Literal["forced_open", "forced_closed", "closed"]


class Decision(Body):
    """A proposal of the conflict that was read."""

    proposal: Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
    note: Note = ""


class Renewal(Body):
    """For how many days the old address still opens the calendar; 0 for one that got into wrong hands."""

    days: int = Field(7, ge=0, le=30)


class FeedCheck(Body):
    """A calendar link to look into."""

    url: Link = Field(examples=["https://www.airbnb.com/calendar/ical/1234.ics?s=…"])
    platform: Word | None = Field(None, description="Whose calendar it is, where its address does not say so")
    zone: Zone | None = Field(None, examples=["Europe/Paris"])


class Connection(FeedCheck):
    """A calendar link to add: to a home that is there, or to a new one, which then has a name."""

    home: Word | None = Field(None, description="The id of a home that is there")
    name: Word | None = Field(None, description="How a new home is called")
    owner: Word | None = Field(None, description="Whose new home it is, where you look after several owners'")


class Somebody(Body):
    """A person whose data is looked for: by name, by a reservation's id or code, or by both."""

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    reservation: Annotated[str, StringConstraints(max_length=200)] = ""


Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day, HH:MM."""

Timing = Literal["now", "daily", "off"]


class NotificationsWish(Body):
    """When one is told of what. What tells of a double booking or of nights that stayed open cannot be put off."""

    language: Literal["fr", "en"]
    zone: Zone
    begins: Clock = Field(description="When the quiet hours begin; equal to ``ends`` for none")
    ends: Clock
    digest: Clock = Field(description="When the day's digest comes")
    stay: Timing = "now"
    over: Timing = "now"
    connection: Timing = "now"
    message: Timing = "now"


class WayWish(Body):
    """One way more to be told by; the address is a secret."""

    way: Word = Field(examples=["email"])
    address: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


# ----------------------------------------------------------------------------------------------- queries


class RunsQuery(Query):
    """Which reports."""

    day: date | None = Field(None, description="A day (UTC); today without")
    platform: Word | None = None
    limit: int = Field(100, ge=1, le=500)


class HistoryQuery(Query):
    """Which lines of the record."""

    site: Word | None = None
    home: Word | None = None
    first: date | None = Field(None, alias="from", description="The first day, of the home's own calendar")
    last: date | None = Field(None, alias="to", description="The last day, itself included")
    kind: Literal["fact", "closure", "opening", "conflict", "hold", "listing", "person", "other"] | None = (
        None
    )
    page: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}-[0-9]{1,6}$")] | None = Field(
        None, description="What an answer named as its next"
    )
    limit: int = Field(50, ge=1, le=500)


class HistoryFileQuery(HistoryQuery):
    """Which lines of the record, for a file."""

    limit: int = Field(5_000, ge=1, le=5_000)


class WhyQuery(Query):
    """Which night."""

    home: Word
    night: date = Field(alias="date")


class RemovalsQuery(Query):
    """Of a site, of a home, or of all."""

    site: Word | None = None
    home: Word | None = None


class LinksQuery(Query):
    """Whether the export addresses are to be shown; they are secrets."""

    addresses: Literal["true", "false"] = "false"


class PortfolioQuery(Query):
    """Whether calendar links are to stand in the text; they are secrets."""

    links: Literal["true", "false"] = "false"
