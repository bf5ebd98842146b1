"""People who chose for themselves: each hears by their own ways and clock, of the homes they look after now; what
waited is told once, and a double booking never waits."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.notify_many import MOST_TRIES, NotifyMany
from shared.adapters.notify_people import MOST_IN_ONE, PeopleFan
from shared.domain.access import Role
from shared.domain.errors import PlatformDown, StoreUnavailable, SyncError
from shared.domain.portfolio import Owner
from shared.domain.quiet import Choice, Hours, Timing, Topic
from shared.domain.targets import Target, Way
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryChannel, MemoryTelemetry
from shared.ports.people import Channel, Notice
from shared.ports.stores import Row
from shared.state.choices import PARTITION, ChoiceStore, Chosen
from shared.state.later import LaterStore
from shared.state.names import ACCOUNTS
from shared.state.owners import OwnerStore
from shared.state.people import PeopleStore
from shared.state.told import Told, ToldStore

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
NIGHT = datetime(2027, 3, 1, 23, 0, tzinfo=UTC)
STAY = Notice("new_stay", "gite/1", "info", {"fr": "Nouvelle réservation.", "en": "New booking."}, "owner")
CLASH = Notice("conflict", "gite/2", "high", {"fr": "Double réservation.", "en": "Double booking."}, "owner")
AT_ONCE, DAILY = Choice(), Choice({Topic.STAY: Timing.DAILY})
CLAIRE, MARC = "claire@example.org", "marc@example.org"


@dataclass
class Post:
    """Every way there is, with what arrived: (address, language, notice)."""

    arrived: list[tuple[str, str, Notice]] = field(default_factory=list)
    failure: SyncError | None = None

    def make(self, address: str, language: str) -> Channel:
        post = self

        class One:
            name = "one"

            async def send(self, notice: Notice) -> None:
                if post.failure is not None:
                    raise post.failure
                post.arrived.append((address, language, notice))

        return One()

    def of(self, address: str) -> list[str]:
        return [notice.kind for to, _, notice in self.arrived if to == address]


class World:
    """Tables, a clock that moves when told, and hosts."""

    def __init__(self) -> None:
        self.time = NOON
        self.tables = MemoryTables(self.now)
        self.telemetry, self.post = MemoryTelemetry(), Post()
        self.shared = MemoryChannel("json")
        self.serial = itertools.count(1)
        self.choices, self.later = ChoiceStore(self.tables), LaterStore(self.tables)

    def now(self) -> datetime:
        return self.time

    def host(self, everywhere: frozenset[str] = frozenset()) -> NotifyMany:
        fan = PeopleFan(
            self.choices,
            PeopleStore(self.tables),
            self.later,
            {Way.EMAIL: self.post.make, Way.NTFY: self.post.make},
            now=self.now,
            everywhere=everywhere,
            recipients=OwnerStore(self.tables).recipients,
        )
        return NotifyMany(
            [self.shared],
            ToldStore(self.tables),
            self.telemetry,
            now=self.now,
            new_id=lambda: f"id{next(self.serial)}",
            fan=fan,
        )

    async def people(self, **roles: Role) -> None:
        owners = [Owner("owner", f"{name}@example.org", role) for name, role in roles.items()]
        await PeopleStore(self.tables).put(owners)

    async def chooses(
        self, person: str, choice: Choice = AT_ONCE, *targets: Target, language: str = "fr"
    ) -> None:
        mine = targets or (Target(Way.EMAIL, person),)
        known = await self.choices.get(person)
        await self.choices.put(Chosen(person, choice, mine, language, known.etag if known else None))

    async def rows(self) -> Sequence[Told]:
        return await ToldStore(self.tables).all()


@pytest.fixture
async def world() -> World:
    found = World()
    await found.people(claire=Role.OPERATOR, marc=Role.VIEWER)
    return found


async def told(host: NotifyMany, *notices: Notice) -> None:
    for notice in notices:
        await host.tell(notice)
    await host.settle(5)


# --------------------------------------------------------------------------------------- who, and how


async def test_each_is_told_by_their_own_ways_in_their_own_language(world: World) -> None:
    await world.chooses(CLAIRE, Choice(), Target(Way.EMAIL, CLAIRE), Target(Way.NTFY, "claire-topic"))
    await world.chooses(MARC, language="en")
    await told(world.host(), STAY)
    assert [(to, language) for to, language, _ in world.post.arrived] == [
        (CLAIRE, "fr"),
        ("claire-topic", "fr"),
        (MARC, "en"),
    ]
    assert [one.kind for one in world.shared.notices] == ["new_stay"], (
        "and the settings' own channels as ever"
    )


async def test_homes_of_others_are_nobodys_business(world: World) -> None:
    await world.chooses(CLAIRE)
    await told(world.host(), replace(STAY, owner="somebody else"), replace(CLASH, owner=""))
    assert world.post.arrived == []


async def test_what_belongs_to_nobody_is_told_to_who_looks_after_everybody(world: World) -> None:
    await PeopleStore(world.tables).put([Owner("*", "chief", Role.OPERATOR)])
    await world.chooses("chief")
    await told(world.host(), replace(CLASH, owner=""), replace(STAY, owner="somebody else"))
    assert world.post.of("chief") == ["conflict", "new_stay"]


async def test_a_choice_gives_no_right_that_was_taken_away(world: World) -> None:
    await world.chooses(CLAIRE)
    await world.people(marc=Role.OPERATOR)
    await told(world.host(), CLASH)
    assert world.post.arrived == []


async def test_who_is_named_by_the_settings_alone_is_told_while_they_are(world: World) -> None:
    await world.chooses("local")
    await told(world.host(), CLASH)
    assert world.post.arrived == []
    await told(world.host(frozenset({"local"})), CLASH)
    assert world.post.of("local") == ["conflict"]


async def test_a_way_this_installation_cannot_go_is_no_way(world: World) -> None:
    """Then the portfolio's own address is told, as if nothing had been chosen."""
    await world.chooses(CLAIRE, Choice(), Target(Way.APPRISE, "tgram://1/2"))
    host = world.host()
    await told(host, CLASH)
    assert world.post.arrived == []
    assert host._fan is not None
    assert await host._fan.chose() == frozenset()


