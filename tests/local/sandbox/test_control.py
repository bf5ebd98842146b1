"""The control API: what tests and a person with curl ask of the sandbox."""

from __future__ import annotations

from datetime import date

import pytest

from local.sandbox.clock import Clock
from tests.local.sandbox.play import AIRBNB, BOOKING, GREENGO, Player, nights


async def test_the_truth_tells_every_night_and_by_what(play: Player) -> None:
    stay = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    block = await play.ask("airbnb/block", 201, listing=AIRBNB, check_in="2027-07-11", nights=1)
    path = "/sandbox/truth?from=2027-07-09&to=2027-07-12"
    found = (await play.http.get(path)).json()["listings"][f"airbnb/{AIRBNB}"]
    assert found == {
        "home": "home-1",
        "nights": {
            "2027-07-09": {"state": "open", "by": []},
            "2027-07-10": {"state": "sold", "by": [stay]},
            "2027-07-11": {"state": "host", "by": [block["block"]]},
        },
    }


async def test_a_double_sale_across_platforms_is_in_the_truth(play: Player) -> None:
    first = await play.book("airbnb", AIRBNB, "2027-07-10", 2)
    second = await play.book("greengo", GREENGO, "2027-07-11", 2)
    truth = (await play.http.get("/sandbox/truth")).json()
    assert truth["double_sold"] == {"home-1": {"2027-07-11": sorted([first, second])}}


async def test_no_guests_name_is_in_the_control_api(play: Player) -> None:
    stay = await play.ask(
        "airbnb/book", 201, listing=AIRBNB, check_in="2027-07-10", nights=1, guest="Zephyrine Orme"
    )
    truth = (await play.http.get("/sandbox/truth")).text
    assert "Zephyrine" not in truth + str(stay)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("airbnb/book", {"listing": AIRBNB, "check_in": "2027-07-10"}, 400),
        ("airbnb/book", {"listing": AIRBNB, "check_in": "soon", "nights": 2}, 400),
        ("airbnb/book", {"listing": AIRBNB, "check_in": "2027-07-10", "check_out": "2027-07-10"}, 400),
        ("airbnb/book", {"listing": "nowhere", "check_in": "2027-07-10", "nights": 2}, 404),
        ("airbnb/book", {"check_in": "2027-07-10", "nights": 2}, 400),
        ("airbnb/book", {"listing": AIRBNB, "check_in": "2027-07-10", "nights": 2, "status": "new"}, 400),
        ("expedia/book", {"listing": AIRBNB, "check_in": "2027-07-10", "nights": 2}, 400),
        ("airbnb/modify", {"id": "HMNOWHERE", "nights": 2}, 404),
        ("airbnb/cancel", {"id": "HMNOWHERE"}, 404),
        ("airbnb/unblock", {"listing": AIRBNB, "block": "block-9"}, 404),
        ("airbnb/pull/nowhere", {}, 404),
        ("clock", {"advance": -1}, 400),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    play: Player, path: str, body: dict[str, object], status: int
) -> None:
    assert (await play.ask(path, status, **body))["error"]


async def test_a_reservation_belongs_to_its_platform(play: Player) -> None:
    stay = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.ask("booking/cancel", 404, id=stay)
    await play.ask("airbnb/cancel", id=stay)
    await play.ask("airbnb/cancel", 400, id=stay)


async def test_a_change_may_name_only_what_changes(play: Player) -> None:
    stay = await play.book("airbnb", AIRBNB, "2027-07-10", 2)
    for body, expected in (
        ({"check_in": "2027-07-20"}, nights("2027-07-20", 2)),
        ({"nights": 4}, nights("2027-07-20", 4)),
        ({"check_out": "2027-07-23"}, nights("2027-07-20", 3)),
        ({"check_in": "2027-07-10", "check_out": "2027-07-11"}, ["2027-07-10"]),
    ):
        await play.ask("airbnb/modify", id=stay, **body)
        assert list(await play.states(f"airbnb/{AIRBNB}")) == expected
    await play.ask("airbnb/modify", 400, id=stay)


