"""A platform where nothing is booked is heard of all the same, and no longer once nobody asks it: by API, by channel
manager and by calendar link. What must be heard was worked out beforehand: a beat every 5 minutes at most, seen where a
pass comes by (each minute here), and silence told after an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from local.sandbox.faults import Fault, FaultKind
from shared.engine.reports import BEAT
from tests.infra.idle import MINUTE, Idle
from tests.infra.test_alerts import speaks

BY_API, BY_LINK = {"airbnb", "booking", "channex"}, {"greengo", "gites", "vrbo"}
"""The example's platforms; Airbnb and Booking.com are linked by calendar too."""

LATE = 10 * MINUTE
"""As late as rows may come: two of an alert's looks."""


@pytest.fixture
def idle() -> Iterator[Idle]:
    built = Idle()
    yield built
    built.close()


def silent(idle: Idle, now: datetime, delay: timedelta = timedelta()) -> set[str]:
    """The platforms that the alert names, where every row arrives so late."""
    rows = [row for row in idle.workspace.rows if row["TimeGenerated"] <= now - delay]  # type: ignore[operator]
    return {one["platform"] for one in speaks("stale_sync", *rows, now=now)}


def test_a_platform_where_nothing_happens_is_heard_of_every_few_minutes(idle: Idle) -> None:
    idle.run(idle.pass_minutes(10))
    begun = idle.clock.peek()
    idle.sandbox.calls.latest.clear()
    idle.run(idle.pass_minutes(125))
    heard, end = idle.beats(begun), idle.clock.peek()
    assert heard.keys() == BY_API | BY_LINK
    for platform, times in heard.items():
        gaps = [b - a for a, b in zip([begun, *times], [*times, end], strict=True)]
        assert max(gaps) <= BEAT + 3 * MINUTE, platform
        assert len(times) <= 125 / 5 + 1, platform  # each is paid for
    answers = {one.outcome for one in idle.sandbox.calls.latest if one.platform == "greengo"}
    assert answers == {"200", "304"}, "the same calendar again, and one that says so itself"
    looks = [begun + n * 5 * MINUTE for n in range(26)]
    assert [silent(idle, now, LATE) for now in looks] == [set()] * 26


def test_when_nobody_asks_any_more_every_platform_is_told_within_an_hour_and_five_minutes(idle: Idle) -> None:
    idle.run(idle.pass_minutes(70))
    stopped = idle.clock.peek()
    idle.run(idle.pass_minutes(70, polled=lambda: False))
    assert silent(idle, stopped + 50 * MINUTE) == set()
    assert silent(idle, stopped + 61 * MINUTE) == BY_API | BY_LINK
    idle.run(idle.pass_minutes(2))
    assert silent(idle, idle.clock.peek()) == set(), "and over when they are asked again"


def test_a_platform_that_does_not_answer_silences_itself_alone(idle: Idle) -> None:
    idle.run(idle.pass_minutes(10))
    for platform in ("booking", "gites"):
        idle.sandbox.faults.add(Fault(FaultKind.DOWN, platform))
    idle.run(idle.pass_minutes(75))
    assert silent(idle, idle.clock.peek()) == {"booking", "gites"}
    idle.sandbox.faults.clear()
    idle.run(idle.pass_minutes(35))  # the longest pause of a link, and of an account
    assert silent(idle, idle.clock.peek()) == set()


def test_one_calendar_that_is_gone_silences_neither_its_platform_nor_others(idle: Idle) -> None:
    idle.run(idle.pass_minutes(10))
    links = [one for one in idle.sandbox.truth.calendars.values() if one.listing.platform == "greengo"]
    assert len(links) > 1
    for status in (404, 500):
        idle.sandbox.faults.clear()
        fault = Fault(FaultKind.ERROR, "greengo", status=status, path=links[0].listing.token)
        idle.sandbox.faults.add(fault)
        begun = idle.clock.peek()
        idle.run(idle.pass_minutes(70))
        assert idle.beats(begun).keys() == BY_API | BY_LINK
        assert silent(idle, idle.clock.peek()) == set(), status
