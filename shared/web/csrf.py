"""Forged forms: another site must not press our buttons with our cookies.

Two proofs, both asked of every write: the browser says that the request comes from our own pages (Origin, or
Sec-Fetch-Site), and the form carries what stands in a cookie that no other site can read. The token is masked anew in
each page, so that compressing a page tells nothing about it. A program that sends no cookie but an Authorization
header cannot be forged: no page can make a browser send one to us.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

FIELD = "csrf"
"""The form field, and the cookie; scripts send the header ``x-csrf-token``."""

HEADER = "x-csrf-token"

SIZE = 24
"""Bytes of the secret."""


def new_secret() -> str:
    """What the cookie holds, in hexadecimal."""
    return secrets.token_hex(SIZE)


def is_secret(text: str) -> bool:
    """Whether a cookie holds what ``new_secret`` makes; whoever sends anything else is given a new one."""
    return len(text) == 2 * SIZE and len(_bytes(text)) == SIZE


def masked(secret: str) -> str:
    """The cookie's secret as a page carries it: another text each time."""
    pad = secrets.token_bytes(SIZE)
    return (pad + _xor(pad, _bytes(secret) or bytes(SIZE))).hex()


def fits(token: str, secret: str) -> bool:
    """Whether a token was made from the cookie's secret."""
    given, wanted = _bytes(token), _bytes(secret)
    if len(given) != 2 * SIZE or len(wanted) != SIZE:
        return False
    return hmac.compare_digest(_xor(given[:SIZE], given[SIZE:]), wanted)


def is_ours(headers: Mapping[str, str], public: str) -> bool:
    """Whether the browser says that the request comes from our own pages; a program says nothing, and may go on."""
    site = headers.get("sec-fetch-site", "")
    if site not in ("", "same-origin", "none"):
        return False
    origin = headers.get("origin", "")
    if not origin:
        return True
    try:
        there = urlsplit(origin).netloc.lower()  # of "null", a page without an origin, it is empty
    except ValueError:  # a broken IPv6 host
        return False
    return bool(there) and there in (headers.get("host", "").lower(), urlsplit(public).netloc.lower())


def cannot_be_forged(headers: Mapping[str, str]) -> bool:
    """Whether the request proves by itself who sent it: nothing that a browser adds unasked stands in it."""
    return "cookie" not in headers and "authorization" in headers


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
