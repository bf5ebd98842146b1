"""Our calendar for one destination: the nights it must close, and nothing that says whose they are.

Equal content gives equal bytes, so the body's hash is its ETag and a peer's 304 names exactly one version.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

from shared.domain.dates import StayDates

DTSTAMP = "20200101T000000Z"
"""RFC 5545 wants one. The true time would change every body; a moved closure has a new UID, so no peer needs it."""

_FOLD = 75
_SUMMARIES = {"fr": "Indisponible", "en": "Not available"}


def write_calendar(
    closed: Iterable[tuple[StayDates, str]], *, seed: str, name: str, domain: str, language: str = "en"
) -> bytes:
    """A complete VCALENDAR with one all-day event for each closure.

    ``closed`` gives half-open dates, each with the seed of its cause; ``seed`` is the listing's. Both enter the UID
    through a hash only, so no id of ours can be read and the same closure keeps its UID while it lasts. ``domain`` is
    our own (an importer that echoes us is known by it), ``name`` the calendar's title, shown to the owner.
    """
    events = sorted({(dates, _uid(seed, cause, dates, domain)) for dates, cause in closed})
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_escaped(domain)}//Sync Engine//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(name)}",
    ]
    summary = _SUMMARIES.get(language, _SUMMARIES["en"])
    for dates, uid in events:
        lines.extend(_event(dates, uid, summary))
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def etag(body: bytes) -> str:
    """The strong validator of a body: the same exactly when every byte is."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def _event(dates: StayDates, uid: str, summary: str) -> tuple[str, ...]:
    return (
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{DTSTAMP}",
        f"DTSTART;VALUE=DATE:{_day(dates.check_in)}",
        f"DTEND;VALUE=DATE:{_day(dates.check_out)}",
        f"SUMMARY:{summary}",
        "TRANSP:OPAQUE",
        "END:VEVENT",
    )


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _uid(seed: str, cause: str, dates: StayDates, domain: str) -> str:
    content = "\0".join((seed, cause, str(dates)))
    return f"{sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}@{domain}"


def _escaped(text: str) -> str:
    """TEXT of RFC 5545 section 3.3.11 on one line; control characters, which it forbids, become blanks."""
    for old, new in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(old, new)
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _folded(line: str) -> bytes:
    """The line with its CRLF, folded so that no piece has more than 75 octets and no character is cut."""
    pieces, piece = [], b""
    for sign in line:
        octets = sign.encode("utf-8", "replace")
        if len(piece) + len(octets) > _FOLD:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece)) + b"\r\n"
