"""One command under way: whom it talks to, where it writes, in which language."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import typer

from local.cli.api import Api
from local.cli.place import find
from local.cli.reading import Json, text
from local.cli.screen import Screen
from local.cli.trouble import A_PERSON, Trouble
from local.cli.words import words
from shared.connectors.registry import PLATFORMS
from shared.domain import setbacks
from shared.domain.platform import Platform
from shared.ports.http import Http
from shared.web.words import words as console_words


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the world outside is, for tests: the way to the app, the way to calendars, the time."""

    transport: httpx.BaseTransport | None = None
    http: Callable[[], Http] | None = None
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _wall


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

    def t(self, key: str, **values: object) -> str:
        """A text in the session's language."""
        return words(self.language)[key].format(**values)

    def console(self, key: str, **values: object) -> str:
        """A text of the console's pages: what both say is said in the same words."""
        return console_words(self.language)[key].format(**values)

    def has_console(self, key: str) -> bool:
        """Whether the pages have such a text."""
        return key in console_words(self.language)

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


def setback(session: Session, of_: Json, name: str) -> str:
    """What went wrong, as the pages say it."""
    return setbacks.said(text(of_, name))[session.language]


def be_sure(session: Session) -> None:
    """Ask before what cannot be taken back. Raises ``Trouble`` for anything but a yes."""
    answer = typer.prompt(session.t("base.sure"), default="", show_default=False, prompt_suffix=" ", err=True)
    if answer.strip().lower() not in ("o", "oui", "y", "yes"):
        raise Trouble(A_PERSON, "trouble.stopped")


def unseen(question: str) -> str:
    """What a person types without its being shown, or the next line of what a script hands in. A hidden prompt would
    read the terminal, and not what was piped. Raises ``typer.Abort`` where there is nothing."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True, prompt_suffix=" ", err=True))
    line = sys.stdin.readline()
    if not line.strip():
        raise typer.Abort
    return line.strip()
