"""How Airbnb asks before it sells, in the village: over the very address and in the very words it would use."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.domain.dates import StayDates
from shared.engine.operations import Operations
from shared.use_cases import HttpAnswer, WebhookCall
from tests.engine.village import HOME, Village

UNIT = "unit-airbnb"
LISTING = f"{HOME}-airbnb"


async def call(
    engine: Operations, method: str, path: str = "", query: Mapping[str, str] | None = None, body: bytes = b""
) -> HttpAnswer:
    """One call of Airbnb's."""
    return await engine.receive_webhook(WebhookCall("airbnb", "secret", path, method, {}, query or {}, body))


async def asks(engine: Operations, dates: StayDates, unit: str = UNIT) -> bool:
    """Whether the nights may be sold."""
    query = {
        "action": "check_availability",
        "listing_id": unit,
        "start_date": dates.check_in.isoformat(),
        "nights": str(len(dates)),
    }
    answer = await call(engine, "GET", "", query)
    assert answer.status == 200
    return yes(answer, "available")


async def makes(engine: Operations, code: str, dates: StayDates, unit: str = UNIT) -> bool:
    """Whether the reservation may be made."""
    return yes(await call(engine, "POST", "", body=reservation(code, dates, unit)), "succeed")


async def alters(engine: Operations, code: str, dates: StayDates, unit: str = UNIT) -> bool:
    """Whether the reservation may move."""
    return yes(await call(engine, "PUT", code, body=reservation(code, dates, unit)), "succeed")


def reservation(code: str, dates: StayDates, unit: str = UNIT) -> bytes:
    body = {
        "confirmation_code": code,
        "guest_id": "1000001",
        "start_date": dates.check_in.isoformat(),
        "nights": len(dates),
        "listing_id": unit,
        "listing_id_str": unit,
        "number_of_guests": 2,
    }
    return json.dumps(body).encode()


def yes(answer: HttpAnswer, name: str) -> bool:
    """What an answer says. Anything but a plain yes must be a plain no."""
    said = json.loads(answer.body)
    assert said in ({name: True}, {name: False, "failure_code": None}), said
    return bool(said[name])


async def look(village: Village) -> None:
    """Every source has just been read."""
    await village.poll_booking()
    await village.poll_greengo()
