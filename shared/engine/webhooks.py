"""Webhooks: who may call, what is taken, and in which order that is asked. The body is stored before the answer.

A stranger learns nothing: a wrong secret, a wrong path, an unknown platform and a wrong network all get the same 404.
Only who knows the secret hears that a body is too long (413), not signed (401) or no JSON (400). While the store is
down ``StoreUnavailable`` goes up, and the trigger's edge answers 503 with Retry-After: the sender tries again.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Protocol

from shared.domain.errors import SyncError
from shared.domain.platform import Platform
from shared.ports.webhooks import Verdict, WebhookVerifier
from shared.state.deliveries import DeliveryStore, Last
from shared.use_cases import HttpAnswer, WebhookCall

if TYPE_CHECKING:
    from shared.ports.people import Telemetry

MOST_BODY = 60_000
"""Bytes of a webhook body that are taken: real ones are a few KiB, and a row's column holds 64 KiB."""

NOTED_EVERY = timedelta(seconds=10)
"""The least time between two notes of a sender's last delivery by one process."""

NOTIFICATION = "notification"

MAIL = "mail"
"""What stands in the address in a platform's place when an e-mail is handed over."""

MOST_MAIL = 2 * 1024 * 1024
"""Bytes of an e-mail's description that are read: pages and pictures come along in it."""

_NOBODY = "no sender has this secret"

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Senders:
    """What is known of those who call, beside the secret in their path. By platform: how a delivery proves itself
    where its sender signs; the networks he calls from; the words by which his e-mails are known, in lower case."""

    verifiers: Mapping[str, WebhookVerifier] = field(default_factory=dict)
    networks: Mapping[str, Networks] = field(default_factory=dict)
    words: Mapping[Platform, tuple[str, ...]] = field(default_factory=dict)


