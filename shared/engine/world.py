"""The world as one bundle of ports and stores, handed to every use case. Built once by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.correlation import current
from shared.domain.dates import StayDates
from shared.domain.errors import BusUnavailable
from shared.domain.model import Platform
from shared.domain.modes import Outcome, Rung
from shared.ports import (
    ApiConnector,
    Bus,
    Chance,
    FeedConnector,
    Message,
    NewId,
    Notify,
    Sleep,
    Tables,
    Telemetry,
)
from shared.state.accounts import AccountStore
from shared.state.due import DueStore
from shared.state.feeds import FeedStore
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
    queue_names: Mapping[str, str] = field(default_factory=dict)
    base_urls: Mapping[str, str] = field(default_factory=dict)
    ladder: Ladder = stay
    platform_names: Mapping[str, str] = field(default_factory=dict)
    console_link: ConsoleLink = no_page

    sites: SiteStore = field(init=False)
    due: DueStore = field(init=False)
    shards: FeedStore = field(init=False)
    accounts: AccountStore = field(init=False)
    notes: NoteStore = field(init=False)
    inbox: InboxStore = field(init=False)
    index: ReservationIndex = field(init=False)
    reads: ReadStore = field(init=False)
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
        object.__setattr__(self, "index", ReservationIndex(self.tables))
        object.__setattr__(self, "reads", ReadStore(self.tables))
        object.__setattr__(self, "runs", RunStore(self.tables))
        object.__setattr__(self, "owners", OwnerStore(self.tables))
        object.__setattr__(self, "told", ToldStore(self.tables))

    def now(self) -> datetime:
        """Store time: the only one that is compared across hosts (rule 26)."""
        return self.tables.now()

    async def ring(self, queue: str, message: Message) -> bool:
        """Send a doorbell; False when the bus is down: the sweep does the work then, from the tables (rule 12). Whoever
        answers it does so under the same correlation id as who rang, however much later."""
        if not message.correlation:
            message = replace(message, correlation=current())
        try:
            await self.bus.send(self.queue_names.get(queue, queue), [message])
        except BusUnavailable:
            self.telemetry.count("bus_unavailable", queue=queue)
            return False
        return True
