"""The platforms: what a connector does and what guards it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from shared.domain.dates import StayDates
from shared.domain.facts import FeedEvent, Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import Platform


@dataclass(frozen=True, slots=True)
class Notification:
    """What a webhook body claims, which is a hint: ``reread`` names reservations to ask the platform about,
    ``hints`` what to close meanwhile; ``revoked`` that the account (or these units) may no longer be used. ``poll``:
    that a queue has news, of the accounts with a unit that begins so ("*": of any). ``unknown``: words of the
    platform that we do not know, each a task for a person."""

    action: str
    reread: tuple[str, ...] = ()
    hints: tuple[SeenStay, ...] = ()
    revoked: tuple[str, ...] = ()
    poll: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class ApiConnector(Protocol):
    """A platform with an API. Every method may raise ``RateLimited``, ``PlatformDown`` (outcome unknown),
    ``AuthFailed`` or ``PayloadRejected``; none retries by itself."""

    platform: Platform

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """Set the number of units for sale on each night, absolutely. 2xx alone is not success: the body decides,
        night by night; nights it does not name as refused are accepted."""
        ...

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """Read back how many units the platform would sell on each night (0: closed or sold)."""
        ...

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """The reservation's present state, or None when the platform does not know it (yet)."""
        ...

    async def poll(self, account: Account) -> Polled:
        """Everything not yet acknowledged; nothing for a platform that pushes."""
        ...

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """Tell the platform that these are stored for good; returns those it refused (to be polled again)."""
        ...

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """Every stay of a unit with a departure in the future: the full state, for the nightly pass."""
        ...

    def read_notification(self, body: bytes) -> Notification:
        """Read a webhook body. Raises ``PayloadRejected`` naming what is wrong; never shows the body."""
        ...


class Check(StrEnum):
    """What a platform asks before it sells: may these nights be sold, may this reservation be made, may it move."""

    ASK = "ask"
    MAKE = "make"
    ALTER = "alter"


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """One synchronous question. ``dates`` is None for nights nobody can stay (none, or far too many); ``reservation``
    and ``stay`` (what to close until it is re-read) are those of a reservation about to be made or moved. A ``probe``
    asks whether anybody answers, about no listing."""

    kind: Check
    unit: str
    dates: StayDates | None
    reservation: str = ""
    stay: SeenStay | None = None
    probe: bool = False


class CheckWire(Protocol):
    """How a platform asks, and how it wants its answer."""

    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> CheckQuestion | None:
        """The question; None for an address that is none of a check's. Raises ``PayloadRejected``, never showing the
        body."""
        ...

    def reply(self, kind: Check, yes: bool) -> bytes:
        """The body of an answer."""
        ...

    def malformed(self, why: str) -> bytes:
        """The body of the answer to a question nobody can read: it must read as a no."""
        ...


@dataclass(frozen=True, slots=True)
class CircuitView:
    """One circuit as people see it. ``operation`` is "read", "acknowledge" or "write"; ``state`` one of "closed",
    "open", "half_open", "forced_open", "forced_closed"; ``retry_at`` is when the next trial may be made."""

    operation: str
    state: str
    failures: int = 0
    calls: int = 0
    since: datetime | None = None
    retry_at: datetime | None = None


class Circuits(Protocol):
    """The breakers of the API accounts, shared by all hosts; calls pass through them in the guard round a connector."""

    async def views(self, account: str) -> tuple[CircuitView, ...]:
        """Every circuit of an account, as of at most 1 s ago."""
        ...

    def told(self, notes: Mapping[str, str]) -> tuple[CircuitView, ...]:
        """The circuits of an account by its notes, for whoever has read them anyway; those that were never written are
        left out, and so are those nobody can read."""
        ...

    async def try_now(self, account: str, operation: str) -> bool:
        """Let the next trial of an open circuit be made now instead of at its time; whether there was one. Raises
        ``StoreUnavailable``."""
        ...

    async def force(self, account: str, operation: str, state: str) -> None:
        """Move one by hand: "forced_open", "forced_closed", or "closed" to let it judge for itself again. Raises
        ``PayloadRejected`` naming what is unknown."""
        ...


class Budgets(Protocol):
    """What the platforms' own limits leave of calls, kept by all hosts together in the guard round a connector."""

    async def left(self, account: Account) -> Mapping[str, int]:
        """Calls left of each limit by its name ("160/min write"), as of a second ago at most; empty where no limit is
        published. Raises ``StoreUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Validators:
    """What lets a calendar's host answer 304: its own ETag and Last-Modified, as it gave them."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class FeedFetch:
    """One complete answer of a calendar's host. ``digest`` ignores DTSTAMP, which changes at every export; both it and
    the body are empty for a 304 (``unchanged``)."""

    unchanged: bool
    validators: Validators
    digest: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class FeedBusy:
    """A calendar, read: its busy events, and in words what could not be read."""

    events: tuple[FeedEvent, ...]
    oddities: tuple[str, ...] = ()


class FeedConnector(Protocol):
    """Calendar links (iCal) of any platform."""

    async def fetch(self, url: str, validators: Validators) -> FeedFetch:
        """Ask once. Raises ``FeedRefused`` (not a whole calendar), ``AddressRefused``, ``RateLimited``,
        ``PlatformDown``, ``AuthFailed`` (401, 403, 404, 410: the link is dead or wrong)."""
        ...

    def read(self, body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
        """Read a calendar into busy events, nights only. Raises ``FeedRefused`` naming what and where."""
        ...
