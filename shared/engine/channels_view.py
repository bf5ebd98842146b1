"""Channels: how each account and each calendar link of a person's homes stands, as a page shows it.

An account connected by API is one channel. Calendar links have no account of their own to fail: those of one owner on
one platform are a channel of several lines, each with its own import, and the platform's fetches of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import setbacks, strip
from shared.domain.access import Person
from shared.domain.exposure import exposure
from shared.domain.model import Account, Listing, SiteState, SyncMode
from shared.domain.modes import feed_mode, look_period, next_look, survey_period
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import masked
from shared.domain.pulse import Pulse, both_ways, pulse, worst
from shared.domain.reports import RunReport
from shared.domain.spoken import LANGUAGES, PARIS, Said
from shared.engine import look_text
from shared.engine.channel import Channel, ChannelsPage, Line, Open
from shared.engine.homes_seen import states_seen
from shared.engine.modes import Modes
from shared.engine.side_by_side import AT_ONCE
from shared.engine.stamps import Stamp, Stamps
from shared.engine.today_needs import unread
from shared.engine.world import World
from shared.ports.platforms import CircuitView
from shared.state.accounts import AccountState
from shared.state.feeds import Feed, Visit
from shared.state.fetches import Fetches

DAY_AGE = timedelta(seconds=60)
"""How long a process keeps the last day's reports: reading them is the dearest part of the page."""

MOST_REPORTS = 20_000
"""Reports of a day that are looked at, newest first."""

_URGENCY = {Pulse.DOWN: 0, Pulse.UNREAD: 1, Pulse.LATE: 2}
_HELD = ("open", "forced_open")
"""States of a circuit that holds calls back; one whose trial is due waits only for something to send."""

_DAY = timedelta(hours=24)
_LOOKS = ("queue", "observe", "deep")


@dataclass(frozen=True, slots=True)
class _Homes:
    """What the sites of a person hold, by listing."""

    listings: Mapping[str, Listing]
    names: Mapping[str, str]
    sites: Mapping[str, SiteState]
    open: Mapping[str, tuple[Open, ...]]
    zone: str


