"""The graph of clashes: who clashes with whom, and which conflicts hang together through a fact they share."""

from __future__ import annotations

from collections.abc import Iterable


def crowds(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """For each fact the facts it hangs together with, itself among them: clashes A-B and B-C make one crowd of
    three."""
    neighbours: dict[str, set[str]] = {}
    for one, other in pairs:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found: dict[str, frozenset[str]] = {}
    for start in neighbours:
        if start not in found:
            crowd = _reached(start, neighbours)
            found |= dict.fromkeys(crowd, crowd)
    return found


def _reached(start: str, neighbours: dict[str, set[str]]) -> frozenset[str]:
    seen, ahead = {start}, [start]
    while ahead:
        for other in neighbours[ahead.pop()] - seen:
            seen.add(other)
            ahead.append(other)
    return frozenset(seen)
