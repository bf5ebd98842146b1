"""One process that sends through one adapter and says what became of it: run by the contract on other Pythons.

python -m tests.contracts.telemetry_once {application_insights|otel} ADDRESS
"""

from __future__ import annotations

import asyncio
import sys
import threading
from types import ModuleType

KEY = "12345678-1234-1234-1234-1234567890ab"
KINDS = ("application_insights", "otel")


def sender(kind: str, address: str, timeout: float = 2.0, credential=None):  # type: ignore[no-untyped-def]
    return connected(kind, f"InstrumentationKey={KEY};IngestionEndpoint={address};", timeout, credential)


def connected(kind: str, connection: str, timeout: float = 2.0, credential=None):  # type: ignore[no-untyped-def]
    if kind == "otel":
        from shared.adapters.telemetry_otel import OtelSender

        return OtelSender(connection, "sync-test", timeout, credential)
    from shared.adapters.telemetry_opencensus import OpenCensusSender

    return OpenCensusSender(connection, "sync-test", timeout, credential)


def tell(telemetry) -> None:  # type: ignore[no-untyped-def]
    """What the engine might say in one invocation."""
    telemetry.count("sync_runs", platform="airbnb", result="done")
    telemetry.count("sync_runs", 2, platform="airbnb", result="done")
    telemetry.count("sync_runs", platform="booking", result="failed")
    telemetry.duration("sync_duration_ms", 12.5, platform="airbnb", result="done")
    telemetry.duration("sync_duration_ms", 2.5, platform="airbnb", result="done")
    telemetry.gauge("conflicts_open", 0)
    telemetry.gauge("circuit_state", 1, platform="booking")
    telemetry.gauge("circuit_state", 0, platform="booking")
    telemetry.event("conflict_detected", property="moulin", nights="2027-07-10/2027-07-13")
    telemetry.event("sync_completed", property="moulin", nights="2027-07-10/2027-07-13", changed=1)


def stand_in_for_identity() -> None:
    """``azure-identity`` needs parts compiled for one Python. Nothing here asks for a token, so where it cannot be
    imported empty names take its place."""
    try:
        __import__("azure.identity")
    except ImportError:
        for name in [
            name for name in sys.modules if name.startswith(("azure.identity", "msal", "cryptography"))
        ]:
            del sys.modules[name]
        whole, errors = ModuleType("azure.identity"), ModuleType("azure.identity._exceptions")
        errors.CredentialUnavailableError = type("CredentialUnavailableError", (Exception,), {})  # type: ignore[attr-defined]
        whole.ManagedIdentityCredential = type("ManagedIdentityCredential", (), {})  # type: ignore[attr-defined]
        sys.modules |= {"azure.identity": whole, "azure.identity._exceptions": errors}


async def once(kind: str, address: str) -> None:
    from shared.adapters.telemetry_azure import AzureTelemetry

    telemetry = AzureTelemetry(lambda: sender(kind, address), patience=20)
    tell(telemetry)
    await telemetry.flush()
    for thread in [one for one in threading.enumerate() if one.name == "telemetry"]:
        thread.join()
    print(f"lost={telemetry.lost} threads={threading.active_count()}")


if __name__ == "__main__":
    stand_in_for_identity()
    asyncio.run(once(*sys.argv[1:3]))
