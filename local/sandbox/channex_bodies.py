"""How Channex writes its resources, lists and errors (shapes: docs.channex.io, VERIFIED)."""

from __future__ import annotations

from collections.abc import Sequence

from local.sandbox.asgi import Answer, Call, Json, as_json
from local.sandbox.channex_feed import Revision, Webhook
from local.sandbox.errors import BadAsk

MOST_PAGE = 100


def error(status: int, code: str, title: str, **details: object) -> Answer:
    """An error answer."""
    return as_json(
        {"errors": {"code": code, "title": title} | ({"details": details} if details else {})}, status
    )


def resource(revision: Revision, kind: str) -> Json:
    """A revision, or the booking it made, as JSON."""
    stay = revision.stay
    name = revision.id if kind == "booking_revision" else stay.id
    beside = (
        {"booking_id": stay.id, "system_id": revision.id}
        if name == revision.id
        else {"revision_id": revision.id}
    )
    attributes: Json = {
        "id": name,
        "property_id": revision.property_id,
        **beside,
        "unique_id": f"BDC-{stay.id[:8]}",
        "ota_reservation_code": stay.id[:8],
        "ota_name": "Booking.com",
        "status": revision.status,
        "rooms": [
            {
                "checkin_date": part.dates.check_in.isoformat(),
                "checkout_date": part.dates.check_out.isoformat(),
                "room_type_id": None if revision.unmapped else part.listing.partition("/")[2],
                "rate_plan_id": None,
                "amount": f"{100 * len(part.dates)}.00",
                "days": {night.isoformat(): "100.00" for night in part.dates.nights()},
                "occupancy": {"adults": 2, "children": 0, "infants": 0},
            }
            for part in stay.parts
        ],
        "customer": {"name": stay.guest.first, "surname": stay.guest.last, "country": "FR"},
        "arrival_date": min(part.dates.check_in for part in stay.parts).isoformat(),
        "departure_date": max(part.dates.check_out for part in stay.parts).isoformat(),
        "amount": "100.00",
        "currency": "EUR",
        "notes": None,
        "inserted_at": f"{revision.inserted_at:%Y-%m-%dT%H:%M:%S.%f}",
    }
    return {"type": kind, "id": name, "attributes": attributes}


def page(call: Call, items: Sequence[Json]) -> Answer:
    """A page of a list: ten unless asked, a hundred at most."""
    number, limit = (
        call.query.get(f"pagination[{name}]", default) for name, default in (("page", "1"), ("limit", "10"))
    )
    if not number.isdecimal() or not limit.isdecimal() or int(number) < 1:
        raise BadAsk("pagination must be whole numbers above 0")
    most = min(int(limit), MOST_PAGE)
    start = (int(number) - 1) * most
    meta = {"page": int(number), "limit": most, "total": len(items)}
    return as_json({"data": items[start : start + most], "meta": meta})


def webhook_resource(one: Webhook) -> Json:
    """A webhook as JSON."""
    attributes = {
        "id": one.id,
        "callback_url": one.callback_url,
        "event_mask": one.event_mask,
        "headers": dict(one.headers),
        "request_params": {},
        "is_active": one.is_active,
        "send_data": one.send_data,
    }
    house = {"data": {"type": "property", "id": one.property_id}}
    return {"type": "webhook", "id": one.id, "attributes": attributes, "relationships": {"property": house}}
