"""Ago: spans of time and instants beside now, in the words people use ("il y a 3 min", "dans 1 h 12", "jamais")."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil, floor

NBSP = "\N{NO-BREAK SPACE}"
"""Stands between a number and its unit, so that no line breaks there."""

JUST_NOW = timedelta(seconds=10)
"""How long something is told as having happened just now."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTHS_FROM = 90
_YEARS_FROM = 730

_DAYS = {"fr": ("jour", "jours"), "en": ("day", "days")}
_MONTHS = {"fr": ("mois", "mois"), "en": ("month", "months")}
_YEARS = {"fr": ("an", "ans"), "en": ("year", "years")}
_NEVER = {"fr": "jamais", "en": "never"}
_NOW = {"fr": "à l’instant", "en": "just now"}
_ANY_MOMENT = {"fr": "maintenant", "en": "now"}


def lasted(span: timedelta, language: str) -> str:
    """A span in its largest fitting units, rounded down: "45 s", "3 min", "1 h 12", "2 jours", "4 mois". One below
    zero (clocks differ by a little) is "0 s"."""
    return _said(max(0, floor(span.total_seconds())), language)


def ago(at: datetime | None, now: datetime, language: str) -> str:
    """When something happened, seen from now: "il y a 3 min", "3 min ago"; "jamais", "never" for None."""
    if at is None:
        return _NEVER[language]
    if now - at < JUST_NOW:
        return _NOW[language]
    said = lasted(now - at, language)
    return f"il y a {said}" if language == "fr" else f"{said} ago"


def ahead(at: datetime, now: datetime, language: str) -> str:
    """When something is due, seen from now: "dans 3 min", "in 3 min"; "maintenant", "now" once it is. Rounded up, so
    that it is never later than was said."""
    left = ceil((at - now).total_seconds())
    if left <= 0:
        return _ANY_MOMENT[language]
    if left > _MINUTE:
        left = ceil(left / _MINUTE) * _MINUTE
    said = _said(left, language)
    return f"dans {said}" if language == "fr" else f"in {said}"


def _said(seconds: int, language: str) -> str:
    if seconds < _MINUTE:
        return f"{seconds}{NBSP}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE}{NBSP}min"
    if seconds < _DAY:
        return _hours(seconds // _HOUR, seconds % _HOUR // _MINUTE, language)
    days = seconds // _DAY
    if days < _MONTHS_FROM:
        return _counted(days, _DAYS[language])
    if days < _YEARS_FROM:
        return _counted(days // 30, _MONTHS[language])
    return _counted(days // 365, _YEARS[language])


def _hours(hours: int, minutes: int, language: str) -> str:
    """As it is said: "1 h 05" in French, "1 h 5 min" in English; whole hours without minutes."""
    if not minutes:
        return f"{hours}{NBSP}h"
    if language == "fr":
        return f"{hours}{NBSP}h{NBSP}{minutes:02d}"
    return f"{hours}{NBSP}h{NBSP}{minutes}{NBSP}min"


def _counted(number: int, words: tuple[str, str]) -> str:
    return f"{number}{NBSP}{words[number > 1]}"
