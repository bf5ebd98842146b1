"""Booking.com's XML, written and read: OTA messages and B.XML bodies.

Element and attribute names: developers.booking.com api-reference (VERIFIED) unless a comment says INFERRED.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from local.sandbox.booking_queue import Kind, Message
from local.sandbox.errors import BadAsk
from local.sandbox.stays import Part, Stay

OTA = "http://www.opentravel.org/OTA/2003/05"
RATE_PLAN = "7654321"
Hotel = Callable[[str], str]
"""From a listing's key to its property id."""


def document(root: Element, ruid: str) -> bytes:
    """The text of a reply; its last line carries the support reference (VERIFIED in public code)."""
    indent(root)
    text = tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n<!-- RUID: [{ruid}] -->\n'.encode()


def new_ruid(serial: int) -> str:
    """A support reference."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"sandbox-ruid:{serial}"))


def ota(name: str, now: datetime, version: str) -> Element:
    """The root element of an OTA message with its five attributes."""
    return Element(
        name,
        {
            "xmlns": OTA,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{OTA} {name}.xsd",
            "TimeStamp": now.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "Target": "Production",
            "Version": version,
        },
    )


def new_reservations(messages: list[tuple[Message, Stay]], now: datetime, hotel: Hotel) -> Element:
    """OTA_HotelResNotifRQ: the answer to a poll for new reservations."""
    root = ota("OTA_HotelResNotifRQ", now, "2.001")
    box = SubElement(root, "HotelReservations")
    for _, stay in messages:
        entry = SubElement(box, "HotelReservation")
        _room_stays(entry, stay, hotel)
        _guests(entry, stay)
        _global_info(entry, stay)
    return root


def changed_reservations(messages: list[tuple[Message, Stay]], now: datetime, hotel: Hotel) -> Element:
    """OTA_HotelResModifyNotifRQ: a change is the complete new state, a cancellation an id and nothing else.

    The values of ResStatus are INFERRED from public parsers.
    """
    root = ota("OTA_HotelResModifyNotifRQ", now, "2.001")
    box = SubElement(root, "HotelResModifies")
    for message, stay in messages:
        cancelled = message.kind is Kind.CANCEL
        entry = SubElement(box, "HotelResModify", ResStatus="Cancel" if cancelled else "Modify")
        if not cancelled:
            _room_stays(entry, stay, hotel)
            _guests(entry, stay)
        _global_info(entry, stay)
    return root


def _room_stays(entry: Element, stay: Stay, hotel: Hotel) -> None:
    box = SubElement(entry, "RoomStays")
    for part in stay.parts:
        room = SubElement(box, "RoomStay", IndexNumber=part.id)
        types = SubElement(room, "RoomTypes")
        SubElement(types, "RoomType", RoomTypeCode=room_id(part))
        SubElement(SubElement(room, "RatePlans"), "RatePlan")
        rates = SubElement(room, "RoomRates")
        # There is no TimeSpan: the nights are the rates' dates, one element a night.
        for night in part.dates.nights():
            rate = SubElement(rates, "RoomRate", EffectiveDate=night.isoformat(), RatePlanCode=RATE_PLAN)
            SubElement(SubElement(rate, "Rates"), "Rate")
        SubElement(SubElement(room, "GuestCounts"), "GuestCount", Count="2")
        SubElement(room, "Total", CurrencyCode="EUR")
        SubElement(room, "BasicPropertyInfo", HotelCode=hotel(part.listing))
        SubElement(SubElement(room, "ResGuestRPHs"), "ResGuestRPH", RPH="1")


def _guests(entry: Element, stay: Stay) -> None:
    # Where the name stands is INFERRED from the OTA schema; the samples were cut there.
    node = SubElement(SubElement(entry, "ResGuests"), "ResGuest", ResGuestRPH="1")
    for name in ("Profiles", "ProfileInfo", "Profile", "Customer", "PersonName"):
        node = SubElement(node, name)
    SubElement(node, "GivenName").text = stay.guest.first
    SubElement(node, "Surname").text = stay.guest.last


def _global_info(entry: Element, stay: Stay) -> None:
    ids = SubElement(SubElement(entry, "ResGlobalInfo"), "HotelReservationIDs")
    booked = stay.created_at.strftime("%Y-%m-%dT%H:%M:%S")
    SubElement(ids, "HotelReservationID", ResID_Value=stay.id, ResID_Date=booked)


def summary(stays: list[Stay]) -> Element:
    """The answer of reservationssummary: date and time are those of the booking and never change."""
    root = Element("reservations")
    for stay in stays:
        entry = SubElement(root, "reservation")
        customer = SubElement(entry, "customer")
        SubElement(customer, "first_name").text = stay.guest.first
        SubElement(customer, "last_name").text = stay.guest.last
        SubElement(entry, "date").text = stay.created_at.date().isoformat()
        SubElement(entry, "id").text = stay.id
        for part in stay.parts:
            _summary_room(entry, part)
        SubElement(entry, "time").text = stay.created_at.strftime("%H:%M:%S")
    return root


def _summary_room(entry: Element, part: Part) -> None:
    room = SubElement(entry, "room")
    for name, value in (
        ("arrival_date", part.dates.check_in.isoformat()),
        ("currencycode", "EUR"),
        ("departure_date", part.dates.check_out.isoformat()),
        ("id", room_id(part)),
        ("meal_plan", "No meal is included."),
        ("numberofguests", "2"),
    ):
        SubElement(room, name).text = value
    for night in part.dates.nights():
        SubElement(room, "price", date=night.isoformat(), rate_id=RATE_PLAN).text = "110"
    SubElement(room, "roomreservation_id").text = part.id
    SubElement(room, "totalprice").text = str(110 * len(part.dates))


def room_id(part: Part) -> str:
    """Booking.com's id of the room a part is in."""
    return part.listing.partition("/")[2]


def parse(body: bytes) -> Element:
    """A request's root element with its namespaces taken off. Raises ``BadAsk``."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadAsk("the body is not XML that can be read") from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def reservation_ids(root: Element) -> list[str]:
    """Every reservation id of an acknowledgement."""
    return [element.get("ResID_Value", "") for element in root.iter("HotelReservationID")]


def values(root: Element, names: Mapping[str, str]) -> dict[str, str]:
    """The texts of direct children by name, with a default for each."""
    return {name: (root.findtext(name) or default).strip() for name, default in names.items()}


def children(root: Element, name: str) -> Iterator[Element]:
    """Every element of that name below the root."""
    return root.iter(name)
