"""Our side, for as long as the run waits: one calendar for each marked listing, and an ear for webhooks.

Nothing that comes is kept or acted on: it is counted, judged, and answered. A calendar holds one far-off night while
writing is allowed, and none once its platform has fetched that; it never held anything else, so its platform loses
nothing of anybody's by reading it.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

from local.live.beliefs import Seen
from local.live.ledger import Ledger
from local.live.words import Outcome, Step, Words
from shared.connectors.ical_export import etag, write_calendar
from shared.connectors.registry import checks, find
from shared.connectors.webhook_signature import verifier
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected
from shared.domain.export import is_one_of
from shared.domain.platform import Platform
from shared.domain.portfolio import PortfolioListing
from shared.ports.platforms import ApiConnector

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 1024 * 1024
_LONGEST_AGENT = 120


@dataclass
class Served:
    """One calendar of ours: its night (None: empty), and who fetched what."""

    listing: PortfolioListing
    token: str = field(repr=False)
    night: date | None
    fetched: bool = False
    emptied: bool = False
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read."""

    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


Answer = tuple[int, bytes, str, str]
"""Status, body, content type, ETag."""

NOT_FOUND: Answer = (404, b"", "text/plain", "")


class Listener:
    """The ASGI application. ``secrets`` and ``keys`` are those of webhooks, by platform; ``heard`` is set at each
    arrival."""

    def __init__(
        self,
        served: list[Served],
        connectors: Mapping[Platform, ApiConnector],
        settings: Mapping[str, str],
        ledger: Ledger,
        domain: str,
        now: Callable[[], datetime],
    ) -> None:
        self.served = served
        self.steps: list[Step] = []
        self.seen: list[Seen] = []
        self.heard = asyncio.Event()
        self._connectors, self._settings, self._ledger = connectors, settings, ledger
        self._domain, self._now = domain, now
        self._checks = checks()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; 413 for a body over ``MOST_BYTES``."""
        body = await _body(receive)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        call = Call(scope["method"], scope["path"], query, headers, body or b"")
        status, content, kind, tag = (413, b"", "text/plain", "") if body is None else self.answer(call)
        named = [(b"content-type", kind.encode()), *([(b"etag", tag.encode())] if tag else [])]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else content})

    def answer(self, call: Call) -> Answer:
        """What a request gets. An address that is none of ours says nothing."""
        parts = call.path.strip("/").split("/", 3)
        if parts[0] == "export" and len(parts) == 2:
            return self._export(call, parts[1].removesuffix(".ics"))
        if parts[0] == "webhooks" and len(parts) >= 3:
            return self._webhook(call, parts[1], parts[2], parts[3] if len(parts) == 4 else "")
        return NOT_FOUND

    # ------------------------------------------------------------------------------------- our calendars

    def _export(self, call: Call, token: str) -> Answer:
        for one in self.served:
            if hmac.compare_digest(one.token.encode(), token.encode()):
                return self._calendar(call, one)
        return NOT_FOUND

    def _calendar(self, call: Call, one: Served) -> Answer:
        closed = [(StayDates.of_nights(one.night, 1), "live")] if one.night else []
        body = write_calendar(closed, seed=one.listing.id, name="Sync Engine live", domain=self._domain)
        known = call.headers.get("if-none-match", "") == etag(body)
        self._note(one, call, known)
        return (304, b"", "text/calendar", etag(body)) if known else (200, body, "text/calendar", etag(body))

    def _note(self, one: Served, call: Call, known: bool) -> None:
        """Who fetched. The platform's own fetch empties the calendar; its next one shows that it is empty there too."""
        agent = _plain(call.headers.get("user-agent", ""))
        known_as = (one.listing.agent,) if one.listing.agent else find(one.listing.platform).agents
        peer = is_one_of(agent, known_as)
        asks = "conditional" if "if-none-match" in call.headers else "plain"
        said = f"{call.method} {asks} → {304 if known else 200}, User-Agent: {agent or '-'}"
        one.steps.append(Step(one.listing.id, Outcome.DONE, Words(f"lu par {said}", f"fetched by {said}")))
        if call.method == "GET":
            self.seen.append(Seen("importer", peer, f"{one.listing.platform}: {agent or '-'}"))
        if peer and call.method == "GET":
            one.fetched = True
            if one.night is None:
                one.emptied = True
                for closed in self._ledger.closed():
                    if closed.listing == one.listing.id:
                        self._ledger.take(closed.listing, date.fromisoformat(closed.night))
            one.night = None
        self.heard.set()

    # ------------------------------------------------------------------------------------------ webhooks

    def _webhook(self, call: Call, platform: str, secret: str, rest: str) -> Answer:
        known = [
            one for one in self._settings.get(f"WEBHOOK_SECRET_{platform.upper()}", "").split(",") if one
        ]
        if not any(hmac.compare_digest(one.strip().encode(), secret.encode()) for one in known):
            return NOT_FOUND
        answer, said = self._judged(call, Platform(platform), rest)
        text = f"{call.method}, {len(call.body)} B, {self._signed(call, platform)}: {said}"
        self.steps.append(Step(platform, Outcome.DONE, Words(f"webhook {text}", f"webhook {text}")))
        self.heard.set()
        return answer

    def _judged(self, call: Call, platform: Platform, rest: str) -> tuple[Answer, str]:
        wire = self._checks.get(platform)
        if wire is not None:
            try:
                asked = wire.read(call.method, rest, call.query, call.body)
            except PayloadRejected as wrong:
                self.seen.append(Seen("airbnb-check", False, str(wrong)))
                return (
                    400,
                    wire.malformed(str(wrong)),
                    "application/json",
                    "",
                ), f"unreadable question: {wrong}"
            if asked is not None:
                # Only the engine knows what is free: here every question but a probe is answered no.
                self.seen.append(Seen("airbnb-check", True, f"a question ({asked.kind}) could be read"))
                return (
                    200,
                    wire.reply(asked.kind, asked.probe),
                    "application/json",
                    "",
                ), f"asked {asked.kind}"
        connector = self._connectors.get(platform)
        try:
            said = "no account" if connector is None else connector.read_notification(call.body).action
        except PayloadRejected as wrong:
            said = f"unreadable: {wrong}"
        return (200, b"", "text/plain", ""), said

    def _signed(self, call: Call, platform: str) -> str:
        keys = self._settings.get(f"WEBHOOK_KEY_{platform.upper()}", "")
        if not keys:
            return "no signature checked"
        judge = verifier(find(platform).signature, [key.strip() for key in keys.split(",")])
        verdict = judge.verify(call.headers, call.body, self._now())
        return verdict.refused or "signature right"


def _plain(agent: str) -> str:
    return "".join(sign for sign in agent[:_LONGEST_AGENT] if sign.isascii() and sign.isprintable())


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large."""
    parts, size, more = [], 0, True
    while more:
        event = await receive()
        part: bytes = event.get("body", b"")
        size += len(part)
        more = bool(event.get("more_body"))
        if size <= MOST_BYTES:
            parts.append(part)
    return b"".join(parts) if size <= MOST_BYTES else None
