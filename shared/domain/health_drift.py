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
    nights = f"{one.nights[0]}" + (f"…{one.nights[-1]}" if len(one.nights) > 1 else "")
    cause = both(
        f"{account.name}, {one.listing} : {len(one.nights)} nuit(s) que nous avions fermées y étaient en vente "
        f"({nights}, constaté {one.times} fois) : {_WHO_FR[_kind(one)]}.",
        f"{account.name}, {one.listing}: {len(one.nights)} night(s) we had closed were for sale there "
        f"({nights}, found {one.times} time(s)): {_WHO_EN[_kind(one)]}.",
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
    "once": "quelqu’un les a ouvertes là-bas, à la main ou avec un autre programme",
    "often": "un autre programme y écrit sans doute",
    "never": "la plateforme a accepté la fermeture et ne la montre pas",
}
_WHO_EN = {
    "once": "somebody opened them there, by hand or with another program",
    "often": "another program probably writes there",
    "never": "the platform took the closure and does not show it",
}
_OPENED = both(
    "Elles sont refermées d’office. Cherchez qui les ouvre : une personne, un autre gestionnaire de canaux, un lien "
    "entre les plateformes ; et arrêtez l’un des deux.",
    "They are closed again by themselves. Look for who opens them: a person, another channel manager, a link between "
    "the platforms; and stop one of the two.",
)
_NEVER_CLOSED = both(
    "La fermeture est redite d’office. Regardez ces nuits dans le calendrier de la plateforme, fermez-les à la main "
    "et parlez-en à son assistance.",
    "The closure is said again by itself. Look at these nights in the platform's calendar, close them by hand and "
    "tell its support.",
)
