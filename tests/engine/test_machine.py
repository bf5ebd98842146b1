"""The engine under the state machine: 200 runs in ``make test``, 2,000 in ``make prove``; and it must find bugs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.machine import SyncMachine
from tests.engine.mutants import MUTANTS, Mutant
from tests.hypothesis_profiles import PROVING, budget

RUNS = budget(test=200, prove=2000)
STEPS = 40


def run_machine(runs: int, *, shrink: bool) -> None:
    run_state_machine_as_test(
        SyncMachine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not PROVING,
            database=None,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        ),
    )


def test_no_story_ends_with_a_wrong_calendar() -> None:
    run_machine(RUNS, shrink=True)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_the_machine_kills_the_mutant(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    with pytest.raises((AssertionError, ExceptionGroup)) as found:
        run_machine(RUNS, shrink=False)
    assert all(isinstance(error, AssertionError) for error in leaves(found.value)), found.value


def leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error
