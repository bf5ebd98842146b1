"""Published cases of two-sided synchronisation, told with stays. An item is a guest's stay, its content the nights, and
to hold it is to show those nights as taken. What the cases call deleting is, here, to sell nights again.

Where a case finds one item on both sides without a record of it, we find two guests with the same nights: a
conflict, in which nothing is deleted either. ``OTHERWISE`` lists what does not translate, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.domain.dates import StayDates
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.merge import is_older, merge_stay
from shared.domain.model import Part, Phase, Reservation, Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.people import LOCAL
from tests.engine.stories import (
    MINUTE,
    after,
    cancelled,
    clashes,
    deliver,
    ledger,
    moved,
    nights,
    opened,
    polled,
    pulled,
    sold,
    told,
)
from tests.engine.village import START, Village
from tests.security.corpus import ROOT, load

FILE = "sync/two_sided_cases.json"
BARN = (Home("barn", "Grange", "owner"),)
Case = Mapping[str, Any]
Build = Callable[..., Hamlet]

OTHERWISE = {
    "update on both sides": "no rule may name a winner: both guests stay, so there is no name of a rule to refuse",
    "two places carry one id": "in calendars a UID stands twice in good faith (several ranges): all of them are held",
    "one side read-only, other gained an item": "a stay cannot be reverted: the side that lacks it waits and says so",
    "tie-break is antisymmetric": "no platform sends vectors or invalid flags: versions and cancellations decide",
}
"""The part of a case that does not translate, and why; the rest of it is tested below."""


def dates(item: str, version: int = 1) -> StayDates:
    """The nights of an item: its own month, four nights, shifted by two for each later content (so they overlap)."""
    number = "0123456789ABCDEF".index(item[:1].upper())
    return StayDates.of_nights(date(2027, 4 + number, 1) + 2 * timedelta(days=version), 4)


def of(side: Mapping[str, int]) -> set[date]:
    return nights(*(dates(item, version) for item, version in side.items()))


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The case that is named like the test."""
    (found,) = (one for one in load(FILE)["cases"] if named(one["name"]) == request.node.originalname)
    return dict(found)


def named(name: str) -> str:
    words = "".join(sign if sign.isalnum() else " " for sign in name.lower())
    return "test_" + "_".join(words.split())


def test_every_case_is_told_here() -> None:
    if not (ROOT / FILE).exists():
        pytest.skip(f"no ../shared: {FILE} is not on this machine")
    names = [one["name"] for one in load(FILE)["cases"]]
    assert len(names) == 20
    assert {named(name) for name in names} <= set(globals())
    assert set(OTHERWISE) <= set(names)


# ------------------------------------------------------------------------------- no record of a first sync


def test_first_sync_joins_both_sides(case: Case, village: Village) -> None:
    for side, platform in (("a", "airbnb"), ("b", "booking")):
        for item in case[side]:
            told(village, platform, dates(item))
    for calendar_ in (village.airbnb.calendar, village.booking.calendar):
        assert calendar_.taken() == of(case["result"])


def test_missing_status_same_item_on_both_sides(case: Case, village: Village) -> None:
    """Both sold the nights before we knew of either: they stay taken on both, and a person is asked."""
    for item in case["result"]:
        sold(village, "airbnb", dates(item))
        sold(village, "booking", dates(item))
    village.run(village.first_answers())
    assert village.airbnb.calendar.taken() == village.booking.calendar.taken() == of(case["result"])
    assert [one.conflict_dates for one in clashes(village)] == [dates(item) for item in case["result"]]


def test_missing_status_different_content_under_one_id(case: Case, village: Village) -> None:
    ours = sold(village, "airbnb", dates("1", case["a"]["1"]))
    theirs = sold(village, "booking", dates("1", case["b"]["1"]))
    village.run(village.first_answers())
    assert [one.conflict_dates for one in clashes(village)] == [ours.dates.intersection(theirs.dates)]
    both = nights(ours.dates, theirs.dates)
    assert village.airbnb.calendar.taken() == village.booking.calendar.taken() == both
    assert not opened(village.airbnb) | opened(village.booking)


# ------------------------------------------------------------------------------------- changes of one side


def test_update_on_one_side(case: Case, village: Village) -> None:
    one = told(village, "airbnb", dates("1", case["known"]["1"]))
    moved(village, "airbnb", one, dates("1", case["a"]["1"]))
    assert village.booking.calendar.closed == of(case["result"])


def test_update_on_both_sides(case: Case, village: Village) -> None:
    """The stay moves on the one side while the other sells nights of its new dates: both are kept, and told."""
    one = told(village, "airbnb", dates("1", case["known"]["1"]))
    sold(village, "booking", StayDates.of_nights(dates("1", case["b"]["1"]).check_out, 1))
    village.airbnb.calendar.move(one, dates("1", case["b"]["1"] + 1))
    village.say("airbnb", one, "modify")
    deliver(village)
    village.run(village.poll_booking())
    assert len(clashes(village)) == 1
    assert village.booking.calendar.taken() == village.airbnb.calendar.taken() == nights(one.dates)


