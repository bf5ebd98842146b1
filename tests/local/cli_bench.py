"""The command line beside the real console, in one process: each request passes the door with the token of this
machine, and a pause of the command is a turn of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner, Result

from local.cli.app import app
from local.cli.session import Tools
from shared.ports.http import Http
from shared.state.notes import NoteStore
from shared.use_cases import Ask
from shared.web.desk import Desk
from shared.web.door import Door
from shared.web.limit import Limit
from shared.web.local_keys import LocalKeys
from shared.web.sign_in import LocalSignIn, SignIn
from tests.engine.village import Village
from tests.web.support import PAGES, PUBLIC, find

KEY = "a-key-of-this-machine-0123456789"
PORT = 7461
SPOKEN = {"fr": "fr_FR.UTF-8", "en": "en_GB.UTF-8"}


@dataclass
class InProcess(httpx.BaseTransport):
    """Hands requests to the door of an engine. ``broken`` are raised one by one before anything is answered;
    ``after`` is called once an answer was made, with its request."""

    village: Village
    door: Door
    asked: list[httpx.Request] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)
    after: Callable[[httpx.Request], None] = lambda _: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.broken:
            raise self.broken.pop(0)
        path = request.url.raw_path.decode().partition("?")[0]  # as it was sent
        try:
            route, params = find(request.method, path)
        except AssertionError:
            return httpx.Response(404)
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.pop("accept-encoding", None)
        ask = Ask(request.method, path, params, dict(request.url.params), headers, request.read())
        answer = self.village.run(self.door.answer(route, ask))
        self.after(request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)


class Bench:
    """A village, its console, and a terminal beside it."""

    def __init__(self, folder: Path, village: Village) -> None:
        self.village = village
        self.settings = folder / "settings.json"
        self.settings.write_text(
            json.dumps({"Host": {"LocalHttpPort": PORT}, "Values": {"SIGN_IN": "local", "SIGN_IN_KEY": KEY}}),
            encoding="utf-8",
        )
        self.keys = LocalKeys(KEY, NoteStore(village.store))
        self.way = InProcess(village, self._door(LocalSignIn(self.keys)))
        self.tools = Tools(self.way, sleep=self.turn)

    def turn(self, seconds: float) -> None:
        """While the command waits the engine works."""
        self.village.clock.advance(timedelta(seconds=seconds))
        self.village.run(self.village.drain())

    def sign_in(self, who: SignIn, *, keys: bool = True) -> None:
        """Somebody else asks; without ``keys`` it is not this machine's sign-in."""
        self.way.door = self._door(who, keys=keys)

    def _door(self, sign_in: SignIn, *, keys: bool = True) -> Door:
        free = Limit(1_000_000, 1, lambda: 0.0)
        return Door(
            Desk(self.village.engine, PAGES, PUBLIC, self.keys if keys else None), sign_in, free, free
        )

    def calendars(self, http: Http) -> None:
        """Where calendar links lead to."""
        self.tools = replace(self.tools, http=lambda: http)

    def __call__(self, *arguments: str, typed: str = "", language: str = "fr") -> Result:
        """Run one command; fails for anything that a person would see as a stack of lines."""
        spoken = {"LC_ALL": None, "LC_MESSAGES": None, "LANG": SPOKEN[language]}
        environment = {**spoken, "SYNC_TOKEN": None, "SYNC_AT": None, "COLUMNS": "80"}
        line = ["--settings", str(self.settings), *arguments]
        result = CliRunner(env=environment).invoke(app, line, input=typed, obj=self.tools)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a script reads."""
        result = self(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)


def answering(answer: httpx.Response) -> httpx.BaseTransport:
    """A way that leads to one and the same answer."""
    return httpx.MockTransport(
        lambda _: httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    )
