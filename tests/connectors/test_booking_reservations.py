"""Booking.com's reservation messages, read into facts; the nights go through XML and back unharmed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors import strict_xml
from shared.connectors.booking_xml import (
    MODIFY,
    NEW,
    is_receipt,
    read_queue,
    read_ruid,
    write_acknowledgement,
)
from shared.domain.dates import nights_of
from shared.domain.errors import PayloadRejected
from shared.domain.facts import Polled, SeenRoom, SeenStay
from shared.domain.model import Status
from tests.connectors.support import NOW, fixture, stay


def read(queue: str, body: bytes) -> Polled:
    return read_queue(queue, strict_xml.load(body))


def test_new_reservations_with_several_rooms_and_gaps() -> None:
    ((receipt, first),) = read(NEW, fixture("booking/new.xml")).stays
    assert receipt == "new:4100000001"
    assert first == SeenStay(
        "4100000001",
        Status.CONFIRMED,
        (
            SeenRoom("7770001:777000101", "101", stay("2027-08-14", 2)),
            SeenRoom("7770001:777000101", "101#2", stay("2027-08-18", 1)),
            SeenRoom("7770001:777000102", "102", stay("2027-08-20", 2)),
        ),
        version=0,
        guest="Basile H.",
    )


def test_a_broken_reservation_costs_none_of_its_siblings_and_shows_no_card() -> None:
    polled = read(NEW, fixture("booking/new.xml"))
    assert [one.receipt for one in polled.unplaced] == ["new:4100000002", ""]
    assert [one.reason for one in polled.unplaced] == [
        "a room with a date nobody can read",
        "no readable reservation id",
    ]
    assert b'EffectiveDate="soon"' in polled.unplaced[0].raw
    assert b"4000000000000000" not in polled.unplaced[0].raw
    assert "soon" not in repr(polled.unplaced[0])


def test_modifications_cancellations_and_words_of_tomorrow() -> None:
    stays = read(MODIFY, fixture("booking/modify.xml")).stays
    assert [(receipt, seen.id, seen.status) for receipt, seen in stays] == [
        ("modify:4100000001", "4100000001", Status.CONFIRMED),
        ("modify:4100000003", "4100000003", Status.CANCELLED),
        ("modify:4100000004", "4100000004", Status.PENDING),
    ]
    assert [len(seen.rooms) for _, seen in stays] == [1, 0, 1]


def entry(inside: str, attributes: str = "", reservation: str = "4100000009") -> bytes:
    return (
        f"<OTA_HotelResModifyNotifRQ><HotelResModifies><HotelResModify {attributes}>{inside}"
        f'<ResGlobalInfo><HotelReservationIDs><HotelReservationID ResID_Value="{reservation}"/>'
        "</HotelReservationIDs></ResGlobalInfo></HotelResModify></HotelResModifies></OTA_HotelResModifyNotifRQ>"
    ).encode()


def room(
    rates: str = '<RoomRates><RoomRate EffectiveDate="2027-08-14"/></RoomRates>',
    *,
    unit: str = '<RoomTypes><RoomType RoomTypeCode="777000101"/></RoomTypes>',
    hotel: str = '<BasicPropertyInfo HotelCode="7770001"/>',
    index: str = 'IndexNumber="101"',
) -> str:
    return f"<RoomStays><RoomStay {index}>{unit}{rates}{hotel}</RoomStay></RoomStays>"


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("", "neither a room nor a cancellation"),
        (room(rates=""), "a room without nights"),
        (room(unit=""), "a room without its id or its property's"),
        (room(hotel=""), "a room without its id or its property's"),
        (room(unit='<RoomType RoomTypeCode="7 7"/>'), "a room without its id or its property's"),
        (room('<TimeSpan Start="2027-08-14" End="2027-08-14"/>'), "an impossible span"),
        (room('<TimeSpan Start="2027-08-14" End="2099-08-14"/>'), "an impossible span"),
        (room('<TimeSpan Start="2027-08-14"/>'), "a date nobody can read"),
        (room('<RoomRate EffectiveDate="2027-02-30"/>'), "a date nobody can read"),
        (room('<RoomRate EffectiveDate="9999-12-31"/>'), "a date nobody can read"),
        (room() + room(rates=""), "a room without nights"),
    ],
)
def test_nights_nobody_can_read_go_to_a_person_never_half_a_reservation(inside: str, reason: str) -> None:
    polled = read(MODIFY, entry(inside, 'ResStatus="Modify"'))
    assert polled.stays == ()
    assert [(one.receipt, reason in one.reason) for one in polled.unplaced] == [("modify:4100000009", True)]


@pytest.mark.parametrize("word", ["Cancel", "CANCELLED", "canceled"])
def test_a_cancellation_frees_even_with_rooms_nobody_can_read(word: str) -> None:
    ((_, seen),) = read(MODIFY, entry(room(rates=""), f'ResStatus="{word}"')).stays
    assert seen == SeenStay("4100000009", Status.CANCELLED)


def test_other_channels_ways_to_write_nights_are_read() -> None:
    rate = '<RoomRates><RoomRate><Rates><Rate EffectiveDate="2027-08-14" ExpireDate="2027-08-16"/>'
    single = '<Rate EffectiveDate="2027-08-16"/></Rates></RoomRate></RoomRates>'
    ((_, seen),) = read(MODIFY, entry(room(rate + single))).stays
    assert [one.dates for one in seen.rooms] == [stay("2027-08-14", 3)]


def test_rooms_without_or_with_the_same_index_keep_keys_of_their_own() -> None:
    inside = room(index="") + room(index="") + room() + room()
    ((_, seen),) = read(MODIFY, entry(inside)).stays
    assert [one.part for one in seen.rooms] == ["r1", "r2", "101", "101#2"]


@pytest.mark.parametrize("reservation", ["", " ", "a b", "x" * 65, "1:2"])
def test_an_id_nobody_can_read_gives_no_receipt(reservation: str) -> None:
    (unplaced,) = read(MODIFY, entry(room(), reservation=reservation)).unplaced
    assert unplaced.receipt == ""


def test_an_empty_queue_and_a_foreign_answer() -> None:
    assert read(NEW, b"<OTA_HotelResNotifRQ/>") == Polled()
    assert read(NEW, b"<OTA_HotelResNotifRQ><HotelReservations/></OTA_HotelResNotifRQ>") == Polled()
    for body in (b"<reservations/>", b"<OTA_HotelResModifyNotifRQ/>"):
        with pytest.raises(PayloadRejected, match="no OTA_HotelResNotifRQ"):
            read(NEW, body)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (fixture("booking/errors.xml"), "187"),
        (b"<OTA_HotelResNotifRQ><Errors/></OTA_HotelResNotifRQ>", "errors without a code"),
        (b'<x><fault string="Basile sleeps there"/></x>', "errors without a code"),
        (
            b'<response><errors><error code="CURRENCY_SWITCH_IN_PROGRESS"/></errors></response>',
            "CURRENCY_SWITCH",
        ),
    ],
)
def test_errors_in_place_of_messages_are_refused_by_code(body: bytes, problem: str) -> None:
    with pytest.raises(PayloadRejected, match=problem) as caught:
        read(NEW, body)
    assert "Basile" not in str(caught.value)


def test_an_acknowledgement_names_every_id_once() -> None:
    root = strict_xml.load(write_acknowledgement(MODIFY, ["1", "2"], NOW))
    assert root.tag == "OTA_HotelResModifyNotifRS"
    assert root.get("TimeStamp") == "2027-05-02T12:00:00"
    assert root[0].tag == "Success"
    assert [one.get("ResID_Value") for one in root.iter("HotelReservationID")] == ["1", "2"]
    assert b'xmlns="http://www.opentravel.org/OTA/2003/05"' in write_acknowledgement(NEW, ["1"], NOW)


def test_receipts_and_references() -> None:
    assert [is_receipt(text) for text in ("new:1", "modify:1", "old:1", "new:", "", "1")] == [True, True] + [
        False
    ] * 4
    assert read_ruid(fixture("booking/new.xml")) == "RUID aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    assert read_ruid(b"<a/><!-- RUID: [x\ny] -->") == ""
    assert read_ruid(b"<a/>") == ""


# ------------------------------------------------------------------------------------------ properties

DAYS = st.dates(date(2000, 1, 1), date(2190, 1, 1))
NIGHTS = st.sets(st.integers(0, 40), min_size=1, max_size=12)


def written(rooms: Iterable[tuple[str, set[date]]]) -> bytes:
    root = Element("OTA_HotelResNotifRQ")
    one = SubElement(SubElement(root, "HotelReservations"), "HotelReservation")
    stays = SubElement(one, "RoomStays")
    for index, nights in rooms:
        node = SubElement(stays, "RoomStay", IndexNumber=index)
        SubElement(SubElement(node, "RoomTypes"), "RoomType", RoomTypeCode=f"7{index}")
        rates = SubElement(node, "RoomRates")
        for night in nights:
            SubElement(rates, "RoomRate", EffectiveDate=night.isoformat())
        SubElement(node, "BasicPropertyInfo", HotelCode="7")
    ids = SubElement(SubElement(one, "ResGlobalInfo"), "HotelReservationIDs")
    SubElement(ids, "HotelReservationID", ResID_Value="1")
    text: bytes = tostring(root, encoding="utf-8")
    return text


@given(DAYS, st.lists(NIGHTS, min_size=1, max_size=4))
def test_every_night_of_every_room_comes_back_and_no_other(start: date, offsets: list[set[int]]) -> None:
    rooms = {str(n): {start + timedelta(days=o) for o in chosen} for n, chosen in enumerate(offsets)}
    ((_, seen),) = read(NEW, written(rooms.items())).stays
    assert {
        index: nights_of(one.dates for one in seen.rooms if one.unit == f"7:7{index}") for index in rooms
    } == rooms
    assert len({one.part for one in seen.rooms}) == len(seen.rooms)


@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_it_stumble(body: bytes) -> None:
    with suppress(PayloadRejected):
        read(NEW, body)
