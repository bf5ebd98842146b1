"""``make run`` as a process: ready, mended, stopped, killed; it leaves nothing behind and says what to do."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from local.children import ROOT
from local.ports import free_port
from tests.e2e.support import until

pytestmark = pytest.mark.e2e

OWN = """
owners:
  - id: me
    people: [{principal: me@example.org, role: operator, email: me@example.org, language: fr}]
homes:
  - id: moulin
    name: Le Moulin
    listings:
      - {platform: airbnb, link: 'https://calendar.invalid/a.ics'}
      - {platform: greengo, link: 'https://calendar.invalid/b.ics'}
"""


@dataclass
class Run:
    """One ``python -m local.run`` and what it printed so far."""

    process: asyncio.subprocess.Process
    base: str
    lines: list[str] = field(default_factory=list)

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())

    def said(self, text: str) -> str:
        return next((line for line in self.lines if text in line), "")

    async def when_said(self, text: str) -> str:
        async def look() -> str:
            assert self.process.returncode is None, "\n".join(self.lines)
            return self.said(text)

        return await until(look, f"it says {text!r}: {self.lines}")

    def family(self) -> dict[int, str]:
        """Every process below it, by its command."""
        printed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(None, 2) for line in printed.stdout.splitlines()]
        found: dict[int, str] = {self.process.pid: ""}
        for _ in rows:  # parents are not always printed before their children
            new = {int(row[0]): row[2] for row in rows if int(row[1]) in found and int(row[0]) not in found}
            if not new:
                break
            found |= new
        return {pid: command for pid, command in found.items() if command and "ps -A" not in command}


@asynccontextmanager
async def started(folder: Path, *arguments: str) -> AsyncIterator[Run]:
    port = free_port()
    ports = ("--port", str(port), "--sandbox-port", "0")  # two tests that began together would both want 8099
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.run", *ports, "--guests", "0", "--folder", str(folder)),
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    run = Run(process, f"http://127.0.0.1:{port}")
    reading = asyncio.create_task(run.read())
    try:
        yield run
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await reading


async def gone(pids: set[int]) -> None:
    async def look() -> bool:
        return not any(alive(pid) for pid in pids)

    await until(look, f"the end of {pids}", 60.0)


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def healthy(base: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        try:
            return (await client.get(f"{base}/health")).status_code in (200, 503)
        except httpx.HTTPError:
            return False


async def opens(base: str, file: Path) -> bool:
    """Whether the API opens to whoever sends what stands in the file, and to nobody else."""
    name, _, value = file.read_text().strip().partition(": ")
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
        refused = await client.get("/api/status")
        answer = await client.get("/api/status", headers={name: value})
    return (refused.status_code, answer.status_code) == (401, 200)


async def test_a_dead_host_comes_back_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    async with started(tmp_path) as run:
        await run.when_said("ready")
        [host] = [pid for pid, command in run.family().items() if "local.host" in command]
        os.kill(host, signal.SIGKILL)
        await run.when_said("host 1 ended by itself")
        await until(lambda: healthy(run.base), "the host again")
        children = set(run.family())
        assert len(children) >= 2
        assert host not in children
        code = (await run.when_said("code to sign in")).rpartition(" ")[2]
        assert re.fullmatch("[A-Z2-7]{5}-[A-Z2-7]{5}", code)
        assert await opens(run.base, tmp_path / "example" / "api-header")
        [again] = [pid for pid, command in run.family().items() if "local.host" in command]
        assert f"HOST_1={again}\n" in (tmp_path / "example" / "pieces").read_text()
        run.process.send_signal(signal.SIGINT)
        assert await run.process.wait() == 0
    await gone(children)
    assert run.said("/export/….ics")
    assert run.said("stopped")
    assert not (tmp_path / "example" / "pieces").exists()
    for name in ("settings.json", "api-header"):
        assert (tmp_path / "example" / name).stat().st_mode & 0o077 == 0


async def test_a_killed_run_leaves_no_process_either(tmp_path: Path) -> None:
    async with started(tmp_path) as run:
        await run.when_said("ready")
        children = set(run.family())
        assert len(children) >= 2
        run.process.kill()
    await gone(children)


async def test_an_own_portfolio_keeps_its_links_and_is_opened_by_one_run_at_a_time(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    links = []
    for _ in range(2):
        async with started(tmp_path, "--portfolio", str(own), "--show-links") as run:
            await run.when_said("is this machine online?")
            links.append(run.said("calendar for moulin-greengo").rpartition("/")[2])
            assert run.said("From home you import only")
            line = ("--settings", str(tmp_path / "own" / "settings.json"), "links", "show", "moulin-greengo")
            assert links[-1] in (await command_line(*line))[1]  # it finds port and token by itself
            second = await refused("--portfolio", str(own), "--folder", str(tmp_path))
            assert "stop it first" in second
    code, shown = await command_line("--settings", str(tmp_path / "own" / "settings.json"), "status")
    assert (code, "make run" in shown) == (3, True)
    assert links[0] == links[1]
    assert len(links[0]) > 22


async def command_line(*arguments: str) -> tuple[int | None, str]:
    """Its exit code, and all it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.cli", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def refused(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.run", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 1
    return printed.decode()


async def test_a_taken_port_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = await refused("--port", port, "--folder", str(tmp_path))
    assert f"port {port} for the host is taken" in said
    assert "--port" in said


async def test_a_portfolio_that_is_not_there_says_how_to_begin(tmp_path: Path) -> None:
    said = await refused("--portfolio", str(tmp_path / "none.yaml"), "--folder", str(tmp_path))
    assert "copy portfolio.example.yaml" in said
