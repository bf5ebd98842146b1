"""The engine under the state machine: 200 runs in ``make test``, 2,000 in ``make prove``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.machine import SyncMachine

RUNS = 2000 if os.environ.get("PROVE") else 200


def test_no_story_ends_with_a_wrong_calendar() -> None:
    run_state_machine_as_test(
        SyncMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not os.environ.get("PROVE"),
            database=None,
        ),
    )
