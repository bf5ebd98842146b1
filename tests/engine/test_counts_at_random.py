"""Homes sold by count, at random: guests come and cancel on three platforms, one of which knows no counts. No sale may
pass for our own closure, no full night stay out of our calendar, and no guest too many be told to nobody."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.occupancy import occupancies
from tests.engine.stories import MINUTE, after, clashes, hear, nights, polled, pulled, stored
from tests.engine.village import HOME, Village

FIRST = date(2027, 3, 21)


def left(village: Village, platform: str, night: date, units: int) -> int:
    """What the platform still sells: of its own units, as many as we let it."""
    calendar = village.platforms()[platform]
    own = units - sum(night in nights(stay.dates) for stay in calendar.live())
    writes = {"airbnb": village.airbnb.writes, "booking": village.booking.writes}.get(platform)
    if writes is None:
        return 0 if night in calendar.closed else own
    said = [levels[night] for levels in writes if night in levels]
    return min([own, *said[-1:]])


def somebody_comes(village: Village, chance: random.Random, units: int) -> None:
    platform = chance.choice(["airbnb", "booking", "greengo", "greengo"])
    start = FIRST + timedelta(days=chance.choice([0, 2, 4]))
    dates = StayDates.of_nights(start, chance.choice([2, 4]))
    if all(left(village, platform, night, units) > 0 for night in dates.nights()):
        calendar = village.platforms()[platform]
        stay = replace(calendar, sold={}, closed=set()).book(dates)
        assert stay is not None
        calendar.sold[stay.id] = stay
        village.say(platform, stay, "new")


def somebody_cancels(village: Village, chance: random.Random) -> None:
    there = [(name, stay) for name, one in village.platforms().items() for stay in one.live()]
    if there:
        platform, stay = chance.choice(there)
        village.platforms()[platform].cancel(stay)
        village.say(platform, stay, "modify")


@pytest.mark.parametrize("seed", range(25))
def test_of_a_home_sold_by_count_no_sale_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    units = chance.choice([2, 2, 3])
    village = Village(units=units)
    polled(village)
    for _ in range(chance.randrange(4, 12)):
        if chance.random() < 0.85:
            somebody_comes(village, chance, units)
        else:
            somebody_cancels(village, chance)
        hear(village)
        polled(village, chance.choice([MINUTE, 5 * MINUTE, 30 * MINUTE]))
        if chance.random() < 0.6:
            pulled(village)
        after(village, MINUTE)
    for _ in range(16):
        polled(village, 60 * MINUTE)
        pulled(village)
        after(village, MINUTE)
    sold = Counter(
        (name, one.dates) for name, calendar in village.platforms().items() for one in calendar.live()
    )
    known = Counter((one.listing.removeprefix(f"{HOME}-"), one.dates) for one in occupancies(stored(village)))
    assert not sold - known
    taken = Counter(night for (_, dates), count in sold.items() for night in [*dates.nights()] * count)
    elsewhere = nights(*(dates for name, dates in sold if name != "greengo"))
    full = {night for night, count in taken.items() if count >= units}
    assert village.greengo.calendar.closed >= full & elsewhere
    if any(count > units for count in taken.values()):
        assert clashes(village)
    village.close()
