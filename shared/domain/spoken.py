"""Spoken: dates, instants and names of facts in words, French and English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from shared.domain.dates import StayDates
from shared.domain.model import SiteState

Said = dict[str, str]
"""One sentence in each language: "fr", "en"."""

LANGUAGES = ("fr", "en")

PARIS = "Europe/Paris"
"""The zone of a site without homes."""

MOST_RANGES = 8
"""Ranges of nights named in a sentence; the rest are counted."""

_MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_MONTHS_EN = "January February March April May June July August September October November December"
_MONTHS: Mapping[str, Sequence[str]] = {"fr": _MONTHS_FR.split(), "en": _MONTHS_EN.split()}
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,24}")


@dataclass(frozen=True, slots=True)
class Names:
    """What people call things: homes by id, platforms by listing, by account and by their own id; ``zone`` is the IANA
    zone in which times are told."""

    homes: Mapping[str, str] = field(default_factory=dict)
    listings: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    zone: str = PARIS
    platforms: Mapping[str, str] = field(default_factory=dict)

    def cause(self, key: str) -> str:
        """A fact as people may see it: its reservation code and its platform. A calendar's own id may hold anything,
        a guest's name too: of that one only a short mark is told."""
        account, _, name = key.partition("|")
        code = name.partition("#")[0]  # units of one stay are numbered behind it
        shown = code if _PLAIN.fullmatch(code) else f"#{sha256(key.encode()).hexdigest()[:6]}"
        platform = self.accounts.get(account, account)
        return f"{shown} ({platform})" if platform else shown


def names_of(state: SiteState, platforms: Mapping[str, str]) -> Names:
    """The names of one site. ``platforms`` are their proper names by id."""
    listings = state.listings.values()
    homes = {key: home.name for key, home in state.site.properties.items()}
    zone = next((home.zone for _, home in sorted(state.site.properties.items())), PARIS)
    proper = {one.id: platforms.get(one.platform, one.platform) for one in listings}
    return Names(homes, proper, {one.account: proper[one.id] for one in listings}, zone, platforms)


def ranges(dates: Sequence[StayDates], language: str) -> str:
    """Ranges from arrival to departure, soonest first."""
    ordered = sorted(dates)
    written = [span(one, language) for one in ordered[:MOST_RANGES]]
    if len(ordered) > MOST_RANGES:
        written.append(f"+ {len(ordered) - MOST_RANGES}")
    return ", ".join(written)


def span(dates: StayDates, language: str) -> str:
    """From the day of arrival to that of departure: "3–7 août 2027", "30 août – 2 septembre 2027"."""
    first, last = dates.check_in, dates.check_out
    names = _MONTHS[language]
    end = day(last, language)
    if (first.year, first.month) == (last.year, last.month):
        return f"{_number(first.day, language)}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{_number(first.day, language)} {names[first.month - 1]}{year} – {end}"


def day(one: date, language: str) -> str:
    """A calendar day: "1er août 2027", "1 August 2027"."""
    return f"{_number(one.day, language)} {_MONTHS[language][one.month - 1]} {one.year}"


def moment(at: datetime, zone: str, language: str) -> str:
    """An instant by the clock of a zone: "3 août 2027 à 14:05", "3 August 2027, 14:05"."""
    local = at.astimezone(ZoneInfo(zone))
    joint = " à " if language == "fr" else ", "
    return f"{day(local.date(), language)}{joint}{local:%H:%M}"


def nights_said(written: str, language: str) -> str:
    """Ranges as the record writes them ("2027-08-03/2027-08-07 ...") in words; as written where they are none."""
    try:
        return ranges([StayDates.parse(one) for one in written.split()], language)
    except ValueError:
        return written


def _number(number: int, language: str) -> str:
    return "1er" if number == 1 and language == "fr" else str(number)
