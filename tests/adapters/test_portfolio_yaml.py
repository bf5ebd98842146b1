"""The portfolio file: what it gives, and what it says to a host who made a mistake.

A bad file is a good one with one part replaced; the expected lines name the line the host must look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.portfolio_values import PortfolioRules
from shared.adapters.portfolio_yaml import PortfolioUnreadable, read_portfolio, read_portfolio_file
from shared.adapters.yaml_tree import Report, read_tree
from shared.domain.access import Role
from shared.domain.model import Account
from shared.domain.platform import Link, Platform
from shared.domain.portfolio import Owner, Portfolio, PortfolioListing

RULES = PortfolioRules(
    platforms=frozenset({"airbnb", "booking", "channex", "greengo", "vrbo", "ical"}),
    with_api=frozenset({"airbnb", "booking", "channex"}),
    api_only=frozenset({"channex"}),
    roles={"booking": ("client_id", "client_secret")},
    units={"booking": "hotel:room"},
    recognise=lambda url: "airbnb" if "/calendar/ical/" in url else "ical",
)
LINK = "https://www.airbnb.fr/calendar/ical/11.ics?s=5eC1e70123456789abcdef"
SECRET = "5eC1e70123456789abcdef"

GOOD = f"""\
owners:
  - id: claire
    people:
      - principal: claire@example.org
        role: operator
accounts:
  - id: booking-claire
    platform: booking
    secrets: {{client_id: BOOKING_CLIENT_ID, client_secret: BOOKING_SECRET}}
homes:
  - id: moulin
    name: Le Moulin
    listings:
      - platform: airbnb
        link: {LINK}
      - platform: booking
        account: booking-claire
        unit: 01:23
"""


def read(text: str, rules: PortfolioRules = RULES) -> Portfolio:
    return read_portfolio(text.encode(), rules)


def mistakes(text: str) -> list[str] | None:
    """What is said about a file, or None when it is fine."""
    try:
        read(text)
    except PortfolioUnreadable as error:
        return [str(problem) for problem in error.problems]
    return None


def complaints(text: str | bytes, rules: PortfolioRules = RULES) -> list[str]:
    """What is said about a bad file; no complaint may repeat a link, and no bad file may raise anything else."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(PortfolioUnreadable) as refused:
        read_portfolio(data, rules)
    assert SECRET not in str(refused.value)
    return [str(problem) for problem in refused.value.problems]


def test_a_good_file_gives_owners_accounts_sites_and_listings() -> None:
    portfolio = read(GOOD)
    assert portfolio.owners == (Owner("claire", "claire@example.org", Role.OPERATOR, "", "fr"),)
    assert portfolio.accounts == (
        Account(
            "booking-claire",
            Platform("booking"),
            "claire",
            {"client_id": "BOOKING_CLIENT_ID", "client_secret": "BOOKING_SECRET"},
        ),
        Account("airbnb-claire", Platform("airbnb"), "claire"),
    )
    (site,) = portfolio.sites
    assert (site.id, site.owner, dict(site.rooms), list(site.properties)) == (
        "moulin",
        "claire",
        {"moulin": 1},
        ["moulin"],
    )
    assert portfolio.listings == (
        PortfolioListing(
            "moulin-airbnb",
            "moulin",
            "moulin",
            Platform("airbnb"),
            "airbnb-claire",
            Link.ICAL,
            import_url=LINK,
        ),
        PortfolioListing(
            "moulin-booking", "moulin", "moulin", Platform("booking"), "booking-claire", Link.API, "01:23"
        ),
    )


def test_values_are_taken_as_written() -> None:
    """YAML would read these as a boolean, an octal number and a date."""
    portfolio = read(
        GOOD.replace("unit: 01:23", "unit: 0o17:12")
        .replace("Le Moulin", "no")
        .replace("moulin", "2026-01-02")
    )
    assert portfolio.listings[1].unit == "0o17:12"
    assert portfolio.sites[0].properties["2026-01-02"].name == "no"


def test_no_repr_shows_a_link_or_an_address_of_a_person() -> None:
    portfolio = read(GOOD)
    assert SECRET not in repr(portfolio)
    assert "claire@example.org" not in repr(portfolio)


