"""Faults on demand: what the client sees, and whether the effect happened."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import sample
from local.sandbox.server import running
from tests.local.sandbox.play import AIRBNB, GREENGO, Player, read

KEY = f"airbnb/{AIRBNB}"
WRITE = {"platform": "airbnb", "call": "calendar_write"}


async def closed(play: Player) -> bool:
    return "2027-07-10" in await play.states(KEY)


@pytest.mark.parametrize(
    ("fault", "status", "effect"),
    [
        ({"kind": "error"}, 500, False),
        ({"kind": "error", "status": 503}, 503, False),
        ({"kind": "error", "after": True}, 500, True),
        ({"kind": "rate", "retry_after": "7"}, 429, False),
        ({"kind": "html"}, 200, False),
        ({"kind": "delay", "seconds": 3}, 200, True),
        ({"kind": "late", "seconds": 3}, 200, True),
        ({"kind": "ignore"}, 200, False),
        ({"kind": "refuse"}, 200, False),
    ],
)
async def test_a_fault_strikes_once_and_is_gone(
    play: Player, fault: dict[str, object], status: int, effect: bool
) -> None:
    await play.fault(**WRITE, times=1, **fault)
    answer = await play.airbnb_write("unavailable", "2027-07-10")
    assert answer.status_code == status
    assert await closed(play) is effect
    assert answer.headers.get("Retry-After") == ("7" if fault["kind"] == "rate" else None)
    assert (await play.airbnb_write("unavailable", "2027-07-10")).json() == {"success": True}


@pytest.mark.parametrize(("kind", "effect"), [("lost", True), ("down", False), ("truncated", True)])
async def test_a_cut_connection_gives_no_answer(play: Player, kind: str, effect: bool) -> None:
    await play.fault(**WRITE, times=1, kind=kind)
    with pytest.raises(httpx.RemoteProtocolError):
        await play.airbnb_write("unavailable", "2027-07-10")
    assert await closed(play) is effect
    await play.airbnb_write("unavailable", "2027-07-10")
    calls = (await play.http.get("/sandbox/calls?kind=airbnb.calendar_write")).json()["calls"]
    assert [call["outcome"] for call in calls] == ["200" if kind == "truncated" else "cut", "200"]


async def test_a_late_answer_takes_effect_although_the_client_has_left() -> None:
    gate = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await gate.wait()

    clock = Clock(frozen(datetime(2027, 5, 2, tzinfo=UTC)))
    async with (
        running(sample(), clock=clock, sleep=sleep) as sandbox,
        httpx.AsyncClient(base_url=sandbox.base, verify=False) as client,
    ):
        play = Player(sandbox, client)
        await play.fault(**WRITE, times=1, kind="late", seconds=60)
        client.timeout = httpx.Timeout(0.1)
        with pytest.raises(httpx.ReadTimeout):
            await play.airbnb_write("unavailable", "2027-07-10")
        client.timeout = httpx.Timeout(60)
        assert not await closed(play)
        gate.set()
        for _ in range(50):
            if await closed(play):
                return
    pytest.fail("the write never took effect")


async def test_a_lost_answer_to_an_acknowledgement_still_acknowledges(play: Player) -> None:
    stay = await play.book("booking", "123456701", "2027-07-10", 1)
    await play.waiting("OTA_HotelResNotif")
    await play.fault(platform="booking", call="new_ack", kind="lost", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await play.ack("OTA_HotelResNotif", stay)
    assert await play.waiting("OTA_HotelResNotif") == []
    assert (await play.ack("OTA_HotelResNotif", stay)).status_code == 200


async def test_an_empty_calendar_is_valid_and_has_no_event(play: Player) -> None:
    await play.book("greengo", GREENGO, "2027-07-10", 1)
    await play.fault(kind="empty", platform="greengo", call="feed", times=1)
    answer = await play.feed(f"greengo/{GREENGO}")
    assert answer.status_code == 200
    assert read(answer.content) == []
    assert len(await play.events(f"greengo/{GREENGO}")) == 1


async def test_a_truncated_calendar_announces_more_than_it_sends(play: Player) -> None:
    await play.fault(kind="truncated", call="feed", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await play.feed(f"greengo/{GREENGO}")


async def test_churn_gives_new_uids_on_every_fetch_until_cleared(play: Player) -> None:
    await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    steady = await play.uids(KEY)
    await play.fault(kind="churn", platform="airbnb", call="feed")
    churned = [tuple((await play.uids(KEY)).values()) for _ in range(3)]
    assert len(set(churned)) == 3
    await play.http.delete("/sandbox/faults")
    assert await play.uids(KEY) == steady


async def test_a_fault_strikes_only_where_it_was_meant(play: Player) -> None:
    await play.fault(kind="error", platform="airbnb", call="feed", path="/does/not/match")
    await play.fault(kind="error", platform="booking")
    assert (await play.feed(KEY)).status_code == 200
    assert (await play.airbnb_write("unavailable", "2027-07-10")).status_code == 200
    assert (await play.feed("booking/123456701")).status_code == 500


async def test_faults_are_listed_cleared_one_by_one_and_checked(play: Player) -> None:
    first = await play.ask("faults", 201, kind="error", call="feed")
    await play.ask("faults", 201, kind="html", call="feed")
    await play.http.delete(f"/sandbox/faults?id={first['id']}")
    listed = (await play.http.get("/sandbox/faults")).json()["faults"]
    assert [fault["kind"] for fault in listed] == ["html"]
    for wrong in ({"kind": "earthquake"}, {"kind": "error", "times": 0}, {"kind": "error", "often": 1}, {}):
        await play.ask("faults", 400, **wrong)
