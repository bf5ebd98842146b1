"""The story: a line of the record as a sentence, French and English. Pure; a line nobody knows is told as it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.domain import setbacks
from shared.domain.record import Kind, kind_of
from shared.domain.spoken import LANGUAGES, Names, Said, nights_said

PERSON = "person "
"""How the actor of a line begins where somebody did it by hand; his name follows."""

LONGEST_NAME = 60
"""Characters of a person's name that are kept."""


def by_hand(name: str) -> str:
    """Who did it, in a line of the record, where a person of that name did."""
    return f"{PERSON}{name[:LONGEST_NAME]}"


Words = Mapping[str, tuple[str, str]]
"""French and English by the record's own word."""

_NOUNS: Words = {
    "stay": ("réservation", "booking"),
    "pending": ("demande de réservation", "booking request"),
    "closed": ("période prise", "taken time"),
    "block": ("fermeture du propriétaire", "owner's block"),
    "limit": ("règle de la plateforme", "rule of the platform"),
}
_FACTS: Words = {
    "new": ("nouvelle", "is new"),
    "moved": ("déplacée", "moved"),
    "confirmed": ("confirmée", "confirmed"),
    "pending": ("en attente", "is pending"),
    "cancelled": ("annulée", "cancelled"),
    "claimed": (
        "annoncée, à vérifier\u202f; fermée par prudence",
        "announced, to be verified; closed meanwhile",
    ),
    "claim over": ("annonce vérifiée ou sans suite", "announcement verified or void"),
    "vanished": ("disparue du calendrier, encore tenue", "gone from the calendar, still held"),
    "back": ("de nouveau dans le calendrier", "back in the calendar"),
    "let go": ("libérée\u202f: plus dans le calendrier", "let go: no longer in the calendar"),
    "let go in part": ("libérée en partie", "let go in part"),
    "reclassed": ("comprise autrement", "read differently"),
    "details": ("détails mis à jour", "details updated"),
    "departed": ("classée après le départ", "filed after departure"),
    "over": ("n’est plus", "is no more"),
}
_STEPS: Words = {
    "close intended": ("fermeture décidée", "closure decided"),
    "close published": ("fermeture publiée dans notre calendrier", "closure published in our calendar"),
    "close sent": ("fermeture envoyée", "closure sent"),
    "close accepted": ("fermeture prise en compte", "closure taken"),
    "close seen": ("fermeture vue dans son propre calendrier", "closure seen in its own calendar"),
    "close failed": ("fermeture refusée ou sans réponse", "closure refused or unanswered"),
    "closure over": ("fermeture terminée", "closure over"),
    "open intended": ("réouverture décidée", "reopening decided"),
    "open sent": ("réouverture envoyée", "reopening sent"),
    "open accepted": ("nuits rouvertes", "nights reopened"),
    "open failed": ("réouverture refusée ou sans réponse", "reopening refused or unanswered"),
    "echo": ("montre notre propre fermeture", "shows our own closure"),
}
_OTHERS: Words = {
    "conflict": ("double réservation", "double booking"),
    "conflict changed": ("double réservation modifiée", "double booking changed"),
    "conflict over": ("double réservation terminée", "double booking over"),
    "told": ("alerte de double réservation émise", "notice of a double booking raised"),
    "acknowledged": ("double réservation prise en charge", "double booking acknowledged"),
    "decided": ("décision prise sur la double réservation", "decision taken on the double booking"),
    "undecided": ("décision retirée\u202f: elle n’a rien réglé", "decision withdrawn: it settled nothing"),
    "hold": ("nuits promises pendant une vente", "nights promised during a sale"),
    "hold renewed": ("promesse renouvelée", "promise renewed"),
    "hold over": ("promesse terminée", "promise over"),
    "first answer": ("premier calendrier complet reçu", "first whole calendar received"),
    "listing added": ("annonce ajoutée", "listing added"),
    "listing changed": ("annonce modifiée", "listing changed"),
    "left closed": (
        "ce que nous y avions fermé sous son ancien identifiant reste fermé",
        "what we had closed there under its former id stays closed",
    ),
    "address renewed": ("adresse de notre calendrier renouvelée", "address of our calendar renewed"),
    "address revoked": ("adresse de notre calendrier révoquée", "address of our calendar revoked"),
    "calendar disconnected": ("calendrier déconnecté", "calendar disconnected"),
    "calendar link replaced": ("lien du calendrier remplacé", "calendar link replaced"),
    "home added": ("logement ajouté", "home added"),
    "home changed": ("logement modifié", "home changed"),
    "retry asked": ("nouvel essai demandé", "another try asked for"),
    "removal released": ("disparition confirmée à la main", "removal confirmed by hand"),
    "name erased": ("nom du voyageur effacé", "guest's name erased"),
    "note erased": ("note effacée", "note erased"),
    "left out": ("d’autres lignes n’ont pas été gardées", "more lines were not kept"),
    "unreadable": ("ces lignes ne peuvent pas être lues", "these lines cannot be read"),
}
_OCCASIONS: Words = {
    "found": ("dès qu’elle a été trouvée", "as soon as it was found"),
    "again": ("rappel", "reminder"),
    "near": ("rappel\u202f: arrivée dans moins de 48 h", "reminder: arrival within 48 h"),
    "no_effect": (
        "rappel\u202f: la décision ne se voit pas encore",
        "reminder: the decision does not show yet",
    ),
    "over": ("sa fin", "its end"),
}
_FOR = {"fr": "pour", "en": "for"}
_COLON = {"fr": "\u202f: ", "en": ": "}
_BELLS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"webhook (?P<what>.*)"), "un appel de la plateforme", "a call of the platform"),
    (re.compile(r"queue (?P<what>.*)"), "le relevé de la file de {what}", "the poll of the queue of {what}"),
    (re.compile(r"feed (?P<what>.*)"), "la lecture du calendrier {what}", "the reading of calendar {what}"),
    (
        re.compile(r"whole state of (?P<what>.*)"),
        "une lecture complète chez {what}",
        "a whole look at {what}",
    ),
    (
        re.compile(r"(?P<what>.*) fetched the calendar"),
        "une lecture de notre calendrier par {what}",
        "a reading of ours by {what}",
    ),
    (re.compile(r"reservation (?P<what>.*) is being made"), "la vente de {what}", "the sale of {what}"),
    (re.compile(r"(?P<what>.*) was never there"), "{what} n’existe pas", "{what} does not exist"),
    (re.compile(r"re-read (?P<what>.*)"), "une relecture de {what}", "a re-read of {what}"),
    (re.compile(r"policy"), "la règle du logement", "the home's policy"),
    (re.compile(r"read back"), "une relecture des calendriers", "a read-back of the calendars"),
    (re.compile(r"asked for"), "une demande de synchronisation", "a synchronisation somebody asked for"),
    (re.compile(r"asked"), "une visite du site", "a visit of the site"),
    (re.compile(r"retention"), "la durée de conservation", "the time names are kept"),
    (re.compile(r"portfolio"), "le portefeuille", "the portfolio"),
    (re.compile(r"conflict desk"), "le guichet des conflits", "the conflict desk"),
    (re.compile(f"{PERSON}local"), "la personne devant cette machine", "the person at this machine"),
    (re.compile(f"{PERSON}(?P<what>.*)"), "{what}", "{what}"),
)


