"""The report of a run: for a person in Markdown, for a program in JSON. Every text passes the mask."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from local.live.beliefs import Judged, Verdict
from local.live.ledger import Closed
from local.live.words import Mask, Outcome, Step, Words

_SIGN = {Outcome.DONE: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–", Outcome.LEFT: "!"}
_VERDICT = {
    Verdict.HELD: Words("vérifié", "held"),
    Verdict.NOT_HELD: Words("DÉMENTI", "NOT HELD"),
    Verdict.NOT_SEEN: Words("non vu", "not seen"),
}
_PLAYED = Words(
    "Plateformes simulées\u202f: ceci ne dit rien des vraies.",
    "Simulated platforms: this says nothing of real ones.",
)
NOTHING_LEFT = Words("rien", "nothing")


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did. ``played`` says that the platforms were simulated, so that nobody takes it for more."""

    began: datetime
    played: bool
    parts: tuple[tuple[Words, tuple[Step, ...]], ...]
    judged: tuple[Judged, ...]
    left: tuple[Closed, ...]
    take_away: str

    @property
    def good(self) -> bool:
        """Whether nothing failed, nothing is left and no belief was seen to be wrong."""
        steps = [step for _, part in self.parts for step in part]
        return (
            not self.left
            and all(step.outcome not in (Outcome.FAILED, Outcome.LEFT) for step in steps)
            and all(one.verdict is not Verdict.NOT_HELD for one in self.judged)
        )


def lines(report: Report) -> Iterator[str]:
    """The report for a person."""
    yield f"# make live, {report.began:%Y-%m-%d %H:%M} UTC"
    if report.played:
        yield ""
        yield f"**{_PLAYED}**"
    for title, steps in report.parts:
        yield f"\n## {title}\n"
        yield from (f"- {_SIGN[step.outcome]} **{step.about}** {step.said}" for step in steps)
        if not steps:
            yield "- –"
    yield "\n## Ce que nous ne faisons que croire / What we only believe (docs/limits.md)\n"
    for one in report.judged:
        seen = f": {'; '.join(one.said)}" if one.said else ""
        yield f"- {_VERDICT[one.verdict]} — {one.belief.said}{seen}"
    yield "\n## Ce qui reste de nous / What is left of ours\n"
    if not report.left:
        yield f"- {NOTHING_LEFT}"
    for closed in report.left:
        yield f"- ! **{closed.listing}** {closed.night} ({closed.level}) → `{report.take_away}`"


def as_json(report: Report) -> dict[str, object]:
    """The report for a program."""
    return {
        "began": report.began.isoformat(),
        "simulated": report.played,
        "good": report.good,
        "parts": [
            {
                "title": {"fr": title.fr, "en": title.en},
                "steps": [
                    {"about": s.about, "outcome": str(s.outcome), "fr": s.said.fr, "en": s.said.en}
                    for s in steps
                ],
            }
            for title, steps in report.parts
        ],
        "beliefs": [
            {"id": one.belief.id, "verdict": str(one.verdict), "seen": list(one.said)}
            for one in report.judged
        ],
        "left": [
            {"listing": one.listing, "night": one.night, "level": one.level, "command": report.take_away}
            for one in report.left
        ],
    }


def write(report: Report, folder: Path, mask: Mask) -> Path:
    """Both files, readable by this user alone; returns the one for people. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    texts = {
        path: "\n".join(lines(report)) + "\n",
        folder / "report.json": json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n",
    }
    for file, text in texts.items():
        file.unlink(missing_ok=True)
        with os.fdopen(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as out:
            out.write(mask(text))
    return path
