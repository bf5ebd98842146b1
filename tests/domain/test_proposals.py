"""Proposals: who gives way, where to, at what price; and that following one makes nothing worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.conflicts import ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.estate import Equivalent, StepKind, estate_of
from shared.domain.model import (
    Automatic,
    Block,
    BookingConflict,
    Busy,
    Fading,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.occupancy import occupancies
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.domain.proposals import Proposal, ProposalKind, propose

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
CHANNELS = (AIRBNB, BOOKING, GREENGO)
NAMES = {"airbnb": "Airbnb", "booking": "Booking.com", "greengo": "Greengo"}


def july(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def home(name: str, *stays: Reservation, units: int = 1, rooms: tuple[str, ...] = ()) -> SiteState:
    """A site of one home, listed on three channels, in the group of cottages."""
    own = frozenset(rooms or (name,))
    place = Property(name, name.title(), own, group="cottages")
    listings = {
        f"{name}-{channel}": Listing(f"{name}-{channel}", name, channel, channel, Link.API, complete=True)
        for channel in CHANNELS
    }
    site = Site(name, "owner", {name: place}, dict.fromkeys(own, units))
    return SiteState(site, Head(1), listings, {one.key: one for one in stays})


def stay(
    name: str,
    listing: str,
    dates: StayDates,
    since: int = 0,
    *,
    kind: Busy = Busy.STAY,
    status: Status = Status.CONFIRMED,
    feed: bool = False,
) -> Reservation:
    """A stay that was first heard of so many hours after the first of all."""
    part = Part("", listing, dates, NOW - timedelta(days=5) + timedelta(hours=since))
    account = listing.rpartition("-")[2]
    return Reservation(account, name, kind, status, (part,), feed=listing if feed else "")


def clashes(state: SiteState) -> list[BookingConflict]:
    found = ConflictDetector().detect_overlapping_bookings(state.site, occupancies(state), NOW)
    return sorted(found.values(), key=lambda one: one.conflicting_bookings)


def only_clash(state: SiteState) -> BookingConflict:
    (clash,) = clashes(state)
    return clash


def proposed(
    state: SiteState, *others: SiteState, policy: Automatic = Automatic.OFF, now: datetime = NOW
) -> tuple[Proposal, ...]:
    equivalents = [Equivalent(name, one) for one in others for name in one.site.properties]
    return propose(state, only_clash(state), equivalents, policy, now, NAMES)


def kinds(proposals: tuple[Proposal, ...]) -> list[str]:
    return [one.kind.value for one in proposals]


FIRST = stay("first", "mill-airbnb", july(10, 13))
LATER = stay("later", "mill-booking", july(12, 15), 5)
MILL = home("mill", FIRST, LATER)


def test_the_later_guest_gets_a_free_equivalent_home_before_anybody_is_asked_or_cancelled() -> None:
    best, *rest = proposed(MILL, home("barn"))
    assert (best.kind, best.concerns) == (ProposalKind.MOVE, LATER.key)
    (step,) = best.steps
    assert (step.kind, step.fact, step.listing, step.to) == (
        StepKind.MOVE,
        LATER.key,
        "mill-booking",
        "barn",
    )
    assert kinds(tuple(rest)) == ["ask_guest", "cancel", "ask_person"]
    assert not any(one.automatic for one in (best, *rest))


def test_without_a_free_home_the_guest_who_is_in_the_way_there_moves_on() -> None:
    barn = home("barn", stay("third", "barn-greengo", july(11, 14)))
    loft = home("loft", stay("owner", "loft-greengo", july(14, 16), kind=Busy.BLOCK))
    best = proposed(MILL, barn, loft)[0]
    assert best.kind is ProposalKind.MOVE_TWO
    assert [(step.fact, step.to) for step in best.steps] == [("greengo|third", "loft"), (LATER.key, "barn")]
    assert "Loft est libre" in best.reason["fr"]
    assert "which leaves Barn" in best.reason["en"]


def test_a_guest_who_moves_on_into_the_house_around_her_room_leaves_it_no_freer() -> None:
    """The second home of the two moves shares its rooms with the first: the guest would still be in the way there."""
    rooms = {"suite": "suite", "barn": "suite hall"}
    homes = {
        name: Property(name, name.title(), frozenset(own.split()), group="cottages")
        for name, own in rooms.items()
    }
    third = stay("third", "suite-greengo", july(11, 14))
    site = Site("farm", "owner", homes, {"suite": 1, "hall": 1})
    listings = {
        f"{name}-greengo": Listing(f"{name}-greengo", name, GREENGO, GREENGO, Link.API, complete=True)
        for name in homes
    }
    farm = SiteState(site, Head(1), listings, {third.key: third})
    assert kinds(proposed(MILL, farm)) == ["ask_guest", "cancel", "ask_person"]


def test_a_home_that_is_free_only_once_somebody_else_has_moved_is_not_proposed() -> None:
    """The garden is free once the later guest has moved out of the whole mill; but nobody need follow that proposal, so
    it is none for the last guest."""
    rooms = {"mill": "mill garden", "attic": "mill", "garden": "garden"}
    homes = {
        name: Property(name, name.title(), frozenset(own.split()), group="cottages")
        for name, own in rooms.items()
    }
    listings = {
        f"{name}-{channel}": Listing(f"{name}-{channel}", name, channel, channel, Link.API, complete=True)
        for name in homes
        for channel in CHANNELS
    }
    stays = (
        stay("first", "attic-airbnb", july(10, 13)),
        LATER,
        stay("last", "mill-greengo", july(11, 14), 9),
    )
    site = Site("mill", "owner", homes, {"mill": 1, "garden": 1})
    state = SiteState(site, Head(1), listings, {one.key: one for one in stays})
    for clash in clashes(state):
        for one in propose(state, clash, [Equivalent("barn", home("barn"))], Automatic.OFF, NOW):
            assert {step.to for step in one.steps} <= {"", "barn"}, one.concerns


def test_a_home_that_is_taken_unknown_or_of_another_group_is_not_proposed() -> None:
    block = stay("owner", "barn-greengo", july(12, 20), kind=Busy.BLOCK)
    taken = home("barn", block)
    other = home("villa")
    villa = replace(other.site.properties["villa"], group="villas")
    other = replace(other, site=replace(other.site, properties={"villa": villa}))
    assert kinds(proposed(MILL, taken, other)) == ["ask_guest", "cancel", "ask_person"]
    stale = Equivalent("loft", home("loft"), {"loft-airbnb": "was never read"})
    found = propose(MILL, only_clash(MILL), [stale], Automatic.OFF, NOW, NAMES)
    assert kinds(found) == ["ask_guest", "cancel", "ask_person"]


def test_a_request_is_declined_and_its_guest_is_not_moved() -> None:
    request = stay("request", "mill-airbnb", july(8, 11), -9, status=Status.PENDING)
    found = proposed(home("mill", request, stay("guest", "mill-booking", july(10, 12))), home("barn"))
    assert kinds(found) == ["decline", "ask_person"]
    assert found[0].concerns == request.key
    assert "Airbnb" in found[0].reason["fr"]


def test_nobody_who_is_in_the_house_gives_way() -> None:
    here = stay("here", "mill-booking", july(1, 5), 9)
    coming = stay("coming", "mill-airbnb", july(3, 8))
    found = proposed(home("mill", here, coming), home("barn"))
    assert found[0].concerns == coming.key
    assert found[0].kind is ProposalKind.MOVE
    both = home("mill", here, replace(coming, parts=(replace(coming.parts[0], dates=july(1, 8)),)))
    assert kinds(proposed(both, home("barn"))) == ["ask_person"]


def test_where_only_the_first_guest_can_be_moved_the_first_is() -> None:
    """The later one is too long for the equivalent home; moving the first leaves a bed for each."""
    later = stay("later", "mill-booking", july(12, 25), 5)
    barn = home("barn", stay("third", "barn-greengo", july(20, 22), kind=Busy.BLOCK))
    best = proposed(home("mill", FIRST, later), barn)[0]
    assert (best.kind, best.concerns) == (ProposalKind.MOVE, FIRST.key)


def test_what_is_only_claimed_is_asked_about_again_and_policy_may_do_that_alone() -> None:
    claimed = replace(LATER, parts=(), hinted=LATER.parts, status=Status.PENDING)
    state = home("mill", FIRST, claimed)
    off, safe = (proposed(state, policy=policy)[0] for policy in (Automatic.OFF, Automatic.SAFE))
    assert off.kind is safe.kind is ProposalKind.DROP_STALE
    assert [step.kind for step in safe.steps] == [StepKind.REREAD]
    assert (off.automatic, safe.automatic, safe.reversible) == (False, True, True)
    assert not any(one.automatic for one in proposed(state, policy=Automatic.SAFE)[1:])


def test_what_its_calendar_no_longer_shows_is_asked_about_again_first() -> None:
    part = LATER.parts[0]
    gone = replace(LATER, parts=(), feed="mill-booking", fading=(Fading(part, part.dates, NOW),))
    assert kinds(proposed(home("mill", FIRST, gone), home("barn"))) == ["drop_stale", "ask_person"]


def test_our_own_closure_come_back_unproven_is_left_to_a_persons_word() -> None:
    """Published before the event appeared, and no proof that it was read by then: it may as well be a sale (rule 3)."""
    event = stay("later", "mill-greengo", july(10, 13), 5, kind=Busy.CLOSED, feed=True)
    row = Block("mill-greengo", FIRST.key, july(10, 13), created_at=FIRST.parts[0].since)
    state = replace(home("mill", FIRST, event), blocks={row.key: row})
    found = proposed(state, home("barn"), policy=Automatic.SAFE)
    assert kinds(found)[:3] == ["drop_echo", "ask_person", "move"]
    assert (found[0].reversible, found[0].automatic) == (True, False)
    after = estate_of(state, ()).after(found[0].steps).states["mill"]
    assert clashes(after) == []
    assert {one.cause for one in occupancies(after)} == {FIRST.key}


def test_equal_nights_that_were_never_published_there_are_no_echo_to_be_dropped() -> None:
    event = stay("later", "mill-greengo", july(10, 13), 5, kind=Busy.CLOSED, feed=True)
    row = Block("mill-greengo", FIRST.key, july(10, 13), created_at=NOW)
    state = replace(home("mill", FIRST, event), blocks={row.key: row})
    assert "drop_echo" not in kinds(proposed(state))


def test_where_a_calendar_cannot_tell_a_sale_a_person_looks_before_a_guest_is_bothered() -> None:
    closed = stay("later", "mill-greengo", july(12, 15), 5, kind=Busy.CLOSED, feed=True)
    found = proposed(home("mill", FIRST, closed), home("barn"))
    assert kinds(found) == ["ask_person", "move", "ask_guest", "cancel"]
    assert "ne distingue pas une vente d’une fermeture" in found[0].reason["fr"]


def test_the_same_facts_propose_the_same_and_changed_facts_something_else() -> None:
    again = replace(MILL, reservations=dict(reversed(list(MILL.reservations.items()))))
    assert proposed(MILL, home("barn")) == proposed(again, home("barn"))
    moved = replace(LATER, parts=(replace(LATER.parts[0], dates=july(11, 15)),))
    before = {one.id for one in proposed(MILL, home("barn"))}
    after = {one.id for one in proposed(home("mill", FIRST, moved), home("barn"))}
    assert before.isdisjoint(after)
    assert len(before) == 4


def test_nothing_is_proposed_once_it_is_over_or_its_facts_are_gone() -> None:
    clash = only_clash(MILL)
    assert propose(MILL, replace(clash, ended_at=NOW), (), Automatic.SAFE, NOW) == ()
    assert propose(home("mill", FIRST), clash, (), Automatic.SAFE, NOW) == ()
    apart = replace(LATER, parts=(replace(LATER.parts[0], dates=july(20, 22)),))
    assert propose(home("mill", FIRST, apart), clash, (), Automatic.SAFE, NOW) == ()


@pytest.mark.parametrize(
    ("platform", "word"),
    [
        (AIRBNB, "Superhost"),
        (BOOKING, "commission"),
        (GREENGO, "pas connues"),
        (Platform("any"), "pas connues"),
    ],
)
def test_cancelling_says_what_its_platform_does_or_that_it_is_not_known(
    platform: Platform, word: str
) -> None:
    later = stay("later", f"mill-{platform}", july(12, 15), 5)
    state = home("mill", stay("first", "mill-other", july(10, 13)), later)
    for name in (Platform("other"), platform):
        one = Listing(f"mill-{name}", "mill", name, name, Link.API, complete=True)
        state = replace(state, listings={**state.listings, one.id: one})
    (cancel,) = [one for one in proposed(state) if one.kind is ProposalKind.CANCEL]
    assert word in cancel.cost["fr"]
    assert not cancel.reversible


def test_every_sentence_is_there_in_both_languages_and_the_letter_names_nights_and_home_and_no_guest() -> (
    None
):
    guest = replace(LATER, guest="Zoé Martin")
    for one in proposed(home("mill", FIRST, guest), home("barn")):
        for said in (one.reason, one.cost, one.outcome):
            assert set(said) == {"fr", "en"}
            assert all(text and "{" not in text and "Zoé" not in text for text in said.values())
        assert "Zoé" not in repr(one)
        if one.message:
            assert "12–15 juillet 2027" in one.message["fr"]
            assert "Mill" in one.message["en"]
    move, ask = proposed(home("mill", FIRST, guest), home("barn"))[:2]
    assert "Barn" in move.message["fr"]
    assert "d’autres dates" in ask.message["fr"]


def test_a_third_guest_of_two_units_makes_room_whoever_the_pair_names() -> None:
    """Of two units three are sold, and the two whose clash is told are both in the house: the one who is still to come
    gives way."""
    state = home(
        "mill",
        stay("a", "mill-airbnb", july(3, 6)),
        stay("b", "mill-booking", july(1, 6), 1),
        stay("c", "mill-greengo", july(1, 6), 2),
        units=2,
    )
    clash = only_clash(state)
    assert set(clash.conflicting_bookings) == {"booking|b", "greengo|c"}
    best = propose(state, clash, [Equivalent("barn", home("barn"))], Automatic.OFF, NOW)[0]
    assert (best.kind, best.concerns) == (ProposalKind.MOVE, "airbnb|a")
