"""The words of the health report: how findings are counted before anybody, and what each means and asks for.

``GET /health`` is open to whoever finds it, so that it says numbers and names nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from shared.domain.health import Code, Finding, both
from shared.domain.health_alerts import Occasion, Telling, code_of, platform_of
from shared.domain.model import SyncMode
from shared.domain.setbacks import said
from shared.domain.spoken import LANGUAGES, PARIS, Said, moment

OPEN: Mapping[Code, str] = {
    Code.STORE_DOWN: "the tables do not answer",
    Code.UNREAD: "accounts and links whose rows cannot be read: {count}",
    Code.TIMERS_STOPPED: "the timers stand still",
    Code.CALENDAR_SILENT: "calendars without a good answer for too long: {count}",
    Code.ACCOUNT_SILENT: "accounts without a good answer for too long: {count}",
    Code.ACCOUNT_PAUSED: "accounts whose platform withdrew our access: {count}",
    Code.MODE_FALLEN: "accounts that nothing is sent to by itself: {count}",
    Code.MODE_CHOSEN: "accounts that are manual by choice: {count}",
    Code.CIRCUIT_OPEN: "circuits that stay open: {count}",
    Code.CIRCUIT_FORCED: "circuits held by hand: {count}",
    Code.WORK_LATE: "sites that wait for over 5 minutes: {count}",
    Code.SITE_FAILING: "sites that cannot be brought up to date: {count}",
    Code.JOB_STUCK: "jobs that stand still: {count}",
    Code.BUS_DOWN: "the message queue does not answer",
    Code.DEAD_LETTERS: "queues with dead letters: {count}",
    Code.SET_ASIDE: "messages set aside: {count}",
    Code.WEBHOOKS_SILENT: "accounts nobody calls about: {count}",
    Code.DRIFT: "listings whose closed nights were opened: {count}",
    Code.KEY_ENDS: "accounts whose keys end: {count}",
    Code.CLOCK_OFF: "hosts whose clock is off: {count}",
}
"""What anybody may read of each, with how many there are."""

TITLES: Mapping[Code, Said] = {
    Code.STORE_DOWN: both("les tables", "the tables"),
    Code.UNREAD: both("lignes illisibles", "rows that could not be read"),
    Code.TIMERS_STOPPED: both("l’horloge du moteur", "the engine's timers"),
    Code.CALENDAR_SILENT: both("calendriers muets", "silent calendars"),
    Code.ACCOUNT_SILENT: both("comptes muets", "silent accounts"),
    Code.CIRCUIT_OPEN: both("disjoncteurs ouverts", "open circuits"),
    Code.WORK_LATE: both("sites en attente", "waiting sites"),
    Code.SITE_FAILING: both(
        "sites impossibles à mettre à jour", "sites that could not be brought up to date"
    ),
    Code.BUS_DOWN: both("la file de messages", "the message queue"),
    Code.DEAD_LETTERS: both("messages morts", "dead letters"),
    Code.WEBHOOKS_SILENT: both("appels des plateformes", "calls of platforms"),
    Code.DRIFT: both("nuits rouvertes sur nos fermetures", "nights opened over our closures"),
    Code.KEY_ENDS: both("clés qui expirent", "keys that end"),
    Code.CLOCK_OFF: both("horloges fausses", "clocks that are off"),
}
"""What an alert that is over was about, as a heading; a code without one is told by its own word."""


def open_reasons(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The findings counted by what they are, in the order of the report; no name of anybody or anything."""
    counts = Counter(one.code for one in findings)
    return tuple(OPEN[code].format(count=count) for code, count in counts.items())


Words = tuple[Said, Said]
"""The cause, and the next step."""


