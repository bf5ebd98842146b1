"""Clocks that are off, as findings: one for each host."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.clocks import Off, off
from shared.domain.health import Code, Finding, Weight, both


def clock_findings(hosts: Iterable[Off], now: datetime) -> tuple[Finding, ...]:
    """The hosts whose own clock is not the store's."""
    return tuple(_finding(one) for one in off(tuple(hosts), now))


def _finding(one: Off) -> Finding:
    seconds = round(abs(one.ahead) / timedelta(seconds=1))
    fr, en = ("avance", "ahead") if one.ahead > timedelta(0) else ("retarde", "behind")
    cause = both(
        f"L’horloge de l’hôte {one.host} {fr} de {seconds} s sur celle du stockage. Aucune nuit n’en dépend\u202f; les "
        "heures de son journal sont fausses, et des accès signés avec son heure peuvent être refusés.",
        f"The clock of host {one.host} is {seconds} s {en} of the store's. No night depends on it; the times in its "
        "log are wrong, and access signed with its time may be refused.",
    )
    step = both(
        "Remettez la machine à l’heure (NTP). Sur Azure\u202f: redémarrez l’application, l’hôte sera remplacé.",
        "Set the machine's clock (NTP). On Azure: restart the app, the host is replaced.",
    )
    return Finding(Code.CLOCK_OFF, Weight.TOLD, cause, step, one.host, since=one.since)
