"""The health report: the page is open to anybody and says how much is wrong, never of whom; administrators are told
once of what needs them, and when it is over; a healthy hour says nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.notify_many import NotifyMany
from shared.domain.access import Person, Role
from shared.domain.errors import PlatformDown, StoreUnavailable, Unreadable
from shared.domain.facts import Polled
from shared.domain.health import Code, Finding
from shared.domain.model import Account, SyncMode
from shared.domain.platform import GREENGO
from shared.engine.health_alerts import ACCOUNT, NOTE, HealthAlerts, from_text
from shared.engine.operations import Operations
from shared.memory.voices import MemoryChannel
from shared.ports.bus import Message
from shared.ports.people import Notice
from shared.ports.stores import Row
from shared.state.feeds import Feed
from shared.web.api.health import as_json
from tests.engine.people import LOCAL
from tests.engine.stories import JULY, cancelled, clashes, polled, sold, told
from tests.engine.village import HOME, Village

MINUTE = timedelta(minutes=1)
ALL = ("feeds", "accounts", "sweep", "health")


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.run(built.engine.on_timer_sweep())
    yield built
    built.close()


def live(village: Village, minutes: int, timers: Iterable[str] = ALL, *hosts: Operations) -> None:
    """So many minutes, in which only these timers tick."""
    for _ in range(minutes):
        village.clock.advance(MINUTE)
        for host in hosts or (village.engine,):
            ticks = {
                "feeds": host.on_timer_poll_feeds,
                "accounts": host.on_timer_poll_accounts,
                "sweep": host.on_timer_sweep,
                "health": host.on_timer_health,
            }
            for name in timers:
                village.run(ticks[name]())
        village.run(village.drain())


def asked(village: Village) -> tuple[int, list[str]]:
    """What /health answers."""
    answer = village.run(village.engine.health())
    return answer.status, json.loads(answer.body)["reasons"]


def notices(village: Village, *kinds: str) -> list[Notice]:
    """What administrators were told, the same under the same key once, as the channels have it."""
    found = [one for one in village.notify.notices if one.kind in (kinds or ("health", "health_over"))]
    return list({(one.kind, one.key): one for one in found}.values())


def found(village: Village) -> dict[Code, list[Finding]]:
    report = village.run(village.engine.watch.report())
    return {code: [one for one in report.findings if one.code is code] for code in Code}


def measured(village: Village, name: str, **dimensions: str) -> list[float]:
    return [value for what, value, of in village.telemetry.numbers if what == name and of == dimensions]


def test_each_sees_what_concerns_their_homes(village: Village) -> None:
    village.run(village.engine.world.accounts.pause("airbnb", "authorization_revoked"))
    village.run(village.engine.world.due.put(HOME, village.clock.now() - timedelta(hours=1), "a test"))
    village.clock.advance(6 * timedelta(seconds=1))
    report = village.run(village.engine.watch.report())
    claire, zoe = (Person("x", {name: Role.VIEWER}) for name in ("owner", "somebody else"))
    shown = {
        who: [one["code"] for one in as_json(report, person)["findings"]]  # type: ignore[attr-defined]
        for who, person in {"all": LOCAL, "claire": claire, "zoe": zoe}.items()
    }
    assert shown == {"all": ["work_late", "account_paused"], "claire": ["account_paused"], "zoe": []}


def test_a_healthy_hour_says_nothing(village: Village) -> None:
    live(village, 60)
    assert asked(village) == (200, [])
    assert notices(village) == []
    assert set(measured(village, "healthy")) == {1.0}
    assert not [one for name, one in village.telemetry.events if name == "unhealthy"]
    for platform in ("airbnb", "booking", "greengo"):
        ages = measured(village, "sync_age_s", platform=platform)
        assert len(ages) == 60
        assert max(ages) <= 180, "each is asked at least every two minutes"
    assert set(measured(village, "dead_letters")) == set(measured(village, "conflicts_open")) == {0}


def test_a_silent_calendar_and_a_waiting_site_are_counted_and_not_named() -> None:
    village = Village()
    village.run(village.engine.on_timer_poll_feeds())
    village.run(village.drain())
    village.run(village.engine.world.due.put(HOME, village.clock.now(), "a test"))
    village.clock.advance(timedelta(hours=1))
    assert asked(village) == (
        503,
        [
            "calendars without a good answer for too long: 1",
            "accounts without a good answer for too long: 2",
            "sites that wait for over 5 minutes: 1",
        ],
    )
    named = village.run(village.engine.watch.report()).ill
    assert [one.about for one in named] == [f"{HOME}-greengo", "airbnb", "booking", HOME]


def test_a_calendar_nobody_asks_is_told_once_then_daily_and_when_it_is_over(village: Village) -> None:
    others = ("accounts", "sweep", "health")
    live(village, 11, others)
    assert asked(village)[0] == 200, "six periods of two minutes are not over"
    live(village, 5, others)
    assert asked(village) == (503, ["calendars without a good answer for too long: 1"])
    assert notices(village) == [], "it has its grace"
    live(village, 50, others)
    (notice,) = notices(village)
    assert (notice.kind, notice.severity, notice.owner) == ("health", "critical", "")
    assert f"{HOME}-greengo" in notice.text["fr"]
    assert "Open the link" in notice.text["en"]
    village.clock.advance(timedelta(hours=23, minutes=20))
    live(village, 3, others)
    assert [one.kind for one in notices(village)][1:] == ["health"]
    assert "It has lasted since" in notices(village)[-1].text["en"]
    live(village, 10)
    assert asked(village) == (200, [])
    assert [one.kind for one in notices(village)] == ["health", "health", "health_over"]
    assert notices(village)[-1].text == {
        "fr": "C’est rétabli\u202f: calendriers muets (greengo).",
        "en": "It is over: silent calendars (greengo).",
    }
    live(village, 60)
    assert len(notices(village)) == 3


def test_a_calendar_whose_host_is_down_is_told_by_its_own_notice_alone(village: Village) -> None:
    village.greengo.faults.down = True
    live(village, 40)
    assert asked(village)[0] == 503
    assert [one.told_by for one in found(village)[Code.CALENDAR_SILENT]] == ["mode_changed"]
    assert len(notices(village, "mode_changed")) == 1
    assert notices(village) == []


def test_accounts_nobody_asks_are_silent_and_one_notice_a_platform(village: Village) -> None:
    live(village, 30, ("feeds", "sweep", "health"))
    assert asked(village) == (503, ["accounts without a good answer for too long: 2"])
    assert sorted(one.text["en"].split()[2] for one in notices(village)) == ["airbnb", "booking"]
    assert measured(village, "sync_age_s", platform="booking")[-1] > 1700
    live(village, 10)
    assert asked(village) == (200, [])
    assert sorted(one.kind for one in notices(village)) == ["health", "health", "health_over", "health_over"]


def test_an_idle_platform_is_not_silent(village: Village) -> None:
    """Nobody books for a week: each answers that there is nothing new."""
    for _ in range(7):
        village.clock.advance(timedelta(days=1) - 5 * MINUTE)
        live(village, 5, ("feeds", "accounts", "sweep"))
    assert asked(village) == (200, [])


def test_what_was_given_a_moment_ago_has_its_grace(village: Village) -> None:
    feed = Feed("new", HOME, "greengo-owner", GREENGO, "https://greengo.example/new")
    village.run(village.engine.world.shards.put("0000", feed))
    live(village, 10, ("accounts", "sweep"))
    village.run(village.engine.calendars.shard("0000", force=True, only=frozenset({f"{HOME}-greengo"})))
    assert asked(village) == (200, [])
    live(village, 3, ("accounts", "sweep"))
    assert [one.about for one in found(village)[Code.CALENDAR_SILENT]] == ["new"]
    assert asked(village)[0] == 503


def test_a_new_home_of_a_known_account_makes_it_no_silent_one(village: Village) -> None:
    live(village, 10)
    place = village.run(village.engine.world.accounts.load("airbnb")).units["unit-airbnb"]  # type: ignore[union-attr]
    village.run(village.engine.world.accounts.put_unit("airbnb", "another", place))
    village.clock.advance(6 * timedelta(seconds=1))
    assert found(village)[Code.ACCOUNT_SILENT] == []


def test_frozen_timers_are_seen_from_outside(village: Village) -> None:
    live(village, 5)
    village.clock.advance(9 * MINUTE)
    assert found(village)[Code.TIMERS_STOPPED] == []
    village.clock.advance(2 * MINUTE)
    status, reasons = asked(village)
    assert status == 503
    assert "the timers stand still" in reasons


def test_a_site_that_cannot_be_brought_up_to_date_is_found(village: Village) -> None:
    world = village.engine.world
    village.run(world.due.put(HOME, village.clock.now() + MINUTE, "a test", attempts=4))
    assert asked(village) == (503, ["sites that cannot be brought up to date: 1"])


def test_an_account_that_fell_to_manual_is_ill_and_told_by_the_change_alone(village: Village) -> None:
    async def poll(account: Account) -> Polled:
        raise PlatformDown("Booking.com: HTTP 503")

    village.booking.poll = poll  # type: ignore[method-assign]
    live(village, 60)
    assert "accounts that nothing is sent to by itself: 1" in asked(village)[1]
    (fallen,) = found(village)[Code.MODE_FALLEN]
    assert (fallen.about, fallen.told_by) == ("booking", "mode_changed")
    assert fallen.since is not None
    assert "Next try on 1 March 2027, 10:" in fallen.step["en"], "by the clock of Paris, as on every page"
    assert notices(village) == []


def test_manual_by_choice_and_withdrawn_access_are_shown_and_no_illness(village: Village) -> None:
    village.airbnb.faults.down = True  # or it would answer, which ends the pause
    village.run(village.engine.mode_desk.choose(LOCAL, "booking", SyncMode.MANUAL))
    village.run(village.engine.world.accounts.pause("airbnb", "authorization_revoked"))
    live(village, 60)
    assert asked(village) == (200, [])
    seen = found(village)
    assert [one.about for one in seen[Code.MODE_CHOSEN]] == ["booking"]
    assert [one.about for one in seen[Code.ACCOUNT_PAUSED]] == ["airbnb"]
    assert notices(village) == []


def test_dead_letters_are_measured_and_told_until_they_are_gone(village: Village) -> None:
    village.bus.put("work", b"nonsense", "1")

    async def deliver() -> None:
        for _ in range(10):
            for one in await village.bus.receive("work", 1, 0):
                await village.bus.abandon("work", one)

    village.run(deliver())
    live(village, 3)
    assert measured(village, "dead_letters")[-1] == 1
    (notice,) = notices(village)
    assert (notice.severity, asked(village)[0]) == ("high", 200), (
        "kept, and nothing is lost: no promise is broken"
    )
    assert "work has 1 dead letter:" in notice.text["en"]
    village.bus.down = True
    live(village, 30)
    assert [one.text["en"][:33] for one in notices(village)[1:]] == ["The message queue does not answer"]
    assert len(measured(village, "dead_letters")) == 3, "what cannot be counted is no number"
    village.bus.down = False
    (letter,) = village.run(village.bus.dead_letters("work", 10))
    village.run(village.bus.replay("work", letter.sequence))
    live(village, 8)
    assert [one.text["en"] for one in notices(village, "health_over")] == [
        "It is over: the message queue.",
        "It is over: dead letters.",
    ]


def test_a_bus_that_hangs_holds_up_no_report(village: Village) -> None:
    async def hang(queue: str, most: int) -> list[Message]:
        await asyncio.sleep(3600)
        return []

    village.bus.dead_letters = hang  # type: ignore[method-assign,assignment]
    begun = village.clock.peek()
    seen = found(village)
    assert [one.code for one in seen[Code.BUS_DOWN]] == [Code.BUS_DOWN]
    assert village.clock.peek() - begun < timedelta(seconds=10)


def test_tables_that_are_down_are_a_503_with_that_reason(village: Village) -> None:
    async def down(operation: str, table: str, partition: str) -> None:
        raise StoreUnavailable("the tables did not answer")

    village.tables.before = down
    assert asked(village) == (503, ["the tables do not answer"])
    village.tables.before = None
    village.clock.advance(timedelta(seconds=11))
    assert asked(village) == (200, [])


def test_a_row_nobody_can_read_is_said_and_blinds_no_other_eye(village: Village) -> None:
    row = Row("~timers", "lease|sweep", {"until": "yesterday", "fence": 1})
    village.run(village.tables.upsert("Accounts", row))
    village.run(village.engine.world.due.put(HOME, village.clock.now() - timedelta(hours=1), "a test"))
    assert asked(village) == (503, ["the tables do not answer", "sites that wait for over 5 minutes: 1"])


def test_accounts_and_links_nobody_can_read_are_named_and_hold_up_no_other(village: Village) -> None:
    live(village, 3)
    village.run(village.tables.upsert("Accounts", Row("airbnb", "account", {"polled": "yesterday"})))
    village.run(village.tables.upsert("Feeds", Row("0000", f"{HOME}-greengo", {"period": "often"})))
    live(village, 10, ("accounts", "sweep", "health")[1:])
    seen = found(village)
    assert [one.about for one in seen[Code.UNREAD]] == ["airbnb", f"{HOME}-greengo"]
    assert [one.about for one in seen[Code.ACCOUNT_SILENT]] == ["booking"]
    assert "accounts and links whose rows cannot be read: 2" in asked(village)[1]
    assert [one.text["en"][:41] for one in notices(village) if "written" in one.text["en"]] == [
        "What is written of airbnb cannot be read:"
    ]


def test_a_fault_of_ours_is_an_answer_too(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise TypeError("a defect")

    monkeypatch.setattr(village.engine.world.due, "all", broken)
    assert asked(village)[0] == 503
    assert ("health_blind", {"kind": "TypeError"}) in village.telemetry.events


def test_a_fault_of_ours_on_the_way_keeps_nobody_from_being_told(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise TypeError("a defect")

    monkeypatch.setattr(village.engine.modes, "tend", broken)
    village.run(village.engine.world.due.put(HOME, village.clock.now() - timedelta(hours=1), "a test"))
    for _ in range(7):
        village.clock.advance(MINUTE)
        with pytest.raises(TypeError):
            village.run(village.engine.on_timer_health())
    assert measured(village, "healthy")[-1] == 0
    assert [one.kind for one in notices(village)] == ["health"]


@pytest.mark.parametrize("timer", ["on_timer_walk", "on_timer_deep"])
def test_a_chore_that_fails_holds_up_no_other(
    village: Village, monkeypatch: pytest.MonkeyPatch, timer: str
) -> None:
    """One odd row in the reports used to keep guests' names for ever."""
    done: list[str] = []

    async def broken(*_: object) -> None:
        raise Unreadable("a row")

    async def does(*_: object) -> None:
        done.append("done")

    engine = village.engine
    for what, name in ((engine.audit, "run"), (engine.reports, "clean")):
        monkeypatch.setattr(what, name, broken)
    for what, name in ((engine.record, "clean"), (engine.personal, "clean_people")):
        monkeypatch.setattr(what, name, does)
    with pytest.raises(Unreadable):
        village.run(getattr(engine, timer)())
    assert done == ["done"]


