"""Calendars as hosts serve them on a bad day: each way of going wrong is a function from what is true to what is sent.

Every answer knows which nights it shows, from how it was made and not from any reading of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.connectors.ical_links import VRBO
from shared.domain.dates import StayDates, nights_of
from shared.domain.platform import AIRBNB, Platform

DAY = timedelta(days=1)
ZONE = "Europe/Paris"


@dataclass(frozen=True)
class Event:
    """One line of a calendar: ``sale`` where a guest stands behind it, ``form`` how its dates are written."""

    uid: str
    dates: StayDates
    sale: bool = True
    form: str = "days"
    extra: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Truth:
    """What one home's calendar on one platform should say. ``echoes`` are our own closures, shown as the platform's."""

    platform: Platform
    today: date
    sales: tuple[Event, ...]
    blocks: tuple[Event, ...] = ()
    echoes: tuple[Event, ...] = ()

    def events(self) -> tuple[Event, ...]:
        return tuple(sorted((*self.sales, *self.blocks, *self.echoes), key=lambda one: one.dates))


@dataclass(frozen=True)
class Answer:
    """What comes over the wire. ``shows`` are its ranges, or None where it is no proof of any absence: no answer, no
    calendar, or one of which a part cannot be read."""

    body: bytes = b""
    shows: frozenset[StayDates] | None = None
    status: int = 200


Lie = Callable[[random.Random, Truth], Sequence[Answer]]
"""The answers of a bad spell, one a poll, over and over."""


# ---------------------------------------------------------------------------------------- how it is written


def told(truth: Truth, events: Iterable[Event] | None = None) -> Answer:
    """A complete calendar of these events; of all that is true where none are given."""
    events = truth.events() if events is None else tuple(events)
    return Answer(write(truth.platform, events), frozenset(one.dates for one in events))


def write(platform: Platform, events: Iterable[Event]) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for one in events:
        lines += ["BEGIN:VEVENT", f"UID:{one.uid}" if one.uid else "CLASS:PUBLIC", *_bounds(one)]
        lines += [f"SUMMARY:{one.summary or _summary(platform, one)}", *filter(None, [one.extra])]
        if platform == AIRBNB and one.sale and not one.summary:
            lines.append(
                f"DESCRIPTION:https://www.airbnb.com/hosting/reservations/details/HM{one.uid.upper()[:8]}"
            )
        lines.append("END:VEVENT")
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def _summary(platform: Platform, one: Event) -> str:
    if platform == AIRBNB:
        return "Reserved" if one.sale else "Airbnb (Not available)"
    if platform == VRBO:
        return "Reserved - Ann" if one.sale else "Blocked"
    return "CLOSED - Not available"


def _bounds(one: Event) -> list[str]:
    start, end = one.dates.check_in, one.dates.check_out
    if one.form == "midnight utc":
        return [f"DTSTART:{start:%Y%m%d}T000000Z", f"DTEND:{end:%Y%m%d}T000000Z"]
    if one.form == "hours":
        return [f"DTSTART;TZID={ZONE}:{start:%Y%m%d}T160000", f"DTEND;TZID={ZONE}:{end:%Y%m%d}T100000"]
    if one.form == "home midnight in utc":
        return [f"DTSTART:{_utc(start)}", f"DTEND:{_utc(end)}"]
    if one.form == "duration":
        return [f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DURATION:P{len(one.dates)}D"]
    if one.form == "unreadable":
        return ["DTSTART;VALUE=DATE:2027-13-45", f"DTEND;VALUE=DATE:{end:%Y%m%d}"]
    if one.form == "backwards":
        return [f"DTSTART;VALUE=DATE:{start:%Y%m%d}", "DTEND;VALUE=DATE:19700101"]
    return [f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}"]


def _utc(day: date) -> str:
    return f"{datetime.combine(day, time(), ZoneInfo(ZONE)).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def moved(one: Event, days: int) -> Event:
    dates = StayDates(one.dates.check_in + days * DAY, one.dates.check_out + days * DAY)
    return replace(one, dates=dates)


def fresh(chance: random.Random) -> str:
    return f"{chance.getrandbits(48):012x}"


# ------------------------------------------------------------------------------------ no calendar, or none new


def failing(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    statuses = chance.sample([301, 401, 403, 404, 408, 410, 418, 429, 500, 502, 503, 504], 3)
    return [Answer(b"<html>sorry</html>", status=status) for status in statuses]


def unchanged_for_ever(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [Answer(status=304)]


def a_page(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    pages = [
        b"<!DOCTYPE html><title>Log in</title>",
        b"",
        b"null",
        b"{}",
        b"BEGIN:VCALENDAR",
        b"\xff\xfe\x00",
    ]
    return [Answer(page) for page in chance.sample(pages, 2)]


def torn(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    whole = told(truth).body
    return [Answer(whole[: chance.randrange(len(whole) - len(b"END:VCALENDAR\r\n"))]) for _ in range(3)]


# ------------------------------------------------------------------------------------------- too little


def empty(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, ())]


def only_the_past(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    past = [Event(fresh(chance), StayDates.of_nights(truth.today - n * 9 * DAY, 5)) for n in (1, 2, 3)]
    return [told(truth, past)]


def half_gone(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, [one for one in truth.events() if chance.random() < 0.5])]


def one_gone(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    lost = chance.choice(truth.sales)
    return [told(truth, [one for one in truth.events() if one != lost])]


def one_more_gone_each_time(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    left = list(truth.events())
    chance.shuffle(left)
    return [told(truth, left[n:]) for n in range(1, len(left) + 1)]


def another_one_gone_each_time(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, [one for one in truth.events() if one != lost]) for lost in truth.sales]


def sales_gone(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """What was closed is still there, every sale is missing."""
    return [told(truth, (*truth.blocks, *truth.echoes))]


def the_first_few(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, truth.events()[: chance.randrange(len(truth.events()))])]


def yesterdays(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """What was booked last is missing, and who has left is still there."""
    left = [one for one in truth.events() if chance.random() < 0.8]
    return [told(truth, [Event("departed", StayDates.of_nights(truth.today - 6 * DAY, 4)), *left])]


def all_cancelled(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    body = write(truth.platform, (replace(one, extra="STATUS:CANCELLED") for one in truth.events()))
    return [Answer(body, frozenset())]


# -------------------------------------------------------------------------------------------- other nights


def shifted(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """An end misread or a zone too many: every stay a day off, under its own UID or a new one."""
    days, renamed = chance.choice([-1, 1]), chance.random() < 0.5
    events = [moved(one, days) for one in truth.events()]
    return [told(truth, (replace(one, uid=fresh(chance)) if renamed else one for one in events))]


def cut_short(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """The last night of each stay is missing; who stays one night is not there at all."""
    kept = [one for one in truth.events() if len(one.dates) > 1]
    return [
        told(
            truth,
            (replace(one, dates=StayDates(one.dates.check_in, one.dates.check_out - DAY)) for one in kept),
        )
    ]


def another_home(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    starts = [truth.today + chance.randrange(200) * DAY for _ in range(chance.randrange(1, 15))]
    return [
        told(
            truth, [Event(fresh(chance), StayDates.of_nights(day, chance.randrange(1, 8))) for day in starts]
        )
    ]


def dates_of_nowhere(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """The year 1970 where a date was missing, the year 9999 where it is open; for some or for all."""
    share = chance.choice([0.2, 1.0])
    epoch = StayDates(date(1970, 1, 1), date(1970, 1, 2))
    last = StayDates(date(9999, 12, 30), date(9999, 12, 31))
    odd = chance.choice([epoch, last])
    return [
        told(truth, (replace(one, dates=odd) if chance.random() < share else one for one in truth.events()))
    ]


def without_end(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    events = list(truth.events())
    at = chance.randrange(len(events))
    events[at] = replace(events[at], dates=StayDates(events[at].dates.check_in, date(9999, 12, 31)))
    return [told(truth, events)]


def swapped(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """All UIDs are there, each on the nights of another."""
    events = truth.events()
    names = [one.uid for one in events]
    chance.shuffle(names)
    return [told(truth, (replace(one, uid=name) for one, name in zip(events, names, strict=True)))]


# ------------------------------------------------------------------------ the same nights, told in another way


def reissued(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, (replace(one, uid=fresh(chance)) for one in truth.events())) for _ in range(5)]


def doubled(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    again = [one if chance.random() < 0.5 else replace(one, uid=fresh(chance)) for one in truth.events()]
    return [told(truth, (*truth.events(), *again))]


def in_other_words(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """Another language, a name, nothing at all: what is a sale looks like a closure, and the other way round."""
    words = ["Réservé", "Blocked", "Reserved", "Airbnb (Not available)", "Not available", "CLOSED - Ann", "-"]
    named = chance.random() < 0.5
    return [
        told(
            truth,
            (
                replace(one, summary=chance.choice(words), uid=one.uid if named else fresh(chance))
                for one in truth.events()
            ),
        )
    ]


def in_another_form(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    forms = ["midnight utc", "hours", "home midnight in utc", "duration"]
    same = chance.choice([*forms, ""])
    return [told(truth, (replace(one, form=same or chance.choice(forms)) for one in truth.events()))]


def without_names(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, (replace(one, uid="") for one in truth.events()))]


def transparent(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    return [told(truth, (replace(one, extra="TRANSP:TRANSPARENT") for one in truth.events()))]


def joined(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """What touches is one event."""
    events: list[Event] = []
    for one in truth.events():
        if events and events[-1].dates.check_out == one.dates.check_in and events[-1].sale == one.sale:
            dates = StayDates(events[-1].dates.check_in, one.dates.check_out)
            events[-1] = replace(events[-1], dates=dates)
        else:
            events.append(one)
    return [told(truth, events)]


def split(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """Every night an event of its own, the first under the old name."""
    return [
        told(
            truth,
            (
                replace(one, dates=StayDates.of_nights(night, 1), uid=f"{one.uid}-{n}" if n else one.uid)
                for one in truth.events()
                for n, night in enumerate(one.dates.nights())
            ),
        )
    ]


# ----------------------------------------------------------------------------------- partly readable, and more


def partly_unreadable(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """Some events are missing, and of what is there one has dates nobody can read."""
    left = [one for one in truth.events() if chance.random() < 0.7]
    broken = replace(
        chance.choice(truth.events()), form=chance.choice(["unreadable", "backwards"]), uid="broken"
    )
    return [replace(told(truth, [*left, broken]), shows=None)]


def limits_that_slide(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """Airbnb's booking window and notice, a day further each time, under new names."""
    answers = []
    for day in range(6):
        notice = StayDates.of_nights(truth.today + day * DAY, 1)
        window = StayDates.of_nights(truth.today + (365 + day) * DAY, 90)
        rules = [Event(fresh(chance), dates, sale=False) for dates in (notice, window)]
        answers.append(told(truth, (*truth.events(), *rules)))
    return answers