def test_etag_changed_on_both_sides_content_same(case: Case, hamlet: Build) -> None:
    built = hamlet(BARN, {"barn": GREENGO})
    built.booking.tell(stay("b1", ("barn", dates("1"))))
    built.web.answers[link("barn")] = stamped("20270101T000000Z")
    built.run(built.first_answers())
    built.run(built.poll())
    writes = len(built.booking.did("write"))
    built.booking.tell(stay("b1", ("barn", dates("1"))))
    built.web.answers[link("barn")] = stamped("20270202T000000Z").replace(
        b"SUMMARY:", b"COMMENT:x\r\nSUMMARY:"
    )
    built.run(built.poll())
    built.run(built.engine.calendars.shard("0000", force=True))
    assert len(built.booking.did("write")) - writes == case["writes"]


def test_deleted_on_one_side(case: Case, village: Village) -> None:
    stays = {item: told(village, "airbnb", dates(item)) for item in case["known"]}
    for item in case["known"].keys() - case["a"].keys():
        cancelled(village, "airbnb", stays[item])
    assert village.booking.calendar.closed == of(case["result"])


def test_updated_on_one_side_deleted_on_the_other(case: Case, village: Village) -> None:
    """The peer dropped our closure from its calendar while the stay moved: it gets the new closure all the same."""
    one = told(village, "airbnb", dates("1", case["known"]["1"]))
    pulled(village)
    polled(village)
    village.greengo.imported, village.greengo.calendar.closed = {}, set()
    polled(village, MINUTE)
    moved(village, "airbnb", one, dates("1", case["a"]["1"]))
    pulled(village)
    assert village.greengo.calendar.closed == village.booking.calendar.closed == of(case["result"])


# ------------------------------------------------------------------------------------------ an empty side


def test_side_a_comes_back_empty(case: Case, village: Village) -> None:
    for item in case["known"]:
        sold(village, "greengo", dates(item))
    polled(village)
    village.greengo.empty = True
    for _ in range(10):
        polled(village, 30 * MINUTE)
    assert village.airbnb.calendar.closed == village.booking.calendar.closed == of(case["b"])
    (site,) = village.run(village.engine.overview.everything(LOCAL))["sites"]
    assert sorted(night for one in site["stays"] for night in one["vanished"]) == [
        str(dates(item)) for item in case["b"]
    ]


def test_side_b_comes_back_empty(case: Case, hamlet: Build) -> None:
    """The API's whole state is empty, and it knows none of the ids either: no word of a cancellation was said."""
    built = hamlet(BARN, {"barn": GREENGO})
    for item in case["known"]:
        built.booking.tell(stay(item, ("barn", dates(item))))
    built.run(built.first_answers())
    built.run(built.poll())
    built.booking.said.clear()
    built.run(built.engine.observer.observe("booking"))
    state = built.run(built.engine.world.sites.load("barn"))
    kept = [row for row in state.blocks.values() if row.listing == "barn-greengo" and row.wanted]
    assert nights(*(row.dates for row in kept)) == of(case["a"])


# ------------------------------------------------------------------------------------------- odd identities


def test_items_without_ids(case: Case, hamlet: Build) -> None:
    """Identity from content: both are held, and read again they are the same two."""
    events = [("x", dates("1")), ("x", dates("2"))]
    assert len(case["a"]) + len(case["b"]) == len(events)
    body = calendar(*events).replace(b"UID:x\r\n", b"")
    built = replayed(hamlet, body, body.replace(b"VERSION:2.0", b"VERSION:2.0\r\nX-NEW:1"))
    assert built.booking.closed("barn") == nights(dates("1"), dates("2"))
    assert len(facts(built)) == 2
    assert len(built.booking.did("write")) == 1


def test_id_of_an_item_changed_at_its_place(case: Case, hamlet: Build) -> None:
    (old,), (new,) = case["known"], case["a"]
    built = replayed(hamlet, calendar((old, dates("1"))), calendar((new, dates("1"))))
    (fact,) = facts(built)
    assert fact.aliases == (old, new)
    assert built.booking.closed("barn") == nights(dates("1"))
    assert len(built.booking.did("write")) == 1


def test_two_places_carry_one_id(case: Case, hamlet: Build) -> None:
    one, other = case["a"].values()
    built = replayed(hamlet, calendar((one, dates("1")), (other, dates("2"))))
    assert built.booking.closed("barn") == nights(dates("1"), dates("2"))


def test_item_moved_to_another_place(case: Case, hamlet: Build) -> None:
    """The same events in another order."""
    events = [("u1", dates("1")), ("u2", dates("2"))]
    built = replayed(hamlet, calendar(*events), calendar(*reversed(events)))
    assert built.booking.closed("barn") == nights(dates("1"), dates("2"))
    assert len(built.booking.did("write")) - 1 == case["writes"]


