"""One stack for stories that run side by side: everything ``make run`` starts, a place where notices arrive, and what a
person could ask of it over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from local.ports import free_port
from local.run_session import Session, Wanted, session
from local.sandbox.calls import Logged
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.stays import NightState
from shared.domain.dates import StayDates
from tests.e2e.support import QUICK, logged, until
from tests.loopback import Loopback, plain

AIRBNB, BOOKING, CHANNEX = "airbnb-claire", "booking-claire", "channex-claire"
"""The accounts by API of the example's portfolio."""

TOPIC = "a-long-invented-topic"


class Stage:
    """The running stack, seen by guests, by a person at the console, and by whoever gets the notices."""

    def __init__(self, running: Session, folder: Path, phone: Loopback, desk: Loopback) -> None:
        assert running.sandbox is not None
        self.session, self.sandbox = running, running.sandbox
        self.phone, self.desk = phone, desk
        self._folder = folder

    # --------------------------------------------------------------------------------- the platforms

    async def book(self, platform: str, listing: str, first: date, nights: int = 3) -> StayDates:
        """A guest books."""
        body = {"listing": listing, "check_in": str(first), "nights": nights}
        answer = await self.session.client.post(f"{self.sandbox.base}/sandbox/{platform}/book", json=body)
        assert answer.is_success, answer.text
        return StayDates.of_nights(first, nights)

    def states(self, listing: str, dates: StayDates) -> list[NightState]:
        """What a listing's calendar ("booking/123456701") shows, night by night."""
        return [self.sandbox.world.truth.night(listing, night).state for night in dates.nights()]

    async def closed(self, listing: str, dates: StayDates, seconds: float = 45.0) -> None:
        """Wait until our closure stands on every night."""

        async def look() -> bool:
            return set(self.states(listing, dates)) == {NightState.PARTNER}

        await until(look, f"{listing} is closed on {dates}", seconds)

    def breaks(self, kind: FaultKind, platform: str, **more: Any) -> int:
        """Have something go wrong; returns what ``mends`` it."""
        return self.sandbox.world.faults.add(Fault(kind, platform, **more))

    def mends(self, fault: int) -> None:
        self.sandbox.world.faults.clear(fault)

    def calls(self, platform: str, call: str, note: str = "") -> list[Logged]:
        """What a platform was asked so far."""
        return [
            one
            for one in list(self.sandbox.world.calls.latest)
            if (one.platform, one.call) == (platform, call) and note in ("", one.note)
        ]

    # --------------------------------------------------------------------------------- the console

    @property
    def key(self) -> dict[str, str]:
        """The header that opens the API."""
        return self.session.stack.key

    async def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """What the API answers; its status must be that."""
        url = f"{self.session.stack.hosts.public}{path}"
        answer = await self.session.client.request(method, url, json=body, headers=self.key)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def account(self, name: str) -> Any:
        """An account as ``GET /api/status`` shows it."""
        accounts = (await self.ask("GET", "/api/status"))["accounts"]
        return next(one for one in accounts if one["id"] == name)

    async def circuit(self, account: str, operation: str) -> str:
        """The state of one breaker."""
        circuits = (await self.account(account))["circuits"]
        return str(next(one["state"] for one in circuits if one["operation"] == operation))

    async def mode(self, account: str, wanted: str, seconds: float) -> Any:
        """The account, once it stands in that mode."""

        async def look() -> Any:
            found = await self.account(account)
            return found if found["mode"] == wanted else None

        return await until(look, f"{account} is in {wanted}", seconds)

    async def site(self, name: str) -> Any:
        """A site as ``GET /api/status`` shows it."""
        return next(one for one in (await self.ask("GET", "/api/status"))["sites"] if one["id"] == name)

    async def job(self, **wish: str) -> Any:
        """A job asked for and waited for, with its report."""
        started = await self.ask("POST", "/api/sync", wish, 202)

        async def over() -> Any:
            found = await self.ask("GET", started["href"])
            return found if found["state"] != "running" else None

        return await until(over, f"the job for {wish} is over", 60)

    # --------------------------------------------------------------------------------- what is told

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the host's log after it was ready."""
        return logged(self._folder / "example" / "host-1.log")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Those lines of one event."""
        return [one for one in self.lines() if one["event"] == name]

    def notices(self, kind: str) -> list[Mapping[str, Any]]:
        """What the JSON webhook got of one kind so far."""
        return [one for one in (json.loads(seen.body) for seen in self.desk.seen) if one["kind"] == kind]

    async def told(self, kind: str, words: str, seconds: float = 45.0) -> Mapping[str, Any]:
        """The notice of that kind with these words in it, French or English, once it has arrived."""

        async def look() -> Mapping[str, Any] | None:
            return next(
                (one for one in self.notices(kind) if words in json.dumps(one["text"], ensure_ascii=False)),
                None,
            )

        found = await until(look, f"a notice {kind}: {words}", seconds)
        assert found is not None
        return found


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """The example of ``make run`` in the tests' rhythm: calendars every 2 s instead of 2 min, the health timer every
    5 s instead of each minute, one repetition of a failed read instead of three. What the engine itself measures (the
    ladder, the breaker, Booking.com's 20 s) is as it always is."""
    async with Loopback(plain(200, b"{}")) as phone, Loopback(plain(200, b"{}")) as desk:
        settings = {
            **QUICK.schedules,
            "HEALTH_SCHEDULE": "*/5 * * * * *",
            "RETRY_MAX": "1",
            "NOTIFY": "log,ntfy,json",
            "NTFY_URL": phone.url(""),
            "NTFY_TOPIC": TOPIC,
            "NOTIFY_JSON_URL": desk.url("/notices"),
        }
        wanted = Wanted(
            port=free_port(),
            sandbox_port=free_port(),
            guests=0,
            folder=folder,
            rhythm=replace(QUICK, schedules=settings),
        )
        async with session(wanted, print) as running:
            yield Stage(running, folder, phone, desk)
