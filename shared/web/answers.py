"""Answers to HTTP callers: JSON, and problems that name what is wrong (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.correlation import current
from shared.domain.errors import NotAllowed, NotFound, PayloadRejected, SyncError
from shared.use_cases import HttpAnswer

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    428: "Precondition required",
    429: "Too many requests",
}


def json_answer(status: int, value: object, **headers: str) -> HttpAnswer:
    """A JSON body; never to be kept by anybody on the way, since it tells of right now."""
    body = json.dumps(value, ensure_ascii=False).encode()
    kind = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return HttpAnswer(status, body, {**kind, **headers})


REFUSALS = (PayloadRejected, NotAllowed, NotFound)
"""What whoever asks has to mend; everything else is ours."""


def refused(wrong: SyncError) -> HttpAnswer:
    """One of the ``REFUSALS`` as a problem document: 400, 403 or 404."""
    if isinstance(wrong, NotAllowed):
        return problem(403, str(wrong))
    return problem(400 if isinstance(wrong, PayloadRejected) else 404, str(wrong))


def problem(status: int, detail: str) -> HttpAnswer:
    """A problem document. ``detail`` says what is wrong and where; it repeats no secret."""
    return _problem(status, {"detail": detail})


def problem_more(status: int, detail: str, **more: object) -> HttpAnswer:
    """A problem document with what a program can use beside ``detail``."""
    return _problem(status, {"detail": detail, **more})


def problem_in_words(status: int, reason: str, said: Mapping[str, str], **headers: str) -> HttpAnswer:
    """A problem a person reads: ``said`` in French and English, and ``reason`` as one word for programs."""
    detail = f"{said['fr']} / {said['en']}"
    return _problem(status, {"detail": detail, "reason": reason, "said": dict(said)}, headers)


def _problem(status: int, more: Mapping[str, object], headers: Mapping[str, str] | None = None) -> HttpAnswer:
    value = {"type": "about:blank", "title": TITLES.get(status, "Refused"), "status": status, **more}
    body = json.dumps({**value, "correlation": current()}, ensure_ascii=False).encode()
    kind = {"content-type": "application/problem+json", "cache-control": "no-store"}
    return HttpAnswer(status, body, {**kind, **(headers or {})})
