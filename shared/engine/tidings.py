"""Tidings: which changes of a site a person should hear of. What is new is read off a commit's difference, so that each
stay is told once; the words stand in ``tidings_text``.

The keys of new stays go into the site's due row before the commit: a process that dies before it told of them leaves
them to whoever comes back to the site, at no further write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.dates import ranges_of
from shared.domain.known_twice import known_twice
from shared.domain.model import Block, Busy, Phase, Reservation, SiteState, Status
from shared.domain.occupancy import all_echoes
from shared.domain.platform import Link
from shared.engine import tidings_text
from shared.engine.by_hand import is_overdue
from shared.engine.world import World
from shared.ports.people import Notice

MOST_SINGLY = 5
"""New stays of one listing told one by one; more at once are one notice."""

MOST_CARRIED = 50
"""Keys of new stays a due row carries."""

STUCK_AFTER = timedelta(minutes=2)
"""From when on an overdue closure is told: a blip of half a minute is nobody's business."""


@dataclass(slots=True)
class News:
    """What one reconcile found: keys of new stays; listings with closures that are not taken, and that have none any
    more."""

    stays: list[str] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    healed: set[str] = field(default_factory=set)


def new_stays(
    before: SiteState, after: SiteState, changed: Iterable[Reservation], now: datetime
) -> tuple[str, ...]:
    """The keys of stays that nobody heard of before. The first whole answer of a listing brings none: it tells what was
    sold long ago. Nor do echoes of our own closures, the owner's blocks, what has passed, and what the same platform
    tells of a second time, by API or by calendar."""
    fresh = [one for one in changed if _is_news(before, one, now)]
    if any(one.kind is not Busy.STAY for one in fresh):
        ours = all_echoes(after)
        fresh = [one for one in fresh if not all((one.key, part.dates) in ours for part in one.parts)]
    twins = known_twice(after).stay
    heard = {stay for (key, _), stay in twins.items() if key in before.reservations}
    fresh = [
        one
        for one in fresh
        if one.key not in heard and not all((one.key, part.dates) in twins for part in one.parts)
    ]
    return tuple(one.key for one in fresh[:MOST_CARRIED])


def _is_news(before: SiteState, one: Reservation, now: datetime) -> bool:
    if one.kind not in (Busy.STAY, Busy.CLOSED) or one.status is Status.CANCELLED:
        return False
    old = before.reservations.get(one.key)
    if old is not None and _was_known(old, one):
        return False
    return any(
        (listing := before.listings.get(part.listing)) is not None
        and listing.complete
        and part.dates.check_out > before.today(listing.id, now)
        for part in one.parts
    )


def _was_known(old: Reservation, one: Reservation) -> bool:
    """A doorbell's hint is no stay yet, and a request that was accepted is told again."""
    if old.status is Status.CANCELLED or not (old.parts or old.fading):
        return False
    return not (old.status is Status.PENDING and one.status is Status.CONFIRMED)


def note_pushes(news: News, before: SiteState, after: SiteState, now: datetime) -> None:
    """Note the listings with closures that are overdue for a while, and those where that is over."""
    was = {row.listing for row in before.blocks.values() if row.wanted and is_overdue(row, now)}
    rows = [row for row in after.blocks.values() if row.wanted and is_overdue(row, now)]
    news.stuck |= {row.listing for row in rows if _is_stuck(row, now)}
    news.healed |= was - {row.listing for row in rows}
    news.stuck -= news.healed


def _is_stuck(row: Block, now: datetime) -> bool:
    since = row.created_at
    return row.phase is Phase.INTENDED and since is not None and now - since >= STUCK_AFTER


async def tell(world: World, state: SiteState, news: News) -> None:
    """Tell of everything; costs nothing when there is nothing."""
    for notice in notices(world, state, news):
        await world.notify.tell(notice)


