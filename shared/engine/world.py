"""The world as one bundle of ports and stores, handed to every use case. Built once by the bootstrap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.dates import StayDates
from shared.domain.errors import TransientError
from shared.domain.modes import Outcome, Rung
from shared.domain.platform import Platform
from shared.domain.targets import Way
from shared.engine.ringing import ring_all
from shared.ports.bus import Bus, Message
from shared.ports.people import Chance, NewId, Notify, Sleep, Telemetry
from shared.ports.platforms import ApiConnector, Budgets, Circuits, FeedConnector
from shared.ports.portfolio import PortfolioText
from shared.ports.stores import Tables
from shared.state.accounts import AccountStore
from shared.state.deliveries import DeliveryStore
from shared.state.due import DueStore
from shared.state.feeds import FeedStore
from shared.state.fetches import FetchStore
from shared.state.inbox import InboxStore
from shared.state.index import ReservationIndex
from shared.state.notes import NoteStore
from shared.state.owners import OwnerStore
from shared.state.reads import ReadStore
from shared.state.runs import RunStore
from shared.state.sites import SiteStore
from shared.state.told import ToldStore

WORK, CONFLICTS = "work", "conflicts"
"""The two queues, by the names the engine uses; ``World.queue_names`` maps them to the configured ones."""


_NEWER = 60.0
"""Seconds until it is looked whether a release that speaks a platform is there."""

Ladder = Callable[[Rung, Outcome], Rung]
"""The rung after one more outcome; the very same object when nothing changed."""


def stay(rung: Rung, outcome: Outcome) -> Rung:
    """A ladder nobody climbs, for worlds that need none."""
    return rung


ConsoleLink = Callable[[Platform, str, StayDates], str]
"""Where the host edits these nights of a platform's unit by hand; empty where no page is known."""


def no_page(platform: Platform, unit: str, dates: StayDates) -> str:
    """No page is known."""
    return ""


Recognise = Callable[[str], Platform]
"""Whose calendar a link is, by its shape."""


def any_calendar(link: str) -> Platform:
    """Nobody's that is known."""
    return Platform("ical")


Pacing = Callable[[str, int, float, float | None], tuple[float, str]]
"""How often one link of a host may be asked: the host's name, how many links we ask there, the wished seconds, in how
many days something could be sold next (None: unknown). Returns seconds, and why it is slower than real time."""


def as_wished(host: str, links: int, wished: float, stake: float | None) -> tuple[float, str]:
    """Every host bears what is wished."""
    return wished, ""


@dataclass(frozen=True, slots=True)
class World:
    """Ports, and the stores over them."""

    tables: Tables
    bus: Bus
    apis: Mapping[Platform, ApiConnector]
    feeds: FeedConnector
    notify: Notify
    telemetry: Telemetry
    sleep: Sleep
    chance: Chance
    new_id: NewId
    agents: Mapping[Platform, tuple[str, ...]] = field(default_factory=dict)
    doorbells: frozenset[Platform] = frozenset()  # have a queue, and call us when it has news
    callers: frozenset[Platform] = frozenset()  # were given an address to call, and are expected to
    queue_names: Mapping[str, str] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    ladder: Ladder = stay
    platform_names: Mapping[str, str] = field(default_factory=dict)
    console_link: ConsoleLink = no_page
    pacing: Pacing = as_wished
    recognise: Recognise = any_calendar
    calendars: tuple[
        Platform, ...
    ] = ()  # platforms that can be connected by a calendar link, in screen order
    circuits: Circuits | None = None
    budgets: Budgets | None = None
    ways: frozenset[Way] = frozenset()  # by which this installation can reach a person
    everywhere: frozenset[str] = frozenset()  # who looks after all homes by the settings' word, in lower case
    portfolio_text: Callable[[], PortfolioText] | None = None  # built when asked for: few invocations need it
    unreachable: bool = (
        False  # our address leads to this very machine: no channel can read a calendar of ours
    )
    host: str = ""  # this machine, as an administrator would look for it
    wall: Callable[[], datetime] | None = (
        None  # its own clock: for comparison with the store's, and for nothing else
    )
    alive: Callable[[], Awaitable[None]] | None = (
        None  # tells a service outside that all is well; raises nothing
    )

    sites: SiteStore = field(init=False)
    due: DueStore = field(init=False)
    shards: FeedStore = field(init=False)
    accounts: AccountStore = field(init=False)
    notes: NoteStore = field(init=False)
    inbox: InboxStore = field(init=False)
    deliveries: DeliveryStore = field(init=False)
    index: ReservationIndex = field(init=False)
    reads: ReadStore = field(init=False)
    fetches: FetchStore = field(init=False)
    runs: RunStore = field(init=False)
    owners: OwnerStore = field(init=False)
    told: ToldStore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sites", SiteStore(self.tables, self.new_id))
        object.__setattr__(self, "due", DueStore(self.tables))
        object.__setattr__(self, "shards", FeedStore(self.tables))
        object.__setattr__(self, "accounts", AccountStore(self.tables, self.base_urls))
        object.__setattr__(self, "notes", NoteStore(self.tables))
        object.__setattr__(self, "inbox", InboxStore(self.tables, self.new_id))
        object.__setattr__(self, "deliveries", DeliveryStore(self.tables))
        object.__setattr__(self, "index", ReservationIndex(self.tables))
        object.__setattr__(self, "reads", ReadStore(self.tables))
        object.__setattr__(self, "fetches", FetchStore(self.tables))
        object.__setattr__(self, "runs", RunStore(self.tables))
        object.__setattr__(self, "owners", OwnerStore(self.tables))
        object.__setattr__(self, "told", ToldStore(self.tables))

    def now(self) -> datetime:
        """Store time: the only one that is compared across hosts (rule 26)."""
        return self.tables.now()

    def api(self, platform: Platform) -> ApiConnector:
        """A platform's connector. Raises ``TransientError`` for a platform that this release does not speak: what it
        told waits for the one that does."""
        connector = self.apis.get(platform)
        if connector is None:
            raise TransientError(f"no connector for {platform} in this release", _NEWER)
        return connector

    async def ring(self, queue: str, message: Message) -> bool:
        """Send a doorbell; False when the bus is down: the sweep does the work then, from the tables (rule 12). Whoever
        answers it does so under the same correlation id as who rang, however much later."""
        return await self.ring_all(queue, [message])

    async def ring_all(self, queue: str, messages: Sequence[Message]) -> bool:
        """Send many at once: all of them, or as far as False is told none that can be relied upon."""
        return await ring_all(self.bus, self.telemetry, self.queue_names.get(queue, queue), messages, queue)
