"""A circuit as one short line of text, for a store that keeps texts: a few hundred bytes with a full window."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.domain.errors import Unreadable
from shared.resilience.circuit_breaker import Call, Circuit, State

FORMAT = 1
"""The first number of a line; a reader that does not know it must not guess."""

_LETTERS: Mapping[tuple[bool, bool], str] = {
    (False, False): "o",
    (True, False): "f",
    (False, True): "s",
    (True, True): "b",
}
"""A call by (failed, slow)."""
_CALLS = {letter: pair for pair, letter in _LETTERS.items()}


def to_text(circuit: Circuit) -> str:
    """The line. Instants keep a millisecond; calls are written as the time that passed before the youngest."""
    last = max((call.at for call in circuit.calls), default=0.0)
    calls = [f"{_LETTERS[call.failed, call.slow]}{_thousandths(last - call.at)}" for call in circuit.calls]
    fields = [
        FORMAT,
        circuit.state.value,
        circuit.era,
        _thousandths(circuit.since),
        _thousandths(circuit.until),
        circuit.reopened,
        circuit.last_trial,
        [[number, _thousandths(end)] for number, end in circuit.trials],
        _thousandths(last),
        " ".join(calls),
    ]
    return json.dumps(fields, separators=(",", ":"))


def from_text(text: str) -> Circuit:
    """The circuit of a line; an empty one is a new circuit. Raises ``Unreadable``."""
    if not text:
        return Circuit()
    try:
        form, state, era, since, until, reopened, last_trial, trials, last, calls = json.loads(text)
        if form != FORMAT:
            raise ValueError(f"format {form}")
        return Circuit(
            State(state),
            _seconds(since),
            int(era),
            tuple(_call(word, last) for word in calls.split()),
            _seconds(until),
            int(reopened),
            tuple((int(number), _seconds(end)) for number, end in trials),
            int(last_trial),
        )
    except (ValueError, ArithmeticError, TypeError, LookupError, AttributeError, RecursionError) as wrong:
        raise Unreadable(f"a stored circuit: {wrong}") from None


def _call(word: str, last: int) -> Call:
    failed, slow = _CALLS[word[0]]
    return Call(_seconds(last - int(word[1:])), failed, slow)


def _thousandths(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(thousandths: int) -> float:
    return thousandths / 1000
