"""The plan on values alone: what goes out, what waits, and what is never opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.domain.dates import StayDates
from shared.domain.model import (
    Block,
    Busy,
    Head,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
    Write,
)
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, Link
from shared.domain.writes import CALL, GRACE

NOW = datetime(2027, 7, 1, 8, tzinfo=UTC)
JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
NIGHTS = set(JULY.nights())


def listing(name: str, platform: object = BOOKING, home: str = "gite") -> Listing:
    assert platform in (AIRBNB, BOOKING)
    return Listing(name, home, platform, platform, Link.API, name, complete=True)


def state(*blocks: Block, stays: tuple[Reservation, ...] = (), whole: bool = True) -> SiteState:
    home = Property("gite", "Gîte", frozenset({"gite"}))
    listings = {one.id: one for one in (listing("a", AIRBNB), listing("b", BOOKING))}
    return SiteState(
        Site("gite", "owner", {"gite": home}, {"gite": 1}),
        Head(version=7, fence=3),
        listings,
        {one.key: one for one in stays},
        blocks={row.key: row for row in blocks},
        whole=whole,
    )


def stay(name: str = "S1", dates: StayDates = JULY) -> Reservation:
    return Reservation("airbnb", name, Busy.STAY, Status.CONFIRMED, (Part("", "a", dates, NOW),))


CLOSED = Block("b", "airbnb|S1", JULY, phase=Phase.ACCEPTED, fence=2, taken_at=NOW)
RELEASED = replace(CLOSED, wanted=False, gone_version=7, released_at=NOW)


def test_a_new_stay_closes_the_other_listing_at_once() -> None:
    decided = plan(state(stays=(stay(),)), NOW)
    ((name, write),) = decided.writes
    assert name == "b"
    assert write.levels == dict.fromkeys(NIGHTS, 0)
    assert write.fence == decided.fence == 4
    assert write.deadline == NOW + CALL
    assert [row.phase for row in decided.blocks] == [Phase.SENT]


def test_a_released_row_is_opened_and_only_its_nights() -> None:
    ((_, write),) = plan(state(RELEASED), NOW).writes
    assert write.levels == dict.fromkeys(NIGHTS, 1)


def test_rule_01_no_night_is_opened_that_the_ledger_does_not_hold() -> None:
    assert plan(state(), NOW).writes == ()


def test_rule_05_a_row_released_earlier_waits_for_a_listing_that_was_added_since() -> None:
    before = state(RELEASED)
    new = {**before.listings, "c": replace(listing("c"), complete=False)}
    decided = plan(replace(before, listings=new), NOW)
    assert decided.writes == ()
    assert decided.waiting


def test_rule_19_a_site_with_an_unreadable_row_closes_and_never_opens() -> None:
    assert plan(state(RELEASED, whole=False), NOW).writes == ()
    assert plan(state(CLOSED, whole=False), NOW).blocks == ()
    assert len(plan(state(stays=(stay(),), whole=False), NOW).writes) == 1


def test_rule_02_while_a_write_may_still_land_closures_go_out_and_openings_wait() -> None:
    lost = Write(3, NOW, dict.fromkeys(NIGHTS, 0))
    other = StayDates(date(2027, 8, 1), date(2027, 8, 2))
    base = state(RELEASED, stays=(stay("S2", other),))
    young = replace(base, listings={**base.listings, "b": replace(base.listings["b"], writes=(lost,))})
    decided = plan(young, NOW + GRACE - timedelta(seconds=1))
    assert [write.opens for _, write in decided.writes] == [False]
    assert decided.wake == NOW + GRACE
    late = plan(young, NOW + GRACE)
    assert late.listings[0].writes[0].levels == {date(2027, 8, 1): 0}


def test_rule_02_what_should_be_closed_under_a_lost_opening_is_said_again() -> None:
    lost = Write(3, NOW, dict.fromkeys(NIGHTS, 1))
    base = state(CLOSED, stays=(stay(),))
    after = replace(base, listings={**base.listings, "b": replace(base.listings["b"], writes=(lost,))})
    assert plan(after, NOW).writes == ()
    ((_, write),) = plan(after, NOW + GRACE).writes
    assert write.levels == dict.fromkeys(NIGHTS, 0)


def test_nights_that_another_stay_still_holds_stay_closed_when_one_is_released() -> None:
    longer = StayDates(date(2027, 7, 12), date(2027, 7, 15))
    kept = Block("b", "airbnb|S2", longer, phase=Phase.ACCEPTED, fence=2, taken_at=NOW)
    ((_, write),) = plan(state(RELEASED, kept, stays=(stay("S2", longer),)), NOW).writes
    assert set(write.levels) == {date(2027, 7, 10), date(2027, 7, 11)}


def test_nothing_is_sent_into_a_paused_account() -> None:
    decided = plan(state(stays=(stay(),)), NOW, paused={"booking"})
    assert decided.writes == ()
    assert [row.phase for row in decided.blocks] == [Phase.INTENDED]


def test_nights_that_have_passed_are_neither_closed_nor_opened() -> None:
    august = datetime(2027, 8, 1, tzinfo=UTC)
    decided = plan(state(RELEASED, CLOSED, stays=(stay(),)), august)
    assert decided.writes == ()
    assert set(decided.spent) == {CLOSED.key}
