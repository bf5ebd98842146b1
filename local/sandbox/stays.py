"""Values of the sandbox's truth: guests (invented), reservations, and what a night of a listing is."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from local.sandbox.config import Platform
from shared.domain.dates import StayDates

Nights = Counter[tuple[str, date]]
"""Rooms asked for, per (listing key, night)."""

LIVE = frozenset({"accept", "pending", "pending_payment", "at_checkpoint"})
"""Status words that hold nights; every other one frees them (Airbnb's words, VERIFIED in public code)."""


class NightState(StrEnum):
    """Why a night can or cannot be booked on a listing, strongest reason first."""

    SOLD = "sold"
    HOST = "host"
    PARTNER = "partner"
    IMPORTED = "imported"
    OUTSIDE = "outside"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Night:
    """What a night is, and by what: reservation ids, block ids, "partner" or the UIDs of imported events."""

    state: NightState
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guest:
    """An invented person. Only surfaces where the real platform shows a name may print one."""

    first: str = field(repr=False)
    last: str = field(repr=False)

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Part:
    """One room of a reservation: its stable key inside it, the listing and the nights."""

    id: str
    listing: str
    dates: StayDates


@dataclass(frozen=True, slots=True)
class Stay:
    """A reservation. Every change makes a new value with a later ``updated_at`` (whole seconds, always growing)."""

    id: str
    platform: Platform
    parts: tuple[Part, ...]
    status: str
    guest: Guest
    created_at: datetime
    updated_at: datetime

    @property
    def live(self) -> bool:
        """Whether it holds its nights."""
        return self.status in LIVE

    @property
    def nights(self) -> Nights:
        """The nights it holds: none once it is over."""
        if not self.live:
            return Counter()
        return Counter((part.listing, night) for part in self.parts for night in part.dates.nights())


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A partner's write that opened a night sold on that very listing: kept, since it is always a mistake."""

    at: datetime
    listing: str
    night: date


_FIRST = ("Alma", "Basile", "Clio", "Desmond", "Elke", "Florian", "Greta", "Hugo", "Iris", "Joris")
_LAST = ("Abricot", "Bruyère", "Coquelicot", "Dune", "Érable", "Fougère", "Genêt", "Houx", "Iris", "Jonc")


def invented_guest(chance: random.Random) -> Guest:
    """A person who does not exist: a first name and the name of a plant."""
    return Guest(chance.choice(_FIRST), chance.choice(_LAST))
