"""What of a loaded site, of its calendars and accounts needs a person, as values. Nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain import setbacks
from shared.domain.dates import StayDates
from shared.domain.export import is_servable
from shared.domain.exposure import exposure
from shared.domain.model import Busy, Listing, SiteState, SyncMode
from shared.domain.modes import CHOSEN, UNREAD, Standing, look_period
from shared.domain.occupancy import occupancies
from shared.domain.platform import Link, Platform
from shared.domain.pulse import BROKEN, Pulse, pulse
from shared.domain.spoken import Said
from shared.engine.by_hand import UNREACHED, failed_pushes, is_unreached, to_close
from shared.engine.world import ConsoleLink
from shared.state.accounts import AccountState
from shared.state.feeds import Feed, Visit
from shared.state.fetches import Fetches

AHEAD = timedelta(days=14)
"""How far ahead arrivals are named."""


_PAUSED = {"fr": "le canal est en pause, par choix", "en": "the channel is paused, by choice"}


@dataclass(frozen=True, slots=True)
class Where:
    """A home on a platform, by id and name."""

    home: str
    home_name: str
    listing: str
    platform: Platform
    platform_name: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Nights a person should close, why, and the page that does it (empty where none is known)."""

    where: Where
    dates: StayDates
    why: Said
    page: str


@dataclass(frozen=True, slots=True)
class Push:
    """A closure or an opening that did not arrive: since when (None: unknown), after how many tries, why, and when it
    is tried again by itself (None: not)."""

    where: Where
    dates: StayDates
    closes: bool
    since: datetime | None
    attempts: int
    why: Said
    next_try: datetime | None


class Trouble(StrEnum):
    """What may be wrong between a platform and us."""

    WITHDRAWN = "withdrawn"  # the platform refuses our access
    OUT = "out"  # it failed so often that nothing goes out by itself
    DOWN = "down"  # no answer for a day, or its link is refused
    UNFETCHED = "unfetched"  # it has never read our calendar
    FORGOTTEN = "forgotten"  # it has not read our calendar for a day
    SLOW = "slow"  # it failed, and is asked and written to in batches
    LATE = "late"  # beyond period and grace
    NEW = "new"  # no complete answer yet
    CHOSEN = "chosen"  # a person chose that nothing goes out by itself


PRESSING = (
    Trouble.WITHDRAWN,
    Trouble.OUT,
    Trouble.DOWN,
    Trouble.UNFETCHED,
    Trouble.FORGOTTEN,
)
"""Those that do not pass by themselves, the worst first. The others are only said."""


@dataclass(frozen=True, slots=True)
class Source:
    """A calendar or an account in trouble. ``since`` is its last answer, or the peer's last fetch; None for never."""

    kind: Trouble
    where: Where
    since: datetime | None
    why: Said


@dataclass(frozen=True, slots=True)
class Group:
    """The same trouble of one platform for several homes: one thing to see to. ``since`` is the oldest of theirs,
    None where one of them never was."""

    kind: Trouble
    platform: Platform
    platform_name: str
    homes: tuple[str, ...]
    since: datetime | None
    why: Said


def grouped(found: Iterable[Source]) -> list[Group]:
    """Troubles by what they are, the worst first, then by platform; their homes by name."""
    groups: dict[tuple[Trouble, Platform], list[Source]] = {}
    for one in found:
        groups.setdefault((one.kind, one.where.platform), []).append(one)
    every = [_group(one) for one in groups.values()]
    return sorted(every, key=lambda one: (tuple(Trouble).index(one.kind), one.platform_name))


def _group(found: Sequence[Source]) -> Group:
    first, times = found[0], [one.since for one in found]
    known = [at for at in times if at is not None]
    return Group(
        first.kind,
        first.where.platform,
        first.where.platform_name,
        tuple(sorted({one.where.home_name for one in found}, key=str.casefold)),
        min(known) if len(known) == len(times) else None,
        first.why,
    )


@dataclass(frozen=True, slots=True)
class OnItsWay:
    """Nights taken elsewhere that a channel could still sell: the closure is decided since then (None: unknown)."""

    where: Where
    dates: StayDates
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A stay that begins soon. No guest's name."""

    where: Where
    dates: StayDates


def where(state: SiteState, listing: str, names: Mapping[str, str]) -> Where:
    """A listing by its names."""
    one = state.listings[listing]
    home = state.site.properties.get(one.property)
    called = home.name if home else one.property
    return Where(one.property, called, listing, one.platform, names.get(one.platform, one.platform))


def by_hand(
    state: SiteState,
    now: datetime,
    standings: Mapping[str, Standing],
    page: ConsoleLink,
    names: Mapping[str, str],
    fetches: Mapping[str, Fetches] | None = None,
) -> list[ByHand]:
    """Closures a person should make now. ``fetches`` as ``to_close`` takes it."""
    return [
        ByHand(where(state, one.listing, names), one.dates, _why(one.why), one.page)
        for one in to_close(state, now, standings, page, fetches)
    ]


