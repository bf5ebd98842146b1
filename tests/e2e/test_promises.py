"""What the engine promises, each promise by its name, through everything that ``make run`` starts.

Three stories run side by side, on nights of their own and in the tests' rhythm (see ``stage.staged``); each test waits
for its part of them. What takes a quarter of an hour (from BATCH to MANUAL) is shown on a virtual clock in
``tests/engine/test_modes.py``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from local.sandbox.faults import FaultKind
from local.sandbox.stays import NightState
from tests.e2e.days import ahead, day_ahead
from tests.e2e.stage import AIRBNB, BOOKING, CHANNEX, TOPIC, Stage, staged
from tests.e2e.support import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROMISE = 30.0
"""Seconds within which a stay is closed elsewhere."""

MINUTE = 80.0
"""Seconds within which a poll of every minute has found what nobody told, with time to spare on a busy machine."""

MOULIN_AIRBNB, MOULIN_BOOKING = "airbnb/9876543", "booking/123456701"
MAS_BOOKING, MAS_CHANNEX = "booking/123457001", "channex/7d0c9a44-52be-4a57-9d0e-6c1b8e2f9a02"

JULY, AUGUST, SEPTEMBER, OCTOBER, NOVEMBER, DECEMBER = (
    day_ahead(f"2027-{month:02}-10") for month in range(7, 13)
)


class Acts:
    """The stories under way. Each notes what it found, by name; who waits for a note fails as its story failed."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.notes: dict[str, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, story: Callable[[Acts], Awaitable[None]]) -> None:
        self._tasks.append(asyncio.ensure_future(self._told(story)))

    async def _told(self, story: Callable[[Acts], Awaitable[None]]) -> None:
        await story(self)

    async def found(self, name: str) -> Any:
        """What a story noted under that name, as soon as it did."""

        async def look() -> bool:
            for task in self._tasks:
                if task.done():
                    task.result()
            return name in self.notes

        await until(look, f"the story comes to {name!r}", 240)
        return self.notes[name]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Acts]:
    async with staged(Path(tmp_path_factory.mktemp("promises"))) as stage:
        found = Acts(stage)
        for story in (airbnb_story, booking_story, channex_story):
            found.begin(story)
        try:
            yield found
        finally:
            await found.stop()


@pytest.fixture
def stage(acts: Acts) -> Stage:
    return acts.stage


# ------------------------------------------------------------------------------------------- the stories


async def airbnb_story(acts: Acts) -> None:
    """The Moulin, sold on Airbnb: a call that arrives, a night that is refused elsewhere, a call that is lost, an owner
    who sends by hand, and keys that are withdrawn."""
    stage, notes = acts.stage, acts.notes
    notes["rhythm"] = await stage.ask("PUT", f"/api/platforms/{AIRBNB}/mode", {"poll_minutes": 1})
    began = time.monotonic()
    nights = await stage.book("airbnb", "9876543", JULY)
    await stage.closed(MOULIN_BOOKING, nights)
    notes["by webhook"] = time.monotonic() - began
    await refused_night(acts)
    await lost_call(acts)
    await by_hand(acts)
    await withdrawn_keys(acts)


async def refused_night(acts: Acts) -> None:
    """Booking.com takes two nights of three, and the third when it is asked again."""
    stage, notes = acts.stage, acts.notes
    fault = stage.breaks(
        FaultKind.REFUSE, "booking", call="availability", night=str(NOVEMBER.replace(day=11))
    )
    nights = await stage.book("airbnb", "9876543", NOVEMBER)

    async def shown() -> list[Any]:
        pushes = (await stage.ask("GET", "/api/status"))["failed_pushes"]
        return [one for one in pushes if one["listing"] == "moulin-booking"]

    notes["refused"] = await until(shown, "the refused night is shown")
    notes["taken"] = stage.states(MOULIN_BOOKING, nights)
    stage.mends(fault)
    await stage.closed(MOULIN_BOOKING, nights)
    await until(lambda: _not(shown), "nothing is shown as refused any more")
    notes["retried"] = True


async def lost_call(acts: Acts) -> None:
    """Airbnb's call never comes."""
    stage, notes = acts.stage, acts.notes
    stage.breaks(FaultKind.LOST, "airbnb", call="webhook", times=1)
    began, stored = time.monotonic(), len(stage.events("webhook_stored"))
    nights = await stage.book("airbnb", "9876543", SEPTEMBER)
    await stage.closed(MOULIN_BOOKING, nights, MINUTE)
    assert len(stage.events("webhook_stored")) == stored
    notes["by poll"] = time.monotonic() - began


