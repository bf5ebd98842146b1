"""Jobs: what a person asks for is cut into steps that any host may do, twice if need be, and told in full."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.wish import Wanted
from shared.engine.operations import Operations
from shared.messages import encode
from shared.ports.bus import Message
from shared.state.accounts import AccountState
from shared.state.jobs import Job, JobStore
from shared.use_cases import HttpAnswer
from tests.engine.people import LOCAL
from tests.engine.village import HOME, START, Crash, Village
from tests.web.support import Browser

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


def call(village: Village, method: str, where: str, value: object = None) -> HttpAnswer:
    return Browser(village.engine, village.run, LOCAL).call(method, where, value)


def ask(village: Village, **fields: object) -> HttpAnswer:
    return call(village, "POST", "/api/sync", fields)


def started(village: Village, **fields: object) -> str:
    answer = ask(village, **fields)
    assert answer.status == 202, answer.body
    job = json.loads(answer.body)["job"]
    assert answer.headers["location"] == f"/api/jobs/{job}"
    return str(job)


def shown(village: Village, job: str) -> dict[str, Any]:
    answer = call(village, "GET", f"/api/jobs/{job}")
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


def finish(village: Village, job: str) -> dict[str, Any]:
    """Drain until nothing is left; a queue that was just polled is free again some seconds later."""
    for _ in range(10):
        village.run(village.drain())
        found = shown(village, job)
        if found["state"] != "running":
            break
        village.clock.advance(timedelta(seconds=7))
    return found


def test_a_full_run_asks_every_source_and_sends_what_it_finds(village: Village) -> None:
    village.book("greengo", JULY)
    done = finish(village, started(village, mode="manual"))
    assert done["state"] == "done"
    assert done["failed"] == 0
    assert village.airbnb.calendar.closed == village.booking.calendar.closed == set(JULY.nights())
    names = [step["step"] for step in done["steps"]]
    assert sorted(names) == [
        "feeds 0000",
        "observe airbnb",
        "observe booking",
        "queue booking",
        f"site {HOME}",
    ]
    assert set(done["progress"]) == {"airbnb", "booking", "greengo"}
    assert done["progress"]["greengo"] == {"total": 2, "done": 2, "failed": 0}


def test_the_report_names_every_write_and_refusal_with_its_nights(village: Village) -> None:
    village.book("greengo", JULY)
    village.booking.faults.refuse = True
    done = finish(village, started(village, mode="manual"))
    lines = [line for step in done["steps"] for line in step["report"]]
    writes = {(line["platform"], line["ended"], line["closed"]) for line in lines if line["what"] == "write"}
    assert ("airbnb", "accepted", "2027-07-10..2027-07-12 (3)") in writes
    assert any(platform == "booking" and ended != "accepted" for platform, ended, _ in writes)
    assert all(step["duration_ms"] >= 0 and step["begun"] for step in done["steps"])


def test_a_platform_that_is_down_fails_its_steps_and_no_other(village: Village) -> None:
    village.booking.faults.down = True
    done = finish(village, started(village, mode="manual"))
    by_step = {step["step"]: step for step in done["steps"]}
    assert done["state"] == "done"
    assert by_step["feeds 0000"]["state"] == by_step["observe airbnb"]["state"] == "done"
    assert by_step["observe booking"]["state"] == "failed"
    assert by_step["observe booking"]["error"]
    assert done["progress"]["booking"]["failed"] >= 1


def test_the_same_wish_is_the_same_job_while_that_runs(village: Village) -> None:
    first = started(village, mode="batch")
    village.clock.advance(timedelta(minutes=14))
    assert started(village, mode="batch") == first
    assert started(village, mode="real_time") != first
    village.clock.advance(timedelta(minutes=2))
    assert started(village, mode="batch") != first, "one that never ends must not stand in the way for ever"


def test_ten_hosts_asked_at_once_for_the_same_start_one_job(village: Village) -> None:
    hosts = [village.engine, *(village.another_host() for _ in range(9))]

    async def one(host: Operations, after: int) -> Job:
        for _ in range(after):
            await asyncio.sleep(0)
        return await host.jobs.start(Wanted(SyncMode.MANUAL))

    async def press() -> list[Job]:
        return list(await asyncio.gather(*(one(host, 2 * number) for number, host in enumerate(hosts))))

    jobs = village.run(press())
    assert len({one.head.id for one in jobs}) == 1
    assert not any(one.finished for one in jobs)
    assert village.run(JobStore(village.store).since(START)) == [jobs[0].head.id]
    asked = village.booking.asked["poll"]
    assert finish(village, jobs[0].head.id)["state"] == "done"
    assert village.booking.asked["poll"] == asked + 1
    again = village.run(press())
    assert {one.head.id for one in again} != {jobs[0].head.id}
    assert len({one.head.id for one in again}) == 1


def test_a_claim_whose_host_died_is_taken_over(village: Village) -> None:
    wanted = Wanted(SyncMode.BATCH)
    for calls in range(30):
        village.dies_in(calls, village.engine.jobs.start(wanted))
        if not village.died:
            break
        village.clock.advance(timedelta(seconds=61))
        job = village.run(village.engine.jobs.start(wanted)).head.id
        village.run(village.engine.on_timer_health())  # rings for what was stored and not rung for
        assert finish(village, job)["state"] == "done", calls
        village.clock.advance(timedelta(minutes=16))
    assert not village.died
    assert calls > 3, "nothing was tried"


def test_a_job_that_is_over_is_not_handed_out_again(village: Village) -> None:
    first = started(village, mode="batch")
    finish(village, first)
    assert started(village, mode="batch") != first


def test_a_platform_alone_is_asked_alone(village: Village) -> None:
    done = finish(village, started(village, mode="manual", platform="greengo"))
    assert [step["step"] for step in done["steps"]] == ["feeds 0000", f"site {HOME}"]


def test_a_home_and_a_site_can_be_named(village: Village) -> None:
    village.book("greengo", JULY)
    assert finish(village, started(village, mode="batch", property=HOME))["state"] == "done"
    assert village.airbnb.calendar.closed == set(JULY.nights())
    done = finish(village, started(village, site=HOME))
    assert f"site {HOME}" in [step["step"] for step in done["steps"]]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"mode": "slow"}, "mode: input should be"),
        ({"platform": "nowhere"}, "'nowhere'"),
        ({"property": "castle"}, "'castle'"),
        ({"site": "castle"}, "'castle'"),
        ({"speed": "fast"}, "speed: there is no such field"),
        ({"mode": 7}, "mode: input should be"),
        ({"mode": ""}, "mode: input should be"),
        ({"platform": "\ud800"}, "not JSON"),
        ({"site": "x" * 5_000}, "site"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    village: Village, fields: dict[str, object], named: str
) -> None:
    answer = ask(village, **fields)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in json.loads(answer.body)["detail"]


def test_a_body_that_is_no_object_is_refused(village: Village) -> None:
    for body in (b"[]", b"{", b"\xff", b"7"):
        assert call(village, "POST", "/api/sync", body).status == 400


def test_no_body_means_everything_now(village: Village) -> None:
    village.book("greengo", JULY)
    village.clock.advance(timedelta(minutes=5))
    answer = call(village, "POST", "/api/sync")
    assert answer.status == 202
    finish(village, json.loads(answer.body)["job"])
    assert village.airbnb.calendar.closed == set(JULY.nights())


@pytest.mark.parametrize("name", ["nobody", "x" * 5_000, "a/b", "\ud800", "é\n"])
def test_a_job_nobody_knows_is_404(village: Village, name: str) -> None:
    answer = call(village, "GET", f"/api/jobs/{quote(name, safe='', errors='surrogatepass')}")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("key", ["nobody/1|00000", "x" * 5_000, "/", "a"])
def test_a_message_that_names_no_step_is_set_aside(village: Village, key: str) -> None:
    body = encode(Message("job", key, "1"))
    village.run(village.engine.work(body, 1, "m"))
    assert len(village.run(village.engine.world.inbox.quarantined())) == 1


def test_a_step_done_twice_calls_nobody_twice(village: Village) -> None:
    job = started(village, mode="manual", platform="booking")
    finish(village, job)
    before = shown(village, job)
    stays = village.booking.waiting
    village.run(village.engine.jobs.do(f"{job}/1|00000"))
    village.run(village.engine.jobs.do(f"{job}/2|00000"))
    assert shown(village, job) == before
    assert village.booking.waiting == stays


def test_a_host_that_dies_in_a_step_leaves_it_to_the_next(village: Village) -> None:
    """Wherever it dies: what is left is rung for again by the health timer of the host that is alive."""
    for calls in (1, 4, 9, 14, 20, 27):
        village.book("greengo", StayDates.of_nights(date(2027, 9, 1) + timedelta(days=calls), 1))
        job = started(village, mode="manual")
        village.dies_in(calls, village.drain())
        assert village.died
        village.clock.advance(timedelta(seconds=61))  # locks of the dead are over
        village.run(village.engine.on_timer_health())
        done = finish(village, job)
        assert done["state"] == "done", (calls, done)
        assert village.greengo.calendar.taken() <= village.airbnb.calendar.taken()


def test_while_the_bus_is_down_the_health_timer_does_the_steps(village: Village) -> None:
    village.book("greengo", JULY)
    village.bus.down = True
    job = started(village, mode="batch")
    village.clock.advance(timedelta(seconds=61))
    village.run(village.engine.on_timer_health())
    village.clock.advance(timedelta(seconds=61))
    village.run(village.engine.on_timer_health())
    assert shown(village, job)["state"] == "done"
    assert village.airbnb.calendar.closed == set(JULY.nights())


def test_steps_never_over_are_shown_as_such_and_left_alone(village: Village) -> None:
    village.bus.down = True
    job = started(village, mode="batch")
    village.clock.advance(timedelta(minutes=16))
    found = shown(village, job)
    assert found["state"] == "never finished"
    assert {step["state"] for step in found["steps"]} == {"never finished"}
    village.run(village.engine.jobs.tend())
    assert shown(village, job)["done"] == 0


def test_a_run_that_stands_still_is_in_the_log_and_no_other_is(village: Village) -> None:
    """The messages of its steps are taken by nobody."""
    job = started(village, mode="batch")
    for minutes, expected in ((4, []), (2, [job])):
        village.clock.advance(timedelta(minutes=minutes))
        village.run(village.engine.on_timer_health())
        noted = [one for name, one in village.telemetry.events if name == "unhealthy"]
        assert [one["about"] for one in noted if one["code"] == "job_stuck"] == expected


def test_a_job_is_kept_for_ninety_days(village: Village) -> None:
    job = started(village, mode="batch")
    finish(village, job)
    village.clock.advance(timedelta(days=89))
    assert village.run(village.engine.jobs.clean()) == 0
    village.clock.advance(timedelta(days=2))
    assert village.run(village.engine.jobs.clean()) == 1
    assert call(village, "GET", f"/api/jobs/{job}").status == 404


def test_what_ran_is_listed_by_day_and_platform(village: Village) -> None:
    finish(village, started(village, mode="manual"))
    answer = call(village, "GET", "/api/runs?platform=booking&limit=5")
    runs = json.loads(answer.body)["runs"]
    assert 0 < len(runs) <= 5
    assert {one["platform"] for one in runs} == {"booking"}
    for query, named in (
        ("day=soon", "day"),
        ("day=9999-12-31", "year"),
        ("limit=0", "limit"),
        ("colour=red", "colour"),
    ):
        refused = call(village, "GET", f"/api/runs?{query}")
        assert refused.status == 400
        assert named in json.loads(refused.body)["detail"]


def test_crash_is_no_exception_a_job_could_swallow() -> None:
    assert not issubclass(Crash, Exception)


def test_what_an_account_in_manual_waits_for_is_sent_when_a_person_asks_and_not_before(
    village: Village,
) -> None:
    def booking() -> AccountState:
        state = village.run(village.engine.world.accounts.load("booking"))
        assert state is not None
        return state

    chosen = ModeSetting(SyncMode.MANUAL)
    village.run(village.engine.modes.choose(booking(), chosen, "its owner"))
    village.clock.advance(timedelta(seconds=10))
    village.book("greengo", JULY)
    for mode in ("auto", "batch", "real_time"):
        village.clock.advance(timedelta(minutes=3))
        finish(village, started(village, mode=mode))
        assert village.airbnb.calendar.closed == set(JULY.nights())
        assert village.booking.calendar.closed == set(), mode
    done = finish(village, started(village, mode="manual"))
    assert done["failed"] == 0
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_calendar_that_cannot_be_read_fails_its_step_by_name(village: Village) -> None:
    village.greengo.faults.down = True
    done = finish(village, started(village, mode="batch"))
    feeds = next(step for step in done["steps"] if step["step"] == "feeds 0000")
    assert feeds["state"] == "failed"
    assert f"{HOME}-greengo" in feeds["error"]
    assert feeds["figures"]["greengo"]["failed"] == 1
    assert [line["what"] for line in feeds["report"]] == ["failure"]
