"""Several channels as one: each fails alone, none holds up a sync, nothing is told twice and nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import notify_many
from shared.adapters.notify_many import MOST_TRIES, NotifyMany
from shared.adapters.notify_smtp import MailServer, SmtpChannel
from shared.domain.errors import PlatformDown, StoreUnavailable
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryChannel, MemoryTelemetry
from shared.ports.people import Channel, Notice, Recipient
from shared.ports.stores import Tables
from shared.state.told import Told, ToldStore
from tests.engine.virtual_loop import VirtualLoop
from tests.mail import Mail

START = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
NOTICE = Notice(
    "dead_link", "gite-greengo", "high", {"fr": "Le lien est refusé.", "en": "The link is refused."}
)


class World:
    """A table, a clock that moves when told (``peek`` and ``advance``: also by a loop), and hosts over both."""

    def __init__(self) -> None:
        self.time = START
        self.tables: Tables = MemoryTables(self.now)
        self.telemetry = MemoryTelemetry()
        self.serial = itertools.count(1)

    def now(self) -> datetime:
        return self.time

    peek = now

    def advance(self, span: timedelta) -> None:
        self.time += span

    def host(self, *channels: Channel, log: MemoryChannel | None = None) -> NotifyMany:
        return NotifyMany(
            channels,
            ToldStore(self.tables),
            self.telemetry,
            now=self.now,
            new_id=lambda: f"id{next(self.serial)}",
            at_once=[log] if log else [],
        )

    async def rows(self) -> Sequence[Told]:
        return await ToldStore(self.tables).all()

    async def ticks(self, host: NotifyMany, minutes: int) -> None:
        for _ in range(minutes):
            self.time += timedelta(minutes=1)
            await host.again()


@pytest.fixture
def world() -> World:
    return World()


async def told(host: NotifyMany, *notices: Notice) -> None:
    for notice in notices:
        await host.tell(notice)
    await host.settle(5)


async def test_all_channels_are_told_once_and_the_row_says_so(world: World) -> None:
    first, second, log = MemoryChannel("a"), MemoryChannel("b"), MemoryChannel("log")
    await told(world.host(first, second, log=log), NOTICE)
    assert [len(one.notices) for one in (first, second, log)] == [1, 1, 1]
    (row,) = await world.rows()
    assert (row.waiting, row.failed) == ((), ())
    assert first.notices[0].id == second.notices[0].id == "id1"


async def test_the_same_is_told_once_by_two_hosts_within_its_window(world: World) -> None:
    mail = MemoryChannel("mail")
    hosts = [world.host(mail), world.host(mail)]
    await asyncio.gather(*(told(host, NOTICE, NOTICE) for host in hosts))
    assert len(mail.notices) == 1
    assert world.telemetry.counts["notice_repeated"] == 3
    world.time += timedelta(hours=23)
    await told(hosts[1], NOTICE)
    assert len(mail.notices) == 1
    world.time += timedelta(hours=2)
    await told(hosts[0], NOTICE)
    assert len(mail.notices) == 2


async def test_another_key_or_kind_is_another_notice(world: World) -> None:
    mail = MemoryChannel("mail")
    await told(world.host(mail), NOTICE, replace(NOTICE, key="other"), replace(NOTICE, kind="refused"))
    assert len(mail.notices) == 3


async def test_access_taken_away_for_the_second_time_in_a_day_is_told_again(world: World) -> None:
    mail, taken_away = MemoryChannel("mail"), replace(NOTICE, kind="revoked")
    await told(world.host(mail), taken_away, taken_away)
    assert len(mail.notices) == 1
    world.time += timedelta(hours=1)
    await told(world.host(mail), taken_away)
    assert len(mail.notices) == 2


async def test_a_trial_is_sent_again_a_minute_later(world: World) -> None:
    phone = MemoryChannel("phone")
    trial = Notice("test", "somebody", "info", {"fr": "Essai.", "en": "Trial."})
    for _ in range(2):
        await told(world.host(phone), trial)
        world.time += timedelta(minutes=1, seconds=1)
    assert len(phone.notices) == 2


async def test_conflicts_are_never_swallowed(world: World) -> None:
    mail = MemoryChannel("mail")
    await told(world.host(mail), replace(NOTICE, kind="conflict"), replace(NOTICE, kind="conflict"))
    assert len(mail.notices) == 2


async def test_a_failing_channel_alone_is_tried_again(world: World) -> None:
    good, bad = MemoryChannel("good"), MemoryChannel("bad", failure=PlatformDown("away"))
    host = world.host(good, bad)
    await told(host, NOTICE)
    (row,) = await world.rows()
    assert (row.waiting, row.error) == (("bad",), "bad: away")
    await host.again()
    assert not bad.notices, "not before its pause is over"
    bad.failure = None
    await world.ticks(host, 2)
    assert (len(good.notices), len(bad.notices)) == (1, 1)
    assert bad.notices[0].id == good.notices[0].id, "the same at each try"
    await world.ticks(host, 5)
    assert len(bad.notices) == 1


async def test_after_the_last_try_it_is_counted_and_shown(world: World) -> None:
    bad = MemoryChannel("bad", failure=PlatformDown("away"))
    host = world.host(bad)
    await told(host, NOTICE)
    await world.ticks(host, 60 * 5)
    assert world.telemetry.counts["notify_failed"] == 1
    assert world.telemetry.counts["notify_refused"] == MOST_TRIES
    (row,) = await world.rows()
    assert (row.waiting, row.failed, row.error) == ((), ("bad",), "bad: away")
    world.time += timedelta(days=8)
    await host.again()
    assert not await world.rows()


async def test_a_process_that_died_before_it_told_loses_nothing(world: World) -> None:
    stuck, mail = MemoryChannel("mail"), MemoryChannel("mail")
    dead = world.host(stuck)
    await dead.tell(NOTICE)
    for task in dead._tasks:
        task.cancel()
    heir = world.host(mail)
    await heir.again()
    assert not mail.notices, "it may still be in the first one's hands"
    await world.ticks(heir, 2)
    assert (len(stuck.notices), len(mail.notices)) == (0, 1)


async def test_of_two_hosts_that_find_it_one_tells(world: World) -> None:
    bad = MemoryChannel("mail", failure=PlatformDown("away"))
    await told(world.host(bad), NOTICE)
    mail = MemoryChannel("mail")
    hosts = [world.host(mail), world.host(mail)]
    world.time += timedelta(minutes=3)
    await asyncio.gather(*(host.again() for host in hosts))
    assert len(mail.notices) == 1


async def test_a_defect_of_one_channel_silences_no_other(world: World) -> None:
    class Broken:
        name = "broken"

        async def send(self, notice: Notice) -> None:
            raise KeyError(notice.text["fr"])

    mail = MemoryChannel("mail")
    await told(world.host(Broken(), mail), NOTICE)
    assert len(mail.notices) == 1
    (row,) = await world.rows()
    assert row.error == "broken: a defect (KeyError)"


async def test_a_silent_channel_holds_up_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up: list[Notice] = []

    class Silent:
        name = "silent"

        async def send(self, notice: Notice) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                given_up.append(notice)

    monkeypatch.setattr(notify_many, "ONE", 0.05)
    mail = MemoryChannel("mail")
    host = world.host(Silent(), mail)
    await host.tell(NOTICE)
    assert given_up == [], "telling waits for no channel"
    await host.settle(60)
    assert len(given_up) == 1
    assert len(mail.notices) == 1
    (row,) = await world.rows()
    assert (row.waiting, row.error) == (("silent",), "silent: no answer within 0.05 s")


def test_what_a_dead_process_left_is_told_once_though_another_channel_is_silent(world: World) -> None:
    """The silent one used to have the whole pass cut off, with what the others had taken not yet noted. On a virtual
    clock: on a busy machine's own one the pass was cut off for other reasons."""

    class Silent:
        name = "silent"

        async def send(self, notice: Notice) -> None:
            await asyncio.Event().wait()

    mail = MemoryChannel("mail")

    async def left_and_found() -> Sequence[Told]:
        dead, heir = world.host(Silent(), MemoryChannel("mail")), world.host(Silent(), mail)
        for number in range(6):
            await dead.tell(replace(NOTICE, key=str(number)))
        for task in dead._tasks:
            task.cancel()
        await world.ticks(heir, 10)
        return await world.rows()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(world)) as runner:
        rows = runner.run(left_and_found())
    assert sorted(one.key for one in mail.notices) == list("012345")
    assert {row.waiting for row in rows} == {("silent",)}