async def by_hand(acts: Acts) -> None:
    """Airbnb's account in MANUAL: listed, not sent; sent when a person asks for it."""
    stage, notes = acts.stage, acts.notes
    await stage.ask("PUT", f"/api/platforms/{AIRBNB}/mode", {"mode": "manual"})
    nights = await stage.book("greengo", "moulin-greengo", OCTOBER)
    await stage.closed(MOULIN_BOOKING, nights)

    async def listed() -> list[Any]:
        found = (await stage.ask("GET", "/api/status"))["close_by_hand"]
        return [one for one in found if one["listing"] == "moulin-airbnb"]

    notes["to close"] = await until(listed, "the nights are listed for a person")
    notes["not sent"] = set(stage.states(MOULIN_AIRBNB, nights))
    notes["job"] = await stage.job(mode="manual", platform="airbnb", property="moulin")
    await stage.closed(MOULIN_AIRBNB, nights)
    await stage.ask("PUT", f"/api/platforms/{AIRBNB}/mode", {"mode": "auto"})


async def withdrawn_keys(acts: Acts) -> None:
    """Airbnb refuses our keys."""
    stage, notes = acts.stage, acts.notes
    stage.breaks(FaultKind.ERROR, "airbnb", path="/v2/", status=401)
    await stage.book("greengo", "moulin-greengo", DECEMBER)
    await stage.mode(AIRBNB, "manual", 60)
    notes["alert"] = await stage.told("mode_changed", "our credentials are refused", 30)


async def booking_story(acts: Acts) -> None:
    """The Moulin, sold on Booking.com, which calls nobody."""
    stage = acts.stage
    began = time.monotonic()
    nights = await stage.book("booking", "123456701", AUGUST)
    await stage.closed(MOULIN_AIRBNB, nights)
    acts.notes["by queue"] = time.monotonic() - began


async def channex_story(acts: Acts) -> None:
    """The Mas: Channex dies while guests go on booking, its account steps down, and everything comes back by itself."""
    stage, notes = acts.stage, acts.notes
    fault = stage.breaks(FaultKind.DOWN, "channex")
    notes["dead job"] = await stage.job(mode="real_time", platform="channex")
    began = time.monotonic()
    first = await stage.book("greengo", "mas-greengo", JULY)
    await stage.closed(MAS_BOOKING, first)
    notes["closed beside"] = time.monotonic() - began
    guests = asyncio.create_task(go_on_booking(stage))

    async def opened() -> bool:
        return await stage.circuit(CHANNEX, "write") == "open"

    try:
        await until(opened, "Channex's breaker opens", 60)
        notes["breakers"] = {name: await stage.circuit(name, "write") for name in (AIRBNB, BOOKING, CHANNEX)}
        notes["down"] = await stage.mode(CHANNEX, "batch", 120)
    finally:
        guests.cancel()
    stage.mends(fault)
    notes["up"] = await stage.mode(CHANNEX, "real_time", 120)
    await stage.closed(MAS_CHANNEX, first, 120)
    notes["breaker after"] = await stage.circuit(CHANNEX, "write")


async def go_on_booking(stage: Stage) -> None:
    """One guest after the other on Greengo, each once the one before is closed on Booking.com."""
    for number in range(1, 30):
        nights = await stage.book("greengo", "mas-greengo", JULY + timedelta(days=4 * number))
        await stage.closed(MAS_BOOKING, nights)


async def _not(look: Callable[[], Awaitable[object]]) -> bool:
    return not await look()


# ------------------------------------------------------------------------------------------- closing


async def test_a_webhook_of_airbnb_closes_the_night_elsewhere_within_30_s(acts: Acts) -> None:
    assert await acts.found("by webhook") < PROMISE
    assert acts.stage.events("webhook_stored")


async def test_the_poll_that_stands_in_for_booking_coms_webhook_closes_within_30_s(acts: Acts) -> None:
    assert await acts.found("by queue") < PROMISE


async def test_a_new_stay_is_pushed_to_a_phone_and_to_a_webhook(acts: Acts) -> None:
    await acts.found("by webhook")
    stage = acts.stage
    notice = await stage.told("new_stay", ahead("10–13 July 2027; nights closed on Booking.com"))
    assert (notice["severity"], notice["owner"]) == ("info", "claire")
    pushed = [json.loads(seen.body) for seen in stage.phone.seen]
    assert any(notice["text"]["fr"] in one["message"] and one["topic"] == TOPIC for one in pushed)


async def test_one_id_leads_from_the_doorbell_to_the_confirmation(acts: Acts) -> None:
    await acts.found("by webhook")
    stage = acts.stage

    def story() -> list[dict[str, Any]]:
        stored = stage.events("webhook_stored")[0]
        return [one for one in stage.lines() if one.get("correlation") == stored["correlation"]]

    async def told() -> bool:
        return any(one["event"] == "run" for one in story())

    await until(told, "the run's report is written")
    events = [one["event"] for one in story()]
    first = [events.index(name) for name in ("webhook_stored", "platform_call", "write", "reconciled", "run")]
    assert first == sorted(first)
    (write,) = [one for one in story() if one["event"] == "write"]
    assert (write["listing"], write["closed"]) == ("moulin-booking", ahead("2027-07-10..2027-07-12 (3)"))
    assert write["ended"] == "accepted"


