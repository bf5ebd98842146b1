"""Timers: one loop per function, ticks in UTC, clock and sleep from outside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from local.host.inputs import timer_request
from local.host.invocations import Invocations, call_without_result, log_failure
from local.host.plan import TimerPlan
from shared.ports.people import Sleep

_LATE = timedelta(seconds=1)
"""From here on a run is marked late; less is the event loop's own jitter."""

_log = logging.getLogger("host")


class TimerLoop:
    """Runs one function at its ticks, never twice at once.

    As in the WebJobs TimerListener (VERIFIED in its source), the next tick is the first one after the *start* of the
    run before; if it has passed when that run ends, it is served at once: of many missed ticks, one run remains.
    Such a run, and one after standby, is marked ``past_due``, so that the handler can say so; Azure marks only what
    was missed while no host ran, which a host without memory cannot know.
    """

    def __init__(
        self, plan: TimerPlan, invocations: Invocations, clock: Callable[[], datetime], sleep: Sleep
    ) -> None:
        self._plan = plan
        self._invocations = invocations
        self._clock = clock
        self._sleep = sleep

    async def run(self) -> None:
        """Until cancelled. A failed run is logged and does not stop the schedule."""
        name, schedule = self._plan.target.name, self._plan.schedule
        last: datetime | None = None
        tick = schedule.after(self._clock())
        while True:
            # A sleep may end early; a tick served before its time would be served twice.
            while (ahead := (tick - self._clock()).total_seconds()) > 0:
                await self._sleep(ahead)
            start = self._clock()
            request = timer_request(last, tick, start - tick >= _LATE)
            try:
                await self._invocations.track(name, call_without_result(self._plan.target, request))
            except Exception as error:  # noqa: BLE001 - whatever a function raises, its schedule goes on
                log_failure(name, error)
            last, tick = start, schedule.after(start)