async def test_one_choice_that_cannot_be_read_silences_nobody_else(world: World) -> None:
    await world.chooses(CLAIRE)
    await world.tables.insert(ACCOUNTS, Row(PARTITION, MARC, {"targets": "no JSON"}))
    await told(world.host(), CLASH)
    assert world.post.of(CLAIRE) == ["conflict"]


async def test_one_role_that_cannot_be_read_silences_nobody_else(world: World) -> None:
    """One odd row used to leave everybody untold."""
    await world.chooses(CLAIRE)
    await world.tables.insert(ACCOUNTS, Row("~people", "odd", {"owners": "no JSON"}))
    await told(world.host(), CLASH)
    assert world.post.of(CLAIRE) == ["conflict"]


async def test_a_notice_for_one_person_goes_to_them_alone_and_at_any_hour(world: World) -> None:
    world.time = NIGHT
    await world.chooses(CLAIRE, DAILY)
    await world.chooses(MARC)
    await told(world.host(), replace(STAY, to=CLAIRE))
    assert [to for to, _, _ in world.post.arrived] == [CLAIRE]
    assert world.shared.notices == []


async def test_a_trial_goes_to_the_way_that_was_added_a_moment_ago(world: World) -> None:
    host = world.host()
    await world.chooses(CLAIRE)
    await told(host, STAY)
    await world.chooses(CLAIRE, AT_ONCE, Target(Way.EMAIL, CLAIRE), Target(Way.NTFY, "new-topic"))
    await told(host, replace(STAY, kind="test", to=CLAIRE))
    assert world.post.of("new-topic") == ["test"]


# ------------------------------------------------------------------------------------- when, and once


async def test_a_double_booking_wakes_everybody_whatever_they_chose(world: World) -> None:
    world.time = NIGHT
    off = Choice(dict.fromkeys(Topic, Timing.OFF), Hours())
    await world.chooses(CLAIRE, off)
    await told(world.host(), CLASH, replace(CLASH, kind="push_failed"))
    assert world.post.of(CLAIRE) == ["conflict", "push_failed"]


async def test_what_was_switched_off_is_told_to_the_others(world: World) -> None:
    await world.chooses(CLAIRE, Choice({Topic.STAY: Timing.OFF}))
    await world.chooses(MARC)
    await told(world.host(), STAY)
    assert [to for to, _, _ in world.post.arrived] == [MARC]
    assert await world.later.of(CLAIRE) == []


async def until(world: World, host: NotifyMany, at: datetime) -> None:
    """The health timer, minute by minute in the last ten."""
    world.time = at - timedelta(minutes=10)
    for _ in range(12):
        await host.again()
        await host.settle(5)
        world.time += timedelta(minutes=1)


