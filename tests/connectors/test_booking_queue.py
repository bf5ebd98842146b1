"""Booking.com's queues as the sandbox plays them: at least once, folded, refused when a newer message has come."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Booking, Client, Platform, sample
from local.sandbox.server import Sandbox, running
from shared.adapters.http import HttpxHttp
from shared.connectors.booking import BookingConnector
from shared.domain.facts import Polled
from shared.domain.model import Status
from tests.connectors.support import NOW, SECRETS, Settings, account, retry_after, stay

A, B = "123456701", "123456702"
Stage = tuple[Sandbox, BookingConnector]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    config = sample(2, booking=Booking((Client(SECRETS["BOOKING_ID"], SECRETS["BOOKING_SECRET"]),)))
    http = HttpxHttp()
    async with running(config, clock=Clock(frozen(NOW))) as sandbox:
        now = sandbox.world.clock.now
        yield sandbox, BookingConnector(http, Settings(SECRETS), clock=now, retry_after=retry_after)
        await http.close()


def receipts(polled: Polled) -> list[str]:
    return [receipt for receipt, _ in polled.stays]


async def test_a_message_comes_until_it_is_acknowledged(stage: Stage) -> None:
    sandbox, booking = stage
    here = account("booking", sandbox.base)
    rooms = [(A, stay("2027-08-14", 3)), (B, stay("2027-08-15", 1))]
    booked = await sandbox.desk.book(Platform.BOOKING, rooms)
    first = await booking.poll(here)
    assert await booking.poll(here) == first
    ((receipt, seen),) = first.stays
    assert (receipt, seen.status) == (f"new:{booked.id}", Status.CONFIRMED)
    assert [(room.unit, room.part, room.dates) for room in seen.rooms] == [
        (f"1234567:{listing}", part.id, dates)
        for (listing, dates), part in zip(rooms, booked.parts, strict=True)
    ]
    assert await booking.acknowledge(here, receipts(first)) == ()
    assert await booking.poll(here) == Polled()
    # The nightly list names its rooms by the same keys, so that nothing moves when both are read.
    assert (await booking.stays(here, f"1234567:{A}"))[0].rooms == seen.rooms


async def test_a_change_before_the_acknowledgement_refuses_it_and_comes_again(stage: Stage) -> None:
    sandbox, booking = stage
    here = account("booking", sandbox.base)
    one = await sandbox.desk.book(Platform.BOOKING, [(A, stay("2027-08-14", 3))])
    other = await sandbox.desk.book(Platform.BOOKING, [(B, stay("2027-08-14", 3))])
    stale = await booking.poll(here)
    moved = sandbox.desk.moved(one, stay("2027-08-20", 2))
    await sandbox.desk.modify(Platform.BOOKING, one.id, moved)
    assert await booking.acknowledge(here, receipts(stale)) == (f"new:{one.id}",)
    fresh = await booking.poll(here)
    assert receipts(fresh) == [f"new:{one.id}"]
    assert [room.dates for room in fresh.stays[0][1].rooms] == [stay("2027-08-20", 2)]
    assert other.id not in str(fresh)


async def test_a_modification_and_a_cancellation_come_from_the_other_queue(stage: Stage) -> None:
    sandbox, booking = stage
    here = account("booking", sandbox.base)
    booked = await sandbox.desk.book(
        Platform.BOOKING, [(A, stay("2027-08-14", 3)), (B, stay("2027-08-14", 3))]
    )
    await booking.acknowledge(here, receipts(await booking.poll(here)))
    await sandbox.desk.modify(Platform.BOOKING, booked.id, booked.parts[:1])
    ((receipt, seen),) = (await booking.poll(here)).stays
    assert (receipt, [room.unit for room in seen.rooms]) == (f"modify:{booked.id}", [f"1234567:{A}"])
    await booking.acknowledge(here, [receipt])
    await sandbox.desk.cancel(Platform.BOOKING, booked.id)
    ((receipt, seen),) = (await booking.poll(here)).stays
    assert (receipt, seen.status, seen.rooms) == (f"modify:{booked.id}", Status.CANCELLED, ())
    assert await booking.acknowledge(here, [receipt]) == ()


async def test_tokens_revoked_in_the_middle_cost_nothing(stage: Stage) -> None:
    sandbox, booking = stage
    here = account("booking", sandbox.base)
    await booking.poll(here)
    sandbox.world.tokens.revoke_all()
    await sandbox.desk.book(Platform.BOOKING, [(A, stay("2027-08-14", 3))])
    assert len((await booking.poll(here)).stays) == 1
