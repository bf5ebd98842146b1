"""One command under way: whom it talks to, where it writes, in which language."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import typer

from local.cli.api import Api
from local.cli.place import find
from local.cli.screen import Screen
from local.cli.words import words
from shared.connectors.registry import PLATFORMS
from shared.domain.model import Platform
from shared.ports import Http


@dataclass(frozen=True, slots=True)
class Tools:
    """What the world outside is, for tests: the way to the app, the way to calendars, the time."""

    transport: httpx.BaseTransport | None = None
    http: Callable[[], Http] | None = None
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Session:
    """What a command works with. The place is looked for at the first request: not every command needs one."""

    language: str
    screen: Screen
    tools: Tools
    at: str = ""
    token: str = field(default="", repr=False)
    settings: Path | None = None
    _api: Api | None = None

    @property
    def api(self) -> Api:
        """The app's API. Raises ``Trouble`` when nothing says where the app is."""
        if self._api is None:
            place = find(self.at, self.token, self.settings)
            self._api = Api(place, self.language, self.tools.transport)
        return self._api

    @property
    def is_elsewhere(self) -> bool:
        """Whether an address was named."""
        return bool(self.at)

    def t(self, key: str, **values: object) -> str:
        """A text in the session's language."""
        return words(self.language)[key].format(**values)

    def close(self) -> None:
        """Free the connection."""
        if self._api is not None:
            self._api.close()


def of(ctx: typer.Context) -> Session:
    """The session of a command."""
    session = ctx.obj
    assert isinstance(session, Session), "the first callback makes it"
    return session


def named(platform: str) -> str:
    """A platform's proper name."""
    entry = PLATFORMS.get(Platform(platform))
    return entry.name if entry else platform
