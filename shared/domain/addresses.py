"""Which addresses a calendar may be fetched from: strangers give us links, and a link can point inward.

Pure: it reads text and judges addresses; resolving names and connecting belong to the adapter, which asks
``endpoint_allowed`` about every address it is about to use. Whatever is not plainly a public web address is
refused, so the splitters of other libraries never get to see an ambiguous one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import quote, urlsplit

from shared.domain.errors import AddressRefused

Address = IPv4Address | IPv6Address

DEFAULT_PORTS = {"https": 443, "http": 80}
"""The schemes a calendar may have (owners do paste http:// links) with the port each means when none is named."""

WEB_PORTS = frozenset({80, 443, 8080, 8443})
"""Ports a calendar may live on; with others a link would probe for services."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_CHARACTERS = 4096
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ENDS_IN_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_PLAIN_OCTET = re.compile(r"0|[1-9][0-9]{0,2}")
_PRIVATE_ENDINGS = frozenset({"localhost", "local", "internal"})
# IDNA 2003 (the standard library) and IDNA 2008 (browsers, registries) read these four differently.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")

# VERIFIED: IANA special-purpose address registries (RFC 6890), everything not globally reachable; 168.63.129.16
# is a public address that Azure answers inside every virtual network (Microsoft Learn, "What is IP address
# 168.63.129.16?"), which Python's own test calls global.
_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Only global unicast is open: that alone shuts ::/96, 64:ff9b::/96, 64:ff9b:1::/48, 100::/64, 5f00::/16, fc00::/7,
# fe80::/10, fec0::/10 and ff00::/8. Inside it, tunnels that carry an IPv4 address and documentation are shut too.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo (2001::/32), benchmarks, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """A calendar link taken apart. ``host`` is lower-case ASCII, without brackets; ``literal`` is set when it is
    an IP address. The path and query hold the owner's secret and stay out of ``repr``."""

    scheme: str
    host: str
    port: int
    path_and_query: str = field(repr=False)
    literal: Address | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two links share when credentials for one may be shown to the other."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """The link in its one spelling: a secret, never to be logged."""
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path_and_query}"


def parse_feed_url(text: str, *, loopback_ports: frozenset[int] = frozenset()) -> FeedAddress:
    """Read a calendar link (http or https, no surrounding blanks) or raise ``AddressRefused``.

    A name is not resolved here: every address it turns out to have must still pass ``endpoint_allowed``.
    ``loopback_ports`` opens those ports on this machine alone, for local runs and tests. The error names what is
    wrong and at most the host.
    """
    if len(text) > _MOST_CHARACTERS:
        raise AddressRefused(f"the address is longer than {_MOST_CHARACTERS} characters")
    if not text.isprintable() or " " in text or "\\" in text:  # no other blank is printable
        raise AddressRefused("the address holds a blank, a control character or a backslash")
    scheme, authority, rest = _split(text)
    host_text, port_text = _split_authority(authority)
    host, literal = _read_host(host_text)
    port = _read_port(port_text, scheme, host)
    _check_place(host, literal, port, loopback_ports)
    return FeedAddress(scheme, host, port, quote(rest, safe=_KEPT_IN_PATH), literal)


# Everything printable in ASCII stays as the owner pasted it; only what lies beyond is percent-encoded.
_KEPT_IN_PATH = "".join(chr(code) for code in range(0x21, 0x7F))


def address_allowed(address: Address) -> bool:
    """Whether it is a public unicast address that reaches no inner network, not even through a tunnel."""
    address = _unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    if address.scope_id is not None or address not in _OPEN_V6:
        return False
    return not any(address in network for network in _CLOSED_V6)


def endpoint_allowed(address: Address, port: int, loopback_ports: frozenset[int] = frozenset()) -> bool:
    """Whether a connection may go there: a public address on a web port, or this machine on a named port."""
    if port in loopback_ports and _unwrapped(address).is_loopback:
        return True
    return port in WEB_PORTS and address_allowed(address)


def is_own_machine(public: str) -> bool:
    """Whether an address leads to the machine the engine runs on, so that no channel can follow it."""
    parts = urlsplit(public)
    return parts.scheme != "https" or (parts.hostname or "") in _LOOPBACK


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside ``::ffff:0:0/96``: the kernel connects to that one."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _split(text: str) -> tuple[str, str, str]:
    """Scheme, authority, and path with query; the fragment is dropped."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        raise AddressRefused("the address must begin with https:// or http://")
    rest = rest.partition("#")[0]
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    return scheme, authority, path if path.startswith("/") else f"/{path}"


def _split_authority(authority: str) -> tuple[str, str | None]:
    """Host and port text; an IPv6 host keeps its brackets."""
    if "@" in authority:
        raise AddressRefused("the address holds a user name or a password")
    if authority.startswith("["):
        inside, bracket, tail = authority.partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise AddressRefused("the address has a broken IPv6 host")
        return inside + bracket, tail[1:] if tail else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _read_host(text: str) -> tuple[str, Address | None]:
    if text.startswith("["):
        return _read_v6(text[1:-1])
    host = _to_ascii(text)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("the address has no readable host name")
    if _ENDS_IN_NUMBER.fullmatch(labels[-1]):
        return _read_v4(host, labels)
    return host, None


def _to_ascii(text: str) -> str:
    """Lower-case ASCII; a name whose spelling is read differently by different standards is refused."""
    if text.isascii():
        return text.lower()
    for character in text:
        unknown = unicodedata.ucd_3_2_0.category(character) == "Cn"
        if unknown or character in _DEVIATIONS:
            raise AddressRefused("the host name needs its xn-- spelling: its letters are read in two ways")
    try:
        return text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressRefused("the address has no readable host name") from None


def _read_v4(host: str, labels: list[str]) -> tuple[str, IPv4Address]:
    """Four plain decimal numbers; octal, hexadecimal and short spellings mean other hosts to other programs."""
    plain = len(labels) == 4 and all(_PLAIN_OCTET.fullmatch(label) for label in labels)
    if not plain or any(int(label) > 255 for label in labels):
        raise AddressRefused(f"{host} is not a plain IPv4 address")
    return host, IPv4Address(host)


def _read_v6(text: str) -> tuple[str, IPv6Address]:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise AddressRefused("the address has a broken IPv6 host") from None
    if address.scope_id is not None:
        raise AddressRefused("the address has an IPv6 zone")
    return address.compressed, address


def _read_port(text: str | None, scheme: str, host: str) -> int:
    if text is None:
        return DEFAULT_PORTS[scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise AddressRefused(f"{host} has a port that is not a number")
    return int(text)


def _check_place(host: str, literal: Address | None, port: int, loopback_ports: frozenset[int]) -> None:
    opened = port in loopback_ports
    if port not in WEB_PORTS and not opened:
        raise AddressRefused(f"{host} is asked for on a port that is not a web port")
    if literal is not None:
        if not endpoint_allowed(literal, port, loopback_ports):
            raise AddressRefused(f"{host} is not a public address")
        return
    if host == "localhost" and opened:
        return
    if "." not in host or host.rpartition(".")[2] in _PRIVATE_ENDINGS:
        raise AddressRefused(f"{host} is a name of an inner network")
