"""What holds of a circuit whatever happens to it, and what its text keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Unreadable
from shared.resilience.circuit_breaker import (
    Call,
    Circuit,
    CircuitConfig,
    Outcome,
    Permit,
    State,
    absorb,
    force,
    next_state,
    permit,
    record,
    wait_for_permit,
)
from shared.resilience.circuit_text import from_text, to_text

CONFIG = CircuitConfig(slow_seconds=8, slow_rate=0.8, reserved_seconds=30)

LEGAL = {
    (State.CLOSED, State.OPEN),
    (State.OPEN, State.HALF_OPEN),
    (State.HALF_OPEN, State.CLOSED),
    (State.HALF_OPEN, State.OPEN),
}
"""The changes a circuit makes by itself."""

steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 9.0, 29.0, 30.0, 31.0, 100.0, 400.0])),
        st.tuples(st.just("ask"), st.booleans()),
        st.tuples(st.just("tell"), st.sampled_from(Outcome), st.sampled_from([0.2, 9.0]), st.integers(0, 3)),
    ),
    max_size=80,
)


@given(steps)
def test_whatever_happens_a_circuit_keeps_its_rules(history: list[tuple[object, ...]]) -> None:
    circuit, now, held = Circuit(), 1000.0, list[tuple[Permit, float]]()
    for kind, *rest in history:
        before = circuit
        if kind == "wait":
            now += float(str(rest[0]))
            circuit = next_state(circuit, CONFIG, now)
        elif kind == "ask":
            circuit, got = permit(circuit, CONFIG, now, urgent=bool(rest[0]))
            if got is not None:
                held.append((got, now))
                assert circuit.state in (State.CLOSED, State.HALF_OPEN)
            else:
                assert circuit.state in (State.OPEN, State.HALF_OPEN)
        elif held:
            outcome, seconds, which = rest
            got, _ = held.pop(int(str(which)) % len(held))
            circuit = record(circuit, CONFIG, now, got, Outcome(outcome), float(str(seconds)))
        if circuit.era != before.era:
            assert circuit.era == before.era + 1 or before.state is State.OPEN
            assert circuit.era != before.era + 1 or (before.state, circuit.state) in LEGAL
        else:
            assert circuit.state is before.state
        # One trial at most is under way whose time is not over.
        assert sum(end > now for _, end in circuit.trials) <= 1
        assert len(circuit.calls) <= CONFIG.window_calls
        if circuit.state is State.OPEN:
            assert 0 <= circuit.until - now <= 300
            assert circuit.until - circuit.since == pytest.approx(CONFIG.open_for(circuit.reopened))
        assert from_text(to_text(circuit)) == _rounded(circuit)


def _rounded(circuit: Circuit) -> Circuit:
    """What a text keeps: milliseconds."""
    calls = tuple(replace(call, at=pytest.approx(call.at, abs=0.002)) for call in circuit.calls)
    trials = tuple((number, pytest.approx(end, abs=0.001)) for number, end in circuit.trials)
    since, until = (pytest.approx(at, abs=0.001) for at in (circuit.since, circuit.until))
    return replace(circuit, calls=calls, trials=trials, since=since, until=until)


def opened(at: float = 0.0, config: CircuitConfig = CONFIG) -> Circuit:
    circuit = Circuit()
    for _ in range(3):
        circuit, got = permit(circuit, config, at)
        assert got is not None
        circuit = record(circuit, config, at, got, Outcome.FAILED)
    assert circuit.state is State.OPEN
    return circuit


def test_the_open_time_doubles_up_to_five_minutes_and_begins_anew_after_a_recovery() -> None:
    circuit, spans = opened(), []
    for _ in range(7):
        spans.append(circuit.until - circuit.since)
        circuit, got = permit(circuit, CONFIG, circuit.until)
        assert got is not None
        circuit = record(circuit, CONFIG, circuit.until + 1, got, Outcome.FAILED)
    assert spans == [30, 60, 120, 240, 300, 300, 300]
    circuit, got = permit(circuit, CONFIG, circuit.until)
    assert got is not None
    circuit = record(circuit, CONFIG, circuit.until, got, Outcome.OK, 0.1)
    assert (circuit.state, circuit.reopened, circuit.calls) == (State.CLOSED, 0, ())


def test_a_thousand_failed_trials_still_have_an_end() -> None:
    assert CircuitConfig(open_multiplier=10).open_for(10**6) == 300


def test_a_trial_nobody_reports_on_blocks_the_next_for_its_time_only() -> None:
    circuit, got = permit(opened(), CONFIG, 30)
    assert got is not None
    again, refused = permit(circuit, CONFIG, 59.9)
    assert refused is None
    assert wait_for_permit(again, CONFIG, 59.9) == pytest.approx(0.1)
    later, other = permit(circuit, CONFIG, 60)
    assert other is not None
    assert other.trial != got.trial
    # The dead process was only slow: what it tells now concerns no trial any more.
    assert record(later, CONFIG, 61, got, Outcome.OK) == later
    assert record(later, CONFIG, 61, other, Outcome.OK).state is State.CLOSED


def test_for_thirty_seconds_the_trial_is_kept_for_urgent_calls() -> None:
    circuit = opened()
    assert permit(circuit, CONFIG, 59.9, urgent=False)[1] is None
    assert wait_for_permit(circuit, CONFIG, 10, urgent=False) == 50
    assert permit(circuit, CONFIG, 30, urgent=True)[1] is not None
    assert permit(circuit, CONFIG, 60, urgent=False)[1] is not None


def test_a_success_from_before_the_opening_closes_nothing() -> None:
    """A call that began while all was well and ended while the circuit was half open proves nothing."""
    circuit = Circuit()
    circuit, early = permit(circuit, CONFIG, 0)
    assert early is not None
    half = next_state(opened(), CONFIG, 40)
    assert record(half, CONFIG, 41, early, Outcome.OK) == half


def test_a_result_from_before_an_outage_is_not_counted_after_it() -> None:
    """It ended late: what it says is about a time that is over."""
    circuit, early = permit(Circuit(), CONFIG, 0)
    assert early is not None
    circuit, trial = permit(opened(), CONFIG, 30)
    assert trial is not None
    closed = record(circuit, CONFIG, 31, trial, Outcome.OK)
    assert closed.state is State.CLOSED
    assert record(closed, CONFIG, 32, early, Outcome.FAILED) == closed


def test_one_failure_after_many_successes_is_one_of_many() -> None:
    circuit = absorb(Circuit(), CONFIG, 100, (float(at) for at in range(90, 100)))
    assert len(circuit.calls) == 10
    for _ in range(4):
        circuit = record(circuit, CONFIG, 101, Permit(0), Outcome.FAILED)
        assert circuit.state is State.CLOSED
    assert record(circuit, CONFIG, 101, Permit(0), Outcome.FAILED).state is State.OPEN


def test_a_success_opens_nothing() -> None:
    circuit = Circuit()
    for outcome in (Outcome.FAILED, Outcome.FAILED, Outcome.OK, Outcome.OK):
        circuit = record(circuit, CONFIG, 0, Permit(0), outcome)
        assert circuit.state is State.CLOSED
    assert record(circuit, CONFIG, 0, Permit(0), Outcome.FAILED).state is State.OPEN


def test_unless_it_is_asked_for_no_call_goes_before_others() -> None:
    config = CircuitConfig()
    assert permit(opened(config=config), config, 30, urgent=False)[1] is not None


def test_successes_are_put_where_they_happened_and_open_nothing() -> None:
    circuit = replace(Circuit(), calls=(Call(5, failed=True), Call(7, failed=True)))
    merged = absorb(circuit, CONFIG, 10, [8, 6])
    assert [call.at for call in merged.calls] == [5, 6, 7, 8]
    assert merged.state is State.CLOSED
    half = next_state(opened(), CONFIG, 40)
    assert absorb(half, CONFIG, 41, [39.0]) is half


def test_old_calls_are_not_judged() -> None:
    config = CircuitConfig(window_seconds=600)
    circuit = replace(Circuit(), calls=(Call(0, failed=True), Call(1, failed=True)))
    assert record(circuit, config, 700, Permit(0), Outcome.FAILED).state is State.CLOSED
    assert record(circuit, config, 500, Permit(0), Outcome.FAILED).state is State.OPEN


def test_slow_answers_open_it_but_never_for_longer_and_longer() -> None:
    circuit = Circuit()
    for _ in range(3):
        circuit = record(circuit, CONFIG, 0, Permit(0), Outcome.OK, 9)
    assert circuit.state is State.OPEN
    for _ in range(4):
        at = circuit.until
        circuit, got = permit(circuit, CONFIG, at)
        assert got is not None
        circuit = record(circuit, CONFIG, at, got, Outcome.OK, 9)
        assert (circuit.state, circuit.until - at) == (State.OPEN, 30)


@pytest.mark.parametrize("state", [State.FORCED_OPEN, State.FORCED_CLOSED])
def test_a_forced_state_is_left_by_hand_only(state: State) -> None:
    circuit = force(opened(), CONFIG, state, 5)
    for at in (6.0, 1e6):
        circuit, got = permit(circuit, CONFIG, at)
        assert (got is not None) is (state is State.FORCED_CLOSED)
        circuit = record(circuit, CONFIG, at, Permit(circuit.era), Outcome.FAILED)
        assert circuit.state is state
    assert wait_for_permit(circuit, CONFIG, 6) == (None if state is State.FORCED_OPEN else 0)
    closed = force(circuit, CONFIG, State.CLOSED, 7)
    assert (closed.state, closed.reopened, closed.calls) == (State.CLOSED, 0, ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_calls", 2),
        ("minimum_calls", 1),
        ("failure_rate", 0.0),
        ("slow_rate", 1.1),
        ("trials", 0),
        ("open_multiplier", 0.5),
        ("longest_open_seconds", 29.0),
        ("trial_seconds", 0.0),
        ("window_seconds", 0.0),
        ("slow_seconds", -1.0),
        ("half_open_seconds", 0.0),
        ("reserved_seconds", -1.0),
        ("in_a_row", -1),
        ("open_seconds", -1.0),
    ],
)
def test_a_configuration_without_sense_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"circuit: {field}"):
        CircuitConfig(**{field: value})


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail_in_any_other_way(text: str) -> None:
    if text:
        with pytest.raises(Unreadable):
            from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "1",
        "[" * 100_000,
        '[2,"closed",0,0,0,0,0,[],0,""]',
        '[1,"ajar",0,0,0,0,0,[],0,""]',
        '[1,"closed",0,0,0,0,0,[],0,"q5"]',
        '[1,"closed",0,0,0,0,0,[],0,7]',
        '[1,"closed",0,0,0,0,0,[],0]',
        '[1,"closed",1e999,0,0,0,0,[],0,""]',
    ],
)
def test_a_text_of_another_release_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        from_text(text)


def test_no_text_is_a_new_circuit_and_a_full_one_is_short() -> None:
    assert from_text("") == Circuit()
    now = 1_900_000_000.0
    full = replace(opened(now), calls=tuple(Call(now + at, failed=True) for at in range(10)))
    assert len(to_text(full)) < 160
