"""Channex as it is played: revisions that wait for their own acknowledgement, counts under a limit, its webhooks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest

from local.sandbox.config import Channex, Listing, Platform, SandboxConfig, sample
from tests.local.sandbox.play import Json, Player, nights
from tests.loopback import Loopback, plain

HOUSE, ROOM = "00000000-0000-4000-8000-000000000101", "00000000-0000-4000-8000-000000000201"
KEY = {"user-api-key": "sandbox-channex-key"}
DATES = nights("2027-07-10", 3)


@pytest.fixture
def config() -> SandboxConfig:
    """Two homes on Channex, and one of another account."""
    stranger = Listing(Platform.CHANNEX, "their-room", "theirs", account="other", property_id="their-house")
    homes = sample(2, (Platform.CHANNEX,)).listings
    channex = Channex(keys={"main": "sandbox-channex-key", "other": "other-key"})
    return SandboxConfig((*homes, stranger), channex=channex)


@pytest.fixture
async def ours() -> AsyncIterator[Loopback]:
    async with Loopback(plain(200, b"{}")) as server:
        yield server


async def get(play: Player, path: str, key: str = "sandbox-channex-key", **query: str) -> httpx.Response:
    return await play.http.get(f"/api/v1/{path}", params=query, headers={"user-api-key": key})


async def post(play: Player, path: str, body: object = None) -> httpx.Response:
    return await play.http.post(f"/api/v1/{path}", json=body or {}, headers=KEY)


async def feed(play: Player, key: str = "sandbox-channex-key") -> list[Json]:
    found: list[Json] = (
        await get(play, "booking_revisions/feed", key, **{"order[inserted_at]": "asc"})
    ).json()["data"]
    return found


def value(day: str, level: object, **changes: object) -> Json:
    return {"property_id": HOUSE, "room_type_id": ROOM, "date": day, "availability": level, **changes}


async def write(play: Player, *values: Json) -> httpx.Response:
    return await post(play, "availability", {"values": list(values)})


async def left(play: Player) -> dict[str, int]:
    query = {"filter[property_id]": HOUSE, "filter[date][gte]": DATES[0], "filter[date][lte]": DATES[-1]}
    found: dict[str, int] = (await get(play, "availability", **query)).json()["data"][ROOM]
    return found


# -------------------------------------------------------------------------------------------- bookings


async def test_each_change_is_a_revision_of_its_own_until_it_is_acknowledged_itself(play: Player) -> None:
    booking = await play.book("channex", ROOM, DATES[0], 2)
    await play.ask("channex/modify", id=booking, check_in=DATES[1], nights=2)
    await play.ask("channex/cancel", id=booking)
    told = [item["attributes"] for item in await feed(play)]
    assert [(one["booking_id"], one["status"]) for one in told] == [  # type: ignore[index]
        (booking, "new"),
        (booking, "modified"),
        (booking, "cancelled"),
    ]
    rooms = [one["rooms"][0]["checkin_date"] for one in told]  # type: ignore[index]
    assert rooms == [DATES[0], DATES[1], DATES[1]]
    assert all(before["inserted_at"] < after["inserted_at"] for before, after in pairwise(told))  # type: ignore[index]
    second = str((await feed(play))[1]["id"])
    for _ in range(2):  # doing it twice is fine
        assert (await post(play, f"booking_revisions/{second}/ack")).status_code == 200
    assert [item["attributes"]["status"] for item in await feed(play)] == ["new", "cancelled"]  # type: ignore[index]
    assert (await post(play, "booking_revisions/nobodys/ack")).status_code == 404


async def test_a_booking_is_as_its_newest_revision_left_it(play: Player) -> None:
    booking = await play.book("channex", ROOM, DATES[0], 2)
    await play.ask("channex/cancel", id=booking)
    one = (await get(play, f"bookings/{booking}")).json()["data"]
    assert (one["type"], one["id"], one["attributes"]["status"]) == ("booking", booking, "cancelled")
    query = {"filter[property_id]": HOUSE, "filter[departure_date][gte]": DATES[2]}
    assert [item["id"] for item in (await get(play, "bookings", **query)).json()["data"]] == [booking]
    later = query | {"filter[departure_date][gte]": "2027-08-01"}
    assert (await get(play, "bookings", **later)).json()["data"] == []
    assert (await get(play, "bookings/nobodys")).status_code == 404


async def test_lists_come_in_pages_with_their_total(play: Player) -> None:
    for number in range(12):
        await play.book("channex", ROOM, f"2027-08-{number + 1:02}", 1)
    first = (await get(play, "booking_revisions/feed")).json()
    assert (len(first["data"]), first["meta"]) == (10, {"page": 1, "limit": 10, "total": 12})
    second = (await get(play, "booking_revisions/feed", **{"pagination[page]": "2"})).json()
    assert len(second["data"]) == 2
    whole = (await get(play, "bookings", **{"pagination[limit]": "500"})).json()
    assert (len(whole["data"]), whole["meta"]["limit"]) == (12, 100)
    assert (await get(play, "bookings", **{"pagination[page]": "0"})).status_code == 400


async def test_a_key_opens_its_own_properties_alone(play: Player) -> None:
    booking = await play.book("channex", ROOM, DATES[0], 1)
    [revision] = await feed(play)
    assert await feed(play, "other-key") == []
    assert (await get(play, f"bookings/{booking}", "other-key")).status_code == 404
    assert (await get(play, f"properties/{HOUSE}", "other-key")).status_code == 404
    stolen = await play.http.post(
        f"/api/v1/booking_revisions/{revision['id']}/ack", headers={"user-api-key": "other-key"}
    )
    assert stolen.status_code == 404
    assert len(await feed(play)) == 1
    refused = await get(play, "bookings", "wrong")
    assert (refused.status_code, refused.json()["errors"]["code"]) == (401, "unauthorized")


async def test_rooms_can_come_unmapped(play: Player) -> None:
    play.sandbox.world.revisions.unmapping = True
    await play.book("channex", ROOM, DATES[0], 1)
    [one] = await feed(play)
    assert one["attributes"]["rooms"][0]["room_type_id"] is None  # type: ignore[index]


# -------------------------------------------------------------------------------------------- calendar


async def test_a_booking_takes_its_nights_off_and_a_write_is_absolute(play: Player) -> None:
    await play.book("channex", ROOM, DATES[0], 1)
    assert await left(play) == dict(zip(DATES, (0, 1, 1), strict=True))
    ranged = {"property_id": HOUSE, "room_type_id": ROOM, "date_from": DATES[1], "date_to": DATES[2]}
    answer = (await write(play, {**ranged, "availability": 0})).json()
    assert answer["meta"] == {"message": "Success"}
    assert len(answer["data"]) == 1
    assert await play.refused("channex", ROOM, DATES[1], 2) == DATES[1:]
    await write(play, value(DATES[1], 1))
    assert await left(play) == dict(zip(DATES, (0, 1, 0), strict=True))


async def test_a_wrong_value_is_a_warning_beside_what_was_taken(play: Player) -> None:
    wrong = [value(DATES[1], -1), value("soon", 0), value(DATES[1], 0, room_type_id="nobodys")]
    answer = (await write(play, value(DATES[0], 0), *wrong)).json()
    assert [sorted(item["warning"]) for item in answer["meta"]["warnings"]] == [
        ["availability"],
        ["date"],
        ["room_type_id"],
    ]
    assert answer["meta"]["message"] == "Success"
    assert await left(play) == dict(zip(DATES, (0, 1, 1), strict=True))
    nothing = (await write(play, *wrong)).json()
    assert nothing["data"] == []
    assert (await post(play, "availability", {"values": 3})).status_code == 400


async def test_the_eleventh_call_of_a_property_within_a_minute_is_refused_and_does_nothing(
    play: Player,
) -> None:
    for _ in range(10):
        assert (await write(play, value(DATES[0], 1))).status_code == 200
    refused = await write(play, value(DATES[0], 0))
    assert refused.status_code == 429
    assert refused.json() == {"errors": {"code": "http_too_many_requests", "title": "Too Many Requests"}}
    assert "retry-after" not in refused.headers
    assert (await left(play))[DATES[0]] == 1
    await play.ask("clock", advance=61)
    assert (await write(play, value(DATES[0], 0))).status_code == 200


async def test_a_host_who_closes_by_hand_is_seen_and_a_cancellation_restocks_only_where_it_is_set(
    play: Player,
) -> None:
    await play.ask("channex/block", 201, listing=ROOM, check_in=DATES[2], nights=1)
    booking = await play.book("channex", ROOM, DATES[0], 1)
    await play.ask("channex/cancel", id=booking)
    assert await left(play) == dict(zip(DATES, (0, 1, 0), strict=True))
    settings = (await get(play, f"properties/{HOUSE}")).json()["data"]["attributes"]["settings"]
    assert settings["allow_availability_autoupdate_on_cancellation"] is False


# -------------------------------------------------------------------------------------------- webhooks


async def register(play: Player, url: str, **changes: object) -> httpx.Response:
    webhook = {
        "property_id": HOUSE,
        "callback_url": url,
        "event_mask": "booking",
        "is_active": True,
        **changes,
    }
    return await post(play, "webhooks", {"webhook": webhook})


async def test_a_registered_webhook_is_called_with_its_headers_and_without_data(
    play: Player, ours: Loopback
) -> None:
    made = await register(play, ours.url("/hook"), headers={"X-Webhook-Secret": "s"}, send_data=False)
    assert made.status_code == 201
    await play.book("channex", ROOM, DATES[0], 1)
    await play.sandbox.settled()
    [call] = ours.seen
    body = json.loads(call.body)
    assert (call.target, call.headers["x-webhook-secret"]) == ("/hook", "s")
    assert (body["event"], body["property_id"]) == ("booking", HOUSE)
    assert set(body) == {"event", "property_id", "user_id", "timestamp"}
    [listed] = (await get(play, "webhooks", **{"filter[property_id]": HOUSE})).json()["data"]
    assert listed == made.json()["data"]


async def test_only_active_webhooks_of_the_property_that_ask_for_bookings_are_called(
    play: Player, ours: Loopback
) -> None:
    other = HOUSE.replace("101", "102")
    await register(play, ours.url("/inactive"), is_active=False)
    await register(play, ours.url("/other-house"), property_id=other)
    await register(play, ours.url("/prices"), event_mask="ari")
    await register(play, ours.url("/all"), event_mask="ari;booking", send_data=True)
    booking = await play.book("channex", ROOM, DATES[0], 1)
    await play.sandbox.settled()
    assert [call.target for call in ours.seen] == ["/all"]
    assert json.loads(ours.seen[0].body)["payload"]["booking_id"] == booking
    for wrong in ({"property_id": "their-house"}, {"callback_url": ""}, {"headers": "none"}):
        assert (await register(play, ours.url("/x"), **wrong)).status_code == 422


@pytest.mark.parametrize(("fault", "calls"), [("lost", 0), ("twice", 2)])
async def test_webhooks_can_be_lost_or_doubled_and_the_feed_has_it_all_the_same(
    play: Player, ours: Loopback, fault: str, calls: int
) -> None:
    await register(play, ours.url("/hook"))
    await play.fault(kind=fault, platform="channex", call="webhook", times=1)
    await play.book("channex", ROOM, DATES[0], 1)
    await play.sandbox.settled()
    assert len(ours.seen) == calls
    assert len(await feed(play)) == 1
    shown = (await play.http.get("/sandbox/channex/revisions")).json()
    assert (len(shown["waiting"]), shown["webhooks"]) == (1, 1)


async def test_a_reset_forgets_revisions_and_webhooks(play: Player, ours: Loopback) -> None:
    await register(play, ours.url("/hook"))
    await play.book("channex", ROOM, DATES[0], 1)
    await play.sandbox.settled()
    await play.ask("reset")
    assert await feed(play) == []
    assert play.sandbox.world.subscriptions.webhooks == {}
