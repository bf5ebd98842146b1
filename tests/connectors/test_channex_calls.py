"""The Channex connector's calls, against a scripted platform and, where its own state matters, the simulated one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Channex, Platform, sample
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import Sandbox, running
from shared.adapters.http import HttpxHttp
from shared.connectors import channex_calls
from shared.connectors.channex import ChannexConnector
from shared.connectors.channex_calls import PAUSE
from shared.connectors.webhook_signature import KEY_HEADER
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.domain.model import Account, Status
from tests.connectors.support import (
    NOW,
    SECRETS,
    Script,
    Settings,
    account,
    connector,
    fixture,
    levels,
    listing,
    retry_after,
    status,
    stay,
)

HOUSE, ROOM = "00000000-0000-4000-8000-000000000101", "00000000-0000-4000-8000-000000000201"
UNIT = f"{HOUSE}:{ROOM}"
AVAILABILITY, FEED, BOOKINGS = "/api/v1/availability", "/api/v1/booking_revisions/feed", "/api/v1/bookings"
SUCCESS = json.dumps({"data": [{"id": "t", "type": "task"}], "meta": {"message": "Success"}}).encode()
NOTHING = json.dumps({"data": [], "meta": {"message": "Success"}}).encode()
ACME, FACE = account("channex"), listing("channex", UNIT)
NIGHTS = list(stay("2027-08-14", 3).nights())


@dataclass
class Stage:
    sandbox: Sandbox
    channex: ChannexConnector
    account: Account


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    config = sample(2, (Platform.CHANNEX,), channex=Channex(keys={"main": SECRETS["CHANNEX_KEY"]}))
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(running(config, clock=Clock(frozen(NOW)), sleep=_at_once))
        http = HttpxHttp()
        stack.push_async_callback(http.close)
        made = ChannexConnector(
            http, Settings(SECRETS), clock=sandbox.world.clock.now, retry_after=retry_after
        )
        yield Stage(sandbox, made, account("channex", sandbox.base))


async def _at_once(seconds: float) -> None:
    """Webhook pauses take no time."""


def page(items: Iterable[object], total: int) -> bytes:
    return json.dumps({"data": list(items), "meta": {"page": 1, "limit": 100, "total": total}}).encode()


def booking(number: int, **changes: object) -> dict[str, object]:
    attributes = {
        "property_id": HOUSE,
        "status": "new",
        "rooms": [{"room_type_id": ROOM, "checkin_date": "2027-08-14", "checkout_date": "2027-08-17"}],
        "arrival_date": "2027-08-14",
        "departure_date": "2027-08-17",
        **changes,
    }
    return {"type": "booking", "id": f"b-{number}", "attributes": attributes}


# -------------------------------------------------------------------------------------------- writes


async def test_a_write_is_one_call_of_single_nights_closures_first_with_the_owners_key() -> None:
    script = Script()
    script.on("POST", AVAILABILITY, SUCCESS)
    write = levels([date(2027, 1, 1) + timedelta(days=n) for n in range(400)], 0)
    assert isinstance(write.levels, dict)
    write.levels[date(2026, 12, 31)] = 1
    outcome = await connector(ChannexConnector, script).write(ACME, FACE, write)
    assert len(outcome.accepted) == 401
    (request,) = script.asked()
    assert request.headers["user-api-key"] == SECRETS["CHANNEX_KEY"]
    values = json.loads(request.body)["values"]
    assert values[0] == {"property_id": HOUSE, "room_type_id": ROOM, "date": "2027-01-01", "availability": 0}
    assert [value["availability"] for value in values] == [0] * 400 + [1]
    assert values[-1]["date"] == "2026-12-31"


async def test_an_answer_that_took_nothing_is_read_back() -> None:
    script = Script()
    script.on("POST", AVAILABILITY, NOTHING)
    there = {"2027-08-14": 0, "2027-08-15": 1}  # and nothing of the 16th
    script.on("GET", AVAILABILITY, json.dumps({"data": {ROOM: there}}).encode())
    outcome = await connector(ChannexConnector, script).write(ACME, FACE, levels(NIGHTS, 0))
    assert outcome.accepted == {NIGHTS[0]}
    assert outcome.refused == dict.fromkeys(NIGHTS[1:], "not taken")
    asked = dict(parse_qsl(urlsplit(script.asked()[-1].url).query))
    assert asked == {
        "filter[property_id]": HOUSE,
        "filter[date][gte]": "2027-08-14",
        "filter[date][lte]": "2027-08-16",
    }


async def test_a_level_below_0_and_a_unit_that_is_none_are_refused_before_any_call() -> None:
    script = Script()
    one = connector(ChannexConnector, script)
    with pytest.raises(ValueError, match="fewer than 0"):
        await one.write(ACME, FACE, levels(NIGHTS, -1))
    for unit in ("", HOUSE, f"{HOUSE}:", f":{ROOM}", "a/b:c", f"{UNIT}:x"):
        with pytest.raises(PayloadRejected, match="property:room_type"):
            await one.write(ACME, listing("channex", unit), levels(NIGHTS, 0))
    assert script.asked() == []


@pytest.mark.parametrize(
    ("code", "error"), [(429, RateLimited), (500, PlatformDown), (422, PayloadRejected), (403, AuthFailed)]
)
async def test_after_any_error_that_passes_a_property_rests_for_a_minute(
    code: int, error: type[SyncError]
) -> None:
    script = Script()
    body = b'{"errors": {"code": "http_too_many_requests", "title": "Too Many Requests"}}'
    script.on("POST", AVAILABILITY, status(code, body))
    with pytest.raises(error) as caught:
        await connector(ChannexConnector, script).write(ACME, FACE, levels(NIGHTS, 0))
    assert getattr(caught.value, "retry_after", PAUSE) == PAUSE


@pytest.mark.parametrize(("code", "wait"), [(429, PAUSE), (500, None)])
async def test_a_failed_poll_may_be_tried_again_soon_but_not_one_too_many(
    code: int, wait: float | None
) -> None:
    script = Script()
    script.on("GET", FEED, status(code))
    with pytest.raises((RateLimited, PlatformDown)) as caught:
        await connector(ChannexConnector, script).poll(ACME)
    assert getattr(caught.value, "retry_after", 0.0) == wait


async def test_a_wait_that_is_named_is_kept() -> None:
    script = Script()
    script.on("POST", AVAILABILITY, status(429, b"{}", retry_after="7"))
    with pytest.raises(RateLimited) as caught:
        await connector(ChannexConnector, script).write(ACME, FACE, levels(NIGHTS, 0))
    assert caught.value.retry_after == 7.0


async def test_ten_availability_calls_a_minute_and_property(stage: Stage) -> None:
    other = listing("channex", UNIT.replace("101:", "102:").replace("201", "202"))
    for _ in range(10):
        await stage.channex.write(stage.account, FACE, levels(NIGHTS, 0))
    with pytest.raises(RateLimited):
        await stage.channex.write(stage.account, FACE, levels(NIGHTS, 0))
    assert (await stage.channex.write(stage.account, other, levels(NIGHTS, 0))).refused == {}
    stage.sandbox.world.clock.advance(61)
    assert (await stage.channex.write(stage.account, FACE, levels(NIGHTS, 0))).refused == {}


# ------------------------------------------------------------------------------------------ the feed


async def test_a_revision_waits_until_it_is_acknowledged_and_only_itself(stage: Stage) -> None:
    desk, at = stage.sandbox.desk, [(ROOM, stay("2027-08-14", 3))]
    booked = await desk.book(Platform.CHANNEX, at)
    first = await stage.channex.poll(stage.account)
    await desk.modify(Platform.CHANNEX, booked.id, desk.moved(booked, stay("2027-08-20", 2)))
    assert await stage.channex.acknowledge(stage.account, [first.stays[0][0]]) == ()
    (second,) = (await stage.channex.poll(stage.account)).stays
    assert second[1].rooms[0].dates == stay("2027-08-20", 2)
    assert second[1].version > first.stays[0][1].version
    await desk.cancel(Platform.CHANNEX, booked.id)
    third = await stage.channex.poll(stage.account)
    assert [seen.status for _, seen in third.stays] == [Status.CONFIRMED, Status.CANCELLED]
    assert {seen.id for _, seen in third.stays} == {booked.id}
    await stage.channex.acknowledge(stage.account, [receipt for receipt, _ in third.stays])
    assert (await stage.channex.poll(stage.account)).stays == ()
    found = await stage.channex.reread(stage.account, booked.id)
    assert found is not None
    assert found.status is Status.CANCELLED


async def test_what_channex_does_not_know_or_is_no_receipt_is_refused(stage: Stage) -> None:
    assert set(await stage.channex.acknowledge(stage.account, ["no-such", "../../x", ""])) == {
        "no-such",
        "../../x",
        "",
    }


async def test_a_long_feed_is_taken_in_parts_oldest_first() -> None:
    script = Script()
    items = [json.loads(fixture("channex/feed.json"))["data"][0]] * 100
    script.on("GET", FEED, page(items, 350))
    polled = await connector(ChannexConnector, script).poll(ACME)
    assert (len(polled.stays), polled.whole) == (200, False)
    asked = [dict(parse_qsl(urlsplit(request.url).query)) for request in script.asked(FEED)]
    assert [one["pagination[page]"] for one in asked] == ["1", "2"]
    assert {one["order[inserted_at]"] for one in asked} == {"asc"}


async def test_a_room_nobody_mapped_is_told_with_its_nights_and_not_dropped(stage: Stage) -> None:
    stage.sandbox.world.revisions.unmapping = True
    await stage.sandbox.desk.book(Platform.CHANNEX, [(ROOM, stay("2027-08-14", 3))])
    ((_, seen),) = (await stage.channex.poll(stage.account)).stays
    assert [(room.unit, room.dates) for room in seen.rooms] == [(f"{HOUSE}:*", stay("2027-08-14", 3))]
    assert [one.id for one in await stage.channex.stays(stage.account, UNIT)] == [seen.id]


# -------------------------------------------------------------------------------------- whole states


async def test_the_whole_state_leaves_out_what_has_departed_and_other_room_types() -> None:
    script = Script()
    past = {"rooms": [{"room_type_id": ROOM, "checkin_date": "2027-04-01", "checkout_date": "2027-04-03"}]}
    other = {"rooms": [{"room_type_id": "r-2", "checkin_date": "2027-08-14", "checkout_date": "2027-08-17"}]}
    items = [booking(1), booking(2, **past), booking(3, **other), booking(4, status="cancelled", rooms=[])]
    script.on("GET", BOOKINGS, page(items[:2], 4), page(items[2:], 4))
    found = await connector(ChannexConnector, script).stays(ACME, UNIT)
    assert [one.id for one in found] == ["b-1", "b-4"]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([page([booking(1)], 2), page([], 2)], PlatformDown),  # it ended early
        ([page([booking(1), booking(1)], 2)], PlatformDown),  # it moved
        ([page([booking(1), booking(2, rooms=[], arrival_date="x")], 2)], PayloadRejected),
        ([b'{"data": {}}'], PayloadRejected),
    ],
)
async def test_a_list_is_whole_or_an_error(replies: list[bytes], error: type[SyncError]) -> None:
    script = Script()
    script.on("GET", BOOKINGS, *replies)
    with pytest.raises(error):
        await connector(ChannexConnector, script).stays(ACME, UNIT)


async def test_an_answer_about_another_booking_is_refused() -> None:
    script = Script()
    script.on("GET", f"{BOOKINGS}/b-1", json.dumps({"data": booking(2)}).encode())
    with pytest.raises(PayloadRejected, match="another booking"):
        await connector(ChannexConnector, script).reread(ACME, "b-1")
    assert await connector(ChannexConnector, script).reread(ACME, "../x") is None


# ------------------------------------------------------------------------------------------ webhooks


async def test_a_webhook_is_registered_once_a_property_with_the_secret_in_a_header_and_without_data(
    stage: Stage,
) -> None:
    units = [UNIT, UNIT.replace("101:", "102:").replace("201", "202"), f"{HOUSE}:another-room"]
    url = "https://calendars.example.org/webhooks/channex/path-secret/notification"
    lines = await stage.channex.register_webhook(stage.account, units, url, "header-secret")
    off = "turn on allow_availability_autoupdate_on_cancellation"
    assert lines == (f"{HOUSE}: registered; {off}", f"{HOUSE[:-1]}2: registered; {off}")
    hooks = list(stage.sandbox.world.subscriptions.webhooks.values())
    assert [hook.property_id for hook in hooks] == [HOUSE, f"{HOUSE[:-1]}2"]
    assert {(hook.callback_url, hook.event_mask, hook.is_active, hook.send_data) for hook in hooks} == {
        (url, "booking", True, False)
    }
    assert {hook.headers[KEY_HEADER] for hook in hooks} == {"header-secret"}
    again = await stage.channex.register_webhook(stage.account, [UNIT], url, "header-secret")
    assert again == (f"{HOUSE}: registered already; {off}",)
    assert len(stage.sandbox.world.subscriptions.webhooks) == 2


async def test_a_registration_that_is_refused_shows_no_secret(stage: Stage) -> None:
    stage.sandbox.world.faults.add(Fault(FaultKind.ERROR, call="register", status=422))
    with pytest.raises(PayloadRejected) as caught:
        await stage.channex.register_webhook(
            stage.account, [UNIT], "https://x.example/path-secret", "header-secret"
        )
    assert "secret" not in f"{caught.value} {caught.value!r}"


def test_the_host_and_the_name() -> None:
    assert channex_calls.HOST == "https://app.channex.io"
    assert ChannexConnector.platform == "channex"