async def test_of_several_nights_those_taken_stay_and_the_refused_one_is_shown_and_retried(
    acts: Acts,
) -> None:
    assert await acts.found("retried")
    assert acts.notes["taken"] == [NightState.PARTNER, NightState.OPEN, NightState.PARTNER]
    (push,) = acts.notes["refused"]
    assert (push["nights"], push["closes"]) == (ahead("2027-11-10/2027-11-13"), True)
    assert push["reason"] == "unable to process (code 450)"
    assert push["next_try"]


# ------------------------------------------------------------------------------------------- polling


async def test_a_lost_webhook_is_found_by_the_poll_of_every_minute(acts: Acts) -> None:
    assert await acts.found("by poll") < MINUTE
    assert acts.stage.sandbox.world.webhooks.counts.lost == 1


async def test_the_polls_rhythm_is_chosen_and_what_is_out_of_bounds_is_refused_by_name(
    stage: Stage, acts: Acts
) -> None:
    assert (await acts.found("rhythm"))["poll_minutes"] == 1
    path = f"/api/platforms/{BOOKING}/mode"
    for name, wrong, bound in (("poll_minutes", 6, "less than or equal to 5"), ("batch_minutes", 14, "15")):
        answer = await stage.ask("PUT", path, {name: wrong}, 400)
        assert answer["detail"].startswith(f"{name}: ")
        assert answer["detail"].endswith(bound)
    assert (await stage.ask("PUT", path, {"mode": "fast"}, 400))["detail"].startswith("mode: ")
    chosen = await stage.ask("PUT", path, {"batch_minutes": 30, "poll_minutes": 5})
    assert (chosen["batch_minutes"], chosen["poll_minutes"]) == (30, 5)


async def test_the_scheduler_asks_every_source_by_itself(stage: Stage) -> None:
    async def three() -> bool:
        return (
            len(stage.calls("booking", "new_get")) >= 3
            and len(stage.calls("greengo", "feed", "ker-lann-greengo")) >= 3
        )

    await until(three, "three polls nobody asked for", 90)
    polls: list[datetime] = [one.at for one in stage.calls("booking", "new_get")]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(polls)]
    assert min(gaps) >= 15, gaps  # Booking.com asks for 20 s


async def test_a_calendar_that_did_not_change_costs_no_merge_and_no_write(stage: Stage) -> None:
    before = await stage.site("ker-lann")
    asked = len(stage.calls("greengo", "feed", "ker-lann-greengo"))

    async def again() -> bool:
        return len(stage.calls("greengo", "feed", "ker-lann-greengo")) >= asked + 3

    await until(again, "the calendar was read three times more")
    job = await stage.job(mode="batch", property="ker-lann")
    assert (await stage.site("ker-lann"))["version"] == before["version"]
    (feeds,) = [step for step in job["steps"] if step["step"].startswith("feeds")]
    assert feeds["said"] == "2 asked, 2 unchanged"
    for figures in feeds["figures"].values():
        assert (figures["seen"], figures["unchanged"], figures["changed"], figures["sent"]) == (1, 1, 0, 0)


# ------------------------------------------------------------------------------------------- by hand


async def test_in_manual_nights_are_listed_and_nothing_is_sent_until_asked(acts: Acts) -> None:
    await acts.found("job")
    assert acts.notes["not sent"] == {NightState.OPEN}
    (night,) = acts.notes["to close"]
    assert (night["nights"], night["why"]) == (ahead("2027-10-10/2027-10-13"), "chosen by its owner")
    assert night["page"].startswith("https://www.airbnb.")


async def test_a_manual_batch_reports_every_call_decision_and_duration(acts: Acts) -> None:
    job = await acts.found("job")
    assert (job["state"], job["failed"], job["done"]) == ("done", 0, job["total"])
    lines = [line for step in job["steps"] for line in step["report"]]
    calls = [line for line in lines if line["what"] == "call"]
    assert {line["operation"] for line in calls} == {"reservation list", "calendar write"}
    assert all(line["ended"] == "2xx" and line["duration_ms"] >= 0 for line in calls)
    (write,) = [line for line in lines if line["what"] == "write"]
    assert (write["listing"], write["closed"]) == ("moulin-airbnb", ahead("2027-10-10..2027-10-12 (3)"))
    assert job["figures"]["airbnb"]["confirmed"] == 1
    assert job["duration_ms"] > 0


