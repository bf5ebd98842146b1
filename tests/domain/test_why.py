"""Why, on values: what it says of a night is what the plan does, over random houses; each doubt of a removal has its
wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.changes import apply_plan
from shared.domain.dates import StayDates
from shared.domain.model import Busy, Fading, Head, Listing, Part, Reservation, SiteState, Status
from shared.domain.plan import plan
from shared.domain.platform import Link
from shared.domain.portfolio import Home
from shared.domain.release import is_proven
from shared.domain.removals import Doubt, released, removals
from shared.domain.site_groups import resolve
from shared.domain.spoken import names_of
from shared.domain.why import Face, Shown, why
from shared.domain.why_text import cause_said, headline, held_back_said, listing_said
from tests.domain.test_site_closures import (
    FIRST,
    NOW,
    PLATFORMS,
    STAYS,
    Stay,
    expected,
    home,
    houses,
    stay,
)
from tests.domain.test_site_closures import _fact as fact

DAY = timedelta(days=1)


def planned(homes: Sequence[Home], stays: Sequence[Stay]) -> list[SiteState]:
    """The sites once the plan stands, and before any platform answered."""
    found = []
    for site in resolve(homes):
        listings = {
            f"{name}-{platform}": Listing(
                f"{name}-{platform}", name, platform, platform, Link.API, complete=True
            )
            for name in site.properties
            for platform in PLATFORMS
        }
        facts = [fact(n, one) for n, one in enumerate(stays) if one.home in site.properties]
        state = SiteState(site, Head(), listings, {one.key: one for one in facts})
        found.append(apply_plan(state, plan(state, NOW)))
    return found


@given(houses(), STAYS)
def test_what_is_said_of_a_night_is_what_the_plan_did(homes: list[Home], stays: list[Stay]) -> None:
    levels = expected(homes, stays)
    for state in planned(homes, stays):
        for name in state.site.properties:
            for night in (FIRST + n * DAY for n in range(12)):
                found = why(state, name, night, NOW)
                for one in found.listings:
                    platform = state.listings[one.listing].platform
                    left = levels.get((name, platform), {}).get(night)
                    here = [s for s in stays if (s.home, s.platform) == (name, platform)]
                    mine = any(s.dates.check_in <= night < s.dates.check_out for s in here)
                    assert one.face is wanted(left, one.left, mine=mine), (one.listing, night)


def wanted(left: int | None, units: int | None, *, mine: bool) -> Face:
    """The face by the oracle: ``left`` is None where a calendar hears of nothing."""
    if units:
        return Face.OPEN
    if mine:
        return Face.SOLD
    return Face.OPEN if left is None else Face.CLOSING


@given(houses(), STAYS)
def test_every_reason_is_a_fact_of_that_night_and_can_be_told(homes: list[Home], stays: list[Stay]) -> None:
    for state in planned(homes, stays):
        names = names_of(state, {})
        for name in state.site.properties:
            found = why(state, name, FIRST + DAY, NOW)
            keys = {cause.key for cause in found.causes}
            for one in found.listings:
                assert {closure.cause.partition("#")[0] for closure in one.closures} <= keys
                assert not any(closure.orphan for closure in one.closures)
                assert all(listing_said(one, names).values())
            assert all(text for cause in found.causes for text in cause_said(cause, names).values())
            assert set(headline(found, names)) == {"fr", "en"}


def test_what_is_held_back_is_told_in_both_languages() -> None:
    (state,) = planned([home("mill")], [])
    listings = {
        key: Listing(key, "mill", one.platform, one.account, Link.API) for key, one in state.listings.items()
    }
    silent = SiteState(state.site, state.head, listings, whole=False)
    found = why(silent, "mill", FIRST, NOW)
    assert {one.face for one in found.listings} == {Face.UNKNOWN}
    said = [held_back_said(reason) for reason in found.held_back]
    assert said[0]["fr"] == "Une ligne enregistrée est illisible\u202f: rien n’est rouvert."
    assert said[1]["en"].startswith("No complete answer yet from mill-airbnb")
    assert "mill-airbnb, mill-booking" in said[1]["fr"]


def test_a_stay_in_a_room_is_the_reason_of_the_house_and_not_of_the_other_room() -> None:
    homes = [home("house", contains=("red", "blue")), home("red"), home("blue")]
    (state,) = planned(homes, [stay("red")])
    names = names_of(state, {})
    found = why(state, "house", FIRST, NOW)
    assert {one.face for one in found.listings} == {Face.CLOSING}
    (cause,) = found.causes
    assert (cause.home, cause.listing) == ("red", "red-airbnb")
    assert cause_said(cause, names)["fr"].startswith("Réservation s0 sur airbnb (red), 10–12 mars 2027")
    assert why(state, "blue", FIRST, NOW).causes == ()


def test_a_night_that_has_passed_says_so() -> None:
    (state,) = planned([home("mill")], [])
    found = why(state, "mill", NOW.date() - DAY, NOW)
    assert found.past
    assert "(passée)" in headline(found, names_of(state, {}))["fr"]


def test_a_home_of_another_site_is_a_mistake() -> None:
    (state,) = planned([home("mill")], [])
    with pytest.raises(KeyError):
        why(state, "barn", FIRST, NOW)


# -------------------------------------------------------------------------------------------- removals


def feed(*fading: Fading, parts: tuple[Part, ...] = (), key: str = "x") -> Reservation:
    return Reservation(
        "booking", key, Busy.CLOSED, Status.CONFIRMED, parts, feed="mill-booking", fading=fading
    )


def gone(start: date, nights: int = 2, *, doubtful: bool = False) -> Fading:
    dates = StayDates.of_nights(start, nights)
    return Fading(Part("", "mill-booking", dates, NOW - DAY), dates, NOW, doubtful)


def site_with(*facts: Reservation) -> SiteState:
    (state,) = planned([home("mill")], [stay("mill", 100)])
    return SiteState(state.site, Head(), state.listings, {one.key: one for one in facts})


TODAY = NOW.date()


@pytest.mark.parametrize(
    ("fading", "doubt", "hours"),
    [
        (gone(TODAY + 40 * DAY), Doubt.NONE, 1 / 3),
        (gone(TODAY + 40 * DAY, doubtful=True), Doubt.EMPTY, 6),
        (gone(TODAY + 2 * DAY), Doubt.NEAR, 6),
        (gone(TODAY - DAY, 3), Doubt.GUEST, None),
        (gone(TODAY, doubtful=True), Doubt.GUEST, None),
    ],
)
def test_each_doubt_has_its_wait(fading: Fading, doubt: Doubt, hours: float | None) -> None:
    (one,) = removals(site_with(feed(fading)), NOW, {"mill-booking": timedelta(minutes=1)})
    assert one.doubt is doubt
    assert one.by == (None if hours is None else NOW + timedelta(hours=hours, minutes=1))


@given(
    st.integers(-2, 6),
    st.integers(1, 5),
    st.booleans(),
    st.integers(0, 60 * 24),
    st.integers(0, 30),
)
def test_the_promised_instant_is_when_the_guard_lets_go(
    start: int, nights: int, doubtful: bool, minute: int, waited: int
) -> None:
    """Asked each minute from now on, the guard is content at the promised instant and not before."""
    since = NOW + timedelta(minutes=minute)
    fading = gone(TODAY + start * DAY, nights, doubtful=doubtful)
    fading = Fading(fading.part, fading.stay, since, doubtful)
    state, now, step = site_with(feed(fading)), since + timedelta(minutes=waited), timedelta(minutes=1)
    found = removals(state, now, {"mill-booking": timedelta(0)})
    ahead = [
        at
        for at in (now + n * step for n in range(7 * 60))
        if state.today("mill-booking", at) < fading.stay.check_out
    ]
    assert bool(found) is bool(ahead and ahead[0] == now), "what has passed waits for nothing"
    first = next(
        (at for at in ahead if is_proven(fading, Busy.CLOSED, at, state.today("mill-booking", at))),
        None,
    )
    assert [one.by for one in found] == [first for _ in found]


def test_what_is_released_is_gone_and_nothing_else_is() -> None:
    state = site_with(feed(gone(TODAY + 9 * DAY), key="one"), feed(gone(TODAY + 20 * DAY), key="two"))
    first, second = removals(state, NOW)
    after = released(state, first.key, first.listing, first.stay)
    assert [removal.key for removal in removals(after, NOW)] == [second.key]
    assert first.key not in after.reservations
    assert released(after, first.key, first.listing, first.stay) is after


def test_a_shown_part_survives_its_vanished_nights() -> None:
    rest = Part("", "mill-booking", StayDates.of_nights(TODAY + 9 * DAY, 2), NOW)
    state = site_with(feed(gone(TODAY + 11 * DAY), parts=(rest,)))
    (one,) = removals(state, NOW)
    after = released(state, one.key, one.listing, one.stay)
    assert after.reservations[one.key].parts == (rest,)
    found = why(after, "mill", rest.dates.check_in, NOW)
    assert [cause.shown for cause in found.causes] == [Shown.PLAIN]