async def test_a_host_blocks_and_unblocks(play: Player) -> None:
    block = await play.ask("greengo/block", 201, listing=GREENGO, check_in="2027-07-10", nights=2)
    assert await play.refused("greengo", GREENGO, "2027-07-11", 2) == ["2027-07-11"]
    await play.ask("greengo/unblock", listing=GREENGO, block=block["block"])
    await play.book("greengo", GREENGO, "2027-07-11", 2)


@pytest.mark.parametrize(("platform", "listing"), [("airbnb", AIRBNB), ("booking", BOOKING)])
async def test_what_a_partner_closed_is_opened_and_what_is_sold_stays_sold(
    play: Player, platform: str, listing: str
) -> None:
    await play.book(platform, listing, "2027-07-10", 1)
    if platform == "airbnb":
        await play.airbnb_write("unavailable", "2027-07-11")
    else:
        play.sandbox.world.truth.partner_counts(f"booking/{BOOKING}", date(2027, 7, 11), 0)
    assert len(await play.states(f"{platform}/{listing}")) == 2
    await play.ask(f"{platform}/open", listing=listing, check_in="2027-07-10", nights=2)
    assert await play.states(f"{platform}/{listing}") == {"2027-07-10": "sold"}


async def test_a_reservation_may_get_a_word_that_nobody_knows(play: Player) -> None:
    stay = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    assert (await play.ask("airbnb/status", id=stay, status="levitating"))["status"] == "levitating"
    await play.ask("booking/status", 404, id=stay, status="levitating")


async def test_calls_are_counted_by_kind_with_their_time_and_without_the_address(
    play: Player, clock: Clock
) -> None:
    await play.airbnb_write("unavailable", "2027-07-10")
    clock.advance(5)
    await play.feed(f"greengo/{GREENGO}")
    log = (await play.http.get("/sandbox/calls")).json()
    assert log["counts"] == {"airbnb.calendar_write": 1, "greengo.feed": 1}
    assert [call["at"] for call in log["calls"]] == ["2027-05-02T10:15:00+00:00", "2027-05-02T10:15:05+00:00"]
    assert [call["note"] for call in log["calls"]] == [AIRBNB, GREENGO]
    secret = play.sandbox.world.truth.calendars[f"greengo/{GREENGO}"].listing.token
    assert secret not in str(log)


async def test_reset_begins_again(play: Player) -> None:
    first = await play.book("airbnb", AIRBNB, "2027-07-10", 1)
    await play.fault(kind="error")
    await play.ask("reset")
    assert await play.states(f"airbnb/{AIRBNB}") == {}
    assert (await play.http.get("/sandbox/calls")).json()["counts"] == {}
    assert (await play.feed(f"greengo/{GREENGO}")).status_code == 200
    assert await play.book("airbnb", AIRBNB, "2027-07-10", 1) == first


async def test_bytes_are_replayed_as_they_are(play: Player) -> None:
    body = b"BEGIN:VCALENDAR\n\xff\xfe\r\nEND:VCALENDAR"
    answer = await play.http.post("/sandbox/replay/odd", content=body)
    assert answer.json() == {"path": "/replay/odd.ics"}
    assert (await play.http.get("/replay/odd.ics")).content == body
    await play.http.post("/sandbox/replay/odd?status=500&type=text/html", content=b"oops")
    again = await play.http.get("/replay/odd.ics")
    assert (again.status_code, again.headers["content-type"]) == (500, "text/html")
    assert (await play.http.get("/replay/none.ics")).status_code == 404


async def test_one_calendar_tells_its_link_and_what_it_last_read(play: Player) -> None:
    await play.http.post("/sandbox/replay/ours", content=b"<html>")
    url = f"{play.sandbox.base}/replay/ours.ics"
    await play.ask(f"booking/link/{BOOKING}", 201, url=url, every=30)
    await play.ask(f"booking/pull/{BOOKING}")
    found = (await play.http.get(f"/sandbox/booking/calendar/{BOOKING}")).json()
    assert found["feed"].startswith("/v1/export/t/")
    (link,) = found["links"]
    assert (link["every"], link["last"]["status"], link["last"]["error"]) == (30, 200, "not a calendar")
    assert url not in str(found)


async def test_what_is_no_path_is_404(play: Player) -> None:
    assert (await play.http.get("/admin")).status_code == 404
    assert (await play.http.put("/sandbox/truth")).status_code == 404
