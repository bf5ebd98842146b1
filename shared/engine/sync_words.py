"""What a step of a synchronisation did, said to a host. Reports keep short English words; here is what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from shared.domain import setbacks
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.spoken import LANGUAGES, Said, span
from shared.engine.steps import FEEDS, OBSERVE, QUEUE

_DONE: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), french, english)
    for pattern, french, english in (
        (
            r"0 asked.*",
            "rien n’était dû : les calendriers ont été lus il y a peu",
            "nothing was due: just read",
        ),
        (
            r"(\d+) asked, (\d+) unchanged",
            "calendriers lus : {0}, dont sans changement : {1}",
            "calendars read: {0}, of them unchanged: {1}",
        ),
        (
            r"(\d+) stored, 0 set aside",
            "nouvelles reçues : {0}",
            "news received: {0}",
        ),
        (
            r"(\d+) stored, (\d+) set aside",
            "nouvelles reçues : {0}, impossibles à placer : {1}",
            "news received: {0}, impossible to place: {1}",
        ),
        (r"whole", "lu en entier", "read whole"),
        (r"version \d+, 0 sent(?:, 0 taken)?", "rien à envoyer", "nothing to send"),
        (
            r"version \d+, (\d+) sent, (\d+) taken",
            "envois : {0}, nuits prises en compte : {1}",
            "sent: {0}, closures taken: {1}",
        ),
        (
            r"held by another.*",
            "une autre lecture était déjà en cours",
            "another reading was under way already",
        ),
    )
)
_NIGHTS = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d) \((\d+)\))?")
_ENDED: Mapping[str, tuple[str, str]] = {
    "accepted": ("accepté", "accepted"),
    "refused": ("refusé", "refused"),
    "failed": ("échec", "failed"),
    "unknown": ("sans réponse", "no answer"),
}


def done(said: str) -> Said:
    """What came of a step; as it stands where nobody knows better."""
    for pattern, *words in _DONE:
        found = pattern.fullmatch(said)
        if found:
            return {lang: word.format(*found.groups()) for lang, word in zip(LANGUAGES, words, strict=True)}
    return dict.fromkeys(LANGUAGES, said)


def title(kind: str, key: str, platforms: Iterable[str], names: Mapping[str, str]) -> Said:
    """What a step is about: calendars, an account, or the homes of a site. ``names`` are those of platforms, accounts
    and sites by id."""
    channels = ", ".join(names.get(one, one) for one in platforms)
    if kind == FEEDS:
        return {"fr": f"Calendriers par lien : {channels}", "en": f"Calendar links: {channels}"}
    if kind == QUEUE:
        return {"fr": f"Nouvelles\u202f: {channels}", "en": f"News of {channels}"}
    if kind == OBSERVE:
        return {"fr": f"État complet\u202f: {channels}", "en": f"Whole state of {channels}"}
    home = names.get(key, key)
    return {"fr": f"Mise à jour\u202f: {home}", "en": f"Bringing {home} up to date"}


def troubles(error: str, names: Mapping[str, str]) -> tuple[Said, ...]:
    """Each thing that went wrong in a step, once: whose it was, and why. ``names`` are those of listings and units by
    id."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for piece in filter(None, error.split("; ")):
        whose, colon, why = piece.partition(": ")
        known = names.get(whose) if colon else None
        told = setbacks.said(why if known else piece)
        found = by_reason.setdefault((told["fr"], told["en"]), [])
        if known and known not in found:
            found.append(known)
    return tuple(
        {"fr": _whose(whose, "\u202f: ") + french, "en": _whose(whose, ": ") + english}
        for (french, english), whose in by_reason.items()
    )


def _whose(names: Sequence[str], colon: str) -> str:
    return " · ".join(names) + colon if names else ""


def write(line: Mapping[str, str | int], where: str) -> Said:
    """A write that was made: which nights of a listing were closed or opened, and how that ended."""
    ended = _ENDED.get(str(line.get("ended", "")), ("", ""))
    said = {}
    for number, language in enumerate(LANGUAGES):
        verbs = (("ferme", "closes"), ("rouvre", "reopens"))
        parts = [
            f"{verb[number]} {_nights(str(line.get(field, '')), language)}"
            for field, verb in zip(("closed", "opened"), verbs, strict=True)
            if line.get(field)
        ]
        said[language] = (
            f"{where} : {', '.join(parts)}" if language == "fr" else f"{where}: {', '.join(parts)}"
        )
        said[language] += f" – {ended[number]}" if ended[number] else ""
    return said


def _nights(written: str, language: str) -> str:
    """ "2027-10-10..2027-10-12 (3)": the first and the last night, and how many. Said from arrival to departure."""
    found = _NIGHTS.fullmatch(written)
    if found is None:
        return written
    first = date.fromisoformat(found[1])
    last = date.fromisoformat(found[2] or found[1])
    whole = (last - first).days + 1
    count = int(found[3] or 1)
    nights = span(StayDates(first, last + ONE_DAY), language)
    if count == whole:
        return nights
    return f"{nights} ({count} nuits)" if language == "fr" else f"{nights} ({count} nights)"
