"""The one place that joins engine, connectors, adapters and twins.

Nothing is read or built at import: Azure loads no function at all when an import fails, and each import is paid
at every cold start.
"""

from __future__ import annotations

from shared.ports import Telemetry
from shared.use_cases import Engine


class _NotJoined:
    """Telemetry before there is any."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """Dropped."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Dropped."""

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Dropped."""


def engine() -> Engine:
    """The engine of this process and event loop, built at the first call."""
    raise NotImplementedError("the engine is not joined yet")


def telemetry() -> Telemetry:
    """Where the trigger edge counts failures. Never raises, also when the settings are wrong."""
    return _NotJoined()


async def close() -> None:
    """Free the connections of this event loop's engine, if one was built."""
