"""Reconcile: the one path every doorbell leads to, on one site.

    load -> merge facts -> plan (pure) -> commit facts and intent -> apply -> commit what was confirmed

A crash between any two steps loses nothing: facts and intents stand in the partition, and the due row brings
somebody back to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from shared.domain import changes, record
from shared.domain.confirm import Result, absorb_reads, confirm
from shared.domain.conflict_end import awaited, with_verified
from shared.domain.doubt import is_doubted
from shared.domain.errors import StaleWrite
from shared.domain.holds import without_expired
from shared.domain.model import Listing, Phase, SiteState, Write
from shared.domain.plan import Plan, plan
from shared.domain.platform import Link, Platform
from shared.domain.story import PERSON
from shared.engine import tally, tidings
from shared.engine.calls import Calls
from shared.engine.conflict_bell import ConflictBell
from shared.engine.modes import Modes
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.state.accounts import AccountState
from shared.state.due import Work
from shared.state.history import Mark
from shared.state.sites import Changes

Merge = Callable[[SiteState], SiteState]
"""Puts facts into a loaded site: pure, so that it can be done again on a fresher one."""

TRIES = 8
"""How often a commit is decided anew when others were first."""

ROUNDS = 3
"""How often one reconcile looks again for work its own confirmations made possible."""

NEVER = datetime.min.replace(tzinfo=UTC)
"""When an account was polled that never was: before anything that would wait for a poll."""

READ_BACK = timedelta(seconds=60)
"""How long after a closure was accepted its platform's calendar is read, to see it there."""


@dataclass(slots=True)
class Report:
    """What one reconcile did, for logs, the run's report and tests. Times are store times."""

    site: str
    reason: str
    asked: frozenset[str] = frozenset()
    version: int = 0
    merged: int = 0
    sent: int = 0
    accepted: int = 0
    closed: bool = False
    failed: int = 0
    conflicts: int = 0
    waiting: tuple[str, ...] = ()
    watched: frozenset[str] = frozenset()
    errors: list[str] = field(default_factory=list)
    news: tidings.News = field(default_factory=tidings.News)
    nights: dict[tally.Told, set[date]] = field(default_factory=dict)


