"""What a second review broke the real-time paths with: looks that are skipped, a ladder that lends freshness, platforms
that are hammered, closures nobody is told of."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.domain import modes
from shared.domain.dates import StayDates
from shared.domain.errors import (
    AuthFailed,
    NotFound,
    PlatformDown,
    RateLimited,
    StoreUnavailable,
    TransientError,
)
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.health import HealthReport, Sight
from shared.domain.model import Account, Listing, SyncMode, Write
from shared.domain.modes import ModeSetting, survey_period
from shared.domain.platform import AIRBNB
from shared.domain.portfolio import Home
from shared.engine.health_watch import HealthWatch
from shared.engine.modes import CHANGES
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify
from shared.ports.stores import Row
from shared.state.accounts import AccountStore
from shared.state.names import RUNS
from tests.engine.asking import asks, look
from tests.engine.hamlet import Hamlet, portfolio, stay
from tests.engine.people import LOCAL
from tests.engine.stories import AUGUST, JULY, MINUTE, deliver, nights, sold, told
from tests.engine.village import HOME, Village

TICK = timedelta(seconds=20)
MILL = Home("mill", "Mill", "owner")
BARN = Home("barn", "Barn", "owner")


@pytest.fixture
def guarded() -> Iterator[Village]:
    built = Village(guarded=True)
    yield built
    built.close()


def live(village: Village, minutes: float) -> None:
    """So many minutes of timers and workers."""
    for _ in range(int(minutes * 60 / TICK.total_seconds())):
        village.clock.advance(TICK)
        village.run(village.engine.on_timer_poll_accounts())
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())


# ------------------------------------------------------------------------------ looks that are skipped


def test_a_stay_missing_from_the_whole_state_is_asked_for_until_the_platform_says_it_is_over(
    village: Village,
) -> None:
    """The list was quicker than the copy that answers by id: the second look must not be skipped as an equal one."""
    one = told(village, "airbnb", JULY)
    live(village, 5)
    before = village.airbnb.seen(one)
    right = village.airbnb.reread
    village.airbnb.calendar.cancel(one)

    async def behind(account: Account, reservation: str) -> SeenStay | None:
        return before

    village.airbnb.reread = behind  # type: ignore[method-assign]
    live(village, 5)
    assert village.booking.calendar.closed == nights(JULY)
    village.airbnb.reread = right  # type: ignore[method-assign]
    live(village, 10)
    assert village.booking.calendar.closed == set()


def test_units_that_change_places_are_looked_at_anew(hamlet: Callable[..., Hamlet]) -> None:
    """Two homes' ids were mixed up in the portfolio: after the mend each stay is its own home's, whatever the
    versions of the two sites happen to be."""
    built = hamlet([MILL, BARN])
    built.booking.tell(stay("S1", ("mill", JULY)))
    built.run(built.engine.observer.observe("booking"))
    built.clock.advance(MINUTE)
    built.run(built.engine.observer.look("booking"))
    named = portfolio([MILL, BARN], {})
    swap = {"mill": "barn", "barn": "mill"}
    mended = replace(named, listings=tuple(replace(one, unit=swap[one.unit]) for one in named.listings))
    built.run(built.engine.portfolio.run(mended))
    sites = built.engine.world.sites
    mill, barn = built.run(sites.head("mill")), built.run(sites.head("barn"))
    known = built.engine.observer._known  # the coincidence that makes it dangerous, whatever led there
    for key, one in list(known.items()):
        version = barn.version if key[1] == "mill" else mill.version
        known[key] = replace(one, version=version)
    built.clock.advance(MINUTE)
    built.run(built.engine.observer.look("booking"))
    state = built.run(sites.load("barn"))
    assert [part.dates for one in state.reservations.values() for part in one.held()] == [JULY]
    assert all(one.complete for one in state.listings.values())


def test_one_unit_the_platform_does_not_know_does_not_have_all_others_asked_at_every_tick(
    hamlet: Callable[..., Hamlet],
) -> None:
    built = hamlet([MILL, BARN])
    right, asked = built.booking.stays, []

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        asked.append(unit)
        if unit == "barn":
            raise NotFound("Booking.com: no such unit")
        return await right(account, unit)

    built.booking.stays = stays  # type: ignore[method-assign]
    for _ in range(30):
        built.clock.advance(TICK)
        built.run(built.engine.on_timer_poll_accounts())
        built.run(built.drain())
    assert 3 <= asked.count("mill") <= 7, "every other minute in ten"


def test_one_unit_that_always_ends_in_a_500_is_no_outage_for_the_others(
    hamlet: Callable[..., Hamlet],
) -> None:
    """Nobody after it was ever looked at, where it stood at the beginning."""
    built = hamlet([Home(f"h{number:02d}", "Home", "owner") for number in range(12)])
    right = built.booking.stays

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        if unit == "h00":
            raise PlatformDown("Booking.com: HTTP 500")
        await built.clock.sleep(1)
        return await right(account, unit)

    built.booking.stays = stays  # type: ignore[method-assign]
    built.booking.tell(stay("S1", ("h11", JULY)))
    assert set(built.run(built.engine.observer.observe("booking", fresh=False))) == {"h00"}
    assert len(built.run(built.engine.world.sites.load("h11")).reservations) == 1


def test_a_budget_that_is_spent_at_each_look_leaves_out_others_each_time(
    hamlet: Callable[..., Hamlet],
) -> None:
    homes = [Home(f"h{number:02d}", "Home", "owner") for number in range(24)]
    built = hamlet(homes)
    asked: list[str] = []
    left = 0

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        nonlocal left
        if not left:
            raise RateLimited("Booking.com: HTTP 429", 60)
        left -= 1
        asked.append(unit)
        return ()

    built.booking.stays = stays  # type: ignore[method-assign]
    for _ in range(3):
        left = 10
        built.run(built.engine.observer.observe("booking", fresh=False))
    assert set(asked) == {home.id for home in homes}


def test_the_looks_at_many_units_leave_calls_for_closures(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred homes every other minute would be three thousand calls an hour of the two thousand Airbnb grants."""
    usual = ModeSetting()
    assert survey_period(usual, 10) == 120
    assert [units * 3600 / survey_period(usual, units) for units in (34, 100, 500)] == [1000, 1000, 1000]
    right, asked = village.airbnb.stays, []

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        asked.append(unit)
        return await right(account, unit)

    village.airbnb.stays = stays  # type: ignore[method-assign]
    live(village, 20)
    monkeypatch.setattr(modes, "SECONDS_A_UNIT", 600)  # as if the one unit were many
    often = len(asked)
    live(village, 20)
    assert often >= 8
    assert 1 <= len(asked) - often <= 2


