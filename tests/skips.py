"""In CI a test is skipped for one of three reasons, or it fails: a skip that nobody allowed hides a loss.

A pytest plugin (``-p`` in pyproject.toml). On a laptop every skip stays a skip; with ``CI`` set, one whose reason
does not begin with an allowed one becomes a failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ALLOWED = ("no ../shared", "no second Python", "no Chromium")
"""How the reason of an allowed skip begins: test data that has no licence, an interpreter and a browser that a
machine may lack."""

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")


def allowed(reason: str) -> bool:
    """Whether a skip with this reason may stand in CI."""
    return reason.removeprefix("Skipped: ").startswith(ALLOWED)


def refusal(reason: str) -> str:
    """What the failed test says."""
    return f"skipped in CI for a reason that is not allowed: {reason}\nallowed: {', '.join(ALLOWED)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return str(report.longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test skipped by a mark, in a fixture or in its body. An expected failure also reports as a skip."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and not allowed(_reason(report)):
        report.outcome = "failed"
        report.longrepr = refusal(_reason(report))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole module skipped while it is imported (``importorskip``, a skip at its top)."""
    report = yield
    if IN_CI and report.outcome == "skipped" and not allowed(_reason(report)):
        report.outcome = "failed"
        report.longrepr = refusal(_reason(report))
    return report
