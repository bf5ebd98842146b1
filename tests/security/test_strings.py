"""Strings that broke other people's programs, wherever a person can write one: stored and loaded back exactly, and
never in a calendar we export, a log line (one event is one line) or an error's text."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import product

import pytest

from local.azurite import Azurite
from shared.adapters.log_voice import LogNotify, LogTelemetry
from shared.adapters.table_store import open_tables
from shared.connectors.airbnb_notification import read_notification
from shared.connectors.ical_read import LONGEST_UID, read_calendar
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.errors import PayloadRejected, StoreUnavailable, Unreadable
from shared.domain.facts import FeedEvent, SeenRoom, SeenStay
from shared.domain.model import Account, Busy, Listing, Part, Property, Reservation, Site, Status
from shared.domain.platform import BOOKING, GREENGO, Link
from shared.domain.portfolio import Home
from shared.memory.tables import MemoryTables
from shared.ports.stores import Tables
from shared.state.accounts import AccountStore
from shared.state.limits import check_row
from shared.state.names import SITES
from shared.state.site_codec import reservation_row, to_reservation
from shared.state.sites import Changes, SiteStore
from shared.use_cases import WebhookCall
from tests.engine.hamlet import Hamlet, calendar, link, linked
from tests.engine.people import LOCAL
from tests.security.corpus import load

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
NOW = datetime(2027, 3, 1, tzinfo=UTC)
IN_ONE = 10
"""Strings of one home, where the whole engine is asked."""
EACH = 45
"""Strings in one site, when a real store is asked: the site, its homes and its stays are one transaction each."""


def strings() -> list[str]:
    """All of them, each once."""
    return list(dict.fromkeys([*load("strings/blns.json"), *load("strings/crlf.json")]))


def test_all_of_them_are_here() -> None:
    assert len(strings()) == 528


# -------------------------------------------------------------------------------------- stored and loaded back


def guest(name: str, uid: str) -> Reservation:
    part = Part("", "listing", JULY, NOW)
    facts = ("account", f"listing:{uid}", Busy.CLOSED, Status.CONFIRMED, (part,))
    return Reservation(*facts, feed="listing", aliases=(uid,), guest=name)


def read_uid(text: str) -> str:
    """The UID that the reader gives an event whose calendar says this one, escaped as the standard wants."""
    for old, new in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(old, new)
    body = calendar(("@uid@", JULY)).replace(b"@uid@", text.encode())
    (event,) = read_calendar(body, GREENGO, "Europe/Paris", NOW.date()).events
    return event.uid


def test_a_uid_is_read_as_it_was_written_or_by_a_name_that_stands_for_it() -> None:
    """Blank ones are known by what the event says, long ones by their hash: no two of them are taken for one."""
    found = {text: read_uid(text) for text in strings()}
    for text, uid in found.items():
        if not text.strip():
            assert re.fullmatch("content-[0-9a-f]{40}", uid)
        elif len(text.encode()) > LONGEST_UID:
            assert re.fullmatch("sha256-[0-9a-f]{48}", uid)
        else:
            assert uid == text
    assert len(set(found.values())) == len([text for text in found if text.strip()]) + 1


@dataclass
class Stores:
    """One store, asked as the engine asks."""

    tables: Tables
    serial: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def __post_init__(self) -> None:
        self.sites = SiteStore(self.tables, lambda: f"id{next(self.serial):06}")
        self.accounts = AccountStore(self.tables)


async def round_trip(stores: Stores, name: str, texts: Sequence[str]) -> None:
    """A site whose homes and guests are named so, and an account with notes: out and in."""
    homes = {f"h{n}": Property(f"h{n}", text, frozenset({f"h{n}"})) for n, text in enumerate(texts)}
    site = Site(name, "owner", homes, dict.fromkeys(homes, 1))
    listing = Listing("listing", "h0", GREENGO, "account", Link.ICAL)
    await stores.sites.create(site, [listing])
    guests = [guest(text, read_uid(text)) for text in texts]
    await stores.sites.commit(await stores.sites.load(name), Changes(reservations=guests))
    note = "\n".join(texts)
    await stores.accounts.put(Account(name, BOOKING, "owner"))
    await stores.accounts.pause(name, note)
    state, account = await stores.sites.load(name), await stores.accounts.load(name)
    assert state.whole
    assert state.site == site
    assert list(state.reservations.values()) == sorted(guests, key=lambda one: one.key)
    assert account is not None
    assert account.paused == note


async def test_the_store_in_memory_gives_each_of_them_back() -> None:
    stores = Stores(MemoryTables(lambda: NOW))
    for number, text in enumerate(strings()):
        await round_trip(stores, f"site{number}", [text])


@pytest.mark.azurite
async def test_the_real_store_gives_each_of_them_back(azurite: Azurite) -> None:
    texts = strings()
    tables = open_tables(
        connection_string=azurite.connection_string,
        monotonic=time.monotonic,
        wall=lambda: datetime.fromtimestamp(time.time(), UTC),
        deadline=30,
    )
    run = uuid.uuid4().hex
    # Blank UIDs are one and the same event: each of them needs a site of its own.
    blank = [text for text in texts if not text.strip()]
    plain = [text for text in texts if text.strip()]
    batches = [plain[start : start + EACH] for start in range(0, len(plain), EACH)] + [[one] for one in blank]
    try:
        for number, batch in enumerate(batches):
            await round_trip(Stores(tables), f"{run}-{number}", batch)
    finally:
        await tables.close()


# ---------------------------------------------------------------------------------- never shown, one line each


@dataclass(frozen=True)
class Told:
    """All that the engine said to the world in one story."""

    lines: tuple[str, ...]
    exports: tuple[bytes, ...]
    status: bytes


class Lines(logging.Handler):
    """Keeps what is logged, as text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(record.getMessage())


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler.seen
    root.removeHandler(handler)
    root.setLevel(level)


