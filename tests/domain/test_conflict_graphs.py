"""Random crowds of clashing stays: one answer for all of them, and no way out makes anything worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.domain.conflicts import SOLD, ConflictDetector
from shared.domain.dates import StayDates
from shared.domain.estate import Equivalent, Estate, StepKind, estate_of
from shared.domain.model import (
    Automatic,
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
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link
from shared.domain.proposals import ProposalKind, propose
from shared.domain.resolution import resolve
from tests.hypothesis_profiles import budget

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
FIRST = date(2027, 6, 29)  # two days ago: some guests are in the house
CHANNELS = {"airbnb": AIRBNB, "booking": BOOKING, "greengo": GREENGO}
SITES: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    "house": ({"whole": "blue green", "blue": "blue", "green": "green"}, {"blue": 1, "green": 1}),
    "barn": ({"barn": "barn"}, {"barn": 1}),
    "loft": ({"loft": "loft"}, {"loft": 1}),
    "studios": ({"studio": "studio"}, {"studio": 2}),
}
HOMES = [home for homes, _ in SITES.values() for home in homes]

STAY = st.tuples(
    st.sampled_from(HOMES),
    st.sampled_from(sorted(CHANNELS)),
    st.integers(0, 9),
    st.integers(1, 5),
    st.integers(0, 5),
    st.sampled_from([Busy.STAY, Busy.STAY, Busy.STAY, Busy.CLOSED, Busy.BLOCK]),
    st.sampled_from(["parts", "parts", "parts", "pending", "hinted", "fading"]),
)
STAYS = st.lists(STAY, min_size=2, max_size=12)
Drawn = list[tuple[str, str, int, int, int, Busy, str]]


def estate(drawn: Drawn) -> dict[str, SiteState]:
    """The sites with these stays, by name."""
    states = {}
    for name, (homes, rooms) in SITES.items():
        properties = {
            home: Property(home, home, frozenset(own.split()), group="all") for home, own in homes.items()
        }
        listings = {
            f"{home}-{channel}": Listing(
                f"{home}-{channel}", home, platform, channel, Link.API, complete=True
            )
            for home in homes
            for channel, platform in CHANNELS.items()
        }
        facts = [_fact(number, one) for number, one in enumerate(drawn) if one[0] in homes]
        states[name] = SiteState(
            Site(name, "owner", properties, rooms), Head(1), listings, {one.key: one for one in facts}
        )
    return states


def _fact(number: int, one: tuple[str, str, int, int, int, Busy, str]) -> Reservation:
    home, channel, start, nights, since, kind, how = one
    dates = StayDates.of_nights(FIRST + timedelta(days=start), nights)
    part = Part("", f"{home}-{channel}", dates, NOW - timedelta(hours=since))
    status = Status.PENDING if how in ("pending", "hinted") else Status.CONFIRMED
    feed = part.listing if kind is not Busy.STAY or how == "fading" else ""
    fact = Reservation(channel, f"s{number}", kind, status, feed=feed)
    if how == "hinted":
        return Reservation(channel, f"s{number}", kind, status, hinted=(part,), feed=feed)
    if how == "fading":
        gone = (Fading(part, dates, NOW),)
        return Reservation(channel, f"s{number}", kind, status, fading=gone, feed=feed)
    return Reservation(channel, fact.id, kind, status, (part,), feed=feed)


def clashes(state: SiteState) -> dict[str, BookingConflict]:
    ahead = [one for one in occupancies(state) if one.dates.check_out > one.property.today(NOW)]
    return ConflictDetector().detect_overlapping_bookings(state.site, ahead, NOW)


def excess(states: Mapping[str, SiteState]) -> Counter[tuple[str, date]]:
    """How many more than there are units want a room on a night."""
    found: Counter[tuple[str, date]] = Counter()
    for state in states.values():
        wanted: Counter[tuple[str, date]] = Counter()
        for one in occupancies(state):
            if one.kind in SOLD:
                wanted.update((room, night) for room in one.property.rooms for night in one.dates.nights())
        found.update(
            {key: n - state.site.rooms[key[0]] for key, n in wanted.items() if n > state.site.rooms[key[0]]}
        )
    return found


def whole(states: dict[str, SiteState], name: str) -> Estate:
    others = [Equivalent(home, state) for state in states.values() for home in state.site.properties]
    return estate_of(states[name], others)


@settings(max_examples=budget(100, 1000))
@given(STAYS)
def test_one_crowd_has_one_answer(drawn: Drawn) -> None:
    states = estate(drawn)
    for name, state in states.items():
        roles: dict[str, str] = {}
        for clash in clashes(state).values():
            found = resolve(whole(states, name), name, clash, NOW)
            assert set(found.goes) | set(found.stays) == found.claims.keys()
            for key in found.claims:
                role = "stays" if key in found.stays else "goes"
                assert roles.setdefault(key, role) == role, key
            together = [claim for key in found.stays for claim in found.claims[key]]
            assert ConflictDetector().detect_overlapping_bookings(state.site, together, NOW) == {}


@settings(max_examples=budget(100, 1000))
@given(STAYS)
def test_no_proposal_takes_nights_from_whoever_stays_and_each_conflict_has_one_that_ends_it(
    drawn: Drawn,
) -> None:
    states = estate(drawn)
    for name, state in states.items():
        open_now = clashes(state)
        for clash in open_now.values():
            found = resolve(whole(states, name), name, clash, NOW)
            others = [Equivalent(home, one) for one in states.values() for home in one.site.properties]
            proposals = propose(state, clash, others, Automatic.SAFE, NOW)
            assert ProposalKind.ASK_PERSON in {one.kind for one in proposals}
            for one in proposals:
                if one.kind not in (ProposalKind.ASK_PERSON, ProposalKind.DROP_STALE):
                    assert one.concerns not in found.stays
                assert one.automatic <= one.reversible
                lost = {step.fact for step in one.steps if step.kind in (StepKind.CANCEL, StepKind.DECLINE)}
                assert lost.isdisjoint(found.stays)


@settings(max_examples=budget(100, 1000))
@given(STAYS)
def test_following_a_proposal_never_makes_a_new_clash(drawn: Drawn) -> None:
    states = estate(drawn)
    before, known = excess(states), {key for state in states.values() for key in _of_single_rooms(state)}
    for name, state in states.items():
        for clash in clashes(state).values():
            others = [Equivalent(home, one) for one in states.values() for home in one.site.properties]
            for one in propose(state, clash, others, Automatic.SAFE, NOW):
                after = whole(states, name).after(one.steps).states
                assert excess(after) <= before, one.kind
                assert {key for left in after.values() for key in _of_single_rooms(left)} <= known
                if one.kind in (ProposalKind.MOVE, ProposalKind.MOVE_TWO, ProposalKind.CANCEL):
                    gone = clash.id not in clashes(after[name])
                    assert gone or max(state.site.rooms.values()) > 1


@settings(max_examples=budget(100, 1000))
@given(STAYS)
def test_all_moves_of_a_crowd_can_be_made_together(drawn: Drawn) -> None:
    states = estate(drawn)
    moved = 0
    for name, state in states.items():
        for clash in clashes(state).values():
            found = resolve(whole(states, name), name, clash, NOW)
            steps = [step for key in found.goes for step in found.moves.get(key, ())]
            after = whole(states, name).after(steps).states
            assert excess(after) <= excess(states)
            left = {key for one in clashes(after[name]).values() for key in one.conflicting_bookings}
            assert left.isdisjoint(found.moves)
            moved += len(steps)
    assume(moved)


def _of_single_rooms(state: SiteState) -> list[str]:
    """The conflicts of a site whose rooms are one unit each: of counts the pair that is named is only one of several
    ways to say that there are too many."""
    return [] if max(state.site.rooms.values()) > 1 else list(clashes(state))