def test_the_full_form_of_a_home_is_read() -> None:
    portfolio = read(
        GOOD
        + """\
  - {id: verte, name: Verte, group: chambres, shares: [jardin]}
  - {id: bleue, name: Bleue, group: chambres, zone: Indian/Reunion, site: bleue, shares: jardin}
  - {id: villa, name: Villa, contains: verte, rooms: [salon, cuisine]}
  - {id: simple, name: Simple, units: 3, rooms: {double: 3}}
  - {id: table, name: Table, units: 3, rooms: [double]}
"""
    )
    assert {site.id: dict(site.rooms) for site in portfolio.sites} == {
        "moulin": {"moulin": 1},
        "verte": {"verte": 1, "salon": 1, "cuisine": 1},
        "bleue": {"bleue": 1},
        "simple": {"double": 3},
    }
    assert portfolio.groups == {"chambres": ("verte", "bleue")}
    assert portfolio.sites[0].properties["bleue"].zone == "Indian/Reunion"


def test_a_named_placeholder_is_filled_in_and_the_port_it_names_is_open() -> None:
    rules = PortfolioRules(
        RULES.platforms, RULES.with_api, names={"SANDBOX_PORT": "8765"}, loopback_ports=frozenset({8765})
    )
    text = GOOD.replace(LINK, "http://127.0.0.1:{SANDBOX_PORT}/a.ics").replace(
        "    secrets", "    base_url: http://127.0.0.1:{SANDBOX_PORT}\n    secrets"
    )
    portfolio = read(text, rules)
    assert portfolio.listings[0].import_url == "http://127.0.0.1:8765/a.ics"
    assert portfolio.accounts[0].base_url == "http://127.0.0.1:8765"


