"""The calendar exports, each with its platform's habits."""

from __future__ import annotations

import re

import pytest

from local.sandbox.clock import Clock
from local.sandbox.config import WITH_CALENDARS, Airbnb, Listing, Platform, SandboxConfig
from tests.local.sandbox.play import Player

QUIRKS: dict[Platform, dict[str, object]] = {Platform.VRBO: {"use_duration": True}}


@pytest.fixture
def config() -> SandboxConfig:
    plain = [Listing(platform, "1", "home", **QUIRKS.get(platform, {})) for platform in WITH_CALENDARS]  # type: ignore[arg-type]
    odd = [
        Listing(Platform.AIRBNB, "2", "mill", notice_days=2, horizon_days=270, validators=True),
        Listing(Platform.BOOKING, "2", "mill", api=False, merge_adjacent=True, echo=False),
    ]
    return SandboxConfig(listings=(*plain, *odd), airbnb=Airbnb())


def lines(body: bytes) -> list[str]:
    return body.decode().replace("\r\n ", "").replace("\n ", "").splitlines()


@pytest.mark.parametrize("platform", WITH_CALENDARS)
async def test_a_stay_and_a_block_are_exported_with_an_exclusive_end(
    play: Player, platform: Platform
) -> None:
    await play.book(platform, "1", "2027-07-10", 3, guest="Greta Houx")
    await play.ask(f"{platform}/block", 201, listing="1", check_in="2027-07-20", nights=2)
    words = {
        Platform.AIRBNB: ("Reserved", "Airbnb (Not available)"),
        Platform.BOOKING: ("CLOSED - Not available", "CLOSED - Not available"),
        Platform.GREENGO: ("GreenGo", "GreenGo (Not Available)"),
        Platform.VRBO: ("Reserved - Greta", "Blocked"),
        Platform.ABRITEL: ("Réservée - Greta", "Indisponible"),
        Platform.GITES: ("Réservée", "Indisponible"),
    }[platform]
    assert await play.events(f"{platform}/1") == [
        (words[0], "2027-07-10", "2027-07-13"),
        (words[1], "2027-07-20", "2027-07-22"),
    ]
    feed = await play.feed(f"{platform}/1")
    assert feed.headers["content-type"].startswith("text/calendar")
    assert "Houx" not in feed.text


@pytest.mark.parametrize("platform", WITH_CALENDARS)
async def test_a_wrong_secret_opens_nothing(play: Player, platform: Platform) -> None:
    path = play.sandbox.feed(f"{platform}/1").removeprefix(play.sandbox.base)
    secret = play.sandbox.world.truth.calendars[f"{platform}/1"].listing.token.replace("-", "")
    for form in (secret, str(play.sandbox.world.truth.calendars[f"{platform}/1"].listing.token)):
        path = path.replace(form, "0" * len(form))
    assert (await play.http.get(path)).status_code == 404


async def test_links_without_suffix_and_with_a_query_work_too(play: Player) -> None:
    greengo = play.sandbox.world.truth.calendars["greengo/1"].listing.token
    booking = play.sandbox.world.truth.calendars["booking/1"].listing.token
    for path in (f"/calendar/greengo-icalendar/{greengo}", f"/v1/export?t={booking}"):
        assert (await play.http.get(path)).text.startswith("BEGIN:VCALENDAR")


async def test_airbnbs_text_has_its_odd_order_and_prodid(play: Player) -> None:
    code = await play.book("airbnb", "1", "2027-07-10", 3)
    body = (await play.feed("airbnb/1")).content
    found = lines(body)
    assert b"\r\n" in body
    assert max(map(len, body.split(b"\r\n"))) <= 75
    assert "PRODID;X-RICAL-TZSOURCE=TZINFO:-//Airbnb Inc//Hosting Calendar 1.0//EN" in found
    event = found[found.index("BEGIN:VEVENT") + 1 :]
    assert event[0:2] == ["DTEND;VALUE=DATE:20270713", "DTSTART;VALUE=DATE:20270710"]
    assert re.fullmatch(r"UID:[0-9a-f]{12}-[0-9a-f]{32}@airbnb\.com", event[2])
    assert event[3] == (
        f"DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/details/{code}"
        r"\nPhone Number (Last 4 Digits): 0000"
    )
    assert not [line for line in found if line.startswith("DTSTAMP")]


async def test_airbnb_keeps_the_uid_of_a_moved_stay_and_booking_does_not(play: Player) -> None:
    for platform in ("airbnb", "booking"):
        stay = await play.book(platform, "1", "2027-07-10", 3)
        (before,) = (await play.uids(f"{platform}/1")).values()
        await play.ask(f"{platform}/modify", id=stay, nights=4)
        assert list((await play.uids(f"{platform}/1")).values()) == [before]
        await play.ask(f"{platform}/modify", id=stay, check_in="2027-07-11")
        uids = await play.uids(f"{platform}/1")
        assert (uids["2027-07-11"] == before) is (platform == "airbnb")


