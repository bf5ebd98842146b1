"""The words of the health report: how findings are counted before anybody, and what each means and asks for.

``GET /health`` is open to whoever finds it, so that it says numbers and names nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from shared.domain.health import Code, Finding

OPEN: Mapping[Code, str] = {
    Code.STORE_DOWN: "the tables do not answer",
    Code.TIMERS_STOPPED: "the timers stand still",
    Code.CALENDAR_SILENT: "calendars without a good answer for too long: {count}",
    Code.ACCOUNT_SILENT: "accounts without a good answer for too long: {count}",
    Code.ACCOUNT_PAUSED: "accounts whose platform withdrew our access: {count}",
    Code.MODE_FALLEN: "accounts that nothing is sent to by itself: {count}",
    Code.MODE_CHOSEN: "accounts that are manual by choice: {count}",
    Code.CIRCUIT_OPEN: "circuits that stay open: {count}",
    Code.CIRCUIT_FORCED: "circuits held by hand: {count}",
    Code.WORK_LATE: "sites that wait for over 5 minutes: {count}",
    Code.JOB_STUCK: "jobs that stand still: {count}",
    Code.BUS_DOWN: "the message queue does not answer",
    Code.DEAD_LETTERS: "queues with dead letters: {count}",
    Code.SET_ASIDE: "messages set aside: {count}",
}
"""What anybody may read of each, with how many there are."""


def open_reasons(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The findings counted by what they are, in the order of the report; no name of anybody or anything."""
    counts = Counter(one.code for one in findings)
    return tuple(OPEN[code].format(count=count) for code, count in counts.items())