async def test_what_a_run_could_not_do_stands_in_its_report(acts: Acts) -> None:
    job = await acts.found("dead job")
    assert (job["state"], job["failed"]) == ("done", 1)
    (step,) = [one for one in job["steps"] if one["state"] == "failed"]
    assert step["step"] == f"queue {CHANNEX}"
    assert step["error"]


async def test_reports_tell_what_each_run_did_in_numbers(acts: Acts) -> None:
    await acts.found("by webhook")

    async def told() -> list[Any]:
        runs = (await acts.stage.ask("GET", "/api/runs?platform=booking&limit=500"))["runs"]
        return [one for one in runs if one["kind"] == "inbox" and one["confirmed"]]

    one = (await until(told, "the webhook's run is reported"))[-1]
    assert (one["sent"], one["confirmed"], one["calls"], one["failed"]) == (1, 1, 1, 0)
    assert one["bytes"] > 0
    assert one["duration_ms"] > 0
    assert one["correlation"] == acts.stage.events("webhook_stored")[0]["correlation"]


# ------------------------------------------------------------------------------------------- trouble


async def test_the_retries_are_as_many_as_were_set(acts: Acts) -> None:
    """Of the job, or of the clock's own look, which may open the breaker before the job comes to it."""
    job = await acts.found("dead job")
    lines = [line for step in job["steps"] for line in step["report"] if line["what"] == "call"]
    runs = (await acts.stage.ask("GET", "/api/runs?platform=channex&limit=500"))["runs"]
    calls = [len(lines), *(one["calls"] for one in runs if one["kind"] == "queue" and one["failed"])]
    assert max(calls) == 2, calls  # RETRY_MAX is 1 here: once, and once more


async def test_a_breaker_opens_for_its_own_platform_alone(acts: Acts) -> None:
    assert await acts.found("breakers") == {AIRBNB: "closed", BOOKING: "closed", CHANNEX: "open"}
    assert acts.notes["closed beside"] < PROMISE


async def test_a_dead_platform_steps_down_and_returns_by_itself(acts: Acts) -> None:
    down, up = await acts.found("down"), await acts.found("up")
    assert down["reason"]
    assert down["next_probe"]
    assert up["reason"] is None
    assert await acts.found("breaker after") == "closed"
    changes = (await acts.stage.ask("GET", "/api/status"))["mode_changes"]
    steps = [(one["from"], one["to"]) for one in reversed(changes) if one["account"] == CHANNEX]
    assert steps == [("real_time", "batch"), ("batch", "real_time")]
    assert (await acts.stage.told("mode_changed", "(channex-claire): batch -> real time"))[
        "severity"
    ] == "info"
    assert len([one for one in acts.stage.notices("mode_changed") if CHANNEX in one["text"]["en"]]) == 2


async def test_a_critical_failure_alerts_the_administrator(acts: Acts) -> None:
    alert = await acts.found("alert")
    assert alert["severity"] == "critical"
    assert alert["text"]["fr"].startswith(f"Airbnb ({AIRBNB})\u202f: temps réel → manuel")


async def test_health_is_measured(acts: Acts) -> None:
    await acts.found("breakers")
    stage = acts.stage
    answer = await stage.session.client.get(f"{stage.session.stack.hosts.public}/health")
    said = answer.json()
    assert answer.status_code == (200 if said["ok"] else 503)
    assert said["ok"] or said["reasons"] == ["accounts that nothing is sent to by itself: 1"]  # Airbnb's keys

    async def measured() -> bool:
        gauges = {one["gauge"] for one in stage.events("gauge")}
        levels = {"healthy", "sync_age_s", "work_age_s", "dead_letters", "conflicts_open"}
        return levels | {"circuit_state", "rate_budget_left"} <= gauges

    await until(measured, "health, breakers and budgets are measured")
    assert next(one["value"] for one in stage.events("gauge") if one["gauge"] == "healthy") == 1.0


async def test_neither_logs_nor_notices_hold_a_secret(acts: Acts) -> None:
    await acts.found("alert")
    stage = acts.stage
    values = stage.session.stack.values
    secrets = [value for name, value in values.items() if name.startswith("WEBHOOK_") and value]
    secrets += [link.rpartition("/")[2].removesuffix(".ics") for link in stage.session.links.values()]
    secrets += [TOPIC, "sandbox-token-", "sandbox-secret-", "/notices"]
    told = b"".join(seen.body for seen in stage.desk.seen).decode()
    written = json.dumps(stage.lines()) + told
    assert len(secrets) > 10
    assert [one for one in secrets if one in written] == []


async def test_nothing_was_sold_twice_and_nothing_opened_over_a_sale(acts: Acts) -> None:
    await acts.found("breaker after")
    truth = acts.stage.sandbox.world.truth
    assert truth.double_sold() == {}
    assert truth.contradictions == []
