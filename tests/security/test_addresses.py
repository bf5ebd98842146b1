"""What may be fetched: the published lists of hostile links and addresses, and laws that hold for any text."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx
import pytest
import yarl
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.addresses import FeedAddress, address_allowed, endpoint_allowed, parse_feed_url
from shared.domain.errors import AddressRefused
from tests.hypothesis_profiles import budget
from tests.security import corpus

HERE = frozenset({5001})


def read(text: str) -> FeedAddress | None:
    """The address, or None when it is refused."""
    try:
        return parse_feed_url(text)
    except AddressRefused:
        return None


def same_host(seen: str, expected: str) -> bool:
    """Whether two spellings are one host; addresses are compared as numbers."""
    expected = expected.strip("[]")
    try:
        return ip_address(seen) == ip_address(expected)
    except ValueError:
        return seen == expected


# --------------------------------------------------------------------------------------- published


def test_web_platform_hosts_are_refused_or_seen_as_browsers_see_them() -> None:
    rows = corpus.load("url/wpt_urltestdata_hosts.jsonl")
    assert len(rows) == 568
    accepted = 0
    for row in rows:
        address = read(row["input"])
        if address is None:
            continue
        accepted += 1
        assert not row.get("failure"), row
        assert row.get("ip_global") is not False, row
        assert f"{address.scheme}:" == row["protocol"], row
        assert not row["username"] + row["password"], row
        assert same_host(address.host, row["hostname"]), (row, address)
        assert row["port"] == ("" if address.port in (80, 443) else str(address.port)), (row, address)
    assert accepted >= 30  # the parser reads plain links: a list refused whole would prove nothing


def test_the_links_of_attackers_are_refused_before_any_name_is_looked_up() -> None:
    rows = corpus.load("url/ssrf_urls_payloadsallthethings.json")
    assert len(rows) == 120
    for row in rows:
        if row["kind"] in ("address", "scheme"):
            assert read(row["url"]) is None, row


def test_published_verdicts_on_addresses() -> None:
    verdicts = corpus.load("url/ip_verdicts.json")
    rows = verdicts["svix"] + verdicts["cloud"]
    assert (len(verdicts["svix"]), len(verdicts["cloud"])) == (43, 12)
    for row in rows:
        address = ip_address(row["address"])
        assert address_allowed(address) is row["allowed"], row
        assert endpoint_allowed(address, 443) is row["allowed"], row
        literal = f"[{address}]" if address.version == 6 else str(address)
        assert (read(f"https://{literal}/feed.ics") is not None) is row["allowed"], row


# --------------------------------------------------------------------------------------- addresses


INNER = (
    "168.63.129.16",  # Azure's platform channel
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "172.31.255.255",
    "192.0.0.192",
    "192.88.99.1",
    "198.19.255.255",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:168.63.129.16",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2606:4700::1111%eth0",
)
OUTER = (
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "192.88.98.255",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700::1111",
    "3ffe::1",
)


@pytest.mark.parametrize("text", INNER)
def test_inner_addresses(text: str) -> None:
    assert not address_allowed(ip_address(text))
    assert not endpoint_allowed(ip_address(text), 443)


@pytest.mark.parametrize("text", OUTER)
def test_public_addresses(text: str) -> None:
    assert address_allowed(ip_address(text))


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(ADDRESSES)
def test_what_python_calls_inner_is_refused_too(address: IPv4Address | IPv6Address) -> None:
    """Python's list is a floor, never the guard: it calls six of the addresses above public."""
    inside = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    if not inside.is_global or inside.is_multicast:
        assert not address_allowed(address)


@given(st.ip_addresses(v=4))
def test_an_address_in_ipv6_clothes_is_judged_like_itself_or_refused(address: IPv4Address) -> None:
    number = int(address)
    assert address_allowed(IPv6Address((0xFFFF << 32) | number)) is address_allowed(address)
    teredo = int(IPv6Address("2001::")) | (number ^ 0xFFFFFFFF)
    six_to_four = int(IPv6Address("2002::")) | number << 80
    nat64 = int(IPv6Address("64:ff9b::")) | number
    for disguise in (number, teredo, six_to_four, nat64):
        assert not address_allowed(IPv6Address(disguise))


