"""Booking.com's access tokens: exchanged once, kept an hour, never more than thirty an hour.

Source: developers.booking.com, "Token-based authentication" (VERIFIED): a token is valid for 1 h, an account gets at
most 30 an hour. The count is a process's own; with many processes each spends about one an hour.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.connectors.base import Clock
from shared.domain.errors import RateLimited, TransientError
from shared.domain.model import Account

LIFETIME = timedelta(hours=1)
RENEWED_AFTER = timedelta(minutes=55)
"""Five minutes early: a call that starts with a token must be able to end with it."""

MOST_PER_HOUR = 30

Exchange = Callable[[Account], Awaitable[str]]
"""Asks the platform for a fresh token. Raises what a call raises."""


@dataclass(slots=True)
class _Desk:
    """One account's token and its recent exchanges."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str = field(default="", repr=False)
    since: datetime | None = None
    exchanges: deque[datetime] = field(default_factory=deque)


class Tokens:
    """The tokens of all accounts; callers at the same time share one exchange."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._desks: dict[str, _Desk] = {}

    async def token(self, account: Account) -> str:
        """A token that is good for some minutes yet.

        Raises ``RateLimited`` when the hour's exchanges are spent. One that could not be renewed is used to its end.
        """
        desk = self._desks.setdefault(account.id, _Desk())
        if self._is_younger(desk, RENEWED_AFTER):
            return desk.token
        async with desk.lock:
            if self._is_younger(desk, RENEWED_AFTER):
                return desk.token
            try:
                self._spend(desk, account)
                desk.token, desk.since = await self._exchange(account), self._clock()
            except TransientError:
                if not self._is_younger(desk, LIFETIME):
                    raise
        return desk.token

    def forget(self, account: Account, token: str) -> None:
        """Drop this token, unless a newer one has taken its place already."""
        desk = self._desks.get(account.id)
        if desk is not None and desk.token == token:
            desk.token, desk.since = "", None

    def _is_younger(self, desk: _Desk, age: timedelta) -> bool:
        return desk.since is not None and timedelta(0) <= self._clock() - desk.since < age

    def _spend(self, desk: _Desk, account: Account) -> None:
        now = self._clock()
        recent = [at for at in desk.exchanges if timedelta(0) <= now - at < LIFETIME]
        desk.exchanges = deque(recent)
        if len(recent) >= MOST_PER_HOUR:
            wait = (recent[0] + LIFETIME - now).total_seconds()
            raise RateLimited(f"Booking.com: account {account.id} has had its tokens for this hour", wait)
        desk.exchanges.append(now)
