"""Booking.com's reservation messages (OTA flavour) and their acknowledgements: XML <-> facts. Pure.

Source: developers.booking.com, Reservations API and its element pages (VERIFIED) unless tagged. Namespaces are
already gone (``strict_xml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from shared.connectors.base import plain_word, short_name, strange_word
from shared.connectors.stay_limits import bounded_stay, read_day
from shared.domain.dates import ranges_of
from shared.domain.errors import PayloadRejected
from shared.domain.facts import Polled, SeenRoom, SeenStay, Unplaced
from shared.domain.model import Status

OTA = "http://www.opentravel.org/OTA/2003/05"
NEW, MODIFY = "new", "modify"
"""The two queues, as receipts name them."""

MESSAGES = {NEW: "OTA_HotelResNotif", MODIFY: "OTA_HotelResModifyNotif"}
"""Message of each queue: the last part of its address, and with RQ or RS its root element."""

_LISTS = {NEW: ("HotelReservations", "HotelReservation"), MODIFY: ("HotelResModifies", "HotelResModify")}
_RESERVATIONS = frozenset({"HotelReservation", "HotelResModify"})

# The words are INFERRED: public parsers expect Commit, Modify and Cancel; the others are common in OTA messages.
_HELD = frozenset({"", "commit", "book", "reserved", "new", "modify"})
_FREED = frozenset({"cancel", "cancelled", "canceled"})

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_RUID = re.compile(rb"<!--\s*RUID:\s*\[([A-Za-z0-9+/=_-]{1,100})\]\s*-->")
_CARDS = frozenset({"PaymentCard", "GuaranteesAccepted", "GuaranteeAccepted", "Guarantee"})


def receipt_of(queue: str, reservation: str) -> str:
    """What acknowledges a message: its queue and its reservation's id ("new:4000000001")."""
    return f"{queue}:{reservation}"


def is_receipt(text: str) -> bool:
    """Whether ``receipt_of`` wrote it."""
    queue, _, reservation = text.partition(":")
    return queue in MESSAGES and bool(reservation)


def ids_of(queue: str, receipts: Iterable[str]) -> list[str]:
    """The reservations that these receipts name in one queue, each once."""
    pairs = (receipt.partition(":") for receipt in dict.fromkeys(receipts))
    return [reservation for named, _, reservation in pairs if named == queue and reservation]


def queue_path(queue: str) -> str:
    """The address of a queue below its host."""
    return f"/hotels/ota/{MESSAGES[queue]}"


def read_ruid(body: bytes) -> str:
    """Booking.com's reference of an answer, which its support asks for; it trails the document as a comment."""
    match = _RUID.search(body, max(0, len(body) - 400))
    return f"RUID {match[1].decode()}" if match else ""


def complaint(root: Element) -> str:
    """The codes of the errors an answer holds in place of data, in short; empty for an answer without."""
    found = [node for node in root.iter() if node.tag.lower() in ("error", "fault")]
    if not found and root.find(".//Errors") is None:
        return ""
    codes = dict.fromkeys(_code(node) for node in found)
    return ", ".join([code for code in codes if code][:5]) or "errors without a code"


def _code(node: Element) -> str:
    return plain_word(node.get("Code") or node.get("code") or "")


# -------------------------------------------------------------------------------------- reservations


def read_queue(queue: str, root: Element) -> Polled:
    """Every message of one queue's answer. One that cannot be read becomes ``Unplaced`` and costs no other one;
    its receipt is empty where not even its id can be read, and then nothing can acknowledge it.

    Raises ``PayloadRejected`` when the answer is about something else, or holds errors in place of messages.
    """
    messages = [node for node in root.iter() if node.tag in _RESERVATIONS]
    if not messages and (problem := complaint(root)):
        raise PayloadRejected(problem)
    if root.tag not in (f"{MESSAGES[queue]}RQ", f"{MESSAGES[queue]}RS"):
        raise PayloadRejected(f"an answer that is no {MESSAGES[queue]}RQ")
    stays: list[tuple[str, SeenStay]] = []
    unplaced: list[Unplaced] = []
    for node in messages:
        receipt = ""
        try:
            reservation = _reservation_id(node)
            receipt = receipt_of(queue, reservation)
            stays.append((receipt, read_stay(node, reservation)))
        except PayloadRejected as error:
            unplaced.append(Unplaced(receipt, str(error), _without_cards(node)))
    return Polled(tuple(stays), tuple(unplaced))