class Reconciler:
    """Reconciles sites of one world."""

    def __init__(
        self, world: World, queues: frozenset[Platform] = frozenset(), modes: Modes | None = None
    ) -> None:
        """``queues`` are the platforms whose reservations are polled: nothing opens there before a poll was stored."""
        self._world = world
        self.queues = queues
        self.modes = modes or Modes(world)
        self.bell = ConflictBell(world)
        self._calls = Calls(world, self.modes)

    async def reconcile(
        self,
        site: str,
        reason: str,
        merges: Sequence[Merge] = (),
        work: Work | None = None,
        *,
        asked: Collection[str] = (),
    ) -> Report:
        """Bring one site up to date. ``merges`` put facts in; ``work`` is the due row read before, if that is what
        brought us; ``asked`` are platforms to which a person wants it sent, also into accounts that stand in MANUAL.
        Raises ``StaleWrite`` when others keep being first, ``StoreUnavailable``, ``NotFound``."""
        report = Report(site, reason, frozenset(asked))
        report.news.stays += work.tell if work else ()
        etag = work.etag if work else ""
        for _ in range(ROUNDS):
            state, decided, etag = await self._decide(site, merges, report, etag)
            merges = ()
            # A plan that changes nothing is also the plan of what was stored with it.
            ahead = None if decided.changes else decided
            if not decided.writes:
                break
            results = await self._calls.make(state, decided)
            state = await self._confirm(state, results, report)
            ahead = await self._look_ahead(state, report.asked)
            if not ahead.writes:
                break
        await self._leave(state, ahead, etag, report)
        self._log(report)
        return report

    def _log(self, report: Report) -> None:
        """One line for what happened to a site; none when nothing did."""
        if report.merged or report.sent or report.conflicts:
            self._world.telemetry.event(
                "reconciled",
                site=report.site,
                reason=PERSON.strip()
                if report.reason.startswith(PERSON)
                else report.reason,  # a name is no log's
                version=report.version,
                changed=report.merged,
                sent=report.sent,
                accepted=report.accepted,
                failed=report.failed,
                conflicts=report.conflicts,
            )
        result = "failed" if report.failed else "done"
        tally.completed(report.site, report.nights, self._world.telemetry, result)

    # ---------------------------------------------------------------------------- decide and commit

    async def _decide(
        self, site: str, merges: Sequence[Merge], report: Report, etag: str
    ) -> tuple[SiteState, Plan, str]:
        """Load, merge, plan, commit; decided anew when somebody else was first."""
        for _ in range(TRIES):
            before = await self._world.sites.load(site)
            now = self._world.now()
            after = without_expired(before, now)
            if merges and any(_is_unread(one) for one in after.listings.values()):
                # Fetches that were made while nobody read its calendar are known before its first answer is: else they
                # would count as made after a look.
                after = await self._absorb(after)
            for merge in merges:
                after = merge(after)
            after = await self._absorb(after)
            decided = plan(after, now, *await self._standing(after, report.asked))
            after = _watch(with_verified(changes.apply_plan(after, decided), now), now)
            diff = changes.difference(before, after, now)
            report.waiting = decided.waiting
            if diff.empty:
                report.version = before.head.version
                return before, decided, etag
            news = tidings.new_stays(before, after, diff.reservations, now)
            etag = await self._world.due.put(site, now, report.reason, tell=news)
            try:
                head = await self._world.sites.commit(before, _rows(before, after, diff, report.reason, now))
            except StaleWrite:
                self._world.telemetry.count("stale_write")
                continue
            tally.facts(before, diff, self._world.telemetry)
            for told, nights in tally.changed_nights(after, before, diff):
                report.nights.setdefault(told, set()).update(nights)
            report.news.stays += news
            await self._flag_watched(before, after)
            report.version = head.version
            report.merged += len(diff.reservations) + len(diff.dropped)
            report.conflicts += len(diff.conflicts)
            return changes.committed(after, head, diff), decided, etag
        raise StaleWrite(f"site {site}: others were first {TRIES} times")

    async def admit(
        self,
        before: SiteState,
        after: SiteState,
        reason: str,
        *,
        lines: Sequence[record.Line] = (),
        marks: Sequence[Mark] = (),
    ) -> None:
        """Commit what was put into a site just loaded, with all that follows from it as intents, and make no call: who
        must answer at once does not wait for platforms. The due row, put down first, brings whoever makes the calls.
        ``lines`` go into the record before those of the change itself, ``marks`` beside it. Raises ``StaleWrite`` with
        nothing written when somebody else was first, ``StoreUnavailable``."""
        now = self._world.now()
        after = await self._absorb(without_expired(after, now))
        decided = plan(after, now, {one.account for one in after.listings.values()})
        after = _watch(changes.apply_plan(after, decided), now)
        diff = changes.difference(before, after, now)
        if diff.empty:
            return
        news = tidings.new_stays(before, after, diff.reservations, now)
        await self._world.due.put(before.site.id, now, reason, tell=news)
        changed = _rows(before, after, diff, reason, now)
        own = [{"at": now.isoformat(), "by": reason} | line for line in lines]
        await self._world.sites.commit(
            before, replace(changed, history=[*own, *changed.history], marks=marks)
        )
        tally.conflicts(before, diff, self._world.telemetry)
        await self._flag_watched(before, after)

    async def _absorb(self, state: SiteState) -> SiteState:
        """Put in which versions of our exports the peers are known to have fetched."""
        oldest: dict[str, int] = {}
        for row in state.blocks.values():
            waits = row.taken_at is None if row.wanted else row.cleared_at is None
            listing = state.listings.get(row.listing)  # None: its row cannot be read now
            if waits and listing is not None and listing.link is Link.ICAL:
                since = row.heir_gap or row.since_version
                oldest[row.listing] = min(oldest.get(row.listing, since), since)
        if not oldest:
            return state
        found = await asyncio.gather(*(self._world.reads.since(*item) for item in oldest.items()))
        reads = dict(zip(oldest, found, strict=True))
        now = self._world.now()
        trusted = {
            one.id: one.back_since for one in state.listings.values() if not is_doubted(state, one.id, now)
        }
        changed = absorb_reads(state.blocks.values(), reads, trusted)
        return replace(state, blocks={**state.blocks, **{row.key: row for row in changed}})

    async def _flag_watched(self, before: SiteState, after: SiteState) -> None:
        for listing in after.listings.values():
            if listing.watched and not before.listings[listing.id].watched and listing.shard:
                await self._world.shards.watch(listing.shard, listing.id)

    async def _standing(
        self, state: SiteState, asked: Collection[str]
    ) -> tuple[set[str], dict[str, datetime]]:
        """Which of the site's accounts take nothing now, and when each was last polled whole."""
        names = {one.account for one in state.listings.values() if one.link is Link.API}
        accounts = await asyncio.gather(*(self.modes.readable(name) for name in names))
        found = dict(zip(names, accounts, strict=True))
        silent = {name for name, one in found.items() if one is None or not _sends(one, asked)}
        polled = {
            name: one.polled or NEVER
            for name, one in found.items()
            if one and (one.polled or one.account.platform in self.queues)
        }
        return silent, polled

    # ---------------------------------------------------------------------------------------- confirm

    async def _confirm(
        self, state: SiteState, results: Sequence[tuple[str, Write, Result]], report: Report
    ) -> SiteState:
        """Put the outcomes into whatever the site is by now; never repeat a call (rule 17)."""
        tally.writes(state, results, self._world.telemetry)
        report.sent += len(results)
        report.failed += sum(1 for _, _, result in results if result.error or result.outcome.refused)
        report.errors += [result.error for _, _, result in results if result.error]
        for _ in range(TRIES):
            now = self._world.now()
            after = state
            for listing, write, result in results:
                after = _confirmed(after, listing, write, result, now)
            diff = changes.difference(state, after, now)
            report.closed = any(row.wanted and row.phase is Phase.ACCEPTED for row in diff.blocks)
            report.accepted = sum(1 for row in diff.blocks if row.taken_at is not None) + len(diff.spent)
            if diff.empty:
                return state
            try:
                head = await self._world.sites.commit(state, _rows(state, after, diff, report.reason, now))
            except StaleWrite:
                state = await self._world.sites.load(report.site)
                continue
            tally.facts(state, diff, self._world.telemetry)
            tidings.note_pushes(report.news, state, after, now)
            return changes.committed(after, head, diff)
        raise StaleWrite(f"site {report.site}: a confirmation was overtaken {TRIES} times")

    async def _look_ahead(self, state: SiteState, asked: Collection[str] = ()) -> Plan:
        """What would be decided now: whether there is more to do at once, and when to come back."""
        return plan(state, self._world.now(), *await self._standing(state, asked))

    # ------------------------------------------------------------------------------------------ leave

    async def _leave(self, state: SiteState, ahead: Plan | None, etag: str, report: Report) -> None:
        """Tell of what is new, then take the due row away, or put it off to when there is something to do. ``ahead`` is
        the plan of this very state, where one was made."""
        now = self._world.now()
        tally.exposed(state, now, self._world.telemetry)
        report.watched = frozenset(one.id for one in state.listings.values() if one.watched)
        look = await self.bell.ring(state)
        await tidings.tell(self._world, state, report.news)
        if report.closed:
            await self._ring_read_back(state.site.id, now)
        if not etag:
            await self._keep_in_mind(state.site.id, look, report)
            return
        wakes = ((ahead or await self._look_ahead(state)).wake, look)
        wake = min((at for at in wakes if at is not None), default=None)
        if wake is None:
            await self._world.due.done(state.site.id, etag)
        else:
            await self._world.due.postpone(state.site.id, etag, wake, report.reason, told=True)

    async def _keep_in_mind(self, site: str, look: datetime | None, report: Report) -> None:
        """A site that was visited without work of its own, and has an open conflict, is visited again for that."""
        if look is not None and await self._world.due.get(site) is None:
            await self._world.due.put(site, look, report.reason)

    async def _ring_read_back(self, site: str, now: datetime) -> None:
        """Have the site's calendars read soon; the closures of one minute share a reading. Lost with the bus: then the
        nightly look does it."""
        due = now + READ_BACK
        await self._world.ring(WORK, Message("readback", site, f"{int(due.timestamp()) // 60}", due=due))


