"""The small ones: time, chance and ids; secrets; what people and operators are told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

Sleep = Callable[[float], Awaitable[None]]
"""Wait so many seconds; a virtual one in tests."""

Chance = Callable[[], float]
"""A random number in [0, 1)."""

NewId = Callable[[], str]
"""A fresh unguessable id (>= 128 bits, URL-safe)."""


class Secrets(Protocol):
    """Where API keys live: settings or a vault; never the portfolio, never a table."""

    def get(self, name: str) -> str:
        """The secret by its setting's name. Raises ``AuthFailed`` naming the missing setting."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know: ``kind`` names it, ``key`` deduplicates it; ``text`` by language, without a
    guest's name, since a notice travels through strangers' hands.

    ``owner`` is whose homes it is about, where that is known; ``link`` a page where something can be done about it;
    ``id`` names this telling of it, the same at each try: whoever sends it sets it. ``to`` is the one person it is for,
    by the key of what they chose; empty for all who look after these homes.
    """

    kind: str
    key: str
    severity: str
    text: Mapping[str, str]
    owner: str = ""
    link: str = ""
    id: str = ""
    to: str = field(default="", repr=False)


class Notify(Protocol):
    """Tells people. Never raises: a failed notice is counted, not thrown."""

    async def tell(self, notice: Notice) -> None:
        """Deliver, or see to it that it is tried again, or count the failure. Waits for no channel."""
        ...

    async def again(self) -> None:
        """Try once more what no channel took, in a few seconds at most: the health timer asks for it."""
        ...

    async def close(self) -> None:
        """Wait a moment for what is under way, then let go of it; the next process tries what was left."""
        ...


class Channel(Protocol):
    """One way to a person: e-mail, a push service, a webhook."""

    name: str

    async def send(self, notice: Notice) -> None:
        """Deliver within 10 s or so. Raises ``TransientError`` or ``PermanentError``; neither shows an address or a
        secret."""
        ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who takes an owner's notices: an e-mail address, which is personal data and in no log, and a language ("fr",
    "en"; empty: all there are). ``person`` is by whom the sign-in knows them; ``chosen``: they said themselves how they
    want to be told, and are told in that way."""

    address: str = field(repr=False)
    language: str = ""
    person: str = field(default="", repr=False, compare=False)
    chosen: bool = False


Recipients = Callable[[str], Awaitable[Sequence[Recipient]]]
"""Who takes the notices of an owner (by the portfolio's id of him); empty where nobody is named. May raise
``StoreUnavailable``."""


class Telemetry(Protocol):
    """Events and numbers for operators. Never raises, never blocks a sync; no guest data, no secrets."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Something happened."""
        ...

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Add to a counter."""
        ...

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Set a level."""
        ...

    def duration(self, name: str, milliseconds: float, **dimensions: str) -> None:
        """Something took so long."""
        ...

    @contextmanager
    def span(self, name: str, **dimensions: str) -> Iterator[None]:
        """How long this block takes, as a duration; ``result`` is "done", or the name of the error that left it."""
        begun, result = time.perf_counter(), "done"
        try:
            yield
        except BaseException as error:
            result = type(error).__name__
            raise
        finally:
            self.duration(name, 1000 * (time.perf_counter() - begun), **dimensions, result=result)

    async def flush(self, *, everything: bool = False) -> None:
        """Hand on what was gathered, at the end of an invocation: numbers may wait half a minute for others, unless
        ``everything`` must go now. Waits a second at most."""
        ...