def a_mix(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    """One poll this, one poll that: two copies of the site behind one address."""
    first, second = chance.sample(PLAIN, 2)
    return [*first(chance, truth)[:2], *second(chance, truth)[:2]]


def now_good_now_bad(chance: random.Random, truth: Truth) -> Sequence[Answer]:
    bad = chance.choice(PLAIN)(chance, truth)
    return [answer for one in bad[:3] for answer in (one, told(truth))]


PLAIN: tuple[Lie, ...] = (
    *(failing, unchanged_for_ever, a_page, torn),
    *(empty, only_the_past, half_gone, one_gone, one_more_gone_each_time, another_one_gone_each_time),
    *(sales_gone, the_first_few, yesterdays, all_cancelled),
    *(shifted, cut_short, another_home, dates_of_nowhere, without_end, swapped),
    *(reissued, doubled, in_other_words, in_another_form, without_names, transparent, joined, split),
    *(partly_unreadable, limits_that_slide),
)
LIES: tuple[Lie, ...] = (*PLAIN, a_mix, now_good_now_bad)


SEASONS = StayDates(date(2026, 1, 1), date(2030, 1, 1))
"""The years these stories are about; some calendars go on to the year 9999."""


def nights_shown(answer: Answer) -> set[date] | None:
    """The nights an answer shows as taken, or None where it proves nothing."""
    if answer.shows is None:
        return None
    return nights_of(inside for one in answer.shows if (inside := one.intersection(SEASONS)) is not None)
