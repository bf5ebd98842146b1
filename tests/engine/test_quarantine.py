"""What nobody could process: listed without what it held, and tried again the usual way when the cause is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.correlation import correlated
from shared.domain.errors import BusUnavailable, NotFound
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.engine.inbox import UNKNOWN_FOR
from shared.engine.opaque import sealed
from shared.engine.quarantine import KEPT, Aside, CannotHelp, Poisoned, Replay
from shared.engine.work import MOST_DELIVERIES
from shared.messages import encode
from shared.ports.bus import Message
from shared.ports.stores import Row
from shared.state.inbox import SetAside
from shared.state.names import INBOX, QUARANTINE
from tests.engine.hamlet import Hamlet, portfolio, stay
from tests.engine.people import LOCAL, operator
from tests.engine.stories import JULY, MINUTE, nights, sold
from tests.engine.test_rules_closing import PAIR
from tests.engine.village import HOME, Village

Build = Callable[..., Hamlet]

CAMILLE = operator("camille@homes.example")


def listed(village: Village | Hamlet) -> Poisoned:
    return village.run(village.engine.poisoned.found(LOCAL))


def rows(village: Village | Hamlet) -> tuple[Aside, ...]:
    return listed(village).rows


def replay(village: Village | Hamlet, name: str) -> Replay:
    return village.run(village.engine.poisoned.replay(CAMILLE, name))


def sent(village: Village | Hamlet, name: str) -> bool:
    """Whether it went on its way by this replay."""
    return not replay(village, name).already


def poison(village: Village, message: Message, deliveries: int = MOST_DELIVERIES) -> None:
    """A message of ``work`` as the trigger hands it over the last time."""
    with correlated("the-poisoned-call"):
        village.run(village.engine.work(encode(message), deliveries, message.message_id))


# ------------------------------------------------------------------------------------------------ to look


def test_it_is_listed_with_its_reason_and_its_age_and_never_with_its_body(village: Village) -> None:
    body = json.dumps({"guest": "Jeanne Martin"}).encode()
    with correlated("the-poisoned-call"):
        village.run(village.webhook(body))
    village.clock.advance(timedelta(minutes=5))
    found = listed(village)
    (one,) = found.rows
    assert (one.what, one.source, one.size) == (SetAside.WEBHOOK, "airbnb", len(body))
    assert one.at is not None
    assert (found.at - one.at).total_seconds() == pytest.approx(300, abs=5)
    assert one.reason
    assert "Jeanne" not in repr(found)


def test_the_newest_comes_first(village: Village) -> None:
    for number in range(3):
        poison(village, Message("dance", f"x{number}", "1"))
        village.clock.advance(MINUTE)
    instants = [one.at for one in rows(village) if one.at]
    assert len(instants) == 3
    assert instants == sorted(instants, reverse=True)


def test_while_the_bus_is_down_the_rows_are_still_shown(village: Village) -> None:
    poison(village, Message("dance", "x", "1"))
    village.bus.down = True
    found = listed(village)
    assert (len(found.rows), found.dead) == (1, None)
    assert "down" in found.silent


def test_dead_letters_of_both_queues_are_listed_and_replayed(village: Village) -> None:
    for queue in ("work", "conflicts"):
        village.bus.put(queue, b"\xff not ours", f"id-{queue}")
        for _ in range(10):
            (one,) = village.run(village.bus.receive(queue, 1, 0))
            village.run(village.bus.abandon(queue, one))
    found = listed(village).dead or ()
    assert [(one.queue, one.reason, one.kind) for one in found] == [
        ("work", "MaxDeliveryCountExceeded", ""),
        ("conflicts", "MaxDeliveryCountExceeded", ""),
    ]
    for one in found:
        assert sent(village, one.id)
        with pytest.raises(NotFound):
            replay(village, one.id)
    village.run(village.drain())
    assert listed(village).dead == ()
    assert {one.source for one in rows(village)} == {"work", "conflicts"}, "now with a reason of ours"


# ----------------------------------------------------------------------------------------------- to replay


def test_a_message_that_tried_too_often_works_when_its_cause_is_gone(village: Village) -> None:
    """The last of eight tries: what is replayed begins to count anew, or one more blip would bury it again."""
    sold(village, "airbnb", JULY)
    message = Message("site", HOME, "7" + "+" * 8)
    village.run(village.engine.worker.set_aside(message.message_id, "work", "no store", encode(message)))
    (one,) = rows(village)
    assert sent(village, one.id)
    (again,) = village.run(village.bus.receive("work", 10, 0))
    assert again.message.key == HOME
    assert again.message.version.count("+") == 1
    assert again.message.message_id != message.message_id
    assert rows(village) == ()


def test_a_second_click_is_told_of_the_first(village: Village) -> None:
    poison(village, Message("dance", "x", "1"))
    (one,) = rows(village)
    first, second = replay(village, one.id), replay(village, one.id)
    assert (first.already, second.already) == (False, True)
    assert second.by == "camille@homes.example"
    assert second.at is not None


def test_two_clicks_at_the_same_moment_send_one_message(village: Village) -> None:
    poison(village, Message("dance", "x", "1"))
    (one,) = rows(village)

    async def both() -> list[Replay]:
        engines = (village.engine, village.another_host())
        return await asyncio.gather(*(engine.poisoned.replay(CAMILLE, one.id) for engine in engines))

    assert {done.by for done in village.run(both())} == {"camille@homes.example"}
    assert len(village.run(village.bus.receive("work", 10, 0))) == 1


def test_what_fails_again_is_set_aside_again_and_can_be_replayed_again(village: Village) -> None:
    poison(village, Message("dance", "x", "1"))
    for _ in range(3):
        (one,) = rows(village)
        assert sent(village, one.id)
        assert rows(village) == ()
        for _ in range(MOST_DELIVERIES + 1):  # a newer release may be about to come that knows it
            village.run(village.drain())
            village.clock.advance(MINUTE)
    assert len(rows(village)) == 1


def test_while_the_bus_takes_nothing_nothing_is_lost(village: Village) -> None:
    poison(village, Message("dance", "x", "1"))
    (one,) = rows(village)
    village.bus.down = True
    with pytest.raises(BusUnavailable):
        replay(village, one.id)
    village.bus.down = False
    assert [row.id for row in rows(village)] == [one.id]
    assert sent(village, one.id)


def test_a_call_the_platform_did_not_know_closes_its_nights_when_it_does(village: Village) -> None:
    """After six hours a claim is set aside and its nights are free; then the platform's own trouble is over."""
    known = sold(village, "airbnb", JULY)
    body = village.deliveries.pop()
    kept = village.airbnb.calendar.sold.pop(known.id)
    village.run(village.webhook(body))
    village.clock.advance(UNKNOWN_FOR + MINUTE)
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())
    assert not nights(JULY) & village.booking.calendar.closed
    (one,) = rows(village)
    assert (one.what, "knows no reservation" in one.reason) == (SetAside.WEBHOOK, True)
    village.airbnb.calendar.sold[kept.id] = kept
    assert sent(village, one.id)
    village.run(village.drain())
    assert nights(JULY) <= village.booking.calendar.closed
    assert rows(village) == ()


