"""Two releases on the same rows (rule 27): what a newer or an older one wrote is read, or left alone; what cannot be
read closes and never opens; nothing that somebody else wrote is lost. See docs/decisions/upgrades.md."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.tables.backup import TABLES
from shared.domain.access import Role
from shared.domain.dates import StayDates
from shared.domain.errors import SyncError, Unreadable
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.health import Code
from shared.domain.model import Account, Phase, Status
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from shared.domain.portfolio import Owner
from shared.engine.inbox import UNKNOWN_FOR
from shared.engine.modes import UNREAD_EVERY
from shared.engine.work import MOST_DELIVERIES
from shared.messages import encode
from shared.ports.bus import Message
from shared.ports.platforms import Notification
from shared.ports.stores import Row, Value
from shared.state import names, site_codec
from shared.state.accounts import AccountState, Place
from shared.state.people import PeopleStore
from tests.engine.stories import (
    AUGUST,
    JULY,
    MINUTE,
    after,
    cancelled,
    hear,
    nights,
    polled,
    pulled,
    stored,
    told,
)
from tests.engine.test_found import second_airbnb
from tests.engine.village import HOME, Village
from tests.hypothesis_profiles import budget

OCTOBER = StayDates(date(2027, 10, 1), date(2027, 10, 5))
NEWER = "a_column_of_a_newer_release"
WORD = "from-the-future"

WORDS: Mapping[str, tuple[str, ...]] = {
    site_codec.LISTING: ("link",),
    site_codec.RESERVATION: ("kind", "status"),
    site_codec.BLOCK: ("phase",),
    site_codec.CONFLICT: ("severity", "proposal", "certainty"),
    "account": ("mode", "paused"),
}
"""Columns that hold one of a few words, by how their row's key begins."""

KINDS = (
    (names.SITES, HOME, "h|kind"),
    (names.SITES, HOME, "z|kind"),
    (names.FEEDS, "0000", "~next"),
    (names.FEED_READS, f"{HOME}-greengo", "999999999999?kind"),
    (names.DUE, "00", "~kind"),
    (names.ACCOUNTS, "booking", "kind|x"),
    (names.ACCOUNTS, names.DIRECTORY, "kind|x"),
    (names.INBOX, "airbnb~20270301", "~kind"),
    (names.RUNS, "2027-03-01", "0kind"),
    (names.RUNS, "~jobs", "kind|x"),
)


class Opened(NamedTuple):
    """A night that was put on sale: where, and whether the site could be read whole then."""

    platform: str
    night: date


def rows(village: Village) -> list[tuple[str, Row]]:
    async def read() -> list[tuple[str, Row]]:
        return [(table, row) for table in TABLES async for row in village.tables.everything(table)]

    return village.run(read())


def lived(village: Village) -> list[Opened]:
    """A story that leaves a row of nearly every kind; from then on each night that is opened is noted, and none may be
    sold elsewhere."""
    told(village, AIRBNB, JULY)
    told(village, BOOKING, AUGUST)
    village.book(GREENGO, StayDates(date(2027, 7, 12), date(2027, 7, 15)))
    polled(village)
    pulled(village)
    polled(village)
    village.run(village.engine.world.inbox.put("airbnb", b"{}"))
    village.run(village.engine.world.inbox.quarantine("q", "work", "odd", b"{}"))
    village.run(village.engine.world.due.put(HOME, village.clock.now(), "asked"))
    opened: list[Opened] = []

    def opens(platform: str, night: date) -> None:
        calendars = village.platforms().items()
        elsewhere = nights(*(s.dates for name, one in calendars if name != platform for s in one.live()))
        assert night not in elsewhere, f"{platform} opens {night}, sold elsewhere"
        opened.append(Opened(platform, night))

    village.airbnb.on_open = village.booking.on_open = village.greengo.on_open = opens
    return opened


