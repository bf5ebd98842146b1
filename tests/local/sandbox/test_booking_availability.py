"""Availability written to Booking.com in both flavours, and read back."""

from __future__ import annotations

import pytest

from local.sandbox.config import Booking, Client, Listing, Platform, SandboxConfig, sample
from tests.local.sandbox.play import BOOKING, Player, bare, nights

OTHER = Client("11111111-0000-11ef-0000-000000000000", "other-secret", account="other")
KEY = f"booking/{BOOKING}"


@pytest.fixture
def config() -> SandboxConfig:
    given = sample(booking=Booking(clients=(*Booking().clients, OTHER)))
    others = (
        Listing(Platform.BOOKING, "777", "mill", account="other", property_id="555"),
        Listing(Platform.BOOKING, "888", "barn", api=False),
    )
    return SandboxConfig(listings=(*given.listings, *others), booking=given.booking)


async def test_start_and_end_are_both_closed(play: Player) -> None:
    reply = await play.limit((BOOKING, "2027-07-10", "2027-07-12", 0))
    assert [node.tag for node in reply] == ["Success"]
    assert list(await play.states(KEY)) == nights("2027-07-10", 3)
    await play.book("booking", BOOKING, "2027-07-13", 1)
    await play.limit((BOOKING, "2027-07-10", "2027-07-12", 1))
    await play.book("booking", BOOKING, "2027-07-10", 3)


async def test_one_bad_message_does_not_stop_the_others_and_is_named(play: Player) -> None:
    reply = await play.limit((BOOKING, "2027-07-10", "2027-07-10", 0), ("999", "2027-07-10", "2027-07-10", 0))
    assert [node.tag for node in reply] == ["Success", "Warnings"]
    (warning,) = reply.iter("Warning")
    assert (warning.get("LocatorID"), warning.get("Status")) == ("2", "NotProcessed")
    assert list(await play.states(KEY)) == ["2027-07-10"]


async def test_when_nothing_was_done_there_is_no_success_and_still_http_200(play: Player) -> None:
    reply = await play.limit(
        ("999", "2027-07-10", "2027-07-10", 0),
        (BOOKING, "2027-07-12", "2027-07-10", 0),
        (BOOKING, "2027-04-30", "2027-07-10", 0),
        (BOOKING, "2027-07-10", "2027-07-10", 255),
    )
    assert [node.tag for node in reply] == ["Errors"]
    assert [node.get("LocatorID") for node in reply.iter("Error")] == ["1", "2", "3", "4"]
    assert await play.states(KEY) == {}


@pytest.mark.parametrize("room", ["777", "888"])
async def test_no_access_is_a_warning_under_success(play: Player, room: str) -> None:
    reply = await play.limit((room, "2027-07-10", "2027-07-10", 0))
    assert [node.tag for node in reply] == ["Success", "Warnings"]
    (warning,) = reply.iter("Warning")
    assert (warning.get("Code"), warning.get("Status"), warning.get("Type")) == ("497", "NotProcessed", "6")
    assert await play.states(f"booking/{room}") == {}


async def test_a_closed_room_type_is_not_bookable_whatever_its_number(play: Player) -> None:
    def body(status: str) -> str:
        return (
            '<OTA_HotelAvailNotifRQ xmlns="http://www.opentravel.org/OTA/2003/05"><AvailStatusMessages>'
            f'<AvailStatusMessage LocatorID="1"><StatusApplicationControl Start="2027-07-10" End="2027-07-10" '
            f'InvTypeCode="{BOOKING}"/><RestrictionStatus Status="{status}"/></AvailStatusMessage>'
            "</AvailStatusMessages></OTA_HotelAvailNotifRQ>"
        )

    path = "/hotels/ota/OTA_HotelAvailNotif"
    await play.booking("POST", path, body("Close"))
    await play.limit((BOOKING, "2027-07-10", "2027-07-10", 1))
    await play.refused("booking", BOOKING, "2027-07-10", 1)
    assert "Errors" in (await play.booking("POST", path, body("Shut"))).text
    await play.booking("POST", path, body("Open"))
    await play.book("booking", BOOKING, "2027-07-10", 1)


