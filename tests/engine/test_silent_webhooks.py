"""Whether a platform that should call us does: looks that find what nobody called about are missed bells; nothing is
written while all is well, and nothing while a webhook is answered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest

from shared.domain import bells as judged
from shared.domain.bells import silence
from shared.domain.dates import StayDates
from shared.domain.errors import StoreUnavailable
from shared.domain.platform import AIRBNB, BOOKING
from shared.engine.bells import Bells
from shared.ports.platforms import Notification
from shared.state.accounts import AccountState
from tests.engine.stories import cancelled, deliver, sold, told
from tests.engine.village import Village

JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
MINUTE = timedelta(minutes=1)


def account(village: Village, name: str = "airbnb") -> AccountState:
    state = village.run(village.engine.world.accounts.load(name))
    assert state is not None
    return state


def bells(village: Village) -> judged.Bells:
    return account(village).bells


def look(village: Village, pause: timedelta = 3 * MINUTE) -> None:
    """The clock's own look, which finds whatever was sold."""
    village.clock.advance(pause)
    village.run(village.engine.observer.look("airbnb"))
    village.run(village.drain())


def silent(village: Village) -> bool:
    return silence(bells(village), village.clock.peek()) is not None


def test_the_first_look_finds_all_there_was_before_us_and_misses_nothing() -> None:
    village = Village()
    assert village.book("airbnb", JULY) is not None
    village.run(
        village.engine.world.accounts.put_unit("airbnb", "another", account(village).units["unit-airbnb"])
    )
    look(village)
    assert bells(village) == judged.Bells()
    village.close()


def test_two_stays_nobody_called_about_are_a_silence_and_the_next_call_ends_it(village: Village) -> None:
    look(village)
    for dates in (JULY, AUGUST):
        sold(village, "airbnb", dates)
        village.deliveries.clear()  # the calls are lost
        look(village)
    assert len(bells(village).missed) == 2
    assert not silent(village)  # a call may still be on its way
    village.clock.advance(5 * MINUTE)
    assert silent(village)
    told(village, "airbnb", StayDates(date(2027, 9, 1), date(2027, 9, 4)))
    assert bells(village).missed == ()
    assert not silent(village)


def test_a_call_that_comes_after_our_own_look_was_not_missed(village: Village) -> None:
    look(village)
    sold(village, "airbnb", JULY)
    look(village)
    assert len(bells(village).missed) == 1
    deliver(village)
    village.clock.advance(timedelta(hours=2))
    assert not silent(village)


def test_a_look_that_began_before_a_call_does_not_take_that_call_back(village: Village) -> None:
    """Both find the same stay: the look with the account as it was before the call was noted."""
    look(village)
    before = account(village)
    told(village, "airbnb", JULY)
    village.run(Bells(village.engine.world).missed(before))
    assert account(village).bells.rung is not None
    village.clock.advance(timedelta(hours=2))
    assert not silent(village)


def test_a_change_and_a_cancellation_are_missed_as_a_stay_is(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    village.airbnb.calendar.cancel(stay)
    look(village)
    village.clock.advance(timedelta(hours=1))
    assert silent(village)


def test_where_calls_arrive_looks_find_nothing_and_nothing_is_missed(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    look(village)
    cancelled(village, "airbnb", stay)
    look(village)
    assert bells(village).missed == ()


def test_an_idle_day_writes_nothing_about_bells(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    async def note(account: str, what: object) -> None:
        written.append(account)

    monkeypatch.setattr(village.engine.world.accounts, "note_call", note)
    monkeypatch.setattr(village.engine.world.accounts, "note_missed", note)
    for _ in range(20):
        look(village)
    assert written == []


def test_a_call_is_answered_before_anything_is_noted_about_it(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def note(account: str, at: datetime) -> None:
        raise StoreUnavailable("the tables are away")

    monkeypatch.setattr(village.engine.world.accounts, "note_call", note)
    told(village, "airbnb", JULY)
    assert village.telemetry.counts["bell_not_noted"] == 1
    assert village.run(village.engine.world.inbox.waiting(AIRBNB, village.clock.peek())) == []


def test_a_platform_that_calls_nobody_misses_nothing(village: Village) -> None:
    sold(village, "booking", JULY)
    village.booking.waiting.clear()
    village.clock.advance(3 * MINUTE)
    village.run(village.engine.observer.observe("booking"))
    assert account(village, "booking").bells == judged.Bells()


@pytest.fixture
def calling(village: Village) -> Village:
    """The village, with a Booking.com that has a queue and calls when it has news, as Channex does."""
    for name in ("doorbells", "callers"):
        object.__setattr__(village.engine.world, name, frozenset({BOOKING}))
    village.booking.read_notification = read  # type: ignore[method-assign]
    village.clock.advance(MINUTE)
    village.run(village.engine.queues.poll("booking"))
    return village


def read(body: bytes) -> Notification:
    return Notification("booking", poll=("unit-booking",))


def test_a_poll_that_a_call_asked_for_misses_nothing_and_the_clocks_own_does(
    calling: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, noted = calling.engine.world.accounts, list[str]()
    right = accounts.note_missed

    async def note(name: str, missed: Iterable[datetime]) -> None:
        noted.append(name)
        await right(name, missed)

    monkeypatch.setattr(accounts, "note_missed", note)
    told_of = sold(calling, "booking", JULY)
    calling.clock.advance(timedelta(minutes=10))
    calling.run(calling.engine.inbox.receive(BOOKING, b"{}"))
    calling.run(calling.drain())
    assert told_of.id not in calling.booking.waiting
    assert noted == [], "a write for nothing: the call is noted right after"
    assert account(calling, "booking").bells.rung is not None
    sold(calling, "booking", AUGUST)
    calling.clock.advance(timedelta(minutes=10))
    calling.run(calling.engine.queues.poll("booking"))
    assert len(account(calling, "booking").bells.missed) == 1


def test_an_account_whose_access_was_withdrawn_misses_nothing_when_it_is_back(village: Village) -> None:
    look(village)
    village.run(village.engine.world.accounts.pause("airbnb", "authorization_revoked"))
    sold(village, "airbnb", JULY)
    village.deliveries.clear()
    look(village)
    assert bells(village) == judged.Bells()
