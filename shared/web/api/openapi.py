"""The document of the control API (OpenAPI 3.1): made of the table of routes and the models bodies are checked by."""

from __future__ import annotations

import functools
import re
from typing import Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared.domain.access import Right
from shared.routes import ROUTES, Route
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import json_answer
from shared.web.api.checks import model
from shared.web.api.models_base import Problem, TextProblem
from shared.web.desk import Desk

Json = dict[str, object]

VERSION = "1"
"""Of the API: it changes when something a client relies on goes."""

_SHAPE: Literal["validation"] = "validation"
_REFS = "#/components/schemas/{model}"
_ABOUT = (
    "What the console's pages do, as JSON. An object of an owner whose homes are not in your care is answered as one "
    "that never was. Errors are problem documents (RFC 9457). A GET changes nothing."
)
_YAML: Json = {"type": "object", "description": "The portfolio; see portfolio.example.yaml"}
_TEXTS: dict[str, Json] = {"text/csv": {"type": "string"}, "application/yaml": _YAML}
_WHEN = {
    400: "Something in the request is wrong; `detail` names the field",
    401: "Nobody is signed in",
    403: "You may look, but not decide; or no home is in your care; or the request may be forged",
    404: "Not there, or not in your care",
    409: "It is too late: somebody was first, or it is over",
    412: "The facts have changed since they were read",
    413: "The body is too large",
    428: "Send the ETag of what you read in If-Match",
    429: "Too many requests: see Retry-After",
    503: "The tables or the queue do not answer right now: see Retry-After",
}


async def serve(desk: Desk, ask: Ask) -> HttpAnswer:
    """The document, the same for everybody: it holds no data."""
    return json_answer(200, document())


@functools.cache
def document() -> Json:
    """All routes of the API."""
    routes = [one for one in ROUTES if not one.is_page]
    found = {name for one in routes for name in (one.asks, one.gives, one.takes) if name and "/" not in name}
    models: list[type[BaseModel]] = [Problem, TextProblem, *(model(name) for name in sorted(found))]
    _, schemas = models_json_schema([(one, _SHAPE) for one in models], ref_template=_REFS)
    known = dict(schemas["$defs"])
    for one in {model(route.takes) for route in routes if route.takes}:
        known.pop(one.__name__)  # a query is told as parameters
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sync Engine", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": known, "securitySchemes": _SCHEMES},
        "security": [{"token": []}],
    }


_SCHEMES: Json = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "On one's own machine the token that SIGN_IN_KEY makes; on Azure an access token of App "
        "Service authentication. A browser's cookie opens it too, and then a change needs the header X-CSRF-Token",
    }
}


def _operation(route: Route) -> Json:
    found: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_names(route), *_query(route), *_headers(route)],
        "responses": {**_good(route), **_bad(route)},
    }
    if route.asks:
        found["requestBody"] = _body(route)
    if route.right is Right.OPEN:
        found["security"] = []
    return found


def _names(route: Route) -> list[Json]:
    schema = {"type": "string", "minLength": 1, "maxLength": 2_000, "pattern": "^[^/\\x00-\\x1f]+$"}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query(route: Route) -> list[Json]:
    if not route.takes:
        return []
    schema = model(route.takes).model_json_schema(ref_template=_REFS)
    needed = schema.get("required", [])
    found: list[Json] = []
    for name, one in schema["properties"].items():
        more = {"description": one["description"]} if "description" in one else {}
        found.append({"name": name, "in": "query", "required": name in needed, "schema": _plain(one), **more})
    return found


def _plain(one: Json) -> Json:
    """A parameter's schema; that it may be left out is said beside it, and none is ever null."""
    shown = {key: value for key, value in one.items() if key not in ("title", "description", "default")}
    choices = shown.get("anyOf")
    if not isinstance(choices, list):
        return shown
    (only,) = [choice for choice in choices if choice.get("type") != "null"]
    return dict(only)


def _headers(route: Route) -> list[Json]:
    if 412 not in route.also:
        return []
    about = "The ETag of what the decision rests on"
    return [{"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": about}]


def _body(route: Route) -> Json:
    if "/" in route.asks:
        return {"required": True, "content": {route.asks: {"schema": _TEXTS[route.asks]}}}
    wanted = model(route.asks)
    needed = any(one.is_required() for one in wanted.model_fields.values())
    return {"required": needed, "content": {"application/json": {"schema": _ref(wanted)}}}


def _good(route: Route) -> Json:
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    if "/" in route.gives:
        content = {route.gives: {"schema": _TEXTS[route.gives]}}
    elif route.gives:
        content = {"application/json": {"schema": _ref(model(route.gives))}}
    said: Json = {"description": route.summary, "content": content}
    if route.gives.endswith(":Conflict"):
        said["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
    return {str(status): said for status in (route.status, *(one for one in route.also if one < 300))}


def _bad(route: Route) -> Json:
    statuses = {429, 503, *(one for one in route.also if one >= 400)}
    if route.right is not Right.OPEN:
        statuses |= {401, 403}
    if route.asks:
        statuses.add(400)
    if route.changes:
        statuses.add(413)
    if route.takes:
        statuses.add(400)
    if "{" in route.path:
        statuses.add(404)
    return {str(status): _problem(route, status) for status in sorted(statuses)}


def _problem(route: Route, status: int) -> Json:
    shape = TextProblem if status == 400 and "/" in route.asks else Problem
    said: Json = {
        "description": _WHEN[status],
        "content": {"application/problem+json": {"schema": _ref(shape)}},
    }
    if status == 401:
        said["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    if status in (429, 503):
        said["headers"] = {"Retry-After": {"schema": {"type": "string"}, "required": True}}
    return said


def _ref(one: type[BaseModel]) -> Json:
    return {"$ref": _REFS.format(model=one.__name__)}
