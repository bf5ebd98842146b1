"""The local host's end: what runs may finish, what does not finish is cancelled and named."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import azure.functions as func
import httpx
import pytest

from local.host.invocations import Invocations
from local.host.timers import TimerLoop
from shared.ports.bus import Message
from tests.functions.tiny import (
    VirtualTime,
    plan_of,
    running,
    waiting,
    with_queue,
    with_routes,
    with_timer,
)


async def test_a_stop_lets_running_work_come_to_its_end() -> None:
    begun, release, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        begun.set()
        await release.wait()
        ended.set()

    async with running(plan_of(with_queue(work))) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await begun.wait()
        at.stop()
        assert not at.served.done()
        release.set()
        await at.served
    assert ended.is_set()
    assert waiting(at.bus) == []


async def listens(base: str) -> bool:
    host, _, port = base.removeprefix("http://").partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionError:  # refused, or reset while the listener was closing
        return False
    writer.close()
    return True


async def test_a_stop_waits_for_a_timer_that_runs() -> None:
    begun, release = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def work(_timer: func.TimerRequest) -> None:
        begun.set()
        await release.wait()
        ended.append("run")

    time, invocations = VirtualTime(timedelta(minutes=5)), Invocations()
    timer = TimerLoop(plan_of(with_timer(work)).timers[0], invocations, time.now, time.sleep)
    loop = asyncio.create_task(timer.run())
    await begun.wait()
    loop.cancel()
    await asyncio.wait({loop})
    assert len(invocations) == 1
    release.set()
    assert await invocations.drain(10.0) == []
    assert ended == ["run"]


async def test_a_stop_answers_the_request_that_runs() -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(_req: func.HttpRequest) -> func.HttpResponse:
        begun.set()
        await release.wait()
        return func.HttpResponse("done")

    plan = plan_of(with_routes({"slow": (["GET"], slow)}))
    async with running(plan) as at, httpx.AsyncClient(base_url=at.base) as client:
        asked = asyncio.create_task(client.get("/slow"))
        await begun.wait()
        at.stop()
        while await listens(at.base):
            assert not asked.done()
        release.set()
        assert (await asked).text == "done"


async def test_what_does_not_end_is_cancelled_named_and_not_completed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_message: func.ServiceBusMessage) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with running(plan_of(with_queue(work)), grace=0.05) as at:
        await at.bus.send("work", [Message("site", "villa")])
        await begun.wait()
    assert cancelled.is_set()
    assert "worker did not end" in caplog.text
    assert waiting(at.bus) == ["villa"]
