"""Our feed: what it says, what it must not say, and that equal content is equal bytes."""

from __future__ import annotations

from datetime import date, timedelta

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.ical_export import etag, write_calendar
from shared.connectors.ical_read import unescaped
from shared.domain.dates import StayDates
from tests.connectors.corpus import ranges, read

STAYS = st.builds(
    lambda day, nights: StayDates.of_nights(date(2000, 1, 1) + timedelta(days=day), nights),
    st.integers(0, 20_000),
    st.integers(1, 400),
)
CLOSED = st.lists(st.tuples(STAYS, st.text(max_size=20)), max_size=20)


def export(closed: list[tuple[StayDates, str]], **changes: str) -> bytes:
    options = {"seed": "listing-7", "name": "Les Tilleuls", "domain": "sync.example"} | changes
    return write_calendar(closed, **options)


@given(CLOSED)
def test_what_is_read_back_is_what_was_closed(closed: list[tuple[StayDates, str]]) -> None:
    busy = read(export(closed))
    assert ranges(busy.events) == {dates for dates, _ in closed}
    assert busy.oddities == ()
    # One event per closure: two causes with the same nights stay two.
    assert sum(len(event.dates) for event in busy.events) == len(set(closed))


@given(CLOSED)
def test_icalendar_reads_the_same(closed: list[tuple[StayDates, str]]) -> None:
    events = icalendar.Calendar.from_ical(export(closed)).walk("VEVENT")
    assert {StayDates(event["DTSTART"].dt, event["DTEND"].dt) for event in events} == {
        dates for dates, _ in closed
    }
    assert all(event["UID"].endswith("@sync.example") for event in events)


@given(CLOSED, st.text(max_size=200))
def test_every_line_ends_in_crlf_and_has_at_most_75_octets(
    closed: list[tuple[StayDates, str]], name: str
) -> None:
    body = export(closed, name=name)
    assert body.endswith(b"END:VCALENDAR\r\n")
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    body.decode("utf-8")


@given(
    CLOSED,
    st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs", "Co", "Cn"]), max_size=150),
)
def test_the_calendars_name_comes_back(closed: list[tuple[StayDates, str]], name: str) -> None:
    shown = icalendar.Calendar.from_ical(export(closed, name=name)).get("X-WR-CALNAME", "")
    assert unescaped(str(shown)) == name


@given(CLOSED.flatmap(lambda closed: st.tuples(st.just(closed), st.permutations(closed))))
def test_equal_content_is_equal_bytes_in_any_order(
    pair: tuple[list[tuple[StayDates, str]], list[tuple[StayDates, str]]],
) -> None:
    one, other = (export(closed) for closed in pair)
    assert one == other
    assert etag(one) == etag(other)


def test_another_content_has_another_etag() -> None:
    dates = StayDates(date(2027, 7, 10), date(2027, 7, 13))
    assert etag(export([(dates, "a")])) != etag(export([]))
    assert etag(export([(dates, "a")])) != etag(export([(dates, "b")]))


def test_a_uid_is_stable_ours_and_tells_nothing() -> None:
    dates = StayDates(date(2027, 7, 10), date(2027, 7, 13))
    later = StayDates(date(2027, 7, 12), date(2027, 7, 15))
    (uid,) = (event.uid for event in read(export([(dates, "airbnb|HMEXAMPLE1")])).events)
    assert uid in export([(dates, "airbnb|HMEXAMPLE1"), (later, "x")]).decode()
    assert uid not in export([(later, "airbnb|HMEXAMPLE1")]).decode()
    assert uid not in export([(dates, "airbnb|HMEXAMPLE1")], seed="listing-8").decode()
    body = export([(dates, "airbnb|HMEXAMPLE1")])
    assert b"HMEXAMPLE1" not in body
    assert b"airbnb" not in body
    assert b"listing-7" not in body


def test_the_words_are_neutral_in_both_languages() -> None:
    dates = StayDates(date(2027, 7, 10), date(2027, 7, 13))
    assert b"SUMMARY:Not available\r\n" in export([(dates, "a")])
    assert b"SUMMARY:Indisponible\r\n" in export([(dates, "a")], language="fr")
    assert b"SUMMARY:Not available\r\n" in export([(dates, "a")], language="xx")


def test_a_name_cannot_add_a_line() -> None:
    body = export([], name="Home\r\nBEGIN:VEVENT\u2028\x85\x00END")
    assert b"\r\nBEGIN:VEVENT" not in body
    assert read(body).events == ()
