"""What the sandbox refuses, sorted by the HTTP status its control API answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date


class SandboxError(Exception):
    """Anything the sandbox refuses to do; ``status`` is what the control API answers."""

    status = 400


class BadAsk(SandboxError):
    """The request cannot be read: a field is missing, misspelt or impossible."""


class Unknown(SandboxError):
    """No such listing, reservation, block or link."""

    status = 404


class Closed(SandboxError):
    """A guest asked for nights that are not for sale; ``nights`` names them."""

    status = 409

    def __init__(self, listing: str, nights: Iterable[date], why: str = "closed") -> None:
        self.nights = tuple(sorted(set(nights)))
        super().__init__(f"{listing}: {why}: {', '.join(night.isoformat() for night in self.nights)}")