def calendar_silent(listing: str, answered: datetime | None, error: str, *, dead: bool) -> Words:
    """A calendar link without a good answer. ``error`` is what its last try ended with."""
    fr, en = _because(error)
    if answered is None:
        cause = both(
            f"Le calendrier de {listing} n’a jamais répondu{fr}\u202f: ce qui s’y vend n’est pas vu.",
            f"The calendar of {listing} has never answered{en}: what is sold there is not seen.",
        )
    else:
        cause = both(
            f"Le calendrier de {listing} ne répond plus depuis trop longtemps{fr}\u202f: ce qui s’y vend n’est pas vu.",
            f"The calendar of {listing} gave no good answer for too long{en}: what is sold there is not seen.",
        )
    if dead:
        return cause, both(
            "Copiez le nouveau lien d’export chez la plateforme et redonnez-le sur la page des liens.",
            "Copy the new export link from the platform and give it on the page of links.",
        )
    return cause, both(
        "Ouvrez le lien dans un navigateur. S’il répond, c’est le moteur qui ne l’interroge plus\u202f: "
        "voyez son journal.",
        "Open the link in a browser. If it answers, it is the engine that does not ask any more: look at its log.",
    )


def account_silent(account: str, answered: datetime | None, reason: str) -> Words:
    """An account by API without a good answer. ``reason`` is why it fell down the ladder, where it did."""
    fr, en = _because(reason)
    since_fr = "n’a encore jamais répondu" if answered is None else "ne répond plus depuis trop longtemps"
    since_en = "has never answered" if answered is None else "gave no good answer for too long"
    return both(
        f"Le compte {account} {since_fr}{fr}\u202f: ce qui s’y vend n’est pas vu.",
        f"The account {account} {since_en}{en}: what is sold there is not seen.",
    ), both(
        "Voyez sa raison et ses disjoncteurs sur la page des canaux, puis lancez une synchronisation de la plateforme.",
        "See its reason and its circuits on the page of channels, then force a run of the platform.",
    )


def mode_fallen(account: str, mode: SyncMode, reason: str, probe_at: datetime | None) -> Words:
    """An account that the ladder took down."""
    fr, en = _because(reason)
    probe_fr, probe_en = _probe(probe_at)
    if mode is SyncMode.MANUAL:
        return both(
            f"Plus rien n’est envoyé à {account}{fr}.", f"Nothing is sent to {account} any more{en}."
        ), both(
            f"Fermez à la main les nuits listées sur la page «\u202fAujourd’hui\u202f», puis ôtez la cause.{probe_fr}",
            f"Close by hand the nights listed on the page “Today”, then remove the cause.{probe_en}",
        )
    return both(
        f"{account} est suivi par lots seulement{fr}.", f"{account} is kept in step in batches only{en}."
    ), both(
        f"Rien à faire\u202f: il revient de lui-même.{probe_fr}",
        f"Nothing to do: it returns by itself.{probe_en}",
    )


def mode_chosen(account: str, mode: SyncMode, reason: str, probe_at: datetime | None) -> Words:
    """An account that a person made manual."""
    return both(
        f"Quelqu’un a choisi que rien ne parte tout seul vers {account}.",
        f"Somebody chose that nothing goes to {account} by itself.",
    ), both(
        "Fermez à la main les nuits listées, ou revenez au mode automatique sur la page des canaux.",
        "Close the listed nights by hand, or go back to automatic on the page of channels.",
    )


def account_paused(account: str, mode: SyncMode, reason: str, probe_at: datetime | None) -> Words:
    """An account whose platform withdrew our access."""
    return both(
        f"La plateforme nous a retiré l’accès au compte {account}\u202f: rien n’est envoyé, rien n’est rouvert.",
        f"The platform withdrew our access to the account {account}: nothing is sent, nothing reopened.",
    ), both(
        "Reconnectez le compte chez la plateforme\u202f; d’ici là fermez à la main les nuits listées.",
        "Connect the account again at the platform; until then close the listed nights by hand.",
    )


MODES: Mapping[Code, Callable[[str, SyncMode, str, datetime | None], Words]] = {
    Code.MODE_FALLEN: mode_fallen,
    Code.MODE_CHOSEN: mode_chosen,
    Code.ACCOUNT_PAUSED: account_paused,
}
"""By account, mode, reason, and when it is tried next."""

_OPERATIONS: Mapping[str, tuple[str, str]] = {
    "read": ("les lectures", "reading"),
    "acknowledge": ("les accusés de réception", "acknowledging"),
    "write": ("les écritures", "writing"),
}


