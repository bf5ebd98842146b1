"""``GET /health``: whether the engine keeps its promises, computed from the tables alone, so that frozen timers are
seen from outside. Open to anybody: it says how much is wrong, never of whom, and strangers who ask all day cost no more
than one report every ten seconds for each process.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from shared.domain import health_state
from shared.domain.health import HealthReport, joined
from shared.domain.health_words import open_reasons
from shared.engine.health_watch import HealthWatch
from shared.engine.world import World
from shared.use_cases import HttpAnswer

KEPT = timedelta(seconds=10)
"""How long an answer is given again."""

PATIENCE = 1.0
"""Seconds an answer may take."""

FIRST = 5.0
"""Seconds the first answer of a process may take: the tables' client is built for it, and the links are opened."""


class HealthPage:
    """Answers, one report at a time."""

    def __init__(self, world: World, watch: HealthWatch) -> None:
        self._world = world
        self._watch = watch
        self._report: HealthReport | None = None
        self._asking: asyncio.Task[HealthReport] | None = None

    async def answer(self) -> HttpAnswer:
        """200, or 503 with reasons that name nobody. Raises nothing of its own."""
        report = await self._fresh()
        body = json.dumps({"ok": report.ok, "reasons": open_reasons(report.ill)}, ensure_ascii=False).encode()
        kind = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
        return HttpAnswer(200 if report.ok else 503, body, kind)

    async def _fresh(self) -> HealthReport:
        kept = self._report
        if kept is not None and timedelta() <= self._world.now() - kept.at < KEPT:
            return kept
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        # What was begun goes on when its patience is over: whoever asks next finds it done.
        done, _ = await asyncio.wait({self._asking}, timeout=PATIENCE if kept else FIRST)
        return self._asking.result() if done else _no_answer(self._world.now())

    async def _ask(self) -> HealthReport:
        self._report = await self._watch.report(outside=True)
        return self._report


def _no_answer(now: datetime) -> HealthReport:
    return joined(now, [health_state.of_store(f"no answer within {PATIENCE:g} s")])
