"""Where a redirect may lead and what may be carried along: the guard's rules for every hop after the first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.domain.addresses import FeedAddress, parse_feed_url
from shared.domain.errors import AddressRefused

MOST_HOPS = 3
"""Redirects followed for one guarded request; the next one refuses it."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that send a reader elsewhere when a Location comes with them."""

# Everything else (Authorization, cookies, validators, keys under invented names) was meant for the first host.
_CARRIED = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def next_hop(
    here: FeedAddress, location: str, *, loopback_ports: frozenset[int] = frozenset()
) -> FeedAddress:
    """The link a ``Location`` header names, judged like the first one.

    Raises ``AddressRefused`` for whatever ``parse_feed_url`` refuses and for a step from https down to http.
    """
    there = parse_feed_url(_absolute(here, location), loopback_ports=loopback_ports)
    if here.scheme == "https" and there.scheme == "http":
        raise AddressRefused(f"{here.host} redirects from https to http")
    return there


def headers_for_hop(headers: Mapping[str, str], here: FeedAddress, there: FeedAddress) -> dict[str, str]:
    """The headers to send on: all of them to the same scheme, host and port, else only those that say nothing
    about the owner."""
    if here.origin == there.origin:
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() in _CARRIED}


def _absolute(here: FeedAddress, location: str) -> str:
    """RFC 3986 section 5.2 without dot segments: the server that gets them may resolve them itself."""
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
    return root + path.rpartition("/")[0] + "/" + location
