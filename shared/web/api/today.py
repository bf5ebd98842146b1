"""What needs a person, as the first page tells it: for programs, and for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.domain.spoken import LANGUAGES, Said, span
from shared.engine.conflict_view import Json as Conflict
from shared.engine.today_needs import ByHand, Group, Push, Where
from shared.engine.today_view import Today
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer
from shared.web.desk import Desk
from shared.web.words import words

Json = dict[str, object]

_COLON = {"fr": "\u202f: ", "en": ": "}


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """Everything the first page counts, under its headings and in its order; then what only needs time, counted."""
    view = await desk.operations.today.show(ask.person)
    found = {
        "at": view.at.isoformat(),
        "homes": view.homes,
        "calm": view.calm,
        "needs": list(_needs(view)),
        "settling": len(view.removals) - len(view.doubtful) + len(view.waiting) + len(view.on_way),
        "since": view.since.isoformat() if view.since else None,
        "checked": view.checked.isoformat() if view.checked else None,
    }
    return json_answer(200, found)


def _needs(view: Today) -> Iterator[Json]:
    for clash in view.conflicts:
        yield _need("conflicts", _clash(clash), href=str(clash["href"]))
    for hand in view.hands:
        yield _need("hands", _by_hand(hand), page=hand.page)
    for push in view.failed:
        yield _need("failed", _push(push))
    for gone in view.doubtful:
        where = {one: f"{gone.home_name}, {gone.nights_text[one]}" for one in LANGUAGES}
        yield _need("removals", {one: where[one] + _COLON[one] + gone.reason[one] for one in LANGUAGES})
    if view.messages:
        key = "today.messages_one" if view.messages == 1 else "today.messages_many"
        yield _need("messages", _both(lambda one: _text(one, key, count=view.messages)))
    for finding in view.engine:
        yield _need("engine", {one: f"{finding.cause[one]} {finding.step[one]}" for one in LANGUAGES})
    for group in view.pressing:
        yield _need("pressing", _group(group))


def _need(kind: str, said: Said, *, href: str = "", page: str = "") -> Json:
    return {"kind": kind, "said": dict(said), "href": href or None, "page": page or None}


def _clash(one: Conflict) -> Said:
    nights, severity = one["nights_text"], one["severity_text"]
    assert isinstance(nights, dict)
    assert isinstance(severity, dict)
    return _both(
        lambda spoken: (
            f"{one['home_name']}, {nights[spoken]}, "
            f"{_text(spoken, 'conflict.severity', severity=severity[spoken])}"
        )
    )


def _by_hand(one: ByHand) -> Said:
    return _both(lambda spoken: f"{_place(one.where)}, {span(one.dates, spoken)}{_because(one.why[spoken])}")


def _push(one: Push) -> Said:
    key = "today.failed_close" if one.closes else "today.failed_open"
    return _both(
        lambda spoken: (
            f"{_text(spoken, key)}{_COLON[spoken]}{_place(one.where)}, {span(one.dates, spoken)}"
            f"{_because(one.why[spoken])}"
        )
    )


def _group(one: Group) -> Said:
    """The trouble, its homes, and why or what to do."""
    trouble = f"today.trouble_{one.kind}"

    def said(spoken: str) -> str:
        todo = f"{trouble}_do" if one.kind == "unfetched" else ""
        more = one.why[spoken] or (_text(spoken, todo, platform=one.platform_name) if todo else "")
        return f"{_text(spoken, trouble, platform=one.platform_name)} {', '.join(one.homes)}{_because(more)}"

    return _both(said)


def _place(where: Where) -> str:
    return f"{where.platform_name}, {where.home_name}"


def _because(why: str) -> str:
    return f" ({why.removesuffix('.')})" if why else ""


def _text(language: str, key: str, **named: object) -> str:
    return words(language)[key].format(**named)


def _both(said: Callable[[str], str]) -> Said:
    return {language: said(language) for language in LANGUAGES}
