"""The words of removals: why a vanished stay is not believed yet, and what would confirm it."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.release import MASS_LEAST
from shared.domain.removals import Doubt, Removal
from shared.domain.spoken import LANGUAGES, Names, Said, moment


def reason(one: Removal) -> Said:
    """Why it is still held."""
    return {
        Doubt.GUEST: {
            "fr": "un voyageur est peut-être dans le logement",
            "en": "a guest may be in the house",
        },
        Doubt.EMPTY: {
            "fr": "le calendrier ne montre plus rien du tout\u202f: il est peut-être en panne",
            "en": "the calendar shows nothing at all any more: it may be broken",
        },
        Doubt.MASS: _mass(one.at_once),
        Doubt.NEAR: {
            "fr": "l’arrivée est dans moins de deux jours\u202f: une erreur ferait mal tout de suite",
            "en": "the arrival is within two days: an error would hurt at once",
        },
        Doubt.CUT: {
            "fr": "son calendrier est déconnecté\u202f: plus rien ne nous dira s’il est annulé",
            "en": "its calendar is disconnected: nothing will tell us if it is cancelled",
        },
        Doubt.NONE: {
            "fr": "une seule lecture ne prouve pas une annulation",
            "en": "a single reading is no proof of a cancellation",
        },
    }[one.doubt]


def _mass(many: int) -> Said:
    """How many are missing; where it is few, the calendar was empty then, or others of them are back."""
    if many < MASS_LEAST:
        return {
            "fr": "quand ce séjour a disparu, le calendrier était vide ou avait perdu plusieurs séjours d’un coup",
            "en": "when this stay vanished the calendar was empty, or had lost several stays at once",
        }
    return {
        "fr": f"{many} séjours ont disparu du calendrier en même temps\u202f: il est peut-être en panne",
        "en": f"{many} stays vanished from the calendar at once: it may be broken",
    }


def what_confirms(one: Removal, names: Names) -> Said:
    """What would let it go, and when at the latest."""
    if one.by is None or one.needed is None:
        return {
            "fr": "seulement votre clic\u202f: rien n’est rouvert sans vous avant le départ prévu",
            "en": "only your click: nothing is reopened without you before the departure that was planned",
        }
    until = {language: moment(one.by, names.zone, language) for language in LANGUAGES}
    span = {language: _span(one.needed, language) for language in LANGUAGES}
    return {
        "fr": (
            f"des lectures complètes du calendrier sans ce séjour pendant {span['fr']}\u202f: "
            f"au plus tard le {until['fr']} si le calendrier répond, ou votre clic"
        ),
        "en": (
            f"complete readings of the calendar without this stay over {span['en']}: "
            f"by {until['en']} at the latest if the calendar answers, or your click"
        ),
    }


def _span(span: timedelta, language: str) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes % 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if language == "fr" else f"{minutes // 60} hours"
