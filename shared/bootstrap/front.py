"""The front: who takes a webhook in a process that has no engine yet. What it imports is paid before the answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.bootstrap.callers import senders
from shared.bootstrap.voices import voice
from shared.connectors.registry import PLATFORMS
from shared.engine.front import Front

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.ports.bus import Bus
    from shared.ports.stores import Tables
    from shared.use_cases import Engine


def open_front(settings: Settings, tables: Tables, bus: Bus, engine: Callable[[], Engine]) -> Front:
    """A front over clients that the engine will share; ``engine`` builds that where the front alone does not do.
    Raises ``SettingsRefused``."""
    return Front(
        tables,
        bus,
        voice(settings),
        lambda: secrets.token_urlsafe(24),
        settings.work_queue,
        frozenset(name for name, entry in PLATFORMS.items() if entry.connector),
        frozenset(name for name, entry in PLATFORMS.items() if entry.check),
        settings.webhook_secrets,
        senders(settings),
        engine,
    )
