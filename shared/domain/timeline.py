"""Timeline: what a calendar shows of a site's homes over some days: bars in lanes, and how far each channel has them.

Pure, and no rule of its own: who takes which nights is ``occupancies``', what clashes stands in the conflicts, what
vanished is ``removals``', and whether a channel could still sell a night ``exposure``'s. Here they are only laid out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from shared.domain.dates import StayDates, nights_of, ranges_of, without
from shared.domain.exposure import Exposure, exposure, known_closed
from shared.domain.holds import living
from shared.domain.model import Block, Busy, Listing, Phase, Property, SiteState, Source, Status
from shared.domain.occupancy import Occupancy, is_counted, level, occupancies
from shared.domain.plan import needs_none
from shared.domain.platform import Link, Platform
from shared.domain.removals import Removal, removals

MOST_LANES = 4
"""Bars drawn above each other in one home; what does not fit is counted."""


class What(StrEnum):
    """What a bar stands for."""

    STAY = "stay"  # sold
    REQUEST = "request"  # asked for, and to be accepted or declined: it holds its nights
    UNSURE = "unsure"  # sold or closed: its calendar cannot tell
    BLOCK = "block"  # closed by its owner
    BUFFER = "buffer"  # kept free beside a stay
    HOLD = "hold"  # promised to a platform while somebody is paying
    REOPENING = "reopening"  # closed by us, needed no longer, and not known to be open again everywhere


class Step(StrEnum):
    """How far a channel has come with closing a bar's nights, least first."""

    TO_SEND = "to_send"  # decided; nothing left yet
    SENT = "sent"  # sent without an answer, or published and not fetched
    CONFIRMED = "confirmed"  # the platform said yes, or fetched the calendar that holds them
    SEEN = "seen"  # read back from the channel's own calendar
    OWN = "own"  # it is the channel's own sale or block, or it shows the very same stay
    NONE = "none"  # no closure of ours: there is nothing to close, or none was decided yet


_SLOWEST = tuple(Step)


@dataclass(frozen=True, slots=True)
class Reach:
    """One channel and one bar. ``exposed``: it could still sell some of the nights; ``tries``: how often saying so
    failed, with the last ``error``; ``by_hand`` says why nothing is sent there now, empty where it is."""

    listing: str
    platform: Platform
    link: Link
    step: Step
    exposed: bool = False
    tries: int = 0
    error: str = ""
    by_hand: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """Nights of one home that are not free, and why. ``home`` is the home that was sold: another one than the row's
    where the two share rooms. ``key`` names the fact (empty for a hold and a reopening), ``since`` when its source
    first showed it (store time). ``claimed``: a call says so and nothing has confirmed it yet; ``gone`` is set when the
    source no longer shows it and it is still held; ``clashes`` are the ids of open double bookings it is part of.
    ``until`` is when a hold ends. ``linked``: it was read from a calendar link, which tells less than an API."""

    what: What
    dates: StayDates
    home: str
    listing: str
    platform: Platform
    reach: tuple[Reach, ...] = ()
    key: str = ""
    since: datetime | None = None
    guest: str = field(default="", repr=False)
    claimed: bool = False
    gone: Removal | None = None
    clashes: tuple[str, ...] = ()
    until: datetime | None = None
    linked: bool = False

    @property
    def slowest(self) -> Step:
        """The channel that is least far; OWN or NONE where nothing is to be closed."""
        return min((one.step for one in self.reach), key=_SLOWEST.index, default=Step.NONE)

    @property
    def exposed(self) -> bool:
        """Whether any channel could still sell some of its nights."""
        return any(one.exposed for one in self.reach)


@dataclass(frozen=True, slots=True)
class Channel:
    """One listing of a home. ``complete``: it has once given a whole answer."""

    listing: str
    platform: Platform
    link: Link
    complete: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One home over the days asked for. ``lanes`` hold bars that do not overlap, soonest first; ``rest`` are bars that
    found no lane, and ``more`` says how many there are on which nights. ``today`` is the day at the home; ``whole``:
    every stored row could be read."""

    site: str
    home: str
    name: str
    units: int
    today: date
    channels: tuple[Channel, ...]
    lanes: tuple[tuple[Bar, ...], ...]
    rest: tuple[Bar, ...] = ()
    more: tuple[tuple[StayDates, int], ...] = ()
    whole: bool = True

    def bars(self) -> list[Bar]:
        """Every bar, soonest first."""
        return sorted((bar for lane in (*self.lanes, self.rest) for bar in lane), key=_place)


def timeline(
    state: SiteState, window: StayDates, now: datetime, silent: Mapping[str, str] | None = None
) -> tuple[Row, ...]:
    """The homes of a site, by name. ``now`` is store time; ``silent`` are the listings into which nothing is sent now,
    each with the reason."""
    drawer = _Drawer(state, window, now, silent or {})
    homes = sorted(state.site.properties.values(), key=lambda home: (alphabetical(home.name), home.id))
    return tuple(drawer.row(home) for home in homes)


def alphabetical(name: str) -> str:
    """What a name is sorted by: "Gîte" stands between "Gare" and "Grange"."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


