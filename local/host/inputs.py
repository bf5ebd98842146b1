"""Inputs and outputs, through the converters of ``azure.functions`` that the Python worker uses.

So a handler meets the same classes here and there. The public ``func.ServiceBusMessage`` is the *output* class
and would show no properties at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.http import HttpRequestConverter, HttpResponseConverter
from azure.functions.meta import Datum
from azure.functions.servicebus import ServiceBusMessageInConverter
from azure.functions.timer import TimerRequestConverter

from shared.messages import wire_id
from shared.ports.bus import Received

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RawRequest:
    """An HTTP request before it becomes the worker's. Header names are in lower case, as ASGI has them."""

    method: str
    url: str
    query: str
    headers: Iterable[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class RawResponse:
    """What goes back over HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def http_request(raw: RawRequest, params: Mapping[str, str]) -> func.HttpRequest:
    """As the Functions host forwards it: repeated header names joined by commas, query
    parameters without a value dropped (INFERRED from the host's gRPC conversion), the body as bytes."""
    query = parse_qsl(raw.query, keep_blank_values=False)
    value = {
        "method": Datum(raw.method, "string"),
        "url": Datum(raw.url, "string"),
        "headers": _joined(raw.headers),
        "query": _joined(query),
        "params": _joined(params.items()),
        "body": Datum(raw.body, "bytes"),
    }
    request: func.HttpRequest = HttpRequestConverter.decode(Datum(value, "http"), trigger_metadata={})
    return request


def http_response(result: object) -> RawResponse:
    """What an HTTP function returned, encoded. Raises ``NotImplementedError`` for anything but an
    ``HttpResponse`` or text; nothing at all is a 204 (REPORTED of the Functions host)."""
    if result is None:
        return RawResponse(204, (), b"")
    datum: Datum = HttpResponseConverter.encode(result, expected_type=None)
    if datum.type == "string":
        return RawResponse(200, (("content-type", "text/plain; charset=utf-8"),), datum.value.encode())
    headers = [(name, text.value) for name, text in datum.value["headers"].items()]
    for cookies in datum.value["cookies"] or ():
        headers += [("set-cookie", morsel.OutputString()) for morsel in cookies.values()]
    return RawResponse(int(datum.value["status_code"].value), tuple(headers), datum.value["body"].value)


def timer_request(last: datetime | None, tick: datetime, past_due: bool) -> func.TimerRequest:
    """A timer's input: the start before this one, the tick that is served, and whether it comes late."""
    began = (last or _NEVER).isoformat()
    status = {"Last": began, "Next": tick.isoformat(), "LastUpdated": began}
    text = json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due})
    request: func.TimerRequest = TimerRequestConverter.decode(Datum(text, "json"), trigger_metadata={})
    return request


def service_bus_message(received: Received) -> func.ServiceBusMessage:
    """A delivery as the worker shows it. ``DeliveryCount`` is 1 the first time; metadata is text or JSON, since the
    worker takes nothing else; ``UserProperties`` is there, since it tells the worker that this is a single one."""
    message = received.message
    metadata = {
        "MessageId": Datum(wire_id(message), "string"),
        "DeliveryCount": Datum(str(received.deliveries), "json"),
        "SequenceNumber": Datum(str(received.sequence), "json"),
        "UserProperties": Datum("{}", "json"),
        "ApplicationProperties": Datum("{}", "json"),
    }
    if message.correlation:
        metadata["CorrelationId"] = Datum(message.correlation, "string")
    body = Datum(received.raw, "bytes")
    return ServiceBusMessageInConverter.decode_single_message(body, trigger_metadata=metadata)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, Datum]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: Datum(",".join(found), "string") for name, found in values.items()}
