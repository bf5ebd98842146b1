from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.azurite import ROOT, Azurite, AzuriteError, ensure_installed
from shared.adapters.table_store import open_tables
from shared.ports.stores import Row, Tables

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def opened(azurite: Azurite) -> Tables:
    return open_tables(
        connection_string=azurite.connection_string, monotonic=time.monotonic, wall=lambda: NOON, deadline=30
    )


@pytest.mark.azurite
async def test_a_clean_stop_keeps_the_tables_of_a_folder(tmp_path: Path) -> None:
    async with Azurite(location=tmp_path) as azurite:
        tables = opened(azurite)
        await tables.insert("Sites", Row("site", "head", {"n": 1}))
        await tables.close()
    async with Azurite(location=tmp_path) as azurite:
        tables = opened(azurite)
        found = await tables.get("Sites", "site", "head")
        await tables.close()
    assert found is not None
    assert found.values == {"n": 1}


@pytest.mark.azurite
async def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AzuriteError, match=rf"port {port} is taken: stop .* or choose"):
            await Azurite(port=port).start()


@pytest.mark.azurite
async def test_after_the_stop_the_port_is_free_again() -> None:
    async with Azurite() as azurite:
        port = azurite.port
    await azurite.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    async with Azurite(port=port) as again:
        assert again.port == port


@pytest.mark.azurite
async def test_it_ends_with_a_killed_parent() -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "local.azurite", "--port", "0"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    first = (await parent.stdout.readline()).decode()
    port = int(first.split("127.0.0.1:")[1].split()[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(60):
        assert await reader.read() == b"", "the emulator closes what it has open when it ends"
    writer.close()


def test_when_installed_nothing_is_installed() -> None:
    entry = ensure_installed()
    assert entry.exists()
    began = time.perf_counter()
    assert ensure_installed() == entry
    assert time.perf_counter() - began < 0.5


def test_without_a_network_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(AzuriteError, match=r"registry cannot be reached\. Connect to the network"):
        ensure_installed(tmp_path)


def test_the_lock_names_no_mirror_and_the_pinned_version() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"node_modules/azurite": {\n      "version": "3.35.0"' in lock
