"""Booking.com's reservation queues: at least once, acknowledged, the latest message only."""

from __future__ import annotations

import pytest

from local.sandbox.clock import Clock
from local.sandbox.config import Booking, Client, EarlyCancel, SandboxConfig, sample
from tests.local.sandbox.play import BOOKING, Player, bare, nights

NEW, CHANGED = "OTA_HotelResNotif", "OTA_HotelResModifyNotif"
OTHER = Client("11111111-0000-11ef-0000-000000000000", "other-secret", account="other")


@pytest.fixture
def config() -> SandboxConfig:
    return sample(2, booking=Booking(clients=(*Booking().clients, OTHER)))


async def test_calls_need_a_token_that_is_known_and_fresh(play: Player, clock: Clock) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
        assert (await play.http.get(f"/hotels/ota/{NEW}", headers=headers)).status_code == 401
    assert (await play.booking("GET", f"/hotels/ota/{NEW}")).status_code == 200
    clock.advance(3600)
    assert (await play.booking("GET", f"/hotels/ota/{NEW}")).status_code == 401


async def test_thirty_tokens_an_hour_and_no_more(play: Player, clock: Clock) -> None:
    for _ in range(30):
        await play.token()
    body = {"client_id": Booking().clients[0].client_id, "client_secret": Booking().clients[0].client_secret}
    refused = await play.http.post("/token-based-authentication/exchange", json=body)
    assert refused.status_code == 429
    await play.token(OTHER)
    clock.advance(3601)
    await play.token()
    wrong = await play.http.post("/token-based-authentication/exchange", json=body | {"client_secret": "x"})
    assert wrong.status_code == 401


async def test_a_new_reservation_stays_until_it_is_acknowledged(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 3)
    assert await play.waiting(NEW) == [stay]
    assert await play.waiting(NEW) == [stay]
    answer = await play.ack(NEW, stay)
    assert answer.status_code == 200
    assert bare(answer.text).find("Success") is not None
    assert await play.waiting(NEW) == []
    assert (await play.ack(NEW, stay)).status_code == 200


async def test_nights_are_one_rate_each_and_there_is_no_timespan(play: Player) -> None:
    await play.book("booking", BOOKING, "2027-07-10", 3, guest="Hugo Houx")
    answer = await play.booking("GET", f"/hotels/ota/{NEW}")
    assert "<!-- RUID: [" in answer.text
    root = bare(answer.text)
    assert root.tag == "OTA_HotelResNotifRQ"
    assert [rate.get("EffectiveDate") for rate in root.iter("RoomRate")] == nights("2027-07-10", 3)
    assert [room.get("RoomTypeCode") for room in root.iter("RoomType")] == [BOOKING]
    assert [box.get("HotelCode") for box in root.iter("BasicPropertyInfo")] == ["1234567"]
    assert root.findtext(".//Surname") == "Houx"
    assert root.find(".//TimeSpan") is None


