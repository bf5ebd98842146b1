"""Airbnb's partner API: calendar writes, calendar and reservation reads, notifications.

Official pages are behind a login: what is not tagged here was read in production integrations that are public
(VERIFIED there), the rest is INFERRED and parsed tolerantly. No retries; nothing here waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from urllib.parse import quote

from shared.connectors import airbnb_calendar, airbnb_notification, strict_json
from shared.connectors.airbnb_reservation import read_reservation
from shared.connectors.base import Call, HttpConnector
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import AIRBNB
from shared.ports.http import Response
from shared.ports.platforms import Notification

HOST = "https://api.airbnb.com"
API_VERSION = "2025.06.30"
"""The newest version the public page on API versioning lists (VERIFIED); we write the fields of 2024.06.30."""

MOST_DATES = 731
"""Dates in one calendar call, over all its operations (VERIFIED)."""

PAGE = 50
MOST_PAGES = 200
"""Pages of reservations of one listing: 10,000 stays, after which somebody's paging does not end."""

_WRITE = "/v2/calendar_operations_requests/"
_NOT_FOUND = frozenset({404})


class AirbnbConnector(HttpConnector):
    """Airbnb by API. Secrets of an account: ``api_key`` (the partner's) and ``oauth_token`` (the host's).

    ``Listing.unit`` is Airbnb's listing id.
    """

    platform = AIRBNB
    title = "Airbnb"

    async def authorize(self, account: Account) -> Mapping[str, str]:
        """The partner's key, the host's token, and the API version we speak."""
        return {
            "X-Airbnb-API-Key": self.secret(account, "api_key"),
            "X-Airbnb-OAuth-Token": self.secret(account, "oauth_token"),
            "X-AIRBNB-REQ-API-VERSION": API_VERSION,
            "Accept": "application/json",
        }

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """Set units for sale night by night, closures first, at most ``MOST_DATES`` a call.

        Raises ``ValueError`` for a level below 0. When a later call of a long write fails, the outcome of the whole
        is unknown to the caller, as after any failed write.
        """
        refused: dict[date, str] = {}
        for part in _portions(write.levels):
            body = json.dumps(_operations(listing.unit, part)).encode()
            call = Call(
                "calendar write",
                "POST",
                _WRITE,
                HOST,
                body=body,
                headers={"Content-Type": "application/json"},
            )
            response = await self.call(account, call)
            answer = self.read_json(call, response)
            try:
                refused |= airbnb_calendar.read_refusals(answer, frozenset(part))
            except PayloadRejected as error:
                raise self._unexpected(call, response, error) from None
        return WriteOutcome(frozenset(write.levels.keys() - refused.keys()), refused)

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """Units for sale on each night; a night the answer leaves out, or says in unknown words, is missing.

        Whether the end of the range is inclusive is not stated: we ask to the day of departure and keep the nights.
        """
        path = f"/v2/calendars/{_segment(listing.unit)}/{dates.check_in}/{dates.check_out}"
        call = Call("calendar read", "GET", path, HOST)
        response = await self.call(account, call)
        answer = self.read_json(call, response)
        try:
            levels = airbnb_calendar.read_days(answer)
        except PayloadRejected as error:
            raise self._unexpected(call, response, error) from None
        return {night: level for night, level in levels.items() if dates.check_in <= night < dates.check_out}

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """The reservation's present state; an inquiry comes back as a question, since it holds no night."""
        call = Call(
            "reservation read", "GET", f"/v2/reservations/{_segment(reservation)}", HOST, answers=_NOT_FOUND
        )
        response = await self.call(account, call)
        if response.status == 404:
            return None
        answer = self.read_json(call, response)
        inner = answer.get("reservation", answer) if isinstance(answer, dict) else answer
        try:
            stay = read_reservation(inner).seen()
        except PayloadRejected as error:
            raise self._unexpected(call, response, error) from None
        if stay.id != reservation:
            raise self._unexpected(call, response, "the answer is about another reservation")
        return stay

    async def poll(self, account: Account) -> Polled:
        """Nothing: Airbnb pushes."""
        return Polled()

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """Nothing to do: Airbnb's notifications are answered with their status."""
        return ()

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """Every reservation of the listing that departs from yesterday (UTC) on, cancelled ones included.

        The list is whole or an error: ``PlatformDown`` when it moved while being read or ended early,
        ``PayloadRejected`` when one of its reservations cannot be read.
        """
        found: dict[str, SeenStay] = {}
        read, total = 0, -1
        for _ in range(MOST_PAGES):
            call, response, items, stated = await self._page(account, unit, read)
            if total not in (-1, stated):
                raise PlatformDown(f"{self.describe(call, response)}: the list changed while being read")
            total = stated
            read += len(items)
            self._collect(call, response, items, found)
            if read >= total >= 0 or (total < 0 and not items):
                return tuple(stay for stay in found.values() if self._is_current(stay))
            if not items:
                raise PlatformDown(f"{self.describe(call, response)}: the list ended at {read} of {total}")
        raise PlatformDown(f"{self.title}: reservation list: no end after {MOST_PAGES} pages")

    def read_notification(self, body: bytes) -> Notification:
        """Read a webhook body, which is a hint. Raises ``PayloadRejected`` without showing the body."""
        try:
            return airbnb_notification.read_notification(strict_json.load(body))
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.title}: notification: {error}") from None

    async def _page(
        self, account: Account, unit: str, offset: int
    ) -> tuple[Call, Response, list[object], int]:
        """One page and the total it states, -1 where it states none (where it stands is INFERRED)."""
        query = f"listing_id={quote(unit, safe='')}&all_status=true&_limit={PAGE}&_offset={offset}"
        call = Call("reservation list", "GET", f"/v2/reservations?{query}", HOST)
        response = await self.call(account, call)
        answer = self.read_json(call, response)
        items = answer.get("reservations") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(items, list):
            raise self._unexpected(call, response, "an answer without a list of reservations")
        return call, response, items, _total(answer)

    def _collect(
        self, call: Call, response: Response, items: Sequence[object], found: dict[str, SeenStay]
    ) -> None:
        for item in items:
            try:
                reservation = read_reservation(item)
                code = reservation.code()
                stay = None if reservation.is_inquiry else reservation.seen()
            except PayloadRejected as error:
                raise self._unexpected(call, response, error) from None
            if code in found:
                raise PlatformDown(f"{self.describe(call, response)}: the list moved while being read")
            if stay:
                found[code] = stay

    def _is_current(self, stay: SeenStay) -> bool:
        yesterday = self._clock().date() - ONE_DAY
        return not stay.rooms or any(room.dates.check_out >= yesterday for room in stay.rooms)

    def _unexpected(self, call: Call, response: Response, why: object) -> PayloadRejected:
        return PayloadRejected(f"{self.describe(call, response)}: {why}")