def goes_on(village: Village) -> None:
    """A guest cancels, another books, and the clocks tick; what cannot be read may fail, in our own words."""
    stay = next(iter(village.booking.calendar.live()), None)
    village.book(AIRBNB, OCTOBER)
    with suppress(SyncError):
        hear(village)
    with suppress(SyncError):
        if stay is not None:
            cancelled(village, BOOKING, stay)
    for _ in range(3):
        village.clock.advance(25 * MINUTE)
        for tick in (
            village.engine.on_timer_poll_accounts,
            village.engine.on_timer_poll_feeds,
            village.engine.on_timer_sweep,
            village.drain,
            village.greengo_pulls,
            village.drain,
            village.engine.on_timer_health,
        ):
            with suppress(SyncError):
                village.run(tick())


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, int, int]:
    """What another release did, to which row, and to which of its columns."""
    what = draw(st.sampled_from(["drop", "add", "word", "kind", "type"]))
    return what, draw(st.integers(0, 10_000)), draw(st.integers(0, 50))


def change(village: Village, what: str, which: int, column: int) -> None:
    found = [(table, row) for table, row in rows(village) if row.key not in (site_codec.SITE,)]
    if what == "kind":
        table, partition, key = KINDS[which % len(KINDS)]
        village.run(village.tables.upsert(table, Row(partition, key, {NEWER: "kept"})))
        return
    if what == "word":
        found = [(table, row) for table, row in found if words_of(row)]
    table, row = found[which % len(found)]
    values = dict(row.values)
    names_of = sorted(words_of(row) if what == "word" else values)
    name = names_of[column % len(names_of)] if names_of else NEWER
    if what == "drop":
        values.pop(name, None)
    elif what == "word":
        values[name] = WORD
    elif what == "type":
        values[name] = 7.5
    values[NEWER] = "kept"
    village.run(rewritten(village, table, Row(row.partition, row.key, values)))


async def rewritten(village: Village, table: str, row: Row) -> None:
    await village.tables.delete(table, row.partition, row.key)
    await village.tables.insert(table, row)


def words_of(row: Row) -> tuple[str, ...]:
    return next(
        (tuple(set(c) & row.values.keys()) for kind, c in WORDS.items() if row.key.startswith(kind)), ()
    )


