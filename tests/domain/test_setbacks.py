"""What went wrong with a platform is said to a host, in both languages; what nobody foresaw is told as it stands."""

from __future__ import annotations

import pytest

from shared.domain.setbacks import is_known, said

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("www.airbnb.fr/… answered 404: the link is dead or wrong", "le lien est refusé"),
        ("its link is refused: give a new one", "le lien est refusé"),
        ("www.airbnb.fr/… answered 429", "www.airbnb.fr/… demande d’attendre"),
        ("ical.booking.com/… answered 502", "ical.booking.com/… est en panne (code 502)"),
        (
            "x.example/… answered 200 with something that is not a calendar",
            "le lien ne mène pas à un calendrier",
        ),
        ("x.example/… answered 200 with a calendar that is torn off", "le calendrier reçu était coupé"),
        ("x.example: no complete answer within 10 s", "x.example ne répond pas à temps"),
        ("x.example: its name was not found", "x.example est introuvable"),
        ("x.example: the TLS handshake failed", "la connexion sécurisée avec x.example a échoué"),
        ("x.example: no connection could be made", "la connexion avec x.example a échoué"),
        ("booking-1: the circuit for read is open: nothing was sent", "après plusieurs échecs"),
        ("booking: account b may call again in 12 s", "le nombre d’appels permis est épuisé"),
        ("Booking.com: reservation queue: HTTP 401 (RUID 1)", "nos identifiants sont refusés"),
        ("Booking.com: reservation queue: HTTP 429", "elle demande d’attendre"),
        ("Airbnb: reservation list: HTTP 503", "elle est en panne (code 503)"),
        ("booking: no answer", "elle ne répond pas"),
        ("booking: no answer within 9.0 s", "elle ne répond pas"),
        ("Booking.com: reservation queue: HTTP 400", "elle refuse notre demande (code 400)"),
        ("x.example/… answered 302", "x.example/… ne donne pas de calendrier (code 302)"),
        ("127.0.0.1 is not a public address", "l’adresse de ce lien n’est pas permise"),
        ("the address has no readable host name", "l’adresse de ce lien n’est pas permise"),
        ("none of its 3 events has a date that can be read", "ce calendrier ne peut pas être lu"),
        ("it holds 5000 events from today on, at most 2000 are taken", "le calendrier est bien trop grand"),
        ("authorization_revoked", "la plateforme nous a retiré l’accès"),
        ("3 failures in a row", "3 échecs de suite"),
        (
            "Channex: availability write: a.example:443: the connection was closed without an answer; then more",
            "la connexion avec a.example:443 a échoué",
        ),
        ("unable to process (code 450)", "elle n’y est pas arrivée (code 450)"),
        ("unknown room (code 402)", "elle ne connaît pas ce logement"),
        ("refused", "elle l’a refusé"),
        ("chosen by its owner", "choisi à la main"),
    ],
)
def test_a_known_setback_has_words(text: str, french: str) -> None:
    assert is_known(text)
    found = said(text)
    assert found["fr"].startswith(french)
    assert found["en"] != found["fr"]
    assert "{" not in found["fr"] + found["en"]


def test_every_french_sign_has_its_narrow_space() -> None:
    for text in ("its link is refused", "authorization_revoked", "x answered 502"):
        found = said(text)["fr"]
        for sign in ":;":
            assert f" {sign}" not in found
            assert found.count(sign) == found.count(NARROW + sign)


def test_of_several_the_first_is_told() -> None:
    assert said("booking: no answer; airbnb: HTTP 429")["fr"].startswith("elle ne répond pas")


def test_what_nobody_foresaw_is_told_as_it_stands() -> None:
    assert not is_known("the moon fell down")
    assert said("the moon fell down") == {"fr": "the moon fell down", "en": "the moon fell down"}
    assert said("") == {"fr": "", "en": ""}
