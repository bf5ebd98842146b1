"""What every call to Channex shares: the key, the pause after an error, pages of a list, its webhooks' registration.

Source: docs.channex.io (VERIFIED) unless tagged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from shared.connectors import channex_answers
from shared.connectors.base import Call, HttpConnector
from shared.connectors.channex_booking import is_id
from shared.connectors.webhook_signature import KEY_HEADER
from shared.domain.errors import PayloadRejected, PlatformDown, RateLimited
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.ports.http import Response

HOST = "https://app.channex.io"
"""Where production is (REPORTED in public code; the pages show the staging host alone)."""

CHANNEX = Platform("channex")

PAUSE = 60.0
"""Seconds without updates of a property after any error of one, where the answer names no other."""

PAGE = 100
MOST_PAGES = 50
"""Pages of one list: 5,000 bookings of one property."""

UPDATE = "availability write"
"""The name of the calls that change a property, in error texts."""

JSON = {"Content-Type": "application/json"}
"""The headers of a call with a body."""

NOT_FOUND = frozenset({404})
"""The statuses that answer a question about one thing instead of failing it."""

T = TypeVar("T")


class ChannexCalls(HttpConnector):
    """The calls, for the connector to give them meaning."""

    platform = CHANNEX
    title = "Channex"

    async def authorize(self, account: Account) -> Mapping[str, str]:
        """The owner's key."""
        return {"user-api-key": self.secret(account, "api_key"), "Accept": "application/json"}

    def check(self, call: Call, response: Response) -> None:
        """As the base, and with the pause that Channex asks for: after a 429, and after any error of an update."""
        try:
            super().check(call, response)
        except (RateLimited, PlatformDown) as error:
            rests = isinstance(error, RateLimited) or call.operation == UPDATE
            raise type(error)(str(error), error.retry_after or (PAUSE if rests else None)) from None

    async def register_webhook(
        self, account: Account, units: Iterable[str], url: str, secret: str
    ) -> tuple[str, ...]:
        """Have Channex call ``url`` at each booking event of the units' properties, with the secret in a header (empty:
        none) and without data. Returns a line a property: what was done, and which switches to turn on by hand."""
        lines = []
        for house in dict.fromkeys(split_unit(unit)[0] for unit in units):
            asked = {"filter[property_id]": house}
            items, _ = await self.read_list(account, "webhook list", "webhooks", asked)
            done = await self._registered(account, house, url, secret, items)
            off = await self._switches_off(account, house)
            lines.append(f"{house}: {done}" + (f"; turn on {', '.join(off)}" if off else ""))
        return tuple(lines)

    async def _registered(
        self, account: Account, house: str, url: str, secret: str, known: Sequence[object]
    ) -> str:
        """Register the address once: one that is there with another key, or inactive, is made right."""
        webhook = {
            "property_id": house,
            "callback_url": url,
            "event_mask": "booking",
            "request_params": {},
            "headers": {KEY_HEADER: secret} if secret else {},
            "is_active": True,
            "send_data": False,
        }
        there = channex_answers.find_webhook(known, house, url)
        if there is not None and there.is_as(webhook):
            return "registered already"
        path, method = ("webhooks", "POST") if there is None else (f"webhooks/{there.id}", "PUT")
        call = send_json("webhook registration", path, {"webhook": webhook}, method)
        await self.call(account, call)
        return "registered" if there is None else "renewed"

    async def _switches_off(self, account: Account, house: str) -> tuple[str, ...]:
        call = Call("property read", "GET", f"/api/v1/properties/{house}", HOST, answers=NOT_FOUND)
        response = await self.call(account, call)
        return () if response.status == 404 else channex_answers.read_switches(self.read_json(call, response))

    async def read_list(
        self,
        account: Account,
        operation: str,
        path: str,
        asked: Mapping[str, str],
        pages: int = MOST_PAGES,
    ) -> tuple[list[object], int]:
        """The items of a list, page by page, and how many it says it has: more than were read where it moved meanwhile,
        or has more pages than we read."""
        found: list[object] = []
        total = 0
        for number in range(1, pages + 1):
            query = urlencode({**asked, "pagination[page]": number, "pagination[limit]": PAGE})
            call = Call(operation, "GET", f"/api/v1/{path}?{query}", HOST)
            response = await self.call(account, call)
            page = self.read_as(call, response, channex_answers.read_page, self.read_json(call, response))
            found += page.items
            total = page.total
            if not page.items or len(found) >= total:
                break
        return found, total

    def read_as(self, call: Call, response: Response, read: Callable[[object], T], answer: object) -> T:
        """What the answer means. Raises ``PayloadRejected``, naming the call, as ``read`` does."""
        try:
            return read(answer)
        except PayloadRejected as error:
            raise PayloadRejected(f"{self.describe(call, response)}: {error}") from None


def split_unit(unit: str) -> tuple[str, str]:
    """Property and room type. Raises ``PayloadRejected`` for a unit that is not written so."""
    house, _, room_type = unit.partition(":")
    if not is_id(house) or not is_id(room_type):
        raise PayloadRejected("Channex: a unit is written property:room_type")
    return house, room_type


def send_json(operation: str, path: str, body: object, method: str = "POST") -> Call:
    """A call with a body."""
    return Call(operation, method, f"/api/v1/{path}", HOST, body=json.dumps(body).encode(), headers=JSON)
