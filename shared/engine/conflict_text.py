"""The words of a double booking, French first: homes, platforms, exact nights and links; no guest's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.domain.conflict_alerts import Occasion, Stage
from shared.domain.conflict_policy import POLICY
from shared.domain.dates import StayDates
from shared.domain.model import (
    BookingConflict,
    Busy,
    Certainty,
    ConflictSeverity,
    Decision,
    Side,
    Source,
    Status,
)
from shared.domain.proposals import Proposal, ProposalKind, kind_of
from shared.domain.spoken import LANGUAGES, Names, Said, moment, ranges

_KINDS: Mapping[tuple[bool, bool], Said] = {
    (True, False): {"fr": "réservation confirmée", "en": "confirmed booking"},
    (True, True): {"fr": "demande de réservation", "en": "booking request"},
    (False, False): {"fr": "réservation ou fermeture", "en": "booking or closure"},
    (False, True): {"fr": "réservation ou fermeture", "en": "booking or closure"},
}
_FIRST: Mapping[Certainty, Said] = {
    Certainty.SURE: {"fr": "La première est la plus ancienne.", "en": "The first one was there first."},
    Certainty.LIKELY: {
        "fr": "La première est sans doute la plus ancienne.",
        "en": "The first one probably was there first.",
    },
    Certainty.UNKNOWN: {
        "fr": "Laquelle était la première, rien ne le dit.",
        "en": "Nothing tells which one was first.",
    },
}
_HEADS: Mapping[Occasion, Said] = {
    Occasion.FOUND: {"fr": "Double réservation", "en": "Double booking"},
    Occasion.AGAIN: {
        "fr": "Double réservation, toujours sans décision",
        "en": "Double booking, still undecided",
    },
    Occasion.NEAR: {
        "fr": "Double réservation, arrivée dans moins de 48 h",
        "en": "Double booking, arrival within 48 h",
    },
    Occasion.NO_EFFECT: {
        "fr": "Double réservation\u202f: la décision prise ne se voit pas encore sur les plateformes",
        "en": "Double booking: what was decided does not show on the platforms yet",
    },
    Occasion.OVER: {"fr": "Double réservation terminée", "en": "Double booking over"},
}
STAGES: Mapping[Stage, Said] = {
    Stage.NEW: {"fr": "nouveau", "en": "new"},
    Stage.ACKNOWLEDGED: {"fr": "pris en charge, sans décision", "en": "acknowledged, undecided"},
    Stage.DECIDED: {
        "fr": "décidé, pas encore visible sur les plateformes",
        "en": "decided, not yet seen on the platforms",
    },
    Stage.RESOLVED: {
        "fr": "résolu, vérifié sur les plateformes",
        "en": "resolved, verified on the platforms",
    },
    Stage.OVER: {"fr": "terminé", "en": "over"},
}
"""How far a conflict has come, in words."""

_SURE: Mapping[Source, Said] = {
    Source.API: {"fr": "confirmé par la plateforme", "en": "confirmed by the platform"},
    Source.FEED: {"fr": "vu dans son calendrier", "en": "seen in its calendar"},
    Source.HINT: {"fr": "annoncé, pas encore confirmé", "en": "announced, not yet confirmed"},
}
_FADING: Said = {"fr": "disparu de son calendrier, encore tenu", "en": "gone from its calendar, still held"}

SEVERITIES: Mapping[ConflictSeverity, Said] = {
    ConflictSeverity.CRITICAL: {"fr": "critique", "en": "critical"},
    ConflictSeverity.HIGH: {"fr": "élevée", "en": "high"},
    ConflictSeverity.MEDIUM: {"fr": "moyenne", "en": "medium"},
    ConflictSeverity.LOW: {"fr": "faible", "en": "low"},
}


def alert(
    clash: BookingConflict,
    names: Names,
    occasion: Occasion,
    *,
    standing: Sequence[Said] = (),
    proposal: Said | None = None,
    pages: Iterable[tuple[str, str]] = (),
) -> Said:
    """What its owner is told. ``standing`` says what is closed and what could still be sold; ``proposal`` what we would
    do first; ``pages`` are platforms with the page where a person can act by hand."""
    links = ", ".join(f"{platform} {page}" for platform, page in pages if page)
    found: Said = {}
    for language in LANGUAGES:
        said = [f"{head(clash, names, occasion, language)}."]
        said += [f"{_capital(_and(sides(clash, names, language), language))}."]
        said += [_FIRST[clash.certainty][language]]
        said += [one[language] for one in standing]
        said += [f"{_PROPOSAL[language]} {proposal[language]}"] if proposal else []
        said += [f"{_BY_HAND[language]} {links}"] if links else []
        found[language] = " ".join(said)
    return found


LABELS: Mapping[ProposalKind, Said] = {
    ProposalKind.DROP_STALE: {"fr": "demander encore à la plateforme", "en": "ask the platform once more"},
    ProposalKind.DROP_ECHO: {
        "fr": "dire que ces nuits sont notre propre fermeture",
        "en": "say that these nights are our own closure",
    },
    ProposalKind.DECLINE: {"fr": "refuser la demande", "en": "decline the request"},
    ProposalKind.MOVE: {
        "fr": "proposer un logement équivalent",
        "en": "offer an equivalent home",
    },
    ProposalKind.MOVE_TWO: {
        "fr": "proposer à deux voyageurs un logement équivalent",
        "en": "offer two guests an equivalent home",
    },
    ProposalKind.ASK_GUEST: {"fr": "écrire à un voyageur", "en": "write to a guest"},
    ProposalKind.CANCEL: {"fr": "annuler un séjour", "en": "cancel a stay"},
    ProposalKind.ASK_PERSON: {
        "fr": "regarder sur les plateformes, puis décider",
        "en": "look on the platforms, then decide",
    },
}
"""What each kind of proposal is called."""


def in_one_sentence(one: Proposal) -> Said:
    """A proposal with its reason."""
    label = LABELS[one.kind]
    return {"fr": f"{label['fr']}. {one.reason['fr']}", "en": f"{label['en']}. {one.reason['en']}"}


_PROPOSAL: Said = {"fr": "Notre première proposition\u202f:", "en": "Our first proposal:"}
_BY_HAND: Said = {"fr": "Agir à la main\u202f:", "en": "Act by hand:"}


def closed(platforms: Sequence[str]) -> Said:
    """Where the nights are closed besides."""
    listed = ", ".join(platforms)
    return {"fr": f"Ces nuits sont fermées sur {listed}.", "en": f"These nights are closed on {listed}."}


def exposed(found: Sequence[tuple[str, StayDates, datetime | None]], now: datetime) -> Said:
    """Where a third guest could still book, since when: platform, nights and instant of each."""
    if not found:
        return {
            "fr": "À notre connaissance, aucune autre plateforme ne peut plus vendre ces nuits.",
            "en": "As far as we know no other platform can sell them any more.",
        }
    parts: dict[str, list[str]] = {language: [] for language in LANGUAGES}
    for platform, dates, since in found:
        minutes = max(0, round((now - since).total_seconds() / 60)) if since else None
        ago = {"fr": f", depuis {minutes} min", "en": f", for {minutes} min"}
        for language in LANGUAGES:
            parts[language].append(
                f"{platform} ({ranges([dates], language)}{ago[language] if minutes else ''})"
            )
    return {
        "fr": f"Peut-être encore en vente sur {', '.join(parts['fr'])}.",
        "en": f"Perhaps still for sale on {', '.join(parts['en'])}.",
    }


def over(clash: BookingConflict, names: Names, *, passed: bool) -> Said:
    """What its owner is told when it is over."""
    found: Said = {}
    for language in LANGUAGES:
        if clash.verified_at is not None:
            why = {
                "fr": "Les plateformes ne montrent plus qu’un séjour sur ces nuits.",
                "en": "The platforms show one stay only on these nights.",
            }
        elif passed:
            why = {"fr": "Ces nuits sont passées.", "en": "These nights have passed."}
        else:
            why = {
                "fr": "Les deux séjours ne se chevauchent plus\u202f; les plateformes ne l’ont pas "
                "encore toutes confirmé.",
                "en": "The two stays overlap no longer; not every platform has confirmed it yet.",
            }
        found[language] = f"{head(clash, names, Occasion.OVER, language)}. {why[language]}"
    return found


def head(clash: BookingConflict, names: Names, occasion: Occasion, language: str) -> str:
    """The occasion, the home, the exact nights and the platforms."""
    home = names.homes.get(clash.property_id, clash.property_id)
    nights = ranges(clash.exact, language)
    platforms = " / ".join(_platforms(clash, names))
    colon = "\u202f: " if language == "fr" else ": "
    return f"{_HEADS[occasion][language]}{colon}{home}, {nights} ({platforms})"


def sides(clash: BookingConflict, names: Names, language: str) -> list[str]:
    """Both sides, the one known first in front: platform, kind, nights, since when it is known."""
    by_fact: dict[str, list[Side]] = {key: [] for key in clash.conflicting_bookings}
    for side in clash.sides:
        by_fact.setdefault(side.key, []).append(side)
    return [_side(parts, names, language) for parts in by_fact.values() if parts]


def kind(side: Side) -> Said:
    """What a fact is, as far as its source can tell."""
    return _KINDS[side.kind is Busy.STAY, side.status is Status.PENDING]


def how_sure(side: Side) -> Said:
    """How surely a fact is known."""
    return _FADING if side.fading else _SURE[side.source]


def _side(parts: Sequence[Side], names: Names, language: str) -> str:
    first = parts[0]
    dates: list[StayDates] = sorted({one.dates for one in parts})
    since = moment(min(one.since for one in parts), names.zone, language)
    known = {"fr": f"vue le {since}", "en": f"seen on {since}"}[language]
    name = names.listings.get(first.listing, first.platform)
    colon = "\u202f: " if language == "fr" else ": "
    return f"{name}{colon}{kind(first)[language]} {ranges(dates, language)}, {known}"


def _platforms(clash: BookingConflict, names: Names) -> list[str]:
    found = dict.fromkeys(names.listings.get(side.listing, side.platform) for side in clash.sides)
    return list(found) or [
        names.accounts.get(key.partition("|")[0], "?") for key in clash.conflicting_bookings
    ]


def _and(words: Sequence[str], language: str) -> str:
    return {"fr": "\u202f; et ", "en": "; and "}[language].join(words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_CHANGED: Said = {"fr": "Les faits ont changé\u202f: ", "en": "The facts have changed: "}


def said_together(kind: str, what: Iterable[Said]) -> Said:
    """Changes as one sentence; ``kind`` is "changed" where it should say that these are changes, else empty."""
    found: Said = {}
    for language in LANGUAGES:
        text = {"fr": "\u202f; ", "en": "; "}[language].join(one[language] for one in what)
        begin = _CHANGED[language] if kind else ""
        found[language] = f"{begin}{text}." if begin else f"{text[:1].upper()}{text[1:]}."
    return found


def decided_by(decision: Decision, zone: str) -> Said:
    """ "Déjà décidé par ... le ... à ..." and what."""
    kind = kind_of(decision.proposal)
    found: Said = {}
    for language in LANGUAGES:
        what = f" ({LABELS[kind][language]})" if kind else ""
        at = moment(decision.at, zone, language)
        by = _BY_POLICY[language] if decision.by == POLICY else decision.by
        found[language] = {
            "fr": f"Déjà décidé par {by}, le {at}{what}.",
            "en": f"Already decided by {by} at {at}{what}.",
        }[language]
    return found


_BY_POLICY: Said = {"fr": "la règle du logement", "en": "the home's policy"}
