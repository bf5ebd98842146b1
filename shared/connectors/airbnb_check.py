"""Airbnb's questions before a booking: the words of its synchronous check, and of our answers. Pure.

VERIFIED in a production integration of 2019-20, and named as "sync check" in Airbnb's API versioning of 2024-26:
``GET {url}?action=check_availability&listing_id&start_date&nights`` is answered ``{"available": ..}``;
``POST {url}`` (make reservation) and ``PUT {url}/{code}`` (can this alteration be accepted) are answered
``{"succeed": ..}``; always with HTTP 200, and listing 0 is a probe. INFERRED: that the probe wants a yes, that an
alteration has the body of a reservation, that newer schemas rename the body's dates as in notifications.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta

from shared.connectors import strict_json
from shared.connectors.airbnb_reservation import AirbnbReservation, read_reservation
from shared.connectors.stay_limits import bounded_stay, read_day
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected
from shared.ports.platforms import Check, CheckQuestion

MOST_NIGHTS = 366
"""Nights that are promised in one stay: a year (ours; Airbnb names no limit to partners)."""

_PROBE = "0"
_ACTION = "check_availability"
_LONGEST_ID = 64


class AirbnbCheck:
    """Reads the questions and writes the answers."""

    def read(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> CheckQuestion | None:
        """The question in a call, None where the address is none of these. Raises ``PayloadRejected`` naming the part
        that is missing or unreadable, never its content."""
        if method == "GET" and not path:
            return self._asked(query)
        if method == "POST" and not path:
            return self._about(Check.MAKE, _reservation(body), "")
        if method == "PUT" and path and "/" not in path:
            return self._about(Check.ALTER, _reservation(body), path)
        return None

    def reply(self, kind: Check, yes: bool) -> bytes:
        """The body of an answer. No ``failure_code`` is known that says more than "no"."""
        name = "available" if kind is Check.ASK else "succeed"
        return json.dumps({name: True} if yes else {name: False, "failure_code": None}).encode()

    def malformed(self, why: str) -> bytes:
        """The body of an answer to what nobody can read: a no in both forms, whatever the caller looks at."""
        return json.dumps({"available": False, "succeed": False, "failure_code": None, "title": why}).encode()

    def _asked(self, query: Mapping[str, str]) -> CheckQuestion:
        if query.get("action") != _ACTION:
            raise PayloadRejected(f"action is not {_ACTION}")
        unit, nights = query.get("listing_id", "").strip(), query.get("nights", "").strip()
        check_in = read_day(query.get("start_date"))
        if not unit or len(unit) > _LONGEST_ID:
            raise PayloadRejected("listing_id is missing or too long")
        if check_in is None:
            raise PayloadRejected("start_date is not a date written YYYY-MM-DD")
        if not nights.isascii() or not nights.isdigit():
            raise PayloadRejected("nights is not a number")
        return CheckQuestion(Check.ASK, unit, _stay(check_in, nights), probe=unit == _PROBE)

    def _about(self, kind: Check, given: AirbnbReservation, path: str) -> CheckQuestion:
        """A question about a reservation that is named. Its code in the address and in the body must agree."""
        named = given.model_copy(update={"confirmation_code": given.confirmation_code or path or None})
        code = named.code()
        if path and code != path:
            raise PayloadRejected("confirmation_code is not the one in the address")
        if not given.listing_id or len(given.listing_id) > _LONGEST_ID:
            raise PayloadRejected("listing_id is missing or too long")
        if read_day(given.start_date) is None and not given.check_in_datetime:
            raise PayloadRejected("start_date is missing or no date written YYYY-MM-DD")
        dates = given.dates()
        if dates is None or len(dates) > MOST_NIGHTS:
            return CheckQuestion(kind, given.listing_id, None, code)
        stay = named.hint()
        if stay is None:
            raise PayloadRejected("status says that the reservation is over")
        return CheckQuestion(kind, given.listing_id, dates, code, stay, given.listing_id == _PROBE)


def _reservation(body: bytes) -> AirbnbReservation:
    value = strict_json.load(body)
    inner = value.get("reservation") if isinstance(value, dict) else None
    return read_reservation(inner if isinstance(inner, dict) else value)


def _stay(check_in: date, nights: str) -> StayDates | None:
    """The nights, or None where there is none or no guest stays so long."""
    if len(nights) > 4 or int(nights) > MOST_NIGHTS:
        return None
    return bounded_stay(check_in, check_in + timedelta(days=int(nights)))