def _why(reason: str) -> Said:
    return _PAUSED if reason == CHOSEN else setbacks.said(reason)


def pushes(state: SiteState, hands: Iterable[ByHand], names: Mapping[str, str]) -> list[Push]:
    """What failed and is tried again, but for what a person is asked to do by hand already."""
    asked = [(one.where.listing, one.dates) for one in hands]
    return [
        Push(
            where(state, one.listing, names),
            one.dates,
            one.closes,
            one.since,
            one.attempts,
            setbacks.said(one.reason),
            one.next_try,
        )
        for one in failed_pushes(state)
        if not (one.closes and any(one.listing == name and one.dates.overlaps(d) for name, d in asked))
    ]


def on_its_way(
    state: SiteState, now: datetime, told: Iterable[ByHand | Push], names: Mapping[str, str]
) -> list[OnItsWay]:
    """What a channel could still sell, but for what is ``told`` already."""
    known = [(one.where.listing, one.dates) for one in told]
    return [
        OnItsWay(where(state, one.listing, names), one.dates, one.since)
        for one in exposure(state, now)
        if not any(one.listing == name and one.dates.overlaps(dates) for name, dates in known)
    ]


def arrivals(state: SiteState, now: datetime, names: Mapping[str, str]) -> list[Arrival]:
    """Stays that begin today or soon, by each home's calendar."""
    found = []
    for one in occupancies(state):
        today = one.property.today(now)
        is_stay = one.kind in (Busy.STAY, Busy.CLOSED) and not one.fading
        if is_stay and one.listing in state.listings and today <= one.dates.check_in <= today + AHEAD:
            found.append(Arrival(where(state, one.listing, names), one.dates))
    return found


# ------------------------------------------------------------------------------- accounts and calendars


def account_trouble(
    one: AccountState | None, place: Where, own_rhythm: float | None, now: datetime
) -> Source | None:
    """What is wrong with an account by API; None is one whose row cannot be read. ``own_rhythm`` are the seconds its
    platform prescribes, None for none."""
    if one is None:
        return Source(Trouble.OUT, place, None, setbacks.said(UNREAD.reason))
    standing = one.standing
    kind = _of_standing(one)
    if kind is None:
        period = timedelta(seconds=look_period(one.setting, standing, len(one.units), own_rhythm))
        kind = _TROUBLES.get(pulse(one.answered, period, now, failing=one.rung.failures > 0))
    if kind is None:
        return None
    return Source(kind, place, one.answered, setbacks.said(standing.reason))


def _of_standing(one: AccountState) -> Trouble | None:
    if one.paused:
        return Trouble.WITHDRAWN
    if one.standing.mode is SyncMode.MANUAL:
        return Trouble.CHOSEN if one.standing.chosen else Trouble.OUT
    return Trouble.SLOW if one.standing.mode is SyncMode.BATCH and not one.standing.chosen else None


_TROUBLES = {Pulse.DOWN: Trouble.DOWN, Pulse.LATE: Trouble.LATE, Pulse.NEW: Trouble.NEW}


def link_troubles(
    state: SiteState,
    feeds: Mapping[str, tuple[Feed, Visit]],
    fetches: Mapping[str, Fetches],
    names: Mapping[str, str],
    now: datetime,
    *,
    unreachable: bool = False,
) -> Iterator[Source]:
    """What is wrong with the calendar links of a site, both ways. ``unreachable``: no channel can read ours."""
    for one in state.listings.values():
        if one.link is Link.ICAL:
            place = where(state, one.id, names)
            yield from _import_trouble(place, feeds.get(one.id), now)
            why = UNREACHED if unreachable and is_unreached(one, fetches) else ""
            yield from _export_trouble(state, one, place, fetches.get(one.id, Fetches()), why, now)


def _import_trouble(place: Where, found: tuple[Feed, Visit] | None, now: datetime) -> Iterator[Source]:
    if found is None:
        return
    feed, visit = found
    period = timedelta(seconds=feed.every)
    kind = _TROUBLES.get(pulse(visit.good, period, now, failing=feed.failures > 0, given_up=feed.dead))
    if kind is not None:
        yield Source(kind, place, visit.good, setbacks.said(feed.error))


def _export_trouble(
    state: SiteState, one: Listing, place: Where, fetches: Fetches, why: str, now: datetime
) -> Iterator[Source]:
    kind = unread(state, one, fetches, now)
    if kind is not None:
        yield Source(kind, place, fetches.peer.at if fetches.peer else None, setbacks.said(why))


def unread(state: SiteState, one: Listing, fetches: Fetches, now: datetime) -> Trouble | None:
    """Whether its peer does not read our calendar, where it has one to read. One that was revoked is nobody's
    business."""
    if not one.token or not is_servable(state):
        return None
    if fetches.peer is None:
        return Trouble.UNFETCHED
    return Trouble.FORGOTTEN if now - fetches.peer.at > BROKEN else None
