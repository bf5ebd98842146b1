"""What a bench found: a ratio or a count beside the goal it is held against, and the table of many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """One line of the table. ``goal`` None is a figure that is told and not judged; ``least`` is what still passes
    where that is less than the goal. ``rising``: more is better. ``note`` names the peers, or the cause of a miss."""

    bench: str
    what: str
    value: float
    goal: float | None = None
    least: float | None = None
    rising: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """ "goal", "at least" or "MISSED"; nothing where nothing was promised."""
        if self.goal is None:
            return ""
        if self._reaches(self.goal):
            return "goal"
        return "at least" if self.least is not None and self._reaches(self.least) else "MISSED"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.rising else self.value <= limit


def table(scores: Iterable[Score]) -> str:
    """All of them as one table, in the order given."""
    lines = ["| bench | what | figure | goal | at least | verdict | beside, or why |", "|---|" + "---|" * 6]
    for one in scores:
        sign = ">=" if one.rising else "<="
        goal = "" if one.goal is None else f"{sign} {one.goal:g}"
        least = "" if one.least is None else f"{sign} {one.least:g}"
        cells = [one.bench, one.what, f"{one.value:.3g}", goal, least, one.verdict, one.note]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def missed(scores: Iterable[Score]) -> list[Score]:
    """Those that reached neither their goal nor what is accepted in its place."""
    return [one for one in scores if one.verdict == "MISSED"]