async def test_a_change_before_the_acknowledgement_still_comes_as_new(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.waiting(NEW)
    await play.ask("booking/modify", id=stay, check_in="2027-07-11", nights=3)
    refused = await play.ack(NEW, stay)
    assert refused.status_code == 400
    assert "Hotel reservation has transaction message of the wrong type" in refused.text
    root = await play.poll(NEW)
    assert [rate.get("EffectiveDate") for rate in root.iter("RoomRate")] == nights("2027-07-11", 3)
    assert await play.waiting(CHANGED) == []
    assert (await play.ack(NEW, stay)).status_code == 200


async def test_a_change_after_it_waits_in_the_other_queue(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.waiting(NEW)
    await play.ack(NEW, stay)
    await play.ask("booking/modify", id=stay, nights=3)
    root = await play.poll(CHANGED)
    assert [item.get("ResStatus") for item in root.iter("HotelResModify")] == ["Modify"]
    assert len(list(root.iter("RoomRate"))) == 3
    assert (await play.ack(NEW, stay)).status_code == 400
    assert (await play.ack(CHANGED, stay)).status_code == 200
    assert await play.waiting(CHANGED) == []


async def test_an_acknowledgement_of_an_older_version_is_refused(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.waiting(NEW)
    await play.ack(NEW, stay)
    await play.ask("booking/modify", id=stay, nights=3)
    await play.waiting(CHANGED)
    await play.ask("booking/cancel", id=stay)
    assert (await play.ack(CHANGED, stay)).status_code == 400
    root = await play.poll(CHANGED)
    assert [item.get("ResStatus") for item in root.iter("HotelResModify")] == ["Cancel"]
    assert (await play.ack(CHANGED, stay)).status_code == 200


async def test_a_cancellation_is_an_id_and_nothing_else(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.waiting(NEW)
    await play.ack(NEW, stay)
    await play.ask("booking/cancel", id=stay)
    root = await play.poll(CHANGED)
    (entry,) = root.iter("HotelResModify")
    assert [node.tag for node in entry] == ["ResGlobalInfo"]


async def test_a_stay_cancelled_before_anyone_saw_it_is_never_told(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.ask("booking/cancel", id=stay)
    assert (await play.waiting(NEW), await play.waiting(CHANGED)) == ([], [])


@pytest.mark.parametrize("policy", list(EarlyCancel))
async def test_one_that_was_seen_is_told_or_vanishes_as_set(
    play: Player, policy: EarlyCancel, clock: Clock
) -> None:
    play.sandbox.world.queue._early_cancel = policy
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    await play.waiting(NEW)
    await play.ask("booking/cancel", id=stay)
    assert await play.waiting(NEW) == []
    assert await play.waiting(CHANGED) == ([stay] if policy is EarlyCancel.TOLD else [])
    assert (await play.ack(NEW, stay)).status_code == 400


async def test_several_are_acknowledged_at_once_or_not_at_all(play: Player) -> None:
    first = await play.book("booking", BOOKING, "2027-07-10", 1)
    second = await play.book("booking", BOOKING, "2027-07-20", 1)
    await play.waiting(NEW)
    await play.ask("booking/modify", id=second, nights=2)
    assert (await play.ack(NEW, first, second)).status_code == 400
    assert await play.waiting(NEW) == [first, second]
    assert (await play.ack(NEW, first, second)).status_code == 200
    assert await play.waiting(NEW) == []


async def test_unknown_404_somebody_elses_403_rubbish_400(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 1)
    assert (await play.ack(NEW, "1")).status_code == 404
    for body in ("", "<a", "<OTA_HotelResNotifRS/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        assert (await play.booking("POST", f"/hotels/ota/{NEW}", body)).status_code == 400
    play._token = await play.token(OTHER)
    assert await play.waiting(NEW) == []
    refused = await play.ack(NEW, stay)
    assert refused.status_code == 403
    assert "Access denied for hotel" in refused.text


async def test_a_rejected_message_is_counted_and_stays(play: Player) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 1)
    await play.waiting(NEW)
    errors = '<Errors><Error Code="450" Type="3"/></Errors>'
    assert (await play.ack(NEW, stay, inside=errors)).status_code == 200
    assert await play.waiting(NEW) == [stay]
    assert (await play.http.get("/sandbox/booking/queue")).json()["rejected"] == [stay]


async def test_a_message_nobody_takes_becomes_an_email_after_half_an_hour(play: Player, clock: Clock) -> None:
    stay = await play.book("booking", BOOKING, "2027-07-10", 1)
    clock.advance(1799)
    assert (await play.http.get("/sandbox/booking/queue")).json()["emailed"] == []
    clock.advance(1)
    assert (await play.http.get("/sandbox/booking/queue")).json()["emailed"] == [stay]


async def test_a_reservation_with_two_rooms_can_move_one_and_drop_the_other(play: Player) -> None:
    other = "123456702"
    rooms = [
        {"listing": BOOKING, "check_in": "2027-07-10", "nights": 2},
        {"listing": other, "check_in": "2027-07-10", "nights": 2},
    ]
    stay = await play.ask("booking/book", 201, rooms=rooms)
    parts = stay["parts"]
    assert isinstance(parts, list)
    await play.waiting(NEW)
    await play.ack(NEW, str(stay["id"]))
    await play.ask("booking/modify", 400, id=stay["id"], nights=3)
    await play.ask("booking/modify", id=stay["id"], part=parts[1]["part"], check_in="2027-07-20", nights=1)
    root = await play.poll(CHANGED)
    assert [room.get("IndexNumber") for room in root.iter("RoomStay")] == [part["part"] for part in parts]
    assert [rate.get("EffectiveDate") for rate in root.iter("RoomRate")] == [
        "2027-07-10",
        "2027-07-11",
        "2027-07-20",
    ]
    await play.ask("booking/modify", id=stay["id"], drop=parts[0]["part"])
    root = await play.poll(CHANGED)
    assert [room.get("RoomTypeCode") for room in root.iter("RoomType")] == [other]
    assert set(await play.states(f"booking/{other}")) == {"2027-07-10", "2027-07-11", "2027-07-20"}
    truth = (await play.http.get("/sandbox/truth")).json()["listings"]
    assert truth[f"booking/{other}"]["nights"]["2027-07-20"]["state"] == "sold"
    assert truth[f"booking/{other}"]["nights"]["2027-07-10"]["state"] == "partner"


async def test_the_summary_has_every_live_stay_that_has_not_left(play: Player, clock: Clock) -> None:
    past = await play.book("booking", BOOKING, "2027-05-01", 2)
    stay = await play.book("booking", BOOKING, "2027-07-10", 2)
    gone = await play.book("booking", BOOKING, "2027-07-20", 2)
    await play.ask("booking/cancel", id=gone)
    clock.advance(2 * 86400)

    async def summary(hotel: str) -> tuple[int, list[str | None]]:
        body = f"<request><hotel_id>{hotel}</hotel_id></request>"
        answer = await play.booking("POST", "/hotels/xml/reservationssummary", body)
        return answer.status_code, [node.findtext("id") for node in bare(answer.text).iter("reservation")]

    play._token = ""
    assert past != stay
    assert await summary("1234567") == (200, [stay])
    assert (await summary("999"))[0] == 403
