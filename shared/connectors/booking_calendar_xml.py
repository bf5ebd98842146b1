"""Booking.com's calendar: availability writes and their answers (OTA), levels and reservations read (B.XML). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from xml.etree.ElementTree import Element, SubElement

from shared.connectors.base import plain_word, short_name, strange_word
from shared.connectors.booking_xml import OTA, document, stamp
from shared.connectors.stay_limits import bounded_stay, read_day
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Status

READ_DAYS = 31
"""Nights in one call for levels."""

MOST_UNITS = 254
"""Units for sale on a night; 255 means "without limit" and would sell the house over and over (VERIFIED in code)."""

_CLOSED = frozenset({"1", "true", "closed", "yes"})
_COUNTS = ("rooms_to_sell", "roomstosell", "rooms_left", "rooms_left_to_sell")

# OTA code list ERR (public), the few a calendar write meets, in our words.
_REASONS = {
    "15": "invalid date",
    "187": "system unavailable",
    "320": "invalid value",
    "321": "a field is missing",
    "392": "unknown property",
    "402": "unknown room",
    "448": "system error",
    "450": "unable to process",
    "497": "no access to this property",
}

# ------------------------------------------------------------------------------------------- writes


def check_levels(levels: Mapping[date, int]) -> None:
    """Raises ``ValueError`` for a level outside 0 to ``MOST_UNITS``, before anything is sent."""
    for night, level in levels.items():
        if not 0 <= level <= MOST_UNITS:
            raise ValueError(f"units for sale must be 0 to {MOST_UNITS}, not {level} ({night})")


def write_availability(room: str, levels: Mapping[date, int], now: datetime) -> tuple[bytes, dict[str, date]]:
    """The message that sets units for sale, and which LocatorID stands for which night.

    One message a night, Start and End both that night, since both are inclusive (VERIFIED: "to and including").
    """
    root = Element(
        "OTA_HotelAvailNotifRQ",
        {"xmlns": OTA, "TimeStamp": stamp(now), "Target": "Production", "Version": "1.005"},
    )
    messages = SubElement(root, "AvailStatusMessages")
    locators: dict[str, date] = {}
    for number, night in enumerate(sorted(levels), start=1):
        locators[str(number)] = night
        message = SubElement(
            messages, "AvailStatusMessage", {"BookingLimit": str(levels[night]), "LocatorID": str(number)}
        )
        day = night.isoformat()
        SubElement(message, "StatusApplicationControl", {"Start": day, "End": day, "InvTypeCode": room})
    return document(root), locators


def read_refusals(root: Element, locators: Mapping[str, date]) -> dict[date, str]:
    """The nights of a write that its answer refuses, with the reason.

    ``Errors``, or no ``Success``, refuse everything. A ``Warning`` refuses when its ``Status`` says that something was
    left undone ("NotProcessed", VERIFIED), for the nights it names, else for all. How a reply names them is
    INFERRED: by ``LocatorID`` or ``RecordID``. Raises ``PayloadRejected`` for another document.
    """
    failed = root.find("Errors") is not None or root.find("Success") is None
    if failed and root.tag != "OTA_HotelAvailNotifRS":
        raise PayloadRejected("an answer that is no OTA_HotelAvailNotifRS")
    errors = list(root.iter("Error"))
    refused: dict[date, str] = {}
    if failed or errors:
        general = next((_reason(node) for node in errors), "refused")
        refused = dict.fromkeys(locators.values(), general)
    undone = (node for node in root.iter("Warning") if node.get("Status", "Complete").lower() != "complete")
    for node in (*undone, *errors):
        refused |= dict.fromkeys(_nights_of(node, locators), _reason(node))
    return refused


def _nights_of(node: Element, locators: Mapping[str, date]) -> list[date]:
    named = [locators[value] for key in ("LocatorID", "RecordID") if (value := node.get(key, "")) in locators]
    return named or list(locators.values())


def _reason(node: Element) -> str:
    """The reason in our words and the platform's code; its own text could repeat anything."""
    code = plain_word(node.get("Code") or node.get("code") or "")
    known = _REASONS.get(code, "refused")
    return f"{known} (code {code})" if code else known


# ------------------------------------------------------------------------------------------ reading


def split_unit(unit: str) -> tuple[str, str]:
    """Property and room of a unit. Raises ``PayloadRejected`` for one that is not written "hotel:room"."""
    hotel, _, room = unit.partition(":")
    if not plain_word(hotel) or not plain_word(room):
        raise PayloadRejected("Booking.com: a listing's unit must be written hotel:room")
    return hotel, room


