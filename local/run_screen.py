"""What a person sees while it runs: a live table on a terminal, a line now and then where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from local.run_stopwatch import Closure

if TYPE_CHECKING:
    from rich.console import RenderableType

Json = dict[str, object]

_MOST_CONFLICTS, _MOST_BY_HAND, _MOST_UNWELL = 4, 8, 4


@dataclass(frozen=True, slots=True)
class Row:
    """One platform: how it is connected and how far it is in step. ``closed`` are closures of ours that the platform
    is known to have, ``under_way`` those that it is not yet."""

    platform: str
    mode: str
    last: str
    closed: int
    under_way: int
    trouble: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the screen. ``news`` are closures since the last view, ``closures`` the last few; ``links`` are
    (what, address); ``unwell`` is what the health report finds wrong, ``notes`` are sentences for the person."""

    title: str
    rows: Sequence[Row] = ()
    news: Sequence[Closure] = ()
    closures: Sequence[Closure] = ()
    worst: float = 0.0
    conflicts: Sequence[str] = ()
    links: Sequence[tuple[str, str]] = ()
    unwell: Sequence[str] = ()
    notes: Sequence[str] = ()


def rows_of(status: Json) -> list[Row]:
    """One row a platform from what ``/api/status`` says."""
    platforms: dict[str, None] = {}
    for item in (*_items(status, "accounts"), *_items(status, "feeds")):
        platforms[str(item.get("platform"))] = None
    return [_row(name, status) for name in platforms]


def conflicts_of(status: Json) -> list[str]:
    """Open conflicts in words: home, nights, how bad."""
    return [
        f"{clash.get('home')}: {str(clash.get('nights')).replace('/', ' to ')} is sold twice ({clash.get('severity')})"
        for site in _items(status, "sites")
        for clash in _items(site, "conflicts")
    ]


def by_hand(status: Json) -> list[str]:
    """What the owner should close by hand, earliest night first, as the console lists it."""
    if not status:
        return ["unknown: the engine does not answer"]
    found = sorted(
        (str(one.get("nights")), str(one.get("listing"))) for one in _items(status, "close_by_hand")
    )
    more = len(found) - _MOST_BY_HAND
    lines = [f"{listing}: {nights.replace('/', ' to ')}" for nights, listing in found[:_MOST_BY_HAND]]
    return [*lines, *([f"and {more} more"] if more > 0 else [])] or ["nothing"]


def silent_of(status: Json) -> list[str]:
    """Listings that have not given a complete answer yet: until then their site's calendars are not served."""
    return [
        str(name) for site in _items(status, "sites") for name in _list(site.get("no_complete_answer_yet"))
    ]


def unwell_of(status: Json) -> list[str]:
    """What the health report finds wrong, the worst first: code, cause, next step. What is only shown where people look
    it up is left out."""
    health = status.get("health")
    findings = _items(health, "findings") if isinstance(health, dict) else []
    return [
        f"{one.get('code')}: {_english(one.get('cause'))} {_english(one.get('step'))}"
        for one in findings
        if one.get("weight") != "shown"
    ]


def _english(said: object) -> str:
    return str(said.get("en", "")) if isinstance(said, dict) else ""


def worded(closure: Closure) -> str:
    """One closure in words."""
    return f"{closure.stay}: sold on {closure.sold_on}, closed on {closure.closed_on} after {closure.seconds:.1f} s"


def failed_of(status: Json) -> set[str]:
    """Listings whose calendar link failed at its last request."""
    return {str(feed.get("listing")) for feed in _items(status, "feeds") if feed.get("error")}