async def test_the_digest_holds_the_days_notices_and_comes_once(world: World) -> None:
    host = world.host()
    await world.chooses(CLAIRE, DAILY)
    await told(host, STAY, replace(STAY, key="gite/9"))
    assert world.post.arrived == []
    assert len(await world.later.of(CLAIRE)) == 2
    morning = datetime(2027, 3, 2, 7, 0, tzinfo=UTC)  # 8 in Paris
    await until(world, host, morning)
    ((to, language, notice),) = world.post.arrived
    assert (to, language, notice.kind) == (CLAIRE, "fr", "digest")
    assert notice.text["fr"].startswith("2 avis ont attendu\u202f:")
    assert notice.text["fr"].count("1er mars 2027, 13:00 — Nouvelle réservation.") == 2
    assert await world.later.of(CLAIRE) == []
    await until(world, host, morning + timedelta(days=1))
    assert len(world.post.arrived) == 1, "a day without news has no digest"


async def test_what_comes_in_the_night_is_told_in_the_morning(world: World) -> None:
    host, world.time = world.host(), NIGHT
    await world.chooses(CLAIRE)
    await told(host, STAY)
    await until(world, host, datetime(2027, 3, 2, 5, 50, tzinfo=UTC))
    assert world.post.arrived == []
    await until(world, host, datetime(2027, 3, 2, 6, 5, tzinfo=UTC))
    assert world.post.of(CLAIRE) == ["digest"]


async def test_the_same_news_by_two_hosts_waits_once(world: World) -> None:
    await world.chooses(CLAIRE, DAILY)
    hosts = [world.host(), world.host()]
    await asyncio.gather(*(told(host, STAY) for host in hosts))
    await asyncio.gather(*(host.again() for host in hosts))
    assert len(await world.later.of(CLAIRE)) == 1


async def test_two_hosts_at_the_hour_of_the_digest_send_one(world: World) -> None:
    await world.chooses(CLAIRE, DAILY)
    hosts = [world.host(), world.host()]
    await told(hosts[0], STAY)
    world.time = datetime(2027, 3, 2, 7, 1, tzinfo=UTC)
    await asyncio.gather(*(host.again() for host in hosts))
    for _ in range(3):
        world.time += timedelta(minutes=1)
        await asyncio.gather(*(host.again() for host in hosts))
    assert world.post.of(CLAIRE) == ["digest"]


