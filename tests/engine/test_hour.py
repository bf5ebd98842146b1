"""An hour of trouble, by script and on a virtual clock: each platform dies and returns, webhooks stop, keys expire,
access is withdrawn, clocks jump, the bus goes away, and guests go on booking. It ends with calendars exactly right and
a story that a person can read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed
from shared.domain.facts import Polled, SeenStay, WriteOutcome
from shared.domain.model import Account, Listing, SyncMode, Write
from shared.engine.operations import Operations
from shared.ports.platforms import Notification
from shared.state.history import history_lines
from shared.state.names import SITES
from shared.use_cases import WebhookCall
from tests.engine.stories import nights
from tests.engine.village import HOME, ApiPlatform, Sold, Village
from tests.hypothesis_profiles import budget

TICK = timedelta(seconds=20)
SEEDS = range(budget(test=4, prove=40))
FIRST = date(2027, 6, 1)
REFUSED = "our credentials are refused"
"""What a host reads where a platform answered 401."""

SETTLED = 7 * 60
"""Minutes of peace after the hour: what vanished while Greengo was away vanished all at once, so it waits six hours."""


@dataclass
class Hour:
    """The village, two hosts, and what happens to them by the minute."""

    village: Village
    chance: random.Random
    hosts: list[Operations]
    script: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    webhooks: bool = True

    def at(self, minute: int, *does: Callable[[], None]) -> None:
        self.script.setdefault(minute, []).extend(does)

    def trouble(self) -> None:
        for minute in range(60):
            for does in self.script.pop(minute, []):
                does()
            for tick in range(3):
                self.tick(TICK, first=tick == 0, guests=True)

    def peace(self) -> None:
        for _ in range(SETTLED):
            self.tick(3 * TICK, first=True, guests=False)

    def tick(self, span: timedelta, *, first: bool, guests: bool) -> None:
        village = self.village
        village.clock.advance(span)
        if guests and self.chance.random() < 0.4:
            self.guest()
        arriving, village.deliveries = village.deliveries, []
        for body in arriving if self.webhooks else ():
            answer = village.run(
                self.hosts[0].receive_webhook(WebhookCall("airbnb", "secret", "notification", body=body))
            )
            assert answer.status == 200
        for host in self.hosts:
            village.run(host.on_timer_poll_accounts())
            village.run(host.on_timer_sweep())
            if first:
                village.run(host.on_timer_poll_feeds())
                village.run(host.on_timer_health())
        village.run(village.drain())
        if first and self.chance.random() < 0.5:
            village.run(village.greengo_pulls())
            village.run(village.drain())

    def guest(self) -> None:
        village = self.village
        platform = self.chance.choice(["airbnb", "booking", "greengo"])
        calendar = village.platforms()[platform]
        live = calendar.live()
        deed = self.chance.random()
        if deed < 0.6 or not live:
            village.book(platform, self.dates())
            return
        stay: Sold = self.chance.choice(live)
        if deed < 0.8:
            if not calendar.move(stay, self.dates()):
                return
        else:
            calendar.cancel(stay)
        village.say(platform, stay, "modify")

    def dates(self) -> StayDates:
        return StayDates.of_nights(
            FIRST + timedelta(days=self.chance.randrange(40)), self.chance.choice((1, 2, 3))
        )


def down(platform: Any, is_down: bool) -> Callable[[], None]:
    def does() -> None:
        platform.faults.down = is_down

    return does


def expire_keys(platform: ApiPlatform) -> Callable[[], None]:
    """From now on the platform refuses our keys, for everything."""

    async def poll(account: Account) -> Polled:
        raise AuthFailed("Booking.com: HTTP 401")

    async def write(account: Account, listing: Listing, write: Write) -> WriteOutcome:
        raise AuthFailed("Booking.com: HTTP 401")

    async def stays(account: Account, unit: str) -> tuple[SeenStay, ...]:
        raise AuthFailed("Booking.com: HTTP 401")

    def does() -> None:
        platform.poll, platform.write, platform.stays = poll, write, stays  # type: ignore[method-assign]

    return does


def renew_keys(platform: ApiPlatform) -> Callable[[], None]:
    def does() -> None:
        del platform.poll, platform.write, platform.stays

    return does


def withdraw_access(hour: Hour) -> Callable[[], None]:
    """Airbnb says that access is gone, and refuses our keys."""
    right = ApiPlatform.read_notification

    def read(body: bytes) -> Notification:
        if b"revoked" in body:
            return Notification("authorization_revoked", revoked=("*",))
        return right(hour.village.airbnb, body)

    def does() -> None:
        expire_keys(hour.village.airbnb)()
        hour.village.airbnb.read_notification = read  # type: ignore[method-assign]
        hour.village.deliveries.append(json.dumps({"revoked": True}).encode())

    return does


def the_hour(hour: Hour) -> None:
    village = hour.village
    hour.at(3, down(village.airbnb, True))
    hour.at(10, down(village.airbnb, False))
    hour.at(12, down(village.booking, True))
    hour.at(19, down(village.booking, False))
    hour.at(21, down(village.greengo, True))
    hour.at(35, down(village.greengo, False))
    hour.at(28, lambda: setattr(hour, "webhooks", False))
    hour.at(34, lambda: setattr(hour, "webhooks", True))
    hour.at(35, expire_keys(village.booking))
    hour.at(40, renew_keys(village.booking))
    hour.at(42, withdraw_access(hour))
    hour.at(46, renew_keys(village.airbnb))
    hour.at(48, lambda: village.clock.advance(timedelta(minutes=40)))
    hour.at(51, lambda: setattr(village.bus, "down", True))
    hour.at(56, lambda: setattr(village.bus, "down", False))


@pytest.fixture(params=SEEDS)
def hour(request: pytest.FixtureRequest) -> Iterator[Hour]:
    village = Village(guarded=True, polls_first=True)
    village.greengo.echoes = False  # two guests in one breath are a conflict, not a riddle
    yield Hour(village, random.Random(f"hour {request.param}"), [village.engine, village.another_host()])
    village.close()


def wrong_nights(village: Village) -> dict[str, set[date]]:
    """Nights a platform shows open that are taken elsewhere, or holds closed for nobody."""
    platforms = village.platforms()
    sold = {name: nights(*(stay.dates for stay in one.live())) for name, one in platforms.items()}
    wrong = {}
    for name, one in platforms.items():
        elsewhere = set().union(*(taken for other, taken in sold.items() if other != name))
        missing = elsewhere - one.closed - sold[name]
        idle = (
            one.closed - elsewhere - sold[name]
        )  # what it sold itself stays remembered until it can be opened
        if missing | idle:
            wrong[name] = missing | idle
    return wrong


def story(village: Village) -> list[str]:
    """What a person was told, in order."""
    return [f"{notice.kind}: {notice.text['en']}" for notice in village.notify.notices]


def test_an_hour_of_trouble_ends_with_calendars_exactly_right_and_a_readable_story(hour: Hour) -> None:
    village = hour.village
    the_hour(hour)
    hour.trouble()
    hour.peace()
    assert wrong_nights(village) == {}
    for account in ("airbnb", "booking"):
        state = village.run(village.engine.world.accounts.load(account))
        assert state is not None
        assert state.standing.mode is SyncMode.REAL_TIME
    told = story(village)
    for account in ("airbnb", "booking"):
        assert any(line.startswith(f"mode_changed: {account}: real time -> batch") for line in told)
        assert any(line.startswith(f"mode_changed: {account}: batch -> real time") for line in told)
    assert any(line.startswith("mode_changed: booking: ") and REFUSED in line for line in told)
    assert any(line.startswith("revoked: airbnb") for line in told)
    assert any(line.startswith("resumed: airbnb") for line in told)
    assert any(line.startswith(f"mode_changed: {HOME}-greengo: 3 failures in a row") for line in told)
    assert any(line == f"mode_changed: {HOME}-greengo answers again." for line in told)
    assert len([line for line in told if line.startswith("mode_changed")]) <= 24, "each step is told once"
    assert history_explains(village)


def history_explains(village: Village) -> bool:
    """Every closure that stands has its line in the site's record: when, for what, by which bell."""
    rows = village.run(village.tables.query(SITES, HOME))
    lines = [line for row in rows if "lines" in row.values for line in history_lines(row)]
    closed = {
        (line["on"], line["nights"]) for line in lines if line["what"].startswith("close") and line["by"]
    }
    state = village.run(village.engine.world.sites.load(HOME))
    standing = {(row.listing, str(row.dates)) for row in state.blocks.values() if row.wanted}
    return standing <= closed
