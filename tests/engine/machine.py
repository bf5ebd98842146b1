"""The state machine: guests, platforms, the network and the process do their worst, in a tiny alphabet of nights; then
everything works again for a while, and the calendars must be exactly right."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from shared.domain.dates import StayDates, nights_of
from shared.domain.model import AIRBNB, BOOKING, GREENGO, SiteState, Status
from shared.domain.occupancy import occupancies
from shared.state.sites import SiteStore
from tests.engine.village import HOME, Sold, Village

FIRST = date(2027, 7, 10)
PLATFORMS = st.sampled_from([AIRBNB, BOOKING, GREENGO])
APIS = st.sampled_from([AIRBNB, BOOKING])
STAYS = st.builds(
    lambda start, length: StayDates.of_nights(FIRST + timedelta(days=start), length),
    st.integers(0, 4),
    st.integers(1, 3),
)
PICK = st.integers(0, 5)


class SyncMachine(RuleBasedStateMachine):
    """Each rule is one thing that happens somewhere; what must always hold is checked where a night is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.village = Village()
        self.plain = SiteStore(self.village.tables, lambda: "never")
        self.village.airbnb.on_open = self.check_opening
        self.village.booking.on_open = self.check_opening
        self.village.greengo.on_open = self.check_opening

    def teardown(self) -> None:
        try:
            self.village.run(self.village.settle())
            check_at_rest(self.village)
        finally:
            self.village.close()

    # ------------------------------------------------------------------------------- what guests do

    @rule(platform=PLATFORMS, dates=STAYS)
    def book(self, platform: str, dates: StayDates) -> None:
        self.village.book(platform, dates)

    @rule(platform=PLATFORMS, pick=PICK, dates=STAYS)
    def move(self, platform: str, pick: int, dates: StayDates) -> None:
        stay = self.pick(platform, pick)
        if stay is not None and self.village.platforms()[platform].move(stay, dates):
            self.village.say(platform, stay, "modify")

    @rule(platform=PLATFORMS, pick=PICK)
    def cancel(self, platform: str, pick: int) -> None:
        stay = self.pick(platform, pick)
        if stay is not None:
            self.village.platforms()[platform].cancel(stay)
            self.village.say(platform, stay, "modify")

    def pick(self, platform: str, pick: int) -> Sold | None:
        live = self.village.platforms()[platform].live()
        return live[pick % len(live)] if live else None

    # ------------------------------------------------------------------------------- what reaches us

    @rule(pick=PICK)
    def webhook_in_any_order(self, pick: int) -> None:
        waiting = self.village.deliveries
        if waiting:
            self.village.run(self.village.webhook(waiting.pop(pick % len(waiting))))

    @rule(pick=PICK)
    def webhook_twice(self, pick: int) -> None:
        waiting = self.village.deliveries
        if waiting:
            self.village.run(self.village.webhook(waiting[pick % len(waiting)]))

    @rule()
    def webhook_lost(self) -> None:
        if self.village.deliveries:
            self.village.deliveries.pop()

    @rule()
    def poll_booking(self) -> None:
        self.village.run(self.village.poll_booking())

    @rule()
    def poll_greengo(self) -> None:
        self.village.run(self.village.poll_greengo())

    @rule()
    def greengo_pulls(self) -> None:
        self.village.run(self.village.greengo_pulls())

    @rule()
    def workers_and_sweep(self) -> None:
        self.village.run(self.village.engine.on_timer_sweep())
        self.village.run(self.village.drain())

    @rule(seconds=st.sampled_from([5, 30, 75, 600, 1300, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.village.clock.advance(timedelta(seconds=seconds))

    # ------------------------------------------------------------------------------- what goes wrong

    @rule(platform=APIS, kind=st.sampled_from(["down", "lose_answer", "late", "refuse", "fine", "fine"]))
    def outage(self, platform: str, kind: str) -> None:
        faults = (self.village.airbnb if platform == AIRBNB else self.village.booking).faults
        for name in ("down", "lose_answer", "late", "refuse"):
            setattr(faults, name, name == kind)

    @rule(kind=st.sampled_from(["down", "empty", "hidden", "fine", "fine"]))
    def feed_trouble(self, kind: str) -> None:
        greengo = self.village.greengo
        greengo.faults.down, greengo.empty = kind == "down", kind == "empty"
        greengo.hidden = {stay.id for stay in greengo.calendar.live()[:1]} if kind == "hidden" else set()

    @rule(down=st.booleans())
    def bus(self, down: bool) -> None:
        self.village.bus.down = down

    @rule()
    def late_answer_lands(self) -> None:
        self.village.airbnb.land_late()
        self.village.booking.land_late()

    @rule(calls=st.integers(1, 25), what=st.sampled_from(["webhook", "booking", "greengo", "sweep", "pull"]))
    def crash(self, calls: int, what: str) -> None:
        self.village.dies_in(calls, self.doing(what))

    @rule(platform=PLATFORMS, dates=STAYS)
    def racing_writers(self, platform: str, dates: StayDates) -> None:
        self.village.book(platform, dates)

        async def race() -> None:
            names = ("webhook", "booking", "greengo", "sweep", "pull", "webhook")
            await asyncio.gather(*(self.doing(name) for name in names))

        self.village.run(race())

    def doing(self, what: str) -> Coroutine[Any, Any, object]:
        village = self.village
        if what == "webhook" and village.deliveries:
            return village.webhook(village.deliveries.pop(0))
        if what == "booking":
            return village.poll_booking()
        if what == "greengo":
            return village.poll_greengo()
        if what == "pull":
            return village.greengo_pulls()
        return village.engine.on_timer_sweep()

    # --------------------------------------------------------------------------- what must always hold

    def check_opening(self, platform: str, night: date) -> None:
        """No night is opened while a stay stored from elsewhere holds it."""
        state = now_stored(self.plain)
        home = f"{HOME}-{platform}"
        for one in occupancies(state):
            held = one.listing != home and one.dates.check_in <= night < one.dates.check_out
            assert not held, f"{platform} opened {night}, held by {one.cause}"


def now_stored(sites: SiteStore) -> SiteState:
    """The site as it is stored at this very moment; the twin never waits, so the coroutine ends at its first step."""
    try:
        sites.load(HOME).send(None)
    except StopIteration as done:
        value = done.value
        assert isinstance(value, SiteState)
        return value
    raise AssertionError("the twin waited")


def check_at_rest(village: Village) -> None:
    """What must be true once everything has worked for a while."""
    state = village.run(village.engine.world.sites.load(HOME))
    calendars = village.platforms()
    truth = {name: nights_of(stay.dates for stay in one.live()) for name, one in calendars.items()}
    for name, calendar in calendars.items():
        elsewhere = {night for other, nights in truth.items() if other != name for night in nights}
        wrong = (calendar.closed ^ elsewhere) - truth[name]  # a sold night may be closed besides
        assert not wrong, f"{name}: {sorted(wrong)}"
    check_facts(village, state)
    check_conflicts(village, state)
    assert village.run(village.engine.world.due.all()) == []
    writes = len(village.airbnb.writes) + len(village.booking.writes)
    village.run(village.engine.reconciler.reconcile(HOME, "once more"))
    assert len(village.airbnb.writes) + len(village.booking.writes) == writes


def check_facts(village: Village, state: SiteState) -> None:
    """The ledger's stays are the platforms' stays: none lost, none invented, none of the wrong nights."""
    stored = {
        (one.listing.removeprefix(f"{HOME}-"), one.dates) for one in occupancies(state) if not one.fading
    }
    sold = {(name, stay.dates) for name, one in village.platforms().items() for stay in one.live()}
    assert stored == sold
    live = [one for one in state.reservations.values() if one.status is not Status.CANCELLED]
    assert all(not one.hinted for one in live)


def check_conflicts(village: Village, state: SiteState) -> None:
    """One open conflict for each overlapping pair, and none besides."""
    stays = [(name, stay) for name, one in village.platforms().items() for stay in one.live()]
    clashing = [
        (first, second)
        for index, (first_name, first) in enumerate(stays)
        for second_name, second in stays[index + 1 :]
        if first_name != second_name and first.dates.overlaps(second.dates)
    ]
    open_now = [one for one in state.conflicts.values() if one.ended_at is None]
    assert len(open_now) == len(clashing), f"{len(open_now)} conflicts for {len(clashing)} clashes"
    assert all(one.told for one in state.conflicts.values())
