"""Notices as JSON to an address of the owner's choice (Home Assistant, n8n, a script), signed if he wants.

The signature is that of Standard Webhooks (standardwebhooks.com, VERIFIED): ``webhook-id``, ``webhook-timestamp`` and
``webhook-signature: v1,<base64 of HMAC-SHA256 over "id.timestamp.body">``. The id is the same at each try of a notice.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from shared.adapters.notify_text import check_taken, one_line, plain_id, tame
from shared.ports.http import Http, Request
from shared.ports.people import Notice

_PREFIX = "whsec_"


class JsonChannel:
    """The port ``Channel`` over a plain POST."""

    name = "json"

    def __init__(self, http: Http, url: str, *, now: Callable[[], datetime], key: str = "") -> None:
        """``url`` may hold a token of its own and is in no log; ``key`` is "whsec_" and base64, or any other text."""
        self._http = http
        self._url = url
        self._host = urlsplit(url).hostname or "webhook"
        self._now = now
        self._key = secret_of(key)

    async def send(self, notice: Notice) -> None:
        """POST it; any 2xx is a yes."""
        at = self._now()
        written = json.dumps(
            {
                "kind": notice.kind,
                "key": one_line(notice.key),
                "severity": notice.severity,
                "owner": one_line(notice.owner),
                "link": one_line(notice.link),
                "at": at.isoformat(),
                "text": {name: tame(text) for name, text in notice.text.items()},
            },
            ensure_ascii=False,
        ).encode()
        name = plain_id(notice)
        headers = {"content-type": "application/json; charset=utf-8", "webhook-id": name}
        headers["webhook-timestamp"] = stamp = str(int(at.timestamp()))
        if self._key:
            headers["webhook-signature"] = sign(self._key, name, stamp, written)
        answer = await self._http.send(
            Request("POST", self._url, headers, written, deadline=10.0, most_bytes=65_536)
        )
        check_taken(self._host, answer)


def secret_of(key: str) -> bytes:
    """The key's bytes. Raises ``ValueError`` for a "whsec_" key that is not base64."""
    if not key.startswith(_PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is not base64") from None


def sign(key: bytes, name: str, stamp: str, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    digest = hmac.digest(key, f"{name}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
