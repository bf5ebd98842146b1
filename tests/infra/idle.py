"""The example's homes and nothing going on at them: the real connectors over the sandbox's platforms, whose whole HTTP
is answered in memory, on a clock that only moves when told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from local.portfolio_rules import portfolio_rules
from local.run_session import EXAMPLE
from local.sandbox.app import SandboxApp
from local.sandbox.clock import Clock as SandboxClock
from local.sandbox.config import SandboxConfig
from local.sandbox.world import World as SandboxWorld
from local.sandbox_config import sandbox_config, sandbox_settings
from shared.adapters.http_meter import MeteredHttp
from shared.adapters.portfolio_yaml import read_portfolio_file
from shared.adapters.secrets import SettingSecrets
from shared.connectors.ical import IcalConnector
from shared.connectors.registry import PLATFORMS, connect
from shared.domain.errors import PlatformDown
from shared.engine.operations import Operations
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify
from shared.messages import encode
from shared.ports.http import Request, Response
from tests.engine.behind_guard import behind_guard
from tests.engine.village import Clock, render
from tests.engine.virtual_loop import VirtualLoop
from tests.infra.workspace import Workspace

PORT = 8099
MINUTE = timedelta(minutes=1)


class SandboxHttp:
    """The port ``Http``: every request is served by the sandbox, whole, without a socket."""

    def __init__(self, app: SandboxApp) -> None:
        self._app = app

    async def send(self, request: Request) -> Response:
        """What the sandbox answers. Raises ``PlatformDown`` where it cuts the connection."""
        parts = urlsplit(request.url)
        headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
        scope = {
            "type": "http",
            "method": request.method,
            "path": unquote(parts.path),
            "query_string": parts.query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        came = iter([{"type": "http.request", "body": request.body}, {"type": "http.disconnect"}])
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return next(came)

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)  # type: ignore[arg-type]
        if not sent:
            raise PlatformDown(f"{parts.hostname}: the connection was closed without an answer")
        status, found, body = sent[0]["status"], sent[0]["headers"], sent[1]["body"]
        assert isinstance(status, int)
        assert isinstance(found, list)
        assert isinstance(body, bytes)
        return Response(status, {name.decode(): value.decode() for name, value in found}, body)

    async def close(self) -> None:
        """Nothing is open."""


def says_so(played: SandboxConfig) -> str:
    """The one calendar of Greengo that answers 304 where it did not change; the others show it again."""
    return next(one.key for one in played.listings if one.platform == "greengo")


@dataclass
class Idle:
    """The engine over those platforms. ``workspace`` has what its telemetry sent."""

    clock: Clock = field(default_factory=Clock)
    workspace: Workspace = field(default_factory=Workspace)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop(self.clock)
        self.run = self.loop.run_until_complete
        portfolio = read_portfolio_file(
            EXAMPLE, portfolio_rules({"SANDBOX_PORT": str(PORT)}, frozenset({PORT}))
        )
        asyncio.set_event_loop(self.loop)
        played = sandbox_config(portfolio)
        listings = tuple(replace(one, validators=one.key == says_so(played)) for one in played.listings)
        self.sandbox = SandboxWorld(replace(played, listings=listings), SandboxClock(self.clock.peek))
        self.app = SandboxApp(self.sandbox, lambda client, flush: None)
        self.tables = MemoryTables(self.clock.now)
        self.bus = MemoryBus(self.clock.now, asyncio.sleep)
        self.engine = self._engine(sandbox_settings(portfolio))
        self.run(self.engine.portfolio.run(portfolio))
        self.run(self.drain())

    def _engine(self, settings: dict[str, str]) -> Operations:
        http = MeteredHttp(SandboxHttp(self.app), self.workspace, lambda: self.clock.peek().timestamp())
        keys, serial = SettingSecrets(settings), itertools.count(1)

        def patience(value: str | None) -> float | None:
            return float(value) if value else None

        apis = {
            platform: connect(platform, http, keys, clock=self.clock.now, retry_after=patience)
            for platform, entry in PLATFORMS.items()
            if entry.connector
        }
        guarded, circuits = behind_guard(apis, self.tables, self.workspace, self.clock)
        world = World(
            tables=self.tables,
            bus=self.bus,
            apis=guarded,
            circuits=circuits,
            feeds=IcalConnector(http, agent="SyncEngine/test", retry_after=patience),
            notify=MemoryNotify(),
            telemetry=self.workspace,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"{next(serial):08d}-of-an-idle-day",
            doorbells=frozenset(
                name for name, entry in PLATFORMS.items() if entry.webhook and entry.poll_every
            ),
        )
        rhythms = {platform: entry.poll_every for platform, entry in PLATFORMS.items() if entry.poll_every}
        return Operations(world, render, rhythms, {})

    async def drain(self) -> None:
        """Let the workers do what stands in the queue."""
        while received := await self.bus.receive("work", 16, 0):
            for one in received:
                await self.engine.work(encode(one.message), one.deliveries, one.message.message_id)
                await self.bus.complete("work", one)

    async def pass_minutes(self, minutes: int, *, polled: Callable[[], bool] = lambda: True) -> None:
        """The timers that ask, each minute; ``polled`` may say that they stand still."""
        for _ in range(minutes):
            self.clock.advance(MINUTE)
            if polled():
                await self.engine.on_timer_poll_feeds()
                await self.engine.on_timer_poll_accounts()
                await self.engine.on_timer_sweep()
                await self.drain()
            self.workspace.at(self.clock.peek())

    def beats(self, since: datetime) -> dict[str, list[datetime]]:
        """When each platform was heard of, without a home: nothing happened there."""
        found: dict[str, list[datetime]] = {}
        for row in self.workspace.rows:
            at, said = row["TimeGenerated"], row["Properties"]
            assert isinstance(at, datetime)
            assert isinstance(said, dict)
            if row["Name"] == "sync_completed" and at > since:
                assert "nights" not in said, "something happened"
                found.setdefault(str(said["platform"]), []).append(at)
        return found

    def close(self) -> None:
        """Free the loop."""
        self.run(self.sandbox.close())
        asyncio.set_event_loop(None)
        self.loop.close()
