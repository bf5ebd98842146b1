"""Fails a test during which something planted stood where it must not (``tests/planted.py``), and says at the end how
much was looked through.

A pytest plugin (``-p`` in pyproject.toml): at work in every test of ``make test``, in each of its processes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests.planted import WATCH, Found
from tests.planted_sinks import HOST, SINKS, watch_sinks
from tests.planted_sources import watch_sources

EXEMPT: dict[str, str] = {
    "tests/contracts/test_telemetry.py::test_no_guest_and_no_secret_is_sent_nor_logged_by_a_library": (
        "hands both to the telemetry itself, to see that the wire has neither"
    ),
    "tests/local/test_cli_records.py::test_the_portfolio_is_written_without_links_and_with_them_on_demand": (
        "asks for the portfolio's text with its calendar links, which are left out of it otherwise"
    ),
}
"""Tests that show something planted on purpose, by the beginning of their name, with the reason."""

_PLANTED = "planted"
_found: list[str] = []
_counts: Counter[str] = Counter()


def pytest_configure() -> None:
    """Before anything is collected."""
    watch_sources()
    watch_sinks()
    logging.getLogger().setLevel(logging.INFO)  # as the Functions worker does


def exempted(test: str) -> bool:
    """Whether this test may."""
    return any(test.startswith(one) for one in EXEMPT)


def seen(test: str) -> list[Found]:
    """What is found after a test."""
    WATCH.read(HOST)
    found = WATCH.look(test)
    return [] if exempted(test) else found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """The test's own end comes last: what its fixtures' ends said counts too."""
    report = yield
    if call.when == "teardown" and (found := seen(item.nodeid)):
        report.outcome = "failed"
        report.longrepr = "\n".join(["planted, and found where it must not be:", *map(str, found)])
        _found.extend(map(str, found))
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """What only came with the end of the fixtures that all share; a worker hands on what it counted."""
    left = seen("the end of the run")
    _found.extend(map(str, left))
    _counts.update({**WATCH.counts, _PLANTED: WATCH.planted})
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["planted"] = {"found": _found, "counts": dict(_counts)}
    elif _found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker ended."""
    said = getattr(node, "workeroutput", {}).get("planted")
    if said:
        _found.extend(said["found"])
        _counts.update(said["counts"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much was looked through, and what was found."""
    looked = ", ".join(f"{_counts[sink.name]:,} x {sink.name}" for sink in SINKS if _counts[sink.name])
    terminalreporter.write_line(
        f"planted: {_counts[_PLANTED]:,} secrets beside the fixed words; looked through {looked or 'nothing'}; "
        f"found {len(_found)}"
    )
    for one in _found:
        terminalreporter.write_line(f"  {one}", red=True)
