"""What is kept of a person, as it is handed out to them: by the API, and as a file from the page."""

from __future__ import annotations

from shared.engine.notices_status import JsonValue
from shared.engine.personal_found import Body, Found, Note, Stay


def as_json(found: Found) -> dict[str, JsonValue]:
    """All of it, to hand out to the person it is about."""
    return {
        "stays": [_stay(one) for one in found.stays],
        "notes": [_note(one) for one in found.notes],
        "record": [{"site": one.site, "version": one.version, **one.words} for one in found.lines],
        "messages": [_body(one) for one in found.bodies],
        "not_looked_through": [*found.unread, *([] if found.everywhere else ["messages"])],
    }


def _stay(one: Stay) -> JsonValue:
    return {
        "site": one.site,
        "homes": list(one.homes),
        "platform": one.platform,
        "account": one.account,
        "reservation": one.reservation,
        "code": one.code or None,
        "nights": [str(dates) for dates in one.nights],
        "status": one.status,
        "guest": one.guest or None,
        "departed": one.departed,
        "name_erased": one.forgotten,
    }


def _note(one: Note) -> JsonValue:
    return {
        "site": one.site,
        "home": one.home,
        "conflict": one.conflict,
        "note": one.text,
        "by": one.by,
        "at": one.at.isoformat(),
    }


def _body(one: Body) -> JsonValue:
    return {
        "id": one.id,
        "source": one.source,
        "at": one.at.isoformat() if one.at else None,
        "reason": one.reason or None,
        "waits": one.waits,
        "text": one.raw.decode("utf-8", "replace"),
    }
