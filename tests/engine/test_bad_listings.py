"""No bad listing frees a night of a live stay; what guests really cancel is open elsewhere in rule 21's time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.merge import release_by_hand
from shared.domain.platform import BOOKING
from shared.domain.portfolio import Home
from tests.engine.bad_answers import DAY, LIES, Answer, Event, Truth, told
from tests.engine.bad_listings import (
    HOME,
    LONG,
    MORNING,
    SHORT,
    Poll,
    Register,
    Story,
    a_story,
    a_truth,
    freed,
    live_nights,
    response,
)
from tests.engine.guard_mutants import MUTANTS, Mutant
from tests.engine.hamlet import Hamlet, link, linked, stay
from tests.engine.people import LOCAL
from tests.hypothesis_profiles import budget

MINUTE = timedelta(minutes=1)
LISTINGS = budget(500, 10_000)
"""How many generated listings, each with its bad spells."""


# ---------------------------------------------------------------------------------------- the merge alone


def test_no_bad_listing_frees_a_night_of_a_live_stay() -> None:
    for seed in range(LISTINGS):
        story = a_story(seed)
        assert freed(story) == [], f"seed {seed}\n{story}"


def test_every_way_of_going_wrong_is_among_the_listings() -> None:
    """A generator that never draws a lie proves nothing about it."""
    seen = {poll.why for seed in range(500) for poll in a_story(seed).polls}
    assert seen == {lie.__name__ for lie in LIES} | {"good"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_listings_kill_a_wrong_guard(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert any(freed(a_story(seed)) for seed in range(500)), f"{mutant.__name__} lives"


# ------------------------------------------------------------------------------------- what was really cancelled


def a_cancellation(seed: int) -> tuple[Story, Event, timedelta]:
    """One sale of several really goes, and the calendar says so every two minutes; when it must be open elsewhere."""
    chance = random.Random(seed)
    free: list[Event] = []
    while not free:
        truth = a_truth(chance, least=2)
        ahead = [one for one in truth.sales if one.dates.check_out > truth.today]
        free = [one for one in ahead if one.dates.check_in > truth.today and len(ahead) > 1]
    gone = chance.choice(free)
    near = gone.dates.check_in <= truth.today + 2 * DAY
    wait = LONG if near else SHORT
    left = told(truth, [one for one in truth.events() if one != gone])
    times = [timedelta(minutes=10) + n * 2 * MINUTE for n in range(wait // (2 * MINUTE) + 1)]
    polls = [Poll(timedelta(), told(truth), "good"), *(Poll(at, left, "cancelled") for at in times)]
    return Story(truth, tuple(polls)), gone, wait


def test_a_single_cancellation_is_open_elsewhere_within_its_time_and_not_before() -> None:
    for seed in range(budget(40, 1000)):
        story, gone, _ = a_cancellation(seed)
        register = Register(story.truth, story.begins)
        nights = set(gone.dates.nights())
        for poll in story.polls:
            register.poll(poll)
            closed = register.closed(story.begins + poll.after)
            assert poll is story.polls[-1] or nights <= closed, f"too soon\n{story}"
        assert not nights & closed, f"too late\n{story}"
        others = [one for one in story.truth.sales if one != gone]
        assert live_nights(others, story.begins + poll.after) <= closed


def mass(chance: random.Random) -> tuple[Truth, Answer]:
    """A season of which more than a third is really cancelled, and the calendar that says so."""
    start = MORNING.date() + timedelta(days=4)
    sales = [
        Event(f"s{n}", StayDates.of_nights(start + 6 * n * DAY, 4)) for n in range(chance.randrange(3, 12))
    ]
    kept = sales[: chance.randrange((2 * len(sales)) // 3)] if len(sales) > 4 else []
    return Truth(BOOKING, MORNING.date(), tuple(sales)), told(Truth(BOOKING, MORNING.date(), tuple(kept)))


def test_a_true_mass_cancellation_goes_through_after_six_hours_of_confirmation() -> None:
    for seed in range(budget(20, 300)):
        truth, after = mass(random.Random(seed))
        register = Register(truth)
        register.poll(Poll(timedelta(), told(truth), "good"))
        lost = live_nights(truth.sales, MORNING) - {n for dates in after.shows or () for n in dates.nights()}
        for minutes in range(10, 10 + 360, 30):
            register.poll(Poll(minutes * MINUTE, after, "cancelled"))
            assert lost <= register.closed(MORNING + minutes * MINUTE)
        register.poll(Poll(370 * MINUTE, after, "cancelled"))
        assert not lost & register.closed(MORNING + 370 * MINUTE)


def test_a_true_mass_cancellation_goes_through_with_the_click() -> None:
    for seed in range(budget(20, 300)):
        truth, after = mass(random.Random(seed))
        register = Register(truth)
        register.poll(Poll(timedelta(), told(truth), "good"))
        register.poll(Poll(10 * MINUTE, after, "cancelled"))
        facts = {key: release_by_hand(one, one.fading) for key, one in register.state.reservations.items()}
        register.state = replace(register.state, reservations=facts)
        assert register.closed(MORNING + 10 * MINUTE) == live_nights(
            [Event("", dates) for dates in after.shows or ()], MORNING
        )


# --------------------------------------------------------------------------------------------- the whole engine


class Replay:
    """The same story through the whole engine: a home with that calendar, and a listing by API elsewhere."""

    def __init__(self, story: Story) -> None:
        self.story, platform = story, story.truth.platform
        home = Home(HOME, "Maison", "owner", turnover=story.turnover)
        self.hamlet = Hamlet((home,), {HOME: platform}, start=story.begins - MINUTE)
        self.hamlet.run(self.hamlet.engine.observer.observe("booking"))
        self.token = self.hamlet.tokens[linked(HOME, platform)]

    def freed(self) -> Iterator[str]:
        """Nights of live stays that are for sale elsewhere after an answer."""
        for poll in self.story.polls:
            self._poll(poll)
            if not poll.after:
                self._sold_elsewhere()
            lost = live_nights(self.story.truth.sales, self.hamlet.clock.peek()) - self.closed()
            if lost:
                yield f"+{poll.after} after {poll.why}: {sorted(map(str, lost))}"

    def closed(self) -> set[date]:
        return self.hamlet.booking.closed(HOME)

    def _poll(self, poll: Poll) -> None:
        built = self.hamlet
        built.clock.advance(max(self.story.begins + poll.after - built.clock.peek(), timedelta()))
        built.web.answers[link(HOME)] = response(poll.answer)
        built.run(built.engine.calendars.shard("0000", force=True))
        built.run(built.engine.on_timer_sweep())
        built.run(built.drain())

    def _sold_elsewhere(self) -> None:
        """The other platform's stays reach us, and the peer fetches their closures."""
        built = self.hamlet
        for one in self.story.truth.echoes:
            built.booking.tell(stay(one.uid, (HOME, one.dates)))
        built.run(built.poll())
        agent = {"user-agent": f"{self.story.truth.platform}/1"}
        assert built.run(built.engine.export_calendar(self.token, agent)).status == 200
        built.run(built.drain())


