"""The record of all one's homes: filters, pages, and the same as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from shared.domain.model import SiteState
from shared.domain.record import Kind
from shared.engine.csv_text import csv_text
from shared.engine.history import HEADER, cells
from shared.engine.history_all import MOST_PAGE, PAGE, Lines, Place, Records, Search
from shared.engine.homes_seen import homes_by_name, states_seen
from shared.use_cases import Ask, HttpAnswer
from shared.web.days import read_day
from shared.web.desk import Desk
from shared.web.refusals import no_such_thing

KINDS = tuple(kind.value for kind in Kind)
MOST_WHO = 60


@dataclass(frozen=True, slots=True)
class Read:
    """What the query asks for; ``wrong`` names the fields that cannot be read."""

    search: Search
    wrong: tuple[str, ...]


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """A page of lines, newest first."""
    read, states = _read(ask.query), await states_seen(desk.operations.world, ask.person)
    if not _is_home(read.search.home, states):
        return no_such_thing(desk.pages, ask)
    lines = await _lines(desk, states, read, PAGE)
    kept = {name: ask.query[name] for name in ("home", "kind", "from", "to", "who") if ask.query.get(name)}
    return desk.pages.page(
        ask,
        "history.html",
        400 if read.wrong else 200,
        lines=[told.json() for told in lines.told],
        homes=homes_by_name(states),
        kinds=KINDS,
        asked={name: ask.query.get(name, "") for name in ("home", "kind", "from", "to", "who")},
        wrong=read.wrong,
        first="before" not in ask.query,
        left_out=lines.left_out,
        start=f"/history?{urlencode(kept)}" if kept else "/history",
        older=f"/history?{urlencode({**kept, 'before': str(lines.next)})}" if lines.next else "",
        file=f"/history.csv?{urlencode(kept)}" if kept else "/history.csv",
    )


async def file(desk: Desk, ask: Ask) -> HttpAnswer:
    """The same lines as CSV, the newest ``MOST_PAGE``; where there are more, a ``Link`` header names the next file."""
    read, states = _read(ask.query), await states_seen(desk.operations.world, ask.person)
    if not _is_home(read.search.home, states):
        return no_such_thing(desk.pages, ask)
    if read.wrong:
        return await show(desk, ask)
    lines = await _lines(desk, states, read, MOST_PAGE)
    headers = {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": 'attachment; filename="history.csv"',
        "cache-control": "no-store",
    }
    if lines.next:
        headers["link"] = f'</history.csv?{urlencode({**ask.query, "before": str(lines.next)})}>; rel="next"'
    rows = [cells(told.entry, told.names) for told in lines.told]
    return HttpAnswer(200, csv_text(HEADER, rows), headers)


async def _lines(desk: Desk, states: list[SiteState], read: Read, limit: int) -> Lines:
    if read.wrong:
        return Lines(())
    return await Records(desk.operations.world).newest(states, read.search, limit)


def _is_home(home: str, states: list[SiteState]) -> bool:
    return not home or any(home in state.site.properties for state in states)


def _read(query: Mapping[str, str]) -> Read:
    wrong = []
    kind, before = query.get("kind", ""), query.get("before", "")
    place = Place.parse(before) if before else None
    if before and place is None:
        wrong.append("before")
    if kind and kind not in KINDS:
        wrong.append("kind")
    days = {}
    for name in ("from", "to"):
        days[name], is_day = _day(query.get(name, ""))
        wrong += [] if is_day else [name]
    search = Search(
        query.get("home", ""),
        frozenset({Kind(kind)} if kind in KINDS else ()),
        days["from"],
        days["to"],
        query.get("who", "").strip()[:MOST_WHO],
        place,
    )
    return Read(search, tuple(wrong))


def _day(written: str) -> tuple[date | None, bool]:
    """A day, and whether the text was one or empty."""
    found = read_day(written)
    return found, found is not None or not written
