"""Status: what stands in the tables, as plain values for the API, the terminal and the health report."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from shared.domain.access import Person
from shared.domain.conflict_alerts import stage
from shared.domain.model import Phase, SiteState
from shared.domain.modes import UNREAD, feed_mode, is_fresh
from shared.engine.by_hand import Closure, FailedPush, failed_pushes, to_close
from shared.engine.homes_seen import seen_and_unread
from shared.engine.modes import Modes
from shared.engine.notices_status import JsonValue, notices_status
from shared.engine.opaque import sealed
from shared.engine.world import World
from shared.ports.platforms import CircuitView
from shared.state.accounts import AccountState


class Status:
    """Reads the state of everything."""

    def __init__(self, world: World, modes: Modes) -> None:
        self._world = world
        self._modes = modes

    async def everything(self, person: Person) -> dict[str, JsonValue]:
        """Accounts, feeds and sites of the owners a person sees; no secret, no guest. A site that
        cannot be read is named, and hides no other."""
        now = self._world.now()
        states, unread = await seen_and_unread(self._world, person)
        loaded = await self._loaded()
        accounts = [one for one in loaded.values() if one is not None and person.sees(one.account.owner)]
        known = {one.account.id for one in accounts}
        standings = {one.account.id: one.standing for one in accounts if one.units}
        standings |= {name: UNREAD for name, one in loaded.items() if one is None}
        page = self._world.console_link
        fetches = await self._world.fetches.all() if self._world.unreachable else None
        hands = [_by_hand(c) for state in states for c in to_close(state, now, standings, page, fetches)]
        return {
            "at": now.isoformat(),
            "accounts": [await self._account(one) for one in accounts],
            "feeds": await self._feeds(now, {state.site.id for state in states}),
            "sites": [site_status(state, now) for state in states],
            "unread_sites": dict[str, JsonValue](unread),
            "notices": await notices_status(self._world, person),
            "close_by_hand": [*hands],
            "failed_pushes": [_failed(one, now) for state in states for one in failed_pushes(state)],
            "mode_changes": [
                dict(line) for line in await self._modes.history() if line.get("account", "") in known
            ],
        }

    async def _loaded(self) -> dict[str, AccountState | None]:
        """Every account by name; None for one that cannot be read."""
        names = await self._world.accounts.directory("account")
        return {name: await self._modes.readable(name, fresh=True) for name in names}

    async def _account(self, one: AccountState) -> dict[str, JsonValue]:
        """An account; one that is connected by API with its mode, why it is in it, its circuits, and how many calls its
        platform's limits leave."""
        entry: dict[str, JsonValue] = {"id": one.account.id, "platform": str(one.account.platform)}
        if one.units:
            entry |= standing_status(one)
            circuits = self._world.circuits
            views = await circuits.views(one.account.id) if circuits is not None else ()
            entry["circuits"] = [circuit_status(view) for view in views]
            budgets = self._world.budgets
            entry["calls_left"] = dict(await budgets.left(one.account)) if budgets is not None else {}
        return {**entry, "paused": one.paused or None}

    async def _feeds(self, now: datetime, sites: Collection[str]) -> list[JsonValue]:
        feeds: list[JsonValue] = []
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for listing, feed in shard.feeds.items():
                if feed.site not in sites:
                    continue
                visit = shard.visits.get(listing)
                good = visit.good if visit else None
                mode, why = feed_mode(feed.every, feed.failures, feed.dead, feed.slow)
                feeds.append(
                    {
                        "listing": listing,
                        "platform": str(feed.platform),
                        "mode": mode.value,
                        "reason": why or None,
                        "period_s": feed.every,
                        "last_answer": good.isoformat() if good else None,
                        "next_look": visit.due.isoformat() if visit and visit.due else None,
                        "fresh": is_fresh(good, feed.every, now),
                        "error": feed.error or None,
                    }
                )
        return feeds


def standing_status(one: AccountState) -> dict[str, JsonValue]:
    """How an account stands, as people see it."""
    now_on = one.standing
    return {
        "mode": now_on.mode.value,
        "chosen": one.setting.wanted.value,
        "reason": now_on.reason or None,
        "since": _at(now_on.since),
        "next_probe": _at(now_on.probe_at),
        "poll_minutes": one.setting.poll_minutes,
        "batch_minutes": one.setting.batch_minutes,
        "last_answer": _at(one.answered),
    }


def _at(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def circuit_status(view: CircuitView) -> dict[str, JsonValue]:
    """A circuit, as people see it."""
    return {
        "operation": view.operation,
        "state": view.state,
        "failures": view.failures,
        "calls": view.calls,
        "since": _at(view.since),
        "retry_at": _at(view.retry_at),
    }


def _by_hand(one: Closure) -> dict[str, JsonValue]:
    return {
        "site": one.site,
        "home": one.home,
        "listing": one.listing,
        "platform": str(one.platform),
        "nights": str(one.dates),
        "why": one.why,
        "page": one.page or None,
    }


def _failed(one: FailedPush, now: datetime) -> dict[str, JsonValue]:
    return {
        "site": one.site,
        "listing": one.listing,
        "platform": str(one.platform),
        "nights": str(one.dates),
        "closes": one.closes,
        "age_s": round((now - one.since).total_seconds()) if one.since else None,
        "attempts": one.attempts,
        "reason": one.reason,
        "next_try": _at(one.next_try),
    }


def site_status(state: SiteState, now: datetime) -> dict[str, JsonValue]:
    """One site: what is taken, what is closed where and how surely, what clashes."""
    stays: list[JsonValue] = [
        {
            "id": one.key,
            "kind": one.kind.value,
            "status": one.status.value,
            "nights": [str(part.dates) for part in one.parts],
            "vanished": [str(gone.part.dates) for gone in one.fading],
        }
        for one in state.reservations.values()
    ]
    blocks: list[JsonValue] = [
        {
            "listing": row.listing,
            "platform": str(state.listings[row.listing].platform),
            "nights": str(row.dates),
            "cause": row.cause,
            "wanted": row.wanted,
            "phase": row.phase.value,
            "since": row.created_at.isoformat() if row.created_at else None,
            "taken": row.taken_at.isoformat() if row.taken_at else None,
            "error": row.error or None,
        }
        for row in state.blocks.values()
        if row.listing in state.listings
    ]
    conflicts: list[JsonValue] = [
        {
            "id": one.id,
            "home": one.property_id,
            "nights": str(one.conflict_dates),
            "between": list(one.conflicting_bookings),
            "severity": one.severity.value,
            "proposal": one.suggested_resolution.value,
            "state": stage(one).value,
            "href": f"/api/conflicts/{sealed(state.site.id, one.id)}",
        }
        for one in state.conflicts.values()
        if one.ended_at is None
    ]
    waiting = sum(
        1 for row in state.blocks.values() if row.wanted and row.phase in (Phase.INTENDED, Phase.SENT)
    )
    silent: list[JsonValue] = [one.id for one in state.listings.values() if not one.complete]
    return {
        "id": state.site.id,
        "version": state.head.version,
        "homes": [home.name for home in state.site.properties.values()],
        "stays": stays,
        "blocks": blocks,
        "conflicts": conflicts,
        "not_confirmed": waiting,
        "no_complete_answer_yet": silent,
        "at": now.isoformat(),
    }
