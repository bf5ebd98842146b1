"""What Channex's bookings and booking revisions mean: which rooms on which nights, and whether they hold them. Pure.

Fields: docs.channex.io, bookings collection (VERIFIED). Where the guest booked (``ota_name``, ``unique_id``) is not
read: nothing here needs it, and so it reaches no row and no log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from shared.connectors.airbnb_fields import Body, Text
from shared.connectors.base import short_name, strange_word
from shared.connectors.stay_limits import YEARS, bounded_stay, read_day
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SOME_ROOM, SeenRoom, SeenStay, Unplaced
from shared.domain.model import Status

_STATUS = {"new": Status.CONFIRMED, "modified": Status.CONFIRMED, "cancelled": Status.CANCELLED}
_PERSONAL = frozenset({"customer", "guarantee", "guests", "notes"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Room(Body):
    room_type_id: Text = None
    checkin_date: Text = None
    checkout_date: Text = None
    days: object = None

    def dates(self) -> StayDates | None:
        """Its nights; from the prices per night (``days``) where the two dates cannot be read."""
        written = bounded_stay(read_day(self.checkin_date), read_day(self.checkout_date))
        if written or not isinstance(self.days, dict):
            return written
        nights = [night for key in self.days if (night := read_day(str(key)))]
        return bounded_stay(min(nights), max(nights) + ONE_DAY) if nights else None


class _Person(Body):
    name: Text = None
    surname: Text = None


class ChannexBooking(Body):
    """A booking, or one revision of it; every field may be missing. Of a revision ``id`` is its own."""

    id: Text = None
    booking_id: Text = None
    property_id: Text = None
    status: Text = None
    arrival_date: Text = None
    departure_date: Text = None
    inserted_at: Text = None
    rooms: object = None
    customer: object = None

    def seen(self, booking: str | None, version: int) -> SeenStay:
        """The complete state of that booking. A status we do not know holds its nights. Raises ``PayloadRejected``
        naming what is missing; a cancellation needs nothing but the id."""
        status = _STATUS.get((self.status or "").lower(), Status.PENDING)
        unknown = strange_word(self.status) if status is Status.PENDING else ""
        if booking is None or not is_id(booking):
            raise PayloadRejected("a booking without a readable id")
        rooms = self._rooms()
        if status is not Status.CANCELLED and rooms is None:
            missing = "nights" if self.property_id else "property_id"
            raise PayloadRejected(f"booking {booking} without readable {missing}")
        person = _Person.model_validate(self.customer if isinstance(self.customer, dict) else {})
        guest = short_name(person.name, person.surname)
        return SeenStay(booking, status, rooms or (), version, guest, unknown=unknown)

    def _rooms(self) -> tuple[SeenRoom, ...] | None:
        """Its rooms, None when the property or the nights of one cannot be read. A room without dates of its own has
        the booking's. A room type is null where Channex could not map the room (VERIFIED); a booking without rooms is
        read as one such (INFERRED: never seen)."""
        listed = self.rooms if isinstance(self.rooms, list) else []
        rooms = [_Room.model_validate(item if isinstance(item, dict) else {}) for item in listed] or [_Room()]
        whole = bounded_stay(read_day(self.arrival_date), read_day(self.departure_date))
        found: list[SeenRoom] = []
        for place, room in enumerate(rooms, 1):
            dates = room.dates() or whole
            if dates is None or not self.property_id:
                return None
            found.append(SeenRoom(f"{self.property_id}:{room.room_type_id or SOME_ROOM}", str(place), dates))
        return tuple(found)


def read_booking(value: object) -> SeenStay:
    """The present state of a booking, from the list or by its id. Raises ``PayloadRejected``.

    Without a version: ``inserted_at`` is the same in the documented examples of a new, a modified and a cancelled
    one, so the order in which we asked decides.
    """
    booking = _body(value)
    return booking.seen(booking.id, 0)


def read_revisions(values: Iterable[object]) -> tuple[list[tuple[str, SeenStay]], list[Unplaced]]:
    """What each revision of a feed says, with the id that acknowledges it, oldest first; and those nobody can read,
    without what they tell of the guest."""
    stays: list[tuple[str, SeenStay]] = []
    unplaced: list[Unplaced] = []
    for value in values:
        receipt = ""
        try:
            revision = _body(value)
            receipt = revision.id if revision.id and is_id(revision.id) else ""
            if not receipt:
                raise PayloadRejected("a revision without a readable id")
            stays.append((receipt, revision.seen(revision.booking_id, read_version(revision.inserted_at))))
        except PayloadRejected as error:
            raw = json.dumps(_impersonal(value), ensure_ascii=False).encode()
            unplaced.append(Unplaced(receipt, str(error), raw))
    return sorted(stays, key=lambda item: item[1].version), unplaced


def read_version(text: str | None) -> int:
    """Microseconds of ``inserted_at``, "when Booking Revision was received" (VERIFIED; written without a zone, in UTC:
    INFERRED). 0 where it is missing or cannot be read: then the order in which we asked decides."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        return 0
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def is_id(text: str) -> bool:
    """Whether it can be one of their ids (UUIDs), and so stand in an address and a key of ours."""
    return bool(text) and len(text) <= 64 and text.isascii() and all(c.isalnum() or c in "-_" for c in text)


def last_night(stay: SeenStay) -> date | None:
    """The last day of departure of its rooms, None where it has none."""
    return max((room.dates.check_out for room in stay.rooms), default=None)


def _body(value: object) -> ChannexBooking:
    """The attributes of a resource; its id stands beside them and inside (VERIFIED)."""
    inner = value.get("attributes") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(inner, dict):
        raise PayloadRejected("a booking that is no resource with attributes")
    return ChannexBooking.model_validate({"id": value.get("id"), **inner})


def _impersonal(value: object) -> object:
    """The same without names, cards and notes."""
    if isinstance(value, dict):
        return {key: _impersonal(one) for key, one in value.items() if key not in _PERSONAL}
    return [_impersonal(one) for one in value] if isinstance(value, list) else value
