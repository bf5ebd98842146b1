"""What the Airbnb connector asks, and what it makes of answers a sandbox would not give."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from shared.connectors.airbnb import AirbnbConnector
from shared.domain.errors import PayloadRejected, PlatformDown
from shared.domain.model import Status, Write
from shared.ports.http import Request
from tests.connectors.support import (
    NOW,
    SECRETS,
    Script,
    account,
    connector,
    fixture,
    levels,
    listing,
    status,
    stay,
)

WRITES = "/v2/calendar_operations_requests/"
RESERVATIONS = "/v2/reservations"
HERE = account("airbnb")
HOME = listing("airbnb", "5550001")
OLD = json.loads(fixture("airbnb/reservation.json"))["reservation"]
YES = b'{"success": true}'


def sent(request: Request) -> Any:
    return json.loads(request.body)


async def test_a_write_names_single_nights_by_level_closures_first() -> None:
    script = Script()
    script.on("POST", WRITES, YES)
    nights = list(stay("2027-08-14", 4).nights())
    write = Write(1, NOW, dict(zip(nights, (1, 0, 3, 0), strict=True)))
    outcome = await connector(AirbnbConnector, script).write(HERE, HOME, write)
    assert outcome.accepted == frozenset(nights)
    (request,) = script.asked()
    assert sent(request) == {
        "listing_id": 5550001,
        "operations": [
            {
                "dates": ["2027-08-15", "2027-08-17"],
                "availability": "unavailable",
                "busy_subtype": "OUTSIDE_RESERVATION",
            },
            {"dates": ["2027-08-14"], "availability": "available"},
            {"dates": ["2027-08-16"], "availability": "available", "available_count": 3},
        ],
    }
    assert request.headers["X-Airbnb-API-Key"] == SECRETS["AIRBNB_KEY"]
    assert request.headers["X-Airbnb-OAuth-Token"] == SECRETS["AIRBNB_TOKEN"]
    assert request.headers["Content-Type"] == "application/json"
    assert request.deadline == 10.0


async def test_a_long_write_goes_out_in_calls_of_731_dates_and_closures_do_not_wait() -> None:
    script = Script()
    script.on("POST", WRITES, YES)
    nights = [date(2027, 5, 2) + timedelta(days=n) for n in range(1000)]
    write = Write(1, NOW, {night: n % 2 for n, night in enumerate(nights)})
    outcome = await connector(AirbnbConnector, script).write(HERE, HOME, write)
    assert outcome.accepted == frozenset(nights)
    calls = [sent(request)["operations"] for request in script.asked()]
    assert [[len(op["dates"]) for op in call] for call in calls] == [[500, 231], [269]]
    assert calls[0][0]["availability"] == "unavailable"


async def test_a_failure_in_the_middle_of_a_long_write_leaves_the_whole_unknown() -> None:
    script = Script()
    script.on("POST", WRITES, YES, status(503))
    nights = [date(2027, 5, 2) + timedelta(days=n) for n in range(800)]
    with pytest.raises(PlatformDown):
        await connector(AirbnbConnector, script).write(HERE, HOME, levels(nights, 0))


async def test_nothing_to_write_is_no_call_and_a_negative_level_is_a_slip() -> None:
    script = Script()
    outcome = await connector(AirbnbConnector, script).write(HERE, HOME, levels([], 0))
    assert outcome.accepted == frozenset()
    with pytest.raises(ValueError, match="fewer than 0"):
        await connector(AirbnbConnector, script).write(HERE, HOME, levels([date(2027, 8, 14)], -1))
    assert script.asked() == []


async def test_a_read_asks_one_day_more_and_keeps_the_nights() -> None:
    script = Script()
    days = [{"date": f"2027-08-{day}", "availability": "available"} for day in range(10, 25)]
    script.on(
        "GET",
        "/v2/calendars/5550001/2027-08-14/2027-08-17",
        json.dumps({"calendar": {"days": days}}).encode(),
    )
    read = await connector(AirbnbConnector, script).read_levels(HERE, HOME, stay("2027-08-14", 3))
    assert read == dict.fromkeys(stay("2027-08-14", 3).nights(), 1)


async def test_a_night_the_answer_leaves_out_stays_unknown() -> None:
    script = Script()
    script.on("GET", "/v2/calendars/5550001/2027-08-14/2027-08-17", b'{"calendar": {"days": []}}')
    assert await connector(AirbnbConnector, script).read_levels(HERE, HOME, stay("2027-08-14", 3)) == {}


async def test_an_id_can_never_change_the_address() -> None:
    script = Script()
    script.on("GET", "/v2/reservations/..%2Fusers%3Fid%3D1", status(404))
    airbnb = connector(AirbnbConnector, script)
    assert await airbnb.reread(HERE, "../users?id=1") is None
    for dots in ("", ".", ".."):
        with pytest.raises(PayloadRejected):
            await airbnb.reread(HERE, dots)


# ------------------------------------------------------------------------------------------- re-reads


@pytest.mark.parametrize("wrapped", [True, False])
async def test_a_reread_gives_the_present_state(wrapped: bool) -> None:
    script = Script()
    script.on(
        "GET", "/v2/reservations/HMTESTAA01", json.dumps({"reservation": OLD} if wrapped else OLD).encode()
    )
    seen = await connector(AirbnbConnector, script).reread(HERE, "HMTESTAA01")
    assert seen is not None
    assert (seen.id, seen.status, seen.rooms[0].dates) == (
        "HMTESTAA01",
        Status.CONFIRMED,
        stay("2027-08-14", 3),
    )


async def test_an_answer_about_another_reservation_is_refused() -> None:
    script = Script()
    script.on("GET", "/v2/reservations/HMOTHER", json.dumps({"reservation": OLD}).encode())
    with pytest.raises(PayloadRejected, match="another reservation"):
        await connector(AirbnbConnector, script).reread(HERE, "HMOTHER")


# --------------------------------------------------------------------------------------------- lists


def item(number: int, **changed: object) -> dict[str, object]:
    return {**OLD, "confirmation_code": f"HMTEST{number:04}", **changed}


def page(items: Iterable[object], total: int | None = None) -> bytes:
    body: dict[str, object] = {"reservations": list(items)}
    if total is not None:
        body["metadata"] = {"record_count": total}
    return json.dumps(body).encode()


async def listed(*pages: bytes) -> tuple[list[str], Script]:
    script = Script()
    script.on("GET", RESERVATIONS, *pages)
    seen = await connector(AirbnbConnector, script).stays(HERE, "5550001")
    return [stay.id for stay in seen], script


async def test_every_page_is_read() -> None:
    ids, script = await listed(page(map(item, range(50)), 70), page(map(item, range(50, 70)), 70))
    assert len(ids) == 70
    assert [request.url.partition("?")[2] for request in script.asked()] == [
        "listing_id=5550001&all_status=true&_limit=50&_offset=0",
        "listing_id=5550001&all_status=true&_limit=50&_offset=50",
    ]


async def test_without_a_total_only_an_empty_page_is_the_end() -> None:
    ids, script = await listed(page(map(item, range(50))), page(map(item, range(50, 60))), page([]))
    assert (len(ids), len(script.asked())) == (60, 3)


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param((page(map(item, range(50)), 70), page([], 70)), id="ended early"),
        pytest.param((page(map(item, range(50)), 70), page(map(item, range(49, 69)), 70)), id="moved"),
        pytest.param(
            (page(map(item, range(50)), 70), page(map(item, range(50, 69)), 69)), id="total changed"
        ),
        pytest.param((page(map(item, range(50)), 70), b"<!DOCTYPE html><html>"), id="a page is a web page"),
    ],
)
async def test_a_list_that_is_not_whole_is_an_error_never_a_short_list(pages: tuple[bytes, ...]) -> None:
    with pytest.raises(PlatformDown):
        await listed(*pages)


async def test_paging_that_never_ends_is_given_up() -> None:
    script = Script()
    count = iter(range(10**6))
    script.on("GET", RESERVATIONS, lambda _: status(200, page([item(next(count))])))
    with pytest.raises(PlatformDown, match="no end"):
        await connector(AirbnbConnector, script).stays(HERE, "5550001")
    assert len(script.asked()) == 200


@pytest.mark.parametrize("bad", [{}, None, item(3, start_date=None), {"confirmation_code": "HMTEST0003"}])
async def test_one_reservation_nobody_can_read_fails_the_list(bad: object) -> None:
    with pytest.raises(PayloadRejected, match="Airbnb: reservation list"):
        await listed(page([item(1), bad, item(2)], 3))


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"reservations": {}}'])
async def test_an_answer_without_a_list_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadRejected, match="without a list"):
        await listed(body)


async def test_departed_stays_and_inquiries_are_left_out_cancelled_ones_are_not() -> None:
    past = {"start_date": "2027-04-20", "nights": 2, "end_date": "2027-04-22"}
    leaving = {"start_date": "2027-04-29", "nights": 2, "end_date": "2027-05-01"}
    items = [
        item(1),
        item(2, **past),
        item(3, status_type="new"),
        item(4, status_type="cancelled_by_guest"),
        item(5, **leaving),
        {"confirmation_code": "HMTEST0006", "status_type": "timeout"},
    ]
    ids, _ = await listed(page(items, 6))
    assert ids == ["HMTEST0001", "HMTEST0004", "HMTEST0005", "HMTEST0006"]
