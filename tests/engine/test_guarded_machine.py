"""The same stories with the platforms behind their guard: a circuit may delay a closure, never lose one, and what was
tried twice is still one decision."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.machine import SyncMachine
from tests.hypothesis_profiles import PROVING, budget

RUNS = budget(test=30, prove=500)
STEPS = 40


class Guarded(SyncMachine):
    """Circuits, repetition and deadlines between the engine and its platforms."""

    guarded = True
    opened = 0

    def teardown(self) -> None:
        """Ends the story, and counts how often a circuit opened in it."""
        super().teardown()
        Guarded.opened += sum(name == "circuit_opened" for name, _ in self.village.telemetry.events)


def test_no_story_behind_the_guard_ends_with_a_wrong_calendar() -> None:
    Guarded.opened = 0
    run_state_machine_as_test(
        Guarded,
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
    assert Guarded.opened, "no circuit opened in any story: they prove nothing about circuits"
