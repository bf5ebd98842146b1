"""The ladder in the engine: down on failure, up on recovery, told once; MANUAL keeps facts, and sends when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited
from shared.domain.facts import Polled
from shared.domain.model import Account, SyncMode
from shared.domain.modes import Rung
from shared.domain.platform import GREENGO
from shared.engine.operations import Operations
from shared.memory.voices import MemoryNotify
from shared.state import rungs
from tests.engine.people import LOCAL
from tests.engine.village import HOME, Crash, Village
from tests.web.support import Browser

JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
TICK = timedelta(seconds=20)


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def live(village: Village, minutes: float, *hosts: Operations) -> None:
    """So many minutes of timers and workers."""
    for tick in range(int(minutes * 60 / TICK.total_seconds())):
        village.clock.advance(TICK)
        for host in hosts or (village.engine,):
            village.run(host.on_timer_poll_accounts())
            village.run(host.on_timer_sweep())
            if tick % 3 == 0:
                village.run(host.on_timer_poll_feeds())
        village.run(village.drain())


def mode(village: Village, account: str = "booking") -> SyncMode:
    state = village.run(village.engine.world.accounts.load(account))
    assert state is not None
    return state.standing.mode


def told(village: Village) -> list[str]:
    """What was said about changes of mode, in English, up to the reason."""
    return [n.text["en"].split(" (")[0] for n in village.notify.notices if n.kind == "mode_changed"]


def status(village: Village) -> dict[str, Any]:
    return village.run(village.engine.overview.everything(LOCAL))


def choose(village: Village, account: str, **fields: object) -> tuple[int, dict[str, Any]]:
    """What the API answers."""
    return put(village, f"/api/platforms/{account}/mode", fields)


def put(village: Village, where: str, fields: dict[str, object]) -> tuple[int, dict[str, Any]]:
    answer = Browser(village.engine, village.run, LOCAL).call("PUT", where, fields)
    return answer.status, json.loads(answer.body)


def test_a_dead_platform_falls_back_step_by_step_and_returns_by_itself(village: Village) -> None:
    village.booking.faults.down = True
    village.booking.poll = failing(village)  # type: ignore[method-assign]
    live(village, 2)
    assert mode(village) is SyncMode.BATCH
    live(village, 25)
    assert mode(village) is SyncMode.MANUAL
    assert mode(village, "airbnb") is SyncMode.REAL_TIME
    village.booking.faults.down = False
    live(village, 20)
    assert mode(village) is SyncMode.REAL_TIME
    assert told(village) == [
        "booking: real time -> batch",
        "booking: batch -> manual",
        "booking: manual -> batch",
        "booking: batch -> real time",
    ]
    changes = [(line["from"], line["to"]) for line in reversed(status(village)["mode_changes"])]
    assert changes == [
        ("real_time", "batch"),
        ("batch", "manual"),
        ("manual", "batch"),
        ("batch", "real_time"),
    ]


def test_changes_are_remembered_for_a_year_and_more_and_not_for_ever(village: Village) -> None:
    choose(village, "booking", mode="manual")
    village.clock.advance(timedelta(days=399))
    choose(village, "booking", mode="auto")
    village.run(village.engine.on_timer_deep())
    assert len(status(village)["mode_changes"]) == 2
    village.clock.advance(timedelta(days=2))
    village.run(village.engine.on_timer_deep())
    assert [line["to"] for line in status(village)["mode_changes"]] == ["real_time"]


def failing(village: Village) -> Any:
    right = village.booking.poll

    async def poll(account: Account) -> Polled:
        if village.booking.faults.down:
            raise PlatformDown("Booking.com: HTTP 503")
        return await right(account)

    return poll


def test_a_change_of_mode_is_told_once_however_many_hosts_see_it(village: Village) -> None:
    village.booking.poll = failing(village)  # type: ignore[method-assign]
    village.booking.faults.down = True
    live(village, 5, village.engine, village.another_host(), village.another_host())
    village.booking.faults.down = False
    live(village, 10, village.engine, village.another_host())
    assert told(village) == ["booking: real time -> batch", "booking: batch -> real time"]


def test_a_dead_platform_is_asked_less_and_less(village: Village) -> None:
    asked: list[float] = []

    async def poll(account: Account) -> Polled:
        asked.append(village.clock.peek().timestamp())
        raise PlatformDown("Booking.com: HTTP 503")

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 60)
    first, last = len([at for at in asked if at < asked[0] + 600]), len(asked)
    assert first <= 10
    assert last <= first + 14, "after ten minutes every five minutes, later every fifteen"


def test_what_was_sold_meanwhile_is_closed_when_the_platform_returns(village: Village) -> None:
    village.booking.poll = failing(village)  # type: ignore[method-assign]
    village.booking.faults.down = True
    live(village, 30)
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop()))
    assert mode(village) is SyncMode.MANUAL
    [close] = status(village)["close_by_hand"]
    assert (close["listing"], close["nights"], close["why"]) == (
        f"{HOME}-booking",
        str(JULY),
        "Booking.com: HTTP 503",
    )
    village.booking.faults.down = False
    live(village, 25)
    assert village.booking.calendar.closed == set(JULY.nights())
    assert status(village)["close_by_hand"] == []


def test_refused_keys_lead_to_manual_and_back(village: Village) -> None:
    right = village.booking.poll
    refused = True

    async def poll(account: Account) -> Polled:
        if refused:
            raise AuthFailed("Booking.com: HTTP 401")
        return await right(account)

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 1)
    assert mode(village) is SyncMode.MANUAL
    refused = False
    live(village, 20)
    assert mode(village) is SyncMode.REAL_TIME


def test_a_budget_that_is_spent_is_no_failure(village: Village) -> None:
    async def poll(account: Account) -> Polled:
        raise RateLimited("Booking.com: HTTP 429", 30)

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 10)
    assert mode(village) is SyncMode.REAL_TIME
    assert told(village) == []


# ------------------------------------------------------------------------------------- an owner's choice


def test_in_manual_facts_are_stored_and_shown_and_nothing_is_sent_until_asked(village: Village) -> None:
    assert choose(village, "booking", mode="manual")[0] == 200
    village.clock.advance(TICK)
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop()))
    live(village, 30)
    village.run(village.engine.reconciler.reconcile(HOME, "asked for", asked={"airbnb"}))
    assert village.booking.calendar.closed == set(), "asked for another platform"
    shown = status(village)
    assert [one["listing"] for one in shown["close_by_hand"]] == [f"{HOME}-booking"]
    assert any(stay["nights"] == [str(JULY)] for stay in shown["sites"][0]["stays"])
    village.run(village.engine.reconciler.reconcile(HOME, "asked for", asked={"booking"}))
    assert village.booking.calendar.closed == set(JULY.nights())
    village.book("airbnb", AUGUST)
    village.run(village.webhook(village.deliveries.pop()))
    live(village, 10)
    assert village.booking.calendar.closed == set(JULY.nights()), "asking once does not leave MANUAL"


def test_leaving_manual_sends_what_waited(village: Village) -> None:
    choose(village, "booking", mode="manual")
    village.clock.advance(TICK)
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop()))
    assert village.booking.calendar.closed == set()
    choose(village, "booking", mode="auto")
    live(village, 1)
    assert village.booking.calendar.closed == set(JULY.nights())


def test_batch_asks_in_the_chosen_rhythm(village: Village) -> None:
    status_code, shown = choose(village, "booking", mode="batch", batch_minutes=20)
    assert (status_code, shown["mode"], shown["batch_minutes"]) == (200, "batch", 20)
    asked: list[float] = []
    right = village.booking.poll

    async def poll(account: Account) -> Polled:
        asked.append(village.clock.peek().timestamp())
        return await right(account)

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 100)
    gaps = [round((b - a) / 60) for a, b in pairwise(asked)]
    assert gaps
    assert set(gaps) == {20}


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"poll_minutes": 6}, "poll_minutes: input should be less than or equal to 5"),
        ({"batch_minutes": 10}, "batch_minutes: input should be greater than or equal to 15"),
        ({"mode": "turbo"}, "mode: input should be 'auto', 'real_time', 'batch' or 'manual'"),
        ({"speed": 1}, "speed: there is no such field"),
        ({"poll_minutes": "2"}, "poll_minutes: input should be a valid integer"),
        ({"poll_minutes": True}, "poll_minutes: input should be a valid integer"),
    ],
)
def test_what_cannot_be_chosen_is_refused_by_name(
    village: Village, fields: dict[str, object], title: str
) -> None:
    status_code, said = choose(village, "booking", **fields)
    assert (status_code, said["detail"]) == (400, title)
    assert choose(village, "nobody", mode="auto")[0] == 404


@pytest.mark.parametrize(
    ("minutes", "title"),
    [
        ((6, 15), "poll_minutes is 6: it must be 1 to 5"),
        ((2, 10), "batch_minutes is 10: it must be 15 to 30"),
    ],
)
def test_a_rhythm_no_platform_bears_is_refused_whoever_asks(
    village: Village, minutes: tuple[int, int], title: str
) -> None:
    with pytest.raises(PayloadRejected, match=title):
        village.run(village.engine.mode_desk.choose(LOCAL, "booking", None, *minutes))


def test_calendar_links_take_the_rhythm_their_account_chose(village: Village) -> None:
    village.run(village.engine.world.accounts.put(Account("greengo-owner", GREENGO, "owner")))
    assert choose(village, "greengo-owner", poll_minutes=5)[0] == 200
    shard = village.run(village.engine.world.shards.load("0000"))
    assert shard.feeds[f"{HOME}-greengo"].every == 300
    choose(village, "greengo-owner", mode="batch")
    shard = village.run(village.engine.world.shards.load("0000"))
    assert shard.feeds[f"{HOME}-greengo"].every == 900
    [feed] = status(village)["feeds"]
    assert (feed["mode"], feed["reason"]) == ("batch", "asked every 15 min")


# -------------------------------------------------------------------------------- webhooks that never came


def test_a_lost_webhook_costs_at_most_a_poll(village: Village) -> None:
    village.book("airbnb", JULY)
    village.deliveries.clear()
    live(village, 2.5)
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_look_that_finds_nothing_new_reads_one_head_and_writes_one_row(village: Village) -> None:
    live(village, 6)
    before = village.run(village.engine.world.sites.load(HOME)).head.version
    live(village, 10)
    assert village.run(village.engine.world.sites.load(HOME)).head.version == before


def test_a_stay_that_moved_away_and_back_between_two_looks_is_still_held(village: Village) -> None:
    """The whole state equals the last one, but a webhook told of the move in between."""
    stay = village.book("airbnb", JULY)
    assert stay is not None
    village.run(village.webhook(village.deliveries.pop()))
    live(village, 5)
    assert village.airbnb.calendar.move(stay, AUGUST)
    village.say("airbnb", stay, "modify")
    village.run(village.webhook(village.deliveries.pop()))
    assert village.airbnb.calendar.move(stay, JULY)
    live(village, 5)
    assert set(JULY.nights()) <= village.booking.calendar.closed


# ----------------------------------------------------------------------------------- circuits, by hand


def force(village: Village, account: str, operation: str, **fields: object) -> tuple[int, dict[str, Any]]:
    return put(village, f"/api/platforms/{account}/circuits/{operation}", fields)


def test_a_circuit_is_forced_open_and_let_go_by_hand() -> None:
    village = Village(guarded=True)
    status_code, shown = force(village, "booking", "write", state="forced_open")
    assert status_code == 200
    assert [c["state"] for c in shown["circuits"] if c["operation"] == "write"] == ["forced_open"]
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop()))
    live(village, 5)
    assert village.booking.calendar.closed == set()
    (waits,) = village.run(village.engine.overview.everything(LOCAL))["failed_pushes"]
    assert waits["nights"] == str(JULY)
    assert "circuit for write is forced_open" in waits["reason"]
    assert force(village, "booking", "write", state="closed")[0] == 200
    live(village, 10)
    assert village.booking.calendar.closed == set(JULY.nights())
    village.close()


@pytest.mark.parametrize(
    ("operation", "fields"),
    [("write", {"state": "ajar"}), ("dream", {"state": "closed"}), ("write", {}), ("write", {"state": 1})],
)
def test_a_circuit_that_cannot_be_so_is_refused(operation: str, fields: dict[str, object]) -> None:
    village = Village(guarded=True)
    assert force(village, "booking", operation, **fields)[0] == 400
    assert force(village, "nobody", "write", state="closed")[0] == 404
    village.close()


# -------------------------------------------------------------------------- nobody lived to tell of it


def health(village: Village, minutes: int) -> None:
    for _ in range(minutes):
        village.clock.advance(timedelta(minutes=1))
        village.run(village.engine.on_timer_health())


def dies_telling(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the platform fail until the process dies where it would tell of the mode it fell to."""

    async def die(notify: object, notice: object) -> None:
        raise Crash

    async def polls() -> None:
        for _ in range(20):
            village.clock.advance(TICK)
            with suppress(PlatformDown):
                await village.engine.queues.poll("booking")

    village.booking.faults.down = True
    with monkeypatch.context() as patch:
        patch.setattr(MemoryNotify, "tell", die)
        with pytest.raises(Crash):
            village.run(polls())
    village.restart()


