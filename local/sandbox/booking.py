"""Booking.com's Connectivity API: tokens, the two reservation queues, availability, read-back, summary."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree.ElementTree import Element, SubElement

from local.sandbox import booking_writes as writes
from local.sandbox import booking_xml as xml
from local.sandbox.asgi import Answer, Call, Handler, Router, as_json
from local.sandbox.booking_queue import CHANGES, NEWS, Kind, Message, NoReservation, WrongType
from local.sandbox.calendar import Calendar
from local.sandbox.config import Platform
from local.sandbox.errors import BadAsk
from local.sandbox.faults import FaultKind
from local.sandbox.stays import NightState, Stay
from local.sandbox.tokens import TooManyTokens, WrongSecret
from local.sandbox.world import World

MOST_DAYS = 31
"""Days one read-back may cover (VERIFIED)."""

Checked = Callable[[Call, str], Awaitable[Answer]]
"""A handler that is told the account of the checked token."""


@dataclass(frozen=True, slots=True)
class _Queue:
    """One of the two OTA endpoints."""

    name: str
    kinds: frozenset[Kind]


_NEW = _Queue("OTA_HotelResNotif", NEWS)
_CHANGED = _Queue("OTA_HotelResModifyNotif", CHANGES)


class BookingApi:
    """The handlers."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self, router: Router) -> None:
        """Add the API's routes; all hosts of the real one are this one port."""
        add, checked = router.add, self._checked
        add("POST", "/token-based-authentication/exchange", "booking", "token", self.exchange)
        for queue, kind in ((_NEW, "new"), (_CHANGED, "changed")):
            path = f"/hotels/ota/{queue.name}"
            add("GET", path, "booking", f"{kind}_get", checked(self._poll(queue)))
            add("POST", path, "booking", f"{kind}_ack", checked(self._ack(queue)))
        ota, bxml = "/hotels/ota", "/hotels/xml"
        add("POST", f"{ota}/OTA_HotelAvailNotif", "booking", "availability", checked(self.availability))
        add("POST", f"{bxml}/availability", "booking", "bxml_availability", checked(self.bxml_availability))
        add("POST", f"{bxml}/roomrateavailability", "booking", "readback", checked(self.readback))
        add("POST", f"{bxml}/reservationssummary", "booking", "summary", checked(self.summary))

    async def exchange(self, call: Call) -> Answer:
        """Client id and secret for a token."""
        body = call.json()
        try:
            token = self.world.tokens.exchange(str(body.get("client_id")), str(body.get("client_secret")))
        except (WrongSecret, TooManyTokens) as refused:
            headers = {"Retry_After": "60"} if isinstance(refused, TooManyTokens) else {}
            return as_json({"errors": [{"message": str(refused)}]}, refused.status, **headers)
        return as_json({"jwt": token, "ruid": self._ruid()})

    async def availability(self, call: Call, account: str) -> Answer:
        """OTA_HotelAvailNotif. HTTP 200 says nothing about the messages inside."""
        done, failures = self._write(call, account, writes.read_ota)
        root = xml.ota("OTA_HotelAvailNotifRS", self.world.clock.now(), "1.005")
        only_access = all(failure.code == writes.NO_ACCESS for failure in failures)
        if done or only_access:
            SubElement(root, "Success")
        if failures:
            writes.add_failures(root, failures, warn=bool(done) or only_access)
        return self._xml(root)

    async def bxml_availability(self, call: Call, account: str) -> Answer:
        """The B.XML flavour: 400 when nothing at all was processed (the reply's root is INFERRED)."""
        done, failures = self._write(call, account, writes.read_bxml)
        if not failures:
            return self._xml(Element("ok"))
        root = Element("response")
        if done:
            SubElement(root, "ok")
        errors = SubElement(root, "errors")
        for failure in failures:
            SubElement(SubElement(errors, "error", code=failure.word), "message").text = failure.message
        return self._xml(root, 200 if done else 400)

    async def readback(self, call: Call, account: str) -> Answer:
        """roomrateavailability: what is left and closed per room and night.

        Request fields, ``room/@room_id``, ``date/@value`` and ``@rooms_to_sell``: VERIFIED in public code. The root's
        name and the other attributes' names are INFERRED.
        """
        root = xml.parse(call.body)
        asked = xml.values(root, {"hotel_id": "", "number_of_days": "1", "start_date": ""})
        start = date.fromisoformat(asked["start_date"]) if asked["start_date"] else self.world.clock.today()
        days = int(asked["number_of_days"])
        if not 0 < days <= MOST_DAYS:
            raise BadAsk(f"number_of_days must be 1 to {MOST_DAYS}")
        reply = Element("availability", hotel_id=asked["hotel_id"])
        calendars = self._hotel(account, asked["hotel_id"])
        if not calendars:
            return self._fault("Access denied for hotel", 403)
        for calendar in calendars:
            room = SubElement(reply, "room", room_id=calendar.listing.id)
            for offset in range(days):
                self._readback_night(room, calendar, start + timedelta(days=offset))
        return self._xml(reply)

    async def summary(self, call: Call, account: str) -> Answer:
        """reservationssummary: every live reservation of a property whose departure is still to come."""
        hotel = xml.values(xml.parse(call.body), {"hotel_id": ""})["hotel_id"]
        keys = {calendar.listing.key for calendar in self._hotel(account, hotel)}
        if not keys:
            return self._fault("Access denied for hotel", 403)
        today = self.world.clock.today()
        stays = [
            stay
            for stay in self.world.truth.stays.values()
            if stay.live
            and any(part.listing in keys for part in stay.parts)
            and any(part.dates.check_out > today for part in stay.parts)
        ]
        return self._xml(xml.summary(stays))

    # ------------------------------------------------------------------------------------------ inside

    def _poll(self, queue: _Queue) -> Checked:
        async def poll(call: Call, account: str) -> Answer:
            found: list[tuple[Message, Stay]] = [
                (message, self.world.truth.stays[message.stay_id])
                for message in self.world.queue.deliver(
                    queue.kinds, lambda stay_id: self._owner(stay_id) == account, _limit(call)
                )
            ]
            build = xml.new_reservations if queue is _NEW else xml.changed_reservations
            return self._xml(build(found, self.world.clock.now(), self._property))

        return poll

    def _ack(self, queue: _Queue) -> Checked:
        async def acknowledge(call: Call, account: str) -> Answer:
            root = xml.parse(call.body)
            ids = xml.reservation_ids(root)
            if not ids:
                raise BadAsk("no HotelReservationID in the acknowledgement")
            reply = xml.ota(f"{queue.name}RS", self.world.clock.now(), "2.001")
            if any(self._owner(stay_id) not in (account, None) for stay_id in ids):
                return self._ota_error(reply, "Access denied for hotel", 403)
            try:
                if root.find("Errors") is not None:
                    self.world.queue.reject(ids)
                else:
                    self.world.queue.acknowledge(queue.kinds, ids)
            except (WrongType, NoReservation) as refused:
                return self._ota_error(reply, str(refused), refused.status)
            SubElement(reply, "Success")
            return self._xml(reply)

        return acknowledge

    def _write(
        self, call: Call, account: str, read: Callable[[Element], Iterator[writes.Change | writes.Failure]]
    ) -> tuple[int, list[writes.Failure]]:
        messages = list(read(xml.parse(call.body)))
        if not messages:
            raise BadAsk("there is no message in the request")
        call.note = ",".join(sorted({m.room for m in messages if isinstance(m, writes.Change)}))
        if FaultKind.REFUSE in call.flags:
            messages = [_refused(message, call.night) for message in messages]
        dry = FaultKind.IGNORE in call.flags
        return writes.apply(self.world.truth, account, messages, dry=dry)

    def _readback_night(self, room: Element, calendar: Calendar, night: date) -> None:
        found = calendar.night(night, self.world.clock.today())
        shut = found.state in (NightState.HOST, NightState.IMPORTED) or night in calendar.partner
        SubElement(
            room,
            "date",
            value=night.isoformat(),
            rooms_to_sell=str(calendar.left(night)),
            booked=str(calendar.sold_on(night)),
            cancelled=str(calendar.cancelled[night]),
            closed="1" if shut else "0",
        )

    def _checked(self, handler: Checked) -> Handler:
        async def checked(call: Call) -> Answer:
            account = self.world.tokens.account(call.headers.get("authorization", ""))
            if account is None:
                return self._fault("the token is missing, unknown or too old", 401)
            try:
                return await handler(call, account)
            except (BadAsk, ValueError) as bad:
                return self._fault(str(bad), 400)

        return checked

    def _owner(self, stay_id: str) -> str | None:
        stay = self.world.truth.stays.get(stay_id)
        return self.world.truth.calendars[stay.parts[0].listing].listing.account if stay else None

    def _property(self, listing: str) -> str:
        return self.world.truth.calendars[listing].listing.property_id

    def _hotel(self, account: str, hotel: str) -> list[Calendar]:
        return [
            calendar
            for calendar in self.world.truth.calendars.values()
            if calendar.listing.platform is Platform.BOOKING
            and calendar.listing.property_id == hotel
            and writes.own_room(self.world.truth, account, calendar.listing.id) is not None
        ]

    def _ruid(self) -> str:
        return xml.new_ruid(next(self.world.serial))

    def _xml(self, root: Element, status: int = 200) -> Answer:
        return Answer(status, xml.document(root, self._ruid()), "application/xml; charset=utf-8")

    def _fault(self, message: str, status: int) -> Answer:
        root = Element("error")
        SubElement(root, "message").text = message
        return self._xml(root, status)

    def _ota_error(self, reply: Element, message: str, status: int) -> Answer:
        errors = SubElement(reply, "Errors")
        SubElement(errors, "Error", Code="450", ShortText=message, Status="NotProcessed", Type="3")
        return self._xml(reply, status)


def _refused(message: writes.Change | writes.Failure, night: str) -> writes.Change | writes.Failure:
    """The message as a fault refuses it: unless another ``night`` alone is meant."""
    if night and not (
        isinstance(message, writes.Change) and night in {one.isoformat() for one in message.nights}
    ):
        return message
    return writes.Failure(message.locator, "450", "REFUSED", "refused by the sandbox")


def _limit(call: Call) -> int | None:
    text = call.query.get("limit", "")
    return int(text) if text.isdecimal() else None
