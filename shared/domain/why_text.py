"""The words of "why is this night closed?": one sentence a listing, one a cause, French and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from shared.domain.model import Busy, Hold, Phase, Status
from shared.domain.platform import Link
from shared.domain.removals_text import reason, what_confirms
from shared.domain.spoken import LANGUAGES, Names, Said, day, moment, span
from shared.domain.why import Cause, Closure, Face, Reasons, Shown, Why

_FACES: Mapping[Face, Said] = {
    Face.OPEN: {"fr": "en vente", "en": "for sale"},
    Face.SOLD: {"fr": "prise sur cette annonce même", "en": "taken on this very listing"},
    Face.BLOCKED: {"fr": "fermée là-bas par son propriétaire", "en": "closed there by its owner"},
    Face.LIMITED: {
        "fr": "fermée par une règle de la plateforme (délai ou horizon de réservation)",
        "en": "closed by a rule of the platform (notice or booking window)",
    },
    Face.CLOSED: {"fr": "fermée par nous", "en": "closed by us"},
    Face.CLOSING: {
        "fr": "fermeture en cours\u202f: peut-être encore en vente",
        "en": "closure under way: perhaps still for sale",
    },
    Face.OPENING: {"fr": "réouverture en cours", "en": "reopening under way"},
    Face.UNKNOWN: {
        "fr": "inconnue\u202f: rien n’est promis ni rouvert ici",
        "en": "unknown: nothing is promised or reopened here",
    },
}
_KINDS: Mapping[Busy, Said] = {
    Busy.STAY: {"fr": "réservation", "en": "booking"},
    Busy.CLOSED: {
        "fr": "réservation ou fermeture (le calendrier ne les distingue pas)",
        "en": "booking or closure (the calendar does not tell which)",
    },
    Busy.BLOCK: {"fr": "fermeture du propriétaire", "en": "owner's block"},
    Busy.LIMIT: {"fr": "règle de la plateforme", "en": "rule of the platform"},
}
_DOUBTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("never gave a complete answer"), "n’a jamais donné de réponse complète"),
    (re.compile("was never read"), "n’a jamais été lue"),
    (
        re.compile("was not known yet, or is remembered no longer"),
        "n’était pas encore connue, ou n’est plus en mémoire",
    ),
    (re.compile("was not looked for so far back"), "n’a pas été cherchée aussi loin"),
    (re.compile("has no calendar link"), "n’a pas de lien de calendrier"),
    (
        re.compile(r"has no account (?P<name>\S+)( that can be read)?"),
        "n’a pas de compte {name} qu’on puisse lire",
    ),
    (re.compile("may not be asked: (?P<why>.*)"), "ne peut pas être interrogée\u202f: {why}"),
    (
        re.compile(r"was last read (?P<age>[0-9]+) s ago, asked every (?P<period>[0-9]+) s"),
        "a été lue il y a {age} s, pour un rythme de {period} s",
    ),
)
_PENDING: Said = {"fr": "demande de réservation", "en": "booking request"}
_SHOWN: Mapping[Shown, Said] = {
    Shown.PLAIN: {"fr": "", "en": ""},
    Shown.CLAIMED: {
        "fr": "annoncée par un appel, pas encore vérifiée auprès de la plateforme",
        "en": "announced by a call, not yet verified with the platform",
    },
    Shown.FADING: {"fr": "disparue du calendrier, encore tenue", "en": "gone from the calendar, still held"},
    Shown.ECHO: {
        "fr": "c’est notre propre fermeture, que la plateforme nous montre\u202f: elle ne compte pas",
        "en": "this is our own closure, shown back to us: it does not count",
    },
    Shown.RULE: {"fr": "elle ne ferme rien ailleurs", "en": "it closes nothing elsewhere"},
}


def headline(one: Why, names: Names) -> Said:
    """The night in one sentence."""
    home = names.homes.get(one.home, one.home)
    return {language: _headline(one, home, language) for language in LANGUAGES}


def _headline(one: Why, home: str, language: str) -> str:
    night = day(one.night, language)
    sold_on, every = sum(each.face is Face.OPEN for each in one.listings), len(one.listings)
    if language == "fr":
        past, listings = " (passée)" if one.past else "", "annonce" if sold_on < 2 else "annonces"
        return f"{home}, nuit du {night}{past}\u202f: en vente sur {sold_on} {listings} sur {every}."
    past, listings = " (past)" if one.past else "", "listing" if every == 1 else "listings"
    return f"{home}, night of {night}{past}: for sale on {sold_on} of {every} {listings}."


def listing_said(one: Reasons, names: Names) -> Said:
    """What a listing shows of the night, and why."""
    where = names.listings.get(one.listing, one.listing)
    return {language: _listing(one, where, names, language) for language in LANGUAGES}


def _listing(one: Reasons, where: str, names: Names, language: str) -> str:
    french = language == "fr"
    said = [_FACES[one.face][language]]
    if one.left is not None:
        many = (
            "s" if one.left > 1 or (not french and not one.left) else ""
        )  # 0 is one in French, many in English
        said.append(f"{one.left} unité{many} libre{many}" if french else f"{one.left} unit{many} left")
    said += [closure_said(each, names)[language] for each in one.closures]
    if one.silent and one.face in (Face.CLOSING, Face.OPENING):
        nothing = "rien n’y est envoyé maintenant" if french else "nothing is sent there now"
        known = one.silent == "chosen by its owner" and french
        said.append(f"{nothing} ({'choisi par son propriétaire' if known else one.silent})")
    if one.doubt:
        source = "sa source" if french else "its source"
        said.append(f"{source} {_doubt(one.doubt, language)}")
    colon, semicolon = ("\u202f: ", "\u202f; ") if french else (": ", "; ")
    return f"{where}{colon}{semicolon.join(said)}."


def _doubt(doubt: str, language: str) -> str:
    """Why a source is not believed: the engine says it in English, and as it is where it is not known here."""
    if language == "en":
        return doubt
    for pattern, french in _DOUBTS:
        found = pattern.fullmatch(doubt)
        if found:
            return french.format(**found.groupdict())
    return f"n’est pas sûre ({doubt})"


def cause_said(one: Cause, names: Names) -> Said:
    """A fact: what it is, whose, its nights, since when it is known."""
    return {language: _cause(one, names, language) for language in LANGUAGES}


def _cause(one: Cause, names: Names, language: str) -> str:
    french = language == "fr"
    kind = _PENDING if one.status is Status.PENDING and one.kind is Busy.STAY else _KINDS[one.kind]
    name = names.cause(one.key).partition(" (")[0]
    where = names.listings.get(one.listing, one.listing)
    if len(names.homes) > 1:  # a house and its rooms: which of them was sold
        where = f"{where} ({names.homes.get(one.home, one.home)})"
    at = moment(one.since, names.zone, language)
    known = f"connue depuis le {at}" if french else f"known since {at}"
    on = "sur" if french else "on"
    said = [f"{kind[language]} {name} {on} {where}, {span(one.dates, language)}, {known}"]
    if _SHOWN[one.shown][language]:
        said.append(_SHOWN[one.shown][language])
    if one.removal is not None:
        since = moment(one.removal.since, names.zone, language)
        said.append(f"absente depuis le {since}" if french else f"missing since {since}")
        said += [
            reason(one.removal)[language],
            f"{'confirmée par' if french else 'confirmed by'} {what_confirms(one.removal, names)[language]}",
        ]
    text = ("\u202f; " if french else "; ").join(said)
    return f"{text[0].upper()}{text[1:]}."


def closure_said(one: Closure, names: Names) -> Said:
    """How far one of our closures has come, and since when."""
    return {language: _closure(one, names, language) for language in LANGUAGES}


def _closure(one: Closure, names: Names, language: str) -> str:
    french = language == "fr"
    cause, at = names.cause(one.cause), _at(one.decided, names, language)
    nights = span(one.dates, language)
    if one.opening_since is not None:
        since = _at(one.opening_since, names, language)
        said = (
            f"réouverture décidée {since}, {cause} n’en a plus besoin"
            if french
            else f"reopening decided {since}, {cause} needs it no longer"
        )
    else:
        reach = _reach(one, names, language)
        said = (
            f"pour {cause}, {nights}, décidé {at}, {reach}"
            if french
            else f"for {cause}, {nights}, decided {at}, {reach}"
        )
    if one.orphan:
        said += (
            "\u202f; cette raison n’existe plus, rien ne permet encore de rouvrir"
            if french
            else "; that reason is no more, and nothing allows us to reopen yet"
        )
    if one.error:
        many, colon = "" if one.attempts == 1 else "s", "\u202f: " if french else ": "
        tries = (
            f"{one.attempts} essai{many} sans succès" if french else f"{one.attempts} failed attempt{many}"
        )
        said += f" ({tries}{colon}{one.error})"
    return said


def _reach(one: Closure, names: Names, language: str) -> str:
    """The last of the three facts that is known: sent, taken, seen."""
    french, served = language == "fr", one.link is Link.ICAL
    if one.phase is Phase.SEEN:
        return "vu dans son propre calendrier" if french else "seen in its own calendar"
    if one.taken is not None:
        at = _at(one.taken, names, language)
        if served:
            return f"notre calendrier a été lu {at}" if french else f"our calendar was fetched {at}"
        return f"pris en compte {at}" if french else f"taken {at}"
    if served:
        return "publié, pas encore lu" if french else "published, not fetched yet"
    if one.phase is Phase.SENT:
        return "envoyé, réponse attendue" if french else "sent, no answer yet"
    return "pas encore parti" if french else "not sent yet"


def hold_said(one: Hold, names: Names) -> Said:
    """A promise to a platform that asked."""
    where = names.listings.get(one.listing, one.listing)
    until = {language: moment(one.expires, names.zone, language) for language in LANGUAGES}
    return {
        "fr": f"Promise à {where} jusqu’au {until['fr']}, le temps d’une vente.",
        "en": f"Promised to {where} until {until['en']}, while somebody is paying.",
    }


def held_back_said(reason: str) -> Said:
    """Why nothing is opened on the site now, as the plan says it."""
    if reason == "a stored row cannot be read: nothing is opened":
        return {
            "fr": "Une ligne enregistrée est illisible\u202f: rien n’est rouvert.",
            "en": _sentence(reason),
        }
    listings = reason.removeprefix("no complete answer yet from ").partition(": nothing")[0]
    return {
        "fr": f"Pas encore de réponse complète de {listings}\u202f: rien n’est rouvert.",
        "en": _sentence(reason),
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _at(at: datetime | None, names: Names, language: str) -> str:
    if at is None:
        return "à un moment inconnu" if language == "fr" else "at an unknown time"
    return f"le {moment(at, names.zone, language)}" if language == "fr" else moment(at, names.zone, language)
