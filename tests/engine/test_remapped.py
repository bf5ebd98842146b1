"""A portfolio that names a stored listing's unit, or a home's rooms, anew: what is sold is closed there too, at once;
what may rise waits for a whole look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown
from shared.domain.facts import SeenStay
from shared.domain.model import Account
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home, Portfolio
from shared.state.history import HistoryStore
from tests.engine.hamlet import Hamlet, calendar, link, portfolio, stay
from tests.engine.stories import JULY, nights

Build = Callable[..., Hamlet]

MILL, BARN = Home("mill", "Mill", "owner"), Home("barn", "Barn", "owner")
TWO, THREE = replace(MILL, units=2), replace(MILL, units=3)


def live(hamlet: Hamlet, minutes: int = 5) -> None:
    for _ in range(minutes):
        hamlet.clock.advance(timedelta(minutes=1))
        hamlet.run(hamlet.engine.on_timer_poll_accounts())
        hamlet.run(hamlet.engine.on_timer_poll_feeds())
        hamlet.run(hamlet.engine.on_timer_sweep())
        hamlet.run(hamlet.drain())


def sold(hamlet: Hamlet, *stays: StayDates) -> None:
    """Greengo shows these, and no others."""
    hamlet.web.answers[link("mill")] = calendar(*((f"g{one.check_in}", one) for one in stays))
    live(hamlet)


def begun(build: Build, *homes: Home) -> Hamlet:
    """The mill sold in July on Greengo."""
    built = build(homes, {"mill": GREENGO})
    built.run(built.first_answers())
    sold(built, JULY)
    return built


def imported(hamlet: Hamlet, named: Portfolio) -> None:
    hamlet.run(hamlet.engine.portfolio.run(named))
    live(hamlet)


def renamed(named: Portfolio, **units: str) -> Portfolio:
    """The portfolio with other units on Booking.com."""
    listings = (replace(one, unit=units.get(one.unit, one.unit)) for one in named.listings)
    return replace(named, listings=tuple(listings))


def recorded(hamlet: Hamlet) -> list[Mapping[str, str]]:
    """Every line of the mill's record."""
    entries = hamlet.run(HistoryStore(hamlet.tables).entries("mill", 0, 999))
    return [entry.words for entry in entries]


def level(hamlet: Hamlet) -> int | None:
    return hamlet.booking.levels["mill"].get(JULY.check_in)


# --------------------------------------------------------------------------------------------- another unit


def test_what_is_sold_is_closed_under_the_new_unit_at_once(hamlet: Build) -> None:
    """The ledger took it for closed: up to a day it could be sold again under the new id."""
    built = begun(hamlet, MILL)
    imported(built, renamed(portfolio([MILL], built.links), mill="new"))
    assert built.booking.closed("new") == nights(JULY)
    sold(built)
    built.clock.advance(timedelta(hours=7))
    live(built, 30)
    assert built.booking.closed("new") == set()


def test_what_is_to_be_opened_is_not_opened_under_a_unit_where_we_never_closed_it(hamlet: Build) -> None:
    """Its owner may have closed it there. An opening that waited was sent to whatever id the listing had by then."""
    built = begun(hamlet, MILL)
    built.booking.down = True
    sold(built)
    built.clock.advance(timedelta(hours=7))
    live(built, 30)
    built.booking.down = False
    built.booking.levels["new"] = dict.fromkeys(JULY.nights(), 0)
    built.run(built.engine.portfolio.run(renamed(portfolio([MILL], built.links), mill="new")))
    live(built, 30)
    assert built.booking.closed("new") == nights(JULY)


def test_the_record_names_what_stays_closed_under_the_former_unit(hamlet: Build) -> None:
    built = begun(hamlet, MILL)
    imported(built, renamed(portfolio([MILL], built.links), mill="new"))
    assert built.booking.closed("mill") == nights(JULY)
    assert [line["nights"] for line in recorded(built) if line["what"] == "left closed"] == [str(JULY)]


def test_two_units_that_change_places_take_the_closures_along(hamlet: Build) -> None:
    built = begun(hamlet, MILL, BARN)
    imported(built, renamed(portfolio([MILL, BARN], built.links), mill="barn", barn="mill"))
    assert built.booking.closed("barn") == nights(JULY)


# ------------------------------------------------------------------------------------------ another number


def test_fewer_units_are_said_at_once(hamlet: Build) -> None:
    """No closure was new, so none was sent: a night that was full stood for sale until the nightly look."""
    built = begun(hamlet, TWO)
    assert level(built) == 1
    imported(built, portfolio([MILL], built.links))
    assert level(built) == 0


def test_more_units_are_for_sale_once_the_platform_has_told_all_it_sold(hamlet: Build) -> None:
    """They never were. But what it sold meanwhile is in no count of ours: nothing rises before it was asked."""
    built = begun(hamlet, MILL)
    right = built.booking.stays

    async def silent(account: Account, unit: str) -> tuple[SeenStay, ...]:
        raise PlatformDown("no answer")

    built.booking.stays = silent  # type: ignore[method-assign]
    imported(built, portfolio([THREE], built.links))
    assert level(built) == 0
    built.booking.said["S1"] = stay("S1", ("mill", JULY))
    built.booking.stays = right  # type: ignore[method-assign]
    built.run(built.engine.observer.observe("booking"))
    assert level(built) == 1


def test_a_whole_look_begun_before_the_import_raises_nothing(hamlet: Build) -> None:
    """What the platform sold since is in no answer to it."""
    built = begun(hamlet, MILL)
    right = built.booking.stays

    async def slow(account: Account, unit: str) -> tuple[SeenStay, ...]:
        await built.engine.portfolio.run(portfolio([THREE], built.links))
        return await right(account, unit)

    built.booking.stays = slow  # type: ignore[method-assign]
    built.run(built.engine.observer.observe("booking"))
    assert level(built) == 0
    built.booking.stays = right  # type: ignore[method-assign]
    live(built)
    assert level(built) == 2


def test_an_import_that_changes_nothing_of_the_rooms_sends_nothing(hamlet: Build) -> None:
    built = begun(hamlet, TWO)
    before = len(built.booking.did("write"))
    imported(built, portfolio([replace(TWO, name="Another name")], built.links))
    assert len(built.booking.did("write")) == before
