"""What can be done, as far as the engine must look round for it: other homes of a group, and sources asked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.domain.model import Status
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.messages import encode
from shared.ports.bus import Message
from tests.engine.hamlet import Hamlet, calendar, link, stay
from tests.engine.people import LOCAL
from tests.engine.stories import AUGUST, JULY, MINUTE

Build = Callable[..., Hamlet]

MILL, BARN = Home("mill", "Mill", "owner", group="cottages"), Home("barn", "Barn", "owner", group="cottages")
LONE = Home("mill", "Mill", "owner")


def built(hamlet: Build, *homes: Home) -> Hamlet:
    """The mill sold on Booking.com and, by the same nights, in Greengo's calendar as well: Greengo's came first."""
    found = hamlet(homes, {"mill": GREENGO})
    found.run(found.first_answers())
    found.web.answers[link("mill")] = calendar(("g1", JULY), summary="Reserved")
    found.run(found.engine.calendars.shard("0000", force=True))
    found.clock.advance(40 * MINUTE)
    found.booking.tell(stay("b1", ("mill", JULY)))
    return found


def proposals(found: Hamlet) -> dict[str, Any]:
    found.run(found.poll())
    found.run(found.engine.calendars.shard("0000", force=True))
    found.run(found.drain())
    return shown(found)


def shown(found: Hamlet) -> dict[str, Any]:
    """The proposals as the one conflict shows them."""
    cases = found.engine.cases
    (case,) = found.run(cases.listed(LOCAL))
    whole: Any = cases.whole(found.run(cases.shown(LOCAL, case.name)))
    return {one["kind"]: one for one in whole["proposals"]}


def test_a_free_home_of_the_group_in_another_site_is_offered(hamlet: Build) -> None:
    found = built(hamlet, MILL, BARN)
    move = proposals(found)["move"]
    assert move["steps"][0]["to"] == "barn"
    assert "Barn" in move["message"]["fr"]
    assert move["by_hand"]
    assert not move["automatic"]


def test_a_home_that_is_taken_is_not_offered(hamlet: Build) -> None:
    found = built(hamlet, MILL, BARN)
    found.booking.tell(stay("b2", ("barn", JULY)))
    assert "move" not in proposals(found)


def test_a_home_whose_source_is_too_old_is_not_offered(hamlet: Build) -> None:
    found = built(hamlet, MILL, BARN)
    options = proposals(found)
    assert "move" in options
    found.clock.advance(60 * MINUTE)
    assert "move" not in shown(found)


def test_without_a_group_nothing_is_looked_up_and_nothing_offered(hamlet: Build) -> None:
    assert "move" not in proposals(built(hamlet, LONE))


def reread(found: Hamlet, key: str) -> None:
    found.run(found.engine.work(encode(Message("reread", key, "1")), 1, "reread"))


def test_a_reservation_asked_about_again_is_put_where_it_belongs(hamlet: Build) -> None:
    found = built(hamlet, LONE)
    proposals(found)
    found.booking.said["b1"] = stay("b1", ("mill", AUGUST))
    reread(found, "booking|b1")
    state = found.run(found.engine.world.sites.load("mill"))
    assert [part.dates for part in state.reservations["booking|b1"].parts] == [AUGUST]
    (clash,) = state.conflicts.values()
    assert clash.verified_at is not None


def test_that_a_platform_does_not_know_a_reservation_frees_nothing(hamlet: Build) -> None:
    found = built(hamlet, LONE)
    proposals(found)
    del found.booking.said["b1"]
    for key in ("booking|b1", "booking|never", "nobody|b1", "booking|", ""):
        if key:
            reread(found, key)
    state = found.run(found.engine.world.sites.load("mill"))
    assert state.reservations["booking|b1"].status is Status.CONFIRMED
    assert found.run(found.engine.world.inbox.quarantined()) == []
