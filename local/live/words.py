"""What the command says: French first, English beside it, and no secret in either."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended. LEFT: something of ours stands there, and somebody must take it away."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages."""

    fr: str
    en: str

    def __str__(self) -> str:
        return self.fr if self.fr == self.en else f"{self.fr} / {self.en}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried: of what, how it ended, what was seen."""

    about: str
    outcome: Outcome
    said: Words


_SHORTEST = 6
"""Characters from which a value is worth hiding: a shorter one would hide half the report."""


class Mask:
    """Takes secrets out of what is about to be shown: the last of three belts, since no text should hold one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with "…" where a secret stood."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text