async def test_bxml_takes_single_dates_and_ranges_without_their_last_day(play: Player) -> None:
    body = (
        f'<request><room id="{BOOKING}">'
        '<date value="2027-07-10"><roomstosell>0</roomstosell><closed>1</closed></date>'
        '<date from="2027-07-20" to="2027-07-22"><roomstosell>0</roomstosell></date></room></request>'
    )
    answer = await play.booking("POST", "/hotels/xml/availability", body)
    assert bare(answer.text).tag == "ok"
    assert list(await play.states(KEY)) == ["2027-07-10", "2027-07-20", "2027-07-21"]


@pytest.mark.parametrize(("rooms", "status"), [(["999"], 400), (["999", BOOKING], 200)])
async def test_bxml_says_400_only_when_nothing_was_done(play: Player, rooms: list[str], status: int) -> None:
    inside = "".join(
        f'<room id="{room}"><date value="2027-07-10"><roomstosell>0</roomstosell></date></room>'
        for room in rooms
    )
    answer = await play.booking("POST", "/hotels/xml/availability", f"<request>{inside}</request>")
    assert answer.status_code == status
    assert [node.get("code") for node in bare(answer.text).iter("error")] == ["ROOM_ID_INVALID"]


async def readback(play: Player, hotel: str = "1234567", days: int = 3) -> tuple[int, list[dict[str, str]]]:
    body = (
        f"<request><hotel_id>{hotel}</hotel_id><number_of_days>{days}</number_of_days>"
        "<start_date>2027-07-10</start_date><room_level>1</room_level></request>"
    )
    answer = await play.booking("POST", "/hotels/xml/roomrateavailability", body)
    return answer.status_code, [dict(node.attrib) for node in bare(answer.text).iter("date")]


async def test_the_read_back_tells_sold_closed_and_left(play: Player) -> None:
    await play.book("booking", BOOKING, "2027-07-10", 1)
    await play.limit((BOOKING, "2027-07-11", "2027-07-11", 0))
    status, dates = await readback(play)
    assert status == 200
    found = {item["value"]: (item["rooms_to_sell"], item["booked"], item["closed"]) for item in dates}
    assert found == {
        "2027-07-10": ("0", "1", "0"),
        "2027-07-11": ("0", "0", "0"),
        "2027-07-12": ("1", "0", "0"),
    }


async def test_the_read_back_has_its_limits(play: Player) -> None:
    assert (await readback(play, days=31))[0] == 200
    assert (await readback(play, days=32))[0] == 400
    assert (await readback(play, hotel="555"))[0] == 403


@pytest.mark.parametrize(("kind", "tags"), [("refuse", ["Errors"]), ("ignore", ["Success"])])
async def test_a_write_can_be_refused_or_dropped_inside_a_200(
    play: Player, kind: str, tags: list[str]
) -> None:
    await play.fault(kind=kind, platform="booking", call="availability", times=1)
    reply = await play.limit((BOOKING, "2027-07-10", "2027-07-10", 0))
    assert [node.tag for node in reply] == tags
    assert await play.states(KEY) == {}
    await play.limit((BOOKING, "2027-07-10", "2027-07-10", 0))
    assert list(await play.states(KEY)) == ["2027-07-10"]


async def test_one_night_of_a_write_can_be_refused_alone(play: Player) -> None:
    await play.fault(kind="refuse", platform="booking", call="availability", night="2027-07-11")
    nights = [(BOOKING, f"2027-07-{day}", f"2027-07-{day}", 0) for day in (10, 11, 12)]
    reply = await play.limit(*nights)
    assert [node.get("LocatorID") for node in reply.iter("Warning")] == ["2"]
    assert sorted(await play.states(f"booking/{BOOKING}")) == ["2027-07-10", "2027-07-12"]


async def test_a_room_without_api_is_in_no_queue_no_summary_and_no_read_back(play: Player) -> None:
    await play.book("booking", "888", "2027-07-10", 1)
    assert await play.waiting("OTA_HotelResNotif") == []
    assert (await play.http.get("/sandbox/booking/queue")).json()["waiting"] == []
    body = "<request><hotel_id>1234567</hotel_id></request>"
    assert bare((await play.booking("POST", "/hotels/xml/reservationssummary", body)).text).find("*") is None
    _, dates = await readback(play)
    assert [item["booked"] for item in dates] == ["0", "0", "0"]
    assert await play.events("booking/888") == [("CLOSED - Not available", "2027-07-10", "2027-07-11")]
