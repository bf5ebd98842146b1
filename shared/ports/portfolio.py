"""The portfolio as a text that people read, keep and write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.domain.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Something to mend in a text: line and column from 1 (0 where it is about no place in particular), and the field;
    the sentence never repeats a link or a key."""

    line: int
    column: int
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class PortfolioRead:
    """What a text says; None where something in it must be mended first."""

    portfolio: Portfolio | None
    problems: tuple[TextProblem, ...] = ()


class PortfolioText(Protocol):
    """Reads and writes portfolios."""

    def read(self, data: bytes) -> PortfolioRead:
        """The portfolio in a text, or everything that is wrong with it. Never raises, whatever the bytes are."""
        ...

    def write(self, portfolio: Portfolio, *, links: bool) -> str:
        """The text of a portfolio. Without ``links`` calendar links are left out, which makes it a text to look at: it
        is refused when it is read again."""
        ...
