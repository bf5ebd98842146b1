"""No write leaves for a listing that is not marked: the rule, and real connectors behind it against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from local.live import permit as permits
from local.live.permit import LEAST_AHEAD, MarkedOnly, Permit, ReadOnlyHttp, why_not
from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Airbnb, Booking, Channex, Client, Platform, sample
from local.sandbox.server import Sandbox, running
from local.sandbox.stays import NightState
from shared.adapters.http import HttpxHttp
from shared.connectors import registry
from shared.domain import model
from shared.domain import platform as words
from shared.domain.dates import StayDates
from shared.domain.errors import NotAllowed
from shared.memory.http import MemoryHttp
from shared.ports.http import Request
from shared.ports.platforms import ApiConnector
from tests.connectors.support import NOW, SECRETS, Settings, account, levels, listing, retry_after

TODAY = NOW.date()
FAR = TODAY + timedelta(days=LEAST_AHEAD + 10)
UNITS = {
    "airbnb": "9876543",
    "booking": "1234567:123456701",
    "channex": "00000000-0000-4000-8000-000000000101:00000000-0000-4000-8000-000000000201",
}
EACH_PLATFORM = pytest.mark.parametrize("platform", UNITS)
FULL = Permit(frozenset({"listing-1"}), asked=True, today=TODAY, ours={("listing-1", FAR): 1})


def test_a_marked_listing_may_be_closed_and_opened_again() -> None:
    assert why_not(FULL, "listing-1", {FAR: 0}) == ""
    assert why_not(FULL, "listing-1", {FAR: 1}) == ""
    assert why_not(FULL, "listing-1", {TODAY + timedelta(days=LEAST_AHEAD): 0}) == ""


@pytest.mark.parametrize(
    ("permit", "written", "reason"),
    [
        (replace(FULL, marked=frozenset()), {FAR: 0}, "live_writes"),
        (replace(FULL, marked=frozenset({"listing-2"})), {FAR: 0}, "live_writes"),
        (replace(FULL, marked=frozenset({"listing"})), {FAR: 1}, "live_writes"),
        (replace(FULL, asked=False), {FAR: 0}, "LIVE_WRITES=1"),
        (replace(FULL, asked=False), {FAR: 1}, "LIVE_WRITES=1"),
        (FULL, {}, "one night"),
        (FULL, {FAR: 0, FAR + timedelta(days=1): 0}, "one night"),
        (FULL, {TODAY + timedelta(days=LEAST_AHEAD - 1): 0}, "nearer"),
        (FULL, {FAR + timedelta(days=1): 1}, "opens nothing"),
        (FULL, {FAR: 2}, "had 1"),
        (replace(FULL, ours={("listing-2", FAR): 1}), {FAR: 1}, "opens nothing"),
    ],
)
def test_what_may_not_leave(permit: Permit, written: dict[date, int], reason: str) -> None:
    assert reason in why_not(permit, "listing-1", written)


def test_a_night_left_behind_may_be_opened_when_it_has_come_near() -> None:
    late = replace(FULL, today=FAR - timedelta(days=2))
    assert why_not(late, "listing-1", {FAR: 1}) == ""
    assert "nearer" in why_not(late, "listing-1", {FAR: 0})


@dataclass
class Stage:
    sandbox: Sandbox
    bare: ApiConnector
    unit: model.Listing
    account: model.Account

    def marked(self, *names: str, asked: bool = True) -> MarkedOnly:
        return MarkedOnly(self.bare, lambda: Permit(frozenset(names), asked, TODAY, {}))

    def closed(self, night: date = FAR) -> bool:
        key = f"{self.unit.platform}/{self.unit.unit.rpartition(':')[2]}"
        return self.sandbox.world.truth.night(key, night).state is not NightState.OPEN


@pytest.fixture
async def stage(platform: str) -> AsyncIterator[Stage]:
    config = sample(
        airbnb=Airbnb(api_key=SECRETS["AIRBNB_KEY"], tokens={"main": SECRETS["AIRBNB_TOKEN"]}),
        platforms=(Platform.AIRBNB, Platform.BOOKING, Platform.CHANNEX),
        booking=Booking((Client(SECRETS["BOOKING_ID"], SECRETS["BOOKING_SECRET"]),)),
        channex=Channex(keys={"main": SECRETS["CHANNEX_KEY"]}),
    )
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(running(config, clock=Clock(frozen(NOW))))
        http = HttpxHttp()
        stack.push_async_callback(http.close)
        bare = registry.connect(
            words.Platform(platform),
            ReadOnlyHttp(http),
            Settings(SECRETS),
            clock=sandbox.world.clock.now,
            retry_after=retry_after,
        )
        yield Stage(sandbox, bare, listing(platform, UNITS[platform]), account(platform, sandbox.base))


@EACH_PLATFORM
async def test_no_write_reaches_a_listing_that_is_not_marked(stage: Stage) -> None:
    before = dict(stage.sandbox.world.calls.counts)
    with pytest.raises(NotAllowed, match="live_writes"):
        await stage.marked("another").write(stage.account, stage.unit, levels([FAR], 0))
    with pytest.raises(NotAllowed, match="LIVE_WRITES"):
        await stage.marked("listing-1", asked=False).write(stage.account, stage.unit, levels([FAR], 0))
    assert dict(stage.sandbox.world.calls.counts) == before
    assert not stage.closed()


@EACH_PLATFORM
async def test_a_marked_one_is_written(stage: Stage) -> None:
    outcome = await stage.marked("listing-1").write(stage.account, stage.unit, levels([FAR], 0))
    assert outcome.accepted == {FAR}
    assert stage.closed()


@EACH_PLATFORM
async def test_it_is_the_rule_that_holds_them_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the same call closes the night: the test above is no accident."""
    monkeypatch.setattr(permits, "why_not", lambda *_: "")
    await stage.marked("another").write(stage.account, stage.unit, levels([FAR], 0))
    assert stage.closed()


