"""``SyncEngine``: six methods over the same use cases that the triggers call, and the strategies it runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest

from shared import bootstrap, config
from shared.domain.dates import StayDates
from shared.domain.errors import NotFound, PayloadRejected, Unreadable
from shared.domain.model import ConflictResolution, SyncMode
from shared.domain.modes import SECONDS_A_UNIT, ModeSetting
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Platform
from shared.domain.reports import PlatformStatus, SyncResult
from shared.engine.engine import SyncEngine
from shared.engine.steps import FEEDS, OBSERVE, QUEUE, SITE, Source, Territory
from shared.engine.strategies import Auto, Batch, Manual, RealTime, SyncStrategy, strategy_for
from shared.ports.stores import Row, Value
from shared.state import site_codec
from shared.state.accounts import Place
from shared.state.names import SITES
from tests.engine.village import HOME, Village
from tests.functions.conftest import ROOT

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


def engine_of(village: Village) -> SyncEngine:
    return SyncEngine(village.engine, {BOOKING: 20.0}, sleep=asyncio.sleep)


def loop_for(village: Village, span: timedelta) -> None:
    """Let the loops run so long."""

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(span.total_seconds()):
                await engine_of(village).start_continuous_sync()

    village.run(run())


# ------------------------------------------------------------------------------------------ the six methods


def test_the_loops_alone_close_what_is_sold_anywhere(village: Village) -> None:
    village.book("booking", JULY)
    village.book("greengo", StayDates.of_nights(date(2027, 9, 1), 2))
    loop_for(village, timedelta(minutes=5))
    september = set(StayDates.of_nights(date(2027, 9, 1), 2).nights())
    assert village.airbnb.calendar.closed == set(JULY.nights()) | september
    assert village.booking.calendar.closed == september


def test_the_loops_outlive_a_platform_and_a_bus_that_are_down(village: Village) -> None:
    village.bus.down = village.booking.faults.down = True
    village.book("greengo", JULY)
    loop_for(village, timedelta(minutes=5))
    assert village.airbnb.calendar.closed == set(JULY.nights())
    village.bus.down = village.booking.faults.down = False
    loop_for(village, timedelta(minutes=45))
    assert village.booking.calendar.closed == set(JULY.nights())


def test_the_loops_outlive_several_chores_that_fail_and_tell_of_each(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two chores of one timer that failed used to end all loops for good; a fault of ours still does."""

    def fails_with(wrong: Exception) -> Callable[..., Awaitable[None]]:
        async def fails(*_: object) -> None:
            raise wrong

        return fails

    monkeypatch.setattr(village.engine.audit, "run", fails_with(Unreadable("one row")))
    monkeypatch.setattr(village.engine.record, "clean", fails_with(Unreadable("another")))
    village.book("booking", JULY)
    loop_for(village, timedelta(minutes=5))
    assert village.airbnb.calendar.closed == set(JULY.nights())
    told = [fields["why"] for name, fields in village.telemetry.events if name == "loop_failed"]
    assert told == ["one row", "another"]
    monkeypatch.setattr(village.engine.audit, "run", fails_with(LookupError("ours")))
    with pytest.raises(ExceptionGroup) as ended:
        village.run(engine_of(village).start_continuous_sync())
    assert ended.group_contains(LookupError, match="ours")


def test_one_call_asks_everybody_and_sends_what_they_told(village: Village) -> None:
    village.book("greengo", JULY)
    result: SyncResult = village.run(engine_of(village).sync_all_platforms(SyncMode.MANUAL))
    assert result.succeeded
    assert result.mode is SyncMode.MANUAL
    assert village.booking.calendar.closed == set(JULY.nights())
    assert result.figures[GREENGO].changed == 1
    assert result.figures[BOOKING].sent == 1


def test_a_platform_that_is_down_is_told_in_the_result(village: Village) -> None:
    village.airbnb.faults.down = True
    result = village.run(engine_of(village).sync_all_platforms(SyncMode.MANUAL))
    assert not result.succeeded
    assert list(result.errors) == ["observe airbnb"]
    assert result.done + result.failed == 5


