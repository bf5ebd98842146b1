"""A connector behind its guard."""

from __future__ import annotations

from typing import Protocol


class Limiter(Protocol):
    """What a platform allows an account, shared by all hosts: asked before every call."""

    async def acquire(self, account: str, unit: str, operation: str, urgent: bool) -> None:
        """Take one call of an account's budget, waiting a moment at most. ``unit`` is the platform's own id of what the
        call is about ("" for the whole account), ``operation`` "read", "acknowledge" or "write"; ``urgent`` calls
        (closures, sales) come before the others. Raises ``RateLimited`` with ``retry_after``: nothing was sent."""
        ...
