"""The words of the field as values: sites, homes, listings, reservations, closures.

All are frozen: the engine loads a site, computes new values, and writes what differs. Instants are aware and
in UTC, by the store's clock; dates are the home's own calendar days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.domain.dates import StayDates
from shared.domain.platform import Link, Platform


class Busy(StrEnum):
    """Why nights are taken, by what the source can tell apart (platforms' habits: see the iCal connector)."""

    STAY = "stay"  # only a sale looks like this
    CLOSED = "closed"  # a stay or a closure: the source cannot tell (Booking.com's and Greengo's feeds)
    BLOCK = "block"  # closed by the owner or an import
    LIMIT = "limit"  # a rule of the platform (notice, horizon) that slides a day every day
    BUFFER = "buffer"  # nights an owner keeps free beside a stay: computed in each plan, told by no source


class Status(StrEnum):
    """Where a reservation stands. PENDING holds its nights like CONFIRMED; CANCELLED is a tombstone."""

    CONFIRMED = "confirmed"
    PENDING = "pending"
    CANCELLED = "cancelled"


class Phase(StrEnum):
    """How far a closure has come. 2xx is not success: the three last are three different facts."""

    INTENDED = "intended"  # decided and committed; nothing left yet
    SENT = "sent"  # the call began (outcome unknown), or it stands in our export
    ACCEPTED = "accepted"  # the platform's body said yes, or the peer fetched an export that holds it
    SEEN = "seen"  # read back from the target's own calendar


class SyncMode(StrEnum):
    """The ladder's rungs, and AUTO which climbs it by itself."""

    AUTO = "auto"
    REAL_TIME = "real_time"
    BATCH = "batch"
    MANUAL = "manual"


class Automatic(StrEnum):
    """What the engine may do by itself about a double booking of a home."""

    OFF = "off"  # nothing: it proposes, a person decides
    SAFE = "safe"  # what can be taken back and touches no guest


@dataclass(frozen=True, slots=True)
class Property:
    """A home that can be sold as a whole. ``rooms`` are what it occupies: two homes that share a room exclude
    each other. ``zone`` is the IANA zone in which its days begin. ``automatic``: what the owner lets the engine do by
    itself about a double booking. ``group`` names homes that can stand in for each other, empty for none. ``turnover``
    is how many nights its owner wants free between two stays."""

    id: str
    name: str
    rooms: frozenset[str]
    zone: str = "Europe/Paris"
    automatic: Automatic = Automatic.OFF
    group: str = ""
    turnover: int = 0

    def today(self, now: datetime) -> date:
        """The home's calendar day at that instant."""
        return now.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True)
class Site:
    """A home, or the connected group of homes that share rooms (at most 50): the unit of storage and locking.

    ``rooms`` gives how many identical units of each room exist (1, but for sales by count).
    """

    id: str
    owner: str
    properties: Mapping[str, Property]
    rooms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Write:
    """One write sent, or about to be sent, into a listing's calendar: the absolute number of units for sale per
    night. Committed before the call; while it stands here its outcome is unknown (rule 2)."""

    fence: int
    deadline: datetime
    levels: Mapping[date, int]

    @property
    def opens(self) -> bool:
        """Whether it puts any night up for sale: then it is tried once, and only while the head stands still."""
        return any(level > 0 for level in self.levels.values())