BAD: list[tuple[str, str, str, list[str]]] = [
    # name of the case, what is replaced in the good file, by what, what is said
    (
        "misspelt field",
        "    listings:",
        "    listing:",
        ["line 13, column 5, listing: unknown field, did you mean listings?"],
    ),
    (
        "unknown field like nothing known",
        "    name: Le Moulin",
        "    name: Le Moulin\n    xyzzy: 1",
        [
            "line 13, column 5, xyzzy: unknown field, possible: automatic, contains, group, id, listings, name, "
            "owner, rooms, shares, site, turnover, units, zone"
        ],
    ),
    ("missing name", "    name: Le Moulin\n", "", ["line 11, column 5, name: a home needs this field"]),
    (
        "empty name",
        "name: Le Moulin",
        "name:",
        ["line 12, column 10, name: a home needs this field"],
    ),
    (
        "a list for a text",
        "name: Le Moulin",
        "name: [Le, Moulin]",
        ["line 12, column 11, name: expected a text here"],
    ),
    (
        "unknown platform",
        "platform: airbnb",
        "platform: airbmb",
        ["line 14, column 19, platform: unknown platform, did you mean airbnb?"],
    ),
    (
        "a link in the place of a platform",
        "platform: airbnb",
        f"platform: {LINK}",
        [
            "line 14, column 19, platform: unknown platform, possible: airbnb, booking, channex, greengo, ical, vrbo"
        ],
    ),
    (
        "no such account",
        "        account: booking-claire",
        "        account: boking-claire",
        ["line 17, column 18, account: no such account in this file, did you mean booking-claire?"],
    ),
    (
        "account of another platform",
        "platform: airbnb\n",
        "platform: airbnb\n        account: booking-claire\n",
        [
            "line 15, column 18, account: account booking-claire is one of booking, and the listing says airbnb"
        ],
    ),
    (
        "API without unit",
        "        unit: 01:23\n",
        "",
        [
            'line 16, column 19, platform: give "link" (the address of its calendar), or "account" and "unit" for a '
            "connection by API"
        ],
    ),
    (
        "an empty link",
        f"platform: airbnb\n        link: {LINK}",
        "platform: greengo\n        link: ''",
        ["line 15, column 15, link: greengo is connected by its calendar: give the link of it"],
    ),
    ("a name of spaces", "Le Moulin", "' '", ["line 12, column 11, name: a home needs this field"]),
    (
        "a platform without API",
        "platform: booking\n        account: booking-claire",
        "platform: greengo\n        account: booking-claire",
        [
            "line 16, column 9, link: greengo is connected by its calendar: give the link of it",
            "line 17, column 18, account: account booking-claire is one of booking, and the listing says greengo",
        ],
    ),
    (
        "not a web address",
        LINK,
        f"ftp://example.org/{SECRET}",
        ["line 15, column 15, link: the address must begin with https:// or http://"],
    ),
    (
        "an address at home",
        LINK,
        f"http://192.168.1.10/{SECRET}.ics",
        ["line 15, column 15, link: 192.168.1.10 is not a public address"],
    ),
    (
        "a password in the link",
        LINK,
        f"https://me:{SECRET}@example.org/",
        ["line 15, column 15, link: the address holds a user name or a password"],
    ),
    (
        "the example's placeholder in a file of one's own",
        LINK,
        "http://127.0.0.1:{SANDBOX_PORT}/a.ics",
        [
            "line 15, column 15, link: {SANDBOX_PORT} is filled in only by the example's own run: put your address "
            "here"
        ],
    ),
    (
        "the calendar of another platform",
        "platform: airbnb",
        "platform: vrbo",
        ["line 15, column 15, link: this is a calendar of airbnb, and the listing says vrbo"],
    ),
    (
        "a calendar of a platform that has none",
        "platform: airbnb",
        "platform: channex",
        [
            'line 15, column 15, link: channex has no calendars: give "account" and "unit", or the platform whose '
            "link this is"
        ],
    ),
    (
        "the same link twice",
        "      - platform: booking",
        f"      - {{platform: airbnb, id: again, link: '{LINK}'}}\n      - platform: booking",
        ["line 16, column 45, link: this calendar link stands already on line 15"],
    ),
    (
        "two listings on one platform",
        "      - platform: booking",
        "      - {platform: airbnb, link: 'https://www.airbnb.fr/calendar/ical/12.ics'}\n      - platform: booking",
        [
            "line 16, column 20, platform: moulin has a listing on this platform on line 14 already: give this one "
            "an id of its own (id: ...)"
        ],
    ),
    (
        "the same unit twice",
        "        unit: 01:23\n",
        "        unit: 01:23\n      - {platform: booking, id: b, account: booking-claire, unit: 01:23}\n",
        ["line 19, column 67, unit: this unit of the same account stands already on line 18"],
    ),
    (
        "a key instead of a setting's name",
        "BOOKING_CLIENT_ID",
        SECRET,
        [
            "line 9, column 26, client_id: give the name of a setting instead of the key itself, such as "
            "BOOKING_CLIENT_ID"
        ],
    ),
    (
        "a key that is all capitals",
        "BOOKING_CLIENT_ID",
        "JBSWY3DPEHPK3PXP",
        [
            "line 9, column 26, client_id: give the name of a setting instead of the key itself, such as "
            "BOOKING_CLIENT_ID"
        ],
    ),
    (
        "a key the platform does not have",
        "client_id: BOOKING_CLIENT_ID",
        "client_ident: BOOKING_CLIENT_ID",
        [
            "line 9, column 14, secrets: booking also needs the name of a setting for client_id",
            "line 9, column 29, client_ident: unknown key of booking, did you mean client_id?",
        ],
    ),
    (
        "an account without keys, used by API",
        "    secrets: {client_id: BOOKING_CLIENT_ID, client_secret: BOOKING_SECRET}\n",
        "",
        [
            "line 16, column 18, account: account booking-claire has no secrets: a connection by API needs them"
        ],
    ),
    (
        "a unit in the wrong form",
        "unit: 01:23",
        "unit: 123",
        ["line 18, column 15, unit: a unit of booking is written hotel:room"],
    ),
    (
        "a password field",
        "    platform: booking\n    secrets",
        f"    platform: booking\n    api_key: {SECRET}\n    secrets",
        [
            "line 9, column 5, api_key: keys and passwords do not belong in this file: put it in a setting, and give "
            'the name of the setting instead, under "secrets" of the account'
        ],
    ),
    (
        "a token anywhere",
        "unit: 01:23",
        "unit: 1:sk_live_" + "51H8aaaa",
        [
            "line 18, column 15: this looks like a secret: put it in a setting, and give the name of the setting "
            "instead"
        ],
    ),
    (
        "keys sent without encryption",
        "    secrets",
        "    base_url: http://example.org\n    secrets",
        ["line 9, column 15, base_url: must begin with https://, since keys are sent there"],
    ),
    (
        "the end of keys in words",
        "    secrets",
        "    key_ends: next March\n    secrets",
        ["line 9, column 15, key_ends: write the day as in 2027-03-01"],
    ),
    (
        "bad time zone",
        "    listings:",
        "    zone: Europe/Pari\n    listings:",
        ["line 13, column 11, zone: no such time zone, did you mean Europe/Paris?"],
    ),
    (
        "a time zone that is a path",
        "    listings:",
        "    zone: ../../etc/passwd\n    listings:",
        ["line 13, column 11, zone: no such time zone, write it as in Europe/Paris or Indian/Reunion"],
    ),
    (
        "bad role",
        "role: operator",
        "role: admin",
        ["line 5, column 15, role: unknown role, possible: operator, viewer"],
    ),
    (
        "bad language",
        "role: operator",
        "role: operator\n        language: de",
        ["line 6, column 19, language: unknown language, possible: en, fr"],
    ),
    (
        "bad e-mail",
        "role: operator",
        "role: operator\n        email: claire",
        ["line 6, column 16, email: not an e-mail address"],
    ),
    (
        "the same person twice",
        "        role: operator\n",
        "        role: operator\n      - {principal: claire@example.org, role: viewer}\n",
        ["line 6, column 21, principal: this person of the same owner stands already on line 4"],
    ),
    (
        "no people",
        "    people:\n      - principal: claire@example.org\n        role: operator\n",
        "",
        ["line 2, column 5, people: an owner needs this list"],
    ),
    (
        "bad id",
        "id: moulin",
        "id: Le Moulin",
        ["line 11, column 9, id: use lower-case letters, digits and hyphens (at most 40)"],
    ),
    (
        "the same home twice",
        "homes:\n",
        "homes:\n  - {id: moulin, name: Un}\n",
        ["line 12, column 9, id: home moulin stands there twice"],
    ),
    (
        "the same account twice",
        "homes:\n",
        "  - {id: booking-claire, platform: booking}\nhomes:\n",
        ["line 10, column 10, id: this account stands already on line 7"],
    ),
    (
        "two owners and a home of nobody",
        "accounts:\n",
        "  - {id: marc, people: [{principal: marc, role: viewer}]}\naccounts:\n",
        [
            "line 8, column 5, owner: an account needs this field",
            "line 12, column 5, owner: a home needs this field",
        ],
    ),
    (
        "unknown owner",
        "name: Le Moulin",
        "name: Le Moulin\n    owner: clair",
        ["line 13, column 12, owner: no such owner in this file, did you mean claire?"],
    ),
    (
        "a home inside itself",
        "name: Le Moulin",
        "name: Le Moulin\n    contains: [moulin]",
        ["line 13, column 15, contains: a home cannot be inside itself: moulin contains moulin"],
    ),
    (
        "a count without units",
        "name: Le Moulin",
        "name: Le Moulin\n    rooms: {double: 3}",
        [
            "line 13, column 12, rooms: rooms has 3 of double, so this home could be sold 3 times at once while units "
            "says 1: say units: 3 if that is meant, or give each room a name of its own"
        ],
    ),
    (
        "units in words",
        "name: Le Moulin",
        "name: Le Moulin\n    units: three",
        ["line 13, column 12, units: expected a whole number"],
    ),
    (
        "a group of one",
        "name: Le Moulin",
        "name: Le Moulin\n    group: gites",
        ["line 13, column 12, group: moulin is alone in the group gites: name it on another home too"],
    ),
    (
        "the same field twice",
        "name: Le Moulin",
        "name: Le Moulin\n    name: Le Moulin",
        ["line 13, column 5, name: this name stands already on line 12 and can stand only once"],
    ),
    (
        "a tab",
        "    name: Le Moulin",
        "\tname: Le Moulin",
        ["line 12, column 1: a tab stands here: indent with spaces"],
    ),
    (
        "a reference",
        "name: Le Moulin",
        "name: &a Le Moulin\n    zone: *a",
        [
            "line 12, column 11: references (& and *) are not used here: write the value out",
            "line 13, column 11: references (& and *) are not used here: write the value out",
        ],
    ),
    (
        "a tag",
        "name: Le Moulin",
        "name: !!python/object/apply:os.system [id]",
        [
            "line 12, column 11: a value cannot begin with '!': put it in quotes",
            "line 12, column 11, name: expected a text here",
        ],
    ),
    (
        "a colon in a value",
        "name: Le Moulin",
        "name: Le Moulin: bleu",
        [
            "line 12, column 20: a ':' stands where none can: check the indentation, or put the value in quotes"
        ],
    ),
    (
        "an open quote",
        "name: Le Moulin",
        "name: 'Le Moulin",
        ["line 12, column 11: a quote is opened here and never closed"],
    ),
    (
        "an open bracket",
        "name: Le Moulin",
        "name: [Le Moulin",
        ["line 13, column 13: a list [...] or a group {...} is not closed, or a comma is missing"],
    ),
    (
        "a sign that cannot begin a value",
        "name: Le Moulin",
        "name: @moulin",
        ["line 12, column 11: a value cannot begin with this sign: put it in quotes"],
    ),
    (
        "wrong indentation",
        "    name: Le Moulin",
        "   name: Le Moulin",
        ["line 12, column 4: the indentation does not fit the lines above"],
    ),
    (
        "a second document",
        "accounts:",
        "---\naccounts:",
        ["line 6, column 1: a second document begins here ('---'): the file has one"],
    ),
    (
        "a control character",
        "Le Moulin",
        "Le\x07Moulin",
        ["line 12, column 13: a character stands here that cannot be in a text file"],
    ),
    (
        "no owners",
        GOOD.partition("accounts:")[0],
        "",
        [
            "line 1, column 1, owners: the file needs this list",
            "line 2, column 5, owner: an account needs this field",
            "line 6, column 5, owner: a home needs this field",
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_mistake_is_told_with_its_line(old: str, new: str, said: list[str]) -> None:
    assert old in GOOD
    assert complaints(GOOD.replace(old, new, 1)) == said


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ["line 1, column 1, the file: expected fields here (such as accounts: ...)"]),
        (b"- a\n- b\n", ["line 1, column 1, the file: expected fields here (such as accounts: ...)"]),
        (b"a: 1\nb: \xe9t\xe9\n", ["line 2, column 4: the file is not UTF-8 text: save it as UTF-8"]),
        (b"#" * (1024 * 1024 + 1), ["line 1, column 1: the file is larger than 1024 KiB"]),
        (b"[" * 900_000, ["line 1, column 13: lists and groups are nested more than 12 deep"]),
        (b"- " * 400_000, ["line 1, column 25: lists and groups are nested more than 12 deep"]),
        (b'a: "\\UFFFFFFFF"', ["line 1, column 1: a '\\U' escape in double quotes names no character"]),
    ],
)
def test_a_file_that_is_no_portfolio_at_all(data: bytes, said: list[str]) -> None:
    assert complaints(data) == said


