"""What Azure would have of our telemetry: rows, gathered as the adapters gather them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.adapters.telemetry_points import EVENTS, Points
from shared.memory.voices import MemoryTelemetry
from tests.infra.kql import Row


@dataclass(slots=True)
class Workspace(MemoryTelemetry):
    """Telemetry that also gathers events as the adapters do, with the village's time."""

    points: Points = field(default_factory=Points)
    rows: list[Row] = field(default_factory=list)

    def at(self, now: datetime) -> None:
        """Take what was gathered, as rows of the workspace."""
        for name, fields in self.events:
            if name in EVENTS:
                self.points.happened(name, fields, now.timestamp())
        self.events.clear()
        for one in self.points.take().events:
            self.rows.append({"TimeGenerated": now, "Name": one.name, "Properties": one.properties})
