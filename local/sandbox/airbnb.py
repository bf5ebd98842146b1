"""Airbnb's partner API: reservations, calendar writes, calendar read-back.

Paths, headers, limits and the write's body: VERIFIED in public partner code. Reply objects other than the
reservation's fields, and the form of an error, are INFERRED.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from local.sandbox.airbnb_payloads import reservation
from local.sandbox.asgi import Answer, Call, Handler, Router, as_json
from local.sandbox.config import Listing, Platform
from local.sandbox.errors import BadAsk
from local.sandbox.faults import FaultKind
from local.sandbox.stays import NightState, Stay
from local.sandbox.truth import Truth
from local.sandbox.world import World

MOST_DATES = 731
"""Dates a calendar write may name in all its operations together (VERIFIED in public partner code)."""


def error(status: int, kind: str, message: str, **headers: str) -> Answer:
    """An error answer (form INFERRED)."""
    return as_json(
        {"error_code": status, "error_type": kind, "error_message": message, "error_details": [message]},
        status,
        **headers,
    )


class AirbnbApi:
    """The handlers; each runs only after the headers were checked."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self, router: Router) -> None:
        """Add the API's routes."""
        add = router.add
        add("GET", "/v2/reservations/{code}", "airbnb", "reservation", self._guarded(self.reservation))
        add("GET", "/v2/reservations", "airbnb", "reservations", self._guarded(self.reservations))
        add(
            "GET",
            "/v2/calendars/{listing}/{start}/{end}",
            "airbnb",
            "calendar_read",
            self._guarded(self.read),
        )
        for path, handler in (
            ("/v2/calendar_operations_requests", self.write_batch),
            ("/v2/calendar_operations", self.write),
        ):
            for slash in ("", "/"):
                add("POST", path + slash, "airbnb", "calendar_write", self._guarded(handler))

    async def reservation(self, call: Call) -> Answer:
        """One reservation by its code, cancelled or not."""
        stay = self.world.truth.stays.get(call.path_args["code"])
        if stay is None or not self._visible(call, stay):
            return error(404, "not_found", "no such reservation")
        return as_json({"reservation": reservation(stay)})

    async def reservations(self, call: Call) -> Answer:
        """A listing's reservations by code, a page at a time; live ones alone unless ``all_status`` is asked for."""
        listing = self._listing(call, call.query.get("listing_id", ""))
        if listing is None:
            return error(404, "not_found", "unknown listing")
        limit, offset = _count(call.query, "_limit", 50), _count(call.query, "_offset", 0)
        everything = call.query.get("all_status", "false") not in ("", "false", "0")
        found = sorted(
            (
                stay
                for stay in self.world.truth.stays.values()
                if stay.parts[0].listing == listing.key and (everything or stay.status == "accept")
            ),
            key=lambda stay: (stay.created_at, stay.id),
        )
        page = [reservation(stay) for stay in found[offset : offset + limit]]
        return as_json({"reservations": page, "metadata": {"record_count": len(found)}})

    async def read(self, call: Call) -> Answer:
        """The calendar between two days, both inclusive: real code asks for one night as the same date twice."""
        listing = self._listing(call, call.path_args["listing"])
        start, end = _day(call.path_args["start"]), _day(call.path_args["end"])
        if listing is None:
            return error(404, "not_found", "unknown listing")
        if end < start or (end - start).days >= MOST_DATES:
            return error(400, "invalid_request", "the range is reversed or too long")
        days = [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
        call.note = listing.id
        return as_json(
            {
                "calendar": {
                    "listing_id": listing.id,
                    "days": [_day_json(self.world.truth, listing, d) for d in days],
                }
            }
        )

    async def write(self, call: Call) -> Answer:
        """Open or close nights, answered with the operation (the older call)."""
        answer = self._write(call)
        return answer or as_json({"calendar_operation": {"listing_id": call.note, "status": "success"}})

    async def write_batch(self, call: Call) -> Answer:
        """Open or close nights, answered with ``success`` alone."""
        return self._write(call) or as_json({"success": True})

    def _write(self, call: Call) -> Answer | None:
        """Do the write; an answer only when it is refused, and then nothing was done."""
        body = call.json()
        listing = self._listing(call, str(body.get("listing_id", "")))
        if listing is None:
            return error(404, "not_found", "unknown listing")
        call.note = listing.id
        if FaultKind.REFUSE in call.flags:
            return as_json({"success": False, "error_details": ["refused by the sandbox"]})
        operations = read_operations(body.get("operations"))
        if FaultKind.IGNORE not in call.flags:
            for operation in operations:
                for night in operation.nights:
                    self.world.truth.partner_sets(listing.key, night, operation.is_open)
        return None

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(call: Call) -> Answer:
            settings = self.world.config.airbnb
            if call.headers.get("x-airbnb-api-key") != settings.api_key:
                return error(401, "authentication_required", "the API key is not valid")
            if self._account(call) is None:
                return error(401, "authentication_required", "the access token is not valid")
            wait = self._must_wait() if call.path.startswith("/v2/calendar_operations") else 0
            if wait:
                return error(429, "rate_limit", "too many requests", Retry_After=str(wait))
            try:
                return await handler(call)
            except BadAsk as bad:
                return error(400, "invalid_request", str(bad))

        return guarded

    def _must_wait(self) -> int:
        """Seconds to wait before the next calendar write; 0 when it may go ahead (and is counted)."""
        limit, now = self.world.config.airbnb.writes_per_minute, self.world.clock.now().timestamp()
        recent = [at for at in self.world.calendar_writes if at > now - 60]
        if limit and len(recent) >= limit:
            return math.ceil(recent[0] + 60 - now)
        self.world.calendar_writes = [*recent, now]
        return 0

    def _account(self, call: Call) -> str | None:
        token = call.headers.get("x-airbnb-oauth-token", "")
        tokens = self.world.config.airbnb.tokens
        return next((account for account, known in tokens.items() if known == token), None)

    def _listing(self, call: Call, listing_id: str) -> Listing | None:
        calendar = self.world.truth.calendars.get(f"{Platform.AIRBNB}/{listing_id}")
        listing = calendar.listing if calendar else None
        return listing if listing and listing.api and listing.account == self._account(call) else None

    def _visible(self, call: Call, stay: Stay) -> bool:
        return self._listing(call, stay.parts[0].listing.partition("/")[2]) is not None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a calendar write: nights to open or to close."""

    nights: tuple[date, ...]
    is_open: bool


def read_operations(data: object) -> list[Operation]:
    """The operations of a calendar write. Raises ``BadAsk`` when one cannot be taken: then none is."""
    if not isinstance(data, list) or not data:
        raise BadAsk("operations must be a list with something in it")
    operations = [_operation(item) for item in data]
    if sum(len(operation.nights) for operation in operations) > MOST_DATES:
        raise BadAsk(f"more than {MOST_DATES} dates in one call")
    return operations


def _operation(data: object) -> Operation:
    if not isinstance(data, dict) or not isinstance(data.get("dates"), list) or not data["dates"]:
        raise BadAsk("an operation needs a list of dates")
    if data.get("availability") not in ("available", "unavailable"):
        raise BadAsk("availability must be available or unavailable")
    count = data.get("available_count", 0)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise BadAsk("available_count must be a whole number")
    return Operation(tuple(map(_single, data["dates"])), data["availability"] == "available")


def _single(value: object) -> date:
    # Airbnb takes "a:b" too, but nobody could say whether b is in it: whoever sends one has to be told.
    if isinstance(value, str) and ":" in value:
        raise BadAsk("ranges of dates are not taken here: list the dates one by one")
    return _day(value)


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as bad:
        raise BadAsk("a date is not written YYYY-MM-DD") from bad


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.isdigit():
        raise BadAsk(f"{name} must be a whole number")
    return int(value)


def _day_json(truth: Truth, listing: Listing, night: date) -> dict[str, object]:
    """One day of the read-back; a sold one names its reservation, any other closure its kind."""
    found = truth.night(listing.key, night)
    day: dict[str, object] = {"date": night.isoformat(), "availability": "available"}
    if found.state is not NightState.OPEN:
        day["availability"] = "unavailable"
    if found.state is NightState.SOLD:
        day["reservation"] = {"confirmation_code": found.by[0]}
        day["busy_subtype"] = "RESERVATION"
    elif found.state is not NightState.OPEN:
        outside = found.state in (NightState.PARTNER, NightState.IMPORTED)
        day["busy_subtype"] = "OUTSIDE_RESERVATION" if outside else "BLOCKED_BY_HOST"
    return day