def notices(world: World, state: SiteState, news: News) -> list[Notice]:
    """The notices of a site as it stands now."""
    found: list[Notice] = []
    by_listing: dict[str, list[Reservation]] = {}
    for key in dict.fromkeys(news.stays):
        one = state.reservations.get(key)
        parts = [part for part in one.parts if part.listing in state.listings] if one else []
        if one is not None and parts and one.status is not Status.CANCELLED:
            by_listing.setdefault(parts[0].listing, []).append(one)
    for listing, stays in by_listing.items():
        if len(stays) > MOST_SINGLY:
            found.append(_many(world, state, listing, stays))
        else:
            found += [_stay(world, state, one) for one in stays]
    found += [_stuck(world, state, name) for name in sorted(news.stuck & state.listings.keys())]
    found += [_healed(world, state, name) for name in sorted(news.healed & state.listings.keys())]
    return found


def _stay(world: World, state: SiteState, one: Reservation) -> Notice:
    parts = [part for part in one.parts if part.listing in state.listings]
    homes = list(dict.fromkeys(_home(state, part.listing) for part in parts))
    dates = ranges_of({night for part in parts for night in part.dates.nights()})
    text = tidings_text.stay(
        _platform(world, state, parts[0].listing), homes, dates, _closed(world, state, one.key), one
    )
    nights = " ".join(str(each) for each in dates)
    key = f"{state.site.id}/{_nameless(one.key)}/{one.status.value}/{nights}"
    return Notice("new_stay", key, "info", text, state.site.owner)


def _many(world: World, state: SiteState, listing: str, stays: Sequence[Reservation]) -> Notice:
    text = tidings_text.many(_platform(world, state, listing), _home(state, listing), len(stays))
    # Named by what it tells of: the same again after a crash is the same.
    key = f"{state.site.id}/{listing}/{_nameless(' '.join(sorted(one.key for one in stays)))}"
    return Notice("new_stay", key, "info", text, state.site.owner)


def _stuck(world: World, state: SiteState, listing: str) -> Notice:
    rows = [row for row in state.blocks.values() if row.listing == listing and row.wanted]
    open_nights = {n for row in rows if is_overdue(row, world.now()) for n in row.dates.nights()}
    dates = ranges_of(open_nights)
    one = state.listings[listing]
    link = world.console_link(one.platform, one.unit, dates[0]) if dates else ""
    text = tidings_text.stuck(_platform(world, state, listing), _home(state, listing), dates, link)
    return Notice("push_failed", f"{state.site.id}/{listing}", "critical", text, state.site.owner, link)


def _healed(world: World, state: SiteState, listing: str) -> Notice:
    text = tidings_text.healed(_platform(world, state, listing), _home(state, listing))
    return Notice("push_failed_over", f"{state.site.id}/{listing}", "info", text, state.site.owner)


def _nameless(key: str) -> str:
    """What stands for a fact where strangers read: a calendar's UID may hold anything, a guest's name too."""
    return sha256(key.encode()).hexdigest()[:24]


def _closed(world: World, state: SiteState, key: str) -> dict[str, list[str]]:
    """The platforms that carry the stay's closures, by how far they are: "closed", "published", "under_way"."""
    worst: dict[str, str] = {}
    for row in state.blocks.values():
        if row.cause.partition("#")[0] != key or not row.wanted or row.listing not in state.listings:
            continue
        listing = state.listings[row.listing]
        far = "closed" if row.taken_at else "published" if listing.link is Link.ICAL else "under_way"
        name = _platform(world, state, row.listing)
        worst[name] = max(worst.get(name, far), far, key=("closed", "published", "under_way").index)
    groups: dict[str, list[str]] = {}
    for name, far in sorted(worst.items()):
        groups.setdefault(far, []).append(name)
    return groups


def _platform(world: World, state: SiteState, listing: str) -> str:
    platform = state.listings[listing].platform
    return world.platform_names.get(platform, platform)


def _home(state: SiteState, listing: str) -> str:
    return state.site.properties[state.listings[listing].property].name
