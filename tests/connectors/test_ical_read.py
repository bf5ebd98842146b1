"""One calendar at a time: dates, words, identities, faults, limits. Guests and codes are invented."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.ical_links import GITES, ICAL, VRBO
from shared.connectors.ical_text import MOST_BYTES
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import FeedRefused
from shared.domain.model import Busy
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Platform
from shared.ports.platforms import FeedBusy
from tests.connectors.corpus import TODAY, ranges, read

JULY = "DTSTART;VALUE=DATE:20270710\nDTEND;VALUE=DATE:20270713\n"


def feed(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\n{event}END:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{body}END:VCALENDAR\n"


def nights(*events: str, zone: str = "Europe/Paris", today: date = TODAY) -> list[str]:
    busy = read(feed(*events), zone=zone, today=today)
    assert busy.oddities == ()
    return sorted(map(str, ranges(busy.events)))


def only(busy: FeedBusy) -> tuple[Busy, str, str]:
    (event,) = busy.events
    return event.kind, event.code, event.guest


# ------------------------------------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (JULY, "2027-07-10/2027-07-13"),
        ("DTEND;VALUE=DATE:20270713\nDTSTART;VALUE=DATE:20270710\n", "2027-07-10/2027-07-13"),
        ("DTSTART:20270710\nDTEND:20270713\n", "2027-07-10/2027-07-13"),
        ("dtstart;value=date:20270710\nDtEnd;Value=Date:20270713\n", "2027-07-10/2027-07-13"),
        ("DTSTART;VALUE=DATE:20270710\n", "2027-07-10/2027-07-11"),
        ("DTSTART;VALUE=DATE:20270710\nDTEND;VALUE=DATE:20270710\n", "2027-07-10/2027-07-11"),
        ("DTSTART;VALUE=DATE:20270710\nDURATION:P3D\n", "2027-07-10/2027-07-13"),
        ("DTSTART;VALUE=DATE:20270710\nDURATION:P1W\n", "2027-07-10/2027-07-17"),
        ("DTSTART;VALUE=DATE:20270710\nDURATION:PT36H\n", "2027-07-10/2027-07-12"),
        ("DTSTART:20270710T150000\nDURATION:P2DT20H\n", "2027-07-10/2027-07-13"),
        ("DTSTART;VALUE=DATE:20270710\nDTEND;VALUE=DATE:20270711\nDURATION:P3D\n", "2027-07-10/2027-07-13"),
        ("DTSTART:20270710T100000\nDTEND:20270710T120000\n", "2027-07-10/2027-07-11"),
        (
            "DTSTART;TZID=Europe/Paris:20270710T150000\nDTEND;TZID=Europe/Paris:20270713T100000\n",
            "2027-07-10/2027-07-13",
        ),
        (
            'DTSTART;TZID="(UTC+01:00) Somewhere":20270710T233000\nDTEND:20270713T000000\n',
            "2027-07-10/2027-07-13",
        ),
        (
            "DTSTART;TZID=(UTC+01:00) Somewhere:20270710T233000\nDTEND:20270713T000000\n",
            "2027-07-10/2027-07-13",
        ),
        ("DTSTART;VALUE=DATE:20280228\nDTEND;VALUE=DATE:20280301\n", "2028-02-28/2028-03-01"),
        ("DTSTART;VALUE=DATE:20271231\nDTEND;VALUE=DATE:20280101\n", "2027-12-31/2028-01-01"),
        ("DTSTART;VALUE=DATE:20270710\nDTEND:20270713T110000\n", "2027-07-10/2027-07-13"),
        ("DTSTART:20270710T150000\nDTEND;VALUE=DATE:20270713\n", "2027-07-10/2027-07-13"),
        ("DTSTART:20270710T235960\nDTEND:20270713T000000\n", "2027-07-10/2027-07-13"),
        ("DTSTART:99991230\nDTEND:99991231\n", "9999-12-30/9999-12-31"),
    ],
)
def test_dates_become_nights(lines: str, expected: str) -> None:
    assert nights(lines) == [expected]


UTC_TIMES = [
    ("Europe/Paris", "20270710T000000Z", "20270713T000000Z", "2027-07-10/2027-07-13"),  # Greengo's bare dates
    ("America/Guadeloupe", "20270710T000000Z", "20270713T000000Z", "2027-07-10/2027-07-13"),
    ("Europe/Paris", "20270709T220000Z", "20270712T220000Z", "2027-07-10/2027-07-13"),  # midnights at home
    ("Europe/Paris", "20280110T230000Z", "20280112T230000Z", "2028-01-11/2028-01-13"),
    ("Europe/Paris", "20270710T130000Z", "20270713T080000Z", "2027-07-10/2027-07-13"),
    (
        "Europe/Paris",
        "20270710T223000Z",
        "20270713T223000Z",
        "2027-07-10/2027-07-14",
    ),  # near midnight: the wider
    ("America/Guadeloupe", "20270710T020000Z", "20270713T020000Z", "2027-07-09/2027-07-13"),
    ("Pacific/Noumea", "20270710T140000Z", "20270713T140000Z", "2027-07-10/2027-07-14"),
    ("UTC", "20270710T223000Z", "20270713T223000Z", "2027-07-10/2027-07-13"),
    (
        "Europe/Paris",
        "20280325T233000Z",
        "20280326T030000Z",
        "2028-03-25/2028-03-26",
    ),  # the night clocks change
]


@pytest.mark.parametrize(("zone", "start", "end", "expected"), UTC_TIMES)
def test_a_utc_time_never_frees_a_night_of_the_home(zone: str, start: str, end: str, expected: str) -> None:
    assert nights(f"DTSTART:{start}\nDTEND:{end}\n", zone=zone) == [expected]


def test_a_zero_z_date_stays_that_date_in_every_zone_of_the_world() -> None:
    lines = "DTSTART:20270710T000000Z\nDTEND:20270713T000000Z\n"
    for zone in (
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Asia/Kathmandu",
        "America/St_Johns",
        "Europe/London",
    ):
        assert nights(lines, zone=zone) == ["2027-07-10/2027-07-13"]


def test_cancelled_is_free_tentative_and_transparent_are_busy() -> None:
    assert nights(f"STATUS:CANCELLED\n{JULY}") == []
    assert nights(f"status: cancelled \n{JULY}") == []
    assert nights(f"STATUS:TENTATIVE\n{JULY}") == ["2027-07-10/2027-07-13"]
    assert nights(f"TRANSP:TRANSPARENT\n{JULY}") == ["2027-07-10/2027-07-13"]


def test_an_alarm_or_a_task_inside_or_beside_an_event_is_not_its_date() -> None:
    alarm = "BEGIN:VALARM\nDTSTART:20300101\nDTEND:20300201\nUID:x\nEND:VALARM\n"
    todo = f"BEGIN:VTODO\n{JULY}END:VTODO\n"
    body = feed(f"{alarm}{JULY}").replace("VERSION:2.0\n", f"VERSION:2.0\n{todo}")
    assert sorted(map(str, ranges(read(body).events))) == ["2027-07-10/2027-07-13"]


def test_a_closure_for_ever_is_cut_in_january_only() -> None:
    lines = "DTSTART;VALUE=DATE:20270301\nDTEND;VALUE=DATE:99991231\n"
    assert (
        nights(lines, today=date(2027, 1, 1))
        == nights(lines, today=date(2027, 12, 31))
        == ["2027-03-01/2036-01-01"]
    )
    assert nights(lines, today=date(2028, 1, 1)) == ["2027-03-01/2037-01-01"]
    assert nights("DTSTART:19000101\nDTEND:19500101\n") == ["1900-01-01/1900-01-02"]


# ------------------------------------------------------------------------------------------- recurrence


def test_a_recurring_event_is_one_event_with_its_exceptions() -> None:
    lines = (
        "UID:weekend\nDTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260104\nRRULE:FREQ=WEEKLY;COUNT=4\n"
        "EXDATE;VALUE=DATE:20260109\nRDATE;VALUE=DATE:20260206\n"
    )
    moved = "UID:weekend\nRECURRENCE-ID;VALUE=DATE:20260116\nDTSTART;VALUE=DATE:20260117\nDTEND;VALUE=DATE:20260119\n"
    busy = read(feed(lines, moved))
    assert [event.uid for event in busy.events] == ["weekend"]
    assert list(map(str, busy.events[0].dates)) == [
        "2026-01-02/2026-01-04",
        "2026-01-17/2026-01-19",
        "2026-01-23/2026-01-25",
        "2026-02-06/2026-02-08",
    ]


def test_a_cancelled_occurrence_is_free_and_a_cancelled_series_too() -> None:
    series = "UID:s\nDTSTART:20260102\nRRULE:FREQ=WEEKLY;COUNT=2\n"
    one = "UID:s\nRECURRENCE-ID:20260109\nDTSTART:20260109\nSTATUS:CANCELLED\n"
    assert nights(series, one) == ["2026-01-02/2026-01-03"]
    assert nights(f"STATUS:CANCELLED\n{series}") == []


def test_occurrences_count_inside_the_window_only_and_single_events_always() -> None:
    weekly = "UID:s\nDTSTART:20200103\nRRULE:FREQ=WEEKLY\n"
    found = [StayDates.parse(text) for text in nights(weekly, "UID:old\nDTSTART:20200101\n")]
    assert found[0] == StayDates.parse("2020-01-01/2020-01-02")
    assert found[1].check_out > TODAY - timedelta(days=30)
    assert found[-1].check_in < TODAY + timedelta(days=730)
    assert len(found) in (109, 110)


def test_a_stay_under_way_at_the_windows_edge_is_seen() -> None:
    long = "UID:s\nDTSTART:20250601\nDTEND:20251231\nRRULE:FREQ=YEARLY\n"
    assert nights(long, today=date(2025, 12, 20))[0] == "2025-06-01/2025-12-31"


def test_until_and_exceptions_on_another_clock_are_the_same_instants() -> None:
    lines = (
        "UID:s\nDTSTART;TZID=Europe/Paris:20260105T200000\nDURATION:PT2H\nRRULE:FREQ=DAILY;UNTIL=20260107T190000Z\n"
        "EXDATE:20260106T190000Z\n"
    )
    assert nights(lines) == ["2026-01-05/2026-01-06", "2026-01-07/2026-01-08"]
    assert nights("UID:s\nDTSTART:20260105T200000\nRRULE:FREQ=DAILY;UNTIL=20260106\n") == [
        "2026-01-05/2026-01-06",
        "2026-01-06/2026-01-07",
    ]


def test_two_series_under_one_uid_are_both_busy() -> None:
    first, second = (f"UID:s\nDTSTART:2026{month}01\nRRULE:FREQ=DAILY;COUNT=1\n" for month in ("03", "05"))
    assert nights(first, second) == ["2026-03-01/2026-03-02", "2026-05-01/2026-05-02"]


def test_a_rule_left_out_holds_its_own_night_and_says_so() -> None:
    busy = read(feed("UID:s\nDTSTART:20270710\nDTEND:20270712\nRRULE:FREQ=HOURLY\n"))
    assert list(map(str, ranges(busy.events))) == ["2027-07-10/2027-07-12"]
    assert busy.oddities == ("event 1 (line 3): its RRULE is left out: its FREQ is not expanded",)


# ------------------------------------------------------------------------------------------------ words

DETAILS = "DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/d\n etails/HMEXAMPLE1\\nPhone: 0\n"


@pytest.mark.parametrize(
    ("platform", "lines", "expected"),
    [
        (AIRBNB, f"SUMMARY:Reserved\n{DETAILS}", (Busy.STAY, "HMEXAMPLE1", "")),
        (AIRBNB, "SUMMARY:Reserved\n", (Busy.STAY, "", "")),
        (AIRBNB, "SUMMARY:Airbnb (Not available)\n", (Busy.BLOCK, "", "")),
        (AIRBNB, "SUMMARY:Not available\n", (Busy.BLOCK, "", "")),
        (AIRBNB, "SUMMARY:Ann Other (HMEXAMPLE2)\n", (Busy.STAY, "HMEXAMPLE2", "Ann")),
        (AIRBNB, "SUMMARY:Something new\n", (Busy.CLOSED, "", "")),
        (AIRBNB, "", (Busy.CLOSED, "", "")),
        (BOOKING, "SUMMARY:CLOSED - Not available\n", (Busy.CLOSED, "", "")),
        (BOOKING, "SUMMARY:CLOSED - Ann Other\n", (Busy.CLOSED, "", "Ann")),
        (GREENGO, "SUMMARY:GreenGo (Not Available)\n", (Busy.CLOSED, "", "")),
        (GREENGO, "SUMMARY:Reserved\n", (Busy.CLOSED, "", "")),
        (VRBO, "SUMMARY:Reserved - Ann\n", (Busy.STAY, "", "Ann")),
        (VRBO, "SUMMARY:Réservée - Prénom\n", (Busy.STAY, "", "Prénom")),
        (VRBO, "SUMMARY:Réservée\n", (Busy.STAY, "", "")),
        (VRBO, "SUMMARY:Provisoire - Prénom\n", (Busy.STAY, "", "Prénom")),
        (VRBO, "SUMMARY:Blocked\n", (Busy.BLOCK, "", "")),
        (VRBO, "SUMMARY:Indisponible\n", (Busy.BLOCK, "", "")),
        (VRBO, "SUMMARY:Nicht verfügbar\n", (Busy.CLOSED, "", "")),
        (GITES, "SUMMARY:Reserved\n", (Busy.CLOSED, "", "")),
        (ICAL, "SUMMARY:Ann Other\n", (Busy.CLOSED, "", "")),
    ],
)
def test_words_are_read_by_the_platforms_habits(
    platform: Platform, lines: str, expected: tuple[Busy, str, str]
) -> None:
    assert only(read(feed(f"UID:1\n{lines}{JULY}"), platform)) == expected


def test_a_limit_is_never_said_by_one_calendar_alone() -> None:
    for platform in (AIRBNB, BOOKING, GREENGO, VRBO, ICAL):
        busy = read(feed(f"SUMMARY:Airbnb (Not available)\n{JULY}"), platform)
        assert busy.events[0].kind is not Busy.LIMIT


def test_a_guests_name_is_in_no_repr() -> None:
    busy = read(feed(f"UID:1\nSUMMARY:Réservée - Zébulon\n{JULY}"), VRBO)
    assert busy.events[0].guest == "Zébulon"
    assert "Zébulon" not in repr(busy)


# ------------------------------------------------------------------------------------------- identities


def test_one_uid_twice_is_one_event_with_both_ranges_and_the_harder_kind() -> None:
    august = "DTSTART:20270801\nDTEND:20270803\n"
    busy = read(feed(f"UID:1\nSUMMARY:Blocked\n{august}", f"UID:1\nSUMMARY:Reserved - Ann\n{JULY}"), VRBO)
    (event,) = busy.events
    assert (event.uid, event.kind, event.guest) == ("1", Busy.STAY, "Ann")
    assert list(map(str, event.dates)) == ["2027-07-10/2027-07-13", "2027-08-01/2027-08-03"]


def test_without_uid_the_content_is_the_identity() -> None:
    first, again = read(feed(JULY)).events[0].uid, read(feed("DTSTART:20270801\n", JULY)).events[1].uid
    assert first == again
    assert first.startswith("content-")
    assert read(feed(f"UID: \n{JULY}")).events[0].uid == first
    assert read(feed(f"SUMMARY:Blocked\n{JULY}"), VRBO).events[0].uid != first


def test_a_long_uid_is_hashed_and_stays_one_to_one() -> None:
    uids = {read(feed(f"UID:{'x' * 300}{end}\n{JULY}")).events[0].uid for end in "ab"}
    assert len(uids) == 2
    assert all(len(uid) <= 100 for uid in uids)
    assert read(feed(f"UID:{'x' * 100}\n{JULY}")).events[0].uid == "x" * 100


# --------------------------------------------------------------------------------------- form and faults


@pytest.mark.parametrize(
    "body",
    [
        feed(JULY).replace("\n", "\r\n"),
        feed(JULY).replace("\n", "\r"),
        feed(JULY).replace("\n", "\r\n", 3),
        "\ufeff" + feed(JULY),
        feed(JULY).rstrip("\n"),
        "\n\n" + feed(JULY) + "\n \t\n",
        feed(JULY) + feed(JULY),
        "\ufeff" + feed(JULY) + "\ufeff" + feed(JULY),
        feed(JULY).replace("0710", "07\n 10"),
        feed(JULY).replace("BEGIN", "begin").replace("END:", "end:"),
        feed(f"SUMMARY:two\u2028lines\x0b\x0c\x85\n{JULY}"),
        feed(f"DESCRIPTION:first\nsecond without colon\n\n:strange\n{JULY}"),
    ],
)
def test_every_way_to_end_a_line_reads_the_same(body: str) -> None:
    busy = read(body)
    assert sorted(map(str, ranges(busy.events))) == ["2027-07-10/2027-07-13"]
    assert busy.oddities == ()


def test_what_is_not_utf8_is_latin_1_and_a_fold_may_cut_a_character() -> None:
    latin = feed(f"UID:1\nSUMMARY:Réservée - Zoé\n{JULY}").encode("latin-1")
    assert only(read(latin, VRBO)) == (Busy.STAY, "", "Zoé")
    cut = feed(f"UID:1\nSUMMARY:Réservée - Zoé\n{JULY}").encode().replace(b"Zo\xc3\xa9", b"Zo\xc3\n \xa9")
    assert only(read(cut, VRBO)) == (Busy.STAY, "", "Zoé")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "not a calendar: an empty answer"),
        ("\r\n \n", "not a calendar: an empty answer"),
        ("<html><body>Sign in", "not a calendar: an HTML page"),
        ("\n<!DOCTYPE html>\nBEGIN:VCALENDAR", "not a calendar: an HTML page"),
        ('{"error": "no"}', "not a calendar: line 1 stands before any BEGIN:VCALENDAR"),
        (f"x\n{feed(JULY)}", "not a calendar: line 1 stands before any BEGIN:VCALENDAR"),
        (f"{feed(JULY)}x\n", "line 8: something stands after END:VCALENDAR"),
        (f"{feed(JULY)}x:y\n", "line 8: something stands after END:VCALENDAR"),
        ("BEGIN:VEVENT\nEND:VEVENT\n", "line 1: something stands outside BEGIN:VCALENDAR"),
        (feed(JULY)[:-15], "torn off at line 6: END:VCALENDAR is missing"),
        (feed(JULY)[:40], "torn off at line 3: END:VCALENDAR is missing"),
        (feed(JULY).replace("END:VEVENT\n", ""), "line 6: a component ends that was not the last to begin"),
        (feed(f"{JULY}BEGIN:VEVENT\nEND:VEVENT\n"), "line 6: VEVENT inside another component"),
        (f"BEGIN:VCALENDAR\n{feed(JULY)}END:VCALENDAR\n", "line 2: VCALENDAR inside another component"),
        (feed(JULY).replace("BEGIN:VEVENT", "BEGIN:VEVENT "), "line 3: a component without a readable name"),
        (feed("UID:1\n", "UID:2\n"), "none of its 2 events has a date that can be read"),
        (feed("DTSTART:2027-07-10\n"), "none of its 1 events has a date that can be read"),
    ],
)
def test_a_refusal_says_what_and_where(body: str, why: str) -> None:
    with pytest.raises(FeedRefused) as caught:
        read(body)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("lines", "why", "held"),
    [
        ("DTSTART:20270710\nDTEND:2027-07-13\n", "its DTEND cannot be read, one night is held", True),
        ("DTSTART:20270710\nDTEND;VALUE=DATE 20270713\n", "its DTEND cannot be read", True),
        ("DTSTART:20270710\nDTEND\n", "its DTEND cannot be read", True),
        ("DTSTART:20270710\nDURATION:P\n", "its DURATION cannot be read, one night is held", True),
        ("DTSTART:20270710\nDURATION:-P3D\n", "its DURATION lies before its start, one night is held", True),
        ("DTSTART:20270710\nDTEND:20270701\n", "its DTEND lies before its start, one night is held", True),
        ("DTSTART:20270710T1500\n", "its DTSTART cannot be read", False),
        ("DTSTART:20270230\n", "its DTSTART cannot be read", False),
        ("DTSTART:２０２７０７１０\n", "its DTSTART cannot be read", False),
        ("DTEND:20270713\n", "it has no DTSTART", False),
        ("DTSTART:20270710\nDTSTART:20270711\n", "it has two different DTSTART", True),
        ("DTSTART:99991231\n", "it lies at the end of the calendar", False),
        ("DTSTART:20270710\nRDATE:soon\n", "one RDATE cannot be read", True),
    ],
)
def test_a_single_bad_event_is_told_and_the_rest_is_read(lines: str, why: str, held: bool) -> None:
    busy = read(feed(f"UID:good\n{JULY}", f"UID:bad\nSUMMARY:Ann Other\n{lines}"), today=date(2027, 7, 1))
    assert busy.oddities == (f"event 2 (line 8): {why}",)
    assert [event.uid for event in busy.events] == (["good", "bad"] if held else ["good"])


def test_many_oddities_are_told_shortly() -> None:
    busy = read(feed(JULY, *["UID:bad\n"] * 1000))
    assert len(busy.oddities) == 21
    assert busy.oddities[-1] == "and 980 more"


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    folded = feed(f"DESCRIPTION:a\n b\n c\n{JULY}", "UID:bad\n").replace("\n", "\r\n")
    assert read(folded).oddities == ("event 2 (line 10): it has no DTSTART",)


# ------------------------------------------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (feed(JULY) + "\n" * MOST_BYTES, "more than"),
        (feed(*["DTSTART:20270710\n"] * 20_001), "more than 20000 events"),
        (
            feed(*[f"UID:{n}\nDTSTART:20200101\nDTEND:20291231\n" for n in range(60)]),
            "more than 200000 nights",
        ),
        ("BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 200_000, "torn off at line 200002"),
        ("BEGIN:VCALENDAR\nX:" + "a" * 2_000_000, "torn off at line 2"),
    ],
    ids=["bytes", "events", "nights", "depth", "one line"],
)
def test_too_much_is_refused_by_name_and_soon(body: str, why: str) -> None:
    begin = process_time()
    with pytest.raises(FeedRefused, match=why):
        read(body)
    assert process_time() - begin < 2


@pytest.mark.parametrize(
    "body",
    [
        feed(*[f"UID:{n}\nDTSTART:20270710\n" for n in range(20_000)]),
        feed(f"SUMMARY:{'a' * 1_900_000}\n{JULY}"),
        feed("\n " * 600_000 + JULY),
        feed(f"{JULY}" + '";:\n' * 400_000),
        feed(JULY).replace("VERSION:2.0\n", "x\n" * 900_000),
        feed(f"{JULY}" + "DTEND:20270714\n" * 100_000),
        feed('DTSTART;X="' * 100_000 + "\n" + JULY),
    ],
    ids=["events", "one line", "folds", "quotes", "bad lines", "ends", "open quotes"],
)
def test_the_largest_calendars_end_soon(body: str) -> None:
    begin = process_time()
    read(body)
    assert process_time() - begin < 4


# -------------------------------------------------------------------------------- against the library

MOMENTS = st.integers(0, 20 * 365 * 86400).map(
    lambda second: datetime.combine(date(2015, 1, 1), time()) + timedelta(seconds=second)
)
DAY_PAIRS = st.tuples(st.dates(date(2015, 1, 1), date(2035, 1, 1)), st.integers(0, 60)).map(
    lambda pair: (pair[0], pair[0] + pair[1] * ONE_DAY)
)
MOMENT_PAIRS = st.tuples(
    MOMENTS, st.integers(0, 60 * 24 * 20), st.sampled_from([None, UTC, ZoneInfo("Asia/Tokyo")])
).map(
    lambda pair: (
        pair[0].replace(tzinfo=pair[2]),
        pair[0].replace(tzinfo=pair[2]) + timedelta(minutes=pair[1]),
    )
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=60)


@given(st.lists(st.tuples(st.one_of(DAY_PAIRS, MOMENT_PAIRS), TEXTS, TEXTS, st.booleans()), max_size=12))
def test_what_icalendar_writes_is_read_as_icalendar_reads_it(
    events: list[tuple[tuple[date, date], str, str, bool]],
) -> None:
    calendar = icalendar.Calendar()
    for number, ((start, end), uid, summary, by_duration) in enumerate(events):
        event = icalendar.Event()
        event.add("dtstart", start)
        event.add(*(("duration", end - start) if by_duration else ("dtend", end)))
        event.add("uid", f"{number} {uid[:24]}")  # within LONGEST_UID, whatever the letters
        event.add("summary", summary)
        calendar.add_component(event)
    busy = read(calendar.to_ical(), zone="UTC")
    assert busy.oddities == ()
    assert {(event.uid, event.dates) for event in busy.events} == {
        (str(event["UID"]), (by_the_rule(event.start, event.end),))
        for event in icalendar.Calendar.from_ical(calendar.to_ical()).walk("VEVENT")
    }


def by_the_rule(start: date, end: date) -> StayDates:
    """The corpus' own reading: local days, at least one night."""
    first, last = (at.date() if isinstance(at, datetime) else at for at in (start, end))
    return StayDates(first, max(last, first + ONE_DAY))


@given(st.binary(max_size=400), st.integers(0, 60), st.integers(0, 200))
def test_no_bytes_do_anything_but_read_or_refuse(noise: bytes, at: int, length: int) -> None:
    body = feed(f"UID:1\nRRULE:FREQ=DAILY;COUNT=3\n{JULY}").encode()
    for hostile in (noise, body[:at] + noise + body[at + length :]):
        with suppress(FeedRefused):
            assert isinstance(read(hostile), FeedBusy)


@given(st.integers(1, 400))
def test_a_calendar_cut_anywhere_is_refused(at: int) -> None:
    body = feed(f"UID:1\nSUMMARY:Reserved\n{JULY}", JULY, JULY).rstrip("\n")
    if at < len(body):
        with pytest.raises(FeedRefused):
            read(body[:at])
