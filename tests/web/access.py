"""A village of two owners with something of every kind in it, for the table of who may do what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from shared.bootstrap.portfolio import YamlPortfolio, portfolio_rules
from shared.domain.access import Person, Role
from shared.domain.dates import StayDates
from shared.domain.model import Property, Site, SyncMode
from shared.domain.platform import GREENGO, Link
from shared.domain.portfolio import Portfolio, PortfolioListing
from shared.domain.wish import Wanted
from shared.engine.opaque import sealed
from shared.routes import Route
from shared.state.inbox import SetAside
from tests.engine.stories import AUGUST, MINUTE, after, told
from tests.engine.test_conflict_room import sold_twice
from tests.engine.test_removals import vanished
from tests.engine.village import HOME, Village

OPERATOR = Person("Ada", {"owner": Role.OPERATOR})
VIEWER = Person("Vera", {"owner": Role.VIEWER})
OTHER = Person("Marc", {"marc": Role.OPERATOR})
BOTH = Person("Mia", {"owner": Role.VIEWER, "marc": Role.OPERATOR})
THEIRS = "phare"
"""The other owner's home."""

LATE = StayDates(date(2027, 9, 1), date(2027, 9, 4))
MADE_UP = "made-up"
Dump = dict[tuple[str, str], Any]


@dataclass
class Stage:
    """The village, and what stands in it of the first owner: by kind, the name an address calls it, and one of the same
    make that never was."""

    village: Village
    real: dict[str, str] = field(default_factory=dict)
    made_up: dict[str, str] = field(default_factory=dict)

    def dump(self) -> Dump:
        """Every row there is, but for those that say who works at something for a moment."""
        found = {
            part: {key: row for key, row in rows.items() if not key.startswith("lease|")}
            for part, rows in self.village.tables._partitions.items()
        }
        return {part: rows for part, rows in found.items() if rows}

    def of_first_owner(self) -> set[str]:
        """Words that tell of the first owner's homes, whoever reads them."""
        return {HOME, "Moulin", *(name for kind, name in self.real.items() if kind in OPAQUE)}


OPAQUE = ("conflict", "removal", "message", "job", "link")
"""Kinds whose names are said nowhere else."""


def staged() -> Stage:
    """Built anew: some stories use things up."""
    village = Village(guarded=True)
    run = village.run
    # The village was built without texts.
    object.__setattr__(village.engine.world, "portfolio_text", lambda: YamlPortfolio(portfolio_rules()))
    run(village.engine.portfolio.run(other_portfolio()))
    run(village.poll_greengo())
    run(village.drain())
    vanished(village, AUGUST)
    sold_twice(village)
    told(village, "airbnb", LATE)
    after(village, MINUTE)
    quarantine = village.engine.world.inbox.quarantine(
        "odd~stay", "booking", "unplaced", b"{}", SetAside.STAY
    )
    run(quarantine)
    engine = village.engine
    job = run(engine.sync_desk.start(OPERATOR, Wanted(SyncMode.MANUAL))).head.id
    run(village.drain())
    (listed,) = run(engine.cases.listed(OPERATOR))
    removal = run(engine.vanished.found(OPERATOR))[0]
    (message,) = run(engine.poisoned.found(OPERATOR)).rows
    (link,) = run(engine.link_views.listed(OPERATOR))
    conflict = run(engine.cases.shown(OPERATOR, listed.name))
    stage = Stage(village)
    stage.real = {
        "home": HOME,
        "account": "booking",
        "operation": "write",
        "mark": "of-nothing",
        "conflict": conflict.name,
        "removal": removal.id,
        "message": message.id,
        "job": job,
        "link": link.id,
        "proposal": conflict.proposals[0].id,
        "tag": conflict.tag,
    }
    stage.made_up = {
        **stage.real,
        "home": MADE_UP,
        "account": MADE_UP,
        "conflict": sealed(MADE_UP, "x"),
        "removal": sealed(MADE_UP, "x", "1"),
        "message": sealed("row", "", "made~up"),
        "job": MADE_UP,
        "link": sealed(MADE_UP, "x"),
    }
    return stage


def other_portfolio() -> Portfolio:
    """The second owner's: a home on Greengo."""
    home = Property(THEIRS, "Le Phare", frozenset({THEIRS}))
    link = "https://greengo.example/phare"
    listing = PortfolioListing(
        f"{THEIRS}-greengo", THEIRS, THEIRS, GREENGO, "greengo-marc", Link.ICAL, "", link
    )
    return Portfolio((), (), (Site(THEIRS, "marc", {THEIRS: home}, {THEIRS: 1}),), (listing,))