class Channels:
    """Reads channels."""

    def __init__(self, world: World, modes: Modes, rhythms: Mapping[Platform, float]) -> None:
        """``rhythms`` are the seconds between two polls of the platforms that have a queue."""
        self._world = world
        self._modes = modes
        self._rhythms = rhythms
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._stamps = Stamps(world)
        self._reports: tuple[datetime, list[RunReport]] | None = None

    async def still(self, written: str) -> bool:
        """Whether a page with that stamp shows all that is known: at most one read of the tables."""
        return await self._stamps.still(Stamp.parse(written))

    async def shown(self, person: Person) -> ChannelsPage:
        """Every channel of the homes this person sees. Raises ``StoreUnavailable``."""
        stamp, now = await self._stamps.take(), self._world.now()
        homes, accounts = await self._homes(person, now), await self._accounts(person)
        found = [await self._api(one, homes, person, now) for one in accounts.values() if one.units]
        found += await self._links(accounts, homes, person, now)
        found.sort(key=lambda one: (_URGENCY.get(one.pulse, 3), not one.by_api, one.name, one.account))
        return ChannelsPage(now, tuple(found), homes.zone, stamp, self._world.unreachable)

    # ---------------------------------------------------------------------------------- what there is

    async def _homes(self, person: Person, now: datetime) -> _Homes:
        states = await states_seen(self._world, person)
        listings = {key: one for state in states for key, one in state.listings.items()}
        return _Homes(
            listings,
            {key: _home(state, one) for state in states for key, one in state.listings.items()},
            {key: state for state in states for key in state.listings},
            {key: tuple(found) for state in states for key, found in _open(state, now).items()},
            next((home.zone for state in states for home in state.site.properties.values()), PARIS),
        )

    async def _accounts(self, person: Person) -> dict[str, AccountState]:
        names = list(await self._world.accounts.directory("account"))
        loaded = await asyncio.gather(*(self._account(name) for name in names))
        return {one.account.id: one for one in loaded if one is not None and person.sees(one.account.owner)}

    async def _account(self, name: str) -> AccountState | None:
        async with self._gate:
            return await self._modes.readable(name, fresh=True)

    # ---------------------------------------------------------------------------------------- by API

    async def _api(self, one: AccountState, homes: _Homes, person: Person, now: datetime) -> Channel:
        account, standing = one.account, one.standing
        circuits, budgets = self._world.circuits, self._world.budgets
        mine = [place.listing for place in one.units.values() if place.listing in homes.listings]
        period, wished, due = self._rhythm(one)
        looks = self._looks(one, await self._last_day(now), now)
        held = await circuits.views(account.id) if circuits is not None else ()
        return Channel(
            account=account.id,
            platform=account.platform,
            name=self._name(account.platform),
            by_api=True,
            pulse=_pulse_of(one, wished, held, now),
            mode=standing.mode,
            setting=one.setting,
            reason=setbacks.said(standing.reason),
            trouble=setbacks.said(one.rung.reason if standing.chosen and one.rung.probe_at else ""),
            since=standing.since,
            probe=standing.probe_at,
            imported=one.answered,
            due=due,
            period=period,
            own_rhythm=self._rhythms.get(account.platform, 0.0),
            withdrawn=bool(one.paused),
            homes=tuple(sorted({homes.names[name] for name in mine})),
            unheard=tuple(sorted(homes.names[name] for name in mine if not homes.listings[name].complete)),
            circuits=held,
            budget=dict(await budgets.left(account)) if budgets is not None else {},
            day=strip.of_looks((when, ok) for when, ok, _ in looks).at(now),
            answered_of=(sum(n for _, ok, n in looks if ok), sum(n for _, _, n in looks)),
            lines=(),
            exposed=tuple(found for name in mine for found in homes.open.get(name, ())),
            adjustable=person.decides(account.owner),
        )

    def _rhythm(self, one: AccountState) -> tuple[timedelta, timedelta, datetime | None]:
        """Its period as things are, the one its owner wished (an account that was slowed down because it fails is late
        by that), and when it is asked next (None: at once)."""
        own = self._rhythms.get(one.account.platform)
        quick = own if own is not None else survey_period(one.setting, len(one.units))
        looked = one.polled if own is not None else one.last_look
        batch = 60.0 * one.setting.batch_minutes
        period = quick if one.standing.mode is SyncMode.REAL_TIME else batch
        wished = look_period(one.setting, one.standing, len(one.units), own)
        due = next_look(one.setting, one.standing, looked, quick)
        return timedelta(seconds=period), timedelta(seconds=wished), due

    def _looks(
        self, one: AccountState, reports: Iterable[RunReport], now: datetime
    ) -> list[tuple[datetime, bool, int]]:
        """Each look at the account, and each visit of its sites that called it: when, whether it went well, and how
        many looks stand in the row. An hour's idle looks are reported when it is over: that somebody looked within it
        is known by its last answer."""
        sites = {place.site for place in one.units.values()}
        found = [
            (report.begun, not _failed(report), report.runs) for report in reports if _of(report, one, sites)
        ]
        hour = now.replace(minute=0, second=0, microsecond=0)
        if one.answered is not None and one.answered >= hour and not any(at >= hour for at, _, _ in found):
            found.append((one.answered, True, 1))
        return found

    async def _last_day(self, now: datetime) -> list[RunReport]:
        """The reports of the last 24 h, at most a minute old."""
        if self._reports is not None and timedelta() <= now - self._reports[0] < DAY_AGE:
            return self._reports[1]
        days = [now.date(), (now - _DAY).date()]
        found = [
            report
            for day in days
            for report in await self._world.runs.newest(day, "", MOST_REPORTS)
            if report.begun > now - _DAY
        ]
        self._reports = (now, found)
        return found

    # ------------------------------------------------------------------------------------- by links

    async def _links(
        self, accounts: Mapping[str, AccountState], homes: _Homes, person: Person, now: datetime
    ) -> list[Channel]:
        feeds = await self._feeds(homes)
        fetches = await self._world.fetches.all()
        grouped: dict[str, list[Listing]] = {}
        for one in homes.listings.values():
            if one.link is Link.ICAL:
                grouped.setdefault(one.account, []).append(one)
        return [
            self._link_channel(
                accounts.get(name) or _made_up(listings[0], homes.sites[listings[0].id].site.owner),
                tuple(self._line(one, homes, feeds, fetches, now) for one in listings),
                adjustable=name in accounts and person.decides(accounts[name].account.owner),
            )
            for name, listings in grouped.items()
        ]

    async def _feeds(self, homes: _Homes) -> dict[str, tuple[Feed, Visit]]:
        shards = [
            await self._world.shards.load(name)
            for name in sorted({one.shard for one in homes.listings.values() if one.shard})
        ]
        return {
            name: (feed, shard.visits.get(name, Visit()))
            for shard in shards
            for name, feed in shard.feeds.items()
        }

    def _line(
        self,
        one: Listing,
        homes: _Homes,
        feeds: Mapping[str, tuple[Feed, Visit]],
        fetches: Mapping[str, Fetches],
        now: datetime,
    ) -> Line:
        feed, visit = feeds.get(one.id, (None, Visit()))
        period = timedelta(seconds=feed.every if feed else 0)
        read = fetches.get(one.id, Fetches())
        slow = feed_mode(feed.every, feed.failures, feed.dead, feed.slow)[1] if feed else ""
        is_odd = bool(feed and feed.error and not feed.failures and not feed.dead)
        return Line(
            listing=one.id,
            home=homes.names[one.id],
            link=masked(feed.url) if feed else "",
            pulse=both_ways(
                _pulse_of_link(feed, visit, now), reads_us=unread(homes.sites[one.id], one, read, now) is None
            ),
            imported=visit.good,
            due=visit.due,
            period=period,
            trouble=_trouble(feed, odd=is_odd),
            odd=is_odd,
            slow=setbacks.said(slow),
            day=strip.from_text(visit.day).at(now),
            served=bool(one.token),
            fetches=read,
            exposed=homes.open.get(one.id, ()),
        )

    def _link_channel(self, one: AccountState, lines: Sequence[Line], *, adjustable: bool) -> Channel:
        often = one.setting.wanted in (SyncMode.AUTO, SyncMode.REAL_TIME)
        read = [line for line in lines if line.link]
        return Channel(
            account=one.account.id,
            platform=one.account.platform,
            name=self._name(one.account.platform),
            by_api=False,
            pulse=worst([line.pulse for line in lines]),
            mode=SyncMode.REAL_TIME if often else SyncMode.BATCH,
            setting=one.setting,
            reason=setbacks.said(""),
            trouble=setbacks.said(""),
            since=None,
            probe=None,
            imported=min((line.imported for line in read if line.imported), default=None),
            due=min((line.due for line in read if line.due), default=None),
            period=max((line.period for line in lines), default=timedelta()),
            own_rhythm=0.0,
            withdrawn=False,
            homes=tuple(sorted({line.home for line in lines})),
            unheard=(),
            circuits=(),
            budget={},
            day=(),
            answered_of=(0, 0),
            lines=tuple(sorted(lines, key=lambda line: (line.home, line.listing))),
            exposed=tuple(found for line in lines for found in line.exposed),
            adjustable=adjustable,
        )

    def _name(self, platform: Platform) -> str:
        return self._world.platform_names.get(platform, platform)


