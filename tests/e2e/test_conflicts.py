"""Two guests buy the same nights: found, told, decided by one of two people, cancelled by hand, resolved and told over;
through everything that ``make run`` starts. Judged by what people see: notices, the API, the platforms' own books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.domain.dates import StayDates
from tests.e2e.days import ahead, day_ahead
from tests.e2e.stage import Stage, staged
from tests.e2e.support import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

PROMISE = 10.0
"""Seconds from a conflict's commit to its notice."""

JULY, AUGUST = day_ahead("2027-07-10"), day_ahead("2027-08-10")


@dataclass
class Story:
    """What was seen of one double booking."""

    stays: dict[str, Any] = field(default_factory=dict)
    first_seen: dict[str, Any] = field(default_factory=dict)
    notice_after: float = 0.0
    notice: dict[str, Any] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)
    decided: dict[str, Any] = field(default_factory=dict)
    again: httpx.Response | None = None
    resolved: dict[str, Any] = field(default_factory=dict)
    over: dict[str, Any] = field(default_factory=dict)


class Desk:
    """The running stack, and people at its console."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def book(self, platform: str, listing: str, dates: StayDates) -> Any:
        url = f"{self.stage.sandbox.base}/sandbox/{platform}/book"
        body = {"listing": listing, "check_in": str(dates.check_in), "nights": len(dates)}
        answer = await self.stage.session.client.post(url, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def cancel(self, platform: str, stay: str) -> None:
        """The person cancels a stay on the platform itself."""
        url = f"{self.stage.sandbox.base}/sandbox/{platform}/cancel"
        answer = await self.stage.session.client.post(url, json={"id": stay})
        assert answer.is_success, answer.text

    async def conflict(self, home: str, seconds: float = 60.0, **like: Any) -> Any:
        """The conflict of a home, once there is one that is so."""

        async def look() -> Any:
            found = (await self.stage.ask("GET", "/api/conflicts"))["conflicts"]
            return next((one for one in found if one["home"] == home and like.items() <= one.items()), None)

        return await until(look, f"a conflict of {home} that is {like}", seconds)

    async def read(self, href: str) -> httpx.Response:
        url = f"{self.stage.session.stack.hosts.public}{href}"
        return await self.stage.session.client.get(url, headers=self.stage.key)

    async def decide(self, href: str, proposal: str, tag: str) -> httpx.Response:
        url = f"{self.stage.session.stack.hosts.public}{href}/resolution"
        headers = {**self.stage.key, "If-Match": tag}
        return await self.stage.session.client.post(url, json={"proposal": proposal}, headers=headers)

    async def told(self, kind: str, words: str) -> dict[str, Any]:
        return dict(await self.stage.told(kind, words, 60))


async def two_people(desk: Desk) -> Story:
    """The Moulin, sold on Airbnb and on Booking.com in one breath."""
    story, dates = Story(), StayDates.of_nights(JULY, 3)
    sold = await asyncio.gather(
        desk.book("airbnb", "9876543", dates), desk.book("booking", "123456701", dates)
    )
    story.stays = dict(zip(("airbnb", "booking"), sold, strict=True))
    story.notice = await desk.told("conflict", "Le Moulin de")
    heard = time.time()
    story.first_seen = await desk.conflict("moulin")
    story.notice_after = heard - datetime.fromisoformat(story.first_seen["detected_at"]).timestamp()
    href = story.first_seen["href"]
    read = await desk.read(href)
    kinds = {one["kind"]: one["id"] for one in read.json()["proposals"]}
    story.answers = list(
        await asyncio.gather(
            desk.decide(href, kinds["cancel"], read.headers["etag"]),
            desk.decide(href, kinds["ask_guest"], read.headers["etag"]),
        )
    )
    story.decided = (await desk.read(href)).json()
    await desk.cancel("booking", story.stays["booking"]["id"])
    story.resolved = await desk.conflict("moulin", state="resolved")
    story.again = await desk.decide(href, kinds["cancel"], (await desk.read(href)).headers["etag"])
    story.over = await desk.told("conflict_over", "Le Moulin de")
    return story


async def a_doubt(desk: Desk) -> Any:
    """The Grange, whose owner lets the engine do what can be taken back: two calendars show the same nights, then one
    shows them no longer. The conflict as the policy left it."""
    dates = StayDates.of_nights(AUGUST, 3)
    _, second = await asyncio.gather(
        desk.book("airbnb", "9876544", dates), desk.book("greengo", "grange-greengo", dates)
    )
    await desk.conflict("grange")
    await desk.cancel("greengo", second["id"])
    return await desk.conflict("grange", state="decided")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with staged(Path(tmp_path_factory.mktemp("conflicts"))) as stage:
        yield Desk(stage)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(desk: Desk) -> dict[str, Any]:
    """Both stories side by side, on homes of their own."""
    story, doubt = await asyncio.gather(two_people(desk), a_doubt(desk))
    return {"story": story, "doubt": doubt}


@pytest.fixture
def story(told: dict[str, Any]) -> Story:
    found: Story = told["story"]
    return found


async def test_the_owner_is_told_within_10_seconds_of_the_conflicts_commit(story: Story) -> None:
    assert story.notice_after <= PROMISE
    assert ahead("10–13 juillet 2027") in story.notice["text"]["fr"]
    assert "Notre première proposition" in story.notice["text"]["fr"]
    assert "airbnb" in story.notice["text"]["fr"].lower()
    assert "booking.com" in story.notice["text"]["fr"].lower()


async def test_two_guests_in_the_gap_are_one_conflict_with_both_sides(desk: Desk, story: Story) -> None:
    found = (await desk.stage.ask("GET", "/api/conflicts"))["conflicts"]
    assert len([one for one in found if one["home"] == "moulin"]) == 1
    assert {side["platform"] for side in story.first_seen["sides"]} == {"airbnb", "booking"}
    assert story.first_seen["nights"] == [ahead("2027-07-10/2027-07-13")]


async def test_of_two_people_at_once_one_decides_and_the_other_is_told_who(story: Story) -> None:
    won, late = sorted(story.answers, key=lambda one: one.status_code)
    assert (won.status_code, late.status_code) == (200, 409)
    assert late.headers["content-type"] == "application/problem+json"
    by = won.json()["decision"]["by"]
    assert late.json()["said"]["fr"].startswith(f"Déjà décidé par {by}, le ")
    assert story.decided["state"] == "decided"
    assert story.decided["decision"]["by"] == by


async def test_it_is_resolved_when_the_platform_shows_it_and_that_is_told(story: Story) -> None:
    assert story.resolved["verified_at"] is not None
    assert "terminée" in story.over["text"]["fr"]
    assert story.again is not None
    assert story.again.status_code == 412


async def test_the_guest_who_stays_keeps_the_nights_everywhere(desk: Desk, story: Story) -> None:
    dates = StayDates.of_nights(JULY, 3)
    await desk.stage.closed("booking/123456701", dates)
    truth = desk.stage.sandbox.world.truth
    assert {truth.night("airbnb/9876543", night).state.value for night in dates.nights()} == {"sold"}


async def test_a_policy_asks_a_calendar_again_by_itself(told: dict[str, Any]) -> None:
    decided = told["doubt"]
    assert decided["decision"]["by"] == "policy"
    assert decided["decision"]["proposal"].startswith("drop_stale-")
