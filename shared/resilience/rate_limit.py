"""Rate limits as exact sliding windows, shared by hosts that lease calls in blocks. Pure: values in, values out.

A platform may count the calls of *any* stretch of time as long as its limit's; none of them may hold one call too
many. So each grant is kept with the latest instant at which one of its calls can go out, and stands in the way of new
ones until a whole window after it. The newest grant in any stretch saw all others that reach into it; that is the
whole proof. A leased block counts to the end of its validity, whether its host lives or not; settled, it counts from
the true last call.

Instants are whole milliseconds since 1970 in the store's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

OPERATIONS = frozenset({"read", "acknowledge", "write"})
"""What a call of a platform can be."""

ACCOUNT, PROPERTY = "account", "property"
"""Whose calls a limit counts together."""

VALID = 5_000
"""Milliseconds a leased block may be used at most: what a dying host takes with it counts so much longer."""

LONGEST_REFUSAL = 300_000
"""Milliseconds a platform's own refusal is obeyed at most."""

_STEPS = 100
"""Into how many steps a window is cut for grants that only it still counts: costs at most 1 % of the rate."""

_KEPT_FOR_URGENT = 50
"""One call in so many is left to urgent ones."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``calls`` in any ``seconds``, counted over an account or over each of its properties, and over calls of
    these ``operations`` together."""

    calls: int
    seconds: float
    scope: str = ACCOUNT
    operations: frozenset[str] = OPERATIONS

    @property
    def span(self) -> int:
        """The window in milliseconds."""
        return round(self.seconds * 1000)

    @property
    def name(self) -> str:
        """How screens and gauges call it: "160/min write", "15/s", "10/min a property write"."""
        unit = {1.0: "s", 60.0: "min", 3600.0: "h"}.get(self.seconds, f"{self.seconds:g}s")
        what = "" if self.operations == OPERATIONS else " " + "+".join(sorted(self.operations))
        return f"{self.calls}/{unit}{' a property' if self.scope == PROPERTY else ''}{what}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Calls that are made at ``at`` or before. While it is leased: by ``host``, as its block of that number, from 1."""

    at: int
    calls: int
    operation: str
    host: str = ""
    block: int = 0


