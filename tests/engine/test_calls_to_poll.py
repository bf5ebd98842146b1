"""A platform that has a queue and calls when it has news: each call leads to a poll begun after it, many calls to one,
and a call that was lost costs no more than the wait for the clock's own poll."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import cast

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected, TransientError
from shared.domain.facts import Polled
from shared.domain.model import Account
from shared.domain.platform import BOOKING
from shared.engine.whom import ANYWHERE
from shared.ports.platforms import Notification
from shared.state.accounts import AccountState, Place
from shared.state.units import list_unit
from tests.engine.village import Village

NIGHTS = StayDates.of_nights(date(2027, 7, 10), 3)
ABOUT_IT, ABOUT_NOBODY, SILENT = b"unit-book", b"unit-of-nobody", b""


def read(body: bytes) -> Notification:
    return Notification("booking", poll=(body.decode(),) if body else ())


@pytest.fixture
def village() -> Iterator[Village]:
    """The village, with a Booking.com that calls."""
    built = Village()
    object.__setattr__(built.engine.world, "doorbells", frozenset({BOOKING}))
    built.booking.read_notification = read  # type: ignore[method-assign]
    built.clock.advance(timedelta(minutes=1))
    yield built
    built.close()


def call(village: Village, body: bytes = ABOUT_IT) -> str:
    return village.run(village.engine.inbox.receive(BOOKING, body)).key


def waiting(village: Village) -> int:
    return len(village.run(village.engine.world.inbox.waiting(BOOKING, village.clock.peek())))


def counted(village: Village) -> list[str]:
    """Each poll of the queue from now on."""
    polls: list[str] = []
    ask = village.booking.poll

    async def poll(account: Account) -> Polled:
        polls.append(account.id)
        return await ask(account)

    village.booking.poll = poll  # type: ignore[method-assign]
    return polls


@pytest.mark.parametrize("body", [ABOUT_IT, ABOUT_NOBODY])
def test_a_call_closes_elsewhere_at_once_although_a_poll_was_just_made(village: Village, body: bytes) -> None:
    village.run(village.engine.queues.poll("booking"))
    village.clock.advance(timedelta(seconds=1))
    village.book(BOOKING, NIGHTS)
    before = village.clock.peek()
    call(village, body)
    village.run(village.drain())
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed
    assert len(village.booking.acknowledged) == 1
    assert waiting(village) == 0
    assert village.clock.peek() - before < timedelta(seconds=1)


def test_a_call_about_no_booking_polls_nothing(village: Village) -> None:
    polls = counted(village)
    call(village, SILENT)
    village.run(village.drain())
    assert (polls, waiting(village)) == ([], 0)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b"unit-book", ["booking"]),
        (b"other-", ["other"]),
        (b"unit-of-nobody", ["booking", "other"]),
        (ANYWHERE.encode(), ["booking", "other"]),
    ],
)
def test_only_the_accounts_at_the_place_that_has_news_are_polled_or_read(
    village: Village, body: bytes, asked: list[str]
) -> None:
    accounts = village.engine.world.accounts
    village.run(accounts.put(Account("other", BOOKING, "marc")))
    for unit in ("other-1", "other-2"):
        village.run(accounts.put_unit("other", unit, Place("gite", "gite-booking")))
        village.run(list_unit(accounts, BOOKING, "other", unit, Place("gite", "gite-booking")))
    polls = counted(village)
    read: list[str] = []
    load = accounts.load

    async def reading(account: str) -> AccountState | None:
        read.append(account)
        return await load(account)

    accounts.load = reading  # type: ignore[method-assign]
    call(village, body)
    village.run(village.drain())
    assert sorted(polls) == asked
    assert {name for name in read if name in ("booking", "other")} == set(asked)


def test_many_calls_at_once_are_one_poll(village: Village) -> None:
    polls = counted(village)
    for _ in range(20):
        call(village)
    village.run(village.drain())
    assert (polls, waiting(village)) == (["booking"], 0)


def test_a_call_during_a_poll_leads_to_another_one_after_it(village: Village) -> None:
    """The poll under way may have asked before the sale."""
    village.booking.lane.slow = True

    async def story() -> None:
        under_way = village.loop.create_task(village.engine.queues.poll("booking"))
        while not village.booking.lane.held:
            await village.clock.sleep(0)
        village.book(BOOKING, NIGHTS)
        delivery = await village.engine.inbox.receive(BOOKING, ABOUT_IT)
        with pytest.raises(TransientError, match="is being polled") as caught:
            await village.engine.inbox.process(delivery.key)
        assert cast(float, caught.value.retry_after) <= 2.0
        village.booking.lane.let_go()
        await under_way
        assert not village.airbnb.calendar.closed
        village.clock.advance(timedelta(seconds=3))
        await village.drain()

    village.run(story())
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed
    assert waiting(village) == 0


def test_a_call_stays_while_the_platform_cannot_be_asked_and_is_let_go_after_hours(village: Village) -> None:
    village.booking.faults.down = True
    key = call(village)
    with pytest.raises(TransientError, match="cannot be polled yet"):
        village.run(village.engine.inbox.process(key))
    assert waiting(village) == 1
    village.clock.advance(timedelta(hours=6, seconds=1))
    assert village.run(village.engine.inbox.process(key)) == "booking"


def test_a_call_whose_message_was_lost_is_taken_by_the_sweep(village: Village) -> None:
    village.book(BOOKING, NIGHTS)
    village.bus.down = True
    call(village)
    village.clock.advance(timedelta(seconds=30))
    village.run(village.engine.on_timer_sweep())
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed
    assert waiting(village) == 0


def test_a_call_that_never_came_costs_no_more_than_the_wait_for_the_clock(village: Village) -> None:
    village.book(BOOKING, NIGHTS)
    village.clock.advance(timedelta(seconds=60))
    village.run(village.engine.on_timer_poll_accounts())
    village.run(village.drain())
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed


def test_nothing_is_acknowledged_before_it_is_stored(village: Village) -> None:
    village.book(BOOKING, NIGHTS)
    stored: list[bool] = []
    tell = village.booking.acknowledge

    async def acknowledge(account: Account, receipts: tuple[str, ...]) -> tuple[str, ...]:
        state = await village.engine.world.sites.load("gite")
        stored.append(any(part.dates == NIGHTS for one in state.reservations.values() for part in one.parts))
        return await tell(account, receipts)

    village.booking.acknowledge = acknowledge  # type: ignore[assignment, method-assign]
    call(village)
    village.run(village.drain())
    assert stored == [True]


def test_a_body_nobody_can_read_is_set_aside_and_polls_nothing(village: Village) -> None:
    def refuse(body: bytes) -> Notification:
        raise PayloadRejected("no event")

    village.booking.read_notification = refuse  # type: ignore[method-assign]
    polls = counted(village)
    call(village)
    village.run(village.drain())
    assert (polls, waiting(village)) == ([], 0)
    assert [notice.kind for notice in village.notify.notices] == ["unreadable"]
