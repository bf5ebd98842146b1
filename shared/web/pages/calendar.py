"""The calendar's pages: homes over days as a table and as a list, and one home night by night."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import quote, urlencode

from markupsafe import Markup

from shared.domain.dates import StayDates
from shared.domain.errors import NotFound, PayloadRejected
from shared.domain.nights import Night
from shared.domain.timeline import Row
from shared.engine.calendar_view import Asked, Calendar, HomeCalendar
from shared.use_cases import Ask, HttpAnswer
from shared.web.agenda import agenda
from shared.web.bars import Drawing
from shared.web.desk import Desk
from shared.web.refusals import no_such_thing
from shared.web.ticks import STAMP, is_tick, tick
from shared.web.words import words

YEARS = range(2000, 2200)
"""Years in which a page may begin."""

MOST_KEPT = 1_000
"""Pieces that are kept written: some megabytes."""

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Written:
    """A piece of a page, and the very rows it was written from."""

    rows: tuple[Row, ...]
    html: Markup


_KEPT: dict[tuple[object, ...], _Written] = {}
"""By what else a piece depends on. A row stays the same object for as long as nothing about it changes."""


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """The homes over a month of days; whether there is news, for a script that has them already."""
    if is_tick(ask):
        return tick(news=not await desk.operations.calendar.still(ask.query[STAMP]))
    try:
        asked = _asked(ask)
        view = await desk.operations.calendar.show(ask.person, asked)
    except PayloadRejected as wrong:
        return _refused(desk, ask, str(wrong))
    except NotFound:
        return no_such_thing(desk.pages, ask)
    drawing = Drawing(view.window, _texts(ask), ask.language, view.names, view.zone)
    as_list = ask.query.get("view") == "list"
    link = _Links("/calendar", asked, as_list)
    return desk.pages.page(
        ask,
        "calendar_part.html" if ask.part else "calendar.html",
        view=view,
        asked=asked,
        as_list=as_list,
        table="" if as_list else _table(desk, ask, drawing, view, asked.channel),
        agenda=_agenda(desk, ask, drawing, view, link),
        last=view.window.check_out - timedelta(days=1),
        moves=_moves(view.window),
        link=link,
        drawing=drawing,
    )


async def home(desk: Desk, ask: Ask) -> HttpAnswer:
    """One home, night by night and channel by channel."""
    try:
        start = _day(ask)
        view = await desk.operations.calendar.home(ask.person, ask.params["home"], start)
    except PayloadRejected as wrong:
        return _refused(desk, ask, str(wrong))
    except NotFound:
        return no_such_thing(desk.pages, ask)
    drawing = Drawing(view.window, _texts(ask), ask.language, view.names, view.zone)
    return desk.pages.page(
        ask,
        "calendar_home.html",
        view=view,
        row=view.row,
        lanes=drawing.lanes(view.row),
        nights=_grouped(view),
        doubted=sorted({cell.listing for one in view.nights for cell in one.cells if cell.doubt}),
        months=_months(view.window),
        days=_days(view.window, view.today),
        moves=_moves(view.window),
        link=_Links(f"/calendar/{quote(view.row.home, safe='')}", Asked(start=start), as_list=False),
        drawing=drawing,
    )


@dataclass(frozen=True, slots=True)
class _Links:
    """Addresses of the same page with something else chosen."""

    path: str
    asked: Asked
    as_list: bool

    def to(self, start: date | None = None, page: int | None = None, *, as_list: bool | None = None) -> str:
        """This page from another day on, another page of homes, or in its other form."""
        values = {
            "start": "" if (start or self.asked.start) is None else f"{start or self.asked.start}",
            "home": self.asked.home,
            "channel": self.asked.channel,
            "page": "" if (page or self.asked.page) == 1 else f"{page or self.asked.page}",
            "view": "list" if (self.as_list if as_list is None else as_list) else "",
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def today(self) -> str:
        """This page from today on."""
        return replace(self, asked=replace(self.asked, start=None)).to()

    def tick(self, stamp: object) -> str:
        """Where a script asks whether there is news."""
        where = self.to()
        return f"{where}{'&' if '?' in where else '?'}{urlencode({STAMP: str(stamp)})}"


@dataclass(frozen=True, slots=True)
class _Day:
    """One column: its night, and how it is marked."""

    day: date
    style: str


def _asked(ask: Ask) -> Asked:
    page = ask.query.get("page") or "1"
    if not (page.isascii() and page.isdigit() and len(page) < 6):
        raise PayloadRejected(_texts(ask)("calendar.bad_page", what=page[:40]))
    return Asked(_day(ask), ask.query.get("home", ""), ask.query.get("channel", ""), int(page))


def _day(ask: Ask) -> date | None:
    written = ask.query.get("start", "")
    if not written:
        return None
    try:
        found = date.fromisoformat(written)
    except ValueError:
        found = date.min
    if found.year not in YEARS:
        raise PayloadRejected(_texts(ask)("calendar.bad_day", what=written[:40]))
    return found


def _refused(desk: Desk, ask: Ask, said: str) -> HttpAnswer:
    title = words(ask.language)["refused.title_400"]
    return desk.pages.page(ask, "refused.html", 400, title=title, said=said)


def _texts(ask: Ask) -> _Texts:
    return _Texts(words(ask.language))


@dataclass(frozen=True, slots=True)
class _Texts:
    """The interface's texts of one language, as templates ask for them."""

    found: Mapping[str, str]

    def __call__(self, key: str, **named: object) -> str:
        return self.found[key].format(**named)


