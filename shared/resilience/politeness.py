"""How often a calendar link may be asked without being a burden to its host. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

SHORTEST, USUAL, LONGEST = 60.0, 120.0, 300.0
"""Seconds between two requests of one link in real time: what may be wished for, and what is taken unsaid."""

HOST_RATE = 120.0
"""Requests a minute we make to one host, all links together, where nothing is known of it. Hosts publish no limit."""

KNOWN_RATES: Mapping[str, float] = {"airbnb": 240.0}
"""Requests a minute by the name a host is known under. REPORTED by a host of several hundred homes: Airbnb turns an
address away at about 300 a minute; a fifth is left to spare for other programs behind the same address."""

_USED = 0.9
"""The share of the rate that plain polling may use: the rest is for doorbells, first looks and repeated requests."""

_NEAR, _FAR = 3.0, 30.0
"""Days: a change this near is asked for at the wished pace, one this far at half of it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two requests of one link. ``reason`` by language says why it is slower than real time allows
    (over 300 s); empty where it is not."""

    seconds: float
    reason: Mapping[str, str]

    @property
    def batch(self) -> bool:
        """Whether the link is too slow to be called real time."""
        return bool(self.reason)


def pace(links: int, *, wished: float = USUAL, stake: float | None = None, rate: float = HOST_RATE) -> Pace:
    """The pace of one of a host's ``links``.

    ``wished`` seconds are held within 60 and 300. ``stake`` is in how many days the next change that matters lies (the
    nearest night that could still be sold twice); the further off, the slower, up to twice the wish and never over
    300 s for that alone; None is unknown and asks as if it were near. ``rate`` is what the host bears, in requests a
    minute; where the links together would pass it, all of them are slowed down alike. Raises ``ValueError`` for a rate
    that is not above 0.
    """
    if not 0 < rate < math.inf:
        raise ValueError(f"a host's rate must be above 0 requests a minute, not {rate:g}")
    wished = min(max(wished, SHORTEST), LONGEST)
    eager = min(wished * _calm(stake), LONGEST)
    least = max(links, 1) * 60.0 / (rate * _USED)
    if least <= LONGEST:
        return Pace(max(eager, least), {})
    return Pace(least, _words(links, least, rate))


def rate_of(host: str) -> float:
    """Requests a minute a host bears, by its name in the link ("www.airbnb.fr")."""
    names = host.lower().split(".")
    return next((rate for known, rate in KNOWN_RATES.items() if known in names), HOST_RATE)


def _calm(stake: float | None) -> float:
    if stake is None or stake <= _NEAR:
        return 1.0
    return 1.0 + min((stake - _NEAR) / (_FAR - _NEAR), 1.0)


def _words(links: int, seconds: float, rate: float) -> Mapping[str, str]:
    minutes = math.ceil(seconds / 60)
    return {
        "fr": f"{links} calendriers chez le même hébergeur, qui supporte {rate:g} demandes par minute\u202f: "
        f"chacun est lu toutes les {minutes} minutes.",
        "en": f"{links} calendars on the same host, which bears {rate:g} requests a minute: "
        f"each is read every {minutes} minutes.",
    }