def circuit(account: str, operation: str, state: str, retry_at: datetime | None) -> Words:
    """A circuit that lets nothing through, or that a person holds."""
    fr, en = _OPERATIONS.get(operation, (operation, operation))
    if state == "forced_closed":
        return both(
            f"Quelqu’un laisse passer {fr} vers {account} quoi qu’il arrive.",
            f"Somebody lets {en} at {account} through whatever happens.",
        ), _let_judge()
    if state == "forced_open":
        return both(
            f"Quelqu’un retient {fr} vers {account}\u202f: rien ne passe.",
            f"Somebody holds back {en} at {account}: nothing passes.",
        ), _let_judge()
    probe_fr, probe_en = _probe(retry_at)
    return both(
        f"Le disjoncteur retient {fr} vers {account}\u202f: la plateforme a trop souvent échoué.",
        f"The circuit holds back {en} at {account}: the platform failed too often.",
    ), both(
        f"Regardez si la plateforme annonce une panne\u202f; le moteur essaie de lui-même.{probe_fr}",
        f"See whether the platform tells of an outage; the engine tries by itself.{probe_en}",
    )


def circuit_idle(account: str, operation: str) -> Words:
    """A circuit that would let a trial through, and nobody has anything to send."""
    fr, en = _OPERATIONS.get(operation, (operation, operation))
    return both(
        f"{account}\u202f: {fr} avaient échoué, et rien n’attend d’être envoyé\u202f: le prochain envoi "
        "servira d’essai.",
        f"{account}: {en} had failed, and nothing waits to be sent: whatever comes next is the trial.",
    ), both("Rien à faire.", "Nothing to do.")


def _let_judge() -> Said:
    return both(
        "Rendez-le à lui-même (état «\u202fclosed\u202f») quand vous n’en avez plus besoin.",
        'Let it judge for itself again (state "closed") once you need it no more.',
    )


def work_late(site: str) -> Words:
    """A site whose work is overdue."""
    return both(
        f"Le site {site} attend depuis plus de 5 minutes d’être mis à jour.",
        f"The site {site} waits for over 5 minutes to be brought up to date.",
    ), both(
        "Regardez si l’horloge et les files tournent\u202f: le balayage aurait dû le prendre en 15 s.",
        "See whether timers and queues run: the sweep should have taken it within 15 s.",
    )


def site_failing(site: str, failed: int) -> Words:
    """A site whose reconcile keeps failing."""
    return both(
        f"Le site {site} n’a pas pu être mis à jour {failed} fois de suite.",
        f"The site {site} could not be brought up to date {failed} times in a row.",
    ), both(
        "Cherchez «\u202freconcile_failed\u202f» dans le journal\u202f: il dit pourquoi.",
        'Look for "reconcile_failed" in the log: it says why.',
    )


def timers_stopped() -> Words:
    """Nobody rings."""
    return both(
        "L’horloge du moteur ne tourne plus\u202f: rien n’est interrogé, rien n’est rattrapé.",
        "The engine's timers stand still: nothing is asked, nothing is caught up with.",
    ), both(
        "Redémarrez l’application, et vérifiez que ses fonctions d’horloge ne sont pas désactivées.",
        "Restart the app, and see that its timer functions are not disabled.",
    )


def store_down(why: str) -> Words:
    """The tables."""
    return both(
        f"Les tables ne répondent pas comme il faut\u202f: {why}.",
        f"The tables do not answer as they should: {why}.",
    ), both(
        "Rien ne s’ouvre entre-temps, et tout est relu à leur retour. Voyez l’état du compte de stockage.",
        "Nothing opens meanwhile, and everything is read again when they are back. See how the storage account is.",
    )


def unread(about: str) -> Words:
    """A row of an account or of a calendar link."""
    return both(
        f"Ce qui est écrit de {about} ne peut pas être lu\u202f: ni interrogé, ni ouvert.",
        f"What is written of {about} cannot be read: it is neither asked nor opened.",
    ), both(
        "Pendant une mise à jour, attendez qu’elle soit finie\u202f; sinon réimportez le portefeuille.",
        "During an upgrade wait until it is done; otherwise import the portfolio again.",
    )


