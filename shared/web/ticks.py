"""Ticks: an open page asks, again and again, whether there is news. It is told that alone; what the news is, the page
then asks for like anybody."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer

STAMP = "stamp"
"""The parameter that says of when a page is (``shared.engine.stamps.Stamp``)."""

NEWS = "news"
"""The event that tells a page to ask for itself again."""


def is_tick(ask: Ask) -> bool:
    """Whether a script asks for news, rather than for a page or a piece of one."""
    return ask.part and STAMP in ask.query


def tick(*, news: bool) -> HttpAnswer:
    """Nothing to show (204), and whether it is worth asking."""
    headers = {"cache-control": "no-store"}
    return HttpAnswer(204, b"", {**headers, "hx-trigger": NEWS} if news else headers)
