"""Whose calendar a link is, by its shape alone. A calendar link is a secret: whoever has it reads the calendar.

Nothing here keeps, logs or raises a link; ``mask`` gives the one form that may be shown.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Platform

VRBO = Platform("vrbo")
"""Vrbo and its sisters (Abritel, Homelidays, FeWo-direkt): one exporter under several names."""

GITES = Platform("gites")
"""Gîtes de France, through the reservation service ITEA."""

ICAL = Platform("ical")
"""Any other calendar."""

# VERIFIED in public integration code: www.airbnb.<tld>/calendar/ical/<listing>.ics?s= or ?t=;
# ical.booking.com/v1/export?t= and /v1/export/t/<uuid>.ics, older admin.booking.com/hotel/hoteladmin/ical.html?t=;
# calendars.greengo.voyage/calendar/greengo-icalendar/<uuid>[.ics]; <host>/icalendar/<32 hex>.ics on abritel.fr,
# homelidays.com and fewo-direkt.de (vrbo.com and homeaway.<tld>: INFERRED, the same exporter);
# reservation.itea.fr/iCal_<32 hex>.ics?aicc=.
_SHAPES: tuple[tuple[Platform, re.Pattern[str]], ...] = (
    (AIRBNB, re.compile(r"(?:[a-z-]+\.)?airbnb\.(?:[a-z]{2,4}|com?\.[a-z]{2})/calendar/ical/[^/]+\.ics")),
    (BOOKING, re.compile(r"ical\.booking\.com/v1/export(?:/t/[^/]+)?/?")),
    (BOOKING, re.compile(r"admin\.booking\.com/hotel/hoteladmin/ical\.html")),
    (GREENGO, re.compile(r"calendars\.greengo\.voyage/calendar/greengo-icalendar/[^/]+")),
    (
        VRBO,
        re.compile(
            r"(?:[a-z-]+\.)?(?:abritel\.fr|homelidays\.(?:com|es|it)|fewo-direkt\.de|vrbo\.com"
            r"|homeaway\.(?:com|[a-z]{2}|com?\.[a-z]{2}))/icalendar/[^/]+\.ics"
        ),
    ),
    (GITES, re.compile(r"reservation\.itea\.fr/ical_[^/]+\.ics")),
)


def platform_of(url: str) -> Platform:
    """The platform whose export link has this shape, or ``ICAL``. Any text is fine; raises nothing."""
    parts = _split(url)
    if parts is None:
        return ICAL
    place = f"{_host(parts)}{parts.path}".lower()
    for platform, shape in _SHAPES:
        if shape.fullmatch(place):
            return platform
    return ICAL


def mask(url: str) -> str:
    """The host and nothing else ("www.airbnb.fr/…"): what screens, logs and errors may show of a link."""
    parts = _split(url)
    host = _host(parts) if parts is not None else ""
    return f"{host}/…" if re.fullmatch(r"[a-z0-9.:-]{1,253}", host) else "a calendar link"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return parts if parts.scheme and parts.netloc else None


def _host(parts: SplitResult) -> str:
    # Never ``netloc``: a user name and a password may stand in it.
    return (parts.hostname or "").removesuffix(".")
