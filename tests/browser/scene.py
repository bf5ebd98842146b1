"""A stack with something to see on every page: stays near and far, a double booking, a calendar that does not answer,
a synchronisation that was asked for."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from local.sandbox.faults import FaultKind
from shared.domain.dates import StayDates
from shared.web.local_keys import LocalKeys
from tests.e2e.stage import Stage, staged
from tests.e2e.support import until


@dataclass(frozen=True)
class Scene:
    """The filled stack. ``conflict`` is the double booking's name in an address, ``job`` a synchronisation's, ``link``
    a calendar link's."""

    stage: Stage
    conflict: str
    job: str
    link: str

    @property
    def base(self) -> str:
        """Where the console is."""
        return self.stage.session.stack.hosts.public

    @property
    def token(self) -> str:
        """What a program of this machine sends as Bearer."""
        return token_of(self.stage)

    async def code(self) -> str:
        """The code that signs in next."""
        answer = await ask(self.stage, "/api/sign-in")
        return str(answer["code"])


def token_of(stage: Stage) -> str:
    """The token made from the stack's key; no notes are needed for it."""
    return LocalKeys(stage.session.stack.values["SIGN_IN_KEY"], None).token  # type: ignore[arg-type]


async def ask(stage: Stage, path: str) -> Any:
    """What the API answers to the person at this machine."""
    return json.loads(await read(stage, path))


async def read(stage: Stage, path: str) -> str:
    """What is answered to the person at this machine."""
    url = f"{stage.session.stack.hosts.public}{path}"
    headers = {"authorization": f"Bearer {token_of(stage)}"}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        answer = await client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[Scene]:
    """Everything above, while the block runs."""
    async with staged(folder) as stage:
        today = stage.sandbox.world.clock.today()  # at the homes: in UTC it may still be yesterday
        await _sell(stage, today)
        conflict = await _double(stage, today + timedelta(days=12))
        stage.breaks(FaultKind.DOWN, "greengo", path="88149729")
        started = await stage.ask("POST", "/api/sync", {"platform": "booking"}, 202)
        links = re.search(r'href="/links/([^"/?]+)"', await read(stage, "/links"))
        assert links, "no link is shown"
        yield Scene(stage, conflict, str(started["href"]).rpartition("/")[2], links[1])


async def _sell(stage: Stage, today: date) -> None:
    wished = [
        ("airbnb", "9876543", 1, 4),
        ("booking", "123456701", 6, 3),
        ("airbnb", "9876544", 0, 3),
        ("airbnb", "9876545", 20, 5),
        ("booking", "123456801", 2, 4),
        ("booking", "123456802", 9, 2),
        ("booking", "123456901", 3, 3),
        ("booking", "123456901", 4, 3),
        ("airbnb", "9876551", 5, 7),
        ("airbnb", "9876552", 2, 2),
        ("airbnb", "9876553", 14, 7),
        ("airbnb", "9876554", 8, 10),
        ("booking", "123457001", 16, 6),
    ]
    await asyncio.gather(
        *(
            stage.book(where, what, today + timedelta(days=first), nights)
            for where, what, first, nights in wished
        )
    )


async def _double(stage: Stage, first: date) -> str:
    """The Moulin, sold on Airbnb and on Booking.com in one breath: the conflict's name."""
    await asyncio.gather(
        stage.book("airbnb", "9876543", first, 3), stage.book("booking", "123456701", first, 3)
    )

    async def look() -> str:
        found = (await stage.ask("GET", "/api/conflicts"))["conflicts"]
        return next((str(one["id"]) for one in found if one["home"] == "moulin"), "")

    return await until(look, f"the double booking of {StayDates.of_nights(first, 3)} is found", 60)
