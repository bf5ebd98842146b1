"""The two nodes that answer requests: ``$cbs`` (log in) and ``<queue>/$management``.

Operations and field names: Microsoft Learn, "AMQP 1.0 in Azure Service Bus: request/response-based operations";
reply shapes VERIFIED with azure-servicebus 7.15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from local.servicebus.amqp.message import Parcel, answer, parse, timestamp
from local.servicebus.amqp.values import Array, CodecError, Int, Long, Symbol
from local.servicebus.faults import Kind
from local.servicebus.links import rendered
from local.servicebus.queues import Queue
from local.servicebus.stored import Refused

_STATUS = {
    "com.microsoft:message-lock-lost": 410,
    "com.microsoft:message-not-found": 404,
    "amqp:not-found": 404,
}
MOST_PEEKED = 250
"""Messages in one answer to a peek."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: 200, 204 for nothing found, or an error with its AMQP condition."""

    status: int
    body: object = None
    text: str = "OK"
    condition: str = ""


def log_in(request: Parcel) -> bytes:
    """Any token is good: the stand-in has no secrets to guard. The token is not kept or logged."""
    application: dict[object, object] = {"status-code": Int(200), "status-description": "OK"}
    return answer(_correlation(request), application, None)


def manage(queue: Queue, request: Parcel) -> Reply:
    """Do one management operation. Raises ``Refused``."""
    operation = request.text("operation")
    handler = _OPERATIONS.get(operation)
    if handler is None:
        raise Refused("amqp:not-implemented", f"operation {operation!r} is not offered by this stand-in")
    if not isinstance(request.value, dict):
        raise Refused("amqp:decode-error", f"{operation}: the body must be a map")
    return handler(queue, {str(key): value for key, value in request.value.items()})


def fault_kind(request: Parcel) -> Kind | None:
    """Under which faults a management operation falls."""
    kinds: dict[str, Kind] = {
        "com.microsoft:schedule-message": "send",
        "com.microsoft:update-disposition": "settle",
    }
    return kinds.get(request.text("operation"))


def failed(error: Refused) -> Reply:
    """The answer to an operation that was refused."""
    return Reply(_STATUS.get(error.condition, 500), None, str(error), error.condition)


def encoded(request: Parcel, reply: Reply) -> bytes:
    """The reply as it goes back to its request."""
    application: dict[object, object] = {"statusCode": Int(reply.status), "statusDescription": reply.text}
    if reply.condition:
        application["errorCondition"] = Symbol(reply.condition)
    return answer(_correlation(request), application, reply.body)


def _correlation(request: Parcel) -> object:
    return request.properties[0] if request.properties else None


Fields = dict[str, object]


def _renew(queue: Queue, fields: Fields) -> Reply:
    ends = Array(timestamp(queue.renew(token)) for token in _tokens(fields))
    return Reply(200, {"expirations": ends})


def _peek(queue: Queue, fields: Fields) -> Reply:
    start, most = _number(fields, "from-sequence-number"), _number(fields, "message-count")
    found = queue.peek(start, min(most, MOST_PEEKED))
    if not found:
        return Reply(204, text="no messages")
    return Reply(200, {"messages": [{"message": rendered(message, queue)} for message in found]})


def _schedule(queue: Queue, fields: Fields) -> Reply:
    parcels = [_inner(entry) for entry in _items(fields, "messages")]
    for parcel in parcels:
        queue.check(parcel)
    return Reply(200, {"sequence-numbers": Array(Long(queue.send(parcel)) for parcel in parcels)})


def _inner(entry: object) -> Parcel:
    payload = entry.get("message") if isinstance(entry, dict) else None
    if not isinstance(payload, bytes):
        raise Refused("amqp:decode-error", "messages: each entry holds an encoded message")
    try:
        return parse(payload)
    except CodecError as error:
        raise Refused("amqp:decode-error", str(error)) from error


def _cancel(queue: Queue, fields: Fields) -> Reply:
    for sequence in _items(fields, "sequence-numbers"):
        if not isinstance(sequence, int):
            raise Refused("amqp:decode-error", "sequence-numbers: numbers are expected")
        queue.cancel(sequence)
    return Reply(200)


def _settle(queue: Queue, fields: Fields) -> Reply:
    status = fields.get("disposition-status")
    for token in _tokens(fields):
        if status == "completed":
            queue.complete(token)
        elif status == "abandoned":
            queue.abandon(token)
        elif status == "suspended":
            reason, text = fields.get("deadletter-reason"), fields.get("deadletter-description")
            queue.dead_letter(token, str(reason or ""), str(text or ""))
        else:
            raise Refused("amqp:not-implemented", f"disposition {status!r} is not offered by this stand-in")
    return Reply(200)


_OPERATIONS: dict[str, Callable[[Queue, Fields], Reply]] = {
    "com.microsoft:renew-lock": _renew,
    "com.microsoft:peek-message": _peek,
    "com.microsoft:schedule-message": _schedule,
    "com.microsoft:cancel-scheduled-message": _cancel,
    "com.microsoft:update-disposition": _settle,
}


def _items(fields: Fields, key: str) -> list[object]:
    found = fields.get(key)
    if not isinstance(found, list) or not found:
        raise Refused("amqp:decode-error", f"{key}: a list is expected")
    return found


def _tokens(fields: Fields) -> list[UUID]:
    tokens = [token for token in _items(fields, "lock-tokens") if isinstance(token, UUID)]
    if not tokens:
        raise Refused("amqp:decode-error", "lock-tokens: UUIDs are expected")
    return tokens


def _number(fields: Fields, key: str) -> int:
    found = fields.get(key)
    if not isinstance(found, int) or found < 0:
        raise Refused("amqp:decode-error", f"{key}: a number from 0 is expected")
    return found
