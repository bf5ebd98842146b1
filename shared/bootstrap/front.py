"""The front: who takes a webhook in a process that has no engine yet. What it imports is paid before the answer."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from shared.bootstrap.callers import senders
from shared.bootstrap.voices import voice
from shared.config import Settings
from shared.connectors.registry import PLATFORMS
from shared.engine.front import Front
from shared.ports import Bus, Tables
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