def plain(view: View) -> str:
    """The view in one line, for a log."""
    parts = [
        f"{row.platform} {row.mode}, {row.closed} closed" + (f" (+{row.under_way})" if row.under_way else "")
        for row in view.rows
    ]
    if view.closures:
        last = view.closures[-1]
        parts.append(f"last closure {last.sold_on} -> {last.closed_on} {last.seconds:.1f} s")
    parts.append("1 conflict" if len(view.conflicts) == 1 else f"{len(view.conflicts)} conflicts")
    if view.unwell:
        codes = dict.fromkeys(text.partition(":")[0] for text in view.unwell)
        parts.append(f"not well: {', '.join(codes)}")
    return " | ".join(parts)


def drawn(view: View) -> RenderableType:
    """The view for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=view.title, title_justify="left", title_style="bold", expand=False)
    for heading in ("platform", "mode", "last sync", "closed", "under way", ""):
        table.add_column(heading, justify="right" if heading in ("closed", "under way") else "left")
    for row in view.rows:
        under_way = str(row.under_way) if row.under_way else ""
        table.add_row(row.platform, row.mode, row.last, str(row.closed), under_way, row.trouble)
    lines = [*_closure_lines(view), *_conflict_lines(view), *_unwell_lines(view)]
    links = Table.grid(padding=(0, 2))
    for what, address in view.links:
        links.add_row(what, Text(address, overflow="fold"))
    return Group(table, *(Text(line) for line in lines), Text(), links, *(Text(note) for note in view.notes))


def _closure_lines(view: View) -> list[str]:
    lines = [f"  {worded(closure)}" for closure in view.closures]
    head = f"last closures (slowest so far {view.worst:.1f} s):" if lines else "no closure yet"
    return [head, *lines]


def _conflict_lines(view: View) -> list[str]:
    if not view.conflicts:
        return ["no conflicts"]
    more = len(view.conflicts) - _MOST_CONFLICTS
    lines = [f"  {text}" for text in view.conflicts[:_MOST_CONFLICTS]]
    return [f"conflicts: {len(view.conflicts)}", *lines, *([f"  and {more} more"] if more > 0 else [])]


def _unwell_lines(view: View) -> list[str]:
    if not view.unwell:
        return ["health: all is well"]
    more = len(view.unwell) - _MOST_UNWELL
    lines = [f"  {text}" for text in view.unwell[:_MOST_UNWELL]]
    return ["health: not well", *lines, *([f"  and {more} more"] if more > 0 else [])]


def _row(platform: str, status: Json) -> Row:
    accounts = [one for one in _items(status, "accounts") if one.get("platform") == platform]
    feeds = [one for one in _items(status, "feeds") if one.get("platform") == platform]
    blocks = [
        block
        for site in _items(status, "sites")
        for block in _items(site, "blocks")
        if block.get("platform") == platform and block.get("wanted")
    ]
    closed = sum(1 for block in blocks if block.get("taken"))
    answers = [str(one["last_answer"]) for one in (*accounts, *feeds) if one.get("last_answer")]
    now = datetime.fromisoformat(str(status["at"]))
    return Row(
        platform,
        ", ".join(_modes(accounts, feeds)),
        _ago(now, max(map(datetime.fromisoformat, answers), default=None)),
        closed,
        len(blocks) - closed,
        _trouble(accounts, feeds, blocks),
    )


def _modes(accounts: Sequence[Json], feeds: Sequence[Json]) -> list[str]:
    modes = dict.fromkeys(str(one["mode"]) for one in (*accounts, *feeds) if one.get("mode"))
    return list(modes)


def _trouble(accounts: Sequence[Json], feeds: Sequence[Json], blocks: Sequence[Json]) -> str:
    said = [str(one["paused"]) for one in accounts if one.get("paused")]
    said += [str(one["error"]) for one in (*feeds, *blocks) if one.get("error")]
    return said[0][:60] if said else ""


def _ago(now: datetime, then: datetime | None) -> str:
    if then is None:
        return "-"
    seconds = max(0.0, (now - then).total_seconds())
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago"


def _items(of: Json, name: str) -> list[Json]:
    return [item for item in _list(of.get(name)) if isinstance(item, dict)]


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