def _home(state: SiteState, listing: Listing) -> str:
    home = state.site.properties.get(listing.property)
    return home.name if home is not None else listing.property


def _open(state: SiteState, now: datetime) -> dict[str, list[Open]]:
    found: dict[str, list[Open]] = {}
    for one in exposure(state, now):
        home = state.site.properties[one.home].name
        found.setdefault(one.listing, []).append(Open(home, one.listing, one.dates, one.since, one.sent))
    return found


def _pulse_of(one: AccountState, period: timedelta, circuits: Iterable[CircuitView], now: datetime) -> Pulse:
    standing = one.standing
    gone = bool(one.paused) or (standing.mode is SyncMode.MANUAL and not standing.chosen)
    chosen = standing.mode is SyncMode.MANUAL
    held = any(it.state in _HELD and (it.retry_at is None or it.retry_at > now) for it in circuits)
    slowed = held or (standing.mode is SyncMode.BATCH and not standing.chosen)
    failing = one.rung.failures > 0
    shown = pulse(one.answered, period, now, failing=failing, given_up=gone, paused=chosen)
    return Pulse.LATE if slowed and shown is Pulse.UP else shown  # it answers, yet not what it was asked


def _pulse_of_link(feed: Feed | None, visit: Visit, now: datetime) -> Pulse:
    """A listing that only takes our calendar has nothing to be late with."""
    if feed is None:
        return Pulse.UP
    period = timedelta(seconds=feed.every)
    return pulse(visit.good, period, now, failing=feed.failures > 0, given_up=feed.dead)


def _trouble(feed: Feed | None, *, odd: bool) -> Said:
    """What its last answer lacked: single events that could not be read, or all of it."""
    error = feed.error if feed else ""
    if not odd:
        return setbacks.said(error)
    return {language: look_text.odd(error.partition("; ")[0], language) for language in LANGUAGES}


def _made_up(one: Listing, owner: str) -> AccountState:
    """Links whose account is no row: they are read in the usual rhythm, and nobody can choose another."""
    return AccountState(Account(one.account, one.platform, owner), {})


def _of(report: RunReport, one: AccountState, sites: set[str]) -> bool:
    if report.kind in _LOOKS:
        return report.source == one.account.id
    called = report.figures.sent or report.figures.failed
    return bool(
        report.kind == "site"
        and report.source in sites
        and report.platform == one.account.platform
        and called
    )


def _failed(report: RunReport) -> bool:
    return bool(report.error or report.figures.failed)
