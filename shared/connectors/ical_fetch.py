"""Asking a calendar's host once, politely: only what changed, who we are, and what its answer means.

Nothing found tells how long Airbnb's, Booking.com's or Greengo's feeds honour ETag or Last-Modified, so both are sent
and neither is relied on: an unchanged body is known by its digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256

from shared.connectors.ical_links import VRBO, mask, platform_of
from shared.connectors.ical_text import MOST_BYTES
from shared.domain.errors import (
    AuthFailed,
    FeedRefused,
    PayloadRejected,
    PlatformDown,
    RateLimited,
    SyncError,
)
from shared.domain.platform import AIRBNB, BOOKING
from shared.ports.http import Http, Request, Response
from shared.ports.platforms import FeedFetch, Validators

DEADLINE = 10.0
"""Seconds for the whole answer, its last byte included."""

RetryAfter = Callable[[str | None], float | None]
"""Reads a Retry-After header into seconds; None when it is missing or says nothing."""

# Stamps of the export, not of the stay: they never move a night, and some exporters renew them at each fetch
# (VERIFIED for DTSTAMP in a masked feed of abritel.fr). SEQUENCE stays in: it comes with a change of the event.
_STAMPS = re.compile(rb"\n(?:DTSTAMP|LAST-MODIFIED|CREATED)[:;][^\n]*(?:\n[ \t][^\n]*)*")

_BEGINS = re.compile(rb"BEGIN:VCALENDAR", re.IGNORECASE)

# REPORTED: Airbnb answers 403 to agents it does not like. There, and where robots are kept out the same way, 403 is a
# budget that is spent and not a dead link (which is 404).
_BUDGET_BY_403 = frozenset({AIRBNB, BOOKING, VRBO})

_LONGEST_VALIDATOR = 1_000


async def fetch_calendar(
    http: Http, url: str, validators: Validators, *, agent: str, retry_after: RetryAfter
) -> FeedFetch:
    """One conditional GET through the address guard.

    Raises ``FeedRefused`` (200, but no whole calendar), ``RateLimited`` (429, 503 with Retry-After, 403 of a big
    platform), ``PlatformDown`` (other 5xx, 408, no answer in time), ``AuthFailed`` (401, 403, 404, 410: the link is
    dead or wrong), ``AddressRefused``. Errors name the host, never the link.
    """
    headers = {"User-Agent": agent, "Accept": "text/calendar, text/plain;q=0.5, */*;q=0.1"}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    request = Request("GET", url, headers, deadline=DEADLINE, most_bytes=MOST_BYTES, guarded=True)
    try:
        answer = await http.send(request)
    except PayloadRejected as error:
        raise FeedRefused(str(error)) from error
    if answer.status == 200:
        _require_whole(answer.body, url)
        return FeedFetch(False, _validators(answer.headers, Validators()), digest(answer.body), answer.body)
    if answer.status == 304 and validators != Validators():
        return FeedFetch(True, _validators(answer.headers, validators))
    raise _error(url, answer, retry_after)


def digest(body: bytes) -> str:
    """What tells two bodies of a calendar apart: a hash without DTSTAMP, LAST-MODIFIED and CREATED lines.

    Line ends and the order of events count: a false "changed" costs a parse, a false "unchanged" would cost a night.
    """
    return sha256(_STAMPS.sub(b"", body)).hexdigest()


def _require_whole(body: bytes, url: str) -> None:
    if not _BEGINS.search(body, 0, 4096):
        raise FeedRefused(f"{mask(url)} answered 200 with something that is not a calendar")
    if body[-4096:].rstrip()[-13:].upper() != b"END:VCALENDAR":
        raise FeedRefused(f"{mask(url)} answered 200 with a calendar that is torn off")


def _validators(headers: Mapping[str, str], known: Validators) -> Validators:
    return Validators(
        _plain(headers.get("etag", "")) or known.etag,
        _plain(headers.get("last-modified", "")) or known.last_modified,
    )


def _plain(value: str) -> str:
    """A header's value that may be sent back: printable ASCII of a sane length, else ""."""
    return value if value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR else ""


def _error(url: str, answer: Response, retry_after: RetryAfter) -> SyncError:
    status, said = answer.status, f"{mask(url)} answered {answer.status}"
    wait = retry_after(answer.headers.get("retry-after"))
    if status == 429 or (status == 503 and wait is not None):
        return RateLimited(said, wait)
    if status == 403 and platform_of(url) in _BUDGET_BY_403:
        return RateLimited(said, wait)
    if status in (401, 403, 404, 410):
        return AuthFailed(f"{said}: the link is dead or wrong")
    if status >= 500 or status == 408:
        return PlatformDown(said, wait)
    return FeedRefused(said)
