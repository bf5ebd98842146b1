"""The way out: one call, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One outgoing call. ``deadline`` is the total time in seconds, body included; ``most_bytes`` caps the
    decoded body. ``guarded`` sends it through the address guard (feeds from strangers)."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    deadline: float = 10.0
    most_bytes: int = 2 * 1024 * 1024
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer; header names are lower case. A body cut short or over its cap never gets here."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Http(Protocol):
    """The way out. Raises ``PlatformDown`` (no complete answer in time), ``AddressRefused`` (guarded calls),
    ``PayloadRejected`` (body over its cap)."""

    async def send(self, request: Request) -> Response:
        """Make the call; any status is an answer, also 5xx."""
        ...

    async def close(self) -> None:
        """Free the connections."""
        ...
