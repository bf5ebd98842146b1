"""Webhooks that ceased, or never began, as a finding. What nobody calls about is found by asking all the same, minutes
later instead of seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.bells import KEPT, Bells, silence
from shared.domain.health import Code, Finding, Weight, both


@dataclass(frozen=True, slots=True)
class Called:
    """An account whose platform is expected to call us, and what is known of its bells. ``name`` is the platform's."""

    account: str
    platform: str
    name: str
    owner: str
    bells: Bells


def silent_webhooks(
    accounts: Iterable[Called], last: Mapping[str, str], now: datetime
) -> tuple[Finding, ...]:
    """One finding for each account whose looks find what nobody called about. ``last`` is what became of each
    platform's last call, whichever account it was about ("stored", "refused (401): ..."); no entry: it never called."""
    found = []
    for one in accounts:
        silent = silence(one.bells, now)
        if silent is None:
            continue
        refused = last.get(one.platform, "")
        if not refused.startswith("refused"):
            refused = ""
        begins_fr = "n’a encore jamais appelé" if silent.never else "n’appelle plus"
        begins_en = "has never called yet" if silent.never else "calls no longer"
        often_fr, often_en = _often(silent.missed)
        cause = both(
            f"{one.name} {begins_fr} pour {one.account}\u202f: {often_fr} ce que personne n’avait annoncé"
            + (f"\u202f; son dernier appel a été refusé ({refused})." if refused else "."),
            f"{one.name} {begins_en} for {one.account}: {often_en} found what nobody had called about"
            + (f"; its last call was refused ({refused})." if refused else "."),
        )
        found.append(
            Finding(
                Code.WEBHOOKS_SILENT,
                Weight.TOLD,
                cause,
                _step(one.name, bool(refused)),
                one.account,
                one.platform,
                one.owner,
                silent.since,
            )
        )
    return tuple(found)


def _often(missed: int) -> tuple[str, str]:
    if missed == 1:
        return "une de nos lectures a trouvé", "one of our looks"
    least_fr, least_en = ("au moins ", "at least ") if missed == KEPT else ("", "")
    return f"{least_fr}{missed} de nos lectures ont trouvé", f"{least_en}{missed} of our looks"


def _step(name: str, refused: bool) -> dict[str, str]:
    if refused:
        return both(
            f"Comparez la clé de signature (WEBHOOK_KEY_…) avec celle que montre {name}. Rien n’est perdu\u202f: on "
            "interroge de toute façon.",
            f"Compare the signing key (WEBHOOK_KEY_...) with the one {name} shows. Nothing is lost: we ask anyway.",
        )
    return both(
        f"«\u202fmake webhooks\u202f» donne l’adresse et le dernier appel\u202f: {name} doit avoir "
        "cette adresse, secret compris. Rien n’est perdu\u202f: on interroge de toute façon.",
        f'"make webhooks" gives the address and the last call: {name} must have that address, its secret included. '
        "Nothing is lost: we ask anyway.",
    )
