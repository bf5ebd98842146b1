"""Booking.com's Connectivity API, OTA flavour: two reservation queues, acknowledgements, availability.

Source: developers.booking.com (VERIFIED) unless tagged. There is no reservation webhook: one poll every 20 s covers all
properties of the account; each queue keeps its messages until they are acknowledged. No retries; nothing waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.connectors import booking_calendar_xml, booking_xml
from shared.connectors.base import DEADLINE, Call, Clock, HttpConnector, RetryAfter
from shared.connectors.booking_tokens import Tokens
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected, PlatformDown, RateLimited
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import BOOKING
from shared.ports.http import Http, Response
from shared.ports.people import Secrets
from shared.ports.platforms import Notification

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

HOST = "https://supply-xml.booking.com"
RESERVATION_HOST = "https://secure-supply-xml.booking.com"
TOKEN_HOST = "https://connectivity-authentication.booking.com"  # noqa: S105 - an address

MOST_MESSAGES = 366
"""Nights in one availability call; no limit is published (INFERRED to be safe)."""

HOME_ZONE = ZoneInfo("Europe/Amsterdam")
"""The zone (CET) by which Booking.com refuses days that are past by more than one."""

_XML = {"Content-Type": "application/xml", "Accept": "application/xml"}
_REFUSED_RECEIPT = frozenset({400, 403, 404})
_NO_ACCESS = frozenset({403})


class BookingConnector(HttpConnector):
    """Booking.com by API. Secrets of an account: ``client_id`` and ``client_secret`` of the machine account.

    ``Listing.unit`` and ``SeenRoom.unit`` are written "hotel:room" ("1234567:123456701"): the property for reading, the
    room type for writing.

    A 403 about one property ("Access denied for hotel", VERIFIED) refuses that call alone: the account and the other
    homes on it go on. A 403 to a poll or a token exchange is the account's.
    """

    platform = BOOKING
    title = "Booking.com"

    def __init__(
        self,
        http: Http,
        secrets: Secrets,
        *,
        clock: Clock,
        retry_after: RetryAfter,
        deadline: float = DEADLINE,
    ) -> None:
        super().__init__(http, secrets, clock=clock, retry_after=retry_after, deadline=deadline)
        self._tokens = Tokens(self._exchange, clock)

    # ------------------------------------------------------------------------------------ credentials

    async def authorize(self, account: Account) -> Mapping[str, str]:
        """The account's current token, as a Bearer (INFERRED: the page says "use it to call the APIs")."""
        return {"Authorization": f"Bearer {await self._tokens.token(account)}"}

    def renew(self, account: Account, sent: Mapping[str, str]) -> bool:
        """A refused token is dropped; the next call exchanges a fresh one."""
        self._tokens.forget(account, sent["Authorization"].removeprefix("Bearer "))
        return True

    def reference(self, response: Response) -> str:
        """The RUID that trails an answer, which Booking.com's support asks for."""
        return booking_xml.read_ruid(response.body)

    async def _exchange(self, account: Account) -> str:
        names = {role: self.secret(account, role) for role in ("client_id", "client_secret")}
        call = Call(
            "token exchange",
            "POST",
            "/token-based-authentication/exchange",
            TOKEN_HOST,
            body=json.dumps(names).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        response = await self.send(account, call, {})
        self.check(call, response)
        answer = self.read_json(call, response)
        token = answer.get("jwt") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
            raise PayloadRejected(f"{self.describe(call, response)}: an answer without a token")
        return token

    # ------------------------------------------------------------------------------------ reservations

    async def poll(self, account: Account) -> Polled:
        """Both queues, one after the other (concurrent calls are not recommended).

        A failure of one queue does not keep back what the other holds: it is raised once there is nothing to hand
        over, at the latest by the poll after the acknowledgement.
        """
        found: list[Polled] = []
        failure: PlatformDown | PayloadRejected | RateLimited | None = None
        for queue in (booking_xml.NEW, booking_xml.MODIFY):
            try:
                found.append(await self._poll_queue(account, queue))
            except RateLimited as error:
                failure = error
                break
            except (PlatformDown, PayloadRejected) as error:
                failure = failure or error
        stays = tuple(one for polled in found for one in polled.stays)
        unplaced = tuple(one for polled in found for one in polled.unplaced)
        if failure is not None and not stays and not unplaced:
            raise failure
        return Polled(stays, unplaced, whole=failure is None)

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """One call a queue with all its ids; when it is refused, one call an id, to find which.

        Refused are: 400 (a newer message has come), 403 and 404 (not ours, or unknown), errors inside a 200, and
        receipts that are none. They are to be polled again. Wait 5 s before the next poll.
        """
        refused = [receipt for receipt in receipts if not booking_xml.is_receipt(receipt)]
        for queue in booking_xml.MESSAGES:
            ids = booking_xml.ids_of(queue, receipts)
            if not ids or await self._acknowledged(account, queue, ids):
                continue
            for one in ids:
                if len(ids) == 1 or not await self._acknowledged(account, queue, [one]):
                    refused.append(booking_xml.receipt_of(queue, one))
        return tuple(refused)

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """Always None: the OTA flavour has no call for one reservation. Its state comes with the next poll, and
        ``stays`` gives all of a property."""
        return None

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """Every reservation of the room type that departs in the future, whole with its other rooms, and every
        cancellation the list names. All or an error, never a short list."""
        hotel, _ = booking_calendar_xml.split_unit(unit)
        body = booking_calendar_xml.write_summary_request(hotel)
        call = _about_property("reservation summary", "/hotels/xml/reservationssummary", body)
        response, root = await self._ask(account, call)
        try:
            found = booking_calendar_xml.read_summary(root, hotel)
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.describe(call, response)}: {error}") from None
        return tuple(
            stay for stay in found if not stay.rooms or any(room.unit == unit for room in stay.rooms)
        )

    def read_notification(self, body: bytes) -> Notification:
        """Raises ``PayloadRejected``, always: Booking.com has no reservation webhook."""
        raise PayloadRejected("Booking.com: no reservation webhook exists; this did not come from there")

    # ---------------------------------------------------------------------------------------- calendar

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """Set units for sale, one message a night, closures first when it takes several calls.

        A property that took our access away (403) refuses every night of the call. Nights before yesterday (CET) are
        not sent, since they would be refused, and count as accepted: nobody can buy them. Raises ``ValueError`` for
        a level outside 0 to 254.
        """
        _, room = booking_calendar_xml.split_unit(listing.unit)
        booking_calendar_xml.check_levels(write.levels)
        refused: dict[date, str] = {}
        for part in self._portions(write.levels):
            body, locators = booking_calendar_xml.write_availability(room, part, self._clock())
            call = _about_property("availability write", "/hotels/ota/OTA_HotelAvailNotif", body)
            response = await self.call(account, call)
            if response.status in _NO_ACCESS:
                refused |= dict.fromkeys(part, "no access to this property (HTTP 403)")
                continue
            root = self.read_xml(call, response)
            try:
                refused |= booking_calendar_xml.read_refusals(root, locators)
            except PayloadRejected as error:
                raise PayloadRejected(f"{self.describe(call, response)}: {error}") from None
        return WriteOutcome(frozenset(write.levels.keys() - refused.keys()), refused)

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """Units left on each night, asked in windows of ``READ_DAYS``; a night the answers leave out is missing."""
        hotel, room = booking_calendar_xml.split_unit(listing.unit)
        levels: dict[date, int] = {}
        for start, days in booking_calendar_xml.windows(dates):
            body = booking_calendar_xml.write_level_request(hotel, start, days)
            call = _about_property("availability read", "/hotels/xml/roomrateavailability", body)
            _, root = await self._ask(account, call)
            levels |= booking_calendar_xml.read_levels(root, room)
        return {night: level for night, level in levels.items() if dates.check_in <= night < dates.check_out}

    # ----------------------------------------------------------------------------------------- helpers

    async def _ask(self, account: Account, call: Call) -> tuple[Response, Element]:
        """Call and read an answer that must hold data. Raises ``PayloadRejected`` for errors inside a 200, and for a
        403, which is about one property."""
        response = await self.call(account, call)
        if response.status in _NO_ACCESS:
            raise PayloadRejected(f"{self.describe(call, response)}: no access to this property")
        root = self.read_xml(call, response)
        if problem := booking_xml.complaint(root):
            raise PayloadRejected(f"{self.describe(call, response)}: {problem}")
        return response, root

    async def _poll_queue(self, account: Account, queue: str) -> Polled:
        call = Call(
            f"poll of {queue} reservations",
            "GET",
            booking_xml.queue_path(queue),
            RESERVATION_HOST,
            headers=_XML,
        )
        response = await self.call(account, call)
        root = self.read_xml(call, response)
        try:
            return booking_xml.read_queue(queue, root)
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.describe(call, response)}: {error}") from None

    async def _acknowledged(self, account: Account, queue: str, ids: Sequence[str]) -> bool:
        call = Call(
            f"acknowledgement of {queue} reservations",
            "POST",
            booking_xml.queue_path(queue),
            RESERVATION_HOST,
            body=booking_xml.write_acknowledgement(queue, ids, self._clock()),
            headers=_XML,
            answers=_REFUSED_RECEIPT,
        )
        response = await self.call(account, call)
        if response.status in _REFUSED_RECEIPT:
            return False
        if not response.body.strip():
            return True
        return not booking_xml.complaint(self.read_xml(call, response))

    def _portions(self, levels: Mapping[date, int]) -> Iterator[dict[date, int]]:
        yesterday = self._clock().astimezone(HOME_ZONE).date() - ONE_DAY
        nights = sorted((n for n in levels if n >= yesterday), key=lambda night: (levels[night] > 0, night))
        for start in range(0, len(nights), MOST_MESSAGES):
            yield {night: levels[night] for night in nights[start : start + MOST_MESSAGES]}


def _about_property(operation: str, path: str, body: bytes) -> Call:
    return Call(operation, "POST", path, HOST, body=body, headers=_XML, answers=_NO_ACCESS)
