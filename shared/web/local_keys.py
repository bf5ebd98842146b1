"""What opens the console on one's own machine: codes to type, the cookie they are exchanged for, a program's token.

All are made from one key (``SIGN_IN_KEY``) that never leaves the machine. A code holds for one sign-in; then the next
one does. Which comes next is a note in the tables, so that all hosts agree, and no code works twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

from shared.domain.errors import StaleWrite
from shared.ports.stores import Notes

STAYS_IN = timedelta(days=30)
"""How long a browser stays signed in."""

_ACCOUNT, _NOTE = "~console", "sign-in"
_TRIES = 5


class LocalKeys:
    """Codes, cookies and tokens of one key."""

    def __init__(self, key: str, notes: Notes) -> None:
        self._key = key.encode()
        self._notes = notes

    @property
    def token(self) -> str:
        """What a program sends: ``Authorization: Bearer ...``."""
        return token_of(self._key.decode())

    def is_token(self, header: str) -> bool:
        """Whether an Authorization header carries the token."""
        return hmac.compare_digest(header.encode(), f"Bearer {self.token}".encode())

    async def code(self) -> str:
        """The code that signs in next: ``ABCDE-FGHIJ``."""
        note = await self._notes.read(_ACCOUNT, _NOTE)
        return self._code(int(note.text or 0))

    async def enter(self, typed: str) -> bool:
        """Take a code: True once, for the code that is next."""
        given = re.sub(r"[^A-Z2-7]", "", typed.upper())
        for _ in range(_TRIES):
            note = await self._notes.read(_ACCOUNT, _NOTE)
            number = int(note.text or 0)
            if not hmac.compare_digest(given.encode(), self._code(number).replace("-", "").encode()):
                return False
            try:
                await self._notes.swap(_ACCOUNT, _NOTE, str(number + 1), note.etag)
            except StaleWrite:
                continue
            return True
        return False

    def session(self, now: datetime, chance: str) -> str:
        """A cookie's value: when it was given, something that makes it unique, and the proof of both."""
        told = f"{int(now.timestamp())}.{chance}"
        return f"{told}.{self._mac('session ' + told)}"

    def is_session(self, value: str, now: datetime) -> bool:
        """Whether a cookie's value is ours and not too old."""
        told, _, proof = value.rpartition(".")
        given = told.partition(".")[0]
        if not given.isdecimal() or not hmac.compare_digest(
            proof.encode(), self._mac("session " + told).encode()
        ):
            return False
        age = now.timestamp() - int(given)
        return -STAYS_IN.total_seconds() < age < STAYS_IN.total_seconds()

    def _code(self, number: int) -> str:
        text = base64.b32encode(self._raw(f"code {number}"))[:10].decode()
        return f"{text[:5]}-{text[5:]}"

    def _mac(self, what: str) -> str:
        return _mac(self._key, what)

    def _raw(self, what: str) -> bytes:
        return _raw(self._key, what)


def token_of(key: str) -> str:
    """The token of a key: for programs on the machine where it stands."""
    return _mac(key.encode(), "api")


def _mac(key: bytes, what: str) -> str:
    return base64.urlsafe_b64encode(_raw(key, what)).decode().rstrip("=")


def _raw(key: bytes, what: str) -> bytes:
    return hmac.new(key, what.encode(), hashlib.sha256).digest()
