"""What is remembered and explained."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from shared.domain.errors import PayloadRejected
from shared.domain.record import Kind
from shared.engine.csv_text import csv_text
from shared.engine.history import HEADER, MOST_CSV, PAGE, Question, as_json, cells
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import REFUSALS, json_answer, refused
from shared.web.days import asked_day
from shared.web.desk import Desk


async def history(desk: Desk, ask: Ask) -> HttpAnswer:
    """What happened, newest first, by pages."""
    try:
        asked = await _question(desk, ask)
    except REFUSALS as wrong:
        return refused(wrong)
    page = await desk.operations.record.page(asked, int(ask.query.get("limit", PAGE)))
    lines = [as_json(entry, asked.names) for entry in page.entries]
    return json_answer(200, {"site": asked.site, "lines": lines, "next": page.next or None})


async def history_file(desk: Desk, ask: Ask) -> HttpAnswer:
    """The same as CSV; where there are more lines, a ``Link`` header names the next file."""
    try:
        asked = await _question(desk, ask)
    except REFUSALS as wrong:
        return refused(wrong)
    page = await desk.operations.record.page(asked, int(ask.query.get("limit", MOST_CSV)))
    name = re.sub(r"[^A-Za-z0-9_-]", "-", asked.home or asked.site)[:60]
    headers = {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": f'attachment; filename="history-{name}.csv"',
        "cache-control": "no-store",
    }
    if page.next:
        more = urlencode({"limit": str(MOST_CSV), **ask.query, "page": page.next})
        headers["link"] = f'</api/history.csv?{more}>; rel="next"'
    return HttpAnswer(200, csv_text(HEADER, [cells(entry, asked.names) for entry in page.entries]), headers)


async def why(desk: Desk, ask: Ask) -> HttpAnswer:
    """Why a night is as it is."""
    try:
        night = asked_day("date", ask.query["date"])
        if night is None:
            raise PayloadRejected("date is missing")
        return json_answer(200, await desk.operations.explain.reasons(ask.person, ask.query["home"], night))
    except REFUSALS as wrong:
        return refused(wrong)


async def _question(desk: Desk, ask: Ask) -> Question:
    query = ask.query
    return await desk.operations.record.question(
        ask.person,
        query.get("site", ""),
        query.get("home", ""),
        asked_day("from", query.get("from", "")),
        asked_day("to", query.get("to", "")),
        Kind(query["kind"]) if query.get("kind") else None,
        query.get("page", ""),
    )
