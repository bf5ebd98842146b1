"""Airbnb's partner API as a partner meets it."""

from __future__ import annotations

import httpx
import pytest

from local.sandbox.clock import Clock
from local.sandbox.config import Airbnb, SandboxConfig, sample
from local.sandbox.server import running
from tests.local.sandbox.play import AIRBNB, AIRBNB_HEADERS, Player, nights


@pytest.fixture
def config() -> SandboxConfig:
    return sample(2, airbnb=Airbnb(tokens={"main": "sandbox-airbnb-token", "other": "another-token"}))


@pytest.mark.parametrize("missing", sorted(AIRBNB_HEADERS))
async def test_without_its_headers_nothing_is_answered(play: Player, missing: str) -> None:
    for headers in (
        {name: value for name, value in AIRBNB_HEADERS.items() if name != missing},
        AIRBNB_HEADERS | {missing: "wrong"},
    ):
        answer = await play.http.get("/v2/reservations/HMX", headers=headers)
        assert answer.status_code == 401


async def test_a_reservation_is_read_in_airbnbs_own_fields(play: Player) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 3, guest="Clio Dune")
    found = (await play.airbnb("GET", f"/v2/reservations/{code}")).json()["reservation"]
    assert (found["confirmation_code"], found["status_type"], found["nights"]) == (code, "accept", 3)
    assert (found["start_date"], found["end_date"]) == ("2027-07-10", "2027-07-13")
    assert (found["listing_id"], found["listing_id_str"]) == (9876543, "9876543")
    assert found["guest_first_name"] == "Clio"
    assert found["updated_at"] == "2027-05-02T10:15:00Z"
    assert (await play.airbnb("GET", "/v2/reservations/HMNOWHERE")).status_code == 404


async def test_each_change_has_a_later_updated_at_even_within_one_second(play: Player) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 3)
    seen = []
    await play.ask("airbnb/modify", id=code, nights=4)
    seen.append((await play.airbnb("GET", f"/v2/reservations/{code}")).json()["reservation"])
    await play.ask("airbnb/cancel", id=code)
    seen.append((await play.airbnb("GET", f"/v2/reservations/{code}")).json()["reservation"])
    assert [item["updated_at"] for item in seen] == ["2027-05-02T10:15:01Z", "2027-05-02T10:15:02Z"]
    assert [item["status_type"] for item in seen] == ["accept", "cancelled_by_guest"]
    assert seen[1]["end_date"] == "2027-07-14"


async def test_the_list_has_pages_and_shows_cancelled_ones_when_asked(play: Player) -> None:
    codes = [await play.book("airbnb", AIRBNB, f"2027-07-{day:02}", 1) for day in (1, 3, 5)]
    await play.ask("airbnb/cancel", id=codes[0], by="host")
    path = f"/v2/reservations?listing_id={AIRBNB}"
    live = (await play.airbnb("GET", path)).json()["reservations"]
    assert {item["confirmation_code"] for item in live} == set(codes[1:])
    pages = [
        (await play.airbnb("GET", f"{path}&all_status=true&_limit=2&_offset={offset}")).json()
        for offset in (0, 2, 4)
    ]
    assert [len(page["reservations"]) for page in pages] == [2, 1, 0]
    found = [item for page in pages for item in page["reservations"]]
    assert {item["confirmation_code"] for item in found} == set(codes)
    assert {item["status_type"] for item in found} == {"accept", "cancelled_by_host"}
    assert pages[0]["metadata"]["record_count"] == 3


async def test_closed_nights_cannot_be_booked_and_opened_ones_can(play: Player) -> None:
    answer = await play.airbnb_write("unavailable", *nights("2027-07-10", 3))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await play.refused("airbnb", AIRBNB, "2027-07-09", 2) == ["2027-07-10"]
    await play.airbnb_write("available", *nights("2027-07-10", 3))
    await play.book("airbnb", AIRBNB, "2027-07-09", 2)


