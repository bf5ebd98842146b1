"""The tables and the bus that the settings name; neither connects before its first call."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared import meter

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.ports.bus import Bus
    from shared.ports.stores import Tables


def open_bus(settings: Settings) -> Bus:
    """Service Bus, by a connection string or, on Azure, by the process's identity."""
    from shared.adapters.service_bus import ServiceBus

    return ServiceBus(connection_string=settings.service_bus, namespace=settings.service_bus_namespace)


def open_tables(settings: Settings) -> Tables:
    """Table Storage, by a connection string or, on Azure, by the process's identity; each request is counted. Raises
    ``SettingsRefused`` for a connection string that names no tables."""
    from shared.adapters import table_store
    from shared.config import SettingsRefused

    account = f"https://{settings.storage_account}.table.core.windows.net"
    try:
        return table_store.open_tables(
            connection_string=settings.storage,
            account_url="" if settings.storage else account,
            monotonic=time.monotonic,
            wall=wall,
            on_request=meter.transaction,
        )
    except ValueError as wrong:  # our own words: they show nothing of the string
        raise SettingsRefused([f"STORAGE: {wrong}"]) from None


def wall() -> datetime:
    """This host's own clock."""
    return datetime.fromtimestamp(time.time(), UTC)
