"""Channex, a channel manager anybody can subscribe to: real time without being a platform's partner.

Source: docs.channex.io (VERIFIED) unless tagged. A webhook is a doorbell, the feed of revisions that nobody
acknowledged yet is the truth, an acknowledgement follows the commit. No retries; nothing here waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

from shared.connectors import channex_answers, strict_json
from shared.connectors.base import Call
from shared.connectors.channex_booking import is_id, last_night, read_booking, read_revisions
from shared.connectors.channex_calls import HOST, JSON, NOT_FOUND, UPDATE, ChannexCalls, send_json, split_unit
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.domain.facts import SOME_ROOM, Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, Write
from shared.ports.platforms import Notification

MOST_NIGHTS = 5000
"""Nights in one availability call: half a megabyte, where 10 MB are allowed. One call whatever the number: 10 a minute
and property are."""

FEED_PAGES = 2
"""Pages of the revision feed in one poll: what is stored and acknowledged well within a handler's 15 s."""

AT_ONCE = 8
"""Acknowledgements side by side."""


class ChannexConnector(ChannexCalls):
    """Channex by API. The secret of an account: ``api_key``, of a user's profile, for the properties in the portfolio
    alone: revisions of others would be acknowledged too.

    ``Listing.unit`` and ``SeenRoom.unit`` are written "property:room_type", two UUIDs.
    """

    # ------------------------------------------------------------------------------------ reservations

    async def poll(self, account: Account) -> Polled:
        """The revisions that wait for their acknowledgement, oldest first. Not ``whole`` where there are more than a
        poll should take, or the feed moved while it was read: the rest comes with the next."""
        oldest = {"order[inserted_at]": "asc"}
        path = "booking_revisions/feed"
        items, total = await self.read_list(account, "revision feed", path, oldest, FEED_PAGES)
        stays, unplaced = read_revisions(items)
        return Polled(tuple(stays), tuple(unplaced), whole=len(items) == total)

    async def acknowledge(self, account: Account, receipts: Sequence[str]) -> tuple[str, ...]:
        """One call a revision, a few side by side. Refused are those Channex does not know, and what is no receipt."""
        refused = [receipt for receipt in receipts if not is_id(receipt)]
        named = [receipt for receipt in receipts if is_id(receipt)]
        for start in range(0, len(named), AT_ONCE):
            some = named[start : start + AT_ONCE]
            known = await asyncio.gather(*(self._acknowledged(account, receipt) for receipt in some))
            refused += [receipt for receipt, taken in zip(some, known, strict=True) if not taken]
        return tuple(refused)

    async def reread(self, account: Account, reservation: str) -> SeenStay | None:
        """The booking's present state."""
        if not is_id(reservation):
            return None
        call = Call("booking read", "GET", f"/api/v1/bookings/{reservation}", HOST, answers=NOT_FOUND)
        response = await self.call(account, call)
        if response.status == 404:
            return None
        answer = self.read_json(call, response)
        stay = self.read_as(
            call, response, read_booking, answer.get("data") if isinstance(answer, dict) else None
        )
        if stay.id != reservation:
            raise PayloadRejected(f"{self.describe(call, response)}: the answer is about another booking")
        return stay

    async def stays(self, account: Account, unit: str) -> tuple[SeenStay, ...]:
        """Every booking of the property that departs from yesterday (UTC) on and has a room of the room type, or one
        that nobody mapped; cancelled ones included. All or an error, never a short list."""
        house, _ = split_unit(unit)
        yesterday = self._clock().date() - ONE_DAY
        asked = {"filter[property_id]": house, "filter[departure_date][gte]": str(yesterday)}
        items, total = await self.read_list(
            account, "booking list", "bookings", {**asked, "order[inserted_at]": "asc"}
        )
        if len(items) != total:
            why = f"{len(items)} of {total} could be read: it changed meanwhile, or is too long"
            raise PlatformDown(f"{self.title}: booking list: {why}")
        try:
            found = [read_booking(item) for item in items]
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.title}: booking list: {error}") from None
        if len({stay.id for stay in found}) != total:
            raise PlatformDown(f"{self.title}: booking list: it moved while being read")
        mine = {unit, f"{house}:{SOME_ROOM}"}
        return tuple(
            stay
            for stay in found
            if not stay.rooms or (mine & {room.unit for room in stay.rooms} and _leaves(stay, yesterday))
        )

    def read_notification(self, body: bytes) -> Notification:
        """Read a webhook body: a doorbell, whatever it tells. Raises ``PayloadRejected`` without showing the body."""
        try:
            return channex_answers.read_notification(strict_json.load(body))
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.title}: notification: {error}") from None

    # ---------------------------------------------------------------------------------------- calendar

    async def write(self, account: Account, listing: Listing, write: Write) -> WriteOutcome:
        """Set units for sale, one value a night, closures first, in as few calls as there can be.

        Taken values are queued over there. Where the answer names neither a task nor a refusal, the calendar is read
        back. Raises ``ValueError`` for a level below 0.
        """
        house, room_type = split_unit(listing.unit)
        if any(level < 0 for level in write.levels.values()):
            raise ValueError("a night cannot have fewer than 0 units for sale")
        nights = sorted(write.levels, key=lambda night: (write.levels[night] > 0, night))
        refused: dict[date, str] = {}
        for start in range(0, len(nights), MOST_NIGHTS):
            part = {night: write.levels[night] for night in nights[start : start + MOST_NIGHTS]}
            taken = await self._set(account, house, room_type, part)
            refused |= taken.refused if taken.surely else await self._not_there(account, listing, part)
        return WriteOutcome(frozenset(write.levels.keys() - refused.keys()), refused)

    async def read_levels(self, account: Account, listing: Listing, dates: StayDates) -> Mapping[date, int]:
        """Units for sale on each night, before any channel's own rules; a night the answer leaves out is missing."""
        house, room_type = split_unit(listing.unit)
        asked = {
            "filter[property_id]": house,
            "filter[date][gte]": str(dates.check_in),
            "filter[date][lte]": str(dates.check_out - ONE_DAY),
        }
        call = Call("availability read", "GET", f"/api/v1/availability?{urlencode(asked)}", HOST)
        response = await self.call(account, call)
        answer = self.read_json(call, response)
        levels = self.read_as(
            call, response, lambda body: channex_answers.read_levels(body, room_type), answer
        )
        return {night: level for night, level in levels.items() if dates.check_in <= night < dates.check_out}

    # ----------------------------------------------------------------------------------------- helpers

    async def _acknowledged(self, account: Account, receipt: str) -> bool:
        path = f"/api/v1/booking_revisions/{receipt}/ack"
        call = Call("acknowledgement", "POST", path, HOST, body=b"{}", headers=JSON, answers=NOT_FOUND)
        return (await self.call(account, call)).status != 404

    async def _set(
        self, account: Account, house: str, room_type: str, levels: Mapping[date, int]
    ) -> channex_answers.WriteAnswer:
        values = [_value(house, room_type, night, level) for night, level in levels.items()]
        call = send_json(UPDATE, "availability", {"values": values})
        response = await self.call(account, call)
        answer = self.read_json(call, response)
        nights = frozenset(levels)
        return self.read_as(call, response, lambda body: channex_answers.read_taken(body, nights), answer)

    async def _not_there(
        self, account: Account, listing: Listing, asked: Mapping[date, int]
    ) -> dict[date, str]:
        there = await self.read_levels(account, listing, StayDates(min(asked), max(asked) + ONE_DAY))
        return {night: "not taken" for night, level in asked.items() if there.get(night) != level}


def _value(house: str, room_type: str, night: date, level: int) -> dict[str, object]:
    return {"property_id": house, "room_type_id": room_type, "date": str(night), "availability": level}


def _leaves(stay: SeenStay, day: date) -> bool:
    leaves = last_night(stay)
    return leaves is not None and leaves >= day
