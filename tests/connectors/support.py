"""What the connectors' tests share: invented secrets, a clock that stands, an account, and a scripted platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from shared.connectors.base import HttpConnector
from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import Link, Platform
from shared.memory.http import MemoryHttp
from shared.ports.http import Request, Response
from shared.resilience.retry_after import parse_retry_after

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2027, 5, 2, 12, 0, tzinfo=UTC)
BASE = "http://platform.test"

SECRETS = {
    "AIRBNB_KEY": "key-that-nobody-may-read",
    "AIRBNB_TOKEN": "token-that-nobody-may-read",
    "BOOKING_ID": "client-that-nobody-may-read",
    "BOOKING_SECRET": "secret-that-nobody-may-read",
    "CHANNEX_KEY": "channex-key-that-nobody-may-read",
}
ROLES = {
    "airbnb": {"api_key": "AIRBNB_KEY", "oauth_token": "AIRBNB_TOKEN"},
    "booking": {"client_id": "BOOKING_ID", "client_secret": "BOOKING_SECRET"},
    "channex": {"api_key": "CHANNEX_KEY"},
}


class Settings:
    """The port ``Secrets`` over a mapping."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str:
        if name not in self._values:
            raise AuthFailed(f"setting {name} is missing")
        return self._values[name]


class Ticking:
    """A clock that moves when it is told to."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def retry_after(value: str | None) -> float | None:
    return parse_retry_after(value, NOW)


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def account(platform: str, base_url: str = BASE, account_id: str = "acme") -> Account:
    return Account(account_id, Platform(platform), "owner-1", ROLES[platform], base_url)


def listing(platform: str, unit: str) -> Listing:
    return Listing("listing-1", "home-1", Platform(platform), "acme", Link.API, unit)


def levels(nights: Iterable[date], level: int) -> Write:
    return Write(fence=1, deadline=NOW, levels=dict.fromkeys(nights, level))


def stay(start: str, nights: int) -> StayDates:
    return StayDates.of_nights(date.fromisoformat(start), nights)


C = TypeVar("C", bound=HttpConnector)
Reply = Response | bytes | Callable[[Request], Response]


class Script:
    """A platform that answers each path from a list, the last answer again and again; ``asked`` are the requests."""

    def __init__(self) -> None:
        self.http = MemoryHttp()
        self.http.on("GET", "", self._answer)
        self.http.on("POST", "", self._answer)
        self._replies: dict[tuple[str, str], list[Reply]] = {}

    def on(self, method: str, path: str, *replies: Reply) -> None:
        self._replies[(method, path)] = list(replies)

    def asked(self, path: str = "") -> list[Request]:
        return [request for request in self.http.requests if path in request.url]

    async def _answer(self, request: Request) -> Response:
        await asyncio.sleep(0)  # as on a wire, others get their turn meanwhile
        path = request.url.removeprefix(BASE).partition("?")[0]
        replies = self._replies[(request.method, path)]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, bytes):
            return Response(200, {}, reply)
        return reply if isinstance(reply, Response) else reply(request)


def status(code: int, body: bytes = b"", **headers: str) -> Response:
    return Response(code, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def connector(kind: type[C], script: Script, clock: Ticking | None = None) -> C:
    return kind(script.http, Settings(SECRETS), clock=clock or Ticking(), retry_after=retry_after)