@pytest.mark.parametrize("network", ["10.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "198.18.0.0/15"])
def test_closed_networks_are_closed_to_their_edges(network: str) -> None:
    closed = IPv4Network(network)
    assert not address_allowed(closed[0])
    assert not address_allowed(closed[-1])
    assert address_allowed(closed[0] - 1)
    assert address_allowed(closed[-1] + 1)


def test_the_open_part_of_ipv6_ends_where_global_unicast_ends() -> None:
    edge = IPv6Network("2000::/3")
    assert not address_allowed(edge[0] - 1)
    assert address_allowed(edge[-1])
    assert not address_allowed(edge[-1] + 1)


# ------------------------------------------------------------------------------------------- links


GOOD = {
    "https://www.airbnb.fr/calendar/ical/1.ics?t=abc": ("www.airbnb.fr", 443, "/calendar/ical/1.ics?t=abc"),
    "HTTP://WWW.Abritel.FR/icalendar/x.ics": ("www.abritel.fr", 80, "/icalendar/x.ics"),
    "https://ical.example:8443": ("ical.example", 8443, "/"),
    "https://ical.example?key=a%2Fb": ("ical.example", 443, "/?key=a%2Fb"),
    "https://ical.example/a#part": ("ical.example", 443, "/a"),
    "https://gîte.example/été": ("xn--gte-vma.example", 443, "/%C3%A9t%C3%A9"),
    "https://xn--gte-vma.example/": ("xn--gte-vma.example", 443, "/"),
    "https://8.8.8.8/f": ("8.8.8.8", 443, "/f"),
    "https://[2606:4700:0::1111]/f": ("2606:4700::1111", 443, "/f"),
    "https://a_b.example/@x": ("a_b.example", 443, "/@x"),
}


@pytest.mark.parametrize("text", GOOD)
def test_real_links_are_read(text: str) -> None:
    address = parse_feed_url(text)
    assert (address.host, address.port, address.path_and_query) == GOOD[text]
    assert parse_feed_url(address.url) == address


REFUSED = {
    "": "https://",
    "calendar.ics": "https://",
    "webcal://ical.example/x": "https://",
    "//ical.example/x": "https://",
    "https:/ical.example/x": "https://",
    "https:///x": "no readable host",
    "https://ical.example./x": "no readable host",
    "https://-ical.example/x": "no readable host",
    f"https://{'a' * 64}.example/x": "no readable host",
    f"https://{'a.' * 127}example/x": "no readable host",
    "https://%69cal.example/x": "no readable host",
    "https://ical.example:/x": "ical.example has a port",
    "https://ical.example:+443/x": "ical.example has a port",
    "https://ical.example:٤٤٣/x": "ical.example has a port",
    "https://ical.example:22/x": "ical.example is asked for on a port",
    "https://ical.example:443:80/x": "ical.example has a port",
    "https://owner:invented-secret@ical.example/x": "user name",
    "https://ical.example\\@other.example/x": "backslash",
    "https://ical.example/x y": "blank",
    " https://ical.example/x": "blank",
    "https://ical.example/x\r\nX-Other: 1": "blank",
    "https://ical.example/\u202ex": "blank",
    "https://ical.ex\u00adample/x": "blank",
    "https://2130706433/x": "2130706433 is not a plain IPv4 address",
    "https://0x7f000001/x": "0x7f000001 is not a plain IPv4 address",
    "https://0177.0.0.1/x": "0177.0.0.1 is not a plain IPv4 address",
    "https://8.8.8/x": "8.8.8 is not a plain IPv4 address",
    "https://8.8.8.256/x": "8.8.8.256 is not a plain IPv4 address",
    "https://\uff11.\uff11.1.1.1/x": "not a plain IPv4 address",
    "https://127.0.0.1/x": "127.0.0.1 is not a public address",
    "https://[::ffff:10.0.0.1]/x": "is not a public address",
    "https://[fe80::1%25eth0]/x": "IPv6",
    "https://[::1/x": "IPv6",
    "https://[::1]x/x": "IPv6",
    "https://localhost/x": "localhost is a name of an inner network",
    "https://printer/x": "printer is a name of an inner network",
    "https://metadata.google.internal/x": "inner network",
    "https://stra\u00dfe.example/x": "xn--",
    "https://\U0001f3e0.example/x": "xn--",
    f"https://ical.example/{'x' * 5000}": "longer than",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_named_and_nothing_secret(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        parse_feed_url(text)
    message = str(caught.value)
    assert REFUSED[text] in message
    assert "/x" not in message
    assert "invented-secret" not in message


def test_one_named_port_of_this_machine_can_be_opened() -> None:
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert parse_feed_url(f"http://{host}:5001/f", loopback_ports=HERE).port == 5001
        with pytest.raises(AddressRefused):
            parse_feed_url(f"http://{host}:5002/f", loopback_ports=HERE)
        with pytest.raises(AddressRefused):
            parse_feed_url(f"http://{host}/f", loopback_ports=HERE)


@pytest.mark.parametrize("text", ["10.0.0.1", "169.254.169.254", "8.8.8.8"])
def test_the_opened_port_opens_no_other_machine(text: str) -> None:
    assert not endpoint_allowed(ip_address(text), 5001, HERE)
    with pytest.raises(AddressRefused):
        parse_feed_url(f"http://{text}:5001/f", loopback_ports=HERE)
    assert endpoint_allowed(ip_address("::ffff:127.0.0.1"), 5001, HERE)


def test_the_path_stays_out_of_repr() -> None:
    assert "invented-secret" not in repr(
        parse_feed_url("https://ical.example/invented-secret?s=invented-secret")
    )


SHARDS = (
    "https:// http:// // / \\ @ : [ ] ? # % . 0x 127 10 8 ::1 ffff: 443 8080 - _ xn-- "
    "localhost ical.example a é 。 １ ﬀ \t \u200d"
)
PIECES = st.sampled_from(SHARDS.split(" "))
LABELS = st.text("abcx01-_é。１ﬀ.%", min_size=1, max_size=4)
LIKELY = st.builds(
    "{}://{}{}{}/{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    LABELS,
    st.sampled_from([".example", ".com", ".1", ".1.1.1", ""]),
    st.sampled_from(["", ":443", ":8080", ":22", ":"]),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=8),
)
LINKS = st.one_of(LIKELY, LIKELY, st.text(max_size=40), st.lists(PIECES, max_size=9).map("".join))


@settings(max_examples=budget(test=400, prove=5000))
@given(LINKS)
def test_every_splitter_agrees_on_what_was_accepted(text: str) -> None:
    """The client that sends the request reads the host again: it must find the one that was judged."""
    address = read(text)
    if address is None:
        return
    assert address.url.isascii()
    assert parse_feed_url(address.url) == address
    by_httpx, by_yarl, by_stdlib = httpx.URL(address.url), yarl.URL(address.url), urlsplit(address.url)
    assert by_httpx.raw_host.decode() == address.host
    assert (by_httpx.port or {"https": 443, "http": 80}[by_httpx.scheme]) == address.port
    assert (by_yarl.raw_host, by_yarl.port) == (address.host, address.port)
    assert by_stdlib.hostname == address.host
    assert not by_httpx.userinfo
    assert by_yarl.user is None
