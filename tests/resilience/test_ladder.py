"""The ladder: down on repeated failure, up on recovery, one step at a time, each with its reason and next probe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.modes import Ending, ModeSetting, Outcome, Rung, feed_mode, next_look, standing
from shared.resilience.ladder import GIVE_UP, LONGEST_PROBE, climb
from shared.state import rungs

START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
REAL_TIME, BATCH, MANUAL = SyncMode.REAL_TIME, SyncMode.BATCH, SyncMode.MANUAL
ORDER = (MANUAL, BATCH, REAL_TIME)


def after(*outcomes: tuple[Ending, float], rung: Rung | None = None) -> Rung:
    """The rung after endings at so many seconds from the start."""
    at = rung or Rung()
    for ending, seconds in outcomes:
        at = climb(at, Outcome(ending, START + timedelta(seconds=seconds), "HTTP 503"))
    return at


DOWN, OK, REFUSED, LIMITED = Ending.DOWN, Ending.OK, Ending.REFUSED, Ending.LIMITED


def test_three_failures_over_half_a_minute_lead_down_with_reason_and_probe() -> None:
    rung = after((DOWN, 0), (DOWN, 20), (DOWN, 40))
    assert (rung.mode, rung.reason) == (BATCH, "HTTP 503")
    assert rung.since == START + timedelta(seconds=40)
    assert rung.probe_at == START + timedelta(seconds=70)


def test_many_failures_at_one_instant_are_one_failure_seen_by_many_sites() -> None:
    assert after(*[(DOWN, 0.1 * number) for number in range(50)]).mode is REAL_TIME


def test_an_answer_in_between_begins_the_row_anew() -> None:
    assert after((DOWN, 0), (DOWN, 20), (OK, 30), (DOWN, 40), (DOWN, 60)).mode is REAL_TIME


def test_fifteen_minutes_more_without_an_answer_lead_to_manual() -> None:
    failing = [(DOWN, 20.0 * number) for number in range(200)]
    rung, when = Rung(), None
    for ending, seconds in failing:
        rung = after((ending, seconds), rung=rung)
        if rung.mode is MANUAL:
            when = seconds
            break
    assert when is not None
    assert GIVE_UP.total_seconds() + 40 <= when <= GIVE_UP.total_seconds() + 40 + 300


def test_refused_credentials_lead_to_manual_at_once() -> None:
    assert after((REFUSED, 0)).mode is MANUAL


def test_two_answers_lead_up_one_step() -> None:
    down = after((REFUSED, 0))
    assert after((OK, 60), rung=down).mode is MANUAL
    batch = after((OK, 60), (OK, 80), rung=down)
    assert batch.mode is BATCH
    assert after((OK, 100), (OK, 120), rung=batch).mode is REAL_TIME


def test_a_first_answer_asks_for_the_second_soon() -> None:
    rung = after((OK, 60), rung=after((DOWN, 0), (DOWN, 20), (DOWN, 40)))
    assert rung.probe_at == START + timedelta(seconds=80)


def test_a_short_pause_a_platform_asks_for_is_no_step_a_long_one_is() -> None:
    short = climb(Rung(), Outcome(LIMITED, START, "HTTP 429", 60))
    assert short == Rung()
    long = climb(Rung(), Outcome(LIMITED, START, "HTTP 429", 900))
    assert (long.mode, long.probe_at) == (BATCH, START + timedelta(seconds=900))


def test_a_success_in_real_time_is_the_very_same_rung() -> None:
    rung = Rung()
    assert climb(rung, Outcome(OK, START)) is rung


@given(
    st.lists(st.tuples(st.sampled_from(Ending), st.floats(0, 400), st.sampled_from([None, 10.0, 900.0]))),
)
def test_every_step_is_one_rung_explained_and_probed(story: list[tuple[Ending, float, float | None]]) -> None:
    rung, now = Rung(), START
    for ending, later, wait in story:
        now += timedelta(seconds=later)
        before, rung = rung, climb(rung, Outcome(ending, now, "why", wait))
        assert rungs.from_text(rungs.to_text(rung)) == rung
        if rung.mode is not before.mode:
            steps = ORDER.index(rung.mode) - ORDER.index(before.mode)
            assert abs(steps) == 1 or ending is REFUSED
            assert (steps > 0) == (ending is OK), "only an answer leads up, and it never leads down"
            assert rung.since == now
        if rung.mode is not REAL_TIME:
            assert rung.reason
            assert rung.probe_at is not None
            longest = max(LONGEST_PROBE[rung.mode], timedelta(seconds=900))
            assert rung.probe_at <= now + longest


@given(st.lists(st.sampled_from([DOWN, REFUSED]), min_size=1, max_size=30))
def test_four_answers_in_a_row_always_end_in_real_time(bad: list[Ending]) -> None:
    rung = after(*[(ending, 120.0 * number) for number, ending in enumerate(bad)])
    end = 120.0 * len(bad)
    assert after(*[(OK, end + 20 * number) for number in range(4)], rung=rung).mode is REAL_TIME


# ---------------------------------------------------------------------------------- what holds, and when


def test_an_owners_choice_stands_above_the_ladder_and_a_revocation_above_both() -> None:
    assert standing(ModeSetting(MANUAL), Rung()).mode is MANUAL
    assert standing(ModeSetting(REAL_TIME), after((REFUSED, 0))).mode is REAL_TIME
    revoked = standing(ModeSetting(REAL_TIME), Rung(), "authorization_revoked")
    assert (revoked.mode, revoked.reason, revoked.sends) == (MANUAL, "authorization_revoked", False)


@pytest.mark.parametrize("minutes", [0, 6, -1])
def test_poll_minutes_out_of_bounds_are_refused_by_name(minutes: int) -> None:
    with pytest.raises(PayloadRejected, match=rf"poll_minutes is {minutes}: it must be 1 to 5"):
        ModeSetting(poll_minutes=minutes)


@pytest.mark.parametrize("minutes", [14, 31])
def test_batch_minutes_out_of_bounds_are_refused_by_name(minutes: int) -> None:
    with pytest.raises(PayloadRejected, match=rf"batch_minutes is {minutes}: it must be 15 to 30"):
        ModeSetting(batch_minutes=minutes)


def test_the_next_look_follows_the_mode_and_an_earlier_probe() -> None:
    setting, calm = ModeSetting(poll_minutes=3, batch_minutes=20), standing(ModeSetting(), Rung())
    assert next_look(setting, calm, None) is None
    assert next_look(setting, calm, START) == START + timedelta(minutes=3)
    assert next_look(setting, calm, START, 20.0) == START + timedelta(seconds=20)
    batch = standing(ModeSetting(BATCH), Rung())
    assert next_look(setting, batch, START, 20.0) == START + timedelta(minutes=20)
    down = after((DOWN, 0), (DOWN, 20), (DOWN, 40))
    assert next_look(setting, standing(setting, down), START, 20.0) == START + timedelta(seconds=70)


def test_a_calendar_link_has_a_mode_and_a_reason_too() -> None:
    assert feed_mode(120, 0, False) == (REAL_TIME, "")
    assert feed_mode(120, 3, False)[0] is BATCH
    assert feed_mode(600, 0, False, "the host bears less") == (BATCH, "the host bears less")
    assert feed_mode(120, 0, True)[0] is MANUAL
