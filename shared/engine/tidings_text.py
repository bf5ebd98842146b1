"""The words of tidings, French first: homes, platforms and nights, no guest's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.dates import StayDates
from shared.domain.model import Busy, Reservation, Status
from shared.domain.spoken import ranges

_FAR: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "closed": "nuits fermées sur",
        "published": "fermeture publiée pour",
        "under_way": "fermeture en cours sur",
    },
    "en": {
        "closed": "nights closed on",
        "published": "closure published for",
        "under_way": "closure under way on",
    },
}
_AND = {"fr": "et", "en": "and"}


def stay(
    platform: str,
    homes: Sequence[str],
    dates: Sequence[StayDates],
    closed: Mapping[str, Sequence[str]],
    one: Reservation,
) -> dict[str, str]:
    """A stay nobody heard of before, and where its nights are closed by now."""
    if one.kind is not Busy.STAY:
        what = {"fr": "Nouvelle réservation ou fermeture", "en": "New booking or closure"}
    elif one.status is Status.PENDING:
        what = {"fr": "Demande de réservation", "en": "Booking request"}
    else:
        what = {"fr": "Nouvelle réservation", "en": "New booking"}
    where = " + ".join(homes)
    tails = {lang: "".join(f"{_semicolon(lang)}{part}" for part in _closures(closed, lang)) for lang in _FAR}
    return {
        "fr": f"{what['fr']} sur {platform}\u202f: {where}, {ranges(dates, 'fr')}{tails['fr']}.",
        "en": f"{what['en']} on {platform}: {where}, {ranges(dates, 'en')}{tails['en']}.",
    }


def many(platform: str, home: str, count: int) -> dict[str, str]:
    """More stays at once than anybody wants to be told singly."""
    return {
        "fr": f"{count} nouvelles réservations sur {platform}\u202f: {home}. Le détail est sur la page d’état.",
        "en": f"{count} new bookings on {platform}: {home}. The status page has the details.",
    }


def stuck(platform: str, home: str, dates: Sequence[StayDates], link: str) -> dict[str, str]:
    """Nights that should be closed and are still for sale, as far as we know."""
    by_hand = {"fr": f"\u202f: {link}" if link else "", "en": f": {link}" if link else ""}
    return {
        "fr": (
            f"Nuits peut-être encore en vente sur {platform}\u202f: {home}, {ranges(dates, 'fr')}. "
            f"La fermeture est refusée ou sans réponse\u202f; nous continuons. Fermez-les à la main{by_hand['fr']}"
        ),
        "en": (
            f"Nights perhaps still for sale on {platform}: {home}, {ranges(dates, 'en')}. "
            f"The closure is refused or unanswered; we go on trying. Close them by hand{by_hand['en']}"
        ),
    }


def healed(platform: str, home: str) -> dict[str, str]:
    """What could not be closed is closed."""
    return {
        "fr": f"C’est réglé\u202f: {platform} a pris toutes les fermetures ({home}).",
        "en": f"Settled: {platform} has taken every closure of {home}.",
    }


def _semicolon(language: str) -> str:
    return "\u202f; " if language == "fr" else "; "


def _closures(closed: Mapping[str, Sequence[str]], language: str) -> list[str]:
    return [
        f"{words} {_listed(closed[far], language)}"
        for far, words in _FAR[language].items()
        if closed.get(far)
    ]


def _listed(names: Sequence[str], language: str) -> str:
    *first, last = names
    return f"{', '.join(first)} {_AND[language]} {last}" if first else last
