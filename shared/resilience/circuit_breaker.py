"""A circuit breaker as values: a circuit and a moment in, a circuit and a decision out.

It knows no clock, no store and no lock: whoever keeps a circuit calls these functions on what he read and writes the
result back under compare-and-swap. All instants are seconds of one clock of the caller's choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

MOST_DOUBLINGS = 64
"""From here on the open time would not grow any more under any cap, and the power would leave the floats."""


class State(StrEnum):
    """What a circuit does with a call. The forced states are set by a person and left by a person."""

    CLOSED = "closed"  # every call goes through and is judged
    OPEN = "open"  # none goes through until its time is over
    HALF_OPEN = "half_open"  # so many trials at once, and what they tell decides
    FORCED_OPEN = "forced_open"  # none goes through
    FORCED_CLOSED = "forced_closed"  # every call goes through and none is counted


class Outcome(StrEnum):
    """How a call ended. An answer of the platform that says nothing about its health (a refusal, a budget) is IGNORED:
    it counts for nothing and gives a trial back."""

    OK = "ok"
    FAILED = "failed"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class CircuitConfig:
    """When a circuit opens, for how long, and what lets it close. Raises ``ValueError`` naming what makes no sense.

    ``window_calls``: so many of the last calls are judged, ``window_seconds``: and none that is older (None: any age).
    ``minimum_calls``: before so many nothing is judged. ``failure_rate`` and ``slow_rate`` in (0, 1] open it;
    ``slow_seconds`` is from when a call is slow (None: never). ``in_a_row``: open on so many failures in a row instead
    of by rates (0: by rates). ``judge_successes``: judge at every call, not at failed and slow ones only.
    ``open_seconds`` the first time, times ``open_multiplier`` after a failed trial, ``longest_open_seconds`` at most.
    ``trials``: calls let through while half open; ``trial_seconds``: a trial nobody reported on is forgotten then.
    ``reserved_seconds``: so long after a trial became possible it is for urgent calls only. ``half_open_seconds``: open
    again when the trials told nothing for so long (None: stay half open).
    """

    window_calls: int = 10
    window_seconds: float | None = None
    minimum_calls: int = 3
    failure_rate: float = 0.5
    slow_seconds: float | None = None
    slow_rate: float = 1.0
    in_a_row: int = 0
    judge_successes: bool = False
    open_seconds: float = 30.0
    open_multiplier: float = 2.0
    longest_open_seconds: float = 300.0
    trials: int = 1
    trial_seconds: float = 30.0
    reserved_seconds: float = 0.0
    half_open_seconds: float | None = None

    def __post_init__(self) -> None:
        """Checks every field."""
        _need(self.minimum_calls >= 2, "minimum_calls", "one call is no rate: 2 at least")
        _need(self.window_calls >= self.minimum_calls, "window_calls", "not below minimum_calls")
        _need(0 < self.failure_rate <= 1, "failure_rate", "above 0, at most 1")
        _need(0 < self.slow_rate <= 1, "slow_rate", "above 0, at most 1")
        _need(self.in_a_row >= 0, "in_a_row", "not below 0")
        _need(self.trials >= 1, "trials", "1 at least")
        _need(self.open_multiplier >= 1, "open_multiplier", "1 at least")
        _need(self.open_seconds >= 0, "open_seconds", "not below 0")
        _need(
            self.longest_open_seconds >= self.open_seconds, "longest_open_seconds", "not below open_seconds"
        )
        _need(self.reserved_seconds >= 0, "reserved_seconds", "not below 0")
        for name in ("window_seconds", "slow_seconds", "trial_seconds", "half_open_seconds"):
            value = getattr(self, name)
            _need(value is None or value > 0, name, "above 0")

    def open_for(self, reopened: int) -> float:
        """Seconds it stays open after so many failed trials."""
        grown: float = self.open_seconds * self.open_multiplier ** min(reopened, MOST_DOUBLINGS)
        return min(grown, self.longest_open_seconds)


def _need(holds: bool, name: str, wanted: str) -> None:
    if not holds:
        raise ValueError(f"circuit: {name}: {wanted}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that counts, by when it ended."""

    at: float
    failed: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call. ``era`` is the circuit's at that moment, ``trial`` its number among the trials, 0 for a call
    of a closed circuit: a result counts only in the era and for the trial it belongs to."""

    era: int
    trial: int = 0


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit as it is stored. ``since`` is when its state began, ``era`` counts its changes of state, ``calls`` is
    the window (while half open: what the trials told). ``until`` is when the next trial may be made, ``reopened`` how
    many trials failed since it was last closed; ``trials`` are those under way, by number with their end."""

    state: State = State.CLOSED
    since: float = 0.0
    era: int = 0
    calls: tuple[Call, ...] = ()
    until: float = 0.0
    reopened: int = 0
    trials: tuple[tuple[int, float], ...] = ()
    last_trial: int = 0

    @property
    def passes(self) -> bool:
        """Whether every call goes through without asking."""
        return self.state is State.CLOSED or self.state is State.FORCED_CLOSED