def _kept(rows: tuple[Row, ...], depends_on: tuple[object, ...], write: Callable[[], str]) -> Markup:
    """A piece of a page as it was written from these very rows, or written now. Its template escaped every value."""
    kept = _KEPT.pop(depends_on, None)
    if (
        kept is None
        or len(kept.rows) != len(rows)
        or any(a is not b for a, b in zip(kept.rows, rows, strict=True))
    ):
        kept = _Written(rows, Markup(write()))  # noqa: S704 - see above
    _KEPT[depends_on] = kept
    while len(_KEPT) > MOST_KEPT:
        del _KEPT[next(iter(_KEPT))]
    return kept.html


def _row(desk: Desk, ask: Ask, drawing: Drawing, channel: str, row: Row) -> Markup:
    def write() -> str:
        return desk.pages.text(ask, "calendar_row.html", row=row, lanes=drawing.lanes(row), drawing=drawing)

    return _kept((row,), ("row", row.home, drawing.window, ask.language, channel), write)


def _table(desk: Desk, ask: Ask, drawing: Drawing, view: Calendar, channel: str) -> Markup:
    def write() -> str:
        return desk.pages.text(
            ask,
            "calendar_table.html",
            rows=[_row(desk, ask, drawing, channel, row) for row in view.rows],
            window=view.window,
            last=view.window.check_out - timedelta(days=1),
            months=_months(view.window),
            days=_days(view.window, view.today),
        )

    return _kept(view.rows, ("table", drawing.window, ask.language, view.today, channel), write)


def _agenda(desk: Desk, ask: Ask, drawing: Drawing, view: Calendar, link: _Links) -> Markup:
    def write() -> str:
        found = agenda(view.rows, view.window)
        return desk.pages.text(
            ask, "calendar_agenda.html", agenda=found, today=view.today, drawing=drawing, link=link
        )

    return _kept(view.rows, ("agenda", drawing.window, ask.language, view.today, link), write)


def _months(window: StayDates) -> list[tuple[date, int]]:
    """The months of a window, by one of their days, with how many of its nights are in each."""
    found = groupby(window.nights(), key=lambda day: (day.year, day.month))
    return [(nights[0], len(nights)) for _, group in found if (nights := list(group))]


def _days(window: StayDates, today: date) -> list[_Day]:
    return [_Day(day, _style(day, today)) for day in window.nights()]


def _style(day: date, today: date) -> str:
    """The day, the past, the nights that sell best."""
    if day == today:
        return "now"
    if day < today:
        return "past"
    return "we" if day.weekday() in (4, 5) else ""


def _moves(window: StayDates) -> dict[str, date]:
    """Where the window may be moved to: a week or a month back and on, where a page may begin there."""
    start = window.check_in
    found = {
        "month_back": _month_on(start, -1),
        "week_back": start - _WEEK,
        "week_on": start + _WEEK,
        "month_on": _month_on(start, 1),
    }
    return {name: day for name, day in found.items() if day.year in YEARS}


def _month_on(day: date, months: int) -> date:
    """The same day of another month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Neighbouring nights of which the same is to be said, told in one line."""

    dates: StayDates
    night: Night


def _grouped(view: HomeCalendar) -> list[_Stretch]:
    found: list[_Stretch] = []
    for one in view.nights:
        last = found[-1] if found else None
        if last is not None and (last.night.cells, last.night.bars) == (one.cells, one.bars):
            found[-1] = replace(last, dates=StayDates(last.dates.check_in, one.night + timedelta(days=1)))
        else:
            found.append(_Stretch(StayDates.of_nights(one.night, 1), one))
    return found