def test_a_change_of_mode_is_told_although_the_process_died_before_it_could(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_telling(village, monkeypatch)
    assert (mode(village), told(village)) == (SyncMode.BATCH, [])
    health(village, 3)
    assert told(village) == ["booking: real time -> batch"]
    (change,) = village.run(village.engine.modes.history())
    assert (change["from"], change["to"]) == ("real_time", "batch")


def test_what_was_untold_goes_on_from_where_people_last_heard_of_it(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_telling(village, monkeypatch)
    state = village.run(village.engine.world.accounts.load("booking"))
    assert state is not None
    assert state.rung.untold is SyncMode.REAL_TIME
    village.run(village.engine.modes.failed(state, AuthFailed("the keys are refused")))
    village.restart()
    health(village, 3)
    assert told(village) == ["booking: batch -> manual"]


def test_a_rung_that_came_back_before_anybody_was_told_tells_nothing_and_sends_what_waited(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies_telling(village, monkeypatch)
    village.booking.faults.down = False
    note = village.run(village.engine.world.notes.read("booking", rungs.NOTE))
    back = Rung(since=village.clock.now(), untold=SyncMode.REAL_TIME)
    village.run(village.engine.world.notes.swap("booking", rungs.NOTE, rungs.to_text(back), note.etag))
    health(village, 3)
    assert told(village) == []
    assert village.run(village.engine.world.due.get(HOME)) is not None
    assert "untold" not in village.run(village.engine.world.notes.read("booking", rungs.NOTE)).text


def test_a_told_change_costs_the_health_timer_nothing_more(village: Village) -> None:
    village.booking.faults.down = True
    live(village, 2)
    assert "untold" not in village.run(village.engine.world.notes.read("booking", rungs.NOTE)).text
    before = len(told(village))
    health(village, 3)
    assert len(told(village)) == before == 1
