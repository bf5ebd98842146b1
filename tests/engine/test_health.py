"""The health page is open to anybody: it says how much is wrong, and never of whom."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.engine.village import HOME, Village


def test_a_silent_calendar_and_a_waiting_site_are_counted_and_not_named() -> None:
    village = Village()
    village.run(village.engine.on_timer_poll_feeds())
    village.run(village.drain())
    village.run(village.engine.world.due.put(HOME, village.clock.now(), "a test"))
    village.clock.advance(timedelta(hours=1))
    answer = village.run(village.engine.health())
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "ok": False,
        "reasons": [
            "calendars without a good answer for too long: 1",
            "accounts without a good answer for too long: 2",
            "sites that wait for over 5 minutes: 1",
        ],
    }
    named = village.run(village.engine.watch.report()).ill
    assert [one.about for one in named] == [f"{HOME}-greengo", "airbnb", "booking", HOME]
