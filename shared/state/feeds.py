"""Feeds: calendar links by shards of 100 listings. A pass over a shard costs one read and one write, however
many of its listings have not changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.errors import AlreadyExists, StaleWrite, Unreadable
from shared.domain.platform import Platform
from shared.ports.platforms import Validators
from shared.ports.stores import Put, Row, Tables, Value
from shared.state import cells
from shared.state.names import FEEDS

SHARD_SIZE = 100
_OTHER = "~"  # how a row begins that is no link's
_HEAD = "~pass"  # sorts behind every listing id, which is plain letters and digits


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar link. ``digest`` and ``validators`` are those of the last answer merged everywhere (rule 9); a
    ``watched`` feed is merged even when it did not change, since absence must be seen again to be believed.

    ``period`` is how often it is to be asked, in seconds; ``pace`` how often it is, where its host bears less (0: as it
    is to be), and ``slow`` why. ``free_from`` is the first night its own calendar left free. ``dead``: its host refuses
    the link. ``added`` is when the link was given (store time; None of an older release): what was never read is not
    silent from the first second on."""

    listing: str
    site: str
    account: str
    platform: Platform
    url: str = field(repr=False)
    zone: str = "Europe/Paris"
    period: int = 120
    digest: str = ""
    validators: Validators = field(default_factory=Validators)
    watched: bool = False
    error: str = ""
    failures: int = 0
    pace: int = 0
    slow: str = ""
    free_from: str = ""
    dead: bool = False
    added: datetime | None = None

    @property
    def every(self) -> int:
        """Seconds between two requests as things are."""
        return max(self.pace, self.period)


@dataclass(frozen=True, slots=True)
class Visit:
    """When a listing was last answered for good (freshness, rule 22) and is due again; ``day`` is how its looks of the
    last 24 h ended (``shared.domain.strip``), as text: only who shows it reads it."""

    good: datetime | None = None
    due: datetime | None = None
    day: str = ""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as one read gave it. ``counter`` is the observation number of the pass that begins with this read: two
    passes with the same one cannot both store their outcome (rule 6). ``unread`` are listings whose link this release
    cannot read."""

    id: str
    counter: int
    feeds: Mapping[str, Feed]
    visits: Mapping[str, Visit]
    etag: str | None
    unread: tuple[str, ...] = ()


class FeedStore:
    """The ``Feeds`` table."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, shard: str, feed: Feed) -> None:
        """Add a link, or change where it points; what its last answer was stays only while the address does."""
        row = await self._tables.get(FEEDS, shard, feed.listing)
        if row is not None and cells.text(row.values, "url") == feed.url:
            old = _feed(row)
            feed = replace(old, site=feed.site, account=feed.account, zone=feed.zone, period=feed.period)
        else:
            feed = replace(feed, added=self._tables.now())
        await self._tables.upsert(FEEDS, _row(shard, feed))

    async def set_period(self, shard: str, listing: str, period: int) -> None:
        """Have a link asked every so many seconds from its next answer on."""
        await self._tables.upsert(FEEDS, Row(shard, listing, {"period": period}))

    async def watch(self, shard: str, listing: str) -> None:
        """Have the next complete answers merged even when nothing changed."""
        await self._tables.upsert(FEEDS, Row(shard, listing, {"watched": True}))

    async def forget(self, shard: str, listing: str) -> None:
        """Know no last answer any more: what is about to be merged may outlive this process, its hash may not. A
        calendar that went back to what it was before would pass for unchanged then, and a stay gone from it would be
        held for ever."""
        known: dict[str, Value] = {"digest": "", "etag_seen": "", "modified_seen": ""}
        await self._tables.upsert(FEEDS, Row(shard, listing, known))

    async def leave(self, shard: str, listing: str) -> None:
        """Ask a link no more, and keep nothing of its address. The row stays, without one: a pass that is under way
        puts down what it learned, and would make half a row anew."""
        await self._tables.upsert(
            FEEDS, Row(shard, listing, {"url": "", "etag_seen": "", "modified_seen": ""})
        )

    async def get(self, shard: str, listing: str) -> Feed | None:
        """One link, or None."""
        row = await self._tables.get(FEEDS, shard, listing)
        return _feed(row) if row is not None and cells.text(row.values, "url") else None

    async def load(self, shard: str) -> Shard:
        """The whole shard in one read."""
        rows = await self._tables.query(FEEDS, shard)
        head = next((row for row in rows if row.key == _HEAD), None)
        values = {} if head is None else head.values
        left = {row.key for row in rows if row.values.get("url") == ""}
        visits = {name: one for name, one in _visits(values).items() if name not in left}
        links = [row for row in rows if not row.key.startswith(_OTHER) and row.key not in left]
        feeds = {one.listing: one for one in _readable(links)}
        counter = cells.number(values, "counter") + 1
        unread = tuple(row.key for row in links if row.key not in feeds)
        return Shard(shard, counter, feeds, visits, None if head is None else head.etag, unread)

    async def finish(self, shard: Shard, visits: Mapping[str, Visit], changed: Iterable[Feed]) -> bool:
        """Store a pass's outcome in one write; False when another pass with the same counter was first (its
        outcome stands, ours is asked for again). Called only after every partition committed (rule 9)."""
        merged = {**shard.visits, **visits}
        written = {
            listing: [cells.to_instant(visit.good), cells.to_instant(visit.due)]
            for listing, visit in sorted(merged.items())
        }
        days = {listing: visit.day for listing, visit in sorted(merged.items()) if visit.day}
        values: dict[str, Value] = {
            "counter": shard.counter,
            "visits": _short(written),
            "days": _short(days),
        }
        head = Row(shard.id, _HEAD, values)
        rows = [Put(row) for feed in changed if (row := _news(shard, feed)).values][:99]
        try:
            if rows or shard.etag is None:
                guard = Put(head, if_match=shard.etag, insert_only=shard.etag is None)
                await self._tables.submit(FEEDS, shard.id, [guard, *rows])
            else:  # most passes: a plain write costs the client a third of a transaction
                await self._tables.update(FEEDS, head, shard.etag)
        except (StaleWrite, AlreadyExists):
            return False
        return True

    async def visits(self, shard: str) -> Mapping[str, Visit]:
        """Freshness of every listing of a shard, by one point read."""
        row = await self._tables.get(FEEDS, shard, _HEAD)
        return {} if row is None else _visits(row.values)


