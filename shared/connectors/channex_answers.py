"""What Channex's other bodies mean: availability, answers to writes, pages of a list, webhooks. Pure.

Fields: docs.channex.io, availability and rates, webhook collection, API reference (VERIFIED unless tagged).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from shared.connectors.base import plain_word
from shared.connectors.channex_booking import is_id
from shared.connectors.stay_limits import MOST_NIGHTS, read_day
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected
from shared.ports.platforms import Notification

EVERYWHERE = "*"
"""In ``Notification.poll``: the notification does not say which property it is about."""

SWITCHES = (
    "allow_availability_autoupdate_on_confirmation",
    "allow_availability_autoupdate_on_modification",
    "allow_availability_autoupdate_on_cancellation",
)
"""Settings of a property by which Channex itself keeps its channels in step with what one of them sold. We write what
was sold elsewhere, never what Channex sold: with one of them off, its channels do not follow each other."""

_NO_NEWS = frozenset(
    {"ari", "message", "review", "updated_review", "inquiry", "sync_error", "sync_warning", "rate_error"}
)
"""Events about no booking; ``ari`` comes after each write of ours."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and how many items the whole list has."""

    items: list[object]
    total: int


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """What an answer says of a write: nights it refuses, by reason. ``surely``: it says that something was taken; else
    only the calendar itself can tell."""

    refused: dict[date, str]
    surely: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that is registered there. ``fields`` are its attributes as they are written."""

    id: str
    fields: Mapping[str, object]

    def is_as(self, wanted: Mapping[str, object]) -> bool:
        """Whether it already does what is wanted."""
        return all(
            (self.fields.get(name) or None) == (value or None)
            for name, value in wanted.items()
            if name not in ("property_id", "request_params")
        )


def find_webhook(items: Iterable[object], house: str, url: str) -> Webhook | None:
    """The property's webhook with that address. The list may hold those of others, where its filter is not heeded
    (INFERRED); the property stands under ``relationships`` (VERIFIED)."""
    for item in items:
        inner = item.get("attributes") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(inner, dict) or inner.get("callback_url") != url:
            continue
        beside = item.get("relationships")
        owner = beside.get("property") if isinstance(beside, dict) else None
        data = owner.get("data") if isinstance(owner, dict) else None
        name = item.get("id")
        if isinstance(data, dict) and data.get("id") == house and isinstance(name, str) and is_id(name):
            return Webhook(name, inner)
    return None


def read_taken(value: object, asked: frozenset[date]) -> WriteAnswer:
    """The nights of a write that its answer refuses.

    A refused value stands in ``meta.warnings`` of a 200 with ``message`` "Success" (VERIFIED), whole and with the
    fields that are wrong; taken values make a task in ``data``. A warning that names no night refuses all. An empty
    ``data`` took nothing (INFERRED). Raises ``PayloadRejected`` for a body that says neither yes nor no.
    """
    if not isinstance(value, dict) or "errors" in value:
        raise PayloadRejected(f"refused: {_code(value)}" if isinstance(value, dict) else "no object")
    meta, data = value.get("meta"), value.get("data")
    if not isinstance(meta, dict) and not (isinstance(data, list) and data):
        raise PayloadRejected("an answer that says neither yes nor no")
    warnings = meta.get("warnings") if isinstance(meta, dict) else None
    listed = warnings if isinstance(warnings, list) else [warnings] if warnings else []
    nothing = isinstance(data, list) and not data
    if listed and nothing:
        return WriteAnswer(dict.fromkeys(asked, _reason(listed[0])), surely=True)
    refused: dict[date, str] = {}
    for warning in listed:
        refused |= dict.fromkeys(_nights(warning) & asked or asked, _reason(warning))
    return WriteAnswer(refused, surely=not nothing)


def read_levels(value: object, room_type: str) -> dict[date, int]:
    """Units for sale by night of one room type; a night whose number cannot be read is missing. Raises
    ``PayloadRejected`` for an answer that holds no availability."""
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict):
        raise PayloadRejected("an answer without availability")
    nights = data.get(room_type)
    found = nights.items() if isinstance(nights, dict) else ()
    return {
        night: level
        for day, level in found
        if (night := read_day(str(day)))
        and isinstance(level, int)
        and not isinstance(level, bool)
        and level >= 0
    }


def read_page(value: object) -> Page:
    """A page of a list. Raises ``PayloadRejected`` where the list or its total (``meta.total``) is missing."""
    data = value.get("data") if isinstance(value, dict) else None
    meta = value.get("meta") if isinstance(value, dict) else None
    total = meta.get("total") if isinstance(meta, dict) else None
    if not isinstance(data, list) or not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise PayloadRejected("an answer without a list and its total")
    return Page(data, total)


def read_switches(value: object) -> tuple[str, ...]:
    """The settings of ``SWITCHES`` that a property has turned off; one that is not there is not judged."""
    data = value.get("data") if isinstance(value, dict) else None
    inner = data.get("attributes") if isinstance(data, dict) else None
    settings = inner.get("settings") if isinstance(inner, dict) else None
    return tuple(one for one in SWITCHES if isinstance(settings, dict) and settings.get(one) is False)


def read_notification(value: object) -> Notification:
    """What a webhook body claims: that a property's revision feed has something. Nothing else in it is believed.

    An event we do not know is a doorbell too. Raises ``PayloadRejected``: no object, or no event.
    """
    event = plain_word(value.get("event", "")) if isinstance(value, dict) else ""
    if not isinstance(value, dict) or not event:
        raise PayloadRejected("a notification without a readable event")
    if event in _NO_NEWS:
        return Notification(event)
    inside = value.get("payload")
    places = (value, inside if isinstance(inside, dict) else {})
    named = next((one for place in places if isinstance(one := place.get("property_id"), str) and one), None)
    return Notification(event, poll=(f"{named}:" if named else EVERYWHERE,))


def _nights(warning: object) -> frozenset[date]:
    if not isinstance(warning, dict):
        return frozenset()
    day, first, last = (read_day(str(warning.get(key))) for key in ("date", "date_from", "date_to"))
    if first and last and 0 <= (last - first).days <= MOST_NIGHTS:
        return frozenset(StayDates(first, last + ONE_DAY).nights())
    return frozenset({day} if day else ())


def _reason(warning: object) -> str:
    """The names of the fields that are wrong; the sentences beside them are left out."""
    fields = warning.get("warning") if isinstance(warning, dict) else None
    words = [plain_word(name) for name in fields] if isinstance(fields, Mapping) else []
    return ", ".join(sorted(word for word in words if word)) or "refused"


def _code(value: Mapping[str, object]) -> str:
    errors = value.get("errors")
    return plain_word(errors.get("code", "")) if isinstance(errors, dict) else ""
