"""Bars into cells: a home's row as the cells of a table, each with its sign, its address and its full text.

Templates only write down what is made here. Nothing of it depends on the instant, so a row that did not change may be
kept as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from shared.domain import nights as night_view
from shared.domain.dates import StayDates
from shared.domain.setbacks import said as said_of
from shared.domain.spoken import PARIS, Said, span
from shared.domain.timeline import Bar, Reach, Row, Step, What
from shared.domain.why import Face
from shared.engine.opaque import sealed
from shared.web.letters import letter

Words = Callable[..., str]
"""A text of the interface by its key, with its values."""

MARKS: Mapping[Step, str] = {
    Step.TO_SEND: "○",
    Step.SENT: "➜",
    Step.CONFIRMED: "✓",
    Step.SEEN: "✓✓",
}
"""What stands for a step; nothing where nothing is to be closed."""

FAILED, DOUBTED = "!", "?"
"""What stands for a closure that failed or is to be made by hand, and for a fact nobody vouches for."""

NIGHT, SIGN, CHIP = 33, 22, 24
"""Pixels of a night's column at its narrowest, of a channel's letter, and of one channel's step beside it."""

_THEN = {"fr": "\N{NARROW NO-BREAK SPACE}; ", "en": "; "}
_EMPTY = frozenset({What.BLOCK, What.BUFFER, What.REOPENING})
"""Bars without a guest."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One channel's step: the channel's letter, the step's mark with its class, and both in words. ``error`` is what
    went wrong last, in both languages; None where nothing did."""

    letter: str
    platform: str
    mark: str
    style: str
    state: str
    error: Said | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Neighbouring nights of one lane; ``style`` is empty for free ones. In words: ``text``, then the guest's name (it
    may run in whatever direction), then ``told``."""

    span: int
    style: str = ""
    href: str = ""
    letter: str = ""
    platform: str = ""
    mark: str = ""
    signs: tuple[Sign, ...] = ()
    text: str = ""
    guest: str = field(default="", repr=False)
    told: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every bar of a page is drawn with: its nights, the language with its texts, names by id, and the zone in
    which times are told."""

    window: StayDates
    t: Words
    lang: str
    names: Mapping[str, str]
    zone: str = PARIS

    def lanes(self, row: Row) -> list[list[Cell]]:
        """A home's lanes, each from the first night to the last; one at least."""
        found = [list(self._cells(lane, row)) for lane in row.lanes]
        if row.more:
            found.append(list(self._counts(row)))
        return found or [[Cell(len(self.window))]]

    def _cells(self, lane: Sequence[Bar], row: Row) -> Iterator[Cell]:
        at = self.window.check_in
        for bar in lane:
            inside = bar.dates.intersection(self.window)
            assert inside is not None, "a lane holds what reaches into the window"
            if inside.check_in > at:
                yield Cell((inside.check_in - at).days)
            yield self._cell(bar, inside, row)
            at = inside.check_out
        if at < self.window.check_out:
            yield Cell((self.window.check_out - at).days)

    def _counts(self, row: Row) -> Iterator[Cell]:
        """The lane of what found none: how many on which nights."""
        at = self.window.check_in
        for dates, count in row.more:
            if dates.check_in > at:
                yield Cell((dates.check_in - at).days)
            text = self.t("calendar.more_full", count=count, nights=span(dates, self.lang))
            more = self.t("calendar.more", count=count)
            yield Cell(len(dates), "bar more", home_address(row.home, dates.check_in), mark=more, text=text)
            at = dates.check_out
        if at < self.window.check_out:
            yield Cell((self.window.check_out - at).days)

    def _cell(self, bar: Bar, inside: StayDates, row: Row) -> Cell:
        signs = self.signs(bar)
        fits = SIGN + CHIP * len(signs) <= NIGHT * len(inside)
        pressing = bar.clashes or bar.gone or bar.claimed
        return Cell(
            span=len(inside),
            style=" ".join(_styles(bar, inside, row, self.window)),
            href=self.where(row, bar, inside.check_in),
            letter=letter(bar.platform),
            platform=bar.platform,
            mark=mark(bar) if pressing or not fits else "",
            signs=signs if fits and not pressing else (),
            text=self._said(bar, row),
            guest=bar.guest,
            told=self._told(bar),
        )

    def _said(self, bar: Bar, row: Row) -> str:
        """Whose, what and when."""
        said = [
            self.named(bar.platform),
            self.t(f"calendar.what.{bar.what.value}"),
            span(bar.dates, self.lang),
        ]
        if bar.home != row.home:
            said.append(self.t("calendar.of_home", home=self.named(bar.home)))
        return ", ".join([*said, ""]) if bar.guest else ", ".join(said)

    def _told(self, bar: Bar) -> str:
        """What is special about it, and how far each channel is."""
        special = "".join(f", {note}" for note in self.notes(bar))
        signs = self.signs(bar)
        told = (self.t("calendar.reach", channel=self.named(one.platform), said=one.state) for one in signs)
        return _THEN[self.lang].join([special, *told])

    def notes(self, bar: Bar) -> list[str]:
        """What is special about a bar."""
        said: list[str] = []
        if bar.until is not None:
            said.append(self.t("calendar.hold_until", time=self.clock(bar.until)))
        if bar.claimed:
            said.append(self.t("calendar.claimed"))
        if bar.gone is not None:
            said.append(self.t("calendar.gone"))
        if bar.clashes:
            said.append(self.t("calendar.clash"))
        return said

    def signs(self, bar: Bar) -> tuple[Sign, ...]:
        """A sign for each channel that has something to close."""
        return tuple(
            Sign(
                letter(one.platform),
                one.platform,
                _sign(one),
                _step_style(one),
                self._state(one),
                said_of(one.error) if one.error else None,
            )
            for one in bar.reach
            if one.step in MARKS
        )

    def _state(self, one: Reach) -> str:
        said = [self.t(f"calendar.step.{one.step.value}")]
        if one.by_hand:
            said.append(self.t("calendar.by_hand"))
        elif one.tries:
            said.append(self.t("calendar.failed"))
        if one.exposed:
            said.append(self.t("calendar.exposed"))
        return ", ".join(said)

    def night(self, cell: night_view.Cell) -> Sign:
        """What a channel shows of one night."""
        said = [self.t(f"calendar.face.{cell.face.value}")]
        if cell.step in MARKS:
            said.append(self.t(f"calendar.step.{cell.step.value}"))
        if cell.left is not None:
            said.append(
                self.t("calendar.left_1") if cell.left == 1 else self.t("calendar.left_n", count=cell.left)
            )
        if cell.by_hand:
            said.append(self.t("calendar.by_hand"))
        mark = FAILED if cell.by_hand else MARKS.get(cell.step, "")
        style = (
            "bad"
            if cell.by_hand
            else "done"
            if cell.face is Face.CLOSED
            else "open"
            if mark
            else cell.face.value
        )
        return Sign("", "", mark, style, ", ".join(said))

    def where(self, row: Row, bar: Bar, day: date) -> str:
        """The address of what a bar is about, seen from a day."""
        return conflict_address(row, bar) if bar.clashes else home_address(row.home, day)

    def named(self, name: str) -> str:
        """A home or a platform, as people call it."""
        return self.names.get(name, name)

    def clock(self, at: datetime) -> str:
        """An instant of today by the homes' clock."""
        return f"{at.astimezone(ZoneInfo(self.zone)):%H:%M}"


