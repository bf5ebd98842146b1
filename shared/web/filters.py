"""What templates may do to a value: pick the language of what is said, and put dates and instants into words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from shared.domain import ago
from shared.domain.dates import StayDates
from shared.domain.spoken import PARIS, day, moment, nights_said, span
from shared.web.letters import letter

WEEKDAYS = {
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


@pass_context
def said(context: Context, text: Mapping[str, str]) -> str:
    """What is said in several languages, in the reader's."""
    return text[str(context["lang"])]


@pass_context
def clock(context: Context, at: datetime | str | None, zone: str = PARIS) -> str:
    """An instant in words, in a home's zone; nothing for none."""
    instant = _instant(at)
    return moment(instant, zone, str(context["lang"])) if instant else ""


@pass_context
def on(context: Context, when: date | str) -> str:
    """A day in words."""
    found = date.fromisoformat(when) if isinstance(when, str) else when
    return day(found, str(context["lang"]))


@pass_context
def nights(context: Context, dates: StayDates | str) -> str:
    """From the day of arrival to that of departure, in words; of several as the record writes them, all."""
    language = str(context["lang"])
    return nights_said(dates, language) if isinstance(dates, str) else span(dates, language)


@pass_context
def since(context: Context, at: datetime | str | None, now: datetime) -> str:
    """How long ago: "il y a 3 min"; "jamais" for none."""
    return ago.ago(_instant(at), now, str(context["lang"]))


@pass_context
def until(context: Context, at: datetime | str | None, now: datetime) -> str:
    """How soon: "dans 3 min"; "maintenant" once it is due."""
    return ago.ahead(_instant(at) or now, now, str(context["lang"]))


@pass_context
def lasted(context: Context, how_long: timedelta) -> str:
    """How long: "1 h 12"."""
    return ago.lasted(how_long, str(context["lang"]))


def _instant(at: datetime | str | None) -> datetime | None:
    """As it is, or as it was written; None for nothing."""
    if isinstance(at, str):
        return datetime.fromisoformat(at) if at else None
    return at


@pass_context
def weekday(context: Context, when: date) -> str:
    """The day of the week, short: "lun.", "Mon"."""
    return WEEKDAYS[str(context["lang"])][when.weekday()]


@pass_context
def month(context: Context, when: date) -> str:
    """The month with its year: "août 2027"."""
    return day(when.replace(day=2), str(context["lang"])).partition(" ")[2]


def iso(at: datetime | date | str, zone: str = PARIS) -> str:
    """For the ``datetime`` attribute of a ``time`` element."""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return at.astimezone(ZoneInfo(zone)).isoformat() if isinstance(at, datetime) else at.isoformat()


FILTERS: dict[str, Callable[..., object]] = {
    "said": said,
    "clock": clock,
    "on": on,
    "nights": nights,
    "iso": iso,
    "ago": since,
    "ahead": until,
    "lasted": lasted,
    "weekday": weekday,
    "month": month,
    "letter": letter,
}