def test_one_platform_alone(village: Village) -> None:
    village.book("greengo", JULY)
    village.clock.advance(timedelta(minutes=3))
    result = village.run(engine_of(village).sync_specific_platform(GREENGO))
    assert result.done == 2
    assert village.airbnb.calendar.closed == set(JULY.nights())
    with pytest.raises(PayloadRejected, match="nowhere"):
        village.run(engine_of(village).sync_specific_platform(Platform("nowhere")))


def test_conflicts_are_found_and_their_nights_stay_closed(village: Village) -> None:
    village.book("greengo", JULY)
    village.book("airbnb", JULY)
    engine = engine_of(village)
    assert village.run(engine.detect_conflicts()) == []
    village.run(engine.sync_all_platforms(SyncMode.MANUAL))
    [conflict] = village.run(engine.detect_conflicts())
    assert conflict.conflict_dates == JULY
    proposal = village.run(engine.resolve_date_blocking(conflict))
    assert isinstance(proposal, ConflictResolution)
    village.run(village.drain())
    assert village.booking.calendar.closed == set(JULY.nights())
    assert len(village.run(engine.detect_conflicts())) == 1


@pytest.mark.parametrize("row", [site_codec.HEAD, site_codec.SITE, None])
def test_a_site_nobody_can_read_hides_no_conflict_of_another(village: Village, row: str | None) -> None:
    """One odd row, or a site on its way in or out, used to end both questions with an error."""
    village.book("greengo", JULY)
    village.book("airbnb", JULY)
    engine = engine_of(village)
    village.run(engine.sync_all_platforms(SyncMode.MANUAL))
    village.run(village.engine.world.accounts.list_in_directory("site", "barn", {"owner": "claire"}))
    odd: dict[str, Value] = {"version": "x"} if row == site_codec.HEAD else {"version": 1}
    for key, values in ((site_codec.HEAD, odd), (site_codec.SITE, {"homes": "["})) if row else ():
        village.run(village.tables.upsert(SITES, Row("barn", key, values)))
    village.restart()
    engine = engine_of(village)
    assert [one.conflict_dates for one in village.run(engine.detect_conflicts())] == [JULY]
    status = village.run(engine.get_sync_status())
    assert (status.sites, status.conflicts) == (1 if row is None else 2, 1)
    assert any("barn" in why for why in status.reasons) is (row is not None)


def test_a_conflict_of_a_home_nobody_knows_is_refused(village: Village) -> None:
    from dataclasses import replace

    village.book("greengo", JULY)
    village.book("airbnb", JULY)
    engine = engine_of(village)
    village.run(engine.sync_all_platforms(SyncMode.MANUAL))
    [conflict] = village.run(engine.detect_conflicts())
    with pytest.raises(NotFound, match="castle"):
        village.run(engine.resolve_date_blocking(replace(conflict, property_id="castle")))


def test_the_status_names_every_source_with_its_mode_and_freshness(village: Village) -> None:
    engine = engine_of(village)
    village.run(village.poll_booking())
    status = village.run(engine.get_sync_status())
    assert {one.source: one.mode for one in status.platforms} == {
        "airbnb": SyncMode.REAL_TIME,
        "booking": SyncMode.REAL_TIME,
        f"{HOME}-greengo": SyncMode.REAL_TIME,
    }
    assert all(one.fresh for one in status.platforms)
    assert (status.sites, status.waiting, status.conflicts, status.well) == (1, 0, 0, True)
    village.clock.advance(timedelta(hours=2))
    later = village.run(engine.get_sync_status())
    assert not any(one.fresh for one in later.platforms)
    assert not later.well


def test_an_account_is_fresh_by_the_period_it_is_asked_in(village: Village) -> None:
    """One with hundreds of homes is looked at every few minutes only: it used to be called stale between two looks,
    while the question that sells, and every page, called it fresh."""
    for number in range(600):
        village.run(village.engine.world.accounts.put_unit("airbnb", f"u{number}", Place(HOME, "none")))
    village.restart()
    village.run(village.engine.world.accounts.note_look("airbnb", village.clock.now()))
    village.clock.advance(timedelta(hours=1))
    found = village.run(engine_of(village).get_sync_status()).platforms
    (one,) = (one for one in found if one.source == "airbnb")
    assert one.period == timedelta(seconds=601 * SECONDS_A_UNIT)
    assert one.fresh


