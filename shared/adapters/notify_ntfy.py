"""Notices by ntfy, a push service for phones (docs.ntfy.sh): one POST each.

The JSON form goes to the server's root and carries the title in the body, so that no text ever becomes a header. Who
knows an unprotected topic's name reads it: it is a password, and stands in no log (VERIFIED, docs.ntfy.sh/publish).
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from shared.adapters.notify_text import body, check_taken, title
from shared.domain.errors import PayloadRejected
from shared.ports.http import Http, Request
from shared.ports.people import Notice

MOST_BYTES = 3_500
"""Bytes of a message: over 4,096 it would become an attachment (VERIFIED, docs.ntfy.sh/publish)."""

_PRIORITIES = {"critical": 5, "high": 4, "info": 2}
_TAGS = {"critical": "rotating_light", "high": "warning", "info": "information_source"}


class NtfyChannel:
    """The port ``Channel`` over ntfy."""

    name = "ntfy"

    def __init__(
        self,
        http: Http,
        url: str,
        topic: str,
        token: str = "",
        language: str = "",
        *,
        guarded: bool = False,
    ) -> None:
        """``token`` opens a protected topic; ``language`` is the one to tell in, all where it is empty. ``guarded``
        sends through the address guard: for a server that somebody chose in a form."""
        self._http = http
        self._url = url.rstrip("/") + "/"
        self._host = urlsplit(url).hostname or "ntfy"
        self._topic = topic
        self._token = token
        self._language = language
        self._guarded = guarded

    async def send(self, notice: Notice) -> None:
        """Publish it. That the server took it is known by the message's id in its answer. Raises ``AddressRefused``
        where the guard lets nothing through."""
        headers = {"content-type": "application/json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        request = Request(
            "POST",
            self._url,
            headers,
            self._message(notice),
            deadline=10.0,
            most_bytes=65_536,
            guarded=self._guarded,
        )
        answer = await self._http.send(request)
        check_taken(self._host, answer)
        if not _has_id(answer.body):
            raise PayloadRejected(f"{self._host} answered 2xx, and not as ntfy does")

    def _message(self, notice: Notice) -> bytes:
        text = body(notice, self._language).encode()[:MOST_BYTES].decode("utf-8", "ignore")
        message: dict[str, object] = {
            "topic": self._topic,
            "title": title(notice, self._language),
            "message": text,
            "priority": _PRIORITIES.get(notice.severity, 3),
            "tags": [_TAGS.get(notice.severity, "calendar")],
        }
        if notice.link.startswith("https://"):
            message["click"] = notice.link
        return json.dumps(message, ensure_ascii=False).encode()


def _has_id(written: bytes) -> bool:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and isinstance(value.get("id"), str)
