"""Alerts: an administrator is told of what is wrong, once, by whichever host; what was told stands in a note all share.

Told first and noted then: whoever dies in between is followed by one who tells the same under the same key, which the
notices know already. One read a minute, and a write only when something begins, is told, or ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.domain import health_words
from shared.domain.errors import StaleWrite, SyncError
from shared.domain.health import HealthReport, Weight
from shared.domain.health_alerts import Alert, Occasion, Telling, due
from shared.engine.world import World
from shared.ports.people import Notice
from shared.state import cells

ACCOUNT, NOTE = "~health", "alerts"
"""Where it stands in the ``Accounts`` table."""


class HealthAlerts:
    """Tells whoever looks after the whole installation."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def tell(self, report: HealthReport) -> None:
        """What is due by this report. While the tables are away nothing can be told once: ``/health`` says it then."""
        try:
            note = await self._world.notes.read(ACCOUNT, NOTE)
            known = from_text(note.text)
            after, tellings = due(known, report)
            for one in tellings:
                await self._world.notify.tell(self._notice(one))
            if after != known:
                await self._world.notes.swap(ACCOUNT, NOTE, to_text(after), note.etag)
        except StaleWrite:
            return  # another host did it this very minute
        except SyncError:
            self._world.telemetry.count("health_untold")

    def _notice(self, one: Telling) -> Notice:
        names = self._world.platform_names
        text = health_words.told(one, names)
        if one.occasion is Occasion.OVER:
            return Notice("health_over", one.key, "info", text)
        ill = any(found.weight is Weight.ILL for found in one.findings)
        return Notice("health", one.key, "critical" if ill else "high", text)


def to_text(alerts: Mapping[str, Alert]) -> str:
    """The note: three instants a subject, and the marks in one word. Nothing for none."""
    written = {
        subject: [
            *(cells.to_instant(at) for at in (one.begun, one.told, one.gone)),
            " ".join(sorted(one.marks)),
        ]
        for subject, one in sorted(alerts.items())
    }
    return json.dumps(written, separators=(",", ":")) if written else ""


def from_text(text: str) -> dict[str, Alert]:
    """The alerts of a note, whatever a newer release added to each; none of one that nobody can read: then they are
    told anew."""
    try:
        return {
            subject: Alert(
                cells.from_instant(begun),
                cells.from_instant(told) if told else None,
                cells.from_instant(gone) if gone else None,
                frozenset(marks.split()),
            )
            for subject, (begun, told, gone, marks, *_) in json.loads(text or "{}").items()
        }
    except (SyncError, ValueError, AttributeError, TypeError):
        return {}
