"""What every connector with an API does, told once: inherit ``ConnectorContract`` and say which platform you are.

It runs over real sockets: the shipped HTTP adapter against the simulated platforms of ``local.sandbox``, and against a
server that answers as the test says where a platform would have to misbehave in a way the sandbox does not.
"""

from __future__ import annotations

from asyncio import StreamWriter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Airbnb, Booking, Channex, Client, sample
from local.sandbox.config import Platform as Played
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import Sandbox, running
from local.sandbox.stays import NightState
from shared.adapters.http import HttpxHttp
from shared.connectors import registry
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.domain.facts import Polled, WriteOutcome
from shared.domain.model import Account, Listing
from shared.domain.platform import Platform
from shared.ports.platforms import ApiConnector
from tests.connectors.support import (
    NOW,
    ROLES,
    SECRETS,
    Settings,
    account,
    fixture,
    levels,
    listing,
    retry_after,
    stay,
)
from tests.loopback import Loopback, Seen, plain

NIGHTS = list(stay("2027-08-14", 3).nights())
GUEST = "Genêt", "Houx", "sleeps there"

FAULTS = (
    pytest.param(Fault(FaultKind.ERROR, status=500), PlatformDown, id="500"),
    pytest.param(Fault(FaultKind.ERROR, status=502), PlatformDown, id="502"),
    pytest.param(Fault(FaultKind.ERROR, status=401), AuthFailed, id="401"),
    pytest.param(Fault(FaultKind.ERROR, status=400), PayloadRejected, id="400"),
    pytest.param(Fault(FaultKind.ERROR, status=422), PayloadRejected, id="422"),
    pytest.param(Fault(FaultKind.ERROR, status=302), PlatformDown, id="redirect"),
    pytest.param(Fault(FaultKind.RATE, retry_after="7"), RateLimited, id="429"),
    pytest.param(Fault(FaultKind.HTML), PlatformDown, id="html in a 200"),
    pytest.param(Fault(FaultKind.EMPTY), PlatformDown, id="a calendar in a 200"),
    pytest.param(Fault(FaultKind.TRUNCATED), PlatformDown, id="truncated"),
    pytest.param(Fault(FaultKind.LOST), PlatformDown, id="answer lost"),
    pytest.param(Fault(FaultKind.DOWN), PlatformDown, id="down"),
)


@dataclass
class Stage:
    """A platform that is really there, and our connector to it."""

    sandbox: Sandbox
    connector: ApiConnector
    account: Account
    listing: Listing
    key: str

    def closed(self) -> list[bool]:
        """Whether each night is closed on the platform, by its own truth."""
        truth = self.sandbox.world.truth
        return [truth.night(self.key, night).state is not NightState.OPEN for night in NIGHTS]


def safe(error: SyncError) -> str:
    """The error's text, once it is sure that it shows no secret, no guest and no body."""
    text = f"{error!r} {error} {error.__cause__}"
    assert not [secret for secret in (*SECRETS.values(), *GUEST, "Bearer", "Sign in") if secret in text]
    return text


