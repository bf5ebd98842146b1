"""Every page of the console in a real browser. In French at two widths; with PROVE=1 in English too, light and dark,
with scripts and without. SCREENSHOTS=docs/images/console keeps what was seen in French."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from shared.domain.access import Right
from shared.routes import ROUTES, Route
from tests.browser.chromium import LAPTOP, PHONE, Look, axe, chromium, context, visit, without_ours
from tests.browser.scene import Scene, filled

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROVE = bool(os.environ.get("PROVE"))
KEPT = os.environ.get("SCREENSHOTS", "")
"""A folder for pictures; empty for none."""

SECRET = {"links/{id}"}
"""Pages that show an address of ours in full: no picture of them is kept."""

MOST_TALL = 1_300
"""CSS pixels of a page that a picture shows."""

NOT_PAGES = {"static/{name}", "history.csv", "sync/{job}/progress", "links/{id}/wait"}
"""Addresses that give a browser no page of their own: what a page loads, a file to keep, and the
pieces a page asks for again."""

NAMED: dict[str, Callable[[Scene], str]] = {
    "conflicts/{id}": lambda scene: f"conflicts/{scene.conflict}",
    "sync/{job}": lambda scene: f"sync/{scene.job}",
    "links/{id}": lambda scene: f"links/{scene.link}",
    "calendar/{home}": lambda scene: "calendar/moulin",
}
"""Pages of one thing: where to find one that is there. A page that is neither plain nor here fails."""

LOOKS = [
    Look(width, language, scheme, scripts)
    for width in (PHONE, LAPTOP)
    for language in ("fr", "en")
    for scheme in ("light", "dark")
    for scripts in (True, False)
    if PROVE or (language, scheme, scripts) == ("fr", "light", True)
]


def pages() -> list[Route]:
    """What a person can look at."""
    return [one for one in ROUTES if one.is_page and not one.changes and one.path not in NOT_PAGES]


def address(scene: Scene, route: Route) -> str:
    if "{" in route.path:
        return f"{scene.base}/{NAMED[route.path](scene)}"
    return f"{scene.base}/{route.path.strip('/')}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with filled(Path(tmp_path_factory.mktemp("browser"))) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(browser: Browser, scene: Scene) -> Any:
    """The cookies of a person who typed the code."""
    person = await context(browser, Look())
    opened = await visit(person, f"{scene.base}/")
    assert opened.page.url.endswith("/sign-in")
    assert not await opened.judged()
    await opened.page.get_by_label("Code").fill(await scene.code())
    await opened.page.get_by_role("button", name="Entrer").click()
    await opened.page.wait_for_url(f"{scene.base}/")
    return await person.storage_state()


async def _keep(page: Page, route: Route, look: Look) -> None:
    """A picture of the page's upper part, small enough to stand in a repository."""
    name = re.sub(r"[^a-z]+", "-", route.path).strip("-") or "today"
    tall: int = await page.evaluate("document.documentElement.scrollHeight")
    await page.screenshot(
        path=Path(KEPT) / f"{name}-{look.width}.jpg",
        type="jpeg",
        quality=75,
        full_page=True,
        clip={"x": 0, "y": 0, "width": look.width, "height": min(tall, MOST_TALL)},
    )


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_page_can_be_used_by_everybody(
    browser: Browser, scene: Scene, signed_in: Any, look: Look
) -> None:
    wrong: dict[str, list[str]] = {}
    for route in pages():
        state = signed_in if route.right is not Right.OPEN else None
        person = await context(browser, look, state)
        beside = None if look.scripts else await without_ours(browser, look, state)
        opened = await visit(person, address(scene, route), beside)
        problems = await opened.judged()
        shown = (look.language, look.scheme, look.scripts) == ("fr", "light", True)
        if KEPT and shown and route.path not in SECRET:
            await _keep(opened.page, route, look)
        if problems:
            wrong[route.path] = problems
        await person.close()
        if beside is not None:
            await beside.close()
    assert not wrong, "\n".join(f"{path}: {line}" for path, lines in wrong.items() for line in lines)


async def test_ten_presses_of_sync_now_are_one_synchronisation(
    browser: Browser, scene: Scene, signed_in: Any
) -> None:
    person = await context(browser, Look(), signed_in)
    opened = [await visit(person, f"{scene.base}/sync") for _ in range(10)]
    button = [one.page.get_by_role("button", name="Tout synchroniser maintenant") for one in opened]
    await asyncio.gather(*(one.click(no_wait_after=True) for one in button))
    await asyncio.gather(*(one.page.wait_for_url(re.compile(r"/sync/[^/]+$")) for one in opened))
    assert len({one.page.url for one in opened}) == 1
    await person.close()


async def test_of_two_browsers_that_resolve_one_conflict_the_second_is_told_and_loses_nothing(
    browser: Browser, scene: Scene, signed_in: Any
) -> None:
    where = f"{scene.base}/conflicts/{scene.conflict}"
    first, second = [await context(browser, Look(width), signed_in) for width in (LAPTOP, PHONE)]
    mine, theirs = await visit(first, where), await visit(second, where)
    typed = "La famille arrive en train, <b>appelle</b> avant 18 h"
    await theirs.page.get_by_text("Ajouter une note").click()
    await theirs.page.locator("#note-field").fill(typed)
    await _decide(mine.page)
    await mine.page.wait_for_selector("#state.info")
    await _decide(theirs.page)
    told = theirs.page.locator("#refused")
    await told.wait_for()
    assert "Déjà décidé par local" in await told.inner_text()
    assert await theirs.page.locator("#note-field").input_value() == typed
    assert await theirs.page.locator("#state.info").count() == 1, "the present state is shown beside it"
    assert not await axe(theirs.page)
    await first.close()
    await second.close()


async def _decide(page: Page) -> None:
    """Choose the first proposal; what cannot be taken back is asked again."""
    proposal = page.locator("#decide li.proposal").first
    sure = proposal.locator("details.sure > summary")
    if await sure.count():
        await sure.click()
    await proposal.locator("button[name=proposal]").click()
