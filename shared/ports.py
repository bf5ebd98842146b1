"""The ports: everything the core asks of the world, as protocols and plain values.

Each port has a real adapter (``shared/adapters``) and a shipped twin in memory (``shared/memory``); one
contract suite runs on both. Time, randomness and sleep are ports too: nothing else may read a clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from shared.domain.dates import StayDates
from shared.domain.facts import FeedEvent, Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Platform, Write

# ---------------------------------------------------------------------------------------------- tables

Value = str | int | float | bool | datetime | bytes
"""What a column may hold. Integers are 64-bit, datetimes are aware and in UTC."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stored row. Keys are *plain* text of any kind; the adapter encodes them reversibly.

    ``etag`` is None for a row that was not read from the store.
    """

    partition: str
    key: str
    values: Mapping[str, Value] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row in a transaction: insert it, or merge it into the stored one (unknown columns survive).

    With ``if_match`` the stored row must still carry that ETag; with ``insert_only`` there must be none.
    """

    row: Row
    if_match: str | None = None
    insert_only: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row in a transaction; with ``if_match`` only while it carries that ETag. A missing row is an error."""

    key: str
    if_match: str | None = None


class Tables(Protocol):
    """Azure Table Storage as the engine sees it: partitions of rows in key order, guarded by ETags.

    Every method raises ``StoreUnavailable`` when the store does not answer in time.
    """

    def now(self) -> datetime:
        """The store's own time (UTC), as its last answers told it: the only time compared across hosts."""
        ...

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        """One row, or None."""
        ...

    async def query(
        self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
    ) -> list[Row]:
        """Rows of one partition with ``start <= key < stop``, in key order, every page of them."""
        ...

    async def insert(self, table: str, row: Row) -> str:
        """Add a row and return its ETag. Raises ``AlreadyExists``."""
        ...

    async def upsert(self, table: str, row: Row) -> str:
        """Add a row, or merge its columns into the stored one; returns the new ETag."""
        ...

    async def update(self, table: str, row: Row, etag: str) -> str:
        """Merge the columns into the stored row while it carries ``etag``. Raises ``StaleWrite``, ``NotFound``."""
        ...

    async def delete(self, table: str, partition: str, key: str, etag: str | None = None) -> None:
        """Remove a row; a missing one is fine without an ETag. Raises ``StaleWrite`` when it changed."""
        ...

    async def submit(self, table: str, partition: str, changes: Sequence[Put | Delete]) -> dict[str, str]:
        """All or nothing in one partition (at most 100 changes, each row once); returns the new ETag by key.

        Raises ``StaleWrite``, ``AlreadyExists`` or ``NotFound`` with nothing written, ``ValueError`` for more
        than 100 changes, a row over 1 MiB or over 252 columns.
        """
        ...

    async def close(self) -> None:
        """Free the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Note:
    """A small shared text of an account, and the ETag it was read under (None: there is none yet)."""

    text: str = ""
    etag: str | None = None


class Notes(Protocol):
    """Small shared texts of an account, by name, under compare-and-swap: what every host must agree on (a circuit, a
    limiter's blocks, a rung of the ladder). Every method raises ``StoreUnavailable``."""

    async def read(self, account: str, name: str) -> Note:
        """The note as it stands; an empty one where none was written."""
        ...

    async def swap(self, account: str, name: str, text: str, etag: str | None) -> Note:
        """Write it while it still carries ``etag`` (None: while there is none). Raises ``StaleWrite``."""
        ...


# ----------------------------------------------------------------------------------------------- queue


@dataclass(frozen=True, slots=True)
class Message:
    """What a queue carries: a kind, a key and a version, never a reservation. ``due`` delays its delivery."""

    kind: str
    key: str
    version: str = ""
    correlation: str = ""
    due: datetime | None = None

    @property
    def message_id(self) -> str:
        """Kind, key and version: never the key alone, or a change within the duplicate window is swallowed."""
        return f"{self.kind}|{self.key}|{self.version}"


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery. ``deliveries`` counts from 1; ``token`` is the transport's own handle on its lock."""

    message: Message
    deliveries: int
    sequence: int
    token: object = None
    reason: str = ""
    raw: bytes = b""


class Bus(Protocol):
    """Azure Service Bus as the engine sees it: queues with duplicate detection, schedules and dead letters."""

    async def send(self, queue: str, messages: Sequence[Message]) -> None:
        """Hand over messages within 1 s, or raise ``BusUnavailable``. A message with ``due`` is scheduled."""
        ...

    async def receive(self, queue: str, most: int, wait: float) -> list[Received]:
        """Up to ``most`` messages, locked for us, waiting at most ``wait`` seconds for the first."""
        ...

    async def complete(self, queue: str, received: Received) -> None:
        """Done with it. Raises ``BusUnavailable`` when the lock was lost."""
        ...

    async def abandon(self, queue: str, received: Received) -> None:
        """Give it back at once; the delivery counts."""
        ...

    async def dead_letters(self, queue: str, most: int) -> list[Received]:
        """Look at dead letters without taking them."""
        ...

    async def replay(self, queue: str, sequence: int) -> bool:
        """Send one dead letter again under a new id and remove it; False when it is gone."""
        ...

    async def close(self) -> None:
        """Free the links."""
        ...


# ------------------------------------------------------------------------------------------------ http


@dataclass(frozen=True, slots=True)
class Request:
    """One outgoing call. ``deadline`` is the total time in seconds, body included; ``most_bytes`` caps the
    decoded body. ``guarded`` sends it through the address guard (feeds from strangers)."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    deadline: float = 10.0
    most_bytes: int = 2 * 1024 * 1024
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer; header names are lower case. A body cut short or over its cap never gets here."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Http(Protocol):
    """The way out. Raises ``PlatformDown`` (no complete answer in time), ``AddressRefused`` (guarded calls),
    ``PayloadRejected`` (body over its cap)."""

    async def send(self, request: Request) -> Response:
        """Make the call; any status is an answer, also 5xx."""
        ...

    async def close(self) -> None:
        """Free the connections."""
        ...


# ------------------------------------------------------------------------------------------- platforms


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook's verifier found. ``refused`` says in a few words why the sender has not proved itself, empty when
    he has; ``unreadable`` what is wrong with a body that is signed and no JSON. ``delivery`` is the id the sender
    signed, the same at each of his tries; empty where nothing signed names it, so that a repeat looks like news."""

    refused: str = ""
    unreadable: str = ""
    delivery: str = ""


class WebhookVerifier(Protocol):
    """Judges the deliveries of one sender that signs them."""

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """Judge one delivery by its raw bytes; header names count in any case. Never raises, whatever was sent."""
        ...


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


# -------------------------------------------------------------------------------------- the small ones

Sleep = Callable[[float], Awaitable[None]]
"""Wait so many seconds; a virtual one in tests."""

Chance = Callable[[], float]
"""A random number in [0, 1)."""

NewId = Callable[[], str]
"""A fresh unguessable id (>= 128 bits, URL-safe)."""


class Secrets(Protocol):
    """Where API keys live: settings or a vault; never the portfolio, never a table."""

    def get(self, name: str) -> str:
        """The secret by its setting's name. Raises ``AuthFailed`` naming the missing setting."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know: ``kind`` names it, ``key`` deduplicates it; ``text`` by language, without a
    guest's name, since a notice travels through strangers' hands.

    ``owner`` is whose homes it is about, where that is known; ``link`` a page where something can be done about it;
    ``id`` names this telling of it, the same at each try: whoever sends it sets it.
    """

    kind: str
    key: str
    severity: str
    text: Mapping[str, str]
    owner: str = ""
    link: str = ""
    id: str = ""


class Notify(Protocol):
    """Tells people. Never raises: a failed notice is counted, not thrown."""

    async def tell(self, notice: Notice) -> None:
        """Deliver, or see to it that it is tried again, or count the failure. Waits for no channel."""
        ...

    async def again(self) -> None:
        """Try once more what no channel took, in a few seconds at most: the health timer asks for it."""
        ...

    async def close(self) -> None:
        """Wait a moment for what is under way, then let go of it; the next process tries what was left."""
        ...


class Channel(Protocol):
    """One way to a person: e-mail, a push service, a webhook."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Deliver within 10 s or so. Raises ``TransientError`` or ``PermanentError``; neither shows an address or a
        secret."""
        ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who takes an owner's notices: an e-mail address, which is personal data and in no log, and a language ("fr",
    "en"; empty: all there are)."""

    address: str = field(repr=False)
    language: str = ""


Recipients = Callable[[str], Awaitable[Sequence[Recipient]]]
"""Who takes the notices of an owner (by the portfolio's id of him); empty where nobody is named. May raise
``StoreUnavailable``."""


class Telemetry(Protocol):
    """Events and numbers for operators. Never raises, never blocks a sync; no guest data, no secrets."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Something happened."""
        ...

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Set a level."""
        ...
