"""Bugs planted on purpose, one at a time: a machine that does not find them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.domain import changes, confirm, echo, merge, plan, release
from shared.domain.confirm import Result
from shared.domain.facts import WriteOutcome
from shared.domain.model import Block, Busy, Fading, Head, Listing, Reservation, SiteState, Write
from shared.engine import reconcile
from shared.engine.reconcile import Reconciler, Report
from shared.ports.stores import Delete, Put
from shared.state import site_codec
from shared.state.names import SITES
from shared.state.sites import SiteStore

Mutant = Callable[[pytest.MonkeyPatch], None]


def accept_an_old_revision(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(merge, "is_older", lambda stored, version, observed: False)
    patch.setattr(merge, "_is_buried", lambda stored, seen: False)


def never_move_a_block(patch: pytest.MonkeyPatch) -> None:
    right = plan.desired_closures

    def wrong(state: SiteState, taken: Any, now: datetime) -> dict[str, dict[str, Any]]:
        wanted = right(state, taken, now)
        for row in state.blocks.values():
            rows = wanted.get(row.listing, {})
            same = [key for key, (cause, _) in rows.items() if cause == row.cause]
            if row.wanted and len(same) == 1:
                del rows[same[0]]
                rows[row.name] = (row.cause, row.dates)
        return wanted

    patch.setattr(plan, "desired_closures", wrong)


def record_a_failed_call_as_done(patch: pytest.MonkeyPatch) -> None:
    right = confirm.confirm

    def wrong(listing: Listing, write: Write, blocks: Any, result: Result, now: datetime) -> Any:
        done = Result(WriteOutcome(accepted=frozenset(write.levels)))
        return right(listing, write, blocks, done, now)

    patch.setattr(reconcile, "confirm", wrong)


def apply_then_commit(patch: pytest.MonkeyPatch) -> None:
    async def wrong(
        self: Reconciler,
        site: str,
        reason: str,
        merges: Any = (),
        work: Any = None,
        *,
        asked: Any = (),
    ) -> Report:
        report = Report(site, reason)
        before = await self._world.sites.load(site)
        now = self._world.now()
        after = before
        for step in merges:
            after = step(after)
        after = await self._absorb(after)
        decided = plan.plan(after, now, *await self._standing(after, asked))
        after = reconcile._watch(changes.apply_plan(after, decided), now)
        results = await self._calls.make(before, decided)
        for name, write, result in results:
            after = reconcile._confirmed(after, name, write, result, now)
        diff = changes.difference(before, after, now)
        if not diff.empty:
            await self._world.sites.commit(before, reconcile._rows(before, after, diff, reason, now))
        report.watched = frozenset(one.id for one in after.listings.values() if one.watched)
        return report

    patch.setattr(Reconciler, "reconcile", wrong)


def trust_an_empty_feed(patch: pytest.MonkeyPatch) -> None:
    right = merge.merge_feed

    def wrong(listing: Listing, stored: Any, answer: Any, *more: Any) -> Any:
        if not answer.events and answer.observed > listing.observed:
            return ()
        return right(listing, stored, answer, *more)

    from shared.engine import ingest

    patch.setattr(ingest, "merge_feed", wrong)


def no_etag(patch: pytest.MonkeyPatch) -> None:
    async def wrong(self: SiteStore, site: str, head: Head, rows: Sequence[Put | Delete]) -> Head:
        batch = [Put(site_codec.head_row(site, head)), *(row for row in rows if isinstance(row, Put))]
        etags = await self._tables.submit(SITES, site, batch)
        for row in rows:
            if isinstance(row, Delete):
                await self._tables.delete(SITES, site, row.key)
        return replace(head, etag=etags[site_codec.HEAD])

    patch.setattr(SiteStore, "_one", wrong)


def open_without_proof(patch: pytest.MonkeyPatch) -> None:
    def wrong(fading: Fading, kind: Busy, today: date) -> timedelta:
        return timedelta(0)

    patch.setattr(release, "proof_needed", wrong)


def echo_by_equal_dates(patch: pytest.MonkeyPatch) -> None:
    from shared.domain import occupancy

    def wrong(facts: Any, ledger: Any, *, joined: bool = False) -> frozenset[Any]:
        rows: list[Block] = list(ledger)
        facts = list(facts)
        return frozenset(
            (fact.key, part.dates)
            for fact in facts
            if isinstance(fact, Reservation)
            for part in fact.held()
            if any(row.dates == part.dates for row in rows)
        )

    for module in (echo, occupancy):
        patch.setattr(module, "echoes", wrong)


MUTANTS: tuple[Mutant, ...] = (
    accept_an_old_revision,
    never_move_a_block,
    record_a_failed_call_as_done,
    apply_then_commit,
    trust_an_empty_feed,
    no_etag,
    open_without_proof,
    echo_by_equal_dates,
)
