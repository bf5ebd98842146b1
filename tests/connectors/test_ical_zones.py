"""Nights are the home's own calendar days: over every change of clocks, at both ends of the date line, and in whatever
zone the machine stands. Whole days never shift, however a calendar writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import pytest

from shared.connectors.ical_read import read_calendar
from shared.domain.dates import StayDates, nights_of
from shared.domain.model import Property
from shared.domain.platform import BOOKING, GREENGO

DAY = timedelta(days=1)
TODAY = date(2027, 1, 1)

ZONES = (
    "Europe/Paris",
    "Europe/Lisbon",
    "Europe/Helsinki",
    "Africa/Casablanca",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Indian/Reunion",
)
"""Early and late, half hours and three quarters, clocks that change at midnight, by half an hour, or never."""

SERVERS = ("UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu")

ODD_DAYS = (date(2028, 2, 28), date(2028, 2, 29), date(2027, 12, 31), date(2028, 1, 1))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine whose own clock stands in another zone than the home."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def changes_of_clocks(zone: str) -> list[date]:
    """The days of 2027 and 2028 that have not 24 hours there."""
    days = (TODAY + n * DAY for n in range(731))
    there = ZoneInfo(zone)
    return [
        day
        for day in days
        if datetime.combine(day, clock(), there).utcoffset()
        != datetime.combine(day + DAY, clock(), there).utcoffset()
    ]


def moments(zone: str) -> list[StayDates]:
    """Stays of one to three nights that begin, lie, or end on the odd days."""
    days = sorted({*changes_of_clocks(zone), *ODD_DAYS})
    return [
        StayDates.of_nights(day - n * DAY, length) for day in days for n in (0, 1) for length in (1, 2, 3)
    ]


def utc(day: date, zone: str) -> str:
    """The home's midnight, told in UTC."""
    return f"{datetime.combine(day, clock(), ZoneInfo(zone)).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def forms(dates: StayDates, zone: str) -> dict[str, tuple[str, str]]:
    start, end = dates.check_in, dates.check_out
    return {
        "days": (f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}"),
        "a duration of days": (f"DTSTART;VALUE=DATE:{start:%Y%m%d}", f"DURATION:P{len(dates)}D"),
        "midnight UTC": (f"DTSTART:{start:%Y%m%d}T000000Z", f"DTEND:{end:%Y%m%d}T000000Z"),
        "hours of the home": (
            f"DTSTART;TZID={zone}:{start:%Y%m%d}T160000",
            f"DTEND;TZID={zone}:{end:%Y%m%d}T100000",
        ),
        "hours of nowhere": (f"DTSTART:{start:%Y%m%d}T160000", f"DTEND:{end:%Y%m%d}T100000"),
        "the home's midnight in UTC": (f"DTSTART:{utc(start, zone)}", f"DTEND:{utc(end, zone)}"),
    }


def read(bounds: tuple[str, str], zone: str) -> set[date]:
    lines = ("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:one", *bounds, "END:VEVENT", "END:VCALENDAR", "")
    busy = read_calendar("\r\n".join(lines).encode(), GREENGO, zone, TODAY)
    assert busy.oddities == ()
    return nights_of(dates for event in busy.events for dates in event.dates)


@pytest.mark.parametrize("zone", ZONES)
def test_whole_days_are_the_same_nights_in_every_form_and_zone(zone: str, server: str) -> None:
    assert len(moments(zone)) >= 24
    for dates in moments(zone):
        for form, bounds in forms(dates, zone).items():
            assert read(bounds, zone) == set(dates.nights()), f"{form} {dates} at {zone}, read at {server}"


@pytest.mark.parametrize("zone", ZONES)
def test_a_time_near_midnight_utc_never_costs_a_night(zone: str) -> None:
    """16:00 and 10:00 at home, told in UTC: the day there may be another one; no night of the stay is lost, and at most
    one on each side is held too."""
    for dates in moments(zone):
        there = ZoneInfo(zone)
        start = datetime.combine(dates.check_in, clock(16), there).astimezone(UTC)
        end = datetime.combine(dates.check_out, clock(10), there).astimezone(UTC)
        held = read((f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}"), zone)
        wide = StayDates(dates.check_in - DAY, dates.check_out + DAY)
        assert set(dates.nights()) <= held <= set(wide.nights()), f"{dates} at {zone}"


MIDNIGHTS = {
    "Europe/Paris": ("2027-01-14T23:00", "2027-07-14T22:00"),
    "Europe/Lisbon": ("2027-01-15T00:00", "2027-07-14T23:00"),
    "Europe/Helsinki": ("2027-01-14T22:00", "2027-07-14T21:00"),
    "America/New_York": ("2027-01-15T05:00", "2027-07-15T04:00"),
    "America/St_Johns": ("2027-01-15T03:30", "2027-07-15T02:30"),
    "America/Santiago": ("2027-01-15T03:00", "2027-07-15T04:00"),
    "Australia/Lord_Howe": ("2027-01-14T13:00", "2027-07-14T13:30"),
    "Pacific/Chatham": ("2027-01-14T10:15", "2027-07-14T11:15"),
    "Pacific/Kiritimati": ("2027-01-14T10:00", "2027-07-14T10:00"),
    "Pacific/Pago_Pago": ("2027-01-15T11:00", "2027-07-15T11:00"),
    "Indian/Reunion": ("2027-01-14T20:00", "2027-07-14T20:00"),
    "Asia/Kathmandu": ("2027-01-14T18:15", "2027-07-14T18:15"),
}
"""When 15 January and 15 July begin in each, in UTC, written down by hand."""


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_a_homes_day_begins_at_its_own_midnight(zone: str, server: str) -> None:
    home = Property("home", "Maison", frozenset({"home"}), zone)
    for text, day in zip(MIDNIGHTS[zone], (date(2027, 1, 15), date(2027, 7, 15)), strict=True):
        begins = datetime.fromisoformat(text).replace(tzinfo=UTC)
        assert home.today(begins) == day, server
        assert home.today(begins - timedelta(seconds=1)) == day - DAY, server


@pytest.mark.parametrize(
    ("check_in", "check_out", "count"),
    [
        ("20280229", "20280301", 1),
        ("20280228", "20280301", 2),
        ("20271231", "20280101", 1),
        ("20270301", "20280501", 427),
        ("20250101", "20250105", 4),
        ("20270101", "20270102", 1),
    ],
    ids=["leap day", "over it", "new year", "over a year", "long past", "today"],
)
def test_odd_stays_have_their_very_nights(check_in: str, check_out: str, count: int) -> None:
    bounds = (f"DTSTART;VALUE=DATE:{check_in}", f"DTEND;VALUE=DATE:{check_out}")
    lines = ("BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:one", *bounds, "END:VEVENT", "END:VCALENDAR", "")
    (event,) = read_calendar("\r\n".join(lines).encode(), BOOKING, "Europe/Paris", TODAY).events
    (dates,) = event.dates
    assert len(dates) == count
    assert f"{dates.check_in:%Y%m%d} {dates.check_out:%Y%m%d}" == f"{check_in} {check_out}"
