"""Airbnb's words for a reservation: the body of webhooks and of the partner API.

Shape: field names of production integrations before the schema of 2024-12-31 (VERIFIED in public code).
"""

from __future__ import annotations

from datetime import datetime

from local.sandbox.asgi import Json
from local.sandbox.stays import Stay

ACCEPTED = "reservation_acceptance_confirmation"
ALTERED = "reservation_alteration_confirmation"
CANCELLED = "reservation_cancellation_confirmation"
REQUESTED = "reservation_requested"
VOIDED = "reservation_request_voided"


def reservation(stay: Stay) -> Json:
    """The ``reservation`` object. A stay on Airbnb has one room; ``listing_id`` is a number as Airbnb sends it."""
    part = stay.parts[0]
    listing = part.listing.partition("/")[2]
    return {
        "cancellation_policy_category": "moderate",
        "confirmation_code": stay.id,
        "start_date": part.dates.check_in.isoformat(),
        "end_date": part.dates.check_out.isoformat(),
        "nights": len(part.dates),
        "listing_id": int(listing) if listing.isdigit() else listing,
        "listing_id_str": listing,
        "host_id": 1000,
        "guest_id": 1000001,
        "guest_first_name": stay.guest.first,
        "guest_last_name": stay.guest.last,
        "guest_email": f"{stay.id.lower()}@guest.airbnb.example",
        "guest_phone_numbers": ["33000000000"],
        "guest_preferred_locale": "fr",
        "guest_details": _guests(),
        "number_of_guests": 2,
        "host_currency": "EUR",
        "status_type": stay.status,
        "thread_id": 1000000001,
        "booked_at": _instant(stay.created_at),
        "created_at": _instant(stay.created_at),
        "updated_at": _instant(stay.updated_at),
    }


def notification(action: str, stay: Stay) -> Json:
    """The body of an asynchronous notification."""
    return {"action": action, "reservation": reservation(stay)}


def make_reservation(stay_id: str, listing: str, start: str, nights: int) -> Json:
    """The body of the synchronous "make reservation" and "can this alteration be accepted" calls."""
    return {
        "confirmation_code": stay_id,
        "guest_id": "1000001",
        "start_date": start,
        "nights": nights,
        "listing_id": int(listing) if listing.isdigit() else listing,
        "listing_id_str": listing,
        "number_of_guests": 2,
        "listing_base_price": 110 * nights,
        "guest_details": _guests(),
    }


def _guests() -> Json:
    return {
        "localized_description": "2 guests",
        "number_of_adults": 2,
        "number_of_children": 0,
        "number_of_infants": 0,
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
