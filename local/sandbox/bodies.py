"""Reading what the control API is asked, and writing what it answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from local.sandbox.asgi import Answer, Call, Handler, Json, as_json
from local.sandbox.config import Platform
from local.sandbox.errors import BadAsk, Closed, SandboxError
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.imports import Pulled
from local.sandbox.stays import Guest, Stay
from shared.domain.dates import StayDates

Asked = Callable[[Call], Awaitable[Answer]]


def read_fault(body: Json) -> Fault:
    """A fault from JSON. Raises ``BadAsk`` naming the field."""
    known = {item.name: item for item in dataclasses.fields(Fault) if item.name != "id"}
    unknown = body.keys() - known.keys()
    if unknown:
        raise BadAsk(f"unknown field {sorted(unknown)[0]!r}")
    kind = text(body, "kind")
    if kind not in list(FaultKind):
        raise BadAsk(f"kind: must be one of {', '.join(FaultKind)}")
    times = body.get("times")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise BadAsk("times: must be a whole number above 0, or nothing")
    return Fault(
        kind=FaultKind(kind),
        platform=text(body, "platform", "*"),
        call=text(body, "call", "*"),
        times=times,
        seconds=number(body, "seconds", 0.0),
        status=int(number(body, "status", 500)),
        retry_after=text(body, "retry_after", "1"),
        after=body.get("after") is True,
        path=text(body, "path", ""),
        night=text(body, "night", ""),
    )


def stay_json(stay: Stay) -> Json:
    """A reservation for tests and screens, without its guest."""
    return {
        "id": stay.id,
        "platform": str(stay.platform),
        "status": stay.status,
        "parts": [
            {
                "part": part.id,
                "listing": part.listing,
                "check_in": part.dates.check_in.isoformat(),
                "check_out": part.dates.check_out.isoformat(),
            }
            for part in stay.parts
        ],
    }


def answering(handler: Asked) -> Handler:
    """The handler with every refusal turned into a JSON error of its own status."""

    async def answering(call: Call) -> Answer:
        try:
            return await handler(call)
        except Closed as closed:
            nights = [night.isoformat() for night in closed.nights]
            return as_json({"error": str(closed), "nights": nights}, closed.status)
        except SandboxError as refused:
            return as_json({"error": str(refused)}, refused.status)

    return answering


def platform_of(call: Call) -> Platform:
    """The platform the path names. Raises ``BadAsk``."""
    name = call.path_args["platform"]
    if name not in list(Platform):
        raise BadAsk(f"platform: must be one of {', '.join(Platform)}")
    return Platform(name)


def text(body: Json, name: str, default: str | None = None) -> str:
    """A text field (a number counts as text). Raises ``BadAsk`` when it is missing and has no default."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadAsk(f"{name}: is missing or not text")
    return str(value)


def number(body: Json, name: str, default: float) -> float:
    """A number that is not negative. Raises ``BadAsk``."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadAsk(f"{name}: must be a number, not negative")
    return float(value)


def objects(body: Json, name: str) -> list[Json]:
    """A list of objects, empty when it is missing. Raises ``BadAsk``."""
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadAsk(f"{name}: must be a list of objects")
    return value


def guest(body: Json) -> Guest | None:
    """The guest who was named, or None."""
    name = text(body, "guest", "")
    first, _, last = name.partition(" ")
    return Guest(first, last) if name else None


def dates(body: Json, kept: StayDates | None = None) -> StayDates:
    """The nights asked for; what is not named stays as it was in ``kept``."""
    start = day(body["check_in"], "check_in") if "check_in" in body or kept is None else kept.check_in
    if "nights" in body:
        end = start + timedelta(days=int(number(body, "nights", 1)))
    elif "check_out" in body or kept is None:
        end = day(body.get("check_out"), "check_out")
    else:
        end = start + timedelta(days=len(kept)) if "check_in" in body else kept.check_out
    try:
        return StayDates(start, end)
    except ValueError as bad:
        raise BadAsk(str(bad)) from bad


def day(value: object, name: str) -> date:
    """A day. Raises ``BadAsk``."""
    try:
        return date.fromisoformat(str(value))
    except ValueError as bad:
        raise BadAsk(f"{name}: must be a date written YYYY-MM-DD") from bad


def pulled_json(result: Pulled | None) -> Json | None:
    """The last read of a link, or None before the first."""
    if result is None:
        return None
    data = dataclasses.asdict(result)
    return {name: value if isinstance(value, str | int) else str(value) for name, value in data.items()}
