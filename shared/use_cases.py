"""What the triggers may ask of the engine, and nothing more.

The function folders are typed against this protocol, so that a trigger names a use case and knows no vendor, no
table and no queue. ``shared.bootstrap`` hands out the object that fulfils it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from shared.domain.access import NOBODY, Person

if TYPE_CHECKING:
    from shared.routes.route import Route


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer to an HTTP caller, free of any web framework. Header names in any case; a Content-Type among them."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a person or of their program. ``params`` are those of the route, ``headers`` by lower-case name.

    ``person`` is NOBODY until the door has looked at the sign-in; ``language`` is "fr" or "en". ``csrf`` is what a form
    on the answered page must send back. ``part`` says that a script asks for a piece of a page, not for all of it.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    person: Person = NOBODY
    language: str = "fr"
    csrf: str = field(default="", repr=False)
    part: bool = False


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """One call of a platform, or of a mail service under the name "mail", as it came.

    ``path`` is what follows the secret in the address, without a leading slash; empty for none. ``headers`` are
    looked up in any case.
    """

    platform: str
    secret: str = field(repr=False)
    path: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Console(Protocol):
    """What people see and press: pages, and the API behind the same handlers."""

    async def answer(self, route: Route, ask: Ask) -> HttpAnswer:
        """Judge who asks, then answer; whoever may not gets 401, 403, 404 or the way to sign in. Bad input is answered
        with a 4xx that names it."""
        ...


class Receiver(Protocol):
    """Takes webhooks."""

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        """Answer a platform's call: store its body, or say whether nights may be sold. Raises ``StoreUnavailable``."""
        ...


class Engine(Protocol):
    """The use cases behind the triggers. Each ends within 15 s; what is left returns as a scheduled message.

    A timer or queue use case that raises is tried again: by the next tick, or by the queue's delivery count.
    """

    async def on_timer_poll_feeds(self) -> None:
        """Turn the calendar links that are due into work."""
        ...

    async def on_timer_poll_accounts(self) -> None:
        """Turn the API accounts that are due into work (Booking.com's own rhythm is 20 s)."""
        ...

    async def on_timer_sweep(self) -> None:
        """Take what was left behind: raw webhooks, sites with waiting intents, messages not yet sent."""
        ...

    async def on_timer_walk(self) -> None:
        """Visit the next share of all sites, index or not, so that each is seen at least once a day (rule 10)."""
        ...

    async def on_timer_deep(self) -> None:
        """Ask the platforms what is really sold and blocked, and mend drift."""
        ...

    async def on_timer_health(self) -> None:
        """Judge lag, circuits and dead letters; tell people what needs them."""
        ...

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        """Store a platform's call before answering it (or answer its availability check from our own state). The
        answer to an unknown platform or a wrong secret is the same 404."""
        ...

    async def work(self, body: bytes, deliveries: int, message_id: str) -> None:
        """Do what one message of the queue ``work`` names. ``deliveries`` counts from 1, this one included."""
        ...

    async def conflict(self, body: bytes, deliveries: int, message_id: str) -> None:
        """Handle what one message of the queue ``conflicts`` names. ``deliveries`` counts from 1."""
        ...

    async def export_calendar(self, token: str, headers: Mapping[str, str]) -> HttpAnswer:
        """The calendar for one destination, by its secret token: 200, 304, 404, or 503 when in doubt (rule 5)."""
        ...

    async def health(self) -> HttpAnswer:
        """Whether the engine keeps its promises right now: 200, or 503 with the reasons. No secrets, no names."""
        ...