def _readable(rows: Iterable[Row]) -> Iterator[Feed]:
    """The links that this release can read: one that it cannot is not asked, and keeps no other from being asked."""
    for row in rows:
        try:
            yield _feed(row)
        except Unreadable:
            continue


def _visits(values: Mapping[str, Value]) -> dict[str, Visit]:
    """The days stand beside the visits, in a column of their own: a release without them goes on reading those. What
    this release cannot read was never visited: it is not fresh, and due at once."""
    try:
        days: dict[str, str] = json.loads(cells.text(values, "days") or "{}")
        return {
            listing: Visit(_instant(good), _instant(due), str(days.get(listing, "")))
            for listing, (good, due, *_) in json.loads(cells.text(values, "visits") or "{}").items()
        }
    except (Unreadable, ValueError, TypeError, AttributeError):
        return {}


def _short(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _instant(written: str) -> datetime | None:
    return cells.from_instant(written) if written else None


def _news(shard: Shard, feed: Feed) -> Row:
    """What a pass changed of a feed, and nothing else: meanwhile its address may have been changed by its owner, its
    watch set by a reconcile, its hash forgotten."""
    new, old = _row(shard.id, feed), shard.feeds.get(feed.listing)
    known = {} if old is None else _row(shard.id, old).values
    return Row(shard.id, feed.listing, {k: v for k, v in new.values.items() if known.get(k) != v})


def _row(shard: str, feed: Feed) -> Row:
    return Row(
        shard,
        feed.listing,
        {
            "site": feed.site,
            "account": feed.account,
            "platform": feed.platform,
            "url": feed.url,
            "zone": feed.zone,
            "period": feed.period,
            "digest": feed.digest,
            "etag_seen": feed.validators.etag,
            "modified_seen": feed.validators.last_modified,
            "watched": feed.watched,
            "error": feed.error[:500],
            "failures": feed.failures,
            "pace": feed.pace,
            "slow": feed.slow,
            "free_from": feed.free_from,
            "dead": feed.dead,
            "added": cells.to_instant(feed.added),
        },
    )


def _feed(row: Row) -> Feed:
    values = row.values
    return Feed(
        listing=row.key,
        site=cells.text(values, "site"),
        account=cells.text(values, "account"),
        platform=Platform(cells.text(values, "platform")),
        url=cells.text(values, "url"),
        zone=cells.text(values, "zone"),
        period=cells.number(values, "period"),
        digest=cells.text(values, "digest"),
        validators=Validators(cells.text(values, "etag_seen"), cells.text(values, "modified_seen")),
        watched=cells.flag(values, "watched"),
        error=cells.text(values, "error"),
        failures=cells.number(values, "failures"),
        pace=cells.number(values, "pace"),
        slow=cells.text(values, "slow"),
        free_from=cells.text(values, "free_from"),
        dead=cells.flag(values, "dead"),
        added=cells.instant(values, "added"),
    )