def next_state(circuit: Circuit, config: CircuitConfig, now: float) -> Circuit:
    """The circuit as time alone has made it by ``now``; the same value where nothing changed."""
    if circuit.state is State.OPEN and now >= circuit.until:
        return _enter(circuit, State.HALF_OPEN, now, until=circuit.until)
    if (
        circuit.state is State.HALF_OPEN
        and config.half_open_seconds is not None
        and now - circuit.since > config.half_open_seconds
    ):
        return _open(circuit, config, now, circuit.reopened + 1)
    return circuit


def permit(
    circuit: Circuit, config: CircuitConfig, now: float, *, urgent: bool = True
) -> tuple[Circuit, Permit | None]:
    """Leave for one call, or None. A trial changes the circuit: it counts only once that circuit is stored."""
    circuit = next_state(circuit, config, now)
    if circuit.passes:
        return circuit, Permit(circuit.era)
    if circuit.state is not State.HALF_OPEN or (not urgent and now < circuit.until + config.reserved_seconds):
        return circuit, None
    running = tuple(one for one in circuit.trials if one[1] > now)
    if len(running) + len(circuit.calls) >= config.trials:
        return circuit, None
    number = circuit.last_trial + 1
    trials = (*running, (number, now + config.trial_seconds))
    return replace(circuit, trials=trials, last_trial=number), Permit(circuit.era, number)


def wait_for_permit(
    circuit: Circuit, config: CircuitConfig, now: float, *, urgent: bool = True
) -> float | None:
    """Seconds until asking again makes sense, as far as this circuit knows; None while it is forced open."""
    if circuit.state is State.FORCED_OPEN:
        return None
    first = circuit.until if urgent else circuit.until + config.reserved_seconds
    ends = min((end for _, end in circuit.trials if end > now), default=now)
    return max(first - now, ends - now, 0.0)


def record(
    circuit: Circuit,
    config: CircuitConfig,
    now: float,
    permitted: Permit,
    outcome: Outcome,
    seconds: float = 0.0,
) -> Circuit:
    """What a call of ``seconds`` that ended now makes of the circuit; the same value where it tells nothing: it was
    ignored, or it belongs to an era that is over."""
    circuit = next_state(circuit, config, now)
    if permitted.era != circuit.era:
        return circuit
    slow = config.slow_seconds is not None and seconds >= config.slow_seconds
    call = Call(now, outcome is Outcome.FAILED, slow)
    if circuit.state is State.HALF_OPEN:
        return _record_trial(circuit, config, now, permitted, None if outcome is Outcome.IGNORED else call)
    if circuit.state is not State.CLOSED or outcome is Outcome.IGNORED:
        return circuit
    circuit = replace(circuit, calls=_window((*circuit.calls, call), config, now))
    judged = call.failed or call.slow or config.judge_successes
    return _open(circuit, config, now, 0) if judged and _is_bad(circuit.calls, config) else circuit


