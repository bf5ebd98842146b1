"""The further eyes on the whole engine: each finding begins, is told once, and ends; a healthy day is silent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.health import Code, Finding
from shared.ports.people import Notice
from shared.state.deliveries import Last
from tests.engine.stories import sold, told
from tests.engine.village import HOME, Village

JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
SEPTEMBER = StayDates(date(2027, 9, 1), date(2027, 9, 4))
MINUTE = timedelta(minutes=1)
MINE = {Code.WEBHOOKS_SILENT, Code.DRIFT, Code.KEY_ENDS, Code.CLOCK_OFF}


def watched(village: Village, minutes: int, *, live: bool = True) -> list[Finding]:
    """So many minutes pass with all that the timers ask for; what stands at the end."""
    for _ in range(minutes):
        village.clock.advance(MINUTE)
        if live:
            for account in ("airbnb", "booking"):
                village.run(village.engine.observer.observe(account, fresh=False))
            village.run(village.engine.queues.poll("booking"))
            village.run(village.poll_greengo())
            village.run(village.drain())
        village.run(village.engine.on_timer_sweep())
        village.run(village.engine.on_timer_health())
    found = village.run(village.engine.watch.report()).findings
    return [one for one in found if one.code in MINE]


def notices(village: Village, code: Code) -> list[Notice]:
    """What administrators were told of it, in order."""
    return [
        one for one in village.notify.notices if one.kind.startswith("health") and one.key.startswith(code)
    ]


def test_a_healthy_hour_with_sales_finds_nothing(village: Village) -> None:
    set_wall(village, lambda: village.clock.peek())
    told(village, "airbnb", JULY)
    assert watched(village, 60) == []
    assert [one for code in MINE for one in notices(village, code)] == []


def test_webhooks_that_ceased_are_told_once_and_end_with_the_next_call(village: Village) -> None:
    told(village, "airbnb", SEPTEMBER)
    watched(village, 5)
    for dates in (JULY, AUGUST):
        sold(village, "airbnb", dates)
        village.deliveries.clear()
        assert watched(village, 3) == []
    (one,) = watched(village, 30)
    assert (one.code, one.about, one.platform) == (Code.WEBHOOKS_SILENT, "airbnb", "airbnb")
    assert "calls no longer" in one.cause["en"]
    assert [one.kind for one in notices(village, Code.WEBHOOKS_SILENT)] == ["health"]
    told(village, "airbnb", StayDates(date(2027, 10, 1), date(2027, 10, 4)))
    assert watched(village, 10) == []
    assert [one.kind for one in notices(village, Code.WEBHOOKS_SILENT)] == ["health", "health_over"]


def test_calls_that_are_refused_are_named_as_the_cause(village: Village) -> None:
    watched(village, 1)
    sold(village, "airbnb", JULY)
    village.deliveries.clear()
    refused = Last(village.clock.now(), "refused (401): the signature is not theirs", 120)
    village.run(village.engine.world.deliveries.note("airbnb", refused))
    (one,) = watched(village, 65)
    assert "has never called yet" in one.cause["en"]
    assert "the signature is not theirs" in one.cause["en"]


def test_a_platform_whose_address_was_taken_away_is_not_expected_to_call(village: Village) -> None:
    watched(village, 1)
    sold(village, "airbnb", JULY)
    village.deliveries.clear()
    assert [one.code for one in watched(village, 65)] == [Code.WEBHOOKS_SILENT]
    object.__setattr__(village.engine.world, "callers", frozenset())
    assert watched(village, 1) == []


def test_nights_opened_by_hand_are_told_once_with_their_nights_and_end_after_a_quiet_night(
    village: Village,
) -> None:
    told(village, "airbnb", JULY)
    watched(village, 2)
    for _ in range(2):  # a channel manager opens them every evening
        village.booking.calendar.closed.clear()
        village.clock.advance(timedelta(hours=20))
        village.run(village.engine.readback.check_all(HOME))
        (one,) = watched(village, 10)
        assert (one.code, one.about) == (Code.DRIFT, f"{HOME}-booking")
        assert "2027-07-01" in one.cause["en"]
    assert "2 times" in one.cause["en"]
    assert [one.kind for one in notices(village, Code.DRIFT)] == ["health"]
    village.clock.advance(timedelta(hours=24))
    village.run(village.engine.readback.check_all(HOME))
    village.clock.advance(timedelta(hours=7))
    assert watched(village, 10) == []
    assert [one.kind for one in notices(village, Code.DRIFT)][-1] == "health_over"


def test_keys_that_end_are_told_of_and_forgotten_once_there_are_new_ones(village: Village) -> None:
    accounts = village.engine.world.accounts
    state = village.run(accounts.load("airbnb"))
    assert state is not None
    village.run(
        accounts.put(replace(state.account, key_ends=village.clock.peek().date() + timedelta(days=10)))
    )
    (one,) = watched(village, 3)
    assert (one.code, one.about) == (Code.KEY_ENDS, "airbnb")
    assert len(notices(village, Code.KEY_ENDS)) == 1
    village.run(
        accounts.put(replace(state.account, key_ends=village.clock.peek().date() + timedelta(days=400)))
    )
    assert watched(village, 1) == []


def set_wall(village: Village, wall: Callable[[], datetime], host: str = "host-1") -> None:
    """Give the engine's host a clock of its own."""
    object.__setattr__(village.engine.world, "wall", wall)
    object.__setattr__(village.engine.world, "host", host)


def test_a_clock_that_is_off_is_told_once_names_its_host_and_ends(village: Village) -> None:
    set_wall(village, lambda: village.clock.peek() + timedelta(hours=1))
    (one,) = watched(village, 30)
    assert (one.code, one.about) == (Code.CLOCK_OFF, "host-1")
    assert "3600 s ahead" in one.cause["en"]
    assert [one.kind for one in notices(village, Code.CLOCK_OFF)] == ["health"]
    set_wall(village, village.clock.peek, "host-2")  # another host has the timer, and a right clock
    assert [one.about for one in watched(village, 15)] == ["host-1"]
    set_wall(village, village.clock.peek)
    assert watched(village, 10) == []
    assert [one.kind for one in notices(village, Code.CLOCK_OFF)] == ["health", "health_over"]


def test_the_open_page_names_no_account(village: Village) -> None:
    watched(village, 1)
    sold(village, "airbnb", JULY)
    village.deliveries.clear()
    assert [one.code for one in watched(village, 65)] == [Code.WEBHOOKS_SILENT]
    answer = village.run(village.engine.health())
    assert answer.status == 200, "no promise is broken: what nobody calls about is found by asking"
    assert b"airbnb" not in answer.body
