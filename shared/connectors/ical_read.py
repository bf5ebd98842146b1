"""A calendar's bytes to busy nights, by the habits of the platform it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from hashlib import sha256

from shared.connectors.ical_dates import When, end_after, nights_between, read_duration, read_when
from shared.connectors.ical_recur import Expansion, Series, Timed
from shared.connectors.ical_text import RawEvent, Scan
from shared.connectors.ical_words import Words, words_of
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import FeedRefused
from shared.domain.facts import FeedEvent
from shared.domain.model import Busy
from shared.domain.platform import Platform
from shared.ports.platforms import FeedBusy

LONGEST_UID = 100
"""Octets in UTF-8. A longer UID is replaced by its hash: it becomes part of a table key, where an odd character takes
up to eight."""

MOST_NIGHTS = 200_000
"""Nights one calendar may claim in all: a home has some hundred a year, and each night costs the engine time."""

MOST_RANGES = 2_000
"""Date ranges one UID may have: they are stored in one row."""

_LONG = 3660
_MOST_ODDITIES = 20

# Two events under one UID that differ in kind are one fact: the kind that is harder to explain away wins.
_STRENGTH = {Busy.STAY: 3, Busy.CLOSED: 2, Busy.BLOCK: 1, Busy.LIMIT: 0}


def read_calendar(body: bytes, platform: Platform, zone: str, today: date) -> FeedBusy:
    """Read a calendar's answer into busy events; ``zone`` is the home's, ``today`` its calendar day.

    Busy is every VEVENT but those with STATUS:CANCELLED, transparent ones too (hosts' own calendars mark real stays
    so). Nights: ``nights_between``. Events that cannot be read are told in ``oddities`` by number and line, without
    their words, and hold as many nights as can be read. Recurring events count inside a window around today, single
    ones always. Raises ``FeedRefused`` for what is not one or more complete calendars, exceeds a cap, or holds
    events of which not one has a readable date.
    """
    return _Reader(Scan(body), platform, zone, today).read()


@dataclass(slots=True)
class _Gathered:
    """What stands under one UID."""

    words: Words
    dates: set[StayDates] = field(default_factory=set)


class _Reader:
    def __init__(self, scan: Scan, platform: Platform, zone: str, today: date) -> None:
        self._scan, self._platform, self._zone, self._today = scan, platform, zone, today
        self._oddities = list(scan.faults)
        self._found: dict[str, _Gathered] = {}
        self._nights = 0

    def read(self) -> FeedBusy:
        timed = [one for event in self._scan.events if (one := self._timed(event)) is not None]
        if self._scan.events and not timed:
            raise FeedRefused(f"none of its {len(self._scan.events)} events has a date that can be read")
        plain, series = _sorted_out(timed)
        for one in plain:
            if not one.cancelled:
                self._add(one.event, [(one.start, one.end)])
        expansion = Expansion(self._today)
        for recurring in series:
            found, faults = expansion.expand(recurring)
            self._add(recurring.master.event, found)
            for fault in faults:
                self._odd(recurring.master.event, fault)
        return FeedBusy(tuple(_events(self._found)), _shortened(self._oddities))

    def _timed(self, event: RawEvent) -> Timed | None:
        for fault in event.faults:
            self._odd(event, fault)
        start = read_when(*event.values["DTSTART"]) if "DTSTART" in event.values else None
        if start is None:
            missing = "DTSTART" not in event.values and not event.faults
            self._odd(event, "it has no DTSTART" if missing else "its DTSTART cannot be read")
            return None
        return Timed(event, start, self._end(event, start))

    def _end(self, event: RawEvent, start: When) -> When:
        """The later of DTEND and DURATION (a calendar should have one); where both are missing, one day or no time.

        An end that cannot be read, or lies before the start, becomes the start, which makes one night, and is told.
        """
        ends: list[When] = []
        for name in ("DTEND", "DURATION"):
            if name in event.values:
                end = _end_of(name, event.values[name], start)
                if end is None:
                    self._odd(event, f"its {name} cannot be read, one night is held")
                elif _before(end, start):
                    self._odd(event, f"its {name} lies before its start, one night is held")
                else:
                    ends.append(end)
        return max((_like(start, end) for end in ends), key=lambda end: _moment(end.at), default=start)

    def _add(self, event: RawEvent, spans: Iterable[tuple[When, When]]) -> None:
        words = words_of(self._platform, unescaped(event.value("SUMMARY")), event.value("DESCRIPTION"))
        nights: list[StayDates] = []
        for start, end in spans:
            dates = nights_between(start, end, self._zone)
            if dates is None:
                self._odd(event, "it lies at the end of the calendar")
            else:
                nights.append(self._bounded(dates))
        if not nights:
            return
        uid = _uid(event, words.kind, nights)
        gathered = self._found.setdefault(uid, _Gathered(words))
        if _STRENGTH[words.kind] > _STRENGTH[gathered.words.kind]:
            gathered.words = words
        gathered.dates.update(nights)
        if len(gathered.dates) > MOST_RANGES:
            raise FeedRefused(f"event {event.number} has more than {MOST_RANGES} date ranges")
        self._nights += sum(map(len, nights))
        if self._nights > MOST_NIGHTS:
            raise FeedRefused(f"it claims more than {MOST_NIGHTS} nights")

    def _bounded(self, dates: StayDates) -> StayDates:
        """Cut a closure "for ever" (some write the year 9999) to the nine years ahead: January's, so that the cut
        moves once a year only and the dates do not seem to change daily."""
        if len(dates) <= _LONG:
            return dates
        low, high = date(self._today.year - 1, 1, 1), date(self._today.year + 9, 1, 1)
        return dates.intersection(StayDates(low, high)) or StayDates.of_nights(dates.check_in, 1)

    def _odd(self, event: RawEvent, why: str) -> None:
        # The line is looked up only for the first ones: each look-up walks the whole text.
        line = f" (line {self._scan.where(event.line)})" if len(self._oddities) < _MOST_ODDITIES else ""
        self._oddities.append(f"event {event.number}{line}: {why}")


def _end_of(name: str, found: tuple[str, str], start: When) -> When | None:
    if name == "DTEND":
        return read_when(*found)
    length = read_duration(found[1])
    if length is not None and not isinstance(start.at, datetime):
        # A day plus 36 hours ends on the second day after: part of a night is a night.
        length = -(-length // ONE_DAY) * ONE_DAY
    return None if length is None else end_after(start, length)


def _like(start: When, end: When) -> When:
    """The end in the start's form: a day after a day, a moment after a moment."""
    if isinstance(start.at, datetime):
        return end if isinstance(end.at, datetime) else When(datetime.combine(end.at, time()), start.clock)
    return When(end.day)


