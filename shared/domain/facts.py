"""Facts as a source tells them, before they are placed in a site. Connectors make them, the engine merges them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from shared.domain.dates import StayDates
from shared.domain.model import Busy, Status

SOME_ROOM = "*"
"""The last part of a unit ("1234:*") where the platform itself could not tell which room of the place it is."""


@dataclass(frozen=True, slots=True)
class SeenRoom:
    """One room of a stay: the platform's id of the unit, the room's key inside the reservation, its nights."""

    unit: str
    part: str
    dates: StayDates


@dataclass(frozen=True, slots=True)
class SeenStay:
    """A reservation's complete new state by API; a cancellation may carry the id alone.

    ``version`` orders the platform's own changes (microseconds of its ``updated_at``), 0 where it gives none.
    ``question``: cancelled in the sense that it never was a stay, so that it may still become one without a version.
    ``unknown`` is the platform's word for its status where we do not know it: it holds its nights, and a person looks.
    """

    id: str
    status: Status
    rooms: tuple[SeenRoom, ...] = ()
    version: int = 0
    guest: str = field(default="", repr=False)
    question: bool = False
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A message whose id or rooms nobody could read: kept raw with its reason, told, then acknowledged."""

    receipt: str
    reason: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Polled:
    """One answer of a queue-like source: complete states, each with the receipt that acknowledges it. ``whole`` is
    False when a part of the source could not be asked."""

    stays: tuple[tuple[str, SeenStay], ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Busy time under one calendar UID: all its date ranges (several where the UID stands twice or recurs).

    ``code`` is a reservation code where the feed shows one.
    """

    uid: str
    kind: Busy
    dates: tuple[StayDates, ...]
    code: str = ""
    guest: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """A complete 200 answer of a calendar, read. ``begun`` is when the request began (store time), ``observed`` the
    counter taken before it. ``oddities`` name events that could not be read; they never free a night, since
    ``partial`` answers release nothing."""

    events: tuple[FeedEvent, ...]
    begun: datetime
    observed: int
    oddities: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether something in it could not be read: absence then proves nothing."""
        return bool(self.oddities)


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What the platform's body said about a write: nights it took, nights it refused with the reason."""

    accepted: frozenset[date] = frozenset()
    refused: dict[date, str] = field(default_factory=dict)
