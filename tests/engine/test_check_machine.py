"""The state machine, with an Airbnb that asks before it sells: a yes is never followed by a double sale that we could
have known of, and calendars still end exactly right."""

from __future__ import annotations

import asyncio
import copy
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from tests.engine.asking import asks, look, makes
from tests.engine.machine import STAYS, SyncMachine, now_stored
from tests.hypothesis_profiles import PROVING, budget

RUNS = budget(test=60, prove=1000)
STEPS = 40

FRESH = timedelta(seconds=62)
"""Three periods of Booking.com's queue, and what the poll itself takes."""


class CheckMachine(SyncMachine):
    """Guests of Airbnb whose platform asks first, among all that goes wrong otherwise."""

    @rule(dates=STAYS, pays=st.booleans(), fresh=st.booleans())
    def a_guest_asks_first(self, dates: StayDates, pays: bool, fresh: bool) -> None:
        village = self.village
        if fresh:
            village.run(look(village))
            self.learn()
        if village.airbnb.calendar.taken() & set(dates.nights()):
            return  # Airbnb shows the nights as taken: nobody asks
        if not village.run(asks(village.engine, dates)):
            return
        self.check_promise(dates)
        code = self.next_code()
        if not village.run(makes(village.engine, code, dates)):
            return
        self.check_promise(dates)
        self.check_pending(code, dates)
        if pays:
            stay = village.book(AIRBNB, dates)
            assert stay is not None
            assert stay.id == code
        else:
            next(iter(village.airbnb.calendar.ids))  # the code is his all the same

    @rule(dates=STAYS, seconds=st.sampled_from([5, 75, 600]))
    def a_sale_nobody_has_told_us_of(self, dates: StayDates, seconds: int) -> None:
        self.village.book(BOOKING, dates)
        self.time_passes(seconds)
        self.a_guest_asks_first(dates, pays=True, fresh=False)

    @rule(first=STAYS, second=STAYS, head_start=st.integers(0, 30))
    def two_guests_at_once(self, first: StayDates, second: StayDates, head_start: int) -> None:
        """On two hosts; whoever is told yes books."""
        village = self.village
        village.run(look(village))
        self.learn()
        codes = self.next_code(), f"{self.next_code()}x"
        next(iter(village.airbnb.calendar.ids))  # the code is the first one's, whatever comes of it
        hosts = village.engine, village.another_host()

        async def late() -> bool:
            for _ in range(head_start):
                await asyncio.sleep(0)
            return await makes(hosts[1], codes[1], second)

        async def race() -> tuple[bool, bool]:
            return await asyncio.gather(makes(hosts[0], codes[0], first), late())

        said = village.run(race())
        assert not (all(said) and first.overlaps(second)), "two guests were promised the same night"
        for dates, told_yes in ((first, said[0]), (second, said[1])):
            if told_yes:
                self.check_promise(dates)

    def next_code(self) -> str:
        """The id Airbnb's next reservation will have."""
        return f"A{next(copy.copy(iter(self.village.airbnb.calendar.ids)))}"

    def check_promise(self, dates: StayDates) -> None:
        """No stay stored as it truly is now, on another platform, holds any of these nights; nor one that stood in
        Booking.com's queue for longer than three of its periods (rule 22)."""
        latest = int((self.village.clock.peek() - FRESH).timestamp() * 1_000_000)
        for stay in self.village.booking.calendar.live():
            if stay.version < latest:
                assert not stay.dates.overlaps(dates), f"promised {dates}, sold as {stay.id} long ago"
        for name in (BOOKING, GREENGO):
            for stay in self.village.platforms()[name].live():
                known = self.known.get(stay.id) == stay.version
                assert not (known and stay.dates.overlaps(dates)), f"promised {dates}, sold as {stay.id}"

    def check_pending(self, code: str, dates: StayDates) -> None:
        """What was promised is held, and every other listing is to be closed."""
        state = now_stored(self.plain)
        assert [part.dates for part in state.reservations[f"airbnb|{code}"].held()] == [dates]
        closing = {row.listing for row in state.blocks.values() if row.wanted and row.dates == dates}
        assert len(closing) == 2

    @rule()
    def everybody_looks(self) -> None:
        self.village.run(look(self.village))
        self.village.clock.advance(timedelta(seconds=1))


def test_no_promise_is_followed_by_a_double_sale_we_could_have_known_of() -> None:
    run_state_machine_as_test(
        CheckMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not PROVING,
            database=None,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