class Desk(Protocol):
    """Answers a platform that asks before it sells, at the bare address and below it."""

    async def answer(self, path: str, method: str, query: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer, from our own state, in time for a guest who waits."""
        ...


class MailDesk(Protocol):
    """Hears an e-mail."""

    async def ring(self, body: bytes) -> tuple[HttpAnswer, str]:
        """The answer, and in words what was done."""
        ...


class Takes(Protocol):
    """Where bodies are stored."""

    async def receive(self, platform: Platform, body: bytes) -> object:
        """Store a body and ring for it. Raises ``StoreUnavailable``."""
        ...


class Around(Protocol):
    """What is needed of the world: a ``World`` has it, and so has a porch before there is one."""

    @property
    def apis(self) -> Container[Platform]:
        """The platforms that may call us."""
        ...

    @property
    def telemetry(self) -> Telemetry:
        """Where refusals are counted."""
        ...

    @property
    def deliveries(self) -> DeliveryStore:
        """What was taken before."""
        ...

    def now(self) -> datetime:
        """Store time."""
        ...


class Webhooks:
    """Takes what platforms and mail services send."""

    def __init__(
        self,
        world: Around,
        inbox: Takes,
        secrets: Mapping[str, tuple[str, ...]],
        senders: Senders,
        desks: Mapping[Platform, Desk],
        mail: MailDesk | None = None,
    ) -> None:
        """``secrets`` of the path by platform (and "mail"), several while one replaces another. ``desks`` answer the
        platforms that ask before they sell; ``mail`` hears e-mails, which are at no address without it."""
        self._world = world
        self._inbox = inbox
        self._secrets = secrets
        self._senders = senders
        self._mail = mail
        self._desks = desks
        self._noted: dict[str, datetime] = {}

    async def receive(self, call: WebhookCall) -> HttpAnswer:
        """Answer one call. Raises ``StoreUnavailable`` when its body could not be stored."""
        if not self.admits(call):
            return not_found()
        if call.platform == MAIL:
            return await self._take_mail(call)
        platform = Platform(call.platform)
        desk = self._desks.get(platform)
        if desk is not None and call.path != NOTIFICATION:
            return await self._ask(desk, call)
        if platform not in self._world.apis or call.method != "POST" or call.path not in ("", NOTIFICATION):
            return not_found()
        return await self._take(call)

    def admits(self, call: WebhookCall) -> bool:
        """Whether a call is one of this sender's, for all that its address and its network say. A right secret from a
        wrong network is counted."""
        if not is_known(self._secrets, call.platform, call.secret):
            return False
        if is_near(self._senders.networks, call.platform, call.headers):
            return True
        self._world.telemetry.count("webhook_refused", platform=call.platform, why="network")
        self._world.telemetry.count("webhook_rejected", platform=call.platform, result="network")
        return False

    async def _ask(self, desk: Desk, call: WebhookCall) -> HttpAnswer:
        """What asks before a sale; a question by GET has no body that anybody could sign."""
        verdict = self._judge(call) if call.method != "GET" else Verdict()
        if verdict.refused:
            return await self._refuse(call.platform, 401, verdict.refused, len(call.body))
        return await desk.answer(call.path, call.method, call.query, call.body)

    def _judge(self, call: WebhookCall) -> Verdict:
        verifier = self._senders.verifiers.get(call.platform)
        return verifier.verify(call.headers, call.body, self._world.now()) if verifier else Verdict()

    async def _take(self, call: WebhookCall) -> HttpAnswer:
        """Store a body, unless it is too long, not its sender's, no JSON or a repeat."""
        platform, body = call.platform, call.body
        if len(body) > MOST_BODY:
            return await self._refuse(platform, 413, f"the body is over {MOST_BODY} bytes", len(body))
        verdict = self._judge(call)
        if verdict.refused:
            return await self._refuse(platform, 401, verdict.refused, len(body))
        if verdict.unreadable:
            return await self._refuse(platform, 400, verdict.unreadable, len(body))
        if verdict.delivery and await self._world.deliveries.is_repeat(platform, verdict.delivery):
            await self._note(platform, "a repeat: taken before", len(body))
            return _taken()
        await asyncio.gather(
            self._inbox.receive(Platform(platform), body), self._note(platform, "stored", len(body))
        )
        if verdict.delivery:  # only now: a body that could not be stored must be news when it comes again
            await self._world.deliveries.remember(platform, verdict.delivery)
        return _taken()

    async def _take_mail(self, call: WebhookCall) -> HttpAnswer:
        size = len(call.body)
        if call.method != "POST" or call.path or self._mail is None:
            return not_found()
        if size > MOST_MAIL:
            return await self._refuse(MAIL, 413, f"the body is over {MOST_MAIL} bytes", size)
        answer, result = await self._mail.ring(call.body)
        await self._note(MAIL, result, size)
        return answer

    async def _refuse(self, sender: str, status: int, why: str, size: int) -> HttpAnswer:
        self._world.telemetry.event("webhook_refused", platform=sender, why=why, status=status)
        self._world.telemetry.count("webhook_rejected", platform=sender, result=str(status))
        await self._note(sender, f"refused ({status}): {why}", size)
        return answered(status, {"title": why})

    async def _note(self, sender: str, result: str, size: int) -> None:
        """Keep what people look at first when a webhook seems silent. A failure of this costs the delivery nothing."""
        now = self._world.now()
        before = self._noted.get(sender)
        if before is not None and now - before < NOTED_EVERY:
            return
        self._noted[sender] = now
        try:
            await self._world.deliveries.note(sender, Last(now, result, size))
        except SyncError:
            self._world.telemetry.count("delivery_not_noted", platform=sender)


def is_known(secrets: Mapping[str, tuple[str, ...]], sender: str, given: str) -> bool:
    """Whether the path's secret is one of the sender's. Each is compared, in the same time wherever it differs."""
    known, text = secrets.get(sender, ()), given.encode("utf-8", "replace")
    right = [hmac.compare_digest(text, one.encode()) for one in known or (_NOBODY,)]
    return bool(known) and any(right)


def is_near(networks: Mapping[str, Networks], sender: str, headers: Mapping[str, str]) -> bool:
    """Whether the call comes from one of the sender's networks; from anywhere where none are named."""
    named = networks.get(sender)
    return named is None or _is_within(caller(headers), named)


def caller(headers: Mapping[str, str]) -> str:
    """The address that called, empty when nobody says: the last hop of ``X-Forwarded-For``, which the front end of
    Azure's App Service appends as ``address:port`` to whatever the caller claimed (REPORTED, sergiodxa/remix-utils
    #496). Behind a proxy of your own the last hop is that proxy."""
    hops = next((text for name, text in headers.items() if name.lower() == "x-forwarded-for"), "")
    last = hops.rpartition(",")[2].strip()
    if last.startswith("["):
        return last[1:].partition("]")[0]
    return last.partition(":")[0] if last.count(":") == 1 else last


def _is_within(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in network for network in networks)


def answered(status: int, value: object) -> HttpAnswer:
    """A JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return HttpAnswer(status, body, {"content-type": "application/json; charset=utf-8"})


def _taken() -> HttpAnswer:
    return answered(200, {"succeed": True})


def not_found() -> HttpAnswer:
    """What strangers hear, whatever they ask."""
    return answered(404, {"title": "not found"})