def home_address(home: str, night: date) -> str:
    """The page of one home, from a night on."""
    return f"/calendar/{quote(home, safe='')}?start={night.isoformat()}"


def conflict_address(row: Row, bar: Bar) -> str:
    """The page of the first double booking that a bar is part of."""
    return f"/conflicts/{sealed(row.site, bar.clashes[0])}"


def mark(bar: Bar) -> str:
    """What a bar says in one sign, the most pressing first."""
    if bar.clashes or any(one.tries or one.by_hand for one in bar.reach):
        return FAILED
    if bar.gone or bar.claimed:
        return DOUBTED
    return MARKS.get(bar.slowest, "")


def _sign(one: Reach) -> str:
    return FAILED if one.tries or one.by_hand else MARKS[one.step]


def _step_style(one: Reach) -> str:
    if one.tries or one.by_hand:
        return "bad"
    return "done" if one.step in (Step.CONFIRMED, Step.SEEN) else "open"


def _styles(bar: Bar, inside: StayDates, row: Row, window: StayDates) -> Iterator[str]:
    yield "bar"
    yield bar.what.value
    if bar.what not in _EMPTY:
        yield f"by-{bar.platform}"
    flags = {
        "linked": bar.linked and bar.what not in _EMPTY,
        "elsewhere": bar.home != row.home,
        "clash": bool(bar.clashes),
        "gone": bar.gone is not None,
        "claimed": bar.claimed,
        "from-before": inside.check_in != bar.dates.check_in,
        "goes-on": inside.check_out != bar.dates.check_out,
        "one": len(inside) == 1,
        "at-end": (inside.check_in - window.check_in).days * 2 > len(window),
    }
    yield from (name for name, holds in flags.items() if holds)
