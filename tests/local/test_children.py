"""Processes of our own: they come up or say why not, and none is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.children import Child, ChildFailed

ENV = {"PATH": os.environ.get("PATH", "")}


def host(tmp_path: Path, *arguments: str) -> Child:
    return Child("host 1", "local.host", arguments, tmp_path / "logs" / "host.log")


async def test_a_child_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = host(tmp_path, "--settings", str(tmp_path / "none.json"))
    with pytest.raises(ChildFailed, match=r"host 1 ended at once \(exit code 2\)(.|\n)*none.json is missing"):
        await child.start("ready", env=ENV)
    await child.stop()
    assert not child.running


async def test_a_child_that_is_not_ready_in_time_is_killed(tmp_path: Path) -> None:
    child = Child("sandbox", "local.sandbox", ["--port", "0"], tmp_path / "sandbox.log")
    with pytest.raises(ChildFailed, match=r"sandbox was not ready after 3 s"):
        await child.start("never printed", env=ENV, patience=3.0)
    assert not child.running
    with pytest.raises(ChildFailed, match="does not run"):
        _ = child.pid


async def test_a_child_stops_when_asked_and_a_second_time_does_no_harm(tmp_path: Path) -> None:
    child = Child("sandbox", "local.sandbox", ["--port", "0"], tmp_path / "sandbox.log")
    said = await child.start("sandbox:", env=ENV)
    assert said.startswith("http://127.0.0.1:")
    assert child.running
    await child.stop()
    await child.stop()
    assert not child.running
