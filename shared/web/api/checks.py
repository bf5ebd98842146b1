"""Bodies, queries and names are checked against the models that the API's document is made of, before a use case sees
them. What is wrong is named by its field; nothing that was sent is repeated, since it may be a secret."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, cast

from shared.domain.access import Right
from shared.routes import Route
from shared.use_cases import Ask, HttpAnswer
from shared.web.answers import problem

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MOST_BODY = 64 * 1024
"""Bytes of a JSON body."""

MOST_TEXT = 2 * 1024 * 1024
"""Bytes of a body that is a text of its own: the portfolio."""

MOST_OPEN = 8 * 1024
"""Bytes of a form that anybody may send: a code, a language."""

MOST_NAME = 2_000
"""Characters of a name in an address; ours are shorter."""


def named_well(ask: Ask) -> bool:
    """Whether the names in an address can be names of anything."""
    return all(one.isprintable() and 0 < len(one) <= MOST_NAME for one in ask.params.values())


def is_too_large(route: Route, ask: Ask) -> bool:
    """Whether a body is larger than anything this route takes: asked before anything reads it, since reading a form of
    100 MB holds up everybody for half a minute."""
    if route.right is Right.OPEN:
        return len(ask.body) > MOST_OPEN
    return len(ask.body) > (MOST_BODY if route.asks and "/" not in route.asks else MOST_TEXT)


def wrong_with(route: Route, ask: Ask) -> HttpAnswer | None:
    """A problem document that says what to mend; None for a request as the models want it."""
    if route.takes:
        wrong = _wrong_query(model(route.takes), ask)
        if wrong is not None:
            return wrong
    if route.asks and "/" not in route.asks:
        return _wrong_body(model(route.asks), ask)
    return None


@functools.cache
def model(name: str) -> type[BaseModel]:
    """A model by "module:Model" inside ``shared.web.api``."""
    module, _, found = name.partition(":")
    return cast("type[BaseModel]", getattr(importlib.import_module(f"shared.web.api.{module}"), found))


def _wrong_query(wanted: type[BaseModel], ask: Ask) -> HttpAnswer | None:
    from pydantic import ValidationError

    try:
        wanted.model_validate(dict(ask.query))
    except ValidationError as wrong:
        return problem(400, _said(wrong))
    return None


def _wrong_body(wanted: type[BaseModel], ask: Ask) -> HttpAnswer | None:
    from pydantic import ValidationError

    try:
        wanted.model_validate_json(ask.body or b"{}")
    except ValidationError as wrong:
        return problem(400, _said(wrong))
    return None


def _said(wrong: ValidationError) -> str:
    """Each field with what is wrong with it."""
    found = wrong.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_place(one['loc'])}: {_reason(one['type'], one['msg'])}" for one in found)


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(one)[:40] for one in loc) or "the body"


def _reason(kind: str, said: str) -> str:
    if kind == "json_invalid":
        return "it is not JSON"
    if kind == "extra_forbidden":
        return "there is no such field"
    return said[:1].lower() + said[1:]
