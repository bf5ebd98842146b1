"""Runs functions and knows which are running, so that a stop can wait for them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from local.host.context import InvocationContext
from local.host.plan import Target

T = TypeVar("T")

_log = logging.getLogger("host")


class WrongReturn(TypeError):
    """A timer or queue function returned something: without a ``$return`` binding that fails the invocation."""


class Invocations:
    """The running invocations. Work begun here is not cancelled with whoever waits for it, only by ``drain``."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[object], str] = {}

    def __len__(self) -> int:
        return len(self._running)

    async def track(self, name: str, work: Awaitable[T]) -> T:
        """Do the work in a task of its own and wait for it; if the waiting is cancelled, the work goes on."""
        task = asyncio.ensure_future(work)
        self._running[task] = name
        task.add_done_callback(lambda done: self._running.pop(done, None))
        return await asyncio.shield(task)

    async def drain(self, grace: float) -> list[str]:
        """Wait at most ``grace`` seconds for what runs, then cancel it; returns the names of the cancelled."""
        if not self._running:
            return []
        _done, left = await asyncio.wait(self._running, timeout=grace)
        names = sorted(self._running[task] for task in left)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return names


async def call(target: Target, value: object) -> object:
    """Call a function as the worker does: a coroutine function on the loop, a plain one in a thread."""
    arguments: dict[str, object] = {target.argument: value}
    if "context" in inspect.signature(target.call).parameters:
        arguments["context"] = InvocationContext(target.name)
    bound: Callable[[], object] = functools.partial(target.call, **arguments)
    if inspect.iscoroutinefunction(target.call):
        result: object = await target.call(**arguments)
        return result
    return await asyncio.to_thread(bound)


async def call_without_result(target: Target, value: object) -> None:
    """``call`` for timers and queues. Raises ``WrongReturn`` when something comes back."""
    result = await call(target, value)
    if inspect.iscoroutine(result):
        result.close()
    if result is not None:
        raise WrongReturn(f"{target.name} returned {type(result).__name__} without a $return binding")


def log_failure(name: str, error: BaseException) -> None:
    """One line per failed invocation, with the type alone: our own trigger edge has logged what is safe to say."""
    _log.error("%s: invocation failed: %s", name, type(error).__name__)
