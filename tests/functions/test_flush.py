"""What an invocation gathered is handed on when it ends, however it ends; over HTTP nobody waits for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import azure.functions as func
import pytest

from shared import bootstrap, edge

ROOT = Path(__file__).resolve().parents[2]


class Flushes:
    """Counts; ``let_go`` opens a flush that would last."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.let_go = asyncio.Event()

    async def flush(self, *, everything: bool = False) -> None:
        self.begun += 1
        await self.let_go.wait()
        self.ended += 1


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> Flushes:
    found = Flushes()
    monkeypatch.setattr(bootstrap, "flush", found.flush)
    return found


@pytest.mark.parametrize("fails", [False, True])
async def test_a_timer_and_a_message_end_with_a_flush(flushes: Flushes, fails: bool) -> None:
    flushes.let_go.set()

    async def handler() -> None:
        assert flushes.begun == flushes.ended
        if fails:
            raise ValueError("no")

    for guard in (edge.timer, edge.queue):
        if fails:
            with pytest.raises(edge.InvocationFailed):
                await guard(handler)()
        else:
            await guard(handler)()
    assert (flushes.begun, flushes.ended) == (2, 2)


@pytest.mark.parametrize("fails", [False, True])
async def test_an_answer_over_http_waits_for_no_flush(flushes: Flushes, fails: bool) -> None:
    async def handler() -> func.HttpResponse:
        if fails:
            raise ValueError("no")
        return func.HttpResponse("here")

    answer = await edge.http(handler)()
    assert answer.status_code == (500 if fails else 200)
    assert flushes.ended == 0
    flushes.let_go.set()
    while flushes.ended == 0:
        await asyncio.sleep(0)
    assert flushes.begun == 1


def test_the_extra_is_pinned_as_the_tests_use_it() -> None:
    extra = (ROOT / "requirements-otel.txt").read_text("utf-8").splitlines()
    tested = (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
    pins = [line for line in extra if not line.startswith("#")]
    assert pins
    assert set(pins) <= set(tested)