def test_a_file_of_very_many_values_is_refused_soon() -> None:
    (said,) = complaints(b"homes: [" + b"a," * 150_000 + b"]")
    assert said.endswith("the file has more than 100000 values")


def test_everything_wrong_is_told_at_once_and_a_long_list_is_cut() -> None:
    text = (
        GOOD.replace("role: operator", "role: boss").replace("airbnb\n", "airbmb\n").replace("unit", "units")
    )
    assert len(complaints(text)) == 4
    many = "owners: 1\nhomes:\n" + "  - x\n" * 60
    with pytest.raises(PortfolioUnreadable, match="and 21 more") as refused:
        read_portfolio(many.encode(), RULES, name="mine.yaml")
    assert str(refused.value).startswith("mine.yaml has 61 mistakes to mend:\n  line 1, column 9, owners: ")


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(PortfolioUnreadable, match=r"copy portfolio\.example\.yaml to begin with"):
        read_portfolio_file(tmp_path / "mine.yaml", RULES)


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_portfolio_file(path, RULES) == read(GOOD)


WORDS = (
    "owners: homes: listings: people: id:_a name:_x link:_ rooms:_ units:_3 platform:_airbnb contains:_[a,b] "
    "secrets:_{a:_b} - { } [ ] :_ &a_ *a !!x_ ' | > ? # % @ é ~ --- ... <<:_ \\"
)
PIECES = [*WORDS.replace("_", "\0").split(" "), '"', " ", "  ", "\n", "- ", "\t", "\x07", LINK]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(lambda words: "".join(words).replace("\0", " ")))
def test_no_text_makes_the_reader_raise_anything_else_or_repeat_a_link(text: str) -> None:
    said = mistakes(text)
    assert said is None or (said and SECRET not in "".join(said))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_tree_reader_raise(data: bytes) -> None:
    report = Report()
    assert read_tree(data, report) is not None or report.problems


@given(st.data())
def test_a_damaged_good_file_gives_lines_inside_the_file(data: st.DataObject) -> None:
    lines = GOOD.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    damage = data.draw(
        st.sampled_from(["", "x\n", " " + lines[at], lines[at] * 2, lines[at].replace(":", "")])
    )
    for said in mistakes("".join([*lines[:at], damage, *lines[at + 1 :]])) or ():
        assert 1 <= int(said.removeprefix("line ").partition(",")[0]) <= len(lines) + 2
