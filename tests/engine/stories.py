"""Words the stories of the rules are told in."""

from __future__ import annotations

from datetime import date, timedelta

from shared.domain.dates import StayDates
from shared.domain.model import Block, BookingConflict, SiteState
from tests.engine.village import HOME, ApiPlatform, Sold, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
LATER = StayDates(date(2027, 7, 12), date(2027, 7, 15))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
MINUTE = timedelta(minutes=1)


def nights(*ranges: StayDates) -> set[date]:
    return {night for dates in ranges for night in dates.nights()}


def sold(village: Village, platform: str, dates: StayDates) -> Sold:
    """A guest's stay, which must be possible."""
    stay = village.book(platform, dates)
    assert stay is not None, f"{platform} does not sell {dates}"
    return stay


def deliver(village: Village) -> None:
    """Every webhook that is on its way arrives."""
    while village.deliveries:
        village.run(village.webhook(village.deliveries.pop(0)))


def told(village: Village, platform: str, dates: StayDates) -> Sold:
    """A stay on Airbnb or Booking.com that has reached us."""
    stay = sold(village, platform, dates)
    hear(village)
    return stay


def cancelled(village: Village, platform: str, stay: Sold) -> None:
    """The guest cancels, and the platform's word of it reaches us."""
    village.platforms()[platform].cancel(stay)
    village.say(platform, stay, "modify")
    hear(village)


def moved(village: Village, platform: str, stay: Sold, dates: StayDates) -> None:
    """The guest moves, and the platform's word of it reaches us."""
    assert village.platforms()[platform].move(stay, dates)
    village.say(platform, stay, "modify")
    hear(village)


def hear(village: Village) -> None:
    deliver(village)
    if village.booking.waiting:
        village.run(village.poll_booking())


def after(village: Village, span: timedelta) -> None:
    """Time passes, and then everything due is done."""
    village.clock.advance(span)
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())


def pulled(village: Village) -> None:
    """Greengo fetches our calendar, and we put down that it did."""
    assert village.run(village.greengo_pulls()) == 200
    village.run(village.drain())


def polled(village: Village, span: timedelta = timedelta()) -> None:
    """We read Greengo's calendar, after a while."""
    village.clock.advance(span)
    village.run(village.poll_greengo())


def stored(village: Village) -> SiteState:
    return village.run(village.engine.world.sites.load(HOME))


def ledger(village: Village, platform: str) -> list[Block]:
    return [row for row in stored(village).blocks.values() if row.listing == f"{HOME}-{platform}"]


def clashes(village: Village) -> list[BookingConflict]:
    return [one for one in stored(village).conflicts.values() if one.ended_at is None]


def opened(platform: ApiPlatform) -> set[date]:
    """Every night that any write put up for sale."""
    return {night for levels in platform.writes for night, level in levels.items() if level > 0}