@settings(
    max_examples=budget(test=25, prove=3000),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(st.lists(changes(), min_size=1, max_size=3))
def test_rule_27_whatever_another_release_wrote_nothing_sold_opens_and_nothing_breaks(
    found: list[tuple[str, int, int]],
) -> None:
    village = Village()
    try:
        lived(village)
        for one in found:
            change(village, *one)
        village.restart()
        goes_on(village)
    finally:
        village.close()


# ------------------------------------------------------------------------------------------- row by row


@pytest.fixture
def opened(village: Village) -> list[Opened]:
    return lived(village)


def put(village: Village, table: str, partition: str, key: str, values: Mapping[str, Value]) -> None:
    village.run(village.tables.upsert(table, Row(partition, key, values)))


def test_rule_27_a_row_of_an_unknown_kind_among_the_living_closes_and_never_opens(
    village: Village, opened: list[Opened]
) -> None:
    put(village, names.SITES, HOME, "h|kind", {"what": "unknown"})
    goes_on(village)
    assert opened == []
    assert village.booking.calendar.closed >= nights(OCTOBER)
    assert village.run(village.greengo_pulls()) == 503
    village.run(village.tables.delete(names.SITES, HOME, "h|kind"))
    goes_on(village)
    assert opened


def test_rule_27_a_row_of_an_unknown_kind_behind_the_living_is_nobodys_business(
    village: Village, opened: list[Opened]
) -> None:
    put(village, names.SITES, HOME, "z|kind", {"what": "unknown"})
    goes_on(village)
    assert opened


@pytest.mark.parametrize("column", ["parts", "status", "kind"])
def test_rule_27_a_stay_without_what_every_release_writes_is_not_a_stay_without_nights(
    village: Village, opened: list[Opened], column: str
) -> None:
    (row,) = (row for _, row in rows(village) if row.key.startswith("d|airbnb"))
    values = {name: one for name, one in row.values.items() if name != column}
    village.run(rewritten(village, names.SITES, Row(HOME, row.key, values)))
    assert not stored(village).whole
    (stay,) = village.booking.calendar.live()
    cancelled(village, BOOKING, stay)
    assert village.run(village.greengo_pulls()) == 503
    assert opened == []
    goes_on(village)
    assert stored(village).whole, "the platform was asked anew, and the row is whole again"
    assert opened


def test_rule_27_a_closure_of_an_unknown_phase_is_not_opened(village: Village, opened: list[Opened]) -> None:
    for _, row in rows(village):
        if row.key.startswith(f"f|{HOME}-booking"):
            put(village, names.SITES, HOME, row.key, {"phase": WORD})
    goes_on(village)
    assert opened == []
    assert village.booking.calendar.closed >= nights(JULY)


def test_one_unreadable_row_keeps_no_other_from_its_turn(village: Village) -> None:
    """The sweep, a shard's pass, the list of reports, the evidence of a calendar: one odd row used to stop each."""
    put(village, names.DUE, "00", "odd", {"at": 5})
    put(village, names.FEEDS, "0000", "odd", {"url": 5})
    put(village, names.FEEDS, "0000", "~next", {"what": "unknown"})
    put(village, names.FEED_READS, f"{HOME}-greengo", "999999999999?", {"at": "soon"})
    put(village, names.RUNS, "2027-03-01", "0kind", {"what": "unknown"})
    put(village, names.INBOX, "airbnb~20270301", "~kind", {"what": "unknown"})
    put(
        village,
        names.INBOX,
        "airbnb~20270301",
        "~other",
        {"body": b"{}", "at": "2027-03-01T07:00:00.000000Z"},
    )
    told(village, AIRBNB, JULY)
    pulled(village)
    after(village, MINUTE)
    village.run(village.engine.on_timer_sweep())
    assert village.booking.calendar.closed == nights(JULY)
    assert village.greengo.calendar.closed == nights(JULY)
    assert village.run(village.engine.calendars.shard("0000", force=True)).asked == 1
    assert village.run(village.engine.world.runs.newest(date(2027, 3, 1)))


@pytest.mark.parametrize("column", ["site", "listing"])
def test_rule_27_a_unit_that_does_not_say_where_it_belongs_frees_no_nights(
    village: Village, opened: list[Opened], column: str
) -> None:
    """Its stays used to be put at no listing, where they held no nights, and those were opened elsewhere. Written
    anew it is read again."""
    row = village.run(village.tables.get(names.ACCOUNTS, "airbnb", "unit|unit-airbnb"))
    assert row is not None
    place = row.values
    values = {name: value for name, value in place.items() if name != column}
    village.run(rewritten(village, names.ACCOUNTS, Row(row.partition, row.key, values)))
    village.restart()
    goes_on(village)
    assert {one.night for one in opened} <= nights(AUGUST)
    assert nights(JULY) <= village.booking.calendar.closed
    village.run(
        village.engine.world.accounts.put_unit("airbnb", "unit-airbnb", Place(HOME, f"{HOME}-airbnb"))
    )
    row = village.run(village.tables.get(names.ACCOUNTS, "airbnb", "unit|unit-airbnb"))
    assert row is not None
    assert row.values == place


def test_rule_27_an_account_that_cannot_be_read_keeps_no_other_from_being_asked(village: Village) -> None:
    put(village, names.ACCOUNTS, "airbnb", "account", {"secrets": 5})
    village.restart()
    before = village.booking.asked["poll"]
    village.clock.advance(MINUTE)
    village.run(village.engine.on_timer_poll_accounts())
    village.run(village.drain())
    assert village.booking.asked["poll"] > before
    village.book(GREENGO, JULY)
    polled(village)
    assert village.booking.calendar.closed == nights(JULY), "and no closure from going out"
    assert village.airbnb.calendar.closed == set()


def test_an_account_that_cannot_be_read_is_told_of_once_an_hour_and_all_the_while_by_the_health_report(
    village: Village,
) -> None:
    """It used to fail the timer of 5 s at each tick: 17,000 lines a day, and the alert for failures all day long."""

    def said() -> int:
        return sum(1 for name, _ in village.telemetry.events if name == "account_unreadable")

    def ticks(many: int) -> None:
        for _ in range(many):
            village.clock.advance(MINUTE / 12)
            village.run(village.engine.on_timer_poll_accounts())

    put(village, names.ACCOUNTS, "airbnb", "account", {"secrets": 5})
    village.restart()
    ticks(30)
    assert said() == 1
    (found,) = (one for one in village.run(village.engine.watch.report()).ill if one.code is Code.UNREAD)
    assert found.about == "airbnb"
    village.clock.advance(UNREAD_EVERY)
    ticks(2)
    assert said() == 2
    put(village, names.ACCOUNTS, "airbnb", "account", {"secrets": ""})
    ticks(30)
    put(village, names.ACCOUNTS, "airbnb", "account", {"secrets": 5})
    ticks(2)
    assert said() == 3, "mended in between: it is news again"


def test_an_account_that_cannot_be_read_any_more_when_it_is_called_costs_no_other_its_confirmation(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = village.engine.modes.account

    async def account(name: str) -> AccountState | None:
        if name == "airbnb":
            raise Unreadable("column secrets is not a text")
        return await right(name)

    calls = village.engine.reconciler._calls
    monkeypatch.setattr(calls, "_modes", SimpleNamespace(account=account))
    village.book(GREENGO, JULY)
    polled(village)
    assert village.booking.calendar.closed == nights(JULY)
    rows = {row.listing: row for row in stored(village).blocks.values() if row.dates == JULY}
    assert rows[f"{HOME}-booking"].phase is Phase.ACCEPTED
    assert rows[f"{HOME}-airbnb"].error == "column secrets is not a text"


@pytest.fixture
def two_hosts(village: Village) -> Village:
    """Two accounts on Airbnb, of which the first cannot be read; only the second knows HM1."""
    village.run(village.engine.portfolio.run(second_airbnb(village)))
    village.run(village.drain())
    put(village, names.ACCOUNTS, "airbnb", "account", {"secrets": 5})
    village.restart()

    async def reread(account: Account, reservation: str) -> SeenStay | None:
        if (account.id, reservation) != ("airbnb-2", "HM1"):
            return None
        return SeenStay(reservation, Status.CONFIRMED, (SeenRoom("unit-second", "1", JULY),), 5)

    village.airbnb.reread = reread  # type: ignore[method-assign]
    return village


def rings(village: Village, reservation: str, *units: str) -> None:
    rooms = tuple(SeenRoom(unit, "1", AUGUST) for unit in units)
    hints = (SeenStay(reservation, Status.CONFIRMED, rooms),) if rooms else ()
    told = Notification("test", (reservation,), hints)
    village.airbnb.read_notification = lambda body: told  # type: ignore[method-assign]
    village.run(village.webhook(b"{}"))


def in_the_inbox(village: Village) -> int:
    return len(village.run(village.engine.world.inbox.waiting(AIRBNB, village.clock.now())))


def test_a_webhook_is_worked_off_beside_an_account_that_cannot_be_read(two_hosts: Village) -> None:
    """Every call of the platform used to be refused, with a notice for each, as long as one row stayed as it was."""
    rings(two_hosts, "HM1")
    assert two_hosts.booking.calendar.closed == nights(JULY)
    assert in_the_inbox(two_hosts) == 0
    assert [one.kind for one in two_hosts.notify.notices if one.kind in ("refused", "unreadable")] == []


@pytest.mark.parametrize("units", [(), ("unit-airbnb",)])
def test_a_webhook_that_may_be_of_an_account_that_cannot_be_read_is_kept(
    two_hosts: Village, units: tuple[str, ...]
) -> None:
    rings(two_hosts, "HM2", *units)
    for _ in range(2):
        assert in_the_inbox(two_hosts) == 1
        two_hosts.clock.advance(UNKNOWN_FOR)
        two_hosts.run(two_hosts.engine.on_timer_sweep())
        two_hosts.run(two_hosts.drain())
    assert [one.kind for one in two_hosts.notify.notices if one.kind in ("refused", "unknown")] == []


def test_rule_27_what_the_watch_alone_reads_of_an_account_keeps_no_closure_from_going_out(
    village: Village,
) -> None:
    for key, values in (("account", {"units": "7 by a newer release"}), ("note|newer", {"text": 5})):
        put(village, names.ACCOUNTS, "airbnb", key, values)
    village.restart()
    village.book(GREENGO, JULY)
    polled(village)
    assert village.airbnb.calendar.closed == nights(JULY)


def test_rule_27_a_number_of_conflicts_that_cannot_be_read_keeps_the_audit_from_nothing(
    village: Village,
) -> None:
    village.book(GREENGO, JULY)
    told(village, AIRBNB, JULY)
    pulled(village)
    (clash,) = stored(village).conflicts.values()
    village.run(village.tables.delete(names.SITES, HOME, site_codec.conflict_row(HOME, clash).key))
    put(village, names.ACCOUNTS, "~conflicts", HOME, {"open": "many"})
    assert "store_down" not in {one.code for one in village.run(village.engine.watch.report()).findings}
    assert village.run(village.engine.audit.run([HOME])) == 1


def test_rule_27_an_account_of_no_platform_is_none(village: Village) -> None:
    row = village.run(village.tables.get(names.ACCOUNTS, "booking", "account"))
    assert row is not None
    values = {name: value for name, value in row.values.items() if name != "platform"}
    village.run(rewritten(village, names.ACCOUNTS, Row(row.partition, row.key, values)))
    village.restart()
    told(village, AIRBNB, JULY)
    village.clock.advance(MINUTE)
    village.run(village.engine.on_timer_poll_accounts())
    assert village.run(village.engine.world.accounts.load("booking")) is None


def test_rule_27_a_platform_that_only_a_newer_release_speaks_waits_for_it(village: Village) -> None:
    """Its account and its listing stay as they are, what it called stays in the table; the others are closed."""
    told(village, AIRBNB, JULY)
    account = {"platform": "newplat", "owner": "owner"}
    put(village, names.ACCOUNTS, "new", "account", account)
    put(village, names.ACCOUNTS, "new", "unit|1", {"site": HOME, "listing": f"{HOME}-new"})
    put(village, names.ACCOUNTS, names.DIRECTORY, "account|new", {"platform": "newplat", "api": "yes"})
    listing = {"property": HOME, "platform": "newplat", "account": "new", "link": "api", "complete": True}
    put(village, names.SITES, HOME, f"c|{HOME}-new", listing)
    delivery = village.run(village.engine.world.inbox.put("newplat", b"{}"))
    village.restart()
    for bell in (
        Message("inbox", delivery.key, "1"),
        Message("queue", "new", "1"),
        Message("observe", "new", "1"),
    ):
        village.run(village.engine.work(encode(bell), 1, bell.message_id))
    told(village, AIRBNB, OCTOBER)
    village.clock.advance(MINUTE)
    village.run(village.engine.on_timer_poll_accounts())
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(JULY, OCTOBER)
    assert village.run(village.engine.world.inbox.get(delivery.key)) is not None
    assert village.run(village.engine.world.inbox.quarantined()) == []


def test_rule_27_a_mode_of_a_newer_release_closes_what_must_be_closed(village: Village) -> None:
    put(village, names.ACCOUNTS, "booking", "account", {"mode": WORD})
    village.restart()
    told(village, AIRBNB, JULY)
    assert village.booking.calendar.closed == nights(JULY)


def test_rule_27_a_pass_row_in_another_shape_means_that_nothing_was_visited(village: Village) -> None:
    put(village, names.FEEDS, "0000", "~pass", {"visits": '{"gite-greengo": "always"}'})
    assert village.run(village.engine.world.shards.load("0000")).visits == {}
    longer = '{"gite-greengo": ["2027-03-01T08:00:00.000000Z", "", "more"]}'
    put(village, names.FEEDS, "0000", "~pass", {"visits": longer})
    (visit,) = village.run(village.engine.world.shards.load("0000")).visits.values()
    assert visit.good is not None


def test_rule_27_a_role_of_a_newer_release_allows_nothing_here_and_is_kept(village: Village) -> None:
    people = PeopleStore(village.tables)
    row = {"owners": '["a","b"]', "roles": f'["viewer","{WORD}"]'}
    put(village, names.ACCOUNTS, "~people", "marie", row)
    (marie,) = village.run(people.all())
    assert marie.roles == {"a": Role.VIEWER}
    village.run(people.put([Owner("a", "marie", Role.OPERATOR)]))
    kept = village.run(village.tables.get(names.ACCOUNTS, "~people", "marie"))
    assert kept is not None
    assert kept.values["owners"] == '["b","a"]'
    assert kept.values["roles"] == f'["{WORD}","operator"]'
    assert village.run(people.forget_strangers()) == 0


# --------------------------------------------------------------------------------------------- messages


@pytest.mark.parametrize("queue", ["work", "conflicts"])
def test_rule_27_a_message_of_a_newer_release_comes_back_until_that_one_is_there(
    village: Village, queue: str
) -> None:
    """Eight minutes, in which an upgrade is done; then it is set aside, to be replayed. It holds no fact: what it rang
    for stands in a table, where the sweep finds it."""
    handler = village.engine.work if queue == "work" else village.engine.conflict
    village.run(village.bus.send(queue, [Message("dance", "x", "7")]))
    for tried in range(MOST_DELIVERIES):
        (one,) = village.run(village.bus.receive(queue, 10, 0))
        assert (one.message.kind, one.message.version) == ("dance", "7" + "+" * tried)
        village.run(handler(one.raw, one.deliveries, one.message.message_id))
        village.run(village.bus.complete(queue, one))
        assert village.run(village.bus.receive(queue, 10, 0)) == [], "not before a minute is over"
        village.clock.advance(MINUTE)
    assert village.run(village.engine.world.inbox.quarantined()) == []
    village.run(village.drain())
    (aside,) = village.run(village.engine.world.inbox.quarantined())
    assert aside.values["source"] == queue


def test_rule_27_fields_that_a_newer_release_adds_to_a_message_change_nothing(village: Village) -> None:
    body = encode(Message("site", HOME, "7"))[:-1] + b',"priority":9,"hints":["x"]}'
    village.run(village.engine.work(body, 1, "site|gite|7"))
    assert village.run(village.engine.world.inbox.quarantined()) == []


@pytest.mark.parametrize("what", ["unit-airbnb", "*"])
def test_a_withdrawn_access_waits_for_the_account_that_cannot_be_read(two_hosts: Village, what: str) -> None:
    """It named no unit of those that can be read, nobody was told, and the delivery was done with."""
    told = Notification("listings_unlinked", revoked=(what,))
    two_hosts.airbnb.read_notification = lambda body: told  # type: ignore[method-assign]
    two_hosts.run(two_hosts.webhook(b"{}"))
    assert in_the_inbox(two_hosts) == 1
