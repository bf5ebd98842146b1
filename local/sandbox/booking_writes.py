"""Availability as a partner writes it to Booking.com: read from either flavour, applied message by message.

One bad message never stops the others (VERIFIED: "200 if at least one update succeeded"); which element carries the
refusal of one OTA message, and most codes, are INFERRED.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree.ElementTree import Element, SubElement

from local.sandbox.config import Listing, Platform
from local.sandbox.errors import BadAsk
from local.sandbox.truth import Truth

NO_ACCESS = "497"
MOST_ROOMS = 254
"""The largest number of rooms; 255 means unlimited and is refused here, since nobody should ever send it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One message: a room's nights, the absolute number to sell and whether it is closed; None leaves as is."""

    locator: str
    room: str
    nights: tuple[date, ...]
    rooms: int | None
    closed: bool | None


@dataclass(frozen=True, slots=True)
class Failure:
    """One message that was not processed, with the word B.XML has for it."""

    locator: str
    code: str
    word: str
    message: str


def read_ota(root: Element) -> Iterator[Change | Failure]:
    """The messages of an OTA_HotelAvailNotifRQ; Start and End are both inclusive (VERIFIED)."""
    for message in root.iter("AvailStatusMessage"):
        locator = message.get("LocatorID", "")
        control = message.find("StatusApplicationControl")
        if control is None:
            yield Failure(locator, "321", "REQUIRED_FIELD_MISSING", "StatusApplicationControl is missing")
            continue
        restriction = message.find("RestrictionStatus")
        try:
            yield Change(
                locator=locator,
                room=control.get("InvTypeCode", ""),
                nights=_nights(control.get("Start"), control.get("End"), inclusive=True),
                rooms=_number(message.get("BookingLimit")),
                closed=None if restriction is None else _closed(restriction.get("Status")),
            )
        except BadAsk as bad:
            yield Failure(locator, "15", "NOT_A_VALID_DATE", str(bad))


def read_bxml(root: Element) -> Iterator[Change | Failure]:
    """The dates of a B.XML availability request; ``to`` is exclusive (VERIFIED in two integrations' code)."""
    for room in root.iter("room"):
        for entry in room.iter("date"):
            try:
                start = entry.get("value") or entry.get("from")
                end = entry.get("value") or entry.get("to")
                closed = entry.findtext("closed")
                yield Change(
                    locator="",
                    room=room.get("id", ""),
                    nights=_nights(start, end, inclusive=entry.get("value") is not None),
                    rooms=_number(entry.findtext("roomstosell")),
                    closed=None if closed is None else _flag(closed),
                )
            except BadAsk as bad:
                yield Failure("", "15", "NOT_A_VALID_DATE", str(bad))


def apply(
    truth: Truth, account: str, messages: Iterable[Change | Failure], *, dry: bool = False
) -> tuple[int, list[Failure]]:
    """Carry the changes out; returns how many were processed and what was not. ``dry`` changes nothing."""
    done, failures = 0, []
    for message in messages:
        failure = message if isinstance(message, Failure) else _refusal(truth, account, message)
        if failure is not None:
            failures.append(failure)
            continue
        done += 1
        if isinstance(message, Change) and not dry:
            _carry_out(truth, message)
    return done, failures


def own_room(truth: Truth, account: str, room: str) -> Listing | None:
    """The room's listing where the account may reach it by API; None else."""
    calendar = truth.calendars.get(f"{Platform.BOOKING}/{room}")
    if calendar is None or not calendar.listing.api or calendar.listing.account != account:
        return None
    return calendar.listing


def add_failures(root: Element, failures: Iterable[Failure], *, warn: bool) -> None:
    """Put the refusals into an OTA reply as Errors or Warnings, each with the LocatorID of its message."""
    box = SubElement(root, "Warnings" if warn else "Errors")
    for failure in failures:
        attributes = {
            "Code": failure.code,
            "ShortText": failure.message,
            "Status": "NotProcessed",
            "Type": "6" if failure.code == NO_ACCESS else "10",
        }
        if failure.locator:
            attributes["LocatorID"] = failure.locator
        SubElement(box, "Warning" if warn else "Error", attributes)


def _refusal(truth: Truth, account: str, change: Change) -> Failure | None:
    if f"{Platform.BOOKING}/{change.room}" not in truth.calendars:
        message = f"Room ID '{change.room}' is not valid"
        return Failure(change.locator, "402", "ROOM_ID_INVALID", message)
    if own_room(truth, account, change.room) is None:
        hotel = truth.calendars[f"{Platform.BOOKING}/{change.room}"].listing.property_id
        message = f"You do not have access to hotel:{hotel}"
        return Failure(change.locator, NO_ACCESS, "NO_ACCESS", message)
    # One day back is still taken, in Central European Time (VERIFIED).
    if change.nights[0] < truth.clock.today() - timedelta(days=1):
        return Failure(change.locator, "15", "NOT_A_VALID_DATE", "the date is in the past")
    return None


def _carry_out(truth: Truth, change: Change) -> None:
    key = f"{Platform.BOOKING}/{change.room}"
    for night in change.nights:
        if change.rooms is not None:
            truth.partner_counts(key, night, change.rooms)
        if change.closed is not None:
            truth.partner_closes_room(key, night, change.closed)


def _nights(start: str | None, end: str | None, *, inclusive: bool) -> tuple[date, ...]:
    try:
        first, last = date.fromisoformat(start or ""), date.fromisoformat(end or "")
    except ValueError as bad:
        raise BadAsk("Invalid date") from bad
    count = (last - first).days + (1 if inclusive else 0)
    if not 0 < count <= 3 * 366:
        raise BadAsk("Invalid date range")
    return tuple(first + timedelta(days=offset) for offset in range(count))


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.strip().isdecimal() or int(text) > MOST_ROOMS:
        raise BadAsk(f"the number of rooms must be 0 to {MOST_ROOMS}")
    return int(text)


def _closed(status: str | None) -> bool:
    if status not in ("Open", "Close"):
        raise BadAsk("RestrictionStatus must be Open or Close")
    return status == "Close"


def _flag(text: str) -> bool:
    if text.strip() not in ("0", "1"):
        raise BadAsk("closed must be 0 or 1")
    return text.strip() == "1"
