"""Measured: the numbers and events that alerts listen for come from what happened, with nothing else in them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

from shared.adapters.telemetry_points import DIMENSIONS, EVENTS, METRICS, PROPERTIES, Points
from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.engine.reports import BEAT
from shared.engine.webhooks import MOST_BODY
from shared.ports.bus import Message
from shared.use_cases import WebhookCall
from tests.engine.stories import after, cancelled, deliver, hear, sold, told
from tests.engine.village import HOME, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
NIGHTS = "2027-07-10/2027-07-13"

Fields = dict[str, str | int | float]


def forget(village: Village) -> None:
    """What setting up the village said is no part of the story."""
    village.telemetry.events.clear()
    village.telemetry.numbers.clear()


def said(village: Village, name: str) -> list[Fields]:
    return [fields for event, fields in village.telemetry.events if event == name]


def numbers(village: Village, name: str) -> list[tuple[float, dict[str, str]]]:
    return [(value, dimensions) for one, value, dimensions in village.telemetry.numbers if one == name]


def test_a_stay_is_a_run_of_each_platform_it_touched_with_its_property_and_nights(village: Village) -> None:
    forget(village)
    told(village, "airbnb", JULY)
    assert (1, {"platform": "airbnb", "result": "done"}) in numbers(village, "sync_runs")
    assert (1, {"platform": "booking", "result": "done"}) in numbers(village, "sync_runs")
    assert numbers(village, "bookings_changed") == [(1, {"platform": "airbnb"})]
    assert len(numbers(village, "sync_duration_ms")) == len(numbers(village, "sync_runs"))
    whole = {"site": HOME, "property": HOME, "nights": NIGHTS, "platform": "airbnb", "result": "done"}
    assert [one for one in said(village, "sync_completed") if "property" in one] == [whole]


def test_a_closure_is_timed_from_when_it_was_owed_to_when_it_was_taken(village: Village) -> None:
    village.booking.faults.down = True
    forget(village)
    told(village, "airbnb", JULY)
    assert {"platform": "booking", "result": "failed"} in [one for _, one in numbers(village, "sync_runs")]
    assert numbers(village, "block_latency_ms") == []
    village.booking.faults.down = False
    after(village, timedelta(minutes=10))
    ((latency, dimensions),) = numbers(village, "block_latency_ms")
    assert dimensions == {"platform": "booking"}
    assert 600_000 <= latency < 660_000


def test_how_long_a_night_could_still_be_sold_is_told_while_it_can(village: Village) -> None:
    village.booking.faults.down = True
    told(village, "airbnb", JULY)
    village.clock.advance(timedelta(minutes=10))
    forget(village)
    village.run(village.engine.worker.do(Message("site", HOME)))
    exposed = {dimensions["platform"]: seconds for seconds, dimensions in numbers(village, "exposure_s")}
    assert 600 <= exposed["booking"] < 660
    village.booking.faults.down = False
    after(village, timedelta(hours=1))
    forget(village)
    village.run(village.engine.worker.do(Message("site", HOME)))
    assert "booking" not in {dimensions["platform"] for _, dimensions in numbers(village, "exposure_s")}


def test_a_double_sale_is_told_once_when_it_begins_and_once_when_it_ends(village: Village) -> None:
    forget(village)
    sold(village, "airbnb", JULY)
    second = sold(village, "booking", JULY)
    hear(village)
    village.run(village.drain())
    (began,) = said(village, "conflict_detected")
    assert (began["property"], began["nights"]) == (HOME, NIGHTS)
    cancelled(village, "booking", second)
    village.run(village.drain())
    (ended,) = said(village, "conflict_resolved")
    assert ended["conflict"] == began["conflict"]
    assert [value for value, _ in numbers(village, "conflicts_resolved")] == [1]
    assert len(said(village, "conflict_detected")) == 1


def look(village: Village, span: timedelta) -> None:
    """After a while the calendars are asked, and nothing is new."""
    village.clock.advance(span)
    village.run(village.engine.worker.do(Message("feeds", "0000", str(village.clock.peek()))))
    village.run(village.drain())


def test_a_platform_where_nothing_is_booked_is_heard_of_every_five_minutes(village: Village) -> None:
    forget(village)
    look(village, BEAT)
    beats = [one for one in said(village, "sync_completed") if one["platform"] == "greengo"]
    assert beats == [{"platform": "greengo", "result": "done"}]
    look(village, timedelta(seconds=30))
    assert len(said(village, "sync_completed")) == 1, "not with every look"
    look(village, BEAT)
    assert len(said(village, "sync_completed")) == 2


def test_a_refused_webhook_is_counted_with_its_status(village: Village) -> None:
    forget(village)
    body = b"x" * (MOST_BODY + 1)
    answer = village.run(
        village.engine.receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
    )
    assert answer.status == 413
    assert numbers(village, "webhook_rejected") == [(1, {"platform": "airbnb", "result": "413"})]


def test_a_change_of_mode_is_an_event_and_a_level(village: Village) -> None:
    forget(village)
    modes = village.engine.modes
    account = village.run(modes.account("booking"))
    assert account is not None
    village.run(modes.choose(account, replace(account.setting, wanted=SyncMode.MANUAL), "Claire"))
    (event,) = said(village, "mode_changed")
    assert (event["platform"], event["to"]) == ("booking", "manual")
    assert numbers(village, "mode") == [(2.0, {"platform": "booking"})]


def test_the_health_timer_tells_how_old_the_oldest_answer_and_the_oldest_work_are(village: Village) -> None:
    look(village, timedelta(minutes=5))
    forget(village)
    village.clock.advance(timedelta(minutes=2))
    village.run(village.engine.on_timer_health())
    ages = {dimensions["platform"]: age for age, dimensions in numbers(village, "sync_age_s")}
    assert ages.keys() == {"airbnb", "booking", "greengo"}
    assert 120 <= ages["greengo"] < 150
    assert [value for value, _ in numbers(village, "work_age_s")] == [0]
    village.booking.faults.down = True
    told(village, "airbnb", JULY)
    village.clock.advance(timedelta(hours=2))
    forget(village)
    village.run(village.engine.on_timer_health())
    ((waits, _),) = numbers(village, "work_age_s")
    assert 0 < waits <= 7_200


def test_a_circuit_says_whose_platform_it_is() -> None:
    village = Village(guarded=True)
    try:
        village.booking.faults.down = True
        forget(village)
        told(village, "airbnb", JULY)
        for _ in range(12):
            after(village, timedelta(seconds=30))
        assert {one["platform"] for one in said(village, "circuit_opened")} == {"booking"}
        assert {dimensions["platform"] for _, dimensions in numbers(village, "circuit_state")} == {"booking"}
    finally:
        village.close()


def test_what_is_sent_of_all_this_names_no_guest_and_no_stay(village: Village) -> None:
    """Everything the village says in a day, through the same lists as in earnest."""
    stay = told(village, "airbnb", JULY)
    sold(village, "booking", StayDates(date(2027, 8, 1), date(2027, 8, 4)))
    hear(village)
    cancelled(village, "airbnb", stay)
    deliver(village)
    points = Points()
    for name, value, dimensions in village.telemetry.numbers:
        points.measure(name, value, dimensions, 0.0)
    for name, fields in village.telemetry.events:
        points.happened(name, fields, 0.0)
    batch = points.take()
    assert {one.name for one in batch.points} <= METRICS
    assert {name for one in batch.points for name, _ in one.dimensions} <= set(DIMENSIONS)
    assert {one.name for one in batch.events} <= EVENTS
    assert {name for one in batch.events for name in one.properties} <= PROPERTIES
    written = json.dumps([dict(one.properties) for one in batch.events])
    assert stay.id not in written
    assert "sync_completed" in {one.name for one in batch.events}
