"""The one place that joins engine, connectors, adapters and twins; what of them lives in this process stands here.

Nothing is read, built or imported before the first call: Azure loads no function at all when an import fails, and
each import is paid at every cold start. So the parts beside this file are imported by the functions that need them.
One engine for each event loop, since the clients' connections belong to it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from shared.bootstrap.joined import Joined
    from shared.config import Settings
    from shared.engine.engine import SyncEngine
    from shared.engine.front import Front
    from shared.ports.bus import Bus
    from shared.ports.people import Telemetry
    from shared.ports.stores import Tables
    from shared.use_cases import Console, Engine, Receiver

_built: WeakKeyDictionary[asyncio.AbstractEventLoop, Joined] = WeakKeyDictionary()
_fronts: WeakKeyDictionary[asyncio.AbstractEventLoop, Front] = WeakKeyDictionary()
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Tables, Bus]] = WeakKeyDictionary()
"""The tables and the bus of the front and of the engine: whoever comes second finds their connections open."""
_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, Console] = WeakKeyDictionary()


def engine() -> Engine:
    """The engine of this process and event loop, built at the first call. Raises ``SettingsRefused``."""
    return _joined().operations


def receiver() -> Receiver:
    """Who takes webhooks: the engine where there is one, else a front that is up in a third of its time. While the
    settings are refused, one who tells strangers nothing and those who may call that it is so."""
    loop = asyncio.get_running_loop()
    if loop in _built:
        return _built[loop].operations
    if loop not in _fronts:
        from shared.bootstrap.front import open_front
        from shared.config import SettingsRefused, current

        try:
            _fronts[loop] = open_front(current(), *_opened(current()), engine)
        except SettingsRefused as refused:
            from shared.bootstrap.shut import open_shut

            return open_shut(refused)
    return _fronts[loop]


def console() -> Console:
    """The console of this process and event loop, over its engine. Raises ``SettingsRefused``."""
    loop = asyncio.get_running_loop()
    if loop not in _doors:
        from shared.bootstrap.door import open_door
        from shared.config import current

        _doors[loop] = open_door(_joined().operations, current())
    return _doors[loop]


def sync_engine() -> SyncEngine:
    """The same engine as one object with six methods, for programs without triggers. Raises ``SettingsRefused``."""
    from shared.bootstrap.joined import rhythms
    from shared.engine.engine import SyncEngine

    return SyncEngine(_joined().operations, rhythms())


def telemetry() -> Telemetry:
    """Where the trigger edge counts failures: the engine's own, or the log before there is an engine. Never raises,
    also when the settings are wrong."""
    from shared.bootstrap.voices import latest

    return latest()


async def flush(*, everything: bool = False) -> None:
    """Hand on what an invocation gathered to be sent; a second at most, and nothing where nothing is sent anywhere."""
    from shared.bootstrap import voices

    await voices.flush(everything=everything)


async def close() -> None:
    """Free the connections of this event loop's engine, if one was built."""
    loop = asyncio.get_running_loop()
    _doors.pop(loop, None)
    front, joined, clients = _fronts.pop(loop, None), _built.pop(loop, None), _clients.pop(loop, None)
    if front is not None:
        await front.reception.settle()
    if joined is not None:
        await joined.close()
    elif clients is not None:
        await clients[1].close()
        await clients[0].close()
    if clients is not None:
        await flush(everything=True)


def _joined() -> Joined:
    loop = asyncio.get_running_loop()
    if loop not in _built:
        from shared.bootstrap.joined import join
        from shared.config import current

        tables, bus = _opened(current())
        _built[loop] = join(current(), tables=tables, bus=bus)
    return _built[loop]


def _opened(settings: Settings) -> tuple[Tables, Bus]:
    """This event loop's clients; neither connects before its first call."""
    from shared.bootstrap.clients import open_bus, open_tables

    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = open_tables(settings), open_bus(settings)
    return _clients[loop]