async def test_the_older_write_answers_with_its_operation(play: Player) -> None:
    body = {"listing_id": AIRBNB, "operations": [{"dates": ["2027-07-10"], "availability": "unavailable"}]}
    answer = await play.airbnb("POST", "/v2/calendar_operations?_allow_dates_overlap=true", body)
    assert "calendar_operation" in answer.json()
    assert await play.states(f"airbnb/{AIRBNB}") == {"2027-07-10": "partner"}


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"dates": ["2027-07-10:2027-07-12"], "availability": "unavailable"}, "ranges"),
        ({"dates": [], "availability": "unavailable"}, "list of dates"),
        ({"dates": ["10/07/2027"], "availability": "unavailable"}, "YYYY-MM-DD"),
        ({"dates": ["2027-07-10"], "availability": "closed"}, "availability"),
        ({"dates": ["2027-07-10"], "availability": "available", "available_count": -1}, "available_count"),
        ({"dates": nights("2027-07-10", 732), "availability": "unavailable"}, "731"),
    ],
)
async def test_a_write_that_cannot_be_taken_is_refused_whole(
    play: Player, operation: dict[str, object], why: str
) -> None:
    good = {"dates": ["2027-08-01"], "availability": "unavailable"}
    body = {"listing_id": AIRBNB, "operations": [good, operation]}
    answer = await play.airbnb("POST", "/v2/calendar_operations_requests/", body)
    assert answer.status_code == 400
    assert why in answer.json()["error_message"]
    assert await play.states(f"airbnb/{AIRBNB}") == {}


async def test_731_dates_are_taken(play: Player) -> None:
    assert (await play.airbnb_write("unavailable", *nights("2027-07-10", 731))).status_code == 200
    assert len(await play.states(f"airbnb/{AIRBNB}")) == 731


async def test_an_unknown_listing_and_somebody_elses_are_refused_alike(play: Player) -> None:
    assert (await play.airbnb_write("unavailable", "2027-07-10", listing="1")).status_code == 404
    strange = AIRBNB_HEADERS | {"X-Airbnb-OAuth-Token": "another-token"}
    body = {"listing_id": AIRBNB, "operations": [{"dates": ["2027-07-10"], "availability": "unavailable"}]}
    answer = await play.http.post("/v2/calendar_operations_requests/", json=body, headers=strange)
    assert answer.status_code == 404
    assert await play.states(f"airbnb/{AIRBNB}") == {}


async def test_opening_a_sold_night_leaves_it_sold_and_the_truth_tells(play: Player) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.airbnb_write("available", "2027-07-10")
    truth = (await play.http.get("/sandbox/truth")).json()
    assert truth["listings"][f"airbnb/{AIRBNB}"]["nights"] == {"2027-07-10": {"state": "sold", "by": [code]}}
    assert [item["night"] for item in truth["contradictions"]] == ["2027-07-10"]


async def test_the_read_back_names_every_night_and_who_holds_it(play: Player) -> None:
    code = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.airbnb_write("unavailable", "2027-07-11")
    await play.ask("airbnb/block", 201, listing=AIRBNB, check_in="2027-07-12", nights=1)
    days = (await play.airbnb("GET", f"/v2/calendars/{AIRBNB}/2027-07-10/2027-07-13")).json()["calendar"][
        "days"
    ]
    assert [day["date"] for day in days] == nights("2027-07-10", 4)
    assert [day["availability"] for day in days] == ["unavailable"] * 3 + ["available"]
    assert days[0]["reservation"] == {"confirmation_code": code}
    assert [day.get("busy_subtype") for day in days[1:]] == ["OUTSIDE_RESERVATION", "BLOCKED_BY_HOST", None]
    reversed_range = await play.airbnb("GET", f"/v2/calendars/{AIRBNB}/2027-07-13/2027-07-10")
    assert reversed_range.status_code == 400


async def test_the_rate_limit_counts_writes_alone_and_says_how_long_to_wait(clock: Clock) -> None:
    config = sample(airbnb=Airbnb(writes_per_minute=2))
    async with (
        running(config, clock=clock) as sandbox,
        httpx.AsyncClient(base_url=sandbox.base, verify=False) as client,
    ):
        play = Player(sandbox, client)
        clock.advance(20)
        for _ in range(2):
            assert (await play.airbnb_write("unavailable", "2027-07-10")).status_code == 200
        refused = await play.airbnb_write("available", "2027-07-10")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert (await play.airbnb("GET", f"/v2/reservations?listing_id={AIRBNB}")).status_code == 200
        assert await play.states(f"airbnb/{AIRBNB}") == {"2027-07-10": "partner"}
        clock.advance(60)
        assert (await play.airbnb_write("available", "2027-07-10")).status_code == 200
