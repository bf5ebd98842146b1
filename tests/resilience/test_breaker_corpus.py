"""The published scenarios of two breakers, step by step; those that ours cannot express are named in the decision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from shared.resilience.circuit_breaker import (
    Circuit,
    CircuitConfig,
    Outcome,
    Permit,
    State,
    force,
    next_state,
    permit,
    record,
    wait_for_permit,
)
from tests.security import corpus

FILES = ("breaker/polly.json", "breaker/resilience4j.json")
DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "breaker.md"

AT_ONCE = 100
"""Calls a window by time may hold here: more than any scenario makes."""

FOR_EVER = 1e9
STATES = {"disabled": State.FORCED_CLOSED} | {state.value: state for state in State}
RESULTS = {"ok": Outcome.OK, "fail": Outcome.FAILED, "ignored": Outcome.IGNORED}


def scenarios() -> list[dict[str, Any]]:
    return [one for file in FILES for one in corpus.load(file)["scenarios"]]


def listed() -> dict[str, str]:
    """What the decision says we cannot express, with its reason."""
    found = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", DECISION.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def config_of(told: dict[str, Any]) -> CircuitConfig:
    """Our configuration for theirs. Whatever it says must be understood: an unknown word is no scenario of ours."""
    told = dict(told)
    window = told.pop("window")
    ours: dict[str, Any] = {
        "window_calls": AT_ONCE,
        "open_seconds": told.pop("open_s"),
        "longest_open_seconds": FOR_EVER,
        "open_multiplier": told.pop("open_multiplier", 1.0),
        "trials": told.pop("half_open_permits"),
        "half_open_seconds": told.pop("half_open_max_s", None),
    }
    # Polly lets another trial through after one more duration; resilience4j lets the half-open time run out.
    ours["trial_seconds"] = ours["open_seconds"] or 1.0
    if window == "consecutive":
        ours["in_a_row"] = told.pop("failures")
    elif window == "time":
        ours["window_seconds"] = told.pop("window_s")
        ours["minimum_calls"] = told.pop("minimum_calls")
        ours["failure_rate"] = told.pop("failure_rate")
        ours["judge_successes"] = told.pop("judge_on", "any") != "failure"
        ours["slow_seconds"] = told.pop("slow_call_s", None)
        ours["slow_rate"] = told.pop("slow_rate", 1.0)
    else:
        raise AssertionError(f"unknown window {window}")
    assert not told, f"not understood: {told}"
    return CircuitConfig(**ours)


class Player:
    """Plays the steps on our functions and keeps the counts that a circuit of ours does not."""

    def __init__(self, config: CircuitConfig) -> None:
        self.config = config
        self.circuit = Circuit()
        self.ticks = 0
        self.held: list[Permit] = []
        self.begun: dict[str, Permit] = {}
        self.rejected = 0
        self.entered: list[State] = []

    @property
    def now(self) -> float:
        return self.ticks / 10**7

    def become(self, circuit: Circuit) -> None:
        if circuit.era != self.circuit.era:
            self.entered.append(circuit.state)
            self.rejected = 0
        self.circuit = circuit

    def look(self) -> State:
        self.become(next_state(self.circuit, self.config, self.now))
        return self.circuit.state

    def ask(self) -> Permit | None:
        # The half-open state that time brings is a change of its own, also where the same call is then refused.
        self.look()
        circuit, got = permit(self.circuit, self.config, self.now)
        self.become(circuit)
        self.rejected += got is None
        return got

    def finish(self, got: Permit, result: str, seconds: float = 0.0) -> None:
        self.become(record(self.circuit, self.config, self.now, got, RESULTS[result], seconds))

    def result(self, result: str, seconds: float = 0.0) -> None:
        """A result belongs to the permit taken last, or to one asked for at once."""
        got = self.held.pop() if self.held else self.ask()
        assert got is not None
        self.finish(got, result, seconds)

    def play(self, step: str) -> None:
        word, *rest = step.split()
        getattr(self, f"do_{word}")(*rest)

    # What moves it.

    def do_ok(self) -> None:
        self.result("ok")

    def do_fail(self) -> None:
        self.result("fail")

    def do_ignored(self) -> None:
        self.result("ignored")

    def do_slow_ok(self, seconds: str) -> None:
        self.result("ok", float(seconds))

    def do_slow_fail(self, seconds: str) -> None:
        self.result("fail", float(seconds))

    def do_call(self, expected: str) -> None:
        got = self.ask()
        if expected == "rejected":
            assert got is None
        else:
            assert got is not None
            self.finish(got, expected)

    def do_start(self, name: str) -> None:
        got = self.ask()
        assert got is not None
        self.begun[name] = got

    def do_finish(self, name: str, result: str) -> None:
        self.finish(self.begun.pop(name), result)

    def do_release(self) -> None:
        self.finish(self.held.pop(), "ignored")

    def do_advance(self, seconds: str) -> None:
        self.ticks += round(float(seconds) * 10**7)

    def do_force(self, state: str, seconds: str = "") -> None:
        self.held.clear()
        self.look()
        self.become(
            force(self.circuit, self.config, STATES[state], self.now, float(seconds) if seconds else None)
        )

    def do_reset(self) -> None:
        self.do_force("closed")

    # What must hold.

    def do_acquire(self, expected: str) -> None:
        got = self.ask()
        assert (got is not None) is (expected == "yes")
        if got is not None:
            self.held.append(got)

    def do_force_error(self, state: str) -> None:
        with pytest.raises(ValueError, match="circuit"):
            force(self.circuit, self.config, STATES[state], self.now)

    def do_state(self, expected: str) -> None:
        assert self.look() is STATES[expected]

    def do_rejected(self, expected: str) -> None:
        assert self.rejected == int(expected)

    def do_calls(self, expected: str) -> None:
        assert len(self.circuit.calls) == int(expected)

    def do_opened_events(self, expected: str) -> None:
        assert self.entered.count(State.OPEN) == int(expected)

    def do_half_opened_events(self, expected: str) -> None:
        assert self.entered.count(State.HALF_OPEN) == int(expected)

    def do_retry_after(self, expected: str) -> None:
        assert wait_for_permit(self.circuit, self.config, self.now) == pytest.approx(float(expected))

    def do_break_attempts(self, *expected: str) -> None:
        """How often it was opened again, at each opening: so many doublings the open time has."""
        for word in expected:
            if word == "then-close":
                self.ticks = round(self.circuit.until * 10**7)
                self.do_call("ok")
                assert self.look() is State.CLOSED
                continue
            self.ticks = max(self.ticks, round(self.circuit.until * 10**7))
            self.do_call("fail")
            assert self.look() is State.OPEN
            assert self.circuit.reopened == int(word)

    def do_config_error(self, key: str, value: str) -> None:
        with pytest.raises(ValueError, match=OURS[key]):
            CircuitConfig(**{OURS[key]: float(value)})

    def do_config_ok(self, key: str, value: str) -> None:
        CircuitConfig(**{OURS[key]: float(value)})


OURS = {"failure_rate": "failure_rate", "minimum_calls": "minimum_calls", "open_s": "open_seconds"}


@pytest.mark.parametrize("number", range(48))
def test_scenario(number: int) -> None:
    scenario = scenarios()[number]
    if scenario["id"] in listed():
        assert any(step.split()[-1] not in STATES for step in scenario["steps"] if step.startswith("force "))
        return
    player = Player(config_of(scenario["config"]))
    for at, step in enumerate(scenario["steps"]):
        try:
            player.play(step)
        except AssertionError as wrong:
            raise AssertionError(f"{scenario['id']}, step {at}: {step}: {player.circuit}") from wrong


def test_every_scenario_is_played_or_listed() -> None:
    names = [one["id"] for one in scenarios()]
    assert len(names) == len(set(names)) == 48
    assert set(listed()) <= set(names)
    assert all(listed().values())
    assert len(listed()) == 1