# ------------------------------------------------------------------------------------------ what is asked

NAMED: dict[tuple[str, str], str] = {
    ("calendar", "home"): "home",
    ("homes", "id"): "home",
    ("channels", "account"): "account",
    ("channels", "operation"): "operation",
    ("platforms", "account"): "account",
    ("platforms", "operation"): "operation",
    ("conflicts", "id"): "conflict",
    ("removals", "id"): "removal",
    ("messages", "id"): "message",
    ("quarantine", "id"): "message",
    ("sync", "job"): "job",
    ("jobs", "id"): "job",
    ("links", "id"): "link",
    ("notifications", "mark"): "mark",
}
"""What a name in an address names, by the address's first word. A route whose names are not here has no row."""

QUERIES = {
    "history": "home={home}",
    "history.csv": "home={home}",
    "why": "date=2027-07-10&home={home}",
    "removals": "home={home}",
    "calendar": "home={home}",
}
"""What a question names, by the address without "api/"."""

NEEDED = "date"
"""How a question begins that nobody may leave out."""

BODIES: dict[str, dict[str, object]] = {
    "api/sync": {"property": "{home}"},
    "api/connect": {"url": "https://greengo.example/new", "home": "{home}"},
    "api/feeds/check": {"url": "https://greengo.example/new"},
    "api/platforms/{account}/mode": {"mode": "batch"},
    "api/platforms/{account}/circuits/{operation}": {"state": "forced_open"},
    "api/conflicts/{id}/resolution": {"proposal": "{proposal}"},
    "api/links/{id}/renew": {"days": 3},
    "api/people/export": {"reservation": "A1"},
    "api/people/erase": {"reservation": "A1"},
    "sync": {"target": "home:{home}"},
    "retry": {"home": "{home}"},
    "connect": {"link": "https://greengo.example/new", "home": "{home}"},
    "connect/look": {"link": "https://greengo.example/new"},
    "channels/{account}/mode": {"mode": "batch", "poll_minutes": "2", "batch_minutes": "15"},
    "channels/{account}/circuits/{operation}": {"state": "forced_open"},
    "conflicts/{id}/decide": {"proposal": "{proposal}", "tag": "{tag}", "note": ""},
    "homes/{id}/name": {"name": "Le Vieux Moulin"},
    "links/{id}/replace": {"link": "https://greengo.example/new"},
    "api/notifications": {
        "language": "fr",
        "zone": "Europe/Paris",
        "begins": "22:00",
        "ends": "07:00",
        "digest": "08:00",
    },
    "privacy/find": {"reservation": "A1"},
    "privacy/export": {"reservation": "A1"},
    "privacy/erase": {"reservation": "A1"},
}
"""What a good body is; all others are empty."""


def kinds_of(route: Route) -> dict[str, str]:
    """What each name in the address of a route names. Raises ``LookupError`` for one that the table does not know."""
    first = route.path.removeprefix("api/").partition("/")[0]
    return {name: NAMED[first, name] for name in re.findall(r"{(\w+)}", route.path)}


def address(route: Route, names: dict[str, str], *, bare: bool = False) -> str:
    """The address of a route, with its names and its question; ``bare`` asks for everything where one may."""
    kinds = kinds_of(route)
    where = re.sub(r"{(\w+)}", lambda found: names[kinds[found[1]]], route.path)
    query = QUERIES.get(route.path.removeprefix("api/"), "") if not route.changes else ""
    if bare and not query.startswith(NEEDED):
        query = ""
    return f"/{where.lstrip('/')}" + (f"?{query.format(**names)}" if query else "")


def body_of(route: Route, names: dict[str, str]) -> dict[str, str]:
    """The fields of a good body."""
    return {
        key: value.format(**names) if isinstance(value, str) else value
        for key, value in BODIES.get(route.path, {}).items()
    }


def names_something(route: Route) -> bool:
    """Whether a request of this route is about something of somebody."""
    asked = str(BODIES.get(route.path, "")) + QUERIES.get(route.path.removeprefix("api/"), "")
    return bool(re.search(r"{(home|account|conflict)}", asked)) or bool(kinds_of(route))


def encoded(route: Route, fields: dict[str, str], **more: str) -> bytes:
    """A body as its route wants it."""
    import json

    return urlencode({**fields, **more}).encode() if route.is_page else json.dumps(fields).encode()