def _before(end: When, start: When) -> bool:
    same = end.clock == start.clock and isinstance(end.at, datetime) and isinstance(start.at, datetime)
    return end.at < start.at if same else end.day < start.day


def _moment(at: date | datetime) -> datetime:
    return at if isinstance(at, datetime) else datetime.combine(at, time())


def _sorted_out(timed: Sequence[Timed]) -> tuple[list[Timed], list[Series]]:
    """Single events and series. An override whose series is not in the calendar (or is cancelled) stands alone."""
    masters = [one for one in timed if _recurs(one) and not _replaces(one)]
    series_of = {
        one.event.value("UID"): one for one in masters if not one.cancelled and one.event.value("UID")
    }
    plain: list[Timed] = []
    overrides: dict[int, list[Timed]] = defaultdict(list)
    for one in timed:
        if _replaces(one) and one.event.value("UID") in series_of:
            overrides[series_of[one.event.value("UID")].event.number].append(one)
        elif _replaces(one) or not _recurs(one):
            plain.append(one)
    return plain, [Series(one, tuple(overrides[one.event.number])) for one in masters if not one.cancelled]


def _recurs(timed: Timed) -> bool:
    return any(name != "EXDATE" for name, _, _ in timed.event.rules)


def _replaces(timed: Timed) -> bool:
    return "RECURRENCE-ID" in timed.event.values


def _uid(event: RawEvent, kind: Busy, nights: Sequence[StayDates]) -> str:
    uid = unescaped(event.value("UID"))
    if not uid.strip():
        content = " ".join([kind, *map(str, sorted(nights))])
        return f"content-{sha256(content.encode()).hexdigest()[:40]}"
    octets = uid.encode("utf-8", "surrogatepass")
    return uid if len(octets) <= LONGEST_UID else f"sha256-{sha256(octets).hexdigest()[:48]}"


def unescaped(text: str) -> str:
    """TEXT of RFC 5545 section 3.3.11 without its backslashes."""
    if "\\" not in text:
        return text
    pieces = text.split("\\\\")
    for old, new in (("\\n", "\n"), ("\\N", "\n"), ("\\,", ","), ("\\;", ";")):
        pieces = [piece.replace(old, new) for piece in pieces]
    return "\\".join(pieces)


def _events(found: dict[str, _Gathered]) -> Iterable[FeedEvent]:
    for uid, gathered in found.items():
        words = gathered.words
        yield FeedEvent(uid, words.kind, tuple(sorted(gathered.dates)), words.code, words.guest)


def _shortened(oddities: Sequence[str]) -> tuple[str, ...]:
    if len(oddities) <= _MOST_ODDITIES:
        return tuple(oddities)
    return (*oddities[:_MOST_ODDITIES], f"and {len(oddities) - _MOST_ODDITIES} more")
