"""Booking.com's availability messages and answers, the read-back, and the full list of reservations."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors import strict_xml
from shared.connectors.booking_calendar_xml import (
    check_levels,
    read_levels,
    read_refusals,
    read_summary,
    split_unit,
    windows,
    write_availability,
    write_level_request,
    write_summary_request,
)
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Status
from tests.connectors.support import NOW, fixture, stay

A, B, C = stay("2027-08-14", 3).nights()
LOCATORS = {"1": A, "2": B, "3": C}


def refusals(inside: str, root: str = "OTA_HotelAvailNotifRS") -> dict[date, str]:
    return read_refusals(strict_xml.load(f"<{root}>{inside}</{root}>".encode()), LOCATORS)


# --------------------------------------------------------------------------------------------- writes


@given(st.dictionaries(st.dates(date(2027, 1, 1), date(2029, 1, 1)), st.integers(0, 254), max_size=40))
def test_one_message_a_night_with_both_ends_that_night(levels: dict[date, int]) -> None:
    body, locators = write_availability("777000101", levels, NOW)
    read = {}
    for message in strict_xml.load(body).iter("AvailStatusMessage"):
        (control,) = message
        assert control.get("Start") == control.get("End")
        assert control.get("InvTypeCode") == "777000101"
        night = date.fromisoformat(control.get("Start", ""))
        assert locators[message.get("LocatorID", "")] == night
        read[night] = int(message.get("BookingLimit", ""))
    assert read == levels


@pytest.mark.parametrize("level", [-1, 255, 10_000])
def test_a_level_without_limit_is_never_sent(level: int) -> None:
    with pytest.raises(ValueError, match="0 to 254"):
        check_levels({A: 1, B: level})
    check_levels({A: 0, B: 254})


@pytest.mark.parametrize(
    ("inside", "refused"),
    [
        ("<Success/>", {}),
        ('<Success/><Warnings><Warning Code="1"/></Warnings>', {}),
        ('<Success/><Warnings><Warning Code="1" Status="Complete"/></Warnings>', {}),
        (
            '<Success/><Warnings><Warning Code="497" Status="NotProcessed" LocatorID="2"/></Warnings>',
            {B: "no access to this property (code 497)"},
        ),
        (
            '<Success/><Warnings><Warning Code="77" Status="notprocessed" RecordID="3"/></Warnings>',
            {C: "refused (code 77)"},
        ),
        (
            '<Success/><Warnings><Warning Code="497" Status="NotProcessed" ShortText="Basile"/></Warnings>',
            dict.fromkeys((A, B, C), "no access to this property (code 497)"),
        ),
        (
            '<Success/><Warnings><Warning Status="NotProcessed" LocatorID="99"/></Warnings>',
            dict.fromkeys((A, B, C), "refused"),
        ),
        (
            '<Errors><Error Code="15" LocatorID="1"/><Error Code="450" LocatorID="2"/></Errors>',
            {A: "invalid date (code 15)", B: "unable to process (code 450)", C: "invalid date (code 15)"},
        ),
        ("<Errors/>", dict.fromkeys((A, B, C), "refused")),
        ('<Success/><Errors><Error Code="a b"/></Errors>', dict.fromkeys((A, B, C), "refused")),
        ("", dict.fromkeys((A, B, C), "refused")),
    ],
)
def test_only_what_the_body_does_not_refuse_is_accepted(inside: str, refused: dict[date, str]) -> None:
    assert refusals(inside) == refused


def test_another_document_is_no_answer() -> None:
    for inside, root in (("", "reservations"), ("<message/>", "error"), ("<Errors/>", "response")):
        with pytest.raises(PayloadRejected):
            refusals(inside, root)


# ------------------------------------------------------------------------------------------- reading


def test_levels_in_every_spelling_we_know_and_unknown_stays_unknown() -> None:
    levels = read_levels(strict_xml.load(fixture("booking/levels.xml")), "777000101")
    expected = {14: 0, 15: 0, 16: 1, 17: 2, 18: 0, 20: 1}
    assert levels == {date(2027, 8, day): level for day, level in expected.items()}


def test_requests_for_reading() -> None:
    asked = strict_xml.load(write_level_request("7770001", A, 31))
    assert {node.tag: node.text for node in asked} == {
        "hotel_id": "7770001",
        "number_of_days": "31",
        "start_date": "2027-08-14",
        "room_level": "1",
    }
    assert strict_xml.load(write_summary_request("7770001")).findtext("hotel_id") == "7770001"


@given(st.dates(date(2027, 1, 1), date(2030, 1, 1)), st.integers(1, 800))
def test_windows_cover_every_night_once(start: date, length: int) -> None:
    dates = StayDates.of_nights(start, length)
    parts = [StayDates.of_nights(first, days) for first, days in windows(dates)]
    assert [night for part in parts for night in part.nights()] == list(dates.nights())
    assert max(len(part) for part in parts) <= 31


def test_units_are_written_hotel_and_room() -> None:
    assert split_unit("7770001:777000101") == ("7770001", "777000101")
    for unit in ("", ":", "7770001", "7770001:", ":777000101", "a b:c", "1:2:3"):
        with pytest.raises(PayloadRejected, match="hotel:room"):
            split_unit(unit)


def test_a_summary_is_every_reservation_with_all_its_rooms() -> None:
    assert read_summary(strict_xml.load(fixture("booking/summary.xml")), "7770001") == (
        SeenStay(
            "4100000010",
            Status.CONFIRMED,
            (
                SeenRoom("7770001:777000101", "101", stay("2027-08-14", 2)),
                SeenRoom("7770001:777000102", "102", stay("2027-08-20", 1)),
            ),
            guest="Clio D.",
        ),
        SeenStay(
            "4100000011", Status.CONFIRMED, (SeenRoom("7770001:777000102", "103", stay("2027-08-14", 2)),)
        ),
        SeenStay("4100000012", Status.CANCELLED),
    )


ROOM = (
    "<room><arrival_date>2027-08-14</arrival_date><departure_date>2027-08-16</departure_date>"
    "<id>777000101</id></room>"
)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("", Status.CONFIRMED),
        ("new", Status.CONFIRMED),
        ("modified", Status.CONFIRMED),
        ("odd", Status.PENDING),
    ],
)
def test_an_unknown_status_holds_its_nights(word: str, status: Status) -> None:
    body = f"<reservations><reservation><id>1</id><status>{word}</status>{ROOM}</reservation></reservations>"
    (seen,) = read_summary(strict_xml.load(body.encode()), "7770001")
    assert (seen.status, seen.rooms[0].part) == (status, "r1")


@pytest.mark.parametrize(
    "reservation",
    [
        f"<id/>{ROOM}",
        "<id>1</id>",
        f"<id>1</id>{ROOM}<room><id>777000102</id></room>",
        f"<id>1</id>{ROOM.replace('2027-08-16', '2027-08-14')}",
        f"<id>1</id>{ROOM.replace('777000101', '')}",
    ],
)
def test_one_reservation_nobody_can_read_fails_the_list(reservation: str) -> None:
    body = f"<reservations><reservation>{reservation}</reservation></reservations>"
    with pytest.raises(PayloadRejected):
        read_summary(strict_xml.load(body.encode()), "7770001")


def test_an_empty_list_is_a_list_and_another_document_is_not() -> None:
    assert read_summary(strict_xml.load(b"<reservations/>"), "7770001") == ()
    with pytest.raises(PayloadRejected):
        read_summary(strict_xml.load(b"<ok/>"), "7770001")
