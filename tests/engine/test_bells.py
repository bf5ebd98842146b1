"""Whom the timers ring for, and how often: a bell too few is a late closure, a bell too many is a platform's limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed, StoreUnavailable
from shared.domain.facts import Polled
from shared.domain.model import Account
from shared.domain.platform import AIRBNB, BOOKING
from shared.domain.portfolio import Home
from shared.messages import encode
from shared.ports.bus import Message
from shared.state.accounts import Place
from shared.state.names import ACCOUNTS
from tests.engine.hamlet import portfolio as several
from tests.engine.village import Village


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def rung(village: Village) -> list[tuple[str, str]]:
    """Kind and key of what waits in the queue; taken out of it."""
    found = village.run(village.bus.receive("work", 50, 0))
    for one in found:
        village.run(village.bus.complete("work", one))
    return [(one.message.kind, one.message.key) for one in found]


def test_an_account_that_only_names_calendar_links_is_never_asked_by_api(village: Village) -> None:
    village.run(village.engine.world.accounts.put(Account("booking-marc", BOOKING, "marc")))
    village.clock.advance(timedelta(seconds=30))
    village.run(village.engine.on_timer_poll_accounts())
    village.run(village.engine.on_timer_deep())
    assert sorted(rung(village)) == [("deep", "airbnb"), ("deep", "booking"), ("queue", "booking")]


def test_an_account_with_many_new_homes_is_asked_once_for_all_of_them(village: Village) -> None:
    """Each bell asks for the whole state of every home: one bell a home would be calls by the square."""
    homes = [Home(f"h{number}", "Gîte", "owner") for number in range(5)]
    village.run(village.engine.portfolio.run(several(homes, {})))
    assert rung(village) == [("observe", "booking")]


def test_each_tick_of_a_quick_timer_rings_and_two_hosts_ring_once(village: Village) -> None:
    for _ in range(3):
        village.run(village.engine.on_timer_poll_feeds())
        village.run(village.engine.on_timer_poll_feeds())
        village.clock.advance(timedelta(seconds=5))
    assert rung(village) == [("feeds", "0000")] * 3


def test_a_tick_that_came_too_early_does_not_swallow_the_next(village: Village) -> None:
    asked: list[float] = []

    async def poll(account: Account) -> Polled:
        asked.append(village.clock.now().timestamp())
        return Polled()

    village.booking.poll = poll  # type: ignore[method-assign]
    village.clock.advance(timedelta(seconds=63))
    village.run(village.engine.queues.poll("booking"))
    village.clock.advance(timedelta(seconds=17))
    for _ in range(2):  # 17 s after the poll, and 22 s after it
        village.run(village.engine.on_timer_poll_accounts())
        village.run(village.drain())
        village.clock.advance(timedelta(seconds=5))
    assert [round(later - asked[0]) for later in asked] == [0, 22]


def test_a_queue_is_polled_every_twenty_seconds_however_often_the_bell_rings(village: Village) -> None:
    asked: list[float] = []

    async def poll(account: Account) -> Polled:
        asked.append(village.clock.now().timestamp())
        return Polled()

    village.booking.poll = poll  # type: ignore[method-assign]
    village.clock.advance(timedelta(seconds=60))
    for _ in range(13):
        village.run(village.engine.queues.poll("booking"))
        village.clock.advance(timedelta(seconds=5))
    assert [round(later - earlier) for earlier, later in pairwise(asked)] == [20, 20, 20]


def test_refused_keys_are_told_and_their_message_does_not_come_back(village: Village) -> None:
    async def poll(account: Account) -> Polled:
        raise AuthFailed("Booking.com: account booking names no setting for its client_id")

    village.booking.poll = poll  # type: ignore[method-assign]
    village.clock.advance(timedelta(seconds=60))
    message = Message("queue", "booking", "1")
    village.run(village.engine.work(encode(message), 1, message.message_id))
    assert [notice.kind for notice in village.notify.notices] == ["mode_changed"]
    assert rung(village) == []


def test_a_call_that_names_its_unit_reads_one_account_of_many(village: Village) -> None:
    accounts = village.engine.world.accounts

    async def others() -> None:
        for number in range(30):
            await accounts.put(Account(f"airbnb{number}", AIRBNB, "somebody"))
            await accounts.put_unit(f"airbnb{number}", f"unit{number}", Place("elsewhere", f"other{number}"))

    def reads_of_one_call(dates: StayDates) -> int:
        village.book("airbnb", dates)
        read: list[str] = []
        village.tables.before = lambda op, table, partition: read.append(table)
        while village.deliveries:
            village.run(village.webhook(village.deliveries.pop(0)))
        village.tables.before = None
        return read.count(ACCOUNTS)

    alone = reads_of_one_call(StayDates.of_nights(date(2027, 7, 1), 2))
    village.run(others())
    assert reads_of_one_call(StayDates.of_nights(date(2027, 8, 1), 2)) <= alone
    assert len(village.booking.calendar.closed) == 4


def test_a_look_is_rung_for_once_though_the_next_tick_reads_an_older_copy(village: Village) -> None:
    """Each process keeps its copy of an account for 5 s: the tick after the one that rang does not see yet that the
    look was taken. A second bell would do nothing, and cost a message and an execution."""
    village.run(village.poll_booking())
    village.clock.advance(timedelta(minutes=3))
    village.run(village.engine.on_timer_poll_accounts())
    assert sorted(rung(village)) == [("observe", "airbnb"), ("queue", "booking")]
    village.clock.advance(timedelta(seconds=4.9))
    village.run(village.engine.on_timer_poll_accounts())
    assert rung(village) == []
    village.clock.advance(timedelta(seconds=5))
    village.run(village.engine.on_timer_poll_accounts())
    assert sorted(rung(village)) == [("observe", "airbnb"), ("queue", "booking")], "a lost bell is rung again"


def test_an_account_that_cannot_be_read_keeps_no_other_from_its_bell(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    village.clock.advance(timedelta(minutes=3))
    load = village.engine.world.accounts.load

    async def broken(name: str) -> object:
        if name == "airbnb":
            raise StoreUnavailable("airbnb's row")
        return await load(name)

    monkeypatch.setattr(type(village.engine.world.accounts), "load", lambda self, name: broken(name))
    with pytest.raises(StoreUnavailable, match="airbnb's row"):
        village.run(village.engine.on_timer_poll_accounts())
    assert rung(village) == [("queue", "booking")]