def test_of_several_chores_that_fail_each_is_raised(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second used to leave no word anywhere."""

    async def broken(*_: object) -> None:
        raise Unreadable("a row")

    async def odd(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(village.engine.audit, "run", broken)
    monkeypatch.setattr(village.engine.record, "clean", odd)
    with pytest.raises(ExceptionGroup) as raised:
        village.run(village.engine.on_timer_walk())
    assert [type(one) for one in raised.value.exceptions] == [Unreadable, KeyError]


def test_an_outage_is_said_after_one_wait_for_the_tables_and_not_after_ten(village: Village) -> None:
    async def hang(operation: str, table: str, partition: str) -> None:
        await asyncio.sleep(5)
        raise StoreUnavailable("no answer within 5 s")

    village.clock.advance(MINUTE)
    village.tables.before = hang
    begun = village.clock.peek()
    with pytest.raises(StoreUnavailable):
        village.run(village.engine.on_timer_health())
    assert village.clock.peek() - begun < timedelta(seconds=6)
    village.tables.before = None
    [line] = [one for name, one in village.telemetry.events if name == "unhealthy"]
    assert line["code"] == "store_down"
    assert measured(village, "healthy")[-1] == 0


def test_an_outage_of_the_tables_ends_no_alert(village: Village) -> None:
    live(village, 30, ("accounts", "sweep", "health"))
    assert len(notices(village)) == 1

    async def down(operation: str, table: str, partition: str) -> None:
        if table == "Feeds":
            raise StoreUnavailable("the tables did not answer")

    village.tables.before = down
    live(village, 15, ("sweep", "health"))
    assert notices(village, "health_over") == []


def test_what_comes_and_goes_is_one_alert(village: Village) -> None:
    world = village.engine.world
    for _ in range(10):
        village.run(world.due.put(HOME, village.clock.now() - 6 * MINUTE, "a test"))
        live(village, 2, ("feeds", "accounts", "health"))
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())
        live(village, 1)
    assert [one.kind for one in notices(village)] == ["health"]


def test_hosts_tell_the_same_once_and_a_restart_forgets_nothing(village: Village) -> None:
    some = ("accounts", "sweep", "health")
    live(village, 40, some, village.engine, village.another_host(), village.another_host())
    assert len(notices(village)) == 1
    village.restart()
    live(village, 10, some)
    assert len(notices(village)) == 1


def test_the_channels_get_what_several_hosts_tell_at_once_a_single_time(village: Village) -> None:
    channel, world = MemoryChannel(), village.engine.world
    live(village, 20, ("accounts", "sweep"))
    report = village.run(village.engine.watch.report())

    def host() -> HealthAlerts:
        told = NotifyMany([channel], world.told, world.telemetry, now=village.clock.now, new_id=world.new_id)
        return HealthAlerts(replace(world, notify=told))

    async def minutes() -> None:
        hosts = [host() for _ in range(3)]
        for minute in (0, 5, 6):
            later = replace(report, at=report.at + minute * MINUTE)
            await asyncio.gather(*(one.tell(later) for one in hosts))
            await asyncio.sleep(1)

    village.run(minutes())
    assert [one.kind for one in channel.notices] == ["health"]


@pytest.mark.parametrize("calls", range(20))
def test_who_dies_while_telling_is_followed_by_one_who_tells_the_same(calls: int) -> None:
    village = Village()
    village.run(village.engine.on_timer_sweep())
    live(village, 16, ("accounts", "sweep", "health"))
    due = village.run(village.engine.world.notes.read(ACCOUNT, NOTE))
    assert [one.told for one in from_text(due.text).values()] == [None]
    assert not notices(village), "the next visit tells"
    village.clock.advance(MINUTE)
    village.dies_in(calls, village.engine.on_timer_health())
    live(village, 5, ("accounts", "sweep", "health"))
    assert len(notices(village)) == 1
    village.close()


def test_strangers_who_ask_all_day_cost_one_report_in_ten_seconds(village: Village) -> None:
    reads: list[str] = []

    async def count(operation: str, table: str, partition: str) -> None:
        reads.append(operation)

    asked(village)
    village.clock.advance(timedelta(seconds=30))
    village.tables.before = count
    for _ in range(100):
        asked(village)
    assert 0 < len(reads) <= 15
    once = len(reads)
    village.clock.advance(timedelta(seconds=9))
    asked(village)
    assert len(reads) == once


def test_what_is_logged_is_counted_beyond_a_few_lines(village: Village) -> None:
    world = village.engine.world
    for number in range(50):
        village.run(world.due.put(f"site{number:02d}", village.clock.now() - timedelta(hours=1), "a test"))
    village.run(village.engine.on_timer_health())
    lines = [one for name, one in village.telemetry.events if name == "unhealthy"]
    assert len(lines) == 20
    assert lines[-1]["count"] == 50
    assert {one["code"] for one in lines} == {"work_late"}


def test_many_that_were_set_aside_are_not_read_each_minute(village: Village) -> None:
    inbox = village.engine.world.inbox
    assert found(village)[Code.SET_ASIDE] == []
    for number in range(90):
        village.run(inbox.quarantine(f"{number}", "work", "why", b"x"))
    (seen,) = found(village)[Code.SET_ASIDE]
    assert "process: 90" in seen.cause["en"]
    village.run(inbox.quarantine("one more", "work", "why", b"x"))
    village.clock.advance(timedelta(seconds=80))
    assert "process: 90" in found(village)[Code.SET_ASIDE][0].cause["en"]
    village.clock.advance(timedelta(seconds=20))
    assert "process: 91" in found(village)[Code.SET_ASIDE][0].cause["en"]


# ---------------------------------------------------------------------------------------------- conflicts


def standing(village: Village) -> float:
    village.run(village.engine.on_timer_health())
    return measured(village, "conflicts_open")[-1]


def test_conflicts_that_stand_are_counted_and_no_longer_when_they_are_over(village: Village) -> None:
    sold(village, "greengo", JULY)
    guest = told(village, "airbnb", JULY)
    polled(village)
    assert len(clashes(village)) == standing(village) == 1
    cancelled(village, "airbnb", guest)
    assert clashes(village) == []
    assert standing(village) == 0


def test_a_number_that_a_crash_left_wrong_is_set_right_by_the_audit(village: Village) -> None:
    sold(village, "greengo", JULY)
    told(village, "airbnb", JULY)
    polled(village)
    village.run(village.tables.delete("Accounts", "~conflicts", HOME))
    assert standing(village) == 0
    village.run(village.engine.audit.run([HOME]))
    assert standing(village) == 1


def test_the_count_reads_no_site(village: Village) -> None:
    read: list[str] = []

    async def note(operation: str, table: str, partition: str) -> None:
        read.append(table)

    village.tables.before = note
    village.run(village.engine.on_timer_health())
    assert "Sites" not in read