def read_stay(node: Element, reservation: str) -> SeenStay:
    """One reservation's complete state. Raises ``PayloadRejected`` when it holds nights that cannot be read.

    A cancellation needs nothing but its id. A status word we do not know blocks. There is no version: the dates
    of a message are those of the original booking and never change (VERIFIED in certification responses).
    """
    word = (node.get("ResStatus") or "").strip().lower()
    if word in _FREED:
        return SeenStay(reservation, Status.CANCELLED)
    rooms = tuple(_rooms(node))
    if not rooms:
        raise PayloadRejected("neither a room nor a cancellation")
    status, unknown = (Status.CONFIRMED, "") if word in _HELD else (Status.PENDING, strange_word(word))
    return SeenStay(reservation, status, rooms, guest=_guest(node), unknown=unknown)


def _reservation_id(node: Element) -> str:
    values = (found.get("ResID_Value", "").strip() for found in node.iter("HotelReservationID"))
    found = next((value for value in values if value), "")
    if not _ID.fullmatch(found):
        raise PayloadRejected("no readable reservation id")
    return found


def _rooms(node: Element) -> Iterator[SeenRoom]:
    """Every run of nights of every room; a room whose nights are not in one run gives several ("101", "101#2")."""
    hotel = next((found.get("HotelCode", "") for found in node.iter("BasicPropertyInfo")), "").strip()
    counts: dict[str, int] = {}
    for position, stay in enumerate(node.iter("RoomStay"), start=1):
        index = plain_word(stay.get("IndexNumber") or "") or f"r{position}"
        unit = _unit(stay, hotel)
        for dates in ranges_of(_nights(stay)):
            number = counts[index] = counts.get(index, 0) + 1
            yield SeenRoom(unit, index if number == 1 else f"{index}#{number}", dates)


def _unit(stay: Element, hotel: str) -> str:
    property_info = stay.find("BasicPropertyInfo")
    own = property_info.get("HotelCode", "").strip() if property_info is not None else ""
    room = next((found.get("RoomTypeCode", "") for found in stay.iter("RoomType")), "").strip()
    if not plain_word(room) or not plain_word(own or hotel):
        raise PayloadRejected("a room without its id or its property's")
    return f"{own or hotel}:{room}"


def _nights(stay: Element) -> set[date]:
    """The nights of one room: one ``RoomRate@EffectiveDate`` each (VERIFIED). A ``TimeSpan``, or dates at the ``Rate``
    as other channels write them, are taken as well (INFERRED)."""
    nights = {_day(rate.get("EffectiveDate")) for rate in stay.iter("RoomRate") if rate.get("EffectiveDate")}
    spans = [(span.get("Start"), span.get("End")) for span in stay.iter("TimeSpan")]
    for rate in stay.iter("Rate"):
        if rate.get("EffectiveDate") and rate.get("ExpireDate"):
            spans.append((rate.get("EffectiveDate"), rate.get("ExpireDate")))
        elif rate.get("EffectiveDate"):
            nights.add(_day(rate.get("EffectiveDate")))
    for start, end in spans:
        if (dates := bounded_stay(_day(start), _day(end))) is None:
            raise PayloadRejected("a room with an impossible span of nights")
        nights.update(dates.nights())
    if not nights:
        raise PayloadRejected("a room without nights")
    return nights


def _day(text: str | None) -> date:
    if (day := read_day(text)) is None:
        raise PayloadRejected("a room with a date nobody can read")
    return day


def _guest(node: Element) -> str:
    person = next(node.iter("PersonName"), None)
    return short_name(person.findtext("GivenName"), person.findtext("Surname")) if person is not None else ""


def _without_cards(node: Element) -> bytes:
    """The message as XML for a person to look at, without what is said of a payment card."""
    for parent in list(node.iter()):
        for child in [child for child in parent if child.tag in _CARDS]:
            parent.remove(child)
    return document(node)


# ---------------------------------------------------------------------------------- acknowledgements


def document(root: Element) -> bytes:
    """An element as a whole document."""
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def stamp(now: datetime) -> str:
    """An instant as OTA messages write it, in UTC."""
    return now.strftime("%Y-%m-%dT%H:%M:%S")


def write_acknowledgement(queue: str, reservations: Iterable[str], now: datetime) -> bytes:
    """The message that takes these reservations out of a queue, all in one."""
    root = Element(
        f"{MESSAGES[queue]}RS",
        {"xmlns": OTA, "TimeStamp": stamp(now), "Target": "Production", "Version": "2.001"},
    )
    SubElement(root, "Success")
    listed, one = _LISTS[queue]
    info = SubElement(SubElement(SubElement(root, listed), one), "ResGlobalInfo")
    ids = SubElement(info, "HotelReservationIDs")
    for reservation in reservations:
        SubElement(ids, "HotelReservationID", {"ResID_Value": reservation})
    return document(root)
