"""Status: what stands in the tables, as plain values for the API, the terminal and the health report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.model import Phase, SiteState, SyncMode
from shared.engine.world import World

STALE_PERIODS = 3
"""A source is fresh for so many of its periods (rule 22)."""

MOST_REAL_TIME = 300
"""Seconds between two requests up to which a calendar link counts as real time."""

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine keeps its promises, and in words why not."""

    ok: bool
    reasons: tuple[str, ...]


class Status:
    """Reads the state of everything."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def everything(self) -> dict[str, JsonValue]:
        """Accounts, feeds and sites; no secret, no guest."""
        now = self._world.now()
        states = [await self._world.sites.load(name) for name in await self._world.accounts.directory("site")]
        return {
            "at": now.isoformat(),
            "accounts": await self._accounts(states),
            "feeds": await self._feeds(now),
            "sites": [site_status(state, now) for state in states],
        }

    async def _accounts(self, states: Sequence[SiteState]) -> list[JsonValue]:
        """Every account; one that is connected by API with its mode and its last complete answer (a whole poll, or the
        whole state of one of its listings)."""
        listings = [one for state in states for one in state.listings.values() if one.answered]
        accounts: list[JsonValue] = []
        for name in await self._world.accounts.directory("account"):
            one = await self._world.accounts.load(name)
            if one is None:
                continue
            entry: dict[str, JsonValue] = {"id": name, "platform": str(one.account.platform)}
            if one.units:
                known = [listing.answered for listing in listings if listing.account == name]
                last = max((at for at in (one.polled, *known) if at), default=None)
                mode = SyncMode.MANUAL if one.paused else SyncMode.REAL_TIME
                entry["mode"], entry["last_answer"] = mode.value, last.isoformat() if last else None
            accounts.append({**entry, "paused": one.paused or None})
        return accounts

    async def _feeds(self, now: datetime) -> list[JsonValue]:
        feeds: list[JsonValue] = []
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for listing, feed in shard.feeds.items():
                visit = shard.visits.get(listing)
                good = visit.good if visit else None
                limit = timedelta(seconds=STALE_PERIODS * feed.period)
                feeds.append(
                    {
                        "listing": listing,
                        "platform": str(feed.platform),
                        "mode": (
                            SyncMode.REAL_TIME if feed.period <= MOST_REAL_TIME else SyncMode.BATCH
                        ).value,
                        "last_answer": good.isoformat() if good else None,
                        "fresh": good is not None and now - good <= limit,
                        "error": feed.error or None,
                    }
                )
        return feeds

    async def health(self) -> Health:
        """Computed from the tables alone, so that frozen timers are seen from outside."""
        now = self._world.now()
        reasons = []
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for listing, feed in shard.feeds.items():
                visit = shard.visits.get(listing)
                limit = timedelta(seconds=2 * STALE_PERIODS * feed.period)
                if visit is None or visit.good is None or now - visit.good > limit:
                    reasons.append(f"no good answer from {listing} for too long")
        for work in await self._world.due.all():
            if now - work.at > timedelta(minutes=5):
                reasons.append(f"site {work.site} waits since {work.at:%H:%M:%S}")
        return Health(not reasons, tuple(reasons))


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