def absorb(circuit: Circuit, config: CircuitConfig, now: float, successes: Iterable[float]) -> Circuit:
    """The circuit with quick successes that were not written down when they happened, each by its instant. They are no
    reason to open anything."""
    if circuit.state is not State.CLOSED:
        return circuit
    # Of calls that ended in the same moment the bad ones come last: they are the last to leave the window.
    calls = sorted(
        (*circuit.calls, *map(Call, successes)), key=lambda call: (call.at, call.failed, call.slow)
    )
    return replace(circuit, calls=_window(calls, config, now))


def force(
    circuit: Circuit, config: CircuitConfig, state: State, now: float, seconds: float | None = None
) -> Circuit:
    """Move it by hand. CLOSED forgets everything; OPEN opens it for ``seconds`` (default: as long as it would by
    itself). Raises ``ValueError`` for HALF_OPEN from a circuit that is not open."""
    if state is State.OPEN:
        grown = circuit.reopened + 1 if circuit.state is State.HALF_OPEN else circuit.reopened
        opened = _open(circuit, config, now, grown)
        return opened if seconds is None else replace(opened, until=now + seconds)
    if state is State.HALF_OPEN:
        if circuit.state not in (State.OPEN, State.FORCED_OPEN):
            raise ValueError(f"circuit: {circuit.state} cannot become half open")
        return _enter(circuit, state, now, until=now)
    return replace(_enter(circuit, state, now), reopened=0)


# ------------------------------------------------------------------------------------------------- inside


def _enter(circuit: Circuit, state: State, now: float, until: float = 0.0) -> Circuit:
    """A new era. The numbers of trials go on, so that no old one is taken for a new one."""
    return Circuit(state, now, circuit.era + 1, (), until, circuit.reopened, (), circuit.last_trial)


def _open(circuit: Circuit, config: CircuitConfig, now: float, reopened: int) -> Circuit:
    opened = _enter(circuit, State.OPEN, now, now + config.open_for(reopened))
    return replace(opened, reopened=reopened)


def _record_trial(
    circuit: Circuit, config: CircuitConfig, now: float, permitted: Permit, call: Call | None
) -> Circuit:
    if all(number != permitted.trial for number, _ in circuit.trials):
        return circuit
    rest = tuple(one for one in circuit.trials if one[0] != permitted.trial)
    circuit = replace(circuit, trials=rest)
    if call is None:
        return circuit
    calls = (*circuit.calls, call)
    if len(calls) < config.trials:
        return replace(circuit, calls=calls)
    if not _exceeds(calls, config):
        return replace(_enter(circuit, State.CLOSED, now), reopened=0)
    # A platform that answers slowly is not waited for ever longer: it answers.
    failed = any(one.failed for one in calls)
    return _open(circuit, config, now, circuit.reopened + failed)


def _window(calls: Iterable[Call], config: CircuitConfig, now: float) -> tuple[Call, ...]:
    oldest = None if config.window_seconds is None else now - config.window_seconds
    return tuple(call for call in calls if oldest is None or call.at > oldest)[-config.window_calls :]


def _is_bad(calls: tuple[Call, ...], config: CircuitConfig) -> bool:
    """Whether these calls open a closed circuit."""
    if config.in_a_row:
        return len(calls) >= config.in_a_row and all(call.failed for call in calls[-config.in_a_row :])
    return len(calls) >= config.minimum_calls and _exceeds(calls, config)


def _exceeds(calls: tuple[Call, ...], config: CircuitConfig) -> bool:
    # A ratio is rounded as the rate was when it was written down; a product may miss its own rate by a hair.
    failed = sum(call.failed for call in calls) / len(calls)
    slow = sum(call.slow for call in calls) / len(calls)
    return failed >= config.failure_rate or slow >= config.slow_rate
