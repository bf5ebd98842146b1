"""HTTP routes as ASP.NET Core's templates, which the Functions host uses: ``export/{token}.ics``, ``{*path}``.

Played: literals (in any case), parameters, parameters with text around them, an optional or catch-all parameter at
the end. Refused: constraints and default values, which no function here needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from local.host.errors import HostRefused

_PARAMETER = re.compile(r"\{([A-Za-z_]\w*)\}")
_OPTIONAL = re.compile(r"\{([A-Za-z_]\w*)\?\}")
_REST = re.compile(r"\{\*{1,2}([A-Za-z_]\w*)\}")

_LITERAL, _MIXED, _WHOLE, _CATCH_ALL = 1, 2, 3, 5
"""ASP.NET's order of precedence, segment by segment: the lower number is tried first (VERIFIED RoutePrecedence)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part between slashes: how specific it is, and what it matches. ``rest`` names a catch-all's parameter."""

    rank: int
    pattern: re.Pattern[str]
    optional: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One function's address: template, methods (upper case), segments."""

    function: str
    template: str
    methods: frozenset[str]
    segments: tuple[Segment, ...]

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The parameters, if the path's parts fit; a missing optional one and an empty rest are left out."""
        found: dict[str, str] = {}
        for place, segment in enumerate(self.segments):
            if segment.rest:
                rest = "/".join(parts[place:])
                return {**found, segment.rest: rest} if rest else found
            if place == len(parts):
                return found if segment.optional else None
            fits = segment.pattern.fullmatch(parts[place])
            if not fits:
                return None
            found.update(fits.groupdict())
        return found if len(parts) <= len(self.segments) else None


class RouteTable:
    """All routes of an app. Raises ``HostRefused`` for two that claim the same requests."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: [s.rank for s in route.segments])
        taken: dict[tuple[str, str], str] = {}
        for route in self._routes:
            shape = _PARAMETER.sub("{}", route.template.lower())
            for method in route.methods:
                other = taken.setdefault((shape, method), route.function)
                if other != route.function:
                    raise HostRefused(
                        f"{route.function} and {other} share the route {method} {route.template}"
                    )

    def __iter__(self) -> Iterator[Route]:
        """Most specific first."""
        return iter(self._routes)

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The most specific route for a request, its path still percent-encoded; None is answered 404.

        A known path with a method nobody listed is None too: the Functions host answers 404, not 405, and derives no
        HEAD from GET (REPORTED Azure/azure-functions-host#10098, #11625).
        """
        trimmed = raw_path.strip("/")
        parts = [_decoded(part) for part in trimmed.split("/")] if trimmed else []
        for route in self._routes:
            if method in route.methods and (found := route.match(parts)) is not None:
                return route, found
        return None


def compile_route(function: str, template: str, methods: Iterable[str]) -> Route:
    """Read a template (prefix included). Raises ``HostRefused`` for what is not played."""
    pieces = [piece for piece in template.strip("/").split("/") if piece]
    segments = tuple(_segment(function, piece) for piece in pieces)
    if any(segment.optional or segment.rest for segment in segments[:-1]):
        raise HostRefused(f"{function}: only the last part of the route {template} may be optional or a rest")
    return Route(function, "/".join(pieces), frozenset(method.upper() for method in methods), segments)


def _segment(function: str, piece: str) -> Segment:
    if rest := _REST.fullmatch(piece):
        return Segment(_CATCH_ALL, re.compile(""), rest=rest[1])
    if optional := _OPTIONAL.fullmatch(piece):
        return Segment(_WHOLE, re.compile(f"(?P<{optional[1]}>.+)"), optional=True)
    literals = _PARAMETER.split(piece)[::2]
    if any(set("{}*?:=") & set(literal) for literal in literals):
        raise HostRefused(f"{function}: the local host does not play the route part {piece}")
    if len(literals) == 1:
        return Segment(_LITERAL, re.compile(re.escape(piece), re.IGNORECASE))
    names = _PARAMETER.findall(piece)
    pattern = re.escape(literals[0]) + "".join(
        f"(?P<{name}>.+){re.escape(after)}" for name, after in zip(names, literals[1:], strict=True)
    )
    return Segment(_WHOLE if not any(literals) else _MIXED, re.compile(pattern, re.IGNORECASE | re.DOTALL))


def _decoded(part: str) -> str:
    # An encoded slash stays encoded, as in ASP.NET: it never splits a segment.
    return unquote(re.sub("%2f", "%252F", part, flags=re.IGNORECASE))
