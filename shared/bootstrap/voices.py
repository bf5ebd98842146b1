"""Where numbers, events and spans go, as the settings say: one voice for the whole process, since numbers are added up
over all its engines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from shared.adapters.log_voice import LogTelemetry, SilentTelemetry

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.ports.people import Telemetry

_voices: dict[tuple[str, str, bool], Telemetry] = {}


def voice(settings: Settings) -> Telemetry:
    """The voice these settings name, made at the first call."""
    key = (settings.telemetry, settings.telemetry_connection, settings.telemetry_keyless)
    if key not in _voices:
        _voices[key] = _made(settings)
    return _voices[key]


def latest() -> Telemetry:
    """The voice made last, or the log before there is one."""
    return next(reversed(_voices.values()), None) or LogTelemetry()


async def flush(*, everything: bool = False) -> None:
    """Hand on what an invocation gathered to be sent; a second at most, and nothing where nothing is sent anywhere."""
    for one in list(_voices.values()):
        await one.flush(everything=everything)


def _made(settings: Settings) -> Telemetry:
    if settings.telemetry == "off":
        return SilentTelemetry()
    if settings.telemetry == "log":
        return LogTelemetry()
    from shared.adapters.telemetry_azure import TIMEOUT, AzureTelemetry, Sender

    connection, role = settings.telemetry_connection, os.environ.get("WEBSITE_SITE_NAME", "sync-engine")
    credential = _credential if settings.telemetry_keyless else None

    def opencensus() -> Sender:
        from shared.adapters.telemetry_opencensus import OpenCensusSender

        return OpenCensusSender(connection, role, TIMEOUT, credential)

    def otel() -> Sender:
        from shared.adapters.telemetry_otel import OtelSender

        return OtelSender(connection, role, TIMEOUT, credential)

    return AzureTelemetry(otel if settings.telemetry == "otel" else opencensus)


def _credential() -> object:
    """The process's identity, for a library that asks synchronously."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
