"""A platform that does not answer at all: only a few callers wait for it, the others hear at once that nothing was sent
(rule 16: one silent platform never holds all the workers)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from shared.connectors.guard.guarded import MOST_SILENT, SILENT
from shared.domain.errors import CircuitOpen
from tests.connectors.guard.test_guarded import LISTING, OWNER, World


class Silence(World):
    """A world whose platform hangs, and the callers that wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[asyncio.Task[object]] = []

    async def hang(self, calls: int = MOST_SILENT, *, survey: bool = False) -> None:
        """So many calls get no answer; returns when all of them are with the platform."""
        self.platform.hangs = True
        before = len(self.platform.asked)
        for _ in range(calls):
            call = self.connector.stays(OWNER, "unit-7") if survey else self.close()
            self.waiting.append(asyncio.ensure_future(call))
        while len(self.platform.asked) < before + calls:
            await asyncio.sleep(0)
        self.platform.hangs = False

    async def end(self) -> None:
        """Nobody waits any longer."""
        for task in self.waiting:
            task.cancel()
        await asyncio.gather(*self.waiting, return_exceptions=True)


@pytest_asyncio.fixture
async def silence() -> AsyncIterator[Silence]:
    found = Silence()
    yield found
    await found.end()


async def test_one_caller_more_hears_at_once_that_nothing_was_sent(silence: Silence) -> None:
    await silence.hang()
    silence.hosts.seconds += SILENT
    with pytest.raises(CircuitOpen, match="nothing was sent") as refused:
        await silence.close()
    assert refused.value.retry_after == SILENT
    assert len(silence.platform.asked) == MOST_SILENT


async def test_calls_that_only_just_began_are_no_silence(silence: Silence) -> None:
    await silence.hang(4 * MOST_SILENT)
    silence.hosts.seconds += SILENT - 0.1
    assert (await silence.close()).accepted


async def test_fewer_silent_calls_stop_nobody(silence: Silence) -> None:
    await silence.hang(MOST_SILENT - 1)
    silence.hosts.seconds += SILENT
    assert (await silence.close()).accepted


async def test_other_operations_and_other_accounts_go_on(silence: Silence) -> None:
    await silence.hang()
    silence.hosts.seconds += SILENT
    await silence.connector.poll(OWNER)
    await silence.connector.write(replace(OWNER, id="another"), LISTING, silence.a_write())


async def test_once_nobody_waits_calls_go_out_again(silence: Silence) -> None:
    await silence.hang()
    silence.hosts.seconds += SILENT
    await silence.end()
    assert (await silence.close()).accepted


async def test_long_surveys_are_no_silence(silence: Silence) -> None:
    await silence.hang(survey=True)
    silence.hosts.seconds += SILENT
    await silence.connector.poll(OWNER)