async def test_a_dead_mail_server_costs_no_sync_and_one_try_each(world: World) -> None:
    async def nobody(owner: str) -> Sequence[Recipient]:
        return ()

    async with Mail(hang="CONNECT") as server:
        where = MailServer("127.0.0.1", server.port, "none", sender="sync@example.org")
        mail = SmtpChannel(
            where, Recipient("a@example.org"), nobody, world.telemetry, now=world.now, seconds=0.2
        )
        host = world.host(mail)
        begun = time.monotonic()
        for number in range(40):
            await host.tell(replace(NOTICE, key=str(number)))
        closing = time.monotonic()
        assert closing - begun < 40 * 0.2 / 4, "far less than a try each"
        await host.close()
        assert time.monotonic() - closing < 4
    assert len(await world.rows()) == 40, "what was not tried waits in its row"


async def test_while_the_store_is_away_it_is_told_all_the_same(world: World) -> None:
    class Away(MemoryTables):
        async def get(self, table: str, partition: str, key: str) -> None:
            raise StoreUnavailable("away")

        async def query(
            self, table: str, partition: str, *, start: str | None = None, stop: str | None = None
        ) -> list[object]:  # type: ignore[override]
            raise StoreUnavailable("away")

    world.tables = Away(world.now)
    mail = MemoryChannel("mail")
    host = world.host(mail)
    await told(host, NOTICE)
    await host.again()
    assert len(mail.notices) == 1
    assert world.telemetry.counts["notice_unstored"] == 1


