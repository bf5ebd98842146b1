"""The circuits of the API accounts: one for each account and operation, the same for every host.

A circuit is a note under compare-and-swap, and each process keeps a copy for a second. Where all is well nothing is
written: what succeeded is remembered here and put into the window with the next write (rule 25).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from shared.connectors.guard.circuit_copy import CircuitCopy, note_name
from shared.domain.errors import CircuitOpen, PayloadRejected, StaleWrite, StoreUnavailable, Unreadable
from shared.ports.people import Telemetry
from shared.ports.platforms import CircuitView
from shared.ports.stores import Notes
from shared.resilience import circuit_breaker
from shared.resilience.circuit_breaker import Circuit, CircuitConfig, Outcome, Permit, State
from shared.resilience.circuit_text import from_text

TRIES = 8
"""How often a change is made anew when other hosts were first."""

SOON = 5.0
"""Seconds after which to ask again while somebody else's trial is under way: a call takes no longer than 10 s."""

FORCED_PAUSE = 60.0
"""Seconds after which to ask again while a person holds the circuit open."""

WRITES = CircuitConfig(window_seconds=600, reserved_seconds=30)
"""A write that was taken slowly was taken: only failures count."""

READS = replace(WRITES, slow_seconds=8, slow_rate=0.8)
"""Slow answers hold workers that others wait for."""

CONFIGS: Mapping[str, CircuitConfig] = {"read": READS, "acknowledge": READS, "write": WRITES}
"""By operation. Failing writes stop no poll (rule 18)."""

BY_HAND = ("closed", "forced_open", "forced_closed")


