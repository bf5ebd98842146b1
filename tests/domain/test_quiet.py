"""When a person is told: what they chose, and the one rule above every choice."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.quiet import MUST, Choice, Hours, Timing, Topic, is_urgent, topic_of, zone_of

ZONES = ["Europe/Paris", "UTC", "Indian/Reunion", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
KINDS = [
    "conflict",
    "push_failed",
    "new_stay",
    "conflict_over",
    "mode_changed",
    "unreadable",
    "never heard of",
]
SEVERITIES = ["info", "low", "medium", "high", "critical"]
PARIS = ZoneInfo("Europe/Paris")

times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
instants = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
)
hours = st.builds(Hours, st.sampled_from(ZONES), times, times, times)
choices = st.builds(
    Choice, st.dictionaries(st.sampled_from(list(Topic)), st.sampled_from(list(Timing))), hours
)


@given(choices, instants, st.sampled_from(SEVERITIES))
def test_a_conflict_is_always_told_at_once(choice: Choice, now: datetime, severity: str) -> None:
    assert choice.told_at("conflict", severity, now) == now
    assert choice.told_at("push_failed", severity, now) == now


@given(choices, instants, st.sampled_from(KINDS))
def test_what_is_critical_is_always_told_at_once(choice: Choice, now: datetime, kind: str) -> None:
    assert choice.told_at(kind, "critical", now) == now


@given(choices, instants, st.sampled_from(KINDS), st.sampled_from(SEVERITIES))
def test_nobody_is_woken_by_what_can_wait_and_nothing_waits_for_ever(
    choice: Choice, now: datetime, kind: str, severity: str
) -> None:
    at = choice.told_at(kind, severity, now)
    if is_urgent(kind, severity):
        return
    timing = choice.timing.get(topic_of(kind), Timing.NOW)
    if timing is Timing.OFF:
        assert at is None
        return
    assert at is not None
    assert not choice.hours.is_quiet(at)
    assert now <= at <= now + timedelta(hours=26 if timing is Timing.NOW else 51)


@given(hours, instants)
def test_a_digest_comes_later_than_what_it_holds(one: Hours, now: datetime) -> None:
    assert one.next_digest(now) > now


@pytest.mark.parametrize(
    ("clock", "quiet"), [((21, 59), False), ((22, 0), True), ((2, 0), True), ((6, 59), True), ((7, 0), False)]
)
def test_the_night_reaches_over_midnight(clock: tuple[int, int], quiet: bool) -> None:
    assert Hours().is_quiet(datetime(2027, 7, 1, *clock, tzinfo=PARIS)) is quiet


def test_quiet_hours_that_begin_when_they_end_are_none() -> None:
    assert not Hours(begins=time(7), ends=time(7)).is_quiet(datetime(2027, 7, 1, 7, tzinfo=PARIS))


def test_a_notice_of_the_night_comes_in_the_morning_and_the_digest_at_its_hour() -> None:
    night = datetime(2027, 7, 1, 23, 30, tzinfo=PARIS)
    choice = Choice({Topic.STAY: Timing.DAILY})
    assert choice.told_at("mode_changed", "high", night) == datetime(2027, 7, 2, 7, tzinfo=PARIS)
    assert choice.told_at("new_stay", "info", night) == datetime(2027, 7, 2, 8, tzinfo=PARIS)
    assert choice.told_at("new_stay", "info", night + timedelta(hours=9)) == datetime(
        2027, 7, 3, 8, tzinfo=PARIS
    )


def test_quiet_hours_are_those_of_the_persons_own_zone() -> None:
    noon = datetime(2027, 7, 1, 12, tzinfo=UTC)
    assert not Hours().is_quiet(noon)
    assert Hours("Pacific/Auckland").is_quiet(noon)


@pytest.mark.parametrize("minutes", range(0, 240, 10))
def test_the_night_in_which_clocks_go_back_costs_an_hour_and_no_day(minutes: int) -> None:
    """02:30 comes twice on 31 October 2027: whoever is told at 02:30 is told at the first that is left."""
    now = datetime(2027, 10, 30, 22, tzinfo=UTC) + timedelta(minutes=minutes)
    late = Hours(ends=time(2, 30)).awake(now)
    assert late - now <= timedelta(hours=3)


def test_a_zone_nobody_knows_is_paris() -> None:
    assert zone_of("Atlantis/Capital") == zone_of("../../etc/passwd") == PARIS


def test_a_kind_nobody_sorted_can_be_chosen_about_and_is_told_by_default() -> None:
    assert topic_of("never heard of") is Topic.MESSAGE
    noon = datetime(2027, 7, 1, 12, tzinfo=UTC)
    assert Choice().told_at("never heard of", "high", noon) == noon
    assert Choice({Topic.MESSAGE: Timing.OFF}).told_at("never heard of", "high", noon) is None


def test_only_these_two_topics_stand_above_every_choice() -> None:
    """What is in here is told at night: a further one is a decision, not an accident."""
    assert {Topic.CONFLICT, Topic.PUSH} == MUST
