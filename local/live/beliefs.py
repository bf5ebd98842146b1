"""What the engine only believes of the platforms (docs/limits.md), and what a run saw of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from local.live.words import Words


class Verdict(StrEnum):
    """What was seen of a belief. One observation against it outweighs any number for it."""

    HELD = "held"
    NOT_HELD = "not held"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Belief:
    """One row, or part of a row, of that page's table; ``where`` is the file its row names first."""

    id: str
    where: str
    said: Words


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation; ``said`` is what was seen, without a secret and without a guest."""

    belief: str
    held: bool
    said: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A belief with what the run saw of it."""

    belief: Belief
    verdict: Verdict
    said: tuple[str, ...]


BELIEFS = (
    Belief(
        "importer",
        "shared/connectors/registry.py",
        Words("le nom de l’agent qui lit nos calendriers", "what a platform's importer calls itself"),
    ),
    Belief(
        "airbnb-days",
        "shared/connectors/airbnb_calendar.py",
        Words("la forme des jours dans le calendrier d’Airbnb", "where Airbnb's calendar has its days"),
    ),
    Belief(
        "airbnb-write",
        "shared/connectors/airbnb_calendar.py",
        Words("la réponse d’Airbnb à une fermeture", "Airbnb's answer to a closure"),
    ),
    Belief(
        "airbnb-check",
        "shared/connectors/airbnb_check.py",
        Words("les questions d’Airbnb avant une vente", "Airbnb's questions before it sells"),
    ),
    Belief(
        "booking-status",
        "shared/connectors/booking_xml.py",
        Words("les mots de Booking.com pour l’état d’un séjour", "Booking.com's words for a stay's status"),
    ),
    Belief(
        "booking-bearer",
        "shared/connectors/booking_xml.py",
        Words("Booking.com prend notre jeton en Bearer", "Booking.com takes our token as a Bearer"),
    ),
    Belief(
        "booking-refusal",
        "shared/connectors/booking_xml.py",
        Words("la nuit qu’un refus de Booking.com nomme", "the night that a refusal of Booking.com names"),
    ),
    Belief(
        "channex-write",
        "shared/connectors/channex_answers.py",
        Words("la réponse de Channex à une écriture", "Channex's answer to a write"),
    ),
    Belief(
        "channex-rooms",
        "shared/connectors/channex_answers.py",
        Words("une réservation de Channex sans chambre", "a booking of Channex without rooms"),
    ),
    Belief(
        "channex-webhooks",
        "shared/connectors/channex_answers.py",
        Words(
            "la liste des webhooks de Channex par établissement (pas regardée ici)",
            "Channex's list of webhooks for one property (not looked at here)",
        ),
    ),
    Belief(
        "vrbo-links",
        "shared/connectors/ical_links.py",
        Words("les liens de vrbo.com et homeaway", "links of vrbo.com and homeaway"),
    ),
)
REPORTED = (
    Belief(
        "greengo-midnight",
        "",
        Words("Greengo écrit ses dates à minuit UTC", "Greengo writes its dates at midnight UTC"),
    ),
    Belief(
        "airbnb-403",
        "",
        Words("Airbnb répond 403 aux agents inconnus", "Airbnb answers 403 to agents it does not know"),
    ),
)
"""Not believed but reported, by one person each."""


def judge(seen: Iterable[Seen]) -> tuple[Judged, ...]:
    """Every belief with its verdict, in the order above. Raises ``KeyError`` for an observation of no belief."""
    by_id: dict[str, list[Seen]] = {belief.id: [] for belief in (*BELIEFS, *REPORTED)}
    for one in seen:
        by_id[one.belief].append(one)
    return tuple(
        Judged(belief, _verdict(by_id[belief.id]), tuple(dict.fromkeys(one.said for one in by_id[belief.id])))
        for belief in (*BELIEFS, *REPORTED)
    )


def _verdict(seen: list[Seen]) -> Verdict:
    if not seen:
        return Verdict.NOT_SEEN
    return Verdict.HELD if all(one.held for one in seen) else Verdict.NOT_HELD