# ------------------------------------------------------------------------ the ladder, and what is known


def test_rule_22_a_platform_that_fell_down_the_ladder_is_not_fresher_for_it(village: Village) -> None:
    """In BATCH by failure nothing is known for a quarter of an hour: no reason to promise its nights for three."""
    right = village.booking.poll

    async def poll(account: Account) -> Polled:
        raise PlatformDown("Booking.com: HTTP 503")

    village.run(look(village))
    assert village.run(asks(village.engine, JULY))
    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 4)
    village.run(village.poll_greengo())
    assert not village.run(asks(village.engine, AUGUST))
    village.booking.poll = right  # type: ignore[method-assign]


def test_a_mode_that_moved_sends_what_waited_though_its_record_fails(village: Village) -> None:
    down = True
    right = village.booking.poll

    async def poll(account: Account) -> Polled:
        if down:
            raise PlatformDown("Booking.com: HTTP 503")
        return await right(account)

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 25)
    told(village, "airbnb", JULY)
    said = len(village.notify.notices)

    def fail(operation: str, table: str, partition: str) -> None:
        if (table, partition) == (RUNS, CHANGES):
            raise StoreUnavailable("not now")

    down, village.tables.before = False, fail
    live(village, 25)
    village.tables.before = None
    changes = [n.text["en"].split(" (")[0] for n in village.notify.notices[said:] if n.kind == "mode_changed"]
    assert changes == ["booking: manual -> batch", "booking: batch -> real time"]


def test_a_platform_that_comes_and_goes_is_told_of_a_few_times_and_not_at_each_turn(village: Village) -> None:
    right, begun = village.booking.poll, village.clock.peek()

    async def poll(account: Account) -> Polled:
        if (village.clock.peek() - begun).total_seconds() // 70 % 2:
            raise PlatformDown("Booking.com: HTTP 503")
        return await right(account)

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 40)
    keys = [n.key for n in village.notify.notices if n.kind == "mode_changed"]
    assert len(keys) > 10, "it does move"
    assert len(set(keys)) == 2, "one key is told once an hour"


def test_reads_that_work_and_writes_that_fail_do_not_move_the_mode_up_and_down(guarded: Village) -> None:
    async def refuse(account: Account, listing: Listing, write: Write) -> WriteOutcome:
        raise PlatformDown("Airbnb: HTTP 503")

    guarded.airbnb.write = refuse  # type: ignore[method-assign]
    for day in range(1, 13):
        start = date(2027, 6, 2 * day)
        sold(guarded, "booking", StayDates(start, start + timedelta(days=1)))
        live(guarded, 10)
    assert sum(n.kind == "mode_changed" for n in guarded.notify.notices) <= 4


def test_a_listing_we_may_not_write_to_does_not_take_its_account_out_of_real_time(village: Village) -> None:
    """A 403 about one listing: its neighbours' nights must still be closed."""

    async def refuse(account: Account, listing: Listing, write: Write) -> WriteOutcome:
        raise AuthFailed("Airbnb: calendar write: HTTP 403")

    village.airbnb.write = refuse  # type: ignore[method-assign]
    told(village, "booking", JULY)
    live(village, 10)
    assert [n.text["en"] for n in village.notify.notices if n.kind == "mode_changed"] == []
    [close] = village.run(village.engine.overview.everything(LOCAL))["close_by_hand"]
    assert close["why"] == "Airbnb: calendar write: HTTP 403"