def test_the_whole_engine_frees_no_night_for_a_bad_listing() -> None:
    for seed in range(budget(12, 250)):
        story = a_story(seed)
        replay = Replay(story)
        assert list(replay.freed()) == [], f"seed {seed}\n{story}"
        replay.hamlet.close()


def test_the_whole_engine_opens_a_single_cancellation_in_its_time() -> None:
    for seed in range(budget(3, 60)):
        story, gone, _ = a_cancellation(seed)
        replay = Replay(story)
        opened = list(replay.freed())
        assert len(opened) == 1, f"not with the last answer alone: {opened}\n{story}"
        assert not set(gone.dates.nights()) & replay.closed()
        assert live_nights([one for one in story.truth.sales if one != gone], MORNING) <= replay.closed()
        replay.hamlet.close()


@pytest.mark.parametrize("clicked", [False, True], ids=["after six hours", "by the click"])
def test_the_whole_engine_lets_a_true_mass_cancellation_through(clicked: bool) -> None:
    """Eight of nine really cancelled. The ordinary passes of the timers find the proof; or a person says so at once."""
    start = MORNING.date() + 5 * DAY
    sales = tuple(Event(f"s{n}", StayDates.of_nights(start + 7 * n * DAY, 3)) for n in range(9))
    truth = Truth(BOOKING, MORNING.date(), sales)
    replay = Replay(Story(truth, (Poll(timedelta(), told(truth), "good"),)))
    assert list(replay.freed()) == []
    built, kept = replay.hamlet, set(sales[4].dates.nights())
    built.web.answers[link(HOME)] = response(told(truth, sales[4:5]))
    built.run(built.engine.calendars.shard("0000", force=True))
    assert replay.closed() == live_nights(sales, MORNING)
    if clicked:
        waiting = built.run(built.engine.vanished.found(LOCAL))
        assert [one.doubt for one in waiting] == ["mass"] * 8
        for one in waiting:
            assert not built.run(built.engine.vanished.let_go(LOCAL, one.id)).already
        built.run(built.drain())
    else:
        passes(built, timedelta(hours=5, minutes=50))
        assert replay.closed() == live_nights(sales, MORNING)
        passes(built, timedelta(minutes=15))
    assert replay.closed() == kept
    built.close()


def passes(built: Hamlet, span: timedelta) -> None:
    """Time goes by, and the timers do what they do."""
    for _ in range(span // (5 * MINUTE)):
        built.clock.advance(5 * MINUTE)
        built.run(built.engine.on_timer_poll_feeds())
        built.run(built.drain())
        built.run(built.engine.on_timer_sweep())
        built.run(built.drain())
