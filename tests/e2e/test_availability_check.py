"""Airbnb asks before it sells, through everything that ``make run CHECKS=1`` starts: over HTTP, as Airbnb would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from local.ports import free_port
from local.run_example import Rhythm
from local.run_session import Session, Wanted, session
from local.sandbox.stays import NightState
from shared.domain.dates import StayDates
from tests.e2e.days import day_ahead
from tests.e2e.support import QUICK, until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

AIRBNB, BOOKING = "9876543", "123456701"
JULY = StayDates.of_nights(day_ahead("2027-07-10"), 3)
AUGUST = StayDates.of_nights(day_ahead("2027-08-10"), 3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    wanted = Wanted(
        port=free_port(),
        sandbox_port=free_port(),
        guests=0,
        checks=True,
        folder=Path(tmp_path_factory.mktemp("checks")),
        rhythm=Rhythm(QUICK.schedules, feeds=10, pulls=QUICK.pulls),  # fresh for 30 s
    )
    async with session(wanted, lambda text: None) as running:
        yield running


def address(played: Session) -> str:
    secret = played.stack.values["WEBHOOK_SECRET_AIRBNB"]
    return f"{played.stack.hosts.public}/webhooks/airbnb/{secret}"


async def asked(played: Session, dates: StayDates) -> bool:
    """Airbnb's own call, answered in time."""
    query = {"action": "check_availability", "listing_id": AIRBNB, "start_date": str(dates.check_in)}
    answer = await played.client.get(address(played), params={**query, "nights": str(len(dates))})
    assert answer.status_code == 200
    return bool(answer.json()["available"])


async def book(played: Session, platform: str, listing: str, dates: StayDates) -> httpx.Response:
    assert played.sandbox is not None
    body = {"listing": listing, "check_in": str(dates.check_in), "nights": len(dates)}
    return await played.client.post(f"{played.sandbox.base}/sandbox/{platform}/book", json=body)


def states(played: Session, platform: str, listing: str, dates: StayDates) -> set[NightState]:
    assert played.sandbox is not None
    truth = played.sandbox.world.truth
    return {truth.night(f"{platform}/{listing}", night).state for night in dates.nights()}


async def test_rule_20_airbnb_asks_and_sells_and_the_others_close(played: Session) -> None:
    await until(lambda: asked(played, JULY), "every source has been read")
    sold = await book(played, "airbnb", AIRBNB, JULY)
    assert sold.is_success, sold.text

    async def closed() -> bool:
        return states(played, "booking", BOOKING, JULY) == {NightState.PARTNER}

    await until(closed, "Booking.com is closed", 30)


async def test_rule_20_taken_is_refused_and_closed_again(played: Session) -> None:
    assert played.sandbox is not None
    sold = await book(played, "booking", BOOKING, AUGUST)
    assert sold.is_success, sold.text

    async def closed() -> bool:
        return states(played, "airbnb", AIRBNB, AUGUST) == {NightState.PARTNER}

    await until(closed, "Airbnb is closed", 40)
    for night in AUGUST.nights():  # somebody opens the nights on Airbnb by hand
        played.sandbox.world.truth.partner_sets(f"airbnb/{AIRBNB}", night, True)
    refused = await book(played, "airbnb", AIRBNB, AUGUST)
    assert refused.status_code == 409, refused.text
    await until(closed, "Airbnb is closed again", 30)


async def test_what_nobody_can_read_is_refused_in_words(played: Session) -> None:
    answer = await played.client.get(address(played) + "/", params={"action": "check_availability"})
    assert (answer.status_code, answer.json()["available"]) == (400, False)
    wrong = address(played)[:-1]
    assert (await played.client.get(wrong)).status_code == 404
