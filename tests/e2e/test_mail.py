"""A confirmation e-mail as a doorbell, over real HTTP: calendar links are asked once an hour here, so that whatever
closes within seconds was rung for."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from local.ports import free_port
from local.run_session import Session, Wanted, session
from local.sandbox.stays import NightState
from shared.domain.dates import StayDates
from tests.e2e.days import day_ahead
from tests.e2e.support import QUICK, until

pytestmark = pytest.mark.e2e

HOUR = 3600
STAY = StayDates.of_nights(day_ahead("2027-07-10"), 3)
LISTINGS = {"airbnb": "9876543", "booking": "123456701"}
SOON = 10.0
"""Seconds from the e-mail to closed nights: far below any look the clock would make."""

MAIL = {
    "From": "GreenGo <reservations@greengo.voyage>",
    "To": "Camille <camille@homes.example>",
    "OriginalRecipient": "doorbell+moulin-greengo@inbound.example",
    "Subject": "Nouvelle réservation",
    "TextBody": "Du 10 au 13 juillet.",
}


async def test_a_stay_told_by_e_mail_is_closed_elsewhere_within_seconds(tmp_path: Path) -> None:
    rhythm = replace(QUICK, feeds=HOUR, pulls=float(HOUR))
    wanted = Wanted(port=free_port(), sandbox_port=free_port(), guests=0, folder=tmp_path, rhythm=rhythm)
    async with session(wanted, print) as running:
        assert running.sandbox is not None
        truth = running.sandbox.world.truth

        async def closed() -> bool:
            nights = [(f"{name}/{unit}", night) for name, unit in LISTINGS.items() for night in STAY.nights()]
            return all(truth.night(*one).state is NightState.PARTNER for one in nights)

        booked = await running.client.post(
            f"{running.sandbox.base}/sandbox/greengo/book",
            json={"listing": "moulin-greengo", "check_in": str(STAY.check_in), "nights": len(STAY)},
        )
        assert booked.is_success, booked.text
        began = time.monotonic()
        assert await posted(running, "wrong-secret-of-many-letters") == 404
        assert not await closed()
        assert await posted(running, running.stack.values["WEBHOOK_SECRET_MAIL"]) == 200
        await until(closed, "the nights of the e-mail are closed on both", SOON)
        print(f"e-mail to closed: {time.monotonic() - began:.2f} s")


async def posted(running: Session, secret: str) -> int:
    """The status that a mail service gets."""
    at = f"{running.stack.hosts.public}/webhooks/mail/{secret}"
    return int((await running.client.post(at, json=MAIL)).status_code)