# --------------------------------------------------------------------------------------------- strategies

LINKS = Source(FEEDS, "0000", ("greengo",), SyncMode.REAL_TIME)
QUEUED = Source(OBSERVE, "booking", ("booking",), SyncMode.BATCH, polled=True)
PUSHING = Source(OBSERVE, "airbnb", ("airbnb",), SyncMode.MANUAL, ("u1",))
ALL = Territory((LINKS, QUEUED, PUSHING), {"a": ("airbnb",), "b": ("booking",)}, frozenset({"b"}))


@pytest.mark.parametrize(
    ("mode", "asked", "visited"),
    [
        (SyncMode.REAL_TIME, [(FEEDS, False), (QUEUE, False), (OBSERVE, False)], ["b"]),
        (SyncMode.BATCH, [(FEEDS, True), (QUEUE, False), (OBSERVE, False)], ["b"]),
        (SyncMode.MANUAL, [(FEEDS, True), (QUEUE, False), (OBSERVE, True), (OBSERVE, True)], ["a", "b"]),
        (SyncMode.AUTO, [(FEEDS, False), (QUEUE, False), (OBSERVE, False)], ["a", "b"]),
    ],
)
def test_a_mode_says_who_is_asked_and_how_thoroughly(
    mode: SyncMode, asked: list[tuple[str, bool]], visited: list[str]
) -> None:
    sources, sites = strategy_for(mode).steps(ALL)
    assert [(one.kind, one.force) for one in sources] == asked
    assert [one.key for one in sites] == visited
    assert all(one.kind == SITE and one.asked is (mode is SyncMode.MANUAL) for one in sites)


def test_a_site_that_is_named_is_looked_at_whether_it_has_work_or_not() -> None:
    named = Territory((), {"a": ()}, narrow=True)
    assert [one.key for one in RealTime().steps(named)[1]] == ["a"]


def test_how_often_is_what_the_owner_chose() -> None:
    chosen = ModeSetting(poll_minutes=5, batch_minutes=30)
    assert RealTime(chosen).sync_interval == timedelta(minutes=5)
    assert Batch(chosen).sync_interval == timedelta(minutes=30)
    assert Manual(chosen).sync_interval is None
    assert Auto(setting=chosen).sync_interval == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("mode", "handler"),
    [(SyncMode.REAL_TIME, RealTime), (SyncMode.BATCH, Batch), (SyncMode.MANUAL, Batch)],
)
def test_while_nobody_asks_each_source_has_one_strategy(mode: SyncMode, handler: type) -> None:
    """One in MANUAL is still read in the rhythm of the batch: its facts are stored, nothing is sent."""
    strategies: list[SyncStrategy] = [RealTime(), Batch(), Manual()]
    able = [one for one in strategies if one.can_handle(PlatformStatus("x", AIRBNB, mode))]
    assert [type(one) for one in able] == [handler]


# ------------------------------------------------------------------------------------------ several hosts


@pytest.mark.parametrize("second", [0, 1, 15, 20])
def test_hosts_that_tick_a_hair_apart_ring_once(village: Village, second: int) -> None:
    other = village.another_host()
    now = village.clock.peek()
    tick = now.replace(second=second, microsecond=0) + timedelta(minutes=3)
    village.clock.advance(tick - now - timedelta(milliseconds=200))
    village.run(village.engine.on_timer_poll_feeds())
    village.clock.advance(timedelta(milliseconds=400))
    village.run(other.on_timer_poll_feeds())
    rung = [one.message.kind for one in village.run(village.bus.receive("work", 10, 0))]
    assert rung == ["feeds"]


async def test_a_program_gets_the_engine_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    monkeypatch.setattr(config, "current", lambda: config.read(sample))
    try:
        first, second = bootstrap.sync_engine(), bootstrap.sync_engine()
        assert isinstance(first, SyncEngine)
        assert first._operations is second._operations is bootstrap.engine()
    finally:
        await bootstrap.close()