@EACH_PLATFORM
async def test_past_the_first_door_stands_the_second(stage: Stage) -> None:
    """The bare connector writes nothing, and acknowledges nothing, through the way out it was given."""
    with pytest.raises(NotAllowed, match="no permitted write"):
        await stage.bare.write(stage.account, stage.unit, levels([FAR], 0))
    assert not stage.closed()
    with pytest.raises(NotAllowed, match="left in their queue"):
        await stage.marked("listing-1").acknowledge(stage.account, ["new:1"])


@EACH_PLATFORM
async def test_the_second_door_is_shut_again_after_a_permitted_write(stage: Stage) -> None:
    await stage.marked("listing-1").write(stage.account, stage.unit, levels([FAR], 0))
    with pytest.raises(NotAllowed, match="no permitted write"):
        await stage.bare.write(stage.account, stage.unit, levels([FAR], 1))
    assert stage.closed()


@EACH_PLATFORM
async def test_reading_needs_no_mark(stage: Stage) -> None:
    door = stage.marked(asked=False)
    near = StayDates.of_nights(TODAY + timedelta(days=3), 2)
    assert set((await door.read_levels(stage.account, stage.unit, near)).values()) == {1}
    assert await door.stays(stage.account, stage.unit.unit) == ()
    assert (await door.poll(stage.account)).stays == ()
    assert await door.reread(stage.account, "HMNOWHERE1") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/hotels/ota/OTA_HotelAvailNotif"),
        ("POST", "/hotels/xml/roomrateavailability/more"),
        ("PUT", "/hotels/xml/roomrateavailability"),
        ("DELETE", "/api/v1/webhooks/1"),
    ],
)
async def test_the_second_door_knows_readings_alone(method: str, path: str) -> None:
    inner = MemoryHttp()
    with pytest.raises(NotAllowed):
        await ReadOnlyHttp(inner).send(Request(method, f"https://platform.test{path}"))
    assert inner.requests == []