async def test_a_digest_too_large_for_one_transaction_is_several(world: World) -> None:
    host = world.host()
    await world.chooses(CLAIRE, DAILY)
    for number in range(MOST_IN_ONE + 5):
        await host.tell(replace(STAY, key=f"gite/{number}"))
        await host.settle(5)
    await until(world, host, datetime(2027, 3, 2, 7, 0, tzinfo=UTC))
    heads = {notice.text["en"].split(" ")[0]: notice.text["fr"] for _, _, notice in world.post.arrived}
    assert set(heads) == {str(MOST_IN_ONE), "5"}
    assert "de plus." in heads[str(MOST_IN_ONE)], "what found no room is counted"


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", range(1, 13))
async def test_a_process_that_dies_on_the_way_loses_no_digest_and_sends_one_twice_at_worst_under_one_id(
    world: World, after: int
) -> None:
    """Whichever call of the table was the last: another host finishes, and the person hears once, or twice of the same
    where the first died between the sending and the note of it."""
    await world.chooses(CLAIRE, DAILY)
    first = world.host()
    await told(first, STAY)
    world.time = datetime(2027, 3, 2, 7, 1, tzinfo=UTC)
    left = after

    def dies(operation: str, table: str, partition: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died

    world.tables.before = dies
    died = False
    try:
        await first.again()
    except (Died, BaseExceptionGroup):
        died = True
    world.tables.before = None
    sent = len(world.post.arrived)
    assert died or sent == 1
    second = world.host()
    for _ in range(4):
        world.time += timedelta(minutes=1)
        await second.again()
    twice = after == 11  # sent, and dead before that was noted
    assert world.post.of(CLAIRE) == ["digest"] * (2 if twice else 1)
    assert len({notice.id for _, _, notice in world.post.arrived}) == 1
    assert await world.later.of(CLAIRE) == []


async def test_what_waits_is_written_down_although_the_store_was_away_then(world: World) -> None:
    await world.chooses(CLAIRE, DAILY)
    host = world.host()

    def away(operation: str, table: str, partition: str) -> None:
        if partition == "~later":
            raise StoreUnavailable("away")

    world.tables.before = away
    await told(host, STAY)
    world.tables.before = None
    assert await world.later.of(CLAIRE) == []
    world.time += timedelta(minutes=2)
    await host.again()
    (waits,) = await world.later.of(CLAIRE)
    assert waits.at == NOON, "it came when it came"


async def test_a_digest_that_cannot_be_written_holds_up_nothing_else(world: World) -> None:
    await world.chooses(CLAIRE, DAILY)
    host, world.post.failure = world.host(), PlatformDown("away")
    await told(host, STAY, CLASH)
    world.post.failure = None

    def away(operation: str, table: str, partition: str) -> None:
        if partition == "~later":
            raise StoreUnavailable("away")

    world.tables.before = away
    world.time = datetime(2027, 3, 2, 7, 5, tzinfo=UTC)
    await host.again()
    assert world.post.of(CLAIRE) == ["conflict"]
    world.tables.before = None
    world.time += timedelta(minutes=1)
    await host.again()
    assert world.post.of(CLAIRE) == ["conflict", "digest"]


# ------------------------------------------------------------------------------------ and if it fails


async def test_a_way_that_fails_is_tried_again_alone_and_shown(world: World) -> None:
    await world.chooses(CLAIRE)
    host, world.post.failure = world.host(), PlatformDown("the mail server cannot be reached")
    await told(host, CLASH)
    assert len(world.shared.notices) == 1
    for _ in range(10):
        world.time += timedelta(hours=3)
        await host.again()
    (row,) = await world.rows()
    assert (row.tries, row.waiting, row.taken) == (MOST_TRIES, (), ("json",))
    assert [name.partition("/")[2].partition("-")[0] for name in row.failed] == ["email"]
    assert CLAIRE not in repr(row.failed) + row.error
    assert len(world.shared.notices) == 1


class Broken(Post):
    """One address takes nothing."""

    def make(self, address: str, language: str) -> Channel:
        made = super().make(address, language)
        return _Silent() if address == "mistyped-topic" else made


class _Silent:
    name = "silent"

    async def send(self, notice: Notice) -> None:
        raise PlatformDown("nobody is there")


async def mistyped(world: World) -> NotifyMany:
    """Claire's own way takes nothing; the portfolio knows her address."""
    world.post = Broken()
    await OwnerStore(world.tables).put([Owner("owner", CLAIRE, Role.OPERATOR, CLAIRE)])
    await world.chooses(CLAIRE, AT_ONCE, Target(Way.NTFY, "mistyped-topic"))
    return world.host()


async def test_who_mistyped_their_way_hears_of_a_double_booking_at_the_portfolios_address(
    world: World,
) -> None:
    host = await mistyped(world)
    await told(host, CLASH)
    assert world.post.of(CLAIRE) == []
    world.time += timedelta(minutes=1)
    await host.again()
    assert world.post.of(CLAIRE) == ["conflict"]
    for _ in range(10):
        world.time += timedelta(hours=3)
        await host.again()
    assert world.post.of(CLAIRE) == ["conflict"], "once"
    (row,) = await world.rows()
    assert [name.partition("/")[2].partition("-")[0] for name in row.failed] == ["ntfy"]


async def test_what_can_wait_is_not_sent_round_by_another_way(world: World) -> None:
    host = await mistyped(world)
    await told(host, STAY)
    world.time += timedelta(minutes=5)
    await host.again()
    assert world.post.arrived == []


async def test_whose_portfolio_address_is_their_own_broken_way_is_not_told_twice_by_it(world: World) -> None:
    await OwnerStore(world.tables).put([Owner("owner", CLAIRE, Role.OPERATOR, CLAIRE)])
    await world.chooses(CLAIRE)
    host, world.post.failure = world.host(), PlatformDown("away")
    await told(host, CLASH)
    world.post.failure = None
    world.time += timedelta(minutes=5)
    await host.again()
    assert world.post.of(CLAIRE) == ["conflict"]


async def test_a_way_that_somebody_took_back_is_waited_for_no_longer(world: World) -> None:
    await world.chooses(CLAIRE)
    host, world.post.failure = world.host(), PlatformDown("away")
    await told(host, STAY)
    await world.chooses(CLAIRE, Choice(), Target(Way.NTFY, "another-topic"))
    world.time += timedelta(minutes=5)
    await host.again()
    (row,) = await world.rows()
    assert row.waiting == ()


async def test_what_arrived_is_known_by_way(world: World) -> None:
    await world.chooses(CLAIRE)
    await told(world.host(), STAY)
    (row,) = await world.rows()
    assert [name.partition("/")[2].partition("-")[0] or name for name in row.taken] == ["json", "email"]
