"""The state machine whose tables are copied, and put back at any later moment over what stands there: nothing sold is
opened, nothing is lost, and in the end every calendar is exactly right. One thing is excused: what Greengo took of ours
may stand there as a sale of its own, a double booking too many (docs/limits.md)."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from local.tables.backup import backup
from local.tables.restore import restore
from tests.engine.machine import SyncMachine
from tests.hypothesis_profiles import PROVING, budget

RUNS = budget(test=40, prove=1000)
STEPS = 40


class Restored(SyncMachine):
    """``path`` is the last copy, None before the first."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.path: Path | None = None
        self.copies = 0

    def teardown(self) -> None:
        self._folder.cleanup()
        super().teardown()

    @rule()
    def copy(self) -> None:
        self.copies += 1
        self.path = Path(self._folder.name) / f"copy{self.copies}"
        self.village.run(backup(self.village.tables, self.path))

    @precondition(lambda self: self.path is not None)
    @rule(seconds=st.sampled_from([0, 120]))
    def put_back(self, seconds: int) -> None:
        """Every host is stopped; one is started again."""
        assert self.path is not None
        self.late_answers_arrive()
        self.end_trouble_within(seconds)
        self.village.restart()
        self.village.clock.advance(timedelta(seconds=seconds))
        self.village.run(restore(self.village.tables, self.path, over=True, stopped=True))
        self.village.restart()
        self.doubtful |= set(self.village.greengo.imported.values())


def test_a_copy_put_back_at_any_moment_opens_no_sold_night() -> None:
    run_state_machine_as_test(
        Restored,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not PROVING,
            database=None,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