def test_a_stay_nobody_could_place_is_asked_for_again_once_its_home_is_known(hamlet: Build) -> None:
    built = hamlet(PAIR[:1], {"mill": GREENGO})
    built.run(built.first_answers())
    built.booking.tell(stay("b1", ("barn", JULY)))
    built.run(built.poll())
    found = rows(built)
    assert {one.what for one in found} == {SetAside.STAY}
    built.run(built.engine.portfolio.run(portfolio_of(PAIR)))
    for one in found:
        assert sent(built, one.id)
    bells = built.run(built.bus.receive("work", 50, 0))
    assert ("deep", "booking") in {(one.message.kind, one.message.key) for one in bells}


def portfolio_of(homes: tuple[Home, ...]) -> Any:
    return portfolio(homes, {"mill": GREENGO})


def test_what_cannot_be_read_at_all_is_refused_in_words(village: Village) -> None:
    village.run(village.engine.work(b"\xff", 1, "odd"))
    (one,) = rows(village)
    with pytest.raises(CannotHelp, match="not JSON"):
        replay(village, one.id)
    assert len(rows(village)) == 1


def test_a_platform_that_is_connected_no_longer_is_named(village: Village) -> None:
    put = village.engine.world.inbox.quarantine
    village.run(put("d1", "nowhere", "odd", b"{}", SetAside.WEBHOOK))
    village.run(put("d2", "airbnb", "odd", b"x" * 70_000, SetAside.WEBHOOK))
    for one, why in zip(
        rows(village), ("it was too large to be kept whole", "nowhere is connected no longer"), strict=True
    ):
        with pytest.raises(CannotHelp, match=why):
            replay(village, one.id)


@pytest.mark.parametrize(
    ("name", "source", "what"),
    [
        ("dance|x|1", "work", "message"),
        ("conflict|a/b|1", "conflicts", "message"),
        ("booking~B1~unit", "booking", "stay"),
        ("id000001", "airbnb", "webhook"),
    ],
)
def test_rows_of_an_older_release_tell_what_they_are(
    village: Village, name: str, source: str, what: str
) -> None:
    old: Row = Row(
        QUARANTINE,
        name,
        {"source": source, "reason": "r", "raw": b"{}", "at": "2027-03-01T07:00:00.000000Z"},
    )
    village.run(village.tables.upsert(INBOX, old))
    (one,) = rows(village)
    assert (one.what, one.size) == (SetAside(what), 2)


@pytest.mark.parametrize("name", ["", "x", "A" * 5_000, "cm93Cgp4", "ZGVhZAp3b3JrCng", "ZGVhZApub3BlCjE"])
def test_an_id_nobody_gave_is_not_found(village: Village, name: str) -> None:
    with pytest.raises(NotFound):
        replay(village, name)


def test_a_key_no_row_can_have_is_not_found(village: Village) -> None:
    with pytest.raises(NotFound):
        replay(village, sealed("row", "", "é" * 600))


# ---------------------------------------------------------------------------------------------- to forget


def test_what_nobody_replayed_is_forgotten_after_90_days(village: Village) -> None:
    poison(village, Message("dance", "old", "1"))
    village.clock.advance(KEPT)
    poison(village, Message("dance", "young", "1"))
    village.clock.advance(MINUTE)
    village.run(village.engine.on_timer_deep())
    (one,) = rows(village)
    assert one.at is not None
    assert listed(village).at - one.at < timedelta(hours=1)


def test_what_was_replayed_is_kept_without_what_it_held(village: Village) -> None:
    body = json.dumps({"guest": "Jeanne Martin"}).encode()
    village.run(village.webhook(body))
    (one,) = rows(village)
    replay(village, one.id)
    for partition in ("~quarantine", "~replayed"):
        for row in village.run(village.tables.query(INBOX, partition)):
            assert b"Jeanne" not in repr(dict(row.values)).encode()
