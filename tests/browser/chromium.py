"""The system's Chromium, driven by playwright, and what is asked of every page in it: no accessibility fault (axe), no
report of the content security policy, no script error, nothing wider than the screen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, LAPTOP = 390, 1280
"""Widths in CSS pixels."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WATCH = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (e) =>
  window.reports.push(`${e.violatedDirective}: ${e.blockedURI}`));
"""
_ASK = """
async (rules) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: rules } });
  return found.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).join(" | ")}`);
}
"""


def executable() -> str:
    """Where Chromium is; the test is skipped on a machine without one."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium: install it (Debian: apt install chromium) to test the pages")
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser, while the block runs."""
    path = executable()
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True)
class Look:
    """How a person looks at the pages."""

    width: int = LAPTOP
    language: str = "fr"
    scheme: str = "light"
    scripts: bool = True

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{self.scheme}{'' if self.scripts else '-no-scripts'}"


@dataclass
class Visit:
    """One page opened, and what was wrong with it."""

    page: Page
    problems: list[str] = field(default_factory=list)
    beside: BrowserContext | None = None

    async def judged(self) -> list[str]:
        """Everything wrong with the page as it stands now. Where scripts are off axe cannot wait for itself: the same
        address is read in a browser beside it, which runs axe and nothing of ours."""
        found = [*self.problems, *await reports(self.page), *await too_wide(self.page)]
        if self.beside is None:
            return [*found, *await axe(self.page)]
        copy = await self.beside.new_page()
        await copy.goto(self.page.url, wait_until="load")
        return [*found, *await axe(copy)]


async def context(browser: Browser, look: Look, state: Any = None) -> BrowserContext:
    """A person's browser: ``state`` holds the cookies of whoever signed in before."""
    height = 844 if look.width == PHONE else 900
    opened = await browser.new_context(
        viewport={"width": look.width, "height": height},
        locale=look.language,
        color_scheme="dark" if look.scheme == "dark" else "light",
        java_script_enabled=look.scripts,
        storage_state=state,
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
    )
    await opened.add_init_script(_WATCH)
    return opened


async def without_ours(browser: Browser, look: Look, state: Any = None) -> BrowserContext:
    """The same person's browser with none of our scripts, in which axe can run."""
    opened = await context(browser, replace(look, scripts=True), state)
    await opened.route("**/*.js", lambda route: route.abort())
    return opened


async def visit(people: BrowserContext, url: str, beside: BrowserContext | None = None) -> Visit:
    """Open an address; its answer must be good."""
    found = Visit(await people.new_page(), beside=beside)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.problems.append(f"console: {message.text}")

    found.page.on("console", heard)
    found.page.on("pageerror", lambda error: found.problems.append(f"script: {error}"))
    answer = await found.page.goto(url, wait_until="load")
    assert answer is not None
    if answer.status != 200:
        found.problems.append(f"status {answer.status}")
    return found


async def axe(page: Page) -> list[str]:
    """Accessibility faults, one line each."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    said: list[str] = await page.evaluate(_ASK, _RULES)
    return [f"axe: {one}" for one in said]


async def reports(page: Page) -> list[str]:
    """What the content security policy stopped."""
    said: list[str] = await page.evaluate("window.reports || []")
    return [f"policy: {one}" for one in said]


async def too_wide(page: Page) -> list[str]:
    """A page that must be pushed sideways."""
    wide: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return [f"{wide} px wider than the screen"] if wide > 0 else []
