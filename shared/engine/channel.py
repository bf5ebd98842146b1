"""A channel as a page shows it, as values: a card for an account, or for one owner's links on a platform, by lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.platform import Platform
from shared.domain.pulse import Pulse
from shared.domain.spoken import Said
from shared.domain.strip import Slot
from shared.engine.stamps import Stamp
from shared.ports.platforms import CircuitView
from shared.state.fetches import Fetches


@dataclass(frozen=True, slots=True)
class Open:
    """Nights of a home that a channel could still sell, and since when (None: unknown). ``sent``: the closure is on its
    way, or stands in our calendar."""

    home: str
    listing: str
    dates: StayDates
    since: datetime | None
    sent: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One home's calendar link on a channel. ``link`` is masked, empty where we only publish; ``served``: it has a
    calendar of ours to fetch. ``odd``: its last answer was good but for single events."""

    listing: str
    home: str
    link: str
    pulse: Pulse
    imported: datetime | None
    due: datetime | None
    period: timedelta
    trouble: Said
    odd: bool
    slow: Said
    day: tuple[Slot, ...]
    served: bool
    fetches: Fetches
    exposed: tuple[Open, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One card. ``by_api`` tells the two kinds apart; an API channel has no ``lines``, links have no circuits and no
    budget. ``reason`` is why it stands in ``mode``, ``trouble`` what went wrong at its last try, where that is not the
    same. ``own_rhythm`` are the seconds the platform prescribes, 0 for none. ``answered_of`` counts looks of the last
    24 h: answered, and all. ``adjustable``: its mode can be chosen, by whom it belongs to."""

    account: str
    platform: Platform
    name: str
    by_api: bool
    pulse: Pulse
    mode: SyncMode
    setting: ModeSetting
    reason: Said
    trouble: Said
    since: datetime | None
    probe: datetime | None
    imported: datetime | None
    due: datetime | None
    period: timedelta
    own_rhythm: float
    withdrawn: bool
    homes: tuple[str, ...]
    unheard: tuple[str, ...]
    circuits: tuple[CircuitView, ...]
    budget: Mapping[str, int]
    day: tuple[Slot, ...]
    answered_of: tuple[int, int]
    lines: tuple[Line, ...]
    exposed: tuple[Open, ...]
    adjustable: bool

    @property
    def paused(self) -> bool:
        """Whether a person chose that nothing is sent by itself."""
        return self.setting.wanted is SyncMode.MANUAL

    @property
    def mark(self) -> str:
        """What its forms show, in few letters: while it is the same, a form somebody is filling in can stay."""
        states = [(one.operation, one.state) for one in self.circuits]
        return sha256(repr((self.setting, states)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class ChannelsPage:
    """Every channel of a person at one instant, the ones in need first, then those by API. ``zone`` is that of the
    first home, ``stamp`` says whether there is news since. ``unreachable``: no channel can read a calendar of ours."""

    at: datetime
    channels: tuple[Channel, ...]
    zone: str
    stamp: Stamp
    unreachable: bool