def _is_unread(listing: Listing) -> bool:
    """Whether a calendar that is read again, or for the first time, has given no whole answer yet."""
    return bool(listing.shard) and (listing.unread_since is not None or listing.answered is None)


def _sends(account: AccountState, asked: Collection[str]) -> bool:
    """Whether anything is sent into it now. A person may ask for it where MANUAL was chosen or came by failures; where
    our access was revoked nothing can arrive."""
    return account.standing.sends or (account.account.platform in asked and not account.paused)


def _confirmed(state: SiteState, name: str, write: Write, result: Result, now: datetime) -> SiteState:
    listing = state.listings[name]
    rows = [row for row in state.blocks.values() if row.listing == name]
    outcome = confirm(listing, write, rows, result, now)
    blocks = {key: row for key, row in state.blocks.items() if key not in outcome.spent}
    blocks.update({row.key: row for row in outcome.blocks})
    return replace(state, listings={**state.listings, name: outcome.listing}, blocks=blocks)


def _watch(state: SiteState, now: datetime) -> SiteState:
    """Mark the listings whose next complete answers matter even when they are unchanged: something fades there, a
    released closure may still echo, or the end of a conflict is to be confirmed."""
    fading = {one.feed for one in state.reservations.values() if one.fading}
    echoing = {
        row.listing
        for row in state.blocks.values()
        if row.cleared_at is not None and row.taken_at is not None
    }
    watched = fading | echoing | awaited(state, now)
    listings = {
        key: replace(one, watched=key in watched) if one.shard else one for key, one in state.listings.items()
    }
    return replace(state, listings=listings)


def _rows(
    before: SiteState, after: SiteState, diff: changes.Difference, reason: str, now: datetime
) -> Changes:
    """The rows of a change with what they mean to a reader, under whoever rang."""
    who = {"at": now.isoformat(), "by": reason}
    return Changes(
        listings=diff.listings,
        reservations=diff.reservations,
        dropped=diff.dropped,
        departed=diff.departed,
        blocks=diff.blocks,
        spent=diff.spent,
        holds=diff.holds,
        removed_holds=diff.removed_holds,
        conflicts=diff.conflicts,
        fence=diff.fence,
        history=[who | line for line in record.lines(before, after, diff)],
    )