class Breakers:
    """The port ``Circuits``, and what the guard asks before and tells after each call.

    ``now`` is the store's time, in which circuits are stored; ``monotonic`` counts seconds for the copies kept here.
    While the store does not answer, the last known state goes on: no call is refused for our own bookkeeping, but for
    a trial, which nobody may make that could not say so.
    """

    def __init__(
        self,
        notes: Notes,
        telemetry: Telemetry,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        configs: Mapping[str, CircuitConfig] = CONFIGS,
    ) -> None:
        self._notes = notes
        self._telemetry = telemetry
        self._now = now
        self._monotonic = monotonic
        self._configs = configs
        self._copies: dict[tuple[str, str], CircuitCopy] = {}

    # ---------------------------------------------------------------------------------------- for the guard

    async def look(self, account: str, operation: str, *, urgent: bool = True) -> None:
        """Raises ``CircuitOpen`` where ``permit`` would now; takes no trial."""
        copy = await self._fresh(account, operation)
        if not copy.circuit.passes:
            _, got = circuit_breaker.permit(copy.circuit, copy.config, self._time(), urgent=urgent)
            if got is None:
                raise self._refusal(copy, urgent)

    async def permit(self, account: str, operation: str, *, urgent: bool = True) -> Permit:
        """Leave for one call, to be given back to ``record``. Raises ``CircuitOpen`` with the seconds until the next
        trial may be made; while half open one call passes, over all hosts, and urgent ones come first (rule 18)."""
        copy = await self._fresh(account, operation)
        if copy.circuit.passes:
            return Permit(copy.circuit.era)
        async with copy.lock:
            try:
                for _ in range(TRIES):
                    changed, got = circuit_breaker.permit(
                        copy.circuit, copy.config, self._time(), urgent=urgent
                    )
                    if got is None:
                        break
                    if not got.trial or await copy.swap(changed):
                        return got
            except StoreUnavailable:
                self._telemetry.count("circuit_store_unavailable")
        raise self._refusal(copy, urgent)

    async def record(
        self, account: str, operation: str, permit: Permit, outcome: Outcome, seconds: float = 0.0
    ) -> None:
        """How a call of so many seconds ended. Raises nothing of its own: what the platform answered must not get lost
        behind our bookkeeping."""
        copy = self._copy(account, operation)
        if not permit.trial:
            slow = copy.config.slow_seconds is not None and seconds >= copy.config.slow_seconds
            if outcome is Outcome.IGNORED or permit.era != copy.circuit.era:
                return
            if outcome is Outcome.OK and not slow:
                copy.unsaved.append(self._time())
                if not copy.marred or len(copy.unsaved) < copy.config.window_calls:
                    return
                # Enough successes to wash out every failure in the window: that is worth a write, of them alone.
                outcome = Outcome.IGNORED
        try:
            async with copy.lock:
                await self._write(copy, permit, outcome, seconds)
        except StoreUnavailable:
            self._telemetry.count("circuit_store_unavailable")

    # --------------------------------------------------------------------------------------- for people

    async def views(self, account: str) -> tuple[CircuitView, ...]:
        """Every circuit of an account, as of at most 1 s ago."""
        copies = [await self._fresh(account, operation) for operation in self._configs]
        return tuple(self._seen(one.operation, one.circuit, one.unsaved) for one in copies)

    def told(self, notes: Mapping[str, str]) -> tuple[CircuitView, ...]:
        """The circuits of an account by its notes; those that were never written, or that nobody can read, are left
        out. What this process has not stored yet is not in them."""
        found = []
        for operation in self._configs:
            text = notes.get(note_name(operation), "")
            with suppress(Unreadable):
                found += [self._seen(operation, from_text(text), ())] if text else []
        return tuple(found)

    async def try_now(self, account: str, operation: str) -> bool:
        """Let the next trial of an open circuit be made now; False where it is not open, or another host was first.
        Raises ``StoreUnavailable``."""
        copy = await self._fresh(account, operation)
        if copy.circuit.state is not State.OPEN:
            return False
        async with copy.lock:
            moved = circuit_breaker.force(copy.circuit, copy.config, State.HALF_OPEN, self._time())
            return await copy.swap(moved)

    async def force(self, account: str, operation: str, state: str) -> None:
        """Move one by hand. Raises ``PayloadRejected`` naming what is unknown, ``StoreUnavailable``, ``StaleWrite``
        when others kept being first."""
        if operation not in self._configs:
            raise PayloadRejected(f"no circuit {operation!r}: one of {', '.join(self._configs)}")
        if state not in BY_HAND:
            raise PayloadRejected(f"no state {state!r} to set: one of {', '.join(BY_HAND)}")
        copy = self._copy(account, operation)
        async with copy.lock:
            # What this process knows may be old: then the swap says so and reads what stands there.
            for _ in range(TRIES):
                moved = circuit_breaker.force(copy.circuit, copy.config, State(state), self._time())
                if await copy.swap(moved):
                    return
        raise StaleWrite(f"{account}: circuit {operation}: others were first {TRIES} times")

    # --------------------------------------------------------------------------------------------- inside

    def _copy(self, account: str, operation: str) -> CircuitCopy:
        copy = self._copies.get((account, operation))
        if copy is None:
            copy = CircuitCopy(
                account,
                operation,
                self._configs[operation],
                self._notes,
                self._telemetry,
                self._monotonic,
            )
            self._copies[account, operation] = copy
        return copy

    async def _fresh(self, account: str, operation: str) -> CircuitCopy:
        copy = self._copy(account, operation)
        if not copy.is_fresh:
            await copy.refresh()
        return copy

    async def _write(self, copy: CircuitCopy, permit: Permit, outcome: Outcome, seconds: float) -> None:
        """Store a result with the successes before it, decided anew when another host was first."""
        for _ in range(TRIES):
            now, saved = self._time(), tuple(copy.unsaved)
            known = circuit_breaker.next_state(copy.circuit, copy.config, now)
            merged = circuit_breaker.absorb(known, copy.config, now, saved)
            told = circuit_breaker.record(merged, copy.config, now, permit, outcome, seconds)
            if told == known:
                return
            if await copy.swap(told):
                copy.forget_saved(saved)
                return
        self._telemetry.count("circuit_write_lost")

    def _refusal(self, copy: CircuitCopy, urgent: bool) -> CircuitOpen:
        now = self._time()
        circuit = circuit_breaker.next_state(copy.circuit, copy.config, now)
        wait = circuit_breaker.wait_for_permit(circuit, copy.config, now, urgent=urgent)
        if wait is None:
            wait = FORCED_PAUSE
        elif circuit.state is not State.OPEN:
            # Somebody's trial is under way, or was a moment ago: it ends long before its permit does.
            reserved = 0.0 if urgent else circuit.until + copy.config.reserved_seconds - now
            wait = max(SOON, reserved)
        self._telemetry.count("circuit_refused", operation=copy.operation)
        text = f"{copy.account}: the circuit for {copy.operation} is {circuit.state.value}: nothing was sent"
        return CircuitOpen(text, wait)

    def _seen(self, operation: str, known: Circuit, unsaved: Iterable[float]) -> CircuitView:
        now, config = self._time(), self._configs[operation]
        circuit = circuit_breaker.next_state(known, config, now)
        circuit = circuit_breaker.absorb(circuit, config, now, unsaved)
        waits = circuit.state in (State.OPEN, State.HALF_OPEN)
        # Half open is what time made of it: since the moment from which a trial could be made.
        since = circuit.until if circuit.state is State.HALF_OPEN else circuit.since
        return CircuitView(
            operation,
            circuit.state.value,
            sum(call.failed for call in circuit.calls),
            len(circuit.calls),
            _moment(since) if circuit.era else None,
            _moment(circuit.until) if waits else None,
        )

    def _time(self) -> float:
        return self._now().timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
