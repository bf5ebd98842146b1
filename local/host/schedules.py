"""NCRONTAB, the timers' six fields, through ``cronsim``, without the places where the two disagree."""

from __future__ import annotations

import re
from datetime import datetime

from cronsim import CronSim, CronSimError

from local.host.errors import HostRefused


class Schedule:
    """Ticks in UTC. Raises ``HostRefused`` for what Azure would refuse or read differently.

    NCrontab wants day and weekday to match both, cron either; NCrontab has no L, W, # and no weekday 7 (VERIFIED in
    its source). A schedule with such a part would run at other times here than there.
    """

    def __init__(self, expression: str, where: str) -> None:
        fields = expression.split()
        if len(fields) != 6:
            raise HostRefused(
                f"{where}: {expression!r} needs six fields: second minute hour day month weekday"
            )
        _second, _minute, _hour, day, _month, weekday = fields
        if not day.startswith("*") and not weekday.startswith("*"):
            raise HostRefused(f"{where}: {expression!r} restricts day and weekday; restrict one of them")
        if re.search(r"[LW#]", day, re.IGNORECASE) or re.search(r"\dL|#|7", weekday, re.IGNORECASE):
            raise HostRefused(f"{where}: {expression!r} uses L, W, # or weekday 7, which NCRONTAB has not")
        self._expression = expression
        try:
            CronSim(expression, datetime(2024, 1, 1))  # noqa: DTZ001 - only checks the fields
        except CronSimError as error:
            raise HostRefused(f"{where}: {expression!r} is not a schedule: {error}") from None

    def __str__(self) -> str:
        return self._expression

    def after(self, moment: datetime) -> datetime:
        """The first tick later than an aware moment."""
        tick: datetime = next(CronSim(self._expression, moment))
        return tick