def test_bogus_etag_change_on_one_side_real_change_on_the_other(case: Case, village: Village) -> None:
    """Airbnb repeats itself under a newer version; Booking.com's stay really moved."""
    mine = told(village, "airbnb", dates("2"))
    theirs = told(village, "booking", dates("1", case["known"]["1"]))
    mine.version += 1
    village.say("airbnb", mine, "modify")
    moved(village, "booking", theirs, dates("1", case["b"]["1"]))
    assert village.airbnb.calendar.closed == of(case["result"])
    assert village.booking.calendar.closed == nights(mine.dates)


def test_listing_repeats_one_entry_three_times(case: Case, hamlet: Build) -> None:
    times = case["duplicated_listing"]
    built = replayed(hamlet, calendar(*[("u1", dates("1"))] * times))
    for _ in range(times):
        built.booking.tell(stay("b2", ("barn", dates("2"))))
    built.run(built.poll())
    assert built.booking.did("acknowledge") == [f"b2@{n}" for n in range(times)]
    assert built.booking.closed("barn") == of(case["result"])
    state = built.run(built.engine.world.sites.load("barn"))
    assert len(state.reservations) == 2
    assert len(state.blocks) == 2


# ------------------------------------------------------------------------------------ a side that takes nothing


def test_write_to_the_other_side_fails(case: Case, village: Village) -> None:
    village.booking.faults.refuse = case["b_writes_fail"]
    mine, theirs = (dates(item) for side in "ab" for item in case[side])
    told(village, "airbnb", mine)
    (row,) = ledger(village, "booking")
    assert (row.phase, row.taken_at, row.attempts) == (Phase.INTENDED, None, 1)
    assert row.error == "refused for the test"
    told(village, "booking", theirs)
    assert village.airbnb.calendar.taken() == nights(mine, theirs)
    village.booking.faults.refuse = False
    after(village, MINUTE)
    assert village.booking.calendar.closed == nights(mine)
    assert [row.phase for row in ledger(village, "booking")] == [Phase.ACCEPTED]


def test_both_sides_read_only(case: Case, village: Village) -> None:
    assert case["read_only"] == "both"
    for account in ("airbnb", "booking"):
        village.run(village.engine.world.accounts.pause(account, "read only"))
    village.clock.advance(6 * timedelta(seconds=1))
    told(village, "airbnb", dates("1"))
    told(village, "booking", dates("2"))
    assert village.airbnb.writes == village.booking.writes == []
    accounts = village.run(village.engine.overview.everything(LOCAL))["accounts"]
    assert {one["paused"] for one in accounts if "mode" in one} == {"read only"}


def test_one_side_read_only_other_gained_an_item(case: Case, village: Village) -> None:
    village.run(village.engine.world.accounts.pause("booking", "read only"))
    village.clock.advance(6 * timedelta(seconds=1))
    told(village, "airbnb", dates("1"))
    assert village.booking.writes == []
    assert village.airbnb.calendar.taken() == of(case["a"])
    (site,) = village.run(village.engine.overview.everything(LOCAL))["sites"]
    assert site["not_confirmed"] >= 1
    village.run(village.engine.world.accounts.pause("booking", ""))
    village.clock.advance(6 * timedelta(seconds=1))
    village.run(village.engine.reconciler.reconcile("gite", "resumed"))
    assert village.booking.calendar.closed == of(case["a"])


def test_tie_break_is_antisymmetric(case: Case) -> None:
    """Of two reports of one stay the newer wins, whichever comes first, also where it is the cancellation."""
    pairs = [pair for pair in case["pairs"] if not any({"vector", "invalid"} & one.keys() for one in pair)]
    assert len(pairs) == 2
    for winner, loser in pairs:
        for order in permutations((winner, loser)):
            known: Reservation | None = None
            for observed, one in enumerate(order, start=1):
                known = merge(known, one, observed)
            assert known is not None
            assert known.version == winner["t"]
            assert (known.status is Status.CANCELLED) is bool(winner.get("deleted"))
            assert is_older(known, loser["t"], 9)
            assert not is_older(known, winner["t"], 9)


# ----------------------------------------------------------------------------------------------- by the way


def merge(known: Reservation | None, one: Mapping[str, Any], observed: int) -> Reservation | None:
    status = Status.CANCELLED if one.get("deleted") else Status.CONFIRMED
    seen = SeenStay("s", status, (SeenRoom("unit", "1", dates("1")),), one["t"])
    part = Part("1", "gite-airbnb", dates("1"), START)
    return merge_stay(known, seen, [part], account="airbnb", observed=observed) or known


def replayed(hamlet: Build, *bodies: bytes) -> Hamlet:
    """A home whose calendar is read once for each of the bodies."""
    built = hamlet(BARN, {"barn": GREENGO})
    built.run(built.first_answers())
    for body in bodies:
        built.web.answers[link("barn")] = body
        built.clock.advance(2 * MINUTE)
        built.run(built.engine.calendars.shard("0000", force=True))
    return built


def facts(built: Hamlet) -> list[Reservation]:
    return list(built.run(built.engine.world.sites.load("barn")).reservations.values())


def stamped(at: str) -> bytes:
    return calendar(("u1", dates("2"))).replace(b"SUMMARY:", f"DTSTAMP:{at}\r\nSUMMARY:".encode())
