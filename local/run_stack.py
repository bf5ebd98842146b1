"""Everything that ``make run`` starts, in order, and stops in the reverse one: the table emulator goes last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.api_key import bearer, write_header
from local.azurite import Azurite
from local.children import Child, ChildFailed
from local.ports import free_port, is_free
from local.run_pieces import forget_pieces, write_pieces
from local.run_settings import child_environment, write_settings
from local.servicebus.config import load_config
from local.servicebus.standin import StandIn

_QUEUES = Path(__file__).parent / "servicebus" / "Config.json"

Say = Callable[[str], None]
"""Tells the person at the terminal one thing."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """How many hosts, the first one's port, where their settings and logs stand."""

    folder: Path
    port: int
    count: int = 1

    @property
    def public(self) -> str:
        """The address of the first host: the one that serves calendars and takes webhooks."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Stack:
    """What runs: the table emulator, the Service Bus stand-in, and hosts over both. ``values`` are their settings."""

    hosts: Hosts
    azurite: Azurite
    bus: StandIn
    values: dict[str, str]
    children: list[Child] = field(default_factory=list)

    @property
    def key(self) -> dict[str, str]:
        """The header that opens the hosts' API."""
        return bearer(self.values)

    async def start_hosts(self) -> None:
        """Start them side by side. Raises ``ChildFailed`` when one does not come up."""
        write_settings(self.hosts.folder / "settings.json", self.values, self.hosts.port)
        write_header(self.hosts.folder, self.values)
        self.children = [self._child(number) for number in range(self.hosts.count)]
        await asyncio.gather(*(self.start(child) for child in self.children))

    async def start(self, child: Child) -> None:
        """Start one host, for the first time or again."""
        await child.start("ready", env=child_environment(self.values))
        self._name_pieces()

    async def stop_hosts(self) -> None:
        """End all of them, side by side."""
        await asyncio.gather(*(child.stop() for child in self.children))

    def _name_pieces(self) -> None:
        hosts = {f"HOST_{n}": one.pid for n, one in enumerate(self.children, 1) if one.running}
        bus = f"http://127.0.0.1:{self.bus.control_port}"
        write_pieces(self.hosts.folder, {"TABLES": self.azurite.pid, "BUS": bus, **hosts})

    def _child(self, number: int) -> Child:
        port = 0 if number else self.hosts.port
        settings = str(self.hosts.folder / "settings.json")
        arguments = ["--settings", settings, "--port", str(port), "--with-parent"]
        return Child(
            f"host {number + 1}", "local.host", arguments, self.hosts.folder / f"host-{number + 1}.log"
        )


@asynccontextmanager
async def running_stack(
    hosts: Hosts, base: Mapping[str, str], tables: Path | None = None
) -> AsyncIterator[Stack]:
    """The emulator (in memory without ``tables``) and the stand-in, while the block runs; hosts start on demand.

    Raises ``AzuriteError`` when the emulator cannot start, saying what to do.
    """
    async with AsyncExitStack() as opened:
        azurite = await opened.enter_async_context(Azurite(location=tables))
        bus = await opened.enter_async_context(StandIn(load_config(_QUEUES)))
        values = {
            **base,
            "STORAGE": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "SERVICEBUS": bus.connection_string,
        }
        stack = Stack(hosts, azurite, bus, values)
        opened.push_async_callback(stack.stop_hosts)
        opened.callback(forget_pieces, hosts.folder)
        yield stack


class PortTaken(Exception):
    """Somebody else listens there; the text says what to do."""


def choose_port(wanted: int, purpose: str, say: Say, *, must: bool = False) -> int:
    """The wanted port, or, when it is taken, a free one, and a word about it; 0 is any free one. Raises ``PortTaken``
    when it must be that very one."""
    if wanted == 0:
        return free_port()
    if is_free(wanted):
        return wanted
    if must:
        raise PortTaken(
            f"port {wanted} for {purpose} is taken: stop the program that has it (perhaps an older run), or choose "
            "another one with --port"
        )
    other = free_port()
    say(f"port {wanted} is taken (another run?): {purpose} takes {other} instead")
    return other


__all__ = ["ChildFailed", "Hosts", "PortTaken", "Say", "Stack", "choose_port", "running_stack"]
