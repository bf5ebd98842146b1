"""What a platform does to a host who takes a confirmed stay away from a guest. As far as it is written somewhere; what
is not known is said to be unknown. Sums of money are left out: they change, and the platform shows them itself."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.platform import AIRBNB, BOOKING, Platform

_CANCEL: Mapping[Platform, Mapping[str, str]] = {
    # VERIFIED on an older copy of airbnb.com/help/article/990: a fee is taken from the next payout, more of it the
    # nearer the arrival; the nights may be blocked; a public note; three in a year may suspend the listing; Superhost
    # at risk.
    AIRBNB: {
        "fr": "Airbnb rembourse le voyageur, retient des frais sur votre prochain versement (plus élevés quand "
        "l’arrivée est proche), peut bloquer ces nuits et l’indique publiquement sur l’annonce\u202f; "
        "le statut Superhost est en jeu",
        "en": "Airbnb refunds the guest, keeps a fee from your next payout (higher when the arrival is near), may "
        "block these nights and says so publicly on the listing; Superhost status is at stake",
    },
    # VERIFIED: partner.booking.com, "What should I do if I have an overbooking?" and "Will I pay commission for
    # double-bookings?". A host was charged 200 pounds for one (REPORTED, partner community).
    BOOKING: {
        "fr": "Booking.com attend que vous relogiez le voyageur à un niveau égal ou supérieur, à vos frais (différence "
        "de prix, transport)\u202f; à moins de 24 h de l’arrivée, dans les 30 minutes\u202f; la "
        "commission reste due en général",
        "en": "Booking.com expects you to rehouse the guest at the same level or better at your cost (price "
        "difference, transport), within 30 minutes when the arrival is less than 24 h away; commission usually remains "
        "due",
    },
}

_UNKNOWN = {
    "fr": "les conséquences chez {platform} ne nous sont pas connues\u202f: voyez ses conditions avant de cliquer",
    "en": "what {platform} does then is not known to us: read its terms before you click",
}

_DECLINE: Mapping[Platform, Mapping[str, str]] = {
    # INFERRED: hosts report that declined requests lower the acceptance rate Airbnb shows them; no fee was found.
    AIRBNB: {
        "fr": "aucuns frais connus\u202f; le taux d’acceptation affiché par Airbnb peut baisser",
        "en": "no fee is known; the acceptance rate Airbnb shows may fall",
    },
}

_NO_FEE = {"fr": "aucuns frais connus", "en": "no fee is known"}


def of_cancelling(platform: Platform, name: str) -> dict[str, str]:
    """What cancelling a confirmed stay costs there, in French and English; ``name`` is how people call the platform."""
    return {
        language: text.format(platform=name) for language, text in _CANCEL.get(platform, _UNKNOWN).items()
    }


def of_declining(platform: Platform) -> dict[str, str]:
    """What refusing a request costs there."""
    return dict(_DECLINE.get(platform, _NO_FEE))