def tell(line: Mapping[str, str], names: Names) -> Said:
    """What happened, in one sentence of each language."""
    return {language: _tell(line, names, number) for number, language in enumerate(LANGUAGES)}


def told_by(line: Mapping[str, str], names: Names) -> Said:
    """Which bell or person was behind it, in words."""
    by = line.get("by", "")
    for pattern, *words in _BELLS:
        found = pattern.fullmatch(by)
        if found:
            what = _called(found.groupdict().get("what", ""), names)
            return {lang: text.format(what=what) for lang, text in zip(LANGUAGES, words, strict=True)}
    return dict.fromkeys(LANGUAGES, by)


def _called(what: str, names: Names) -> str:
    """A listing, an account or a platform by its platform's name; anything else as it is, unless it is long."""
    known = names.listings.get(what) or names.accounts.get(what) or names.platforms.get(what)
    return known or what[:LONGEST_NAME]


def _tell(line: Mapping[str, str], names: Names, number: int) -> str:
    language, kind = LANGUAGES[number], kind_of(line)
    where = _where(line, names)
    if kind is Kind.FACT and line.get("what") in _FACTS:
        core = _fact(line, names, number)
    elif kind in (Kind.CLOSURE, Kind.OPENING) and line.get("what") in _STEPS:
        cause = f" {_FOR[language]} {names.cause(line['of'])}" if line.get("of") else ""
        core = f"{_STEPS[line['what']][number]}{cause}"
    elif line.get("what") in _OTHERS:
        core = _OTHERS[line["what"]][number] + _between(line, names)
    else:
        core = line.get("what") or "?"
    tail = _tail(line, language)
    said = f"{where}{_COLON[language] if where else ''}{core}{tail}"
    by_home = where and not line.get("on")  # a home is called as its owner calls it
    return f"{said}." if by_home else f"{said[:1].upper()}{said[1:]}."


def _fact(line: Mapping[str, str], names: Names, number: int) -> str:
    pending = line.get("status") == "pending" and line.get("class") == "stay"
    noun = _NOUNS.get("pending" if pending else line.get("class", ""), _NOUNS["closed"])[number]
    shown = names.cause(line.get("of", "")).partition(" (")[0]
    return f"{noun} {shown} {_FACTS[line['what']][number]}"


def _between(line: Mapping[str, str], names: Names) -> str:
    keys = [key for key in line.get("between", "").split(" + ") if key]
    return f" {' / '.join(names.cause(key) for key in keys)}" if keys else ""


def _where(line: Mapping[str, str], names: Names) -> str:
    on, home = line.get("on", ""), line.get("home", "")
    pieces = (names.listings.get(on, on), names.homes.get(home, home))
    return ", ".join(piece for piece in pieces if piece)


def _tail(line: Mapping[str, str], language: str) -> str:
    """The nights, before and after where they differ, and why something failed."""
    before, after = line.get("before", ""), line.get("nights", "")
    shown = [nights_said(one, language) for one in dict.fromkeys((before, after)) if one]
    nights = f", {' → '.join(shown)}" if shown else ""
    why = _why(line)[language]
    return f"{nights} ({why})" if why else nights


def _why(line: Mapping[str, str]) -> Said:
    """The occasion on which somebody was told; what went wrong, as it was told."""
    why = line.get("why", "")
    if line.get("what") == "told" and why in _OCCASIONS:
        return dict(zip(LANGUAGES, _OCCASIONS[why], strict=True))
    return setbacks.said(why) if setbacks.is_known(why) else dict.fromkeys(LANGUAGES, why)
