"""What is found of one person, as values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.dates import StayDates
from shared.domain.model import Reservation, SiteState

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay: where, when, sold by whom, and what is kept of its guest. ``departed``: it is over and filed."""

    site: str
    homes: tuple[str, ...]
    platform: str
    account: str
    reservation: str
    code: str
    nights: tuple[StayDates, ...]
    status: str
    guest: str = field(repr=False)
    departed: bool = False
    forgotten: bool = False

    @property
    def number(self) -> str:
        """What the platform calls the stay, where it may be shown: a calendar's own identifier may hold anything."""
        return self.code or (self.reservation if _PLAIN.fullmatch(self.reservation) else "")


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote beside a decision on a double booking."""

    site: str
    conflict: str
    home: str
    text: str = field(repr=False)
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the record: about one of the stays, or with the name itself in it (``named``)."""

    site: str
    version: int
    words: Mapping[str, str] = field(repr=False)
    named: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A message as it came. ``waits``: it may still be worked off, and is not taken away."""

    id: str
    source: str
    raw: bytes = field(repr=False)
    at: datetime | None
    reason: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Everything found. ``unread`` are sites that could not be looked through now; ``everywhere``: what belongs to no
    owner was looked through too."""

    stays: tuple[Stay, ...] = ()
    notes: tuple[Note, ...] = ()
    lines: tuple[Line, ...] = ()
    bodies: tuple[Body, ...] = ()
    unread: tuple[str, ...] = ()
    everywhere: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing was found, and everything was looked through."""
        return not any((self.stays, self.notes, self.lines, self.bodies, self.unread))

    @classmethod
    def joined(cls, some: Iterable[Found]) -> Found:
        """Several as one, in their order."""
        parts = list(some)
        return cls(
            tuple(stay for one in parts for stay in one.stays),
            tuple(note for one in parts for note in one.notes),
            tuple(line for one in parts for line in one.lines),
            tuple(body for one in parts for body in one.bodies),
            tuple(site for one in parts for site in one.unread),
            any(one.everywhere for one in parts),
        )

    def named(self) -> Found:
        """What of it still says a name: what an erasure left."""
        return replace(
            self,
            stays=tuple(one for one in self.stays if one.guest),
            lines=tuple(one for one in self.lines if one.named),
        )


def stay_of(state: SiteState, one: Reservation, names: Mapping[str, str], *, departed: bool = False) -> Stay:
    """A reservation as a person knows it."""
    parts = (*one.parts, *one.held())
    listings = [state.listings[part.listing] for part in parts if part.listing in state.listings]
    homes = dict.fromkeys(state.site.properties[listing.property].name for listing in listings)
    platform = listings[0].platform if listings else ""
    return Stay(
        state.site.id,
        tuple(homes),
        names.get(platform, platform),
        one.account,
        one.id,
        one.code,
        tuple(sorted({part.dates for part in parts})),
        one.status.value,
        one.guest,
        departed,
        one.forgotten,
    )