def windows(dates: StayDates) -> Iterator[tuple[date, int]]:
    """The nights in runs of at most ``READ_DAYS``: first night and length."""
    for offset in range(0, len(dates), READ_DAYS):
        yield dates.check_in + timedelta(days=offset), min(READ_DAYS, len(dates) - offset)


def write_level_request(hotel: str, start: date, days: int) -> bytes:
    """Ask for the levels of a property's rooms (fields VERIFIED in public code): ``start`` inclusive, room totals."""
    root = Element("request")
    for name, text in (
        ("hotel_id", hotel),
        ("number_of_days", str(days)),
        ("start_date", start.isoformat()),
        ("room_level", "1"),
    ):
        SubElement(root, name).text = text
    return document(root)


def read_levels(root: Element, room: str) -> dict[date, int]:
    """Units for sale by night of one room; a night that says nothing we know is left out.

    ``room@room_id``, ``date@value`` and ``@rooms_to_sell``: VERIFIED in public code. Other spellings, and totals by
    rate: INFERRED.
    """
    levels: dict[date, int] = {}
    for node in root.iter("room"):
        if room in (node.get("room_id"), node.get("id")):
            for day in node.iter("date"):
                night, level = read_day(day.get("value")), _level(day)
                if night is not None and level is not None:
                    levels[night] = level
    return levels


def _level(day: Element) -> int | None:
    if _says(day, ("closed", "room_closed", "room_type_closed")) in _CLOSED:
        return 0
    own = _count(_says(day, _COUNTS))
    rates = [
        0 if _says(rate, ("closed",)) in _CLOSED else _count(_says(rate, _COUNTS))
        for rate in day.iter("rate")
    ]
    if rates and all(level == 0 for level in rates):
        return 0
    return own if own is not None else max((level for level in rates if level is not None), default=None)


def _says(node: Element, names: tuple[str, ...]) -> str:
    """The first of these names the node has, as attribute or child."""
    texts = (node.get(name) or node.findtext(name) or "" for name in names)
    return next((text.strip().lower() for text in texts if text.strip()), "")


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def write_summary_request(hotel: str) -> bytes:
    """Ask for every reservation of a property that departs in the future."""
    root = Element("request")
    SubElement(root, "hotel_id").text = hotel
    return document(root)


def read_summary(root: Element, hotel: str) -> tuple[SeenStay, ...]:
    """Every reservation of a ``reservationssummary`` answer, all or none.

    Raises ``PayloadRejected`` for another document, and when one of them cannot be read: a short list would look like
    cancellations.
    """
    if root.tag != "reservations":
        raise PayloadRejected("an answer that is no list of reservations")
    return tuple(_summary_stay(node, hotel) for node in root.iter("reservation"))


def _summary_stay(node: Element, hotel: str) -> SeenStay:
    reservation = plain_word(node.findtext("id") or "")
    if not reservation:
        raise PayloadRejected("a reservation without a readable id")
    word = (node.findtext("status") or "").strip().lower()
    if word in ("cancelled", "canceled"):
        return SeenStay(reservation, Status.CANCELLED)
    own = plain_word(node.findtext("hotel_id") or "") or hotel
    rooms = tuple(_summary_rooms(node, own))
    if not rooms:
        raise PayloadRejected(f"reservation {reservation} without a room")
    known = word in ("", "new", "modified")
    status, unknown = (Status.CONFIRMED, "") if known else (Status.PENDING, strange_word(word))
    guest = short_name(node.findtext("customer/first_name"), node.findtext("customer/last_name"))
    return SeenStay(reservation, status, rooms, guest=guest, unknown=unknown)


def _summary_rooms(node: Element, hotel: str) -> Iterator[SeenRoom]:
    """The rooms. ``roomreservation_id`` is stable inside a reservation (VERIFIED in certification responses)."""
    for position, room in enumerate(node.findall("room"), start=1):
        unit = plain_word(room.findtext("id") or "")
        dates = bounded_stay(
            read_day(room.findtext("arrival_date")), read_day(room.findtext("departure_date"))
        )
        if not unit or dates is None:
            raise PayloadRejected("a reservation with a room nobody can read")
        key = plain_word(room.findtext("roomreservation_id") or "") or f"r{position}"
        yield SeenRoom(f"{hotel}:{unit}", key, dates)