class _Drawer:
    """What every row of a site needs, computed once."""

    def __init__(self, state: SiteState, window: StayDates, now: datetime, silent: Mapping[str, str]) -> None:
        self._state, self._window, self._now, self._silent = state, window, now, silent
        self._taken = occupancies(state)
        self._rows = _by_cause(state.blocks.values())
        self._gone = _fading(removals(state, now))
        self._exposed = _by_listing(exposure(state, now))
        self._open = [one for one in state.conflicts.values() if one.ended_at is None]

    def row(self, home: Property) -> Row:
        state = self._state
        mine = sorted(
            (one for one in state.listings.values() if one.property == home.id), key=lambda one: one.id
        )
        lanes, rest = _packed(self._bars(home, mine))
        return Row(
            site=state.site.id,
            home=home.id,
            name=home.name,
            units=min((state.site.rooms.get(room, 1) for room in home.rooms), default=1),
            today=home.today(self._now),
            channels=tuple(Channel(one.id, one.platform, one.link, one.complete) for one in mine),
            lanes=lanes,
            rest=rest,
            more=tuple(_counted(rest, self._window)),
            whole=state.whole,
        )

    def _bars(self, home: Property, mine: Sequence[Listing]) -> list[Bar]:
        """What takes nights first; what is only kept free, or on its way to be free, where nothing else is."""
        there = [
            one for one in self._taken if one.property.rooms & home.rooms and one.dates.overlaps(self._window)
        ]
        bars = [self._taken_by(one, mine) for one in there if one.kind is not Busy.BUFFER]
        bars += self._held(home)
        for one in there:
            if one.kind is Busy.BUFFER:
                bars += list(self._beside(one, mine, [bar.dates for bar in bars]))
        return bars + list(self._reopening(mine, [bar.dates for bar in bars]))

    def _taken_by(self, one: Occupancy, mine: Sequence[Listing]) -> Bar:
        fact = self._state.reservations.get(one.cause)
        return Bar(
            what=_what(one),
            dates=one.dates,
            home=one.property.id,
            listing=one.listing,
            platform=one.platform,
            reach=tuple(self._reach(listing, one) for listing in mine),
            key=one.cause,
            since=one.since,
            guest=fact.guest if fact is not None else "",
            claimed=one.source is Source.HINT,
            gone=self._gone_of(one),
            clashes=self._clashes(one),
            linked=one.source is Source.FEED,
        )

    def _beside(self, one: Occupancy, mine: Sequence[Listing], covered: Sequence[StayDates]) -> Iterator[Bar]:
        for dates in without(one.dates, covered):
            if dates.overlaps(self._window):
                yield self._taken_by(replace(one, dates=dates), mine)

    def _held(self, home: Property) -> Iterator[Bar]:
        for hold in living(self._state, self._now):
            listing = self._state.listings.get(hold.listing)
            if listing is None or not hold.dates.overlaps(self._window):
                continue
            if self._state.site.properties[listing.property].rooms & home.rooms:
                yield Bar(
                    What.HOLD,
                    hold.dates,
                    listing.property,
                    hold.listing,
                    listing.platform,
                    until=hold.expires,
                )

    def _reopening(self, mine: Sequence[Listing], covered: Sequence[StayDates]) -> Iterator[Bar]:
        """Closures of ours that nothing asks for any more, by their nights: the channels still have them."""
        left: dict[StayDates, dict[str, Block]] = {}
        causes = {one.cause for one in self._taken}
        listings = {one.id: one for one in mine}
        for row in self._state.blocks.values():
            if row.listing not in listings or not _lingers(row, causes):
                continue
            for dates in without(row.dates, covered):
                if dates.overlaps(self._window):
                    left.setdefault(dates, {})[row.listing] = row
        for dates, rows in sorted(left.items()):
            reach = tuple(self._told(listings[name], [row], dates) for name, row in sorted(rows.items()))
            first = listings[min(rows)]
            yield Bar(What.REOPENING, dates, first.property, first.id, first.platform, reach)

    def _reach(self, listing: Listing, one: Occupancy) -> Reach:
        if needs_none(listing, one):
            return Reach(listing.id, listing.platform, listing.link, Step.OWN)
        if listing.link is Link.ICAL and self._left(listing, one.dates):
            return Reach(listing.id, listing.platform, listing.link, Step.NONE)
        rows = self._rows.get((listing.id, one.cause), ())
        wanted = [row for row in rows if row.wanted and row.dates.overlaps(one.dates)]
        return self._told(listing, wanted, one.dates)

    def _left(self, listing: Listing, dates: StayDates) -> bool:
        """Whether a home sold by count has units left on all these nights: no calendar of ours closes them then."""
        site = self._state.site
        home = site.properties[listing.property]
        if not is_counted(site, home):
            return False
        there = [one for one in self._taken if one.dates.overlaps(dates)]
        ahead = dates.from_day(home.today(self._now)) or dates
        return all(level(site, home, night, there) > 0 for night in ahead.nights())

    def _told(self, listing: Listing, rows: Sequence[Block], dates: StayDates) -> Reach:
        """The row that is least far speaks for all."""
        if not rows:
            return Reach(listing.id, listing.platform, listing.link, Step.NONE)
        slowest = min(rows, key=lambda row: _SLOWEST.index(step_of(row, listing)))
        step = step_of(slowest, listing)
        return Reach(
            listing.id,
            listing.platform,
            listing.link,
            step,
            exposed=any(one.dates.overlaps(dates) for one in self._exposed.get(listing.id, ())),
            tries=slowest.attempts,
            error=slowest.error,
            by_hand=self._silent.get(listing.id, "") if step in (Step.TO_SEND, Step.SENT) else "",
        )

    def _gone_of(self, one: Occupancy) -> Removal | None:
        if not one.fading:
            return None
        found = self._gone.get((one.cause, one.listing), ())
        return next((gone for gone in found if any(o.overlaps(one.dates) for o in gone.nights)), None)

    def _clashes(self, one: Occupancy) -> tuple[str, ...]:
        return tuple(
            clash.id
            for clash in self._open
            if one.cause in clash.conflicting_bookings
            and any(nights.overlaps(one.dates) for nights in clash.exact)
        )


