"""Notices through Apprise, which knows some hundred services; an extra: ``pip install -r requirements-notify.txt``.

It is imported at the first notice. Its addresses hold passwords, so nothing it says is passed on, and its own logger,
which writes addresses it cannot read, is silenced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Protocol

from shared.adapters.notify_text import body, title
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.ports.people import Notice

_TYPES = {"critical": "failure", "high": "warning", "info": "info"}


class Sender(Protocol):
    """What we use of ``apprise.Apprise``."""

    def add(self, servers: str) -> bool:
        """Add a service by its address; False when it cannot be read."""
        ...

    async def async_notify(self, body: str, title: str, notify_type: str) -> bool | None:
        """Tell all of them; False when one of them failed, None when there was nobody to tell."""
        ...


def load() -> Sender:
    """Apprise itself, its logger silenced. Raises ``PayloadRejected`` where it is not installed."""
    # It writes addresses, and with them tokens, into the log; what failed is raised by us, without them.
    voice = logging.getLogger("apprise")
    voice.setLevel(logging.CRITICAL + 1)
    voice.propagate = False
    try:
        made: Sender = import_module("apprise").Apprise()
    except ImportError:
        raise PayloadRejected(
            "apprise is not installed: pip install -r requirements-notify.txt, or take it out of NOTIFY"
        ) from None
    return made


class AppriseChannel:
    """The port ``Channel`` over Apprise."""

    name = "apprise"

    def __init__(self, urls: Sequence[str], language: str = "", make: Callable[[], Sender] = load) -> None:
        """``urls`` are Apprise's own addresses of services; ``make`` gives the object they are added to."""
        self._urls = urls
        self._language = language
        self._make = make
        self._sender: Sender | None = None

    async def send(self, notice: Notice) -> None:
        """Tell every service; one that fails makes it a failure, and the next try tells all of them again."""
        if self._sender is None:
            self._sender = self._opened()
        kind = _TYPES.get(notice.severity, "info")
        text, head = body(notice, self._language), title(notice, self._language)
        try:
            taken = await self._sender.async_notify(body=text, title=head, notify_type=kind)
        except Exception as wrong:  # noqa: BLE001 - a hundred plug-ins raise what they like, with addresses in it
            raise PlatformDown(f"apprise raised {type(wrong).__name__}") from None
        if not taken:
            raise PlatformDown("apprise: at least one service did not take it")

    def _opened(self) -> Sender:
        sender = self._make()
        for number, url in enumerate(self._urls, 1):
            if not sender.add(url):
                raise PayloadRejected(f"apprise cannot read address number {number} of those it was given")
        return sender
