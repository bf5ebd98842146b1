"""Somebody with no file, no account and no key: from ``make run PORTFOLIO=none`` to a connected calendar."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.e2e.support import until
from tests.e2e.test_run import started
from tests.engine.hamlet import calendar
from tests.engine.test_connect import nights
from tests.loopback import Loopback, plain
from tests.web.newcomer import OverHttp
from tests.web.test_connect import MOST_CLICKS

pytestmark = pytest.mark.e2e


def walk(base: str, code: str, link: str) -> OverHttp:
    """All the way, as the pages lead."""
    with httpx.Client(trust_env=False, timeout=20.0) as client:
        someone = OverHttp(base, client=client)
        someone.open("/")
        someone.press(someone.form("/sign-in"), code=code)
        someone.follow(
            next(one for one in someone.page.every("a") if one.attributes.get("href") == "/connect")
        )
        someone.press(someone.form("/connect/look"), link=link)
        someone.press(someone.form("/connect"), name="Le Moulin", platform="airbnb")
        someone.copy()
        return someone


async def test_a_run_begins_with_nothing_and_goes_on_with_what_the_console_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = calendar(("a", nights(9_000, 3)), summary="Reserved")
    async with Loopback(plain(200, body)) as theirs:
        monkeypatch.setenv("LOCAL_LOOPBACK_PORTS", str(theirs.port))
        async with started(tmp_path, "--portfolio", "none") as run:
            await run.when_said("no file: connect your calendars in the console")
            code = (await run.when_said("code to sign in: ")).rpartition(" ")[2]
            someone = await asyncio.to_thread(walk, run.base, code, theirs.url("/a.ics?s=secret"))
            assert someone.clicks <= MOST_CLICKS
            address = someone.page.one("input", id="address").attributes["value"]
            assert "ne peut pas joindre cette adresse" in someone.page.said
            await served(address)
            assert "s=secret" not in "\n".join(run.lines)
        async with started(tmp_path, "--portfolio", "none") as again:
            await again.when_said("ready")
            await served(again.base + address.removeprefix(run.base))
    logs = [file.read_text() for file in tmp_path.rglob("*.log")]
    assert logs
    assert not [text for text in logs if "s=secret" in text]


async def served(address: str) -> None:
    """Our calendar is given out once theirs was read."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:

        async def look() -> bool:
            return (await client.get(address)).status_code == 200

        await until(look, "our calendar")
