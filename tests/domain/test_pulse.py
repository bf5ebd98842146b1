"""A source is judged by its period and a grace; its last day fits into a strip."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.pulse import BROKEN, Pulse, pulse, worst
from shared.domain.strip import HOURS, Slot, Strip, from_text, marked, of_looks, to_text

NOW = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)
PERIOD = timedelta(minutes=2)
HOUR = timedelta(hours=1)


def after(span: timedelta, **how: bool) -> Pulse:
    return pulse(NOW - span, PERIOD, NOW, **how)


def test_a_source_is_late_beyond_three_of_its_periods_and_down_after_a_day() -> None:
    assert after(timedelta(minutes=6)) is Pulse.UP
    assert after(timedelta(minutes=6, seconds=1)) is Pulse.LATE
    assert after(BROKEN) is Pulse.LATE
    assert after(BROKEN + timedelta(seconds=1)) is Pulse.DOWN


def test_a_quick_source_is_not_late_for_one_slow_minute() -> None:
    every = timedelta(seconds=20)
    assert pulse(NOW - timedelta(seconds=130), every, NOW) is Pulse.UP
    assert pulse(NOW - timedelta(seconds=141), every, NOW) is Pulse.LATE


def test_what_was_never_asked_is_new_and_what_never_answered_is_down() -> None:
    assert pulse(None, PERIOD, NOW) is Pulse.NEW
    assert pulse(None, PERIOD, NOW, failing=True) is Pulse.DOWN


def test_a_pause_hides_a_late_answer_but_no_day_of_silence() -> None:
    assert after(HOUR, paused=True) is Pulse.PAUSED
    assert after(BROKEN + HOUR, paused=True) is Pulse.DOWN
    assert after(timedelta(0), given_up=True, paused=True) is Pulse.DOWN


def test_several_together_are_as_bad_as_the_worst() -> None:
    assert worst([Pulse.UP, Pulse.LATE, Pulse.PAUSED]) is Pulse.LATE
    assert worst([Pulse.UP, Pulse.UP]) is Pulse.UP
    assert worst([]) is Pulse.NEW


def test_each_hour_says_whether_all_some_or_none_was_answered() -> None:
    looks = [(NOW - 2 * HOUR, True), (NOW - 2 * HOUR, False), (NOW - HOUR, False), (NOW, True), (NOW, True)]
    slots = of_looks(looks).at(NOW)
    assert slots[-4:] == (Slot.NOTHING, Slot.SOME, Slot.FAILED, Slot.OK)
    assert len(slots) == HOURS


def test_hours_that_pass_push_the_old_ones_out() -> None:
    strip = Strip().marked(NOW, ok=True)
    assert strip.at(NOW + 23 * HOUR)[0] is Slot.OK
    assert set(strip.at(NOW + 24 * HOUR)) == {Slot.NOTHING}
    assert set(strip.at(NOW + 900 * HOUR)) == {Slot.NOTHING}


def test_a_look_told_late_finds_its_own_hour() -> None:
    strip = Strip().marked(NOW, ok=True).marked(NOW - 5 * HOUR, ok=False)
    assert strip.at(NOW)[-6] is Slot.FAILED
    assert strip.marked(NOW - 30 * HOUR, ok=False) == strip


def test_a_strip_comes_back_from_its_text() -> None:
    strip = of_looks([(NOW - 3 * HOUR, False), (NOW, True)])
    assert from_text(to_text(strip)) == strip
    assert len(to_text(strip)) < 40


def test_one_more_look_at_a_stored_strip_is_what_marking_it_would_be() -> None:
    text, strip = "", Strip()
    looks = [(0, True), (0, True), (1, False), (1, True), (1, True), (3, True), (2, False), (40, True)]
    for hours, ok in looks:
        when = NOW + hours * HOUR
        text, strip = marked(text, when, ok=ok), strip.marked(when, ok=ok)
        assert text == to_text(strip)


@pytest.mark.parametrize("text", ["", "x", "12", "+" * HOURS, "1" + "x" * HOURS, "9" * 40, "٣" + "." * HOURS])
def test_a_text_no_release_wrote_is_an_empty_strip(text: str) -> None:
    assert from_text(text) == Strip()
