"""Processes of our own: started, watched, stopped; none outlives us.

Each runs in a session of its own, so that Ctrl-C reaches only the parent, which stops them in order. Each holds our
pipe as its standard input and ends when that does, so that even a ``kill -9`` of the parent leaves none behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_LOG_LINES = 6
"""Lines of a dead child's log that are shown: what killed it stands at the end."""


class ChildFailed(RuntimeError):
    """A process did not start, or ended by itself; the text has its last words."""


def end_with_stdin(stop: Callable[[], object]) -> None:
    """For a child's main loop: call ``stop`` when the parent closes our standard input, or dies."""
    loop = asyncio.get_running_loop()

    class Watch(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            stop()

    task = loop.create_task(loop.connect_read_pipe(Watch, sys.stdin))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


class Child:
    """One process of this very Python: ``module`` with its arguments, its output in ``log``."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [sys.executable, "-u", "-m", module, *arguments]
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[str] | None = None

    @property
    def pid(self) -> int:
        """The running process. Raises ``ChildFailed`` when there is none."""
        if self._process is None:
            raise ChildFailed(f"{self.name} does not run")
        return self._process.pid

    async def start(self, mark: str, *, env: Mapping[str, str], patience: float = 30.0) -> str:
        """Start it and wait until it prints a line that begins with ``mark``; returns the rest of that line.

        Raises ``ChildFailed`` when it ends before or takes longer than ``patience`` seconds.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env={**env, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )
        self._ready = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(self._process, self._ready, mark))
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(self._ready)
        except TimeoutError:
            await self.kill()
            raise ChildFailed(f"{self.name} was not ready after {patience:.0f} s{self._tail()}") from None
        except asyncio.CancelledError:
            await self.kill()
            raise

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Future[str], mark: str) -> None:
        """Copy what it prints into its log, and note the line that says it is up."""
        assert process.stdout is not None
        with self.log.open("ab") as log:
            async for line in process.stdout:
                log.write(line)
                log.flush()
                text = line.decode(errors="replace").strip()
                if text.startswith(mark) and not ready.done():
                    ready.set_result(text.removeprefix(mark).strip())
        code = await process.wait()
        if not ready.done():
            ready.set_exception(ChildFailed(f"{self.name} ended at once (exit code {code}){self._tail()}"))

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    def last_words(self) -> str:
        """How it ended by itself, with the end of its log."""
        code = self._process.returncode if self._process else None
        return f"{self.name} ended by itself (exit code {code}){self._tail()}"

    async def stop(self, patience: float = 15.0) -> None:
        """Ask it to end, wait, kill it when it does not. Harmless when it does not run."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(patience):
                await self._gone()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        await self._gone()

    async def _gone(self) -> None:
        assert self._process is not None
        await self._process.wait()
        if self._reader is not None:
            await asyncio.wait({self._reader})
        if self._ready is not None and self._ready.done() and not self._ready.cancelled():
            self._ready.exception()  # told to whoever waited for the start; nobody waits any more
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def _tail(self) -> str:
        """The end of its log, to stand behind a sentence."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        except OSError:
            return ""
        return ":\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
