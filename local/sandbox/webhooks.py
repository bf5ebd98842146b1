"""What platforms call on our side: Airbnb's notifications in the background and its questions before a booking, and
whatever others have to post.

Addresses: ``POST {base}/notification``; ``GET {base}?action=check_availability&...``, ``POST {base}`` and
``PUT {base}/{code}`` (VERIFIED in public code). How often Airbnb repeats a failed one is not known: a few times here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from local.sandbox.airbnb_payloads import make_reservation, notification
from local.sandbox.asgi import Json
from local.sandbox.config import Airbnb
from local.sandbox.faults import FaultKind, Faults
from local.sandbox.stays import Stay
from shared.domain.dates import StayDates
from shared.ports.people import Sleep


@dataclass(slots=True)
class Delivered:
    """How the calls fared; a lost one was tried as often as settings allow, or a fault swallowed it."""

    delivered: int = 0
    lost: int = 0
    attempts: int = 0


class Webhooks:
    """Airbnb's outgoing side. ``base`` may change while it runs; empty means that nobody listens."""

    def __init__(self, settings: Airbnb, faults: Faults, client: httpx.AsyncClient, sleep: Sleep) -> None:
        self.base = settings.webhook_base
        self.sync_check = settings.sync_check
        self.counts = Delivered()
        self._settings = settings
        self._faults = faults
        self._client = client
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def notify(self, action: str, stay: Stay) -> None:
        """Send a notification in the background, unless no webhook is set."""
        if self.base:
            self.post("airbnb", f"{self.base}/notification", notification(action, stay))

    def post(self, platform: str, url: str, body: Json, headers: Mapping[str, str] | None = None) -> None:
        """Call an address in the background, as often as settings allow; the platform's faults on "webhook" strike."""
        struck = self._faults.take(platform, "webhook")
        if FaultKind.LOST in struck or FaultKind.DOWN in struck:
            self.counts.lost += 1
            return
        waits = [fault.seconds for kind, fault in struck.items() if kind in (FaultKind.DELAY, FaultKind.LATE)]
        for _ in range(2 if FaultKind.TWICE in struck else 1):
            self._start(url, body, sum(waits), headers or {})

    async def may_book(self, listing: str, dates: StayDates) -> bool:
        """Ask our side whether the nights are free. No or a broken answer counts as yes (INFERRED: a partner's
        outage must not stop Airbnb's sales, which is the worse case for us)."""
        answer = await self._ask(
            "GET",
            self.base,
            params={
                "action": "check_availability",
                "listing_id": listing,
                "start_date": dates.check_in.isoformat(),
                "nights": str(len(dates)),
            },
        )
        return answer is None or answer.get("available") is not False

    async def may_make(self, stay_id: str, listing: str, dates: StayDates) -> bool:
        """Tell our side of the reservation that is about to be made; it may still say no."""
        body = make_reservation(stay_id, listing, dates.check_in.isoformat(), len(dates))
        answer = await self._ask("POST", self.base, json=body)
        return answer is None or answer.get("succeed") is not False

    async def may_alter(self, stay_id: str, listing: str, dates: StayDates) -> bool:
        """Ask whether an alteration can be accepted."""
        body = make_reservation(stay_id, listing, dates.check_in.isoformat(), len(dates))
        answer = await self._ask("PUT", f"{self.base}/{stay_id}", json=body)
        return answer is None or answer.get("succeed") is not False

    async def settled(self) -> None:
        """Wait until every notification was delivered or lost."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Drop what is still under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, url: str, body: Json, wait: float, headers: Mapping[str, str]) -> None:
        task = asyncio.create_task(self._deliver(url, body, wait, headers))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, url: str, body: Json, wait: float, headers: Mapping[str, str]) -> None:
        if wait:
            await self._sleep(wait)
        for attempt in range(self._settings.webhook_tries):
            if attempt:
                await self._sleep(self._settings.webhook_pause * 2 ** (attempt - 1))
            self.counts.attempts += 1
            if await self._posted(url, body, headers):
                self.counts.delivered += 1
                return
        self.counts.lost += 1

    async def _posted(self, url: str, body: Json, headers: Mapping[str, str]) -> bool:
        wait = self._settings.sync_timeout
        try:
            answer = await self._client.post(url, json=body, headers=dict(headers), timeout=wait)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.is_success

    async def _ask(
        self, method: str, url: str, *, params: dict[str, str] | None = None, json: Json | None = None
    ) -> Json | None:
        try:
            answer = await self._client.request(
                method, url, params=params, json=json, timeout=self._settings.sync_timeout
            )
            data = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None
        return data if isinstance(data, dict) else None
