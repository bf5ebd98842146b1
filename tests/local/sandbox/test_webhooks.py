"""Airbnb calling us: notifications that may be lost or doubled, and questions before a booking."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.local.sandbox.play import AIRBNB, Player
from tests.loopback import Loopback, Seen, plain


@pytest.fixture
async def ours() -> AsyncIterator[Loopback]:
    async with Loopback(plain(200, b'{"succeed": true, "available": true}')) as server:
        yield server


@pytest.fixture
async def heard(play: Player, ours: Loopback) -> Loopback:
    await play.ask("airbnb/webhook", base=ours.url("/hook/secret"))
    return ours


def actions(server: Loopback) -> list[str]:
    return [json.loads(seen.body)["action"] for seen in server.seen if seen.target.endswith("/notification")]


async def test_each_event_of_a_reservation_is_told(play: Player, heard: Loopback) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 3)
    await play.sandbox.settled()
    await play.ask("airbnb/modify", id=code, check_in="2027-07-11", nights=2)
    await play.sandbox.settled()
    await play.ask("airbnb/cancel", id=code)
    await play.sandbox.settled()
    assert actions(heard) == [
        "reservation_acceptance_confirmation",
        "reservation_alteration_confirmation",
        "reservation_cancellation_confirmation",
    ]
    assert {seen.target for seen in heard.seen} == {"/hook/secret/notification"}
    bodies = [json.loads(seen.body)["reservation"] for seen in heard.seen]
    assert [body["start_date"] for body in bodies] == ["2027-07-10", "2027-07-11", "2027-07-11"]
    assert [body["status_type"] for body in bodies] == ["accept", "accept", "cancelled_by_guest"]


@pytest.mark.parametrize(
    ("end", "action"),
    [("accept", "reservation_acceptance_confirmation"), ("deny", "reservation_request_voided")],
)
async def test_a_request_holds_its_nights_until_it_is_answered(
    play: Player, heard: Loopback, end: str, action: str
) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 1, status="pending")
    await play.refused("airbnb", AIRBNB, "2027-07-10", 1)
    await play.ask("airbnb/answer", id=code, status=end)
    await play.sandbox.settled()
    assert sorted(actions(heard)) == sorted(["reservation_requested", action])
    sold = await play.states(f"airbnb/{AIRBNB}")
    assert bool(sold) is (end == "accept")


async def test_other_platforms_and_hosts_tell_nobody(play: Player, heard: Loopback) -> None:
    await play.book("booking", "123456701", "2027-07-10", 1)
    await play.ask("airbnb/block", 201, listing=AIRBNB, check_in="2027-07-12", nights=1)
    await play.sandbox.settled()
    assert heard.seen == []


async def test_a_refused_delivery_is_repeated_and_at_last_counted_as_lost(
    play: Player, heard: Loopback
) -> None:
    heard.answer = plain(503)
    await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.sandbox.settled()
    counts = (await play.http.get("/sandbox/airbnb/webhook")).json()
    assert counts == {"delivered": 0, "lost": 1, "attempts": 4}
    assert len(actions(heard)) == 4


async def test_the_second_try_may_get_through(play: Player, heard: Loopback) -> None:
    good = heard.answer

    async def first_bad(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await (plain(500) if len(heard.seen) == 1 else good)(seen, writer)

    heard.answer = first_bad
    await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.sandbox.settled()
    assert (await play.http.get("/sandbox/airbnb/webhook")).json() == {
        "delivered": 1,
        "lost": 0,
        "attempts": 2,
    }


@pytest.mark.parametrize(("kind", "deliveries"), [("lost", 0), ("twice", 2)])
async def test_faults_swallow_or_double_a_delivery(
    play: Player, heard: Loopback, kind: str, deliveries: int
) -> None:
    await play.fault(kind=kind, platform="airbnb", call="webhook", times=1)
    await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.sandbox.settled()
    assert len(actions(heard)) == deliveries


async def test_the_questions_are_asked_before_the_booking(play: Player, heard: Loopback) -> None:
    await play.ask("airbnb/webhook", base=heard.url("/hook"), sync_check=True)
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 3)
    await play.sandbox.settled()
    check, make, told = heard.seen
    assert (check.method, check.target) == (
        "GET",
        f"/hook?action=check_availability&listing_id={AIRBNB}&start_date=2027-07-10&nights=3",
    )
    made = json.loads(make.body)
    assert (make.method, make.target, made["confirmation_code"]) == ("POST", "/hook", code)
    assert json.loads(told.body)["reservation"]["confirmation_code"] == code


async def test_our_no_stops_the_sale(play: Player, heard: Loopback) -> None:
    await play.ask("airbnb/webhook", base=heard.url("/hook"), sync_check=True)
    heard.answer = plain(200, b'{"available": false, "failure_code": null}')
    assert await play.refused("airbnb", AIRBNB, "2027-07-10", 2) == ["2027-07-10", "2027-07-11"]
    assert await play.states(f"airbnb/{AIRBNB}") == {}
    heard.answer = plain(200, b'{"succeed": false, "failure_code": null}')
    await play.refused("airbnb", AIRBNB, "2027-07-10", 2)
    assert [seen.method for seen in heard.seen] == ["GET", "GET", "POST"]


async def test_our_no_stops_an_alteration(play: Player, heard: Loopback) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.ask("airbnb/webhook", base=heard.url("/hook"), sync_check=True)
    heard.answer = plain(200, b'{"succeed": false, "failure_code": null}')
    await play.ask("airbnb/modify", 409, id=code, nights=2)
    assert (heard.seen[-1].method, heard.seen[-1].target) == ("PUT", f"/hook/{code}")
    assert list(await play.states(f"airbnb/{AIRBNB}")) == ["2027-07-10"]


async def test_an_outage_on_our_side_does_not_stop_the_sale(play: Player, heard: Loopback) -> None:
    await play.ask("airbnb/webhook", base=heard.url("/hook"), sync_check=True)
    heard.answer = plain(500, b"oops")
    await play.book("airbnb", AIRBNB, "2027-07-10", 1)