def story(lines: list[str], guests: Sequence[str], uids: Sequence[str]) -> Told:
    """Homes that are sold over and over, on Booking.com and in a calendar on the same nights. One site in ten cannot be
    stored at first, and some rooms nobody knows: conflicts, failures and oddities are told."""
    start, nights = (
        len(lines),
        [StayDates.of_nights(JULY.check_in + n * 3 * ONE_DAY, 2) for n in range(IN_ONE)],
    )
    homes = [Home(f"h{n:03}", "Moulin", "owner") for n in range(-(-len(guests) // IN_ONE))]
    built = Hamlet(
        homes, dict.fromkeys((one.id for one in homes), GREENGO), voices=(LogNotify(), LogTelemetry())
    )
    for n, home in enumerate(homes):
        mine = slice(n * IN_ONE, (n + 1) * IN_ONE)
        built.web.answers[link(home.id)] = calendar(*zip(uids[mine], nights, strict=False))
        for number, (name, dates) in enumerate(zip(guests[mine], nights, strict=False)):
            room = SeenRoom(home.id if number or n % 5 else "unknown", "1", dates)
            built.booking.tell(SeenStay(f"{home.id}-{number}", Status.CONFIRMED, (room,), guest=name))

    def fail(operation: str, table: str, partition: str) -> None:
        if (operation, table) == ("submit", SITES) and partition.endswith("7"):
            raise StoreUnavailable("the store did not answer")

    built.run(built.first_answers())
    built.memory.before = fail
    built.run(built.poll())
    built.memory.before = None
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    built.run(built.drain())
    answers = [export(built, home.id) for home in homes]
    status = json.dumps(built.run(built.engine.overview.everything(LOCAL)), ensure_ascii=False).encode()
    built.close()
    return Told(tuple(map(timeless, lines[start:])), tuple(answers), status)


_OF_NOBODY: list[Told] = []


def story_of_nobody(lines: list[str], facts: int) -> Told:
    """The story of guests without names, in calendars whose UIDs say nothing: the same each time, so told once."""
    if not _OF_NOBODY:
        _OF_NOBODY.append(story(lines, [""] * facts, [f"uid{n}" for n in range(facts)]))
    return _OF_NOBODY[0]


def timeless(line: str) -> str:
    """A line without the instant at which it was written."""
    return re.sub(r'"time": "[0-9T:.-]+Z", ', "", line, count=1)


def export(built: Hamlet, home: str) -> bytes:
    answer = built.run(built.engine.export_calendar(built.tokens[linked(home, GREENGO)], {}))
    assert answer.status == 200
    assert set(answer.headers) == {"content-type", "etag", "cache-control"}
    return answer.body


def test_guests_are_in_no_calendar_no_log_line_and_no_status(lines: list[str]) -> None:
    """Whatever they are called, what is said is the same to the byte as if they had no name at all."""
    texts = strings()
    uids = [f"uid{n}" for n in range(len(texts))]
    named = story(lines, texts, uids)
    assert named == story_of_nobody(lines, len(texts))
    said = [json.loads(line) for line in named.lines]
    kinds = {(line["event"], line.get("notice", "")) for line in said}
    assert {("notice", "conflict"), ("notice", "unplaced"), ("ingest_failed", "")} <= kinds
    assert all(b"BEGIN:VEVENT" in body for body in named.exports)


EXPORTED = re.compile(
    rb"BEGIN:VCALENDAR|VERSION:2\.0|PRODID:-//hamlet\.example//Sync Engine//EN|CALSCALE:GREGORIAN|METHOD:PUBLISH|"
    rb"X-WR-CALNAME:Hamlet|BEGIN:VEVENT|UID:[0-9a-f]{32}@hamlet\.example|DTSTAMP:20200101T000000Z|"
    rb"DT(START|END);VALUE=DATE:\d{8}|SUMMARY:Not available|TRANSP:OPAQUE|END:VEVENT|END:VCALENDAR"
)


def test_uids_are_in_no_calendar_and_in_no_log_line(lines: list[str]) -> None:
    """A calendar of ours has room for nothing but nights; a conflict is told by home, nights and channels."""
    uids = [read_uid(text) for text in strings()]
    said = story(lines, [""] * len(uids), uids)
    for body in said.exports:
        assert all(EXPORTED.fullmatch(line) for line in body.removesuffix(b"\r\n").split(b"\r\n")), body
    plain = story_of_nobody(lines, len(uids))
    assert sorted(map(nameless, said.lines)) == sorted(map(nameless, plain.lines))


def nameless(line: str) -> str:
    """A line without the hash that names a conflict, and without what depends on how many facts there are: UIDs that a
    reader takes for equal are one event with several nights, and three stays that clash are graded otherwise."""
    counted = (
        r"\b[0-9a-f]{24}\b|\"changed\": \d+|\"severity\": \"\w+\"| Notre première proposition\\u202f: [^\"]*"
    )
    return re.sub(counted, "", line)


def test_a_home_may_have_any_name_and_stays_on_one_line(lines: list[str]) -> None:
    built = Hamlet([Home("h", "Moulin", "owner")], {"h": GREENGO}, voices=(LogNotify(), LogTelemetry()))
    built.booking.tell(SeenStay("s", Status.CONFIRMED, (SeenRoom("h", "1", JULY),)))
    built.run(built.first_answers())
    built.web.answers[link("h")] = calendar(("u", JULY))
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    built.run(built.drain())
    body = export(built, "h")
    for text in strings():
        state = built.run(built.engine.world.sites.load("h"))
        home = replace(state.site.properties["h"], name=text)
        (clash,) = state.conflicts.values()
        news = Changes(
            site=replace(state.site, properties={"h": home}), conflicts=[replace(clash, told=False)]
        )
        built.run(built.engine.world.sites.commit(state, news))
        lines.clear()
        built.run(built.engine.desk.handle(f"h/{clash.id}"))
        assert all(one.isprintable() for one in lines)
        (line,) = (one for one in lines if json.loads(one)["event"] == "notice")
        assert line.isprintable()
        assert line.splitlines() == [line]
        assert f"\u202f: {text}, " in json.loads(line)["text"]
        assert export(built, "h") == body
    built.close()


def test_no_repr_shows_a_guest() -> None:
    makers: list[Callable[[str], object]] = [
        lambda name: guest(name, "u"),
        lambda name: SeenStay("s", Status.CONFIRMED, guest=name),
        lambda name: FeedEvent("u", Busy.CLOSED, (JULY,), guest=name),
    ]
    for make in makers:
        assert {repr(make(text)) for text in strings()} == {repr(make(""))}


def test_an_error_does_not_quote_what_it_refuses() -> None:
    """Too long for a column, not a notification, an unreadable row: the error says what and where, and no more."""
    seen = set()
    for text, refused in product((text for text in strings() if text), (too_long, notified, spoiled)):
        with pytest.raises((ValueError, PayloadRejected, Unreadable)) as wrong:
            refused(text)
        seen.add(re.sub(r"\d+", "0", str(wrong.value)))
    assert seen == {
        "row 'site'/'d|account|listing:u', column 'guest': 0 bytes, 0 allowed",
        "a notification without a readable action",
        "column parts is not JSON",
    }


def too_long(text: str) -> None:
    check_row(reservation_row("site", guest((text * 40_000)[:40_000], "u")))


def notified(text: str) -> None:
    read_notification({"what": text})


def spoiled(text: str) -> None:
    row = reservation_row("site", guest("", "u"))
    to_reservation(replace(row, values={**row.values, "parts": f"{{{text}"}))


def test_a_link_nobody_knows_is_the_same_404_whatever_it_says() -> None:
    built = Hamlet([Home("h", "Moulin", "owner")])
    answers = {
        (answer.status, answer.body, tuple(sorted(answer.headers.items())))
        for text in strings()
        for answer in (
            built.run(built.engine.export_calendar(text, {"user-agent": text, "if-none-match": text})),
            built.run(built.engine.receive_webhook(WebhookCall(text, text, text, body=text.encode()))),
        )
    }
    built.close()
    assert answers == {
        (404, b"not found", (("content-type", "text/plain"),)),
        (404, b'{"title": "not found"}', (("content-type", "application/json; charset=utf-8"),)),
    }