def step_of(row: Block, listing: Listing) -> Step:
    """How far one closure of ours has come on its listing."""
    if row.phase is Phase.SEEN:
        return Step.SEEN
    if known_closed(row, listing):
        return Step.CONFIRMED
    return Step.TO_SEND if row.phase is Phase.INTENDED else Step.SENT


def _lingers(row: Block, causes: set[str]) -> bool:
    """Whether a closure stands although nothing takes its nights: not known to be open again, or not let go yet."""
    if not row.wanted:
        return row.cleared_at is None
    return row.cause not in causes and row.cause.rpartition("#")[0] not in causes


def _what(one: Occupancy) -> What:
    if one.kind is Busy.STAY:
        return What.REQUEST if one.status is Status.PENDING else What.STAY
    return {Busy.CLOSED: What.UNSURE, Busy.BUFFER: What.BUFFER}.get(one.kind, What.BLOCK)


def _by_cause(blocks: Iterable[Block]) -> Mapping[tuple[str, str], list[Block]]:
    """Rows of the ledger by listing and fact; the units of one stay sold by count are numbered behind its key."""
    found: dict[tuple[str, str], list[Block]] = {}
    for row in blocks:
        for cause in {row.cause, row.cause.rpartition("#")[0]} - {""}:
            found.setdefault((row.listing, cause), []).append(row)
    return found


def _fading(gone: Iterable[Removal]) -> Mapping[tuple[str, str], list[Removal]]:
    found: dict[tuple[str, str], list[Removal]] = {}
    for one in gone:
        found.setdefault((one.key, one.listing), []).append(one)
    return found


def _by_listing(exposures: Iterable[Exposure]) -> Mapping[str, list[Exposure]]:
    found: dict[str, list[Exposure]] = {}
    for one in exposures:
        found.setdefault(one.listing, []).append(one)
    return found


def _place(bar: Bar) -> tuple[StayDates, str, str, str]:
    return bar.dates, bar.what, bar.key, bar.listing


def _packed(bars: Sequence[Bar]) -> tuple[tuple[tuple[Bar, ...], ...], tuple[Bar, ...]]:
    """Each bar in the first lane where it fits, double bookings before all others, so that none is only counted. The
    last lane is left to the counts where there are too many."""
    lanes: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda one: (not one.clashes, _place(one))):
        lane = next((one for one in lanes if not any(bar.dates.overlaps(o.dates) for o in one)), None)
        if lane is None:
            lanes.append(lane := [])
        lane.append(bar)
    shown = len(lanes) if len(lanes) <= MOST_LANES else MOST_LANES - 1
    drawn = tuple(tuple(sorted(lane, key=_place)) for lane in lanes[:shown])
    return drawn, tuple(bar for lane in lanes[shown:] for bar in lane)


def _counted(rest: Sequence[Bar], window: StayDates) -> Iterator[tuple[StayDates, int]]:
    """Neighbouring nights with the same number of bars that found no lane."""
    nights: dict[int, list[date]] = {}
    inside = [one for bar in rest if (one := bar.dates.intersection(window)) is not None]
    for night in sorted(nights_of(inside)):
        count = sum(dates.check_in <= night < dates.check_out for dates in inside)
        nights.setdefault(count, []).append(night)
    yield from sorted((dates, count) for count, those in nights.items() for dates in ranges_of(those))


def for_channel(row: Row, platform: str) -> Row | None:
    """The home as one platform has it: how far that one is with each bar, and nobody else; None where the home is not
    listed there."""
    channels = tuple(one for one in row.channels if one.platform == platform)
    if not channels:
        return None
    lanes = tuple(tuple(_only(bar, platform) for bar in lane) for lane in row.lanes)
    return replace(row, channels=channels, lanes=lanes, rest=tuple(_only(bar, platform) for bar in row.rest))


def _only(bar: Bar, platform: str) -> Bar:
    return replace(bar, reach=tuple(one for one in bar.reach if one.platform == platform))