def bus_down() -> Words:
    """Service Bus."""
    return both(
        "La file de messages ne répond pas\u202f: le balayage fait le travail, moins vite. Messages "
        "morts\u202f: inconnus.",
        "The message queue does not answer: the sweep does the work, more slowly. Dead letters are not known.",
    ), both(
        "Rien n’est perdu. Voyez l’état de l’espace Service Bus et les rôles de l’identité.",
        "Nothing is lost. See how the Service Bus namespace is, and the roles of the identity.",
    )


def dead_letters(queue: str, count: int, *, more: bool) -> Words:
    """Dead letters of one queue; ``more``: there may be more than were counted."""
    shown = f"{count}+" if more else str(count)
    return both(
        f"La file {queue} a {shown} {_many(count, 'message mort', 'messages morts')}\u202f: livrés trop "
        "souvent, en vain.",
        f"The queue {queue} has {shown} {_many(count, 'dead letter', 'dead letters')}: delivered too often, in vain.",
    ), both(
        "Page «\u202fMessages à voir\u202f»\u202f: lisez leur raison, puis «\u202fRéessayer\u202f».",
        'Page "Messages to look at": read their reason, then "Try again".',
    )


def set_aside(count: int) -> Words:
    """The quarantine."""
    return both(
        f"Messages que personne n’a pu traiter\u202f: {count}.",
        f"Messages nobody could process: {count}.",
    ), both(
        "Page «\u202fMessages à voir\u202f»\u202f: lisez leur raison, puis «\u202fRéessayer\u202f».",
        'Page "Messages to look at": read their reason, then "Try again".',
    )


def job_stuck(job: str) -> Words:
    """A job that was asked for and is not over."""
    return both(
        f"Le passage demandé {job} n’avance pas.", f"The run {job} that was asked for does not get on."
    ), both(
        "Regardez ses étapes sur la page des synchronisations\u202f; après 15 min il est abandonné, redemandez-le.",
        "See its steps on the page of runs; after 15 min it is given up: ask for it again.",
    )


def _many(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


def _because(reason: str) -> tuple[str, str]:
    why = said(reason)
    return (f" ({why['fr']})", f" ({why['en']})") if reason else ("", "")


def _probe(at: datetime | None) -> tuple[str, str]:
    """By the same clock as every other time that people read."""
    if at is None:
        return "", ""
    return f" Prochain essai le {moment(at, PARIS, 'fr')}.", f" Next try on {moment(at, PARIS, 'en')}."


MOST_NAMED = 5
"""Names in one alert; the rest are counted."""


def told(one: Telling, platforms: Mapping[str, str]) -> Said:
    """An alert. ``platforms`` are their proper names by id."""
    code, platform = code_of(one.subject), platform_of(one.subject)
    title = TITLES.get(code, {}) if code else {}
    where = f" ({platforms.get(platform, platform)})" if platform else ""
    found: Said = {}
    for language in LANGUAGES:
        if one.occasion is Occasion.OVER:
            over = "C’est rétabli" if language == "fr" else "It is over"
            colon = "\u202f: " if language == "fr" else ": "
            found[language] = f"{over}{colon}{title.get(language, one.subject.partition('|')[0])}{where}."
        else:
            found[language] = _of_findings(one, language)
    return found


def _of_findings(one: Telling, language: str) -> str:
    first, others = one.findings[0], [other.about for other in one.findings[1:]]
    began = moment(one.since, PARIS, language)
    parts = [first.cause[language]]
    if others:
        shown = ", ".join(others[:MOST_NAMED]) + (", …" if len(others) > MOST_NAMED else "")
        also, colon = ("De même pour", "\u202f: ") if language == "fr" else ("The same of", ": ")
        parts.append(f"{also} {len(others)}{colon}{shown}.")
    if one.occasion is Occasion.LASTS:
        parts.append(f"Cela dure depuis le {began}." if language == "fr" else f"It has lasted since {began}.")
    parts.append(first.step[language])
    return " ".join(parts)
