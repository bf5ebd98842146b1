"""What the Booking.com connector asks: tokens, both queues, acknowledgements, windows and refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from shared.connectors import strict_xml
from shared.connectors.booking import BookingConnector
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.domain.facts import Polled
from shared.domain.model import Write
from shared.ports.http import Request, Response
from tests.connectors.support import (
    NOW,
    SECRETS,
    Script,
    Ticking,
    account,
    connector,
    fixture,
    levels,
    listing,
    status,
    stay,
)

TOKEN = "/token-based-authentication/exchange"
NEW, MODIFY = "/hotels/ota/OTA_HotelResNotif", "/hotels/ota/OTA_HotelResModifyNotif"
WRITE = "/hotels/ota/OTA_HotelAvailNotif"
LEVELS, SUMMARY = "/hotels/xml/roomrateavailability", "/hotels/xml/reservationssummary"
HERE = account("booking")
HOME = listing("booking", "7770001:777000101")
DONE = b"<OTA_HotelAvailNotifRS><Success/></OTA_HotelAvailNotifRS>"
NO_NEWS, NO_CHANGES = b"<OTA_HotelResNotifRQ/>", b"<OTA_HotelResModifyNotifRQ/>"
NIGHTS = list(stay("2027-08-14", 3).nights())


class Tokens:
    """Hands out "token-1", "token-2"... and takes only those that were not revoked."""

    def __init__(self) -> None:
        self.given = 0
        self.revoked: set[str] = set()

    def give(self, request: Request) -> Response:
        self.given += 1
        return status(200, f'{{"jwt": "token-{self.given}", "ruid": "r"}}'.encode())

    def check(self, request: Request) -> Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return status(401) if token in self.revoked or not token.startswith("token-") else None


def scripted() -> tuple[Script, Tokens]:
    script, tokens = Script(), Tokens()
    script.on("POST", TOKEN, tokens.give)
    script.on("GET", NEW, NO_NEWS)
    script.on("GET", MODIFY, NO_CHANGES)
    return script, tokens


def booking(script: Script, clock: Ticking | None = None) -> BookingConnector:
    return connector(BookingConnector, script, clock)


# --------------------------------------------------------------------------------------------- tokens


async def test_one_token_serves_an_hour_less_five_minutes() -> None:
    script, tokens = scripted()
    clock = Ticking()
    there = booking(script, clock)
    await there.poll(HERE)
    clock.advance(minutes=54, seconds=59)
    await there.poll(HERE)
    assert tokens.given == 1
    clock.advance(seconds=1)
    await there.poll(HERE)
    assert tokens.given == 2
    (first, *_) = script.asked(TOKEN)
    assert first.body == (
        b'{"client_id": "%s", "client_secret": "%s"}'
        % (SECRETS["BOOKING_ID"].encode(), SECRETS["BOOKING_SECRET"].encode())
    )
    assert "Authorization" not in first.headers
    assert {request.headers["Authorization"] for request in script.asked(NEW)} == {
        "Bearer token-1",
        "Bearer token-2",
    }


async def test_callers_at_the_same_time_share_one_exchange_and_accounts_do_not() -> None:
    script, tokens = scripted()
    there = booking(script)
    await asyncio.gather(*(there.poll(HERE) for _ in range(20)))
    assert tokens.given == 1
    await there.poll(account("booking", account_id="other"))
    assert tokens.given == 2


async def test_a_token_refused_in_the_middle_is_renewed_once() -> None:
    script, tokens = scripted()
    script.on("GET", NEW, lambda request: tokens.check(request) or status(200, NO_NEWS))
    there = booking(script)
    await there.poll(HERE)
    tokens.revoked.add("token-1")
    assert await there.poll(HERE) == Polled()
    assert tokens.given == 2


async def test_a_fresh_token_refused_as_well_pauses_the_account() -> None:
    script, tokens = scripted()
    script.on("GET", NEW, status(401))
    with pytest.raises(AuthFailed, match="HTTP 401"):
        await booking(script).poll(HERE)
    assert (tokens.given, len(script.asked(NEW))) == (2, 2)


async def test_never_more_than_thirty_exchanges_an_hour() -> None:
    script, tokens = scripted()
    clock = Ticking()
    there = booking(script, clock)
    script.on("GET", NEW, status(401))
    for _ in range(29):  # two for the first, one for each of the others
        with pytest.raises(AuthFailed):
            await there.poll(HERE)
    clock.advance(minutes=20)
    with pytest.raises(RateLimited) as caught:
        await there.poll(HERE)
    assert caught.value.retry_after == 2400.0
    assert tokens.given == 30
    clock.advance(minutes=40)
    script.on("GET", NEW, NO_NEWS)
    await there.poll(HERE)
    assert tokens.given == 31


async def test_a_token_that_cannot_be_renewed_is_used_to_its_end() -> None:
    script, _ = scripted()
    clock = Ticking()
    there = booking(script, clock)
    await there.poll(HERE)
    script.on("POST", TOKEN, status(503))
    clock.advance(minutes=57)
    assert await there.poll(HERE) == Polled()
    clock.advance(minutes=3)
    with pytest.raises(PlatformDown, match="token exchange"):
        await there.poll(HERE)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(401), AuthFailed),
        (status(429, Retry_After="9"), RateLimited),
        (status(500), PlatformDown),
        (b"<html>", PlatformDown),
        (b"{}", PayloadRejected),
        (b'{"jwt": ""}', PayloadRejected),
        (b'{"jwt": "line\\nbreak"}', PayloadRejected),
        (b'{"jwt": 7}', PayloadRejected),
    ],
)
async def test_an_exchange_that_fails_says_so(answer: Response | bytes, error: type[SyncError]) -> None:
    script, _ = scripted()
    script.on("POST", TOKEN, answer)
    with pytest.raises(error, match=r"Booking\.com: token exchange") as caught:
        await booking(script).poll(HERE)
    assert not [secret for secret in SECRETS.values() if secret in repr(caught.value)]


# ---------------------------------------------------------------------------------------------- polls


async def test_a_poll_reads_both_queues_in_turn() -> None:
    script, _ = scripted()
    script.on("GET", NEW, fixture("booking/new.xml"))
    script.on("GET", MODIFY, fixture("booking/modify.xml"))
    polled = await booking(script).poll(HERE)
    assert [receipt for receipt, _ in polled.stays] == [
        "new:4100000001",
        "modify:4100000001",
        "modify:4100000003",
        "modify:4100000004",
    ]
    assert len(polled.unplaced) == 2
    assert [request.url.rpartition("/")[2] for request in script.asked("/ota/")] == [
        "OTA_HotelResNotif",
        "OTA_HotelResModifyNotif",
    ]


@pytest.mark.parametrize("failing", [NEW, MODIFY])
@pytest.mark.parametrize("answer", [status(500), b"<html/>", b"<a><Errors/></a>", b"", status(429)])
async def test_one_queue_that_fails_does_not_keep_back_the_other(
    failing: str, answer: Response | bytes
) -> None:
    script, _ = scripted()
    script.on("GET", NEW, fixture("booking/new.xml"))
    script.on("GET", MODIFY, fixture("booking/modify.xml"))
    script.on("GET", failing, answer)
    if failing == NEW and isinstance(answer, Response) and answer.status == 429:
        with pytest.raises(RateLimited):
            await booking(script).poll(HERE)
        assert script.asked(MODIFY) == []  # asked to slow down, we ask nothing more
        return
    polled = await booking(script).poll(HERE)
    assert {receipt.partition(":")[0] for receipt, _ in polled.stays} == {
        "modify" if failing == NEW else "new"
    }


@pytest.mark.parametrize("failing", [NEW, MODIFY])
async def test_a_failure_is_told_once_nothing_is_left_to_hand_over(failing: str) -> None:
    script, _ = scripted()
    script.on("GET", failing, status(503, Retry_After="11"))
    with pytest.raises(PlatformDown) as caught:
        await booking(script).poll(HERE)
    assert caught.value.retry_after == 11.0


async def test_error_texts_carry_the_reference_and_no_text_of_the_platform() -> None:
    script, _ = scripted()
    script.on("GET", NEW, fixture("booking/errors.xml"))
    with pytest.raises(PayloadRejected) as caught:
        await booking(script).poll(HERE)
    assert str(caught.value) == (
        "Booking.com: poll of new reservations: HTTP 200 (RUID aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee): 187"
    )


# ------------------------------------------------------------------------------------ acknowledgements


def ids(request: Request) -> list[str]:
    found = strict_xml.load(request.body).iter("HotelReservationID")
    return [one.get("ResID_Value", "") for one in found]


class Queue:
    """Takes acknowledgements, but for these ids: then it refuses the whole call, as Booking.com does."""

    def __init__(self, refused: Mapping[str, int]) -> None:
        self.refused = refused
        self.taken: list[list[str]] = []

    def __call__(self, request: Request) -> Response:
        for one in ids(request):
            if one in self.refused:
                return status(self.refused[one], b"<x><Errors><Error Code='450'/></Errors></x>")
        self.taken.append(ids(request))
        return status(200, b"<OTA_HotelResNotifRS><Success/></OTA_HotelResNotifRS>")


async def acknowledged(queue: Queue, *receipts: str) -> tuple[tuple[str, ...], Script]:
    script, _ = scripted()
    script.on("POST", NEW, queue)
    script.on("POST", MODIFY, queue)
    return await booking(script).acknowledge(HERE, receipts), script


async def test_one_call_a_queue_with_all_its_ids() -> None:
    queue = Queue({})
    refused, script = await acknowledged(queue, "modify:3", "new:1", "new:2", "new:1")
    assert (refused, queue.taken) == ((), [["1", "2"], ["3"]])
    assert [request.url.rpartition("/")[2] for request in script.asked("/ota/")] == [
        "OTA_HotelResNotif",
        "OTA_HotelResModifyNotif",
    ]


@pytest.mark.parametrize("code", [400, 403, 404, 200])
async def test_a_refused_call_is_repeated_singly_and_names_the_refused(code: int) -> None:
    queue = Queue({"2": code})
    refused, _ = await acknowledged(queue, "new:1", "new:2", "new:3", "modify:4")
    assert refused == ("new:2",)
    assert queue.taken == [["1"], ["3"], ["4"]]


async def test_a_single_refused_id_is_not_asked_twice() -> None:
    refused, script = await acknowledged(Queue({"1": 400}), "new:1")
    assert (refused, len(script.asked("/ota/"))) == (("new:1",), 1)


async def test_what_is_no_receipt_is_refused_unasked() -> None:
    refused, script = await acknowledged(Queue({}), "", "1", "old:1")
    assert (refused, script.asked("/ota/")) == (("", "1", "old:1"), [])


@pytest.mark.parametrize(("code", "error"), [(500, PlatformDown), (503, PlatformDown), (429, RateLimited)])
async def test_an_acknowledgement_that_fails_is_raised_to_be_repeated(
    code: int, error: type[SyncError]
) -> None:
    with pytest.raises(error, match="acknowledgement of new"):
        await acknowledged(Queue({"1": code}), "new:1", "new:2")


async def test_an_empty_answer_to_an_acknowledgement_is_a_yes_and_a_web_page_is_none() -> None:
    script, _ = scripted()
    script.on("POST", NEW, b"")
    assert await booking(script).acknowledge(HERE, ["new:1"]) == ()
    script.on("POST", NEW, b"<!DOCTYPE html><html/>")
    with pytest.raises(PlatformDown):
        await booking(script).acknowledge(HERE, ["new:1"])


# ------------------------------------------------------------------------------------------- calendar


async def test_days_long_past_are_not_sent_and_count_as_done() -> None:
    script, _ = scripted()
    script.on("POST", WRITE, DONE)
    # 22:30 UTC on the 2nd is the 3rd at Booking.com.
    clock = Ticking(NOW.replace(hour=22, minute=30))
    nights = [date(2027, 5, day) for day in (1, 2, 3)]
    outcome = await booking(script, clock).write(HERE, HOME, levels(nights, 0))
    assert outcome.accepted == frozenset(nights)
    (request,) = script.asked(WRITE)
    days = [one.get("Start") for one in strict_xml.load(request.body).iter("StatusApplicationControl")]
    assert days == ["2027-05-02", "2027-05-03"]
    long_past = await booking(script, clock).write(HERE, HOME, levels(nights[:1], 0))
    assert (long_past.accepted, len(script.asked(WRITE))) == (frozenset(nights[:1]), 1)


async def test_a_long_write_sends_closures_first() -> None:
    script, _ = scripted()
    script.on("POST", WRITE, DONE)
    nights = [date(2027, 5, 2) + timedelta(days=n) for n in range(500)]
    write = Write(1, NOW, {night: n % 2 for n, night in enumerate(nights)})
    outcome = await booking(script).write(HERE, HOME, write)
    assert outcome.accepted == frozenset(nights)
    limits = [
        [one.get("BookingLimit") for one in strict_xml.load(request.body).iter("AvailStatusMessage")]
        for request in script.asked(WRITE)
    ]
    assert [(calls.count("0"), calls.count("1")) for calls in limits] == [(250, 116), (0, 134)]


async def test_a_level_beyond_the_limit_sends_nothing_at_all() -> None:
    script, _ = scripted()
    with pytest.raises(ValueError, match="0 to 254"):
        await booking(script).write(HERE, HOME, levels(NIGHTS, 255))
    assert script.asked() == []


async def test_a_property_that_took_our_access_away_does_not_stop_the_account() -> None:
    script, _ = scripted()
    for path in (WRITE, LEVELS, SUMMARY):
        script.on("POST", path, status(403, b"<error><message>Access denied for hotel</message></error>"))
    there = booking(script)
    outcome = await there.write(HERE, HOME, levels(NIGHTS, 0))
    assert (outcome.accepted, set(outcome.refused)) == (frozenset(), set(NIGHTS))
    with pytest.raises(PayloadRejected, match="no access to this property"):
        await there.read_levels(HERE, HOME, stay("2027-08-14", 3))
    with pytest.raises(PayloadRejected, match="no access to this property"):
        await there.stays(HERE, HOME.unit)
    assert await there.poll(HERE) == Polled()


async def test_a_web_page_leaves_the_outcome_of_a_write_unknown_even_when_it_is_good_xml() -> None:
    script, _ = scripted()
    for page in (
        b"<HTML><body/></HTML>",
        b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
        b"<!DOCTYPE html><p>",
    ):
        script.on("POST", WRITE, page)
        with pytest.raises(PlatformDown):
            await booking(script).write(HERE, HOME, levels(NIGHTS, 0))


async def test_levels_are_read_in_windows_and_cut_to_the_nights_asked() -> None:
    script, _ = scripted()
    script.on("POST", LEVELS, fixture("booking/levels.xml"))
    read = await booking(script).read_levels(HERE, HOME, stay("2027-08-15", 40))
    assert [strict_xml.load(one.body).findtext("number_of_days") for one in script.asked(LEVELS)] == [
        "31",
        "9",
    ]
    assert read == {date(2027, 8, day): level for day, level in {15: 0, 16: 1, 17: 2, 18: 0, 20: 1}.items()}


@pytest.mark.parametrize("body", [fixture("booking/errors.xml"), b'<x><fault string="no"/></x>'])
async def test_errors_inside_a_200_are_no_calendar_and_no_list(body: bytes) -> None:
    script, _ = scripted()
    script.on("POST", LEVELS, body)
    script.on("POST", SUMMARY, body)
    with pytest.raises(PayloadRejected, match="availability read"):
        await booking(script).read_levels(HERE, HOME, stay("2027-08-14", 3))
    with pytest.raises(PayloadRejected, match="reservation summary"):
        await booking(script).stays(HERE, HOME.unit)


async def test_the_stays_of_a_room_come_with_their_other_rooms_and_cancellations() -> None:
    script, _ = scripted()
    script.on("POST", SUMMARY, fixture("booking/summary.xml"))
    seen = await booking(script).stays(HERE, HOME.unit)
    assert [(one.id, len(one.rooms)) for one in seen] == [("4100000010", 2), ("4100000012", 0)]


async def test_a_unit_without_its_property_is_named_before_anything_is_sent() -> None:
    script, _ = scripted()
    there = booking(script)
    with pytest.raises(PayloadRejected, match="hotel:room"):
        await there.write(HERE, listing("booking", "777000101"), levels(NIGHTS, 0))
    with pytest.raises(PayloadRejected, match="hotel:room"):
        await there.stays(HERE, "777000101")
    assert script.asked() == []


def test_there_is_no_reservation_webhook() -> None:
    with pytest.raises(PayloadRejected, match="no reservation webhook"):
        booking(scripted()[0]).read_notification(b'{"action": "reservation_acceptance_confirmation"}')
