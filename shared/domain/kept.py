"""What is kept about people, why, and how long: the one list that the page, the documents and a test read.

``places`` names the rows and columns in which such data may stand; whoever stores some elsewhere adds it here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Said = Mapping[str, str]

KEY = "(key)"
"""In place of a column: the data is part of the row's key."""


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of a table by how their partition and key begin, and one of their columns ("*": any)."""

    table: str
    partition: str
    key: str
    column: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of data. ``{days}`` in a text stands for the days after which names are erased."""

    name: str
    what: Said
    why: Said
    long: Said
    places: tuple[Place, ...] = ()


KEPT: tuple[Kept, ...] = (
    Kept(
        "guest",
        {
            "fr": "Le prénom du voyageur et l’initiale de son nom, quand la plateforme les donne",
            "en": "A guest’s first name and initial, where the platform gives them",
        },
        {
            "fr": "pour reconnaître le séjour quand deux se chevauchent ou qu’un voyageur appelle",
            "en": "to recognise a stay when two overlap, or when a guest calls",
        },
        {
            "fr": "deux jours après le départ le plus souvent, {days} jours au plus",
            "en": "two days after departure mostly, {days} days at most",
        },
        (Place("Sites", "", "d|", "guest"), Place("Sites", "", "p|", "guest")),
    ),
    Kept(
        "stay",
        {
            "fr": "Le numéro de réservation, les nuits, la plateforme, ce qui a été fermé et quand",
            "en": "The reservation’s number, its nights, the platform, what was closed and when",
        },
        {
            "fr": "pour tenir les nuits fermées, les expliquer, ne jamais rouvrir par erreur",
            "en": "to keep the nights closed, to explain them, never to reopen by mistake",
        },
        {
            "fr": "400 jours, les séjours passés sans nom\u202f; l’index des numéros n’est pas supprimé",
            "en": "400 days, past stays without a name; the index of numbers is not deleted",
        },
        (
            Place("Sites", "", "d|", "*"),
            Place("Sites", "", "p|", "*"),
            Place("Sites", "", "f|", "*"),
            Place("Sites", "", "g|", "*"),
            Place("Sites", "", "q|", "*"),
            Place("Sites", "", "r|", "*"),
            Place("Reservations", "", "", KEY),
            Place("Due", "", "", "*"),
        ),
    ),
    Kept(
        "uid",
        {
            "fr": "L’identifiant que le calendrier donne au séjour\u202f; certains logiciels y mettent un nom",
            "en": "The identifier a calendar gives a stay; some software puts a name into it",
        },
        {
            "fr": "pour suivre le même séjour d’une lecture à l’autre\u202f; seul qui demande ses données le voit",
            "en": "to follow the same stay from one reading to the next; only who asks for their data sees it",
        },
        {
            "fr": "avec le séjour, puis 400 jours dans le journal\u202f; effacé du journal sur demande",
            "en": "with the stay, then 400 days in the record; erased from the record on request",
        },
        (
            Place("Sites", "", "d|", KEY),
            Place("Sites", "", "p|", KEY),
            Place("Sites", "", "f|", KEY),
        ),
    ),
    Kept(
        "note",
        {
            "fr": "La note écrite à côté d’une décision sur une double réservation",
            "en": "The note written beside a decision on a double booking",
        },
        {
            "fr": "pour que les autres sachent ce qui a été convenu",
            "en": "so that others know what was agreed",
        },
        {"fr": "{days} jours après la dernière nuit", "en": "{days} days after the last night"},
        (Place("Sites", "", "g|", "decided_note"),),
    ),
    Kept(
        "message",
        {
            "fr": "Les messages des plateformes tels qu’ils arrivent",
            "en": "The platforms’ messages as they come",
        },
        {
            "fr": "pour ne perdre aucune réservation si le moteur s’arrête, et rejouer ce qui n’a pu être traité",
            "en": "to lose no booking when the engine stops, and to replay those nobody could process",
        },
        {
            "fr": "quelques secondes\u202f; {days} jours quand personne n’a pu les traiter",
            "en": "some seconds; {days} days where nobody could process them",
        },
        (
            Place("Inbox", "~quarantine", "", "*"),
            Place("Inbox", "~replayed", "", "*"),
            Place("Inbox", "", "", "body"),
        ),
    ),
    Kept(
        "mail",
        {
            "fr": "Les e-mails de confirmation que vous transférez",
            "en": "The confirmation e-mails you forward",
        },
        {
            "fr": "ils disent seulement de regarder un calendrier tout de suite",
            "en": "they only say to look at a calendar now",
        },
        {"fr": "jamais gardés", "en": "never kept"},
    ),
    Kept(
        "people",
        {
            "fr": "Les personnes qui se connectent\u202f: leur identifiant, leur rôle, leur langue, leur adresse",
            "en": "The people who sign in: their identifier, role, language and address",
        },
        {
            "fr": "pour que chacun ne voie que ses logements, et soit prévenu",
            "en": "so that each sees their own homes alone, and is told",
        },
        {
            "fr": "tant qu’elles sont dans le portefeuille",
            "en": "while they stand in the portfolio",
        },
        (
            Place("Accounts", "~people", "", "*"),
            Place("Accounts", "~people", "", KEY),
            Place("Accounts", "~directory", "owner|", "*"),
        ),
    ),
    Kept(
        "choices",
        {
            "fr": "Comment chacun veut être prévenu\u202f: adresse, sujet ntfy, lien Telegram, heures calmes",
            "en": "How each wants to be told: address, ntfy topic, Telegram link, quiet hours",
        },
        {"fr": "pour envoyer les alertes", "en": "to send the notices"},
        {"fr": "jusqu’à ce que la personne les change", "en": "until that person changes them"},
        (Place("Accounts", "~choices", "", "*"), Place("Accounts", "~choices", "", KEY)),
    ),
    Kept(
        "notices",
        {
            "fr": "Les alertes envoyées, sans nom de voyageur, et à qui",
            "en": "The notices sent, without a guest’s name, and to whom",
        },
        {
            "fr": "pour les renvoyer si un canal était en panne, et ne rien dire deux fois",
            "en": "to send them again where a channel was down, and to say nothing twice",
        },
        {
            "fr": "7 jours\u202f; celles d’un résumé jusqu’à l’envoi",
            "en": "7 days; those of a digest until it is sent",
        },
        (
            Place("Accounts", "~told", "", "*"),
            Place("Accounts", "~later", "", "*"),
        ),
    ),
    Kept(
        "who",
        {
            "fr": "Qui a décidé, rejoué, demandé ou choisi quoi",
            "en": "Who decided, replayed, asked for or chose what",
        },
        {"fr": "pour savoir à qui demander", "en": "to know whom to ask"},
        {
            "fr": "400 jours dans le journal, 90 jours pour les demandes de synchronisation",
            "en": "400 days in the record, 90 days for requests to synchronise",
        },
        (
            Place("Sites", "", "g|", "*"),
            Place("Sites", "", "q|", "*"),
            Place("Runs", "", "", "*"),
            Place("Inbox", "~replayed", "", "by"),
        ),
    ),
    Kept(
        "log",
        {"fr": "Le journal technique", "en": "The technical log"},
        {"fr": "pour comprendre une panne", "en": "to understand a failure"},
        {
            "fr": "sans nom, sans adresse, sans secret\u202f; sa durée est celle de votre hébergement",
            "en": "no name, no address, no secret; how long is your hosting’s to say",
        },
    ),
    Kept(
        "never",
        {
            "fr": "Nom de famille entier, téléphone, adresse, e-mail et paiement du voyageur",
            "en": "A guest’s whole family name, telephone, address, e-mail and payment",
        },
        {"fr": "le moteur n’en a pas besoin", "en": "the engine has no need of them"},
        {
            "fr": "jamais gardés, sauf dans un message que personne n’a pu traiter (voir plus haut)",
            "en": "never kept, but in a message nobody could process (see above)",
        },
    ),
)
"""Everything there is."""


def said(text: str, days: int) -> str:
    """A text of the list with the days that hold here."""
    return text.format(days=days)
