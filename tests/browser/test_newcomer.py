"""Somebody with no file, no account and no key, in a real browser: from the first page to the copied address in at most
six clicks."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page

from tests.browser.chromium import PHONE, Look, chromium, context, visit
from tests.e2e.test_run import started
from tests.engine.hamlet import calendar
from tests.engine.test_connect import nights
from tests.loopback import Loopback, plain

pytestmark = pytest.mark.e2e

MOST_CLICKS = 6

_COUNT = "window.addEventListener('click', (e) => e.isTrusted && window.clicked(), true);"


async def pressed(page: Page, what: Locator) -> None:
    """Click what leads to another page, and be there."""
    async with page.expect_navigation():
        await what.click()


async def test_from_an_empty_portfolio_to_the_copied_link_in_six_clicks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = calendar(("a", nights(9_000, 3)), summary="Reserved")
    clicks: list[str] = []
    async with chromium() as browser, Loopback(plain(200, body)) as theirs:
        monkeypatch.setenv("LOCAL_LOOPBACK_PORTS", str(theirs.port))
        async with started(tmp_path, "--portfolio", "none") as run:
            code = (await run.when_said("code to sign in: ")).rpartition(" ")[2]
            person = await context(browser, Look(PHONE))
            await person.grant_permissions(["clipboard-read", "clipboard-write"])
            await person.expose_function("clicked", lambda: clicks.append("click"))
            await person.add_init_script(_COUNT)
            opened = await visit(person, f"{run.base}/")
            page = opened.page
            await page.locator("#code").fill(code)
            await pressed(page, page.get_by_role("button", name="Entrer"))
            assert not await opened.judged()
            await pressed(page, page.locator("main").get_by_role("link", name="Connecter").first)
            await page.locator("#link").fill(theirs.url("/a.ics?s=secret"))
            await pressed(page, page.locator("form[action='/connect/look'] button"))
            await page.locator("form[action='/connect'] input[name=name]").fill("Le Moulin")
            platform = page.locator("form[action='/connect'] select[name=platform]")
            if await platform.count():
                await platform.select_option("airbnb")
            await pressed(page, page.locator("form[action='/connect'] button").last)
            await page.locator("#address").wait_for()
            await page.locator("[data-copy=address]").click()
            copied = await page.evaluate("navigator.clipboard.readText()")
            assert copied == await page.locator("#address").input_value()
            assert copied.startswith(f"{run.base}/export/")
            assert not await opened.judged()
            assert len(clicks) <= MOST_CLICKS, clicks
            assert len(clicks) >= 5, "each of the buttons above was counted"