def test_a_reservation_that_is_another_accounts_does_not_take_this_one_down(village: Village) -> None:
    """A call that names no unit is asked about with every account there is; the others may be refused it."""
    right = village.airbnb.reread

    async def reread(account: Account, reservation: str) -> SeenStay | None:
        raise AuthFailed("Airbnb: reservation read: HTTP 403")

    village.airbnb.reread = reread  # type: ignore[method-assign]
    village.book("airbnb", JULY)
    with contextlib.suppress(TransientError):
        deliver(village)
    village.airbnb.reread = right  # type: ignore[method-assign]
    state = village.run(village.engine.world.accounts.load("airbnb"))
    assert state is not None
    assert state.standing.mode is SyncMode.REAL_TIME


# ------------------------------------------------------------------------------ closures nobody is told of


def test_a_closure_that_only_ever_meets_an_open_circuit_is_told_of(guarded: Village) -> None:
    guarded.run(guarded.engine.mode_desk.force(LOCAL, "booking", "write", "forced_open"))
    told(guarded, "airbnb", JULY)
    live(guarded, 20)
    kinds = [n.kind for n in guarded.notify.notices]
    assert kinds.count("push_failed") >= 1
    shown: dict[str, Any] = guarded.run(guarded.engine.overview.everything(LOCAL))
    assert [one["listing"] for one in shown["close_by_hand"]] == [f"{HOME}-booking"]


def test_deliveries_about_nothing_do_not_keep_a_real_one_waiting_whose_bell_was_lost(
    village: Village,
) -> None:
    """Somebody who knows the address sends a hundred codes no platform knows: each stands there for six hours."""
    for number in range(100):
        claim = {"id": f"X{number}", "dates": str(AUGUST), "cancelled": True}
        village.run(village.webhook(json.dumps(claim).encode()))
    sold(village, "airbnb", JULY)
    village.run(village.engine.world.inbox.put(AIRBNB, village.deliveries.pop()))
    for _ in range(4):
        village.clock.advance(timedelta(seconds=15))
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())
    assert village.booking.calendar.closed == nights(JULY)


def test_a_health_report_that_breaks_keeps_no_notice_from_being_tried_again(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    async def again(self: MemoryNotify) -> None:
        tried.append(1)

    async def torn(self: HealthWatch, also: Sequence[Sight] = (), away: str = "") -> HealthReport:
        raise TypeError("a fault of ours")

    monkeypatch.setattr(MemoryNotify, "again", again)
    monkeypatch.setattr(HealthWatch, "tick", torn)
    with pytest.raises(TypeError, match="a fault of ours"):
        village.run(village.engine.on_timer_health())
    assert tried == [1]


# ------------------------------------------------------------------------------------ clocks


class NewHost(MemoryTables):
    """A process whose own clock is an hour ahead, until the store's first answer tells it better."""

    def __init__(self, right: Callable[[], datetime]) -> None:
        super().__init__(self.told)
        self.right, self.answered = right, False

    def told(self) -> datetime:
        return self.right() if self.answered else self.right() + timedelta(hours=1)

    async def get(self, table: str, partition: str, key: str) -> Row | None:
        found = await super().get(table, partition, key)
        self.answered = True
        return found


def test_rule_26_a_new_host_with_a_wrong_clock_takes_no_lease_that_is_held(village: Village) -> None:
    tables = NewHost(village.clock.now)
    accounts = AccountStore(tables)
    tables.answered = True
    assert village.run(accounts.lease("booking", "poll", timedelta(seconds=30))) == 1
    tables.answered = False
    assert village.run(accounts.lease("booking", "poll", timedelta(seconds=30))) is None
    village.clock.advance(MINUTE)
    tables.answered = False
    assert village.run(accounts.lease("booking", "poll", timedelta(seconds=30))) == 2
    village.clock.advance(MINUTE)
    assert village.run(accounts.lease("booking", "poll", timedelta(seconds=30))) == 3, "not held for an hour"


# ------------------------------------------------------------------------------------ what the log says


def test_a_calendars_uid_that_holds_a_guests_name_is_in_no_line_of_the_log(village: Village) -> None:
    """Some calendars make their UIDs of the guest's name or address."""
    stay_there = sold(village, "greengo", JULY)
    calendar = village.greengo.calendar
    calendar.sold = {"jean.dupont@mail.example": stay_there}
    stay_there.id = "jean.dupont@mail.example"
    village.run(look(village))
    village.run(village.drain())
    assert not village.run(asks(village.engine, JULY))
    live(village, 3)
    lines = [str(one) for one in (*village.telemetry.events, *village.notify.notices)]
    assert [line for line in lines if "dupont" in line] == []
