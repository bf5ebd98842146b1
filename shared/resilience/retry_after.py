"""How long the other side asked us to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

LONGEST_WAIT = 300.0
"""Seconds. A longer wish is cut to this: our own back-off asks again, and no header parks an account for a day."""

# More digits than any real wait has; such a value is rubbish rather than a long wait.
_SECONDS = re.compile(r"[0-9]{1,9}")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
# VERIFIED: RFC 9110 section 5.6.7, the three forms of HTTP-date: IMF-fixdate, RFC 850, asctime.
_DATES = (
    re.compile(
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"
    ),
    re.compile(
        r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
        rf"(?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"
    ),
    re.compile(
        rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) {_MONTH} (?P<day>[0-9 ][0-9]) {_TIME} (?P<year>[0-9]{{4}})"
    ),
)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait from ``now`` (aware), in [0, ``LONGEST_WAIT``]; a date gone by is 0.

    None when the header is missing or not what RFC 9110 section 10.2.3 allows (1*DIGIT or HTTP-date): the caller
    then uses its own back-off. Raises nothing.
    """
    if value is None:
        return None
    text = value.strip(" \t")
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT)
    moment = parse_http_date(text, now)
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


def parse_http_date(text: str, now: datetime) -> datetime | None:
    """The instant (UTC) an HTTP-date names, or None. ``now`` places the two-digit year of RFC 850."""
    for form in _DATES:
        match = form.fullmatch(text)
        if match:
            return _instant(match, now)
    return None


def _instant(match: re.Match[str], now: datetime) -> datetime | None:
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += now.year // 100 * 100
        # RFC 9110: a date that seems more than 50 years ahead lies in the past.
        year -= 100 if year > now.year + 50 else 0
    seconds = int(match["second"])
    if seconds > 60:  # 60 is a leap second
        return None
    try:
        minute = datetime(
            year,
            _MONTHS.index(match["month"]) + 1,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            tzinfo=UTC,
        )
        return minute + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
