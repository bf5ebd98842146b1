"""What an Airbnb webhook claims: a doorbell, with a hint of what to close until the re-read. Pure."""

from __future__ import annotations

from shared.connectors.airbnb_fields import Body, Text
from shared.connectors.airbnb_reservation import AirbnbReservation
from shared.connectors.base import plain_word
from shared.domain.errors import PayloadRejected
from shared.ports.platforms import Notification

WHOLE_ACCOUNT = "*"
"""In ``Notification.revoked``: not some listings, the account itself."""

MAKE_RESERVATION = "make_reservation"
"""Our name for the synchronous "make reservation" body, which carries no action."""

_REVOKING = frozenset({"listings_unlinked", "authorization_revoked"})

_KNOWN = _REVOKING | {
    MAKE_RESERVATION,
    "listing_approval_status_changed",
    "listing_synchronization_settings_updated",
    "listings_mapped",
    "message_added",
    "payout_notification",
    "reservation_acceptance_confirmation",
    "reservation_alteration_confirmation",
    "reservation_cancellation_confirmation",
    "reservation_request_voided",
    "reservation_requested",
    "test_notification",
}
"""Actions seen in production integrations that are public (VERIFIED there)."""


class _Envelope(Body):
    action: Text = None
    confirmation_code: Text = None
    listing_ids: tuple[Text, ...] = ()


def read_notification(value: object) -> Notification:
    """What a webhook body claims. An action we do not know is still a doorbell where it names a reservation, and a word
    for a person to look at.

    Raises ``PayloadRejected``: no object, no action, or a reservation event that does not say which reservation;
    ignoring that one would leave a sold night open until the nightly pass.
    """
    if not isinstance(value, dict):
        raise PayloadRejected("a notification that is no object")
    listing_ids = value.get("listing_ids")
    envelope = _Envelope.model_validate(
        {**value, "listing_ids": listing_ids if isinstance(listing_ids, list) else []}
    )
    action = envelope.action or (MAKE_RESERVATION if envelope.confirmation_code else "")
    if not (known := plain_word(action)):
        raise PayloadRejected("a notification without a readable action")
    if known in _REVOKING:
        units = tuple(unit for unit in envelope.listing_ids if unit)
        return Notification(known, revoked=units or (WHOLE_ACCOUNT,))
    return _about_reservation(known, value, envelope)


def _about_reservation(action: str, value: dict[str, object], envelope: _Envelope) -> Notification:
    inner = value.get("reservation")
    if not isinstance(inner, dict):
        inner = value if action == MAKE_RESERVATION else {}
    reservation = AirbnbReservation.model_validate({"confirmation_code": envelope.confirmation_code, **inner})
    unknown = () if action in _KNOWN else (action,)
    if reservation.confirmation_code is None and not action.startswith("reservation"):
        return Notification(action, unknown=unknown)
    hint = reservation.hint()
    return Notification(action, reread=(reservation.code(),), hints=(hint,) if hint else (), unknown=unknown)
