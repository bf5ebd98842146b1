"""The small routing the sandbox needs: a request as a value, an answer as a value, a table of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from local.sandbox.errors import BadAsk
from local.sandbox.faults import FaultKind

Json = dict[str, object]


@dataclass(slots=True)
class Call:
    """One request. ``path_args`` come from the route's pattern, ``flags`` from the faults a handler must heed.

    ``note`` is the handler's word for the call log, such as the listing it was about; ``night`` the only night that a
    fault wants refused, empty for all.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    path_args: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[FaultKind] = frozenset()
    note: str = ""
    night: str = ""

    def json(self) -> Json:
        """The body as a JSON object. Raises ``BadAsk``."""
        try:
            data = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadAsk("the body is not JSON") from error
        if not isinstance(data, dict):
            raise BadAsk("the body is not a JSON object")
        return data


@dataclass(slots=True)
class Answer:
    """One answer; ``truncated`` announces more bytes than it sends."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False


def as_json(data: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; header names are written with underscores."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(data, ensure_ascii=False).encode(), "application/json", names)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern, the platform and the kind of call that faults and the log name it by."""

    method: str
    pattern: re.Pattern[str]
    platform: str
    call: str
    handler: Handler


class Router:
    """The table of routes, searched in the order in which they were added."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, method: str, path: str, platform: str, call: str, handler: Handler) -> None:
        """Add a route; ``{name}`` in the path stands for one or more characters other than a slash."""
        pieces = re.split(r"\{(\w+)\}", path)
        text = "".join(
            f"(?P<{piece}>[^/]+)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)
        )
        self._routes.append(Route(method, re.compile(text), platform, call, handler))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The first route for the path, with what its pattern caught."""
        for route in self._routes:
            match = route.pattern.fullmatch(path) if route.method == method else None
            if match is not None:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None


def query_of(raw: bytes) -> dict[str, str]:
    """A query string as a mapping; names without a value are kept, the last of several wins."""
    return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
