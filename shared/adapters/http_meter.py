"""The port ``Http`` with a meter: every call out is counted for its run and told in one line of the log.

The one place for both: below it a call is bytes on a wire, above it a call may be refused before it is made.
"""

from __future__ import annotations

from collections.abc import Callable

from shared import meter
from shared.domain.errors import SyncError
from shared.ports.http import Http, Request, Response
from shared.ports.people import Telemetry


class MeteredHttp:
    """Hands calls on; nothing of an address, a header or a body is told. ``monotonic`` counts seconds."""

    def __init__(self, inner: Http, telemetry: Telemetry, monotonic: Callable[[], float]) -> None:
        self._inner = inner
        self._telemetry = telemetry
        self._monotonic = monotonic

    async def send(self, request: Request) -> Response:
        """As the port says."""
        begun = self._monotonic()
        try:
            response = await self._inner.send(request)
        except SyncError as wrong:
            self._tell(type(wrong).__name__, begun, len(request.body))
            raise
        moved = len(request.body) + len(response.body)
        self._tell(f"{response.status // 100}xx", begun, moved, response.status)
        return response

    async def close(self) -> None:
        """Free the connections."""
        await self._inner.close()

    def _tell(self, ended: str, begun: float, moved: int, status: int = 0) -> None:
        whom = meter.label()
        taken = round(1000 * (self._monotonic() - begun))
        meter.count(whom.platform, calls=1, bytes=moved)
        fields: dict[str, str | int] = {
            "platform": whom.platform,
            "account": whom.account,
            "operation": whom.operation,
            "ended": ended,
            "status": status,
            "duration_ms": taken,
            "bytes": moved,
        }
        meter.note("call", **fields)
        self._telemetry.event("platform_call", **fields)
        self._telemetry.count("platform_calls", platform=whom.platform, result=ended)
