"""Answers to HTTP callers: JSON, and problems that name what is wrong (RFC 9457)."""

from __future__ import annotations

import json

from shared.correlation import current
from shared.use_cases import HttpAnswer

_TITLES = {400: "Bad request", 404: "Not found", 409: "Conflict", 413: "Too large"}


def json_answer(status: int, value: object, **headers: str) -> HttpAnswer:
    """A JSON body; never to be kept by anybody on the way, since it tells of right now."""
    body = json.dumps(value, ensure_ascii=False).encode()
    kind = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return HttpAnswer(status, body, {**kind, **headers})


def problem(status: int, detail: str) -> HttpAnswer:
    """A problem document. ``detail`` says what is wrong and where; it repeats no secret."""
    value = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "detail": detail,
    }
    body = json.dumps({**value, "correlation": current()}, ensure_ascii=False).encode()
    return HttpAnswer(status, body, {"content-type": "application/problem+json", "cache-control": "no-store"})
