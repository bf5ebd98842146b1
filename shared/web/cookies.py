"""Cookies: read from a request, written on an answer."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

YEAR = 365 * 24 * 3600
"""Seconds."""


def cookies(headers: Mapping[str, str]) -> dict[str, str]:
    """What the browser sent, by name; nothing of a header that cannot be read."""
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def cookie(name: str, value: str, *, age: int, secure: bool, strict: bool = True) -> str:
    """A cookie that no script reads and no other site causes to be sent; ``age`` in seconds, 0 takes it away.
    ``secure`` keeps it off plain HTTP, which a laptop needs. Without ``strict`` it comes along when a link of another
    site (an e-mail's) leads to us, with reads only."""
    parts = [
        f"{name}={value}",
        "Path=/",
        f"Max-Age={age}",
        "HttpOnly",
        f"SameSite={'Strict' if strict else 'Lax'}",
    ]
    return "; ".join([*parts, *(["Secure"] if secure else [])])
