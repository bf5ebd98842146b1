"""The page for what nobody expected: it needs neither templates nor styles, which may be what failed."""

from __future__ import annotations

from enum import Enum, auto


class Failure(Enum):
    """What is said of it."""

    PASSES = auto()  # trying again can help
    OURS = auto()  # a fault
    UNSET = auto()  # the settings are refused: nothing runs until somebody mends them


def failure_page(correlation: str, failure: Failure) -> str:
    """Calm words in French and English, and the number that leads to the cause in the log."""
    return _PAGE.format(**_WORDS[failure], correlation=correlation)


_PAGE = """<!doctype html>
<html lang="fr">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sync Engine</title>
<main>
<h1>{fr_title}</h1>
<p>{fr}</p>
<p><a href="/">Revenir à l’accueil</a></p>
<hr>
<section lang="en">
<h2>{en_title}</h2>
<p>{en}</p>
<p><a href="/">Back to the first page</a></p>
</section>
<p><small>{correlation}</small></p>
</main>
</html>
"""
_WORDS = {
    Failure.PASSES: {
        "fr_title": "Un instant, s’il vous plaît",
        "fr": "La page ne peut pas être montrée maintenant. Rien n’est perdu et rien n’a été rouvert : "
        "réessayez dans quelques secondes.",
        "en_title": "One moment, please",
        "en": "The page cannot be shown right now. Nothing is lost and nothing was reopened: "
        "try again in a few seconds.",
    },
    Failure.OURS: {
        "fr_title": "Cette page n’a pas pu être montrée",
        "fr": "C’est notre faute, pas la vôtre. La synchronisation continue. Si cela se répète, donnez le numéro du "
        "bas de cette page à la personne qui gère le moteur : il mène à la cause dans le journal.",
        "en_title": "This page could not be shown",
        "en": "It is our fault, not yours. The synchronisation goes on. If it happens again, give the number at the "
        "bottom of this page to whoever runs the engine: it leads to the cause in the log.",
    },
    Failure.UNSET: {
        "fr_title": "Le moteur attend ses réglages",
        "fr": "Un de ses réglages manque ou est faux\u202f: rien n’est synchronisé tant qu’il n’est pas corrigé. "
        "Rien n’est perdu et rien n’a été rouvert. Donnez le numéro du bas de cette page à la personne qui gère le "
        "moteur\u202f: dans le journal, il mène au nom du réglage.",
        "en_title": "The engine waits for its settings",
        "en": "One of its settings is missing or wrong: nothing is synchronised until it is mended. Nothing is lost "
        "and nothing was reopened. Give the number at the bottom of this page to whoever runs the engine: in the log "
        "it leads to the setting’s name.",
    },
}
