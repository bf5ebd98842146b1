"""What a calendar costs: a changed one beside ``icalendar`` alone, an unchanged one beside hashing its bytes.

    python -m bench.ical

Contenders take turns round by round; the ratio is taken inside each round and the median printed. Goals: a changed
calendar at most 1.2x the library's parse of the same bytes (which gives no nights yet), an unchanged one known by its
digest in a few times the bare hash. Feeds are invented, in the shapes of the platforms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from statistics import median
from time import perf_counter

import icalendar

from bench.score import Score
from shared.connectors.ical_fetch import digest
from shared.connectors.ical_links import ICAL, VRBO
from shared.connectors.ical_read import read_calendar
from shared.domain.platform import AIRBNB, BOOKING, Platform

TODAY = date(2027, 1, 1)
ROUNDS = 7
GOAL = 1.2

DETAILS = (
    "DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/d\r\n etails/HM{n:08d}\\nPhone Number"
    " (Last 4 Digits): 0000\r\n"
)
EVENTS = {
    AIRBNB: "DTEND;VALUE=DATE:{end}\r\nDTSTART;VALUE=DATE:{start}\r\nUID:1418fb94e984-{n:032x}@airbnb.com\r\n"
    + DETAILS
    + "SUMMARY:Reserved\r\n",
    BOOKING: "UID:{n:020d}@booking.com\r\nDTSTAMP:20270101T060000Z\r\nDTSTART;VALUE=DATE:{start}\r\n"
    "DTEND;VALUE=DATE:{end}\r\nSUMMARY:CLOSED - Not available\r\n",
    VRBO: "UID:00000000-0000-4000-8000-{n:012x}\r\nDTSTAMP:20270101T060000Z\r\nDTSTART;VALUE=DATE:{start}\r\n"
    "DTEND;VALUE=DATE:{end}\r\nSUMMARY:Réservée - Prénom\r\n",
    ICAL: "UID:{n}@example.com\r\nDTSTAMP:20270101T060000Z\r\nDTSTART;TZID=Europe/Paris:{start}T150000\r\n"
    "DTEND;TZID=Europe/Paris:{end}T100000\r\nSUMMARY:Ann Other\\, Paris\r\nSTATUS:CONFIRMED\r\nTRANSP:OPAQUE\r\n",
}


def feed(platform: Platform, events: int, extra: str = "") -> bytes:
    """A calendar of so many stays in a row."""
    body = []
    for n in range(events):
        start = TODAY + timedelta(days=4 * n)
        days = {"start": f"{start:%Y%m%d}", "end": f"{start + timedelta(days=3):%Y%m%d}"}
        body.append("BEGIN:VEVENT\r\n" + EVENTS[platform].format(n=n, **days) + extra + "END:VEVENT\r\n")
    head = "BEGIN:VCALENDAR\r\nPRODID:-//Invented//EN\r\nCALSCALE:GREGORIAN\r\nVERSION:2.0\r\n"
    return (head + "".join(body) + "END:VCALENDAR\r\n").encode()


def seconds(call: Callable[[], object], least: float = 0.02) -> float:
    """Seconds a call, over as many calls as last for ``least`` seconds."""
    calls, begin = 0, perf_counter()
    while (passed := perf_counter() - begin) < least or not calls:
        call()
        calls += 1
    return passed / calls


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float, float]:
    """Median ratio of ours to theirs, and the median seconds of each."""
    rounds = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    return median(a / b for a, b in rounds), median(a for a, _ in rounds), median(b for _, b in rounds)


def hashed(body: bytes) -> str:
    """The bare hash of the bytes: what no digest can beat."""
    return sha256(body).hexdigest()


def scores() -> list[Score]:
    """The changed calendars for the table of all benches, and one unchanged one."""
    found = []
    for platform in EVENTS:
        body = feed(platform, 60)
        changed, _, _ = ratio(
            partial(read_calendar, body, platform, "Europe/Paris", TODAY),
            partial(icalendar.Calendar.from_ical, body),
        )
        found.append(
            Score("calendars", f"changed, {platform}, 60 events / icalendar alone", changed, goal=GOAL)
        )
    same, _, _ = ratio(partial(digest, body), partial(icalendar.Calendar.from_ical, body))
    found.append(Score("calendars", "unchanged, known by its digest / icalendar alone", same))
    return found


def main() -> None:
    """Print the table."""
    print(f"{'calendar':42} {'ours':>10} {'beside':>10} {'ratio':>9}  goal")
    for platform in EVENTS:
        for events in (60, 300):
            body = feed(platform, events)
            show(
                f"changed, {platform}, {events} events / icalendar",
                ratio(
                    partial(read_calendar, body, platform, "Europe/Paris", TODAY),
                    partial(icalendar.Calendar.from_ical, body),
                ),
                f"<= {GOAL}",
            )
    weekly = feed(ICAL, 40, "RRULE:FREQ=WEEKLY;COUNT=3\r\n")
    show(
        "changed, 40 recurring events / icalendar",
        ratio(
            partial(read_calendar, weekly, ICAL, "Europe/Paris", TODAY),
            partial(icalendar.Calendar.from_ical, weekly),
        ),
        "(expanded)",
    )
    for platform in (AIRBNB, VRBO):
        body = feed(platform, 60)
        show(
            f"unchanged, {platform}, 60 events / sha256",
            ratio(partial(digest, body), partial(hashed, body)),
            "",
        )
        show(
            f"unchanged, {platform}, 60 events / icalendar",
            ratio(partial(digest, body), partial(icalendar.Calendar.from_ical, body)),
            "",
        )


def show(name: str, result: tuple[float, float, float], goal: str) -> None:
    """One line."""
    share, ours, theirs = result
    print(f"{name:42} {ours * 1e6:8.0f}us {theirs * 1e6:8.0f}us {share:9.4f}  {goal}")


if __name__ == "__main__":
    main()
