"""Why a calendar link cannot be used, and what was odd in it, in words a host understands. French and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from shared.domain.errors import AddressRefused, AuthFailed, FeedRefused, RateLimited, SyncError
from shared.domain.spoken import LANGUAGES, Said


class Why(StrEnum):
    """What is wrong with a link."""

    EMPTY = "empty"
    NOT_AN_ADDRESS = "not_an_address"
    NOT_ALLOWED = "not_allowed"
    OURS = "ours"
    OTHER_PLATFORM = "other_platform"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    BUSY = "busy"
    DOWN = "down"
    NOT_A_CALENDAR = "not_a_calendar"
    TORN = "torn"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    KNOWN = "known"


_SAID: Mapping[Why, tuple[str, str]] = {
    Why.EMPTY: (
        "Collez ici le lien d’export de votre calendrier.",
        "Paste the export link of your calendar here.",
    ),
    Why.NOT_AN_ADDRESS: (
        "Ceci n’est pas l’adresse d’un calendrier : elle commence par https:// et se copie en entier, sans espace.",
        "This is not a calendar's address: it begins with https:// and is copied whole, without blanks.",
    ),
    Why.NOT_ALLOWED: (
        "{host} n’est pas un site public : un calendrier ne peut être lu que sur internet.",
        "{host} is not a public site: a calendar can be read on the internet only.",
    ),
    Why.OURS: (
        "C’est une adresse que nous publions nous-mêmes. Collez ici celle que donne la plateforme ; la nôtre se colle "
        "chez elle.",
        "This is an address that we publish ourselves. Paste the platform's one here; ours is pasted there.",
    ),
    Why.OTHER_PLATFORM: (
        "Ce calendrier vient d’une autre plateforme : {platform}.",
        "This calendar comes from another platform: {platform}.",
    ),
    Why.NOT_FOUND: (
        "{host} répond que ce calendrier n’existe pas (plus). Copiez de nouveau le lien d’export.",
        "{host} says that there is no such calendar (any more). Copy the export link again.",
    ),
    Why.FORBIDDEN: (
        "{host} refuse ce lien. Copiez le lien d’export, et non l’adresse de la page où vous êtes connecté.",
        "{host} refuses this link. Copy the export link, not the address of a page you are signed in to.",
    ),
    Why.BUSY: (
        "{host} demande d’attendre avant de le relire. Réessayez dans quelques minutes.",
        "{host} asks us to wait before reading it again. Try again in some minutes.",
    ),
    Why.DOWN: (
        "{host} ne répond pas. Vérifiez l’adresse, ou réessayez dans un moment.",
        "{host} does not answer. Check the address, or try again in a while.",
    ),
    Why.NOT_A_CALENDAR: (
        "{host} répond par une page, pas par un calendrier. Copiez le lien d’export (il finit souvent par .ics).",
        "{host} answers with a page, not with a calendar. Copy the export link (it often ends in .ics).",
    ),
    Why.TORN: (
        "{host} a envoyé un calendrier coupé avant la fin. Réessayez dans un moment.",
        "{host} sent a calendar that is cut off before its end. Try again in a while.",
    ),
    Why.TOO_LARGE: (
        "Ce calendrier est trop grand pour être celui d’un logement : 2 Mio, 20 000 événements, 2 000 à venir au "
        "plus.",
        "This calendar is too large to be that of one home: 2 MiB, 20,000 events and 2,000 of them ahead at most.",
    ),
    Why.UNREADABLE: (
        "{host} a répondu, mais ce calendrier ne peut pas être lu ({detail}).",
        "{host} answered, but this calendar cannot be read ({detail}).",
    ),
    Why.KNOWN: (
        "Ce calendrier est déjà relié : {home}, {platform}.",
        "This calendar is connected already: {home}, {platform}.",
    ),
}

_LARGE = re.compile(r"more bytes|more than \d+|at most \d+ are taken")
_NOT_PUBLIC = re.compile(r"not public|not a public|inner network|web port|plain IPv4|IPv6|redirects")


def said_of(why: Why, host: str = "", **values: str) -> Said:
    """The sentence for one reason, in each language."""
    shown = host.removesuffix("/…")
    place = {"fr": shown or "Ce site", "en": shown or "This site"}
    return {
        language: text.format(host=place[language], **values)
        for language, text in zip(LANGUAGES, _SAID[why], strict=True)
    }


def refusal_of(wrong: SyncError, host: str) -> tuple[Why, Said]:
    """What an error of a look means. Errors name a host at most, so their words may be shown."""
    why = _why(wrong)
    return why, said_of(why, host, detail=str(wrong))


def _why(wrong: SyncError) -> Why:
    text = str(wrong)
    if isinstance(wrong, AddressRefused):
        return Why.NOT_ALLOWED if _NOT_PUBLIC.search(text) else Why.NOT_AN_ADDRESS
    if isinstance(wrong, AuthFailed):
        return Why.NOT_FOUND if re.search(r"answered (?:404|410)", text) else Why.FORBIDDEN
    if isinstance(wrong, RateLimited):
        return Why.BUSY
    if isinstance(wrong, FeedRefused):
        return _refused(text)
    return Why.DOWN


def _refused(text: str) -> Why:
    if "torn off" in text:
        return Why.TORN
    if "not a calendar" in text:
        return Why.NOT_A_CALENDAR
    return Why.TOO_LARGE if _LARGE.search(text) else Why.UNREADABLE


# ------------------------------------------------------------------------------------------ oddities

_EVENT = re.compile(r"event (\d+)(?: \(line (\d+)\))?: (.*)", re.DOTALL)
_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)
_MORE = re.compile(r"and (\d+) more")
_FRENCH: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"it has no DTSTART", "il n’a pas de début"),
        (r"its DTSTART cannot be read", "son début est illisible"),
        (
            r"its (?:DTEND|DURATION) cannot be read, one night is held",
            "sa fin est illisible, une nuit est tenue",
        ),
        (
            r"its (?:DTEND|DURATION) lies before its start, one night is held",
            "il finit avant de commencer, une nuit est tenue",
        ),
        (r"it lies at the end of the calendar", "il se trouve à la fin des temps"),
        (r"its recurrence cannot be expanded.*", "sa répétition ne peut pas être calculée"),
        (r"its RRULE is left out.*", "sa règle de répétition est laissée de côté"),
        (r"one (\w+) cannot be read", "une de ses dates ({0}) est illisible"),
        (r"a RECURRENCE-ID cannot be read", "une de ses dates (RECURRENCE-ID) est illisible"),
        (r"its (\w+) cannot be read", "son champ {0} est illisible"),
        (r"it has two different (\w+)", "il a deux {0} différents"),
        (
            r"busy times as VFREEBUSY, which is not read",
            "des périodes écrites en VFREEBUSY, qui n’est pas lu",
        ),
        (r"neither a property nor a component", "une ligne qui n’est rien de connu"),
    )
)


def odd(text: str, language: str) -> str:
    """What could not be read in a calendar; in the reader's own words (English) where no others are known."""
    if language == "en":
        return text
    more = _MORE.fullmatch(text)
    if more:
        return f"et {more[1]} autres"
    event, line = _EVENT.fullmatch(text), _LINE.fullmatch(text)
    if event:
        where = f"événement {event[1]}" + (f" (ligne {event[2]})" if event[2] else "")
        return f"{where} : {_french(event[3])}"
    return f"ligne {line[1]} : {_french(line[2])}" if line else text


def _french(text: str) -> str:
    for pattern, french in _FRENCH:
        found = pattern.fullmatch(text)
        if found:
            return french.format(*found.groups())
    return text