@dataclass(frozen=True, slots=True)
class FormerLink:
    """An export address that was replaced: the hash of its token, and until when it still opens the calendar, so that
    the peer loses nothing while its owner gives it the new one."""

    token_hash: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A home's face on one platform, with what is known of the traffic to and from it.

    ``unit`` is the platform's own id of it (a listing, a room type). ``complete`` turns True with the first
    complete answer and then stays: before, nothing is opened anywhere on the site (rule 5). ``observed`` is the
    counter of the newest observation merged (rule 6), ``answered`` when that one's request began. ``watched``: a
    removal or a stale echo waits for further answers, so an unchanged one must be merged too. ``token`` is the secret
    of our calendar for it, empty for none and once it was revoked; ``former`` are those it had before. ``bare_since``:
    its calendar is empty since then, although closures of ours had stood there; ``back_since``: the site's version as
    of which it last showed again what had been missing. ``unread_since``: its owner wished that its calendar be read no
    more (store time), until the first whole answer of a link that was given again.
    """

    id: str
    property: str
    platform: Platform
    account: str
    link: Link
    unit: str = ""
    token: str = ""
    shard: str = ""
    agent: str = ""
    complete: bool = False
    observed: int = 0
    answered: datetime | None = None
    watched: bool = False
    writes: tuple[Write, ...] = ()
    former: tuple[FormerLink, ...] = ()
    bare_since: datetime | None = None
    back_since: int = 0
    unread_since: datetime | None = None

    def __repr__(self) -> str:
        return f"Listing({self.id!r}, {self.platform}, {self.link})"


@dataclass(frozen=True, slots=True)
class Part:
    """One room of a reservation on its own dates. ``since`` is when the source first showed it with these dates
    (by the store's clock): an export fetched later cannot have caused it."""

    key: str
    listing: str
    dates: StayDates
    since: datetime


@dataclass(frozen=True, slots=True)
class Fading:
    """Nights a feed no longer shows and that are still held: absent since ``since``, waiting for proof (rule 21).

    ``stay`` are the dates they belonged to: a guest may be in the house although only a later night vanished.
    ``doubtful``: they vanished with so many others that the feed itself is in doubt.
    """

    part: Part
    stay: StayDates
    since: datetime
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one source says is taken: a stay it sold, or busy time of a class it cannot name better.

    The key is account and id; ``aliases`` are further calendar UIDs it was known by. ``version`` is the
    platform's own order of its changes (0 where it has none), ``observed`` the counter taken before we asked:
    together they decide which of two reports is newer (rule 6). ``feed`` names the listing whose calendar it comes
    from, empty for an API. ``hinted`` are rooms a doorbell claimed and no re-read has confirmed yet: closed,
    never opened, on a hint. ``slid`` counts the days on which a block moved in step with the calendar. ``code`` is the
    platform's own name of the stay where a calendar shows one: the same stay may be known by API too. ``forgotten``:
    its guest's name was erased, and stays out whatever its source says of it.
    """

    account: str
    id: str
    kind: Busy
    status: Status
    parts: tuple[Part, ...] = ()
    version: int = 0
    observed: int = 0
    feed: str = ""
    hinted: tuple[Part, ...] = ()
    fading: tuple[Fading, ...] = ()
    aliases: tuple[str, ...] = ()
    guest: str = field(default="", repr=False)
    slid: int = 0
    slid_on: date | None = None
    code: str = ""
    forgotten: bool = False

    @property
    def key(self) -> str:
        """Account and id: unique in a site, stable over moves."""
        return f"{self.account}|{self.id}"

    def held(self) -> tuple[Part, ...]:
        """Every room and night this fact keeps from being sold elsewhere, proven or not."""
        live = () if self.status is Status.CANCELLED else self.parts
        return (*live, *self.hinted, *(fading.part for fading in self.fading))

    @property
    def leaves(self) -> date | None:
        """The last day of departure of anything it holds or held, or None when no dates are known."""
        return max((part.dates.check_out for part in (*self.parts, *self.held())), default=None)


@dataclass(frozen=True, slots=True)
class Hold:
    """Nights a platform's own availability check reserved for 15 min. Never exported, never against the listing
    that placed it (rule 20)."""

    id: str
    listing: str
    dates: StayDates
    expires: datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A row of the ledger: one closure of ours on one listing, for one cause, on these very dates.

    A moved stay is a new row and a released old one, so that an echo of the old dates is still explained
    (rule 4). Not ``wanted``: we are opening these nights again. ``since_version`` and ``gone_version`` are the site
    versions from which our export holds it and no longer holds it (0: not yet). ``taken_at`` is when the peer is
    known to have it (accepted, or fetched), ``cleared_at`` when it is known to have the release; ``imports``
    counts the complete answers read after that. ``fence`` names the write that carries it.

    ``heir_taken`` and ``heir_gap``: a row before this one closed the very same nights, the peer took it then, and it
    was gone from our export as of that version. As long as no version of the gap was fetched, the peer never had
    these nights open in between. ``echo`` is the key of the event in the peer's own calendar that this row explains.
    """

    listing: str
    cause: str
    dates: StayDates
    wanted: bool = True
    phase: Phase = Phase.INTENDED
    fence: int = 0
    since_version: int = 0
    gone_version: int = 0
    created_at: datetime | None = None
    released_at: datetime | None = None
    taken_at: datetime | None = None
    cleared_at: datetime | None = None
    heir_taken: datetime | None = None
    heir_gap: int = 0
    echo: str = ""
    imports: int = 0
    attempts: int = 0
    next_try: datetime | None = None
    error: str = ""

    @property
    def key(self) -> str:
        """The name and the version it began with: nights closed again are a new row, since the old one still
        explains what the peer shows."""
        return f"{self.name}|{self.since_version}"

    @property
    def name(self) -> str:
        """Listing, cause and dates: at most one row of a name is wanted."""
        return f"{self.listing}|{self.cause}|{self.dates}"


@dataclass(frozen=True, slots=True)
class Account:
    """One set of credentials on one platform. ``secrets`` maps a role ("client_id") to the *name* of the setting that
    holds it, never to the secret. ``base_url`` overrides the platform's own host (tests, the sandbox). ``key_ends`` is
    the first day on which its keys are good no more, where somebody said so."""

    id: str
    platform: Platform
    owner: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    key_ends: date | None = None


class ConflictSeverity(StrEnum):
    """How soon somebody must act, worst first."""

    CRITICAL = "critical"  # an arrival within 48 h, or a guest in the house
    HIGH = "high"  # within 14 days
    MEDIUM = "medium"
    LOW = "low"  # far ahead, and one of the two is a request that may still be declined


class ConflictResolution(StrEnum):
    """What the engine proposes; only reversible steps may ever be automatic."""

    DECLINE_PENDING = "decline_pending"
    MOVE_OR_CANCEL_LATER = "move_or_cancel_later"
    ASK_A_PERSON = "ask_a_person"


class Source(StrEnum):
    """How surely a fact is known, surest first."""

    API = "api"  # the platform's API said so when it was asked
    FEED = "feed"  # a calendar shows it
    HINT = "hint"  # a doorbell claims it, and nothing has confirmed it yet


class Certainty(StrEnum):
    """How surely we know which of two facts was there first."""

    SURE = "sure"  # the later one cannot have been sold before we knew of the earlier one
    LIKELY = "likely"  # heard of in this order, and by more than the time its calendar may have been unread
    UNKNOWN = "unknown"  # heard of together, or in one breath


@dataclass(frozen=True, slots=True)
class Side:
    """What one fact showed of itself in a conflict: one room on its nights. It stays as it was when the conflict ended,
    since the fact itself may be gone by then. ``since`` is when its source first showed it with these dates (store
    time); ``fading``: its source no longer shows it, and it is still held. No guest's name is in it."""

    key: str
    listing: str
    platform: Platform
    home: str
    dates: StayDates
    kind: Busy
    status: Status
    since: datetime
    source: Source = Source.API
    fading: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has seen a conflict and takes care of it. It is not a resolution."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody chose to do about a conflict: the id of a proposal, by whom (a person, or "policy"), when (store
    time). ``note`` is theirs: it may name a guest and is never logged."""

    proposal: str
    by: str
    at: datetime
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BookingConflict:
    """Two facts that claim the same unit on the same nights. ``id`` is made of the pair alone: finding it twice is one
    conflict, on however many rooms and nights they meet.

    ``conflict_dates`` reach from the first to the last of these nights, ``nights`` are they exactly.
    ``conflicting_bookings`` are the facts' keys, the one known first in front; ``certainty`` says how surely it was
    first. ``sides`` are what is remembered of them.

    Its life: detected, ``told`` (of its beginning; again of its end), acknowledged, decided; ``ended_at`` is set when
    the facts no longer clash, ``verified_at`` when the platforms' own calendars were seen without the clash since.
    ``alerted_at`` is when its owner was last told that it stands: told again from there while nothing happens.
    """

    id: str
    property_id: str
    conflict_dates: StayDates
    conflicting_bookings: tuple[str, str]
    severity: ConflictSeverity
    suggested_resolution: ConflictResolution
    detected_at: datetime | None = None
    ended_at: datetime | None = None
    told: bool = False
    nights: tuple[StayDates, ...] = ()
    sides: tuple[Side, ...] = ()
    certainty: Certainty = Certainty.UNKNOWN
    acknowledged: Acknowledgement | None = None
    decision: Decision | None = None
    verified_at: datetime | None = None
    alerted_at: datetime | None = None

    @property
    def exact(self) -> tuple[StayDates, ...]:
        """The clashing nights; of a conflict that an older release wrote, its first and last with all between."""
        return self.nights or (self.conflict_dates,)


@dataclass(frozen=True, slots=True)
class Head:
    """The site's lock: its ETag guards every commit. ``fence`` counts writes to platforms; ``write_ids`` are the last
    eight commits (a lost answer is recognised by them); a release older than ``min_reader`` may close, never open."""

    version: int = 0
    fence: int = 0
    write_ids: tuple[str, ...] = ()
    min_reader: int = 1
    moved_to: str = ""
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class SiteState:
    """One site as one partition read gave it. ``whole`` is False when a row could not be read: then nights may be
    closed, none opened (rule 19). ``unread`` counts the facts among such rows."""

    site: Site
    head: Head
    listings: Mapping[str, Listing]
    reservations: Mapping[str, Reservation] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    conflicts: Mapping[str, BookingConflict] = field(default_factory=dict)
    whole: bool = True
    unread: int = 0

    def today(self, listing: str, now: datetime) -> date:
        """The calendar day at a listing's home."""
        return self.site.properties[self.listings[listing].property].today(now)