def _portions(levels: Mapping[date, int]) -> Iterator[dict[date, int]]:
    """The nights in calls of at most ``MOST_DATES``, closures first: they must not wait for anything."""
    if any(level < 0 for level in levels.values()):
        raise ValueError("a night cannot have fewer than 0 units for sale")
    nights = sorted(levels, key=lambda night: (levels[night] > 0, night))
    for start in range(0, len(nights), MOST_DATES):
        yield {night: levels[night] for night in nights[start : start + MOST_DATES]}


def _operations(unit: str, levels: Mapping[date, int]) -> dict[str, object]:
    """The body of a calendar call: one operation a level, single nights only (the end of a range is not stated)."""
    return {
        "listing_id": int(unit) if unit.isascii() and unit.isdigit() else unit,
        "operations": [
            {
                "dates": [night.isoformat() for night in sorted(levels) if levels[night] == level],
                **_words(level),
            }
            for level in sorted(set(levels.values()))
        ],
    }


def _words(level: int) -> dict[str, object]:
    """How Airbnb says a level. A closure needs a ``busy_subtype`` since 2024.06.30 (VERIFIED; its place INFERRED):
    ours stand for stays sold elsewhere. ``available_count`` is for room types alone."""
    if level == 0:
        return {"availability": "unavailable", "busy_subtype": "OUTSIDE_RESERVATION"}
    return {"availability": "available"} | ({"available_count": level} if level > 1 else {})


def _segment(text: str) -> str:
    """An id as one segment of a path. Raises ``PayloadRejected`` for one that would change the address."""
    if text.strip(".") == "":
        raise PayloadRejected("Airbnb: an id that cannot stand in an address")
    return quote(text, safe="")


def _total(answer: Mapping[str, object]) -> int:
    places: list[object] = [answer, *(answer.get(key) for key in ("metadata", "_metadata", "paging"))]
    for place in places:
        if isinstance(place, dict):
            for key in ("total_count", "record_count", "total"):
                number = place.get(key)
                if isinstance(number, int) and not isinstance(number, bool) and number >= 0:
                    return number
    return -1
