"""Why nobody could process a message is said in both languages; what nobody foresaw is told as it stands."""

from __future__ import annotations

import pytest

from shared.domain.errors import PayloadRejected
from shared.domain.unprocessed import said
from shared.messages import MOST_BODY, decode

NARROW = "\u202f"


@pytest.mark.parametrize("body", [b"\xff", b"[]", b"{}", b'{"kind": 1}', b"x" * (MOST_BODY + 1)])
def test_what_no_queue_message_of_ours_is_has_words(body: bytes) -> None:
    with pytest.raises(PayloadRejected) as wrong:
        decode(body)
    assert said(str(wrong.value))["fr"].startswith("ce message est abîmé")


@pytest.mark.parametrize(
    ("reason", "french"),
    [
        ("no work is called 'dance' in this release", "une version plus récente l’a écrit"),
        ("no 'dance' is told in this release", "une version plus récente l’a écrit"),
        (
            "the unit b1:7 is not in the portfolio (reservation HM1, nights 2027-07-10/2027-07-13)",
            f"«{NARROW}b1:7{NARROW}» n’est relié à aucun logement ici (réservation HM1 2027-07-10/2027-07-13)",
        ),
        (
            "the platform names no room of p1 (reservation B1, nights x)",
            "la plateforme ne dit pas quelle chambre",
        ),
        ("the unit 9 is not in the portfolio (reservation HM1)", f"«{NARROW}9{NARROW}» n’est relié"),
        ("the platform knows no reservation HM1", "la plateforme ne connaît pas la réservation HM1"),
        ("MaxDeliveryCountExceeded", "essayé trop souvent"),
        ("query in Sites: no answer within 9 s", "le stockage ne répondait pas"),
        ("site gite: others were first 8 times", "d’autres changements"),
        ("Airbnb: notification: not JSON: Expecting value at character 0", "la plateforme a envoyé"),
        ("Channex: notification: a notification without a readable event", "la plateforme a envoyé"),
        ("reservation HM1 without readable nights", "la plateforme a envoyé"),
        ("no readable reservation id", "la plateforme a envoyé"),
        ("Booking.com: reservation queue: HTTP 503", "elle est en panne (code 503)"),
        ("nowhere is connected no longer", "nowhere n’est plus connecté"),
    ],
)
def test_a_known_reason_has_words(reason: str, french: str) -> None:
    found = said(reason)
    assert found["fr"].startswith(french)
    assert found["en"] not in (found["fr"], "")
    assert "{" not in found["fr"] + found["en"]
    assert not any(f" {sign}" in found["fr"] for sign in ":;»")


def test_what_nobody_foresaw_is_told_as_it_stands() -> None:
    assert said("the moon is full") == {"fr": "the moon is full", "en": "the moon is full"}
