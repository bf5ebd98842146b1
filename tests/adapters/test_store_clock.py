from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.store_clock import StoreClock

START = datetime(2026, 7, 1, 12, tzinfo=UTC)


class World:
    """A store and a host: the host's monotonic clock runs ``drift`` too fast and began at any number."""

    def __init__(self, drift: float, began: float) -> None:
        self.true = 0.0
        self.drift = drift
        self.began = began
        self.clock = StoreClock(self.monotonic, lambda: START + timedelta(hours=1))

    def monotonic(self) -> float:
        return self.began + self.true * (1 + self.drift)

    def store_time(self) -> datetime:
        return START + timedelta(seconds=self.true)

    def ask(self, there: float, back: float) -> None:
        sent = self.monotonic()
        self.true += there
        date = format_datetime(self.store_time().replace(microsecond=0), usegmt=True)
        self.true += back
        self.clock.observe(date, sent)


SECONDS = st.floats(0, 2)


@given(
    st.floats(-1e-3, 1e-3),
    st.floats(0, 1e6),
    st.lists(st.tuples(SECONDS, SECONDS, st.floats(0, 60)), min_size=1, max_size=12),
)
def test_it_is_never_ahead_nor_far_behind_nor_going_back(
    drift: float, began: float, answers: list[tuple[float, float, float]]
) -> None:
    world = World(drift, began)
    last = datetime.min.replace(tzinfo=UTC)
    for there, back, pause in answers:
        world.ask(there, back)
        for wait in (0.0, pause):
            world.true += wait
            off = (world.store_time() - world.clock.now()).total_seconds()
            # Ahead only by what the host's clock gained since bounds were last narrowed (here: over all pauses).
            gained = abs(drift) * world.true + 1e-5
            assert -gained - 1e-6 <= off <= 1 + there + back + gained
            assert world.clock.now() >= last
            last = world.clock.now()


def test_a_fast_clock_is_held_back_by_the_answers() -> None:
    world = World(drift=1e-3, began=5.0)
    for _ in range(5000):
        world.ask(0.01, 0.01)
        world.true += 9.98
    ahead = (world.clock.now() - world.store_time()).total_seconds()
    assert ahead < 1.1, "50 s were gained in these 14 hours"


def test_many_answers_narrow_the_second() -> None:
    world = World(drift=0.0, began=5.0)
    for _ in range(50):
        world.ask(0.01, 0.01)
        world.true += 0.113
    assert timedelta(0) <= world.store_time() - world.clock.now() < timedelta(seconds=0.15)


def test_a_suspended_host_catches_up_at_the_next_answer() -> None:
    world = World(drift=0.0, began=5.0)
    world.ask(0, 0)
    world.began -= 3600  # the monotonic clock stood still for an hour
    world.true += 3600
    assert world.clock.now() < START + timedelta(seconds=2)
    world.ask(0, 0)
    assert abs(world.clock.now() - world.store_time()) <= timedelta(seconds=1)


def test_until_the_first_answer_the_hosts_clock_stands_in() -> None:
    world = World(drift=0.0, began=5.0)
    assert world.clock.now() == START + timedelta(hours=1)
    world.ask(0, 0)
    assert world.clock.now() == START


@pytest.mark.parametrize("date", [None, "", "yesterday", "Wed, 99 Jul 2026 12:00:00 GMT", "0"])
def test_an_unreadable_date_is_ignored(date: str | None) -> None:
    world = World(drift=0.0, began=5.0)
    world.ask(0, 0)
    world.clock.observe(date, world.monotonic())
    assert world.clock.now() == START


def test_it_stands_still_rather_than_going_back() -> None:
    world = World(drift=0.1, began=5.0)
    world.ask(0, 0)
    world.true += 30
    before = world.clock.now()
    assert before - world.store_time() > timedelta(seconds=2), "three seconds were gained"
    world.ask(0, 0)
    assert world.clock.now() == before
    world.true += 10
    assert world.clock.now() > before
