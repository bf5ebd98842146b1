"""Drift as a finding: somebody opens nights that we had closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.drift import Drift, standing
from shared.domain.health import Code, Finding, Weight, both

OFTEN = 3
"""From so many times on it is told as another program's doing: a person opens a night once."""


@dataclass(frozen=True, slots=True)
class Drifting:
    """An account on whose calendars nights were found open that we had closed. ``name`` is the platform's."""

    account: str
    platform: str
    name: str
    owner: str
    drift: tuple[Drift, ...]


def drift_findings(accounts: Iterable[Drifting], now: datetime) -> tuple[Finding, ...]:
    """One finding for each listing on which that goes on."""
    return tuple(_finding(account, one) for account in accounts for one in standing(account.drift, now))


def _finding(account: Drifting, one: Drift) -> Finding:
    which = f"{one.nights[0]}" + (f"…{one.nights[-1]}" if len(one.nights) > 1 else "")
    which_fr, which_en = (f"{which}, {one.times} fois", f"{which}, {one.times} times")
    if one.times == 1:
        which_fr, which_en = which, which
    many = len(one.nights)
    nights_fr = (
        f"{many} nuits que nous avions fermées y étaient"
        if many > 1
        else "une nuit que nous avions fermée y était"
    )
    nights_en = f"{many} nights we had closed were" if many > 1 else "a night we had closed was"
    cause = both(
        f"{account.name}, {one.listing}\u202f: {nights_fr} en vente ({which_fr})\u202f: {_WHO_FR[_kind(one)]}.",
        f"{account.name}, {one.listing}: {nights_en} for sale there ({which_en}): {_WHO_EN[_kind(one)]}.",
    )
    return Finding(
        Code.DRIFT,
        Weight.TOLD,
        cause,
        _OPENED if one.was_closed else _NEVER_CLOSED,
        one.listing,
        account.platform,
        account.owner,
        one.first,
    )


def _kind(one: Drift) -> str:
    return "never" if not one.was_closed else "often" if one.times >= OFTEN else "once"


_WHO_FR = {
    "once": "ouvertes à la main, par un autre programme, ou par une règle de la plateforme",
    "often": "un autre programme y écrit sans doute",
    "never": "la plateforme a accepté la fermeture et ne la montre pas",
}
_WHO_EN = {
    "once": "opened by hand, by another program, or by a rule of the platform's own",
    "often": "another program probably writes there",
    "never": "the platform took the closure and does not show it",
}
_OPENED = both(
    "C’est refermé d’office. Cherchez qui ouvre (une personne, un autre gestionnaire de canaux, une ouverture "
    "automatique chez la plateforme) et arrêtez-le.",
    "What was opened is closed again by itself. Look for who opens (a person, another channel manager, an automatic "
    "opening at the platform) and stop it.",
)
_NEVER_CLOSED = both(
    "La fermeture est redite d’office. Regardez ces nuits dans le calendrier de la plateforme, fermez-les à la main "
    "et parlez-en à son assistance.",
    "The closure is said again by itself. Look at these nights in the platform's calendar, close them by hand and "
    "tell its support.",
)
