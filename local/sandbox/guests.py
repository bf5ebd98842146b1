"""Guests who book, move and cancel at a set pace: life for a running sandbox, the same one for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from local.sandbox.calendar import Calendar
from local.sandbox.desk import Desk
from local.sandbox.errors import SandboxError
from local.sandbox.stays import Stay
from shared.domain.dates import StayDates
from shared.ports.people import Sleep


@dataclass(slots=True)
class Tally:
    """What the guests did; ``refused`` counts those who came for nights that were closed or sold."""

    booked: int = 0
    moved: int = 0
    cancelled: int = 0
    refused: int = 0


async def live(
    desk: Desk,
    sleep: Sleep,
    *,
    seed: int,
    pause: float,
    acts: int | None = None,
    ahead_days: int = 180,
) -> Tally:
    """Let guests act ``acts`` times (for ever when None), waiting about ``pause`` seconds between two acts.

    Six in ten book one to seven nights within the next ``ahead_days`` days on any listing, two move a stay by some
    days, two cancel one. A guest who finds the nights closed goes away, as in life.
    """
    chance = random.Random(seed)  # noqa: S311 - a simulation
    tally = Tally()
    done = 0
    while acts is None or done < acts:
        await sleep(pause * chance.uniform(0.5, 1.5))
        try:
            await _act(desk, chance, tally, ahead_days)
        except SandboxError:
            tally.refused += 1
        done += 1
    return tally


async def _act(desk: Desk, chance: random.Random, tally: Tally, ahead_days: int) -> None:
    stays = _movable(desk)
    choice = chance.random()
    if choice < 0.6 or not stays:
        await _book(desk, chance, ahead_days)
        tally.booked += 1
    elif choice < 0.8:
        await _move(desk, chance, chance.choice(stays))
        tally.moved += 1
    else:
        stay = chance.choice(stays)
        await desk.cancel(stay.platform, stay.id)
        tally.cancelled += 1


async def _book(desk: Desk, chance: random.Random, ahead_days: int) -> None:
    calendars: Sequence[Calendar] = list(desk.world.truth.calendars.values())
    listing = chance.choice(calendars).listing
    arrival = desk.world.clock.today() + timedelta(days=chance.randint(1, ahead_days))
    dates = StayDates.of_nights(arrival, chance.choice((1, 2, 2, 3, 3, 4, 5, 7)))
    await desk.book(listing.platform, [(listing.id, dates)])


async def _move(desk: Desk, chance: random.Random, stay: Stay) -> None:
    part = stay.parts[0]
    by = timedelta(days=chance.choice((-3, -2, -1, 1, 2, 3)))
    longer = timedelta(days=chance.choice((0, 0, 1)))
    dates = StayDates(part.dates.check_in + by, part.dates.check_out + by + longer)
    await desk.modify(stay.platform, stay.id, desk.moved(stay, dates, part.id))


def _movable(desk: Desk) -> list[Stay]:
    """Live stays far enough ahead to be moved by a few days."""
    soon = desk.world.clock.today() + timedelta(days=4)
    return [
        stay for stay in desk.world.truth.stays.values() if stay.live and stay.parts[0].dates.check_in > soon
    ]
