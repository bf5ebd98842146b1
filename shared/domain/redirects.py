"""Where a redirect may lead and what may be carried along: the guard's rules for every hop after the first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.addresses import FeedAddress, parse_feed_url
from shared.domain.errors import AddressRefused

MOST_REDIRECTS = 3
"""Redirects followed for one request; the next one refuses it."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOLLOWED = frozenset({"GET", "HEAD"})
# Everything else (Authorization, cookies, validators, keys under invented names) was meant for the first host.
_CARRIED = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Hop:
    """One leg of a guarded request: where it goes and the headers it takes there."""

    address: FeedAddress
    headers: Mapping[str, str] = field(repr=False)
    redirects: int = 0

    def onward(
        self, method: str, status: int, location: str | None, *, loopback_ports: frozenset[int] = frozenset()
    ) -> Hop | None:
        """The next leg, or None when this answer is the last one: no redirect, or not a reading method.

        Raises ``AddressRefused`` for a target that the guard refuses, for a step from https down to http, and
        after ``MOST_REDIRECTS``.
        """
        if status not in _REDIRECTS or location is None or method not in _FOLLOWED:
            return None
        if self.redirects == MOST_REDIRECTS:
            raise AddressRefused(f"{self.address.host} redirects once more after {MOST_REDIRECTS} times")
        there = next_address(self.address, location, loopback_ports=loopback_ports)
        return Hop(there, _headers_for(self.headers, self.address, there), self.redirects + 1)


def next_address(
    here: FeedAddress, location: str, *, loopback_ports: frozenset[int] = frozenset()
) -> FeedAddress:
    """The link a ``Location`` header names, judged like the first one. Raises ``AddressRefused``."""
    there = parse_feed_url(_absolute(here, location), loopback_ports=loopback_ports)
    if here.scheme == "https" and there.scheme == "http":
        raise AddressRefused(f"{here.host} redirects from https to http")
    return there


def _headers_for(headers: Mapping[str, str], here: FeedAddress, there: FeedAddress) -> Mapping[str, str]:
    """All of them to the same scheme, host and port, else only those that say nothing about the owner."""
    if here.origin == there.origin:
        return headers
    return {name: value for name, value in headers.items() if name.lower() in _CARRIED}


def _absolute(here: FeedAddress, location: str) -> str:
    """RFC 3986 section 5.2, leaving dot segments to the client that sends the request."""
    if _SCHEME.match(location):
        return location
    if location.startswith("//"):
        return f"{here.scheme}:{location}"
    root = here.url.removesuffix(here.path_and_query)
    if location.startswith("/"):
        return root + location
    path = here.path_and_query.partition("?")[0]
    if location.startswith(("?", "#")) or not location:
        return root + path + location
    return f"{root}{path.rpartition('/')[0]}/{location}"