@dataclass(frozen=True, slots=True)
class Grants:
    """What was granted within the windows; ``refused_until`` is until when the platform wants to hear nothing."""

    entries: tuple[Grant, ...] = ()
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class Want:
    """A wish for up to ``calls``, leased as the host's block of that number until ``until``. Calls that are not
    ``urgent`` leave one in fifty of a limit to those that are."""

    calls: int
    operation: str
    host: str = ""
    block: int = 0
    until: int = 0
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a wish: the grants after it (the very same value where nothing changed), how many calls, and,
    when none, in how many milliseconds the first may be asked for."""

    grants: Grants
    granted: int
    wait: int


def take(grants: Grants, limits: Sequence[Limit], now: int, want: Want, margin: int = 0) -> Taken:
    """Grant as many of the wanted calls as every limit leaves; limits of other operations do not count.

    ``margin`` milliseconds are added to every window: how unevenly calls travel, and how far two views of the store's
    time may differ, those of two hosts or of one that has just learned better.
    """
    grants = _mended(grants, now, margin)
    mine = [limit for limit in limits if want.operation in limit.operations]
    room = min((_room(grants, limit, now, want, margin) for limit in mine), default=want.calls)
    granted = min(want.calls, max(room, 0)) if now >= grants.refused_until else 0
    if not granted:
        return Taken(grants, 0, wait_for(grants, limits, now, want, 1, margin))
    until = max(now, want.until)
    new = Grant(until, granted, want.operation, want.host, want.block)
    entries = (*_compact(grants.entries, limits, now, margin), new)
    return Taken(replace(grants, entries=entries), granted, 0)


def settle(grants: Grants, host: str, block: int, used: int, last: int) -> Grants:
    """A block given back: ``used`` of its calls were made, the last at ``last``. One that nobody knows any more has
    aged out of every window."""
    kept = []
    for one in grants.entries:
        if one.block and (one.host, one.block) == (host, block):
            one = Grant(min(one.at, last), min(one.calls, used), one.operation)
        if one.calls:
            kept.append(one)
    return replace(grants, entries=tuple(kept))


def refuse(grants: Grants, now: int, wait: int) -> Grants:
    """The platform said no: nobody asks for ``wait`` milliseconds, or for as long as it said before."""
    until = now + min(max(wait, 0), LONGEST_REFUSAL)
    return replace(grants, refused_until=max(grants.refused_until, until))


def left(grants: Grants, limit: Limit, now: int, margin: int = 0) -> int:
    """How many calls a limit leaves at this moment; a refusal leaves none."""
    if now < grants.refused_until:
        return 0
    return max(0, limit.calls - sum(one.calls for one in _counted(grants, limit, now, margin)))


def wait_for(
    grants: Grants, limits: Sequence[Limit], now: int, want: Want, place: int, margin: int = 0
) -> int:
    """Milliseconds until the ``place``-th call from now (from 1) can be granted, if nobody else asks meanwhile and
    each is made as soon as it may be."""
    waits = [max(0, grants.refused_until - now)]
    for limit in limits:
        if want.operation in limit.operations:
            waits.append(_wait(grants, limit, now, want, place, margin))
    return max(waits)


def _room(grants: Grants, limit: Limit, now: int, want: Want, margin: int) -> int:
    counted = sum(one.calls for one in _counted(grants, limit, now, margin))
    return _allowed(limit, want) - counted


def _allowed(limit: Limit, want: Want) -> int:
    return limit.calls - (0 if want.urgent else limit.calls // _KEPT_FOR_URGENT)


def _wait(grants: Grants, limit: Limit, now: int, want: Want, place: int, margin: int) -> int:
    rounds, place = divmod(place - 1, max(_allowed(limit, want), 1))
    room = _room(grants, limit, now, want, margin)
    ends = sorted((_end(one, limit, margin), one.calls) for one in _counted(grants, limit, now, margin))
    wait = 0
    for end, calls in ends:
        if room > place:
            break
        room += calls
        wait = end - now
    return wait + rounds * (limit.span + margin + 1)


def _counted(grants: Grants, limit: Limit, now: int, margin: int) -> Iterable[Grant]:
    return (
        one for one in grants.entries if one.operation in limit.operations and now < _end(one, limit, margin)
    )


def _end(one: Grant, limit: Limit, margin: int) -> int:
    """The first instant at which a grant is out of the window. Calls exactly a window apart count together: whether
    the platform's windows hold both their ends is not known of any."""
    return one.at + limit.span + margin + 1


def _mended(grants: Grants, now: int, margin: int) -> Grants:
    """Grants from a future no block reaches: the clock that wrote them was ahead, or ours has jumped back. They count
    as made at the latest possible moment, once this is written down; else they would stand for hours."""
    latest = now + VALID + margin
    refused = min(grants.refused_until, now + LONGEST_REFUSAL + margin)
    if refused == grants.refused_until and all(one.at <= latest for one in grants.entries):
        return grants
    return Grants(tuple(replace(one, at=min(one.at, latest)) for one in grants.entries), refused)


def _compact(entries: Iterable[Grant], limits: Sequence[Limit], now: int, margin: int) -> Iterable[Grant]:
    """Without what no window counts any more; what only a long window counts is put together, step by step of a grid
    (which does not move, or a call could be pushed on for ever), always at its latest instant."""
    together: dict[tuple[str, int, int], Grant] = {}
    kept = []
    for one in entries:
        spans = [
            limit.span
            for limit in limits
            if one.operation in limit.operations and now < _end(one, limit, margin)
        ]
        step = min(spans, default=0) // _STEPS
        if one.block or (step <= 1 and spans):
            kept.append(one)
        elif spans:
            key = (one.operation, step, one.at // step)
            other = together.get(key, replace(one, calls=0))
            together[key] = replace(one, at=max(one.at, other.at), calls=one.calls + other.calls)
    return (*together.values(), *kept)
