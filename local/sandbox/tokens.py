"""Booking.com's token exchange: a token lives an hour, an account gets thirty of them an hour.

Source: developers.booking.com, token based authentication (VERIFIED); the Bearer header is INFERRED.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from local.sandbox.clock import Clock
from local.sandbox.config import Booking
from local.sandbox.errors import SandboxError


class WrongSecret(SandboxError):
    """Client id or secret is wrong."""

    status = 401


class TooManyTokens(SandboxError):
    """The account has had its tokens for this hour."""

    status = 429


class Tokens:
    """The tokens that were given out, by account."""

    def __init__(self, settings: Booking, clock: Clock, seed: int) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = random.Random(f"tokens:{seed}")  # noqa: S311 - opens nothing but the sandbox
        self._given: dict[str, tuple[str, datetime]] = {}

    def exchange(self, client_id: str, secret: str) -> str:
        """A fresh token. Raises ``WrongSecret``, ``TooManyTokens``."""
        account = next(
            (
                client.account
                for client in self._settings.clients
                if (client.client_id, client.client_secret) == (client_id, secret)
            ),
            None,
        )
        if account is None:
            raise WrongSecret("client id or secret is wrong")
        hour_ago = self._clock.now() - timedelta(hours=1)
        if sum(who == account and at > hour_ago for who, at in self._given.values()) >= (
            self._settings.tokens_per_hour
        ):
            raise TooManyTokens(f"more than {self._settings.tokens_per_hour} tokens within an hour")
        token = f"eyJhbGciOiJSUzI1NiJ9.{self._chance.getrandbits(128):032x}.sandbox"
        self._given[token] = (account, self._clock.now())
        return token

    def account(self, authorization: str) -> str | None:
        """The account an Authorization header speaks for; None when it is missing, unknown or too old."""
        scheme, _, token = authorization.partition(" ")
        given = self._given.get(token)
        if scheme.lower() != "bearer" or given is None:
            return None
        account, at = given
        fresh = self._clock.now() - at < timedelta(seconds=self._settings.token_seconds)
        return account if fresh else None

    def revoke_all(self) -> None:
        """Make every token stale at once; the hourly count goes on."""
        long_ago = timedelta(seconds=self._settings.token_seconds)
        self._given = {token: (account, at - long_ago) for token, (account, at) in self._given.items()}
