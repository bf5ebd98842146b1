"""What Airbnb's calendar bodies mean: days read, and answers to writes. Pure; shapes INFERRED unless tagged."""

from __future__ import annotations

from datetime import date

from pydantic import AliasChoices, Field

from shared.connectors.airbnb_fields import Body, Flag, Text, as_text, read_count
from shared.connectors.base import plain_word
from shared.connectors.stay_limits import read_day
from shared.domain.errors import PayloadRejected


class _Day(Body):
    day: Text = Field(None, validation_alias="date")
    availability: Text = None
    available: Flag = None
    available_count: Text = None

    def level(self) -> int | None:
        """Units for sale, None where the words are not known: then the night counts as unknown."""
        word = (self.availability or "").lower()
        if self.available is False or word.startswith("unavailable"):
            return 0
        if self.available or word == "available":
            return read_count(self.available_count) or 1
        return None


def read_days(value: object) -> dict[date, int]:
    """Units for sale by night, of every day the answer names and whose words we know.

    The list stands under ``days``, alone or inside ``calendar`` (INFERRED). Raises ``PayloadRejected`` without one.
    """
    calendar = value.get("calendar", value) if isinstance(value, dict) else None
    days = calendar.get("days") if isinstance(calendar, dict) else None
    if not isinstance(days, list):
        raise PayloadRejected("a calendar without a list of days")
    found: dict[date, int] = {}
    for item in days:
        day = _Day.model_validate(item if isinstance(item, dict) else {})
        night, level = read_day(day.day), day.level()
        if night is not None and level is not None:
            found[night] = level
    return found


class _ErrorDetail(Body):
    day: Text = Field(None, validation_alias="date")
    days: object = Field(None, validation_alias="dates")
    code: Text = Field(
        None,
        validation_alias=AliasChoices("error_code", "code", "error_type", "type", "error_reason", "reason"),
    )

    def nights(self) -> set[date]:
        named = self.days if isinstance(self.days, list) else [self.days]
        days = (read_day(as_text(one)) for one in (self.day, *named))
        return {day for day in days if day}


class _WriteReply(Body):
    success: Flag = None
    id: Text = None
    calendar_operation: object = None
    error_code: Text = Field(None, validation_alias=AliasChoices("error_code", "error_type", "error"))
    error_details: object = None

    def details(self) -> list[_ErrorDetail]:
        listed = self.error_details if isinstance(self.error_details, list) else []
        return [_ErrorDetail.model_validate(item if isinstance(item, dict) else {}) for item in listed]


def read_refusals(value: object, asked: frozenset[date]) -> dict[date, str]:
    """The nights of a write that its answer refuses, with the platform's code.

    ``success`` true accepts (VERIFIED), and so do, without it, an ``id`` alone (API version 2023.06.30) and a
    ``calendar_operation``. ``error_details`` (API version 2024.06.30) refuse the nights they name, or all where they
    name none (placement INFERRED). Raises ``PayloadRejected`` for a body that says neither yes nor no.
    """
    if not isinstance(value, dict):
        raise PayloadRejected("an answer that is no object")
    reply = _WriteReply.model_validate(value)
    details = reply.details()
    general = plain_word(reply.error_code or "") or "refused"
    if reply.success is False or (reply.error_code and reply.success is None):
        return dict.fromkeys(asked, general) | _named(details, asked)
    if details:
        return _named(details, asked) or dict.fromkeys(asked, general)
    if reply.success or reply.id or reply.calendar_operation is not None:
        return {}
    raise PayloadRejected("an answer that says neither yes nor no")


def _named(details: list[_ErrorDetail], asked: frozenset[date]) -> dict[date, str]:
    return {
        night: plain_word(detail.code or "") or "refused"
        for detail in details
        for night in detail.nights() & asked
    }