# ------------------------------------------------------------------------------------ what is over

STUCK = Notice("push_failed", "gite/gite-airbnb", "critical", {"fr": "3–7 août"})
OVER = Notice("push_failed_over", "gite/gite-airbnb", "info", {"fr": "C'est réglé."})


async def test_it_is_over_is_told_once_and_only_after_it_began(world: World) -> None:
    mail = MemoryChannel("mail")
    host = world.host(mail)
    await told(host, OVER, STUCK, STUCK, OVER, OVER)
    assert [one.kind for one in mail.notices] == ["push_failed", "push_failed_over"]
    world.time += timedelta(minutes=5)
    await told(host, STUCK)
    assert [one.kind for one in mail.notices][2:] == ["push_failed"], "it may begin again"


async def test_further_nights_that_cannot_be_closed_are_news(world: World) -> None:
    mail = MemoryChannel("mail")
    await told(world.host(mail), STUCK, replace(STUCK, text={"fr": "3–7 août, 9–11 août"}), STUCK)
    assert [one.text["fr"] for one in mail.notices][:2] == ["3–7 août", "3–7 août, 9–11 août"]


async def test_nothing_told_costs_no_write_and_one_read_a_tick(world: World) -> None:
    calls: list[str] = []

    class Counted(MemoryTables):
        async def query(self, *args: str, **kwargs: str | None) -> list[object]:  # type: ignore[override]
            calls.append("query")
            return []

        def __getattribute__(self, name: str) -> object:
            if name in ("insert", "update", "upsert", "delete", "submit", "get"):
                calls.append(name)
            return super().__getattribute__(name)

    world.tables = Counted(world.now)
    await world.ticks(world.host(MemoryChannel("mail")), 10)
    assert calls == ["query"] * 10


@pytest.mark.parametrize("text", ["\ud800", "\x00", "x" * 40_000, "🏠" * 20_000, "a\u2028b"])
async def test_a_row_holds_any_text(world: World, text: str) -> None:
    mail = MemoryChannel("mail")
    host = world.host(mail)
    hostile = Notice("unplaced", text, "high", {"fr": text}, text, text)
    await told(host, hostile, hostile)
    assert len(mail.notices) == 1
    assert len(await world.rows()) == 1