class ConnectorContract:
    """Inherit as ``TestX`` and set these. ``writes`` is the sandbox's name of a calendar write, ``refusal`` a fixture
    that refuses the second of three nights inside a 200."""

    platform: str
    title: str
    unit: str
    writes: str
    write_path: str
    refusal: str

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        config = sample(
            airbnb=Airbnb(api_key=SECRETS["AIRBNB_KEY"], tokens={"main": SECRETS["AIRBNB_TOKEN"]}),
            platforms=(Played.AIRBNB, Played.BOOKING, Played.CHANNEX),
            booking=Booking((Client(SECRETS["BOOKING_ID"], SECRETS["BOOKING_SECRET"]),)),
            channex=Channex(keys={"main": SECRETS["CHANNEX_KEY"]}),
        )
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(running(config, clock=Clock(frozen(NOW))))
            http = HttpxHttp()
            stack.push_async_callback(http.close)
            yield Stage(
                sandbox,
                registry.connect(
                    Platform(self.platform),
                    http,
                    Settings(SECRETS),
                    clock=sandbox.world.clock.now,
                    retry_after=retry_after,
                ),
                account(self.platform, sandbox.base),
                listing(self.platform, self.unit),
                f"{self.platform}/{self.unit.rpartition(':')[2]}",
            )

    async def test_a_write_closes_nights_and_the_platform_says_so(self, stage: Stage) -> None:
        outcome = await stage.connector.write(stage.account, stage.listing, levels(NIGHTS, 0))
        assert outcome.accepted == frozenset(NIGHTS)
        assert outcome.refused == {}
        assert stage.closed() == [True] * 3
        wide = stay("2027-08-13", 5)
        read = await stage.connector.read_levels(stage.account, stage.listing, wide)
        assert [read[night] for night in wide.nights()] == [1, 0, 0, 0, 1]

    async def test_a_write_opens_what_it_closed_and_nothing_else(self, stage: Stage) -> None:
        await stage.connector.write(stage.account, stage.listing, levels(NIGHTS, 0))
        outcome = await stage.connector.write(stage.account, stage.listing, levels(NIGHTS[:2], 1))
        assert outcome.accepted == frozenset(NIGHTS[:2])
        assert stage.closed() == [False, False, True]

    async def test_a_2xx_that_refuses_is_no_success(self, stage: Stage) -> None:
        stage.sandbox.world.faults.add(Fault(FaultKind.REFUSE, call=self.writes))
        outcome = await stage.connector.write(stage.account, stage.listing, levels(NIGHTS, 0))
        assert outcome.accepted == frozenset()
        assert outcome.refused.keys() == set(NIGHTS)
        assert stage.closed() == [False] * 3

    async def test_a_2xx_that_refuses_one_night_accepts_the_others(self, stage: Stage) -> None:
        outcome = await self._scripted(stage, fixture(self.refusal))
        assert outcome.accepted == {NIGHTS[0], NIGHTS[2]}
        assert outcome.refused.keys() == {NIGHTS[1]}
        assert not [word for word in GUEST if word in str(outcome.refused)]

    async def _scripted(self, stage: Stage, body: bytes) -> WriteOutcome:
        """A write to a server that gives tokens and answers calendar writes with this body."""

        async def answer(seen: Seen, writer: StreamWriter) -> None:
            token = b'{"jwt": "invented.token.here"}'
            await plain(200, body if seen.target == self.write_path else token)(seen, writer)

        async with Loopback(answer) as server:
            there = account(self.platform, server.url(""))
            return await stage.connector.write(there, stage.listing, levels(NIGHTS, 0))

    @pytest.mark.parametrize(("fault", "error"), FAULTS)
    async def test_every_failure_is_the_right_error_and_tells_no_secret(
        self, stage: Stage, fault: Fault, error: type[SyncError]
    ) -> None:
        stage.sandbox.world.faults.add(
            Fault(fault.kind, call=self.writes, status=fault.status, retry_after="7")
        )
        with pytest.raises(error) as caught:
            await stage.connector.write(stage.account, stage.listing, levels(NIGHTS, 0))
        assert self.title in safe(caught.value)
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == 7.0

    async def test_an_answer_cut_inside_its_body_is_no_answer(self, stage: Stage) -> None:
        whole = fixture(self.refusal)
        for cut in (0, 1, len(whole) // 2):
            with pytest.raises(PlatformDown) as caught:
                await self._scripted(stage, whole[:cut])
            safe(caught.value)

    async def test_wrong_credentials_pause_the_account(self, stage: Stage) -> None:
        wrong = dict.fromkeys(ROLES[self.platform], "BOOKING_ID")
        there = replace(stage.account, secrets=wrong)
        with pytest.raises(AuthFailed) as caught:
            await stage.connector.write(there, stage.listing, levels(NIGHTS, 0))
        safe(caught.value)
        assert stage.closed() == [False] * 3

    async def test_a_secret_nobody_set_is_named_by_its_setting(self, stage: Stage) -> None:
        role = next(iter(ROLES[self.platform]))
        there = replace(stage.account, secrets={**stage.account.secrets, role: "NOT_SET"})
        with pytest.raises(AuthFailed, match="NOT_SET"):
            await stage.connector.write(there, stage.listing, levels(NIGHTS, 0))

    async def test_an_unknown_reservation_is_none(self, stage: Stage) -> None:
        assert await stage.connector.reread(stage.account, "HMUNKNOWN0") is None

    async def test_nothing_new_is_an_empty_poll(self, stage: Stage) -> None:
        assert await stage.connector.poll(stage.account) == Polled()
        assert await stage.connector.acknowledge(stage.account, ()) == ()

    async def test_the_full_state_has_every_stay(self, stage: Stage) -> None:
        desk, home = stage.sandbox.desk, stage.key.partition("/")[2]
        dates = [stay("2027-08-14", 3), stay("2027-09-01", 1), stay("2027-10-01", 2)]
        kind = stage.sandbox.world.truth.calendars[stage.key].listing.platform
        booked = {(await desk.book(kind, [(home, one)])).id: one for one in dates}
        seen = await stage.connector.stays(stage.account, self.unit)
        assert {one.id: one.rooms[0].dates for one in seen} == booked
        assert {room.unit for one in seen for room in one.rooms} == {self.unit}

    async def test_a_body_that_is_no_notification_is_refused(self, stage: Stage) -> None:
        for body in (b"", b"{", b"[]", b'"x"', b"<xml/>", b"\xff", b'{"action": NaN}', b"[" * 100_000):
            with pytest.raises(PayloadRejected) as caught:
                stage.connector.read_notification(body)
            safe(caught.value)
