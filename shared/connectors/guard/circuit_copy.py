"""A circuit's copy in one process: read at most a second ago, changed by compare-and-swap only."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from shared.domain.errors import StaleWrite, StoreUnavailable, Unreadable
from shared.meter import label
from shared.ports.people import Telemetry
from shared.ports.stores import Note, Notes
from shared.resilience.circuit_breaker import Circuit, CircuitConfig, State
from shared.resilience.circuit_text import from_text, to_text

FRESH = 1.0
"""Seconds a process believes what it read of a circuit (rule 25)."""

PATIENCE = 1.0
"""Seconds the store has to answer: a closure does not wait for our bookkeeping."""

_LEVELS = {State.CLOSED: 0.0, State.FORCED_CLOSED: 0.0, State.HALF_OPEN: 0.5}
"""The gauge ``circuit_state``: 0 lets calls through, 1 lets none."""


def note_name(operation: str) -> str:
    """The note of an account that holds its circuit for an operation."""
    return f"circuit|{operation}"


class CircuitCopy:
    """One circuit as this process knows it, and where it is stored. Who changes it holds ``lock``: the calls of one
    process then cost one read and one write together, not each its own."""

    def __init__(
        self,
        account: str,
        operation: str,
        config: CircuitConfig,
        notes: Notes,
        telemetry: Telemetry,
        monotonic: Callable[[], float],
    ) -> None:
        self.account = account
        self.operation = operation
        self.config = config
        self.circuit = Circuit()
        self.marred = False
        """Whether a failed or a slow call stands in the stored window."""
        self.unsaved: deque[float] = deque(maxlen=config.window_calls)
        """When the last quick successes were that stand nowhere else."""
        self.lock = asyncio.Lock()
        self._notes = notes
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._name = note_name(operation)
        self._etag: str | None = None
        self._read_at = float("-inf")

    @property
    def is_fresh(self) -> bool:
        """Whether it may be believed without asking the store."""
        return self._monotonic() - self._read_at < FRESH

    async def refresh(self) -> None:
        """Read it if it is not fresh; calls that come together read once. While the store does not answer, what was
        last known goes on, and the store is asked again a second later."""
        async with self.lock:
            if self.is_fresh:
                return
            try:
                await self.read()
            except StoreUnavailable:
                self._read_at = self._monotonic()
                self._telemetry.count("circuit_store_unavailable")

    async def read(self) -> None:
        """Read it now. Raises ``StoreUnavailable``."""
        begun = self._monotonic()
        note = await _patiently(self._notes.read(self.account, self._name))
        try:
            circuit = from_text(note.text)
        except Unreadable:
            # Written by a release that knows more: begin anew rather than let nothing through.
            circuit = Circuit()
            self._telemetry.count("circuit_unreadable")
        self._adopt(circuit, note, begun)

    async def swap(self, changed: Circuit) -> bool:
        """Store a change of what was read; this process is then the one that tells of it. False when another was first:
        what he wrote is read. Raises ``StoreUnavailable``: it may or may not be stored."""
        begun, before = self._monotonic(), self.circuit.state
        try:
            swapping = self._notes.swap(self.account, self._name, to_text(changed), self._etag)
            note = await _patiently(swapping)
        except StaleWrite:
            await self.read()
            return False
        self._adopt(changed, note, begun)
        if changed.state is not before:
            self._tell()
        return True

    def forget_saved(self, saved: tuple[float, ...]) -> None:
        """These successes are stored now; those that came meanwhile are not."""
        while self.unsaved and saved and self.unsaved[0] <= saved[-1]:
            self.unsaved.popleft()

    def _adopt(self, circuit: Circuit, note: Note, read_at: float) -> None:
        if circuit.era != self.circuit.era:
            self.unsaved.clear()  # successes of another era say nothing about this one
        if circuit.state is not self.circuit.state:
            level = _LEVELS.get(circuit.state, 1.0)
            named = {"platform": label().platform, "account": self.account, "operation": self.operation}
            self._telemetry.gauge("circuit_state", level, **named)
        self.circuit, self._etag, self._read_at = circuit, note.etag, read_at
        self.marred = any(call.failed or call.slow for call in circuit.calls)

    def _tell(self) -> None:
        circuit = self.circuit
        if circuit.state is State.HALF_OPEN:
            return
        name = "circuit_closed" if circuit.passes else "circuit_opened"
        self._telemetry.event(
            name,
            platform=label().platform,
            account=self.account,
            operation=self.operation,
            state=circuit.state.value,
            reopened=circuit.reopened,
            seconds=round(max(circuit.until - circuit.since, 0.0), 3),
        )


async def _patiently(asking: Awaitable[Note]) -> Note:
    try:
        async with asyncio.timeout(PATIENCE):
            return await asking
    except TimeoutError:
        raise StoreUnavailable(f"a circuit's note took longer than {PATIENCE:g} s") from None