async def test_airbnbs_rolling_blocks_slide_every_day_with_new_uids(play: Player, clock: Clock) -> None:
    def blocks(events: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
        assert {summary for summary, _, _ in events} == {"Airbnb (Not available)"}
        return [(start, end) for _, start, end in events]

    first, uids = await play.events("airbnb/2"), await play.uids("airbnb/2")
    clock.advance(86400)
    second, new_uids = await play.events("airbnb/2"), await play.uids("airbnb/2")
    assert blocks(first) == [("2027-05-02", "2027-05-04"), ("2028-01-27", "2028-04-27")]
    assert blocks(second) == [("2027-05-03", "2027-05-05"), ("2028-01-28", "2028-04-28")]
    assert not set(uids.values()) & set(new_uids.values())
    assert await play.refused("airbnb", "2", "2027-05-03", 2) == ["2027-05-03", "2027-05-04"]


async def test_past_events_vanish_airbnbs_a_day_later(play: Player, clock: Clock) -> None:
    for platform in ("airbnb", "booking", "greengo"):
        await play.book(platform, "1", "2027-05-03", 1)
    clock.advance(2 * 86400)
    assert len(await play.events("airbnb/1")) == 1
    assert await play.events("booking/1") == await play.events("greengo/1") == []
    clock.advance(2 * 86400)
    assert await play.events("airbnb/1") == []


async def test_a_booking_closure_under_way_begins_today_under_a_new_uid(play: Player, clock: Clock) -> None:
    await play.book("booking", "1", "2027-05-03", 4)
    before = await play.uids("booking/1")
    clock.advance(2 * 86400)
    assert await play.events("booking/1") == [("CLOSED - Not available", "2027-05-04", "2027-05-07")]
    assert set((await play.uids("booking/1")).values()).isdisjoint(before.values())


async def test_bookings_text_has_bare_line_ends_and_a_stamp_that_moves(play: Player, clock: Clock) -> None:
    await play.book("booking", "1", "2027-07-10", 3)
    first = (await play.feed("booking/1")).content
    assert b"\r" not in first
    assert "DTSTAMP:20270502T101500Z" in lines(first)
    clock.advance(60)
    assert (await play.feed("booking/1")).content != first


async def test_adjacent_events_may_be_merged(play: Player) -> None:
    for listing in ("1", "2"):
        await play.book("booking", listing, "2027-07-10", 2)
        await play.book("booking", listing, "2027-07-12", 2)
    assert len(await play.events("booking/1")) == 2
    assert await play.events("booking/2") == [("CLOSED - Not available", "2027-07-10", "2027-07-14")]


async def test_greengos_dates_are_midnight_utc(play: Player) -> None:
    await play.ask("greengo/block", 201, listing="1", check_in="2027-07-10", nights=3)
    found = lines((await play.feed("greengo/1")).content)
    assert "DTSTART:20270710T000000Z" in found
    assert "DTEND:20270713T000000Z" in found


async def test_vrbo_may_say_how_long_instead_of_until_when(play: Player) -> None:
    await play.book("vrbo", "1", "2027-07-10", 3)
    found = lines((await play.feed("vrbo/1")).content)
    assert "DURATION:P3D" in found
    assert not [line for line in found if line.startswith("DTEND")]


async def test_an_abritel_block_has_a_uid_made_of_its_dates(play: Player) -> None:
    await play.ask("abritel/block", 201, listing="1", check_in="2027-07-20", nights=2)
    assert await play.uids("abritel/1") == {"2027-07-20": "07202027-0720-2027-0722-202707222027"}


async def test_airbnb_turns_libraries_away(play: Player) -> None:
    for agent in ("python-httpx/0.28.1", "Python/3.11 aiohttp/3.14", ""):
        assert (await play.feed("airbnb/1", **{"User-Agent": agent})).status_code == 403
    assert (await play.feed("greengo/1", **{"User-Agent": "python-httpx/0.28.1"})).status_code == 200


async def test_validators_are_there_only_where_they_are_asked_for(play: Player) -> None:
    first = await play.feed("airbnb/2")
    again = await play.feed("airbnb/2", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    await play.book("airbnb", "2", "2027-07-10", 1)
    assert (await play.feed("airbnb/2", **{"If-None-Match": first.headers["ETag"]})).status_code == 200
    assert "ETag" not in (await play.feed("booking/1")).headers
