"""The sandbox's bodies beside the collected samples: the same names in the same order, whatever the values."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from tests.local.sandbox.play import AIRBNB, BOOKING, GREENGO, Player, bare

SAMPLES = Path(__file__).parents[4] / "shared" / "reference" / "payloads"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no ../shared: the collected samples lie there")


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def names(value: object) -> object:
    """Keys and kinds of a JSON value, without what it says."""
    if isinstance(value, dict):
        return {key: names(item) for key, item in value.items()}
    return [names(item) for item in value] if isinstance(value, list) else type(value).__name__


def paths(root: Element, above: str = "") -> set[tuple[str, frozenset[str]]]:
    """Where each element stands and which attributes it has."""
    here = f"{above}/{root.tag}"
    found = {(here, frozenset(root.attrib))}
    return found.union(*(paths(child, here) for child in root))


def properties(body: bytes) -> list[str]:
    """The property names of a calendar in their order, folds joined, each run of equal events once."""
    text = body.decode().replace("\r\n ", "").replace("\n ", "")
    return [line.partition(":")[0] for line in text.splitlines()]


@pytest.mark.parametrize("name", ["acceptance", "alteration", "cancellation"])
async def test_an_airbnb_notification_has_the_samples_fields(play: Player, name: str) -> None:
    from local.sandbox.airbnb_payloads import notification

    code = await play.book("airbnb", AIRBNB, "2027-07-10", 3)
    ours = notification("any", play.sandbox.world.truth.stay(code))
    assert names(ours) == names(json.loads(sample(f"airbnb/notification_reservation_{name}.json")))


async def test_a_made_reservation_has_the_samples_fields() -> None:
    from local.sandbox.airbnb_payloads import make_reservation

    ours = make_reservation("HMX", AIRBNB, "2027-07-10", 3)
    assert names(ours) == names(json.loads(sample("airbnb/sync_make_reservation_request.json")))


@pytest.mark.parametrize("name", ["calendar_operations_block", "calendar_operations_open"])
async def test_the_sample_writes_are_taken(play: Player, name: str) -> None:
    body = json.loads(sample(f"airbnb/{name}_request.json"))
    answer = await play.airbnb("POST", "/v2/calendar_operations_requests/", body)
    assert names(answer.json()) == names(json.loads(sample("airbnb/async_calendar_response.json")))


async def test_the_sample_token_exchange_is_answered_alike(play: Player) -> None:
    account = play.sandbox.world.config.booking.clients[0]
    body = json.loads(sample("booking_com/token_exchange_request.json"))
    body = {"client_id": account.client_id, "client_secret": account.client_secret} | {
        key: value for key, value in body.items() if key not in ("client_id", "client_secret")
    }
    answer = await play.http.post("/token-based-authentication/exchange", json=body)
    assert answer.json().keys() == json.loads(sample("booking_com/token_exchange_response.json")).keys()


async def test_both_queues_answer_in_the_samples_elements(play: Player) -> None:
    kept = await play.book("booking", BOOKING, "2027-07-10", 3)
    gone = await play.book("booking", BOOKING, "2027-07-20", 1)
    new = paths(await play.poll("OTA_HotelResNotif"))
    assert paths(bare(sample("booking_com/ota_resnotif_get_response.xml").decode())) <= new
    await play.ack("OTA_HotelResNotif", kept, gone)
    await play.ask("booking/modify", id=kept, nights=2)
    await play.ask("booking/cancel", id=gone)
    changed = paths(await play.poll("OTA_HotelResModifyNotif"))
    assert paths(bare(sample("booking_com/ota_resmodify_get_response.xml").decode())) <= changed
    extra = {path.rpartition("/")[2] for path, _ in new} - {
        "ResGuests",
        "ResGuest",
        "Profiles",
        "ProfileInfo",
    }
    assert extra - {"Profile", "Customer", "PersonName", "GivenName", "Surname"} == {
        path.rpartition("/")[2]
        for path, _ in paths(bare(sample("booking_com/ota_resnotif_get_response.xml").decode()))
    }


async def test_the_sample_acknowledgements_and_writes_are_understood(play: Player) -> None:
    for name, path in (
        ("ota_resnotif_ack_request", "/hotels/ota/OTA_HotelResNotif"),
        ("ota_resmodify_ack_request", "/hotels/ota/OTA_HotelResModifyNotif"),
    ):
        answer = await play.booking("POST", path, sample(f"booking_com/{name}.xml").decode())
        assert answer.status_code == 404
    for name, path in (
        ("ota_availnotif_request_close_room", "/hotels/ota/OTA_HotelAvailNotif"),
        ("bxml_availability_request_close_2_nights", "/hotels/xml/availability"),
    ):
        await play.ask("reset")
        play._token = ""
        answer = await play.booking("POST", path, sample(f"booking_com/{name}.xml").decode())
        assert answer.status_code == 200
        assert await play.states(f"booking/{BOOKING}") == {"2027-07-10": "partner", "2027-07-11": "partner"}


async def test_the_summary_has_the_samples_elements(play: Player) -> None:
    await play.book("booking", BOOKING, "2027-07-10", 2)
    body = sample("booking_com/bxml_reservationssummary_request.xml").decode()
    answer = await play.booking("POST", "/hotels/xml/reservationssummary", body)
    theirs = bare(sample("booking_com/bxml_reservationssummary_response.xml").decode())
    assert paths(bare(answer.text)) == paths(theirs)


async def test_refusals_inside_a_200_have_the_samples_attributes(play: Player) -> None:
    reply = await play.limit(("999", "2027-07-10", "2027-07-10", 0))
    theirs = bare(sample("booking_com/ota_response_errors.xml").decode())
    (ours,), (error,) = reply.iter("Error"), theirs.iter("Error")
    assert set(ours.attrib) == {*error.attrib, "LocatorID"}


@pytest.mark.parametrize(
    ("platform", "listing", "name"),
    [
        ("airbnb", AIRBNB, "ical/airbnb_export.ics"),
        ("booking", BOOKING, "ical/booking_com_export.ics"),
        ("greengo", GREENGO, "greengo/export_manual_block.ics"),
    ],
)
async def test_an_export_has_the_samples_properties_in_their_order(
    play: Player, platform: str, listing: str, name: str
) -> None:
    theirs = sample(name)
    if theirs.count(b"BEGIN:VEVENT") == 2:
        await play.book(platform, listing, "2027-07-10", 3)
    await play.ask(f"{platform}/block", 201, listing=listing, check_in="2027-07-20", nights=2)
    ours = (await play.feed(f"{platform}/{listing}")).content
    assert properties(ours) == properties(theirs)
    assert (b"\r\n" in ours) is (b"\r\n" in theirs)
