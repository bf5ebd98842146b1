"""Personal data: whose name a text holds, and when a guest's name has to go. Pure.

A guest is stored by a short name ("Marie D."), so whoever asks for "Marie Dupont" means that one too. In doubt a name
counts as the person's: a name too many that is erased costs nobody a night.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.errors import PermanentError
from shared.domain.model import BookingConflict, Reservation, SiteState

LEAST_NAME = 2
"""Letters of a name that can be looked for: one letter would be everybody."""

MOST_ASKED = 200
"""Characters of a name or an id that are looked for."""

ERASED = "…"
"""What stands where a name stood in a line of the record."""

_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^>]{0,2000}>")


class NobodyNamed(PermanentError):
    """Neither a name nor a reservation was given, or the name is too short to mean somebody."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Who is looked for: by name, by a reservation's id or code, or by both (then both must hold)."""

    name: str = field(default="", repr=False)
    reservation: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.strip())
        object.__setattr__(self, "reservation", self.reservation.strip())
        if not self.name and not self.reservation:
            raise NobodyNamed("give a name, a reservation's id or code, or both")
        if self.name and len(_folded(self.name).replace(" ", "")) < LEAST_NAME:
            raise NobodyNamed(f"a name of fewer than {LEAST_NAME} letters means everybody")
        if max(len(self.name), len(self.reservation)) > MOST_ASKED:
            raise NobodyNamed(f"a name or an id has at most {MOST_ASKED} characters")

    def is_guest_of(self, one: Reservation) -> bool:
        """Whether a stay is that person's."""
        if self.reservation and not self._is_id_of(one):
            return False
        return not self.name or _is_short_for(one.guest, self.name)

    def is_in(self, text: str) -> bool:
        """Whether a text that somebody wrote names that person: every word of the name, and the id."""
        if self.reservation and self.reservation not in text:
            return False
        return not self.name or _names(text, self.name)

    def is_in_body(self, raw: bytes) -> bool:
        """The same of a message as it came: JSON, XML or any text."""
        return self.is_in("\n".join(_texts(raw)))

    def without(self, text: str) -> str:
        """A line of the record without that person's name."""
        words = set(_words(self.name))
        return _WORD.sub(lambda found: ERASED if _folded(found[0]) in words else found[0], text)

    def _is_id_of(self, one: Reservation) -> bool:
        names = (one.id, one.code, *one.aliases)
        return self.reservation in names or one.id.endswith(f":{self.reservation}")


def forgotten(one: Reservation) -> Reservation:
    """The stay without its guest's name, which stays out. Its nights, its version and all else are what they were."""
    return replace(one, guest="", forgotten=True)


def without_note(one: BookingConflict) -> BookingConflict:
    """The conflict without what somebody wrote beside the decision; the decision stands."""
    return one if one.decision is None else replace(one, decision=replace(one.decision, note=""))


def overdue_names(state: SiteState, now: datetime, days: int) -> tuple[Reservation, ...]:
    """The stays whose guests left more than so many days ago and still have a name here, as they should be stored. One
    that holds no nights here any more (it moved to another home) needs no name either."""
    return tuple(
        forgotten(one)
        for one in state.reservations.values()
        if one.guest and is_name_overdue(state, one, now, days)
    )


def is_name_overdue(state: SiteState, one: Reservation, now: datetime, days: int) -> bool:
    """Whether so many days have passed since a guest's departure, by the calendar of the home."""
    leaves = one.leaves
    if leaves is None:
        return True
    parts = (*one.parts, *one.held())
    listing = next((part.listing for part in parts if part.listing in state.listings), None)
    today = now.date() if listing is None else state.today(listing, now)
    return leaves + timedelta(days=days) < today


def overdue_notes(state: SiteState, now: datetime, days: int) -> tuple[BookingConflict, ...]:
    """The conflicts whose last night is so long ago, and that still have a note, without it."""
    return tuple(
        without_note(one)
        for one in state.conflicts.values()
        if one.decision is not None
        and one.decision.note
        and one.conflict_dates.check_out + timedelta(days=days) < now.date()
    )


# ---------------------------------------------------------------------------------------------- names


def _folded(text: str) -> str:
    """Without accents, in lower case, with single blanks."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(plain.casefold().split())


def _words(text: str) -> list[str]:
    return _WORD.findall(_folded(text))


def _names(text: str, name: str) -> bool:
    wanted = _words(name)
    if not wanted:  # signs alone
        return _folded(name) in _folded(text)
    return set(wanted) <= set(_words(text))


def _is_short_for(guest: str, name: str) -> bool:
    """Whether a stored name can stand for a whole one: one of the two is contained in the other word by word, where a
    single letter stands for a word that begins with it; one word at least is the same."""
    have, wanted = _words(guest), _words(name)
    if not have or not wanted:
        return bool(guest.strip()) and _folded(guest) == _folded(name)
    if not set(have) & set(wanted):
        return False
    short = _initials(guest) | _initials(name)
    return _fits(have, wanted, short) or _fits(wanted, have, short)


def _initials(text: str) -> set[str]:
    """The words of one sign, as they are folded: some signs are two letters then ("Ĳ", "ß", "ﬁ")."""
    alone = (sign for sign in unicodedata.normalize("NFC", text).split() if sign[1:] in ("", "."))
    return {word for word in _words(text) if len(word) == 1}.union(*(_words(sign) for sign in alone))


def _fits(words: Iterable[str], others: Iterable[str], short: Collection[str]) -> bool:
    """Whether each of the words is among the others, a short one as the beginning of one of them or the other way."""
    return all(
        any(
            word == other
            or (word in short and other.startswith(word))
            or (other in short and word.startswith(other))
            for other in others
        )
        for word in words
    )


def _texts(raw: bytes) -> Iterator[str]:
    """What a message says, free of how it is written down: JSON's escapes, XML's entities and tags."""
    text = raw.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield html.unescape(_TAG.sub(" ", text))
        yield html.unescape(text)  # attributes too
        return
    yield from _leaves(value)


def _leaves(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.values(), *one.keys()]
        elif isinstance(one, list):
            waiting += one
        else:
            yield str(one)
