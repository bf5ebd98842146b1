"""Calendars: ask links, put what they say into the sites, and only then remember that it was said (rule 9)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from shared.domain import strip
from shared.domain.dates import ONE_DAY, nights_of
from shared.domain.errors import AuthFailed, FeedRefused, RateLimited, SyncError, TransientError
from shared.domain.facts import FeedAnswer
from shared.domain.modes import FEED_FAILURES
from shared.engine import tally
from shared.engine.ingest import Ingest
from shared.engine.world import World
from shared.meter import calling
from shared.ports.people import Notice
from shared.ports.platforms import FeedBusy, Validators
from shared.state.feeds import Feed, Shard, Visit

AT_ONCE = 16
"""Calendars asked side by side in one pass; each host has its own gate besides."""

OVERTAKEN = "a newer answer was merged before this one"

MOST_AHEAD = 2_000
"""Events from today on that one calendar may hold: five years of single nights, and about a second of work."""

LONGEST_BACKOFF = timedelta(minutes=30)

SHORTEST_PERIOD = 60
"""Seconds: the least an owner may choose."""


@dataclass(slots=True)
class PassReport:
    """What one pass over a shard did."""

    shard: str
    asked: int = 0
    unchanged: int = 0
    merged: int = 0
    failed: int = 0
    stored: bool = True
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Outcome:
    visit: Visit
    feed: Feed | None = None
    merged: bool = False
    error: str = ""
    partial: bool = False


class Calendars:
    """Asks calendar links, a shard of them at a time, or one."""

    def __init__(self, world: World, ingest: Ingest) -> None:
        self._world = world
        self._ingest = ingest
        self._hosts: dict[str, Counter[str]] = {}

    async def shard(
        self, shard_id: str, *, force: bool = False, only: frozenset[str] | None = None
    ) -> PassReport:
        """Ask every calendar of a shard that is due (with ``force``: all), in one read and one write of the shard;
        with ``only`` none but those of these listings."""
        shard = await self._load(shard_id)
        now = self._world.now()
        due = [
            feed
            for feed in shard.feeds.values()
            if force or (visit := shard.visits.get(feed.listing)) is None or not visit.due or visit.due <= now
            if only is None or feed.listing in only
        ]
        report = PassReport(shard_id, asked=len(due))
        if not due:
            return report
        gate = asyncio.Semaphore(AT_ONCE)
        visiting = (self._visit(gate, shard, feed) for feed in due)
        outcomes = await asyncio.gather(*visiting, return_exceptions=True)
        visits, changed, faults = {}, [], []
        for feed, outcome in zip(due, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                visits[feed.listing] = self._broken(shard, feed, outcome)
                faults.append(outcome)
                continue
            visits[feed.listing] = outcome.visit
            if outcome.feed is not None and outcome.feed != feed:
                changed.append(outcome.feed)
            report.merged += outcome.merged
            report.failed += bool(outcome.error)
            if outcome.error:
                report.errors[feed.listing] = outcome.error
        report.unchanged = report.asked - report.merged - report.failed - len(faults)
        report.stored = await self._world.shards.finish(shard, visits, changed)
        if faults:
            raise faults[0]
        return report

    def _broken(self, shard: Shard, feed: Feed, fault: BaseException) -> Visit:
        """A fault of our own in one calendar costs the others nothing: it comes back when it is due again. Raises it
        when it says that we are being stopped: then nothing is put down."""
        if not isinstance(fault, Exception):
            raise fault
        self._world.telemetry.event("feed_broke", listing=feed.listing, kind=type(fault).__name__)
        before = shard.visits.get(feed.listing, Visit())
        return replace(before, due=self._next(feed).due, day=self._marked(before, ok=False))

    async def one(self, shard_id: str, listing: str) -> bool:
        """Ask one calendar now; whether an answer, asked for after this call, is in (also an unchanged one)."""
        outcome = await self._alone(shard_id, listing)
        return outcome is not None and not outcome.error

    async def look(self, shard_id: str, listing: str) -> bool:
        """Ask one calendar now, to know all that stands in it: no event of the answer may be unreadable."""
        outcome = await self._alone(shard_id, listing, whole=True)
        return outcome is not None and not outcome.error and not outcome.partial

    async def _alone(self, shard_id: str, listing: str, *, whole: bool = False) -> _Outcome | None:
        """What came of asking one calendar, None when nothing of it could be stored. A pass over the shard that goes on
        at the same time may overtake it: then it is asked again."""
        for _ in range(4):
            shard = await self._load(shard_id)
            feed = shard.feeds.get(listing)
            if feed is None:
                return None
            outcome = await self._visit(asyncio.Semaphore(1), shard, feed, whole=whole)
            if outcome.error == OVERTAKEN:
                # A pass may have died after its merge: the counter must move on, or it is overtaken for ever.
                await self._world.shards.finish(shard, {}, [])
                continue
            changed = [outcome.feed] if outcome.feed is not None and outcome.feed != feed else []
            stored = await self._world.shards.finish(shard, {listing: outcome.visit}, changed)
            if stored or outcome.error:
                return outcome
        return None

    async def _load(self, shard_id: str) -> Shard:
        """A shard, its links counted by host: what a host has to bear is what all of them together ask."""
        shard = await self._world.shards.load(shard_id)
        self._hosts[shard_id] = Counter(_host(feed.url) for feed in shard.feeds.values())
        return shard

    async def _visit(
        self, gate: asyncio.Semaphore, shard: Shard, feed: Feed, *, whole: bool = False
    ) -> _Outcome:
        """Ask one calendar, and note in its day how that ended. With ``whole`` one equal to the last is read where
        that one may have been partial."""
        before = shard.visits.get(feed.listing, Visit())
        outcome = await self._ask(gate, shard, feed, before, anew=whole and bool(feed.error))
        if outcome.error == OVERTAKEN:
            return outcome
        day = self._marked(before, ok=not outcome.error)
        return replace(outcome, visit=replace(outcome.visit, day=day))

    def _marked(self, before: Visit, *, ok: bool) -> str:
        return strip.marked(before.day, self._world.now(), ok=ok)

    async def _ask(
        self, gate: asyncio.Semaphore, shard: Shard, feed: Feed, before: Visit, *, anew: bool
    ) -> _Outcome:
        async with gate:
            begun = self._world.now()
            try:
                look = anew or feed.watched or _is_new_day(before.good, begun)
                with calling(feed.platform, feed.listing, "fetch"):
                    validators = Validators() if look else feed.validators
                    fetched = await self._world.feeds.fetch(feed.url, validators)
                same = fetched.unchanged or fetched.digest == feed.digest
                tally.calendar(feed.platform, feed.listing, unchanged=same)
                if fetched.unchanged or (same and not look):
                    return await self._unchanged(feed)
                busy = self._world.feeds.read(fetched.body, feed.platform, feed.zone, begun.date())
                _check_size(busy, begun.date())
                answer = FeedAnswer(busy.events, begun, shard.counter, busy.oddities)
                if feed.digest and feed.digest != fetched.digest:
                    await self._world.shards.forget(shard.id, feed.listing)
                watched = await self._ingest.feed(feed.site, feed.listing, answer, f"feed {feed.listing}")
                if watched is None:
                    return _Outcome(before, error=OVERTAKEN)
            except SyncError as wrong:
                return await self._failed(feed, before, wrong)
        await self._tell_back(feed)
        done = replace(
            feed,
            digest=fetched.digest,
            validators=fetched.validators,
            watched=watched,
            error="; ".join(busy.oddities[:3]),
            failures=0,
            dead=False,
            free_from=str(_free_from(busy, begun.date())),
        )
        done = self._paced(done)
        return _Outcome(self._next(done), done, merged=True, partial=bool(busy.oddities))

    async def _unchanged(self, feed: Feed) -> _Outcome:
        """The calendar says what it said before. After an error the hash is forgotten: another pass may have merged
        something newer meanwhile, and what it said may have been partial."""
        paced = self._paced(feed)
        if not feed.error:
            return _Outcome(self._next(paced), paced)
        await self._tell_back(feed)
        healed = replace(paced, digest="", validators=Validators(), error="", failures=0, dead=False)
        return _Outcome(self._next(healed), healed, partial=True)

    def _paced(self, feed: Feed) -> Feed:
        """The feed with the pace its host bears and its own stake asks for. A period under a minute is for tests and
        trials: it is taken as it is."""
        if feed.period < SHORTEST_PERIOD:
            return feed
        host = _host(feed.url)
        links = sum(hosts[host] for hosts in self._hosts.values())
        stake = None
        if feed.free_from:
            stake = float((date.fromisoformat(feed.free_from) - self._world.now().date()).days)
        seconds, why = self._world.pacing(host, links, float(feed.period), stake)
        return replace(feed, pace=round(seconds) if seconds > feed.period else 0, slow=why)

    def _next(self, feed: Feed) -> Visit:
        now = self._world.now()
        jitter = timedelta(seconds=feed.every * 0.1 * self._world.chance())
        return Visit(good=now, due=now + timedelta(seconds=feed.every) - jitter)

    async def _failed(self, feed: Feed, before: Visit, wrong: SyncError) -> _Outcome:
        """Keep every closure; ask again later, as late as the host wants. 429 is budget, not failure."""
        now = self._world.now()
        failures = feed.failures if isinstance(wrong, RateLimited) else feed.failures + 1
        pause = min(timedelta(seconds=feed.every) * (1 << min(failures, 8)), LONGEST_BACKOFF)
        if isinstance(wrong, TransientError) and wrong.retry_after:
            pause = max(timedelta(seconds=wrong.retry_after), timedelta(seconds=feed.every))
        dead = isinstance(wrong, AuthFailed)
        if dead and not feed.dead:
            await self._tell_dead_link(feed)
        elif failures == FEED_FAILURES > feed.failures and not feed.dead:
            await self._tell_silent(feed, str(wrong))
        tally.declined(feed.platform, feed.listing, wrong)
        self._world.telemetry.count("feed_failed", platform=feed.platform, kind=type(wrong).__name__)
        changed = replace(feed, error=str(wrong), failures=failures, dead=feed.dead or dead)
        return _Outcome(replace(before, due=now + pause), changed, error=str(wrong))

    async def _tell_dead_link(self, feed: Feed) -> None:
        text = {
            "fr": f"Le lien de calendrier de {feed.listing} est refusé\u202f: redonnez-le. Rien n’est rouvert.",
            "en": f"The calendar link of {feed.listing} is refused: give a new one. Nothing is reopened.",
        }
        await self._world.notify.tell(
            Notice("dead_link", feed.listing, "high", text, await self._owner(feed))
        )

    async def _owner(self, feed: Feed) -> str:
        """Whose home it is; nobody's where the site cannot be read now."""
        try:
            return (await self._world.sites.load(feed.site)).site.owner
        except SyncError:
            return ""

    async def _tell_silent(self, feed: Feed, why: str) -> None:
        """Down a step, told once: from now on it is asked in its pauses only."""
        text = {
            "fr": f"{feed.listing}\u202f: {FEED_FAILURES} échecs de suite ({why}). Lu plus "
            "rarement\u202f; rien n’est rouvert.",
            "en": f"{feed.listing}: {FEED_FAILURES} failures in a row ({why}). Read less often; nothing is reopened.",
        }
        await self._world.notify.tell(
            Notice("mode_changed", f"{feed.listing} batch", "high", text, await self._owner(feed))
        )

    async def _tell_back(self, feed: Feed) -> None:
        """Up again, told once."""
        if not feed.dead and feed.failures < FEED_FAILURES:
            return
        text = {"fr": f"{feed.listing} répond de nouveau.", "en": f"{feed.listing} answers again."}
        await self._world.notify.tell(
            Notice("mode_changed", f"{feed.listing} back", "info", text, await self._owner(feed))
        )


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _free_from(busy: FeedBusy, today: date) -> date:
    """The first night from today on that the calendar leaves free: what could be sold next."""
    taken = nights_of(dates for event in busy.events for dates in event.dates if dates.check_out > today)
    night = today
    while night in taken:
        night += ONE_DAY
    return night


def _is_new_day(good: datetime | None, begun: datetime) -> bool:
    """Whether a calendar's last answer is of another day: once a day an equal one is read too, for what an answer says
    depends on the day (a rule of the platform that stopped sliding looks exactly like yesterday)."""
    return good is None or good.date() != begun.date()


def _check_size(busy: FeedBusy, today: date) -> None:
    """Raises ``FeedRefused`` for more than a home can have: the plan's cost grows with the square of it."""
    ahead = sum(1 for event in busy.events if any(dates.check_out > today for dates in event.dates))
    if ahead > MOST_AHEAD:
        raise FeedRefused(f"it holds {ahead} events from today on, at most {MOST_AHEAD} are taken")
