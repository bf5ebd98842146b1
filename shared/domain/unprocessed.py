"""Unprocessed: why nobody could process a message, said to whoever looks after the engine, and what to do about it. One
that nobody foresaw is told as it stands."""

from __future__ import annotations

from shared.domain import setbacks
from shared.domain.phrases import Phrases
from shared.domain.spoken import LANGUAGES, Said

_KNOWN = Phrases(
    (
        (
            r"queue message\b.*",
            "ce message est abîmé, ou n’est pas de nous ; les passages suivants font son travail",
            "this message is damaged, or none of ours; the next passes do its work",
        ),
        (
            r"no .* in this release",
            "une version plus récente l’a écrit : mettez à jour, puis réessayez",
            "a newer release wrote it: update, then try again",
        ),
        (
            r"the unit (?P<unit>\S+) is not in the portfolio "
            r"\(reservation (?P<stay>[^,)]+)(?:, nights(?P<nights> .*))?\)",
            "« {unit} » n’est relié à aucun logement ici (réservation {stay}{nights}) : ajoutez-le, puis "
            "réessayez. D’ici là, ses nuits ne sont fermées nulle part ailleurs",
            "“{unit}” belongs to no home here (reservation {stay}{nights}): add it, then try again. Until then its "
            "nights are closed nowhere else",
        ),
        (
            r"the platform names no room of (?P<house>\S+) "
            r"\(reservation (?P<stay>[^,)]+)(?:, nights(?P<nights> .*))?\)",
            "la plateforme ne dit pas quelle chambre de « {house} » c’est (réservation {stay}{nights}) : reliez-y la "
            "chambre, puis réessayez. D’ici là, ses nuits sont fermées là où ce séjour était connu, ou s’il n’y a "
            "qu’une chambre, et nulle part ailleurs",
            "the platform does not say which room of “{house}” it is (reservation {stay}{nights}): map the room there, "
            "then try again. Until then its nights are closed where this stay was known, or where there is one room "
            "only, and nowhere else",
        ),
        (
            r"the platform knows no reservation (?P<reservation>.*)",
            "la plateforme ne connaît pas la réservation {reservation} : ce que son appel faisait fermer est rendu",
            "the platform knows no reservation {reservation}: what its call had us close is given back",
        ),
        (
            r"MaxDeliveryCountExceeded",
            "essayé trop souvent sans succès : réessayez quand la cause a disparu",
            "tried too often without success: try again once the cause is gone",
        ),
        (
            r"TTLExpiredException",
            "il a attendu trop longtemps",
            "it waited too long",
        ),
        (
            r"\w+ in \w+: no (?:complete )?answer.*",
            "le stockage ne répondait pas : réessayez",
            "the storage did not answer: try again",
        ),
        (
            r".*others (?:were first|keep changing|kept).*|.* kept changing",
            "d’autres changements passaient sans cesse avant : réessayez",
            "other changes kept coming first: try again",
        ),
        (
            r"(?P<source>\S+) is connected no longer",
            "{source} n’est plus connecté",
            "{source} is connected no longer",
        ),
        (
            r"what it held was erased: .*",
            "ce qu’il contenait a été effacé : il nommait un voyageur, ou était gardé depuis assez longtemps",
            "what it held was erased: it named a guest, or was kept long enough",
        ),
        (
            r"this row cannot be read",
            "cette ligne ne se lit pas : elle est abîmée, ou vient d’une version plus récente",
            "this row cannot be read: it is damaged, or a newer release wrote it",
        ),
        (
            r"it was too large to be kept whole",
            "il était trop grand pour être gardé en entier",
            "it was too large to be kept whole",
        ),
    )
)

_UNREADABLE = Phrases(
    (
        (
            r".*\b(?:JSON|XML)\b.*"
            r"|(?:.*: )?(?:an? (?:answer|booking|calendar|notification|reservation|revision|room)\b.*"
            r"|(?:booking|reservation) \S+ (?:without|whose) .*|no readable .*|no object|neither a room .*)",
            "la plateforme a envoyé quelque chose que nous ne savons pas lire : vérifiez ses nuits à la main",
            "the platform sent something that we cannot read: look after its nights by hand",
        ),
    )
)
"""What the connectors say of calls and answers that cannot be read."""


def said(reason: str) -> Said:
    """What a stored reason means, as a clause without a full stop. Empty for none."""
    known = _KNOWN.said(reason)
    if known is None and setbacks.is_known(reason):
        known = setbacks.said(reason)
    return known or _UNREADABLE.said(reason) or dict.fromkeys(LANGUAGES, reason)
