"""Application Insights by ``azure-monitor-opentelemetry-exporter`` (``TELEMETRY=otel``, requirements-otel.txt).

Its exporters are handed the same points and events as the other library's: no global provider, no reader, no thread, no
spool, no reports about itself. Imported by the first sending alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter, AzureMonitorMetricExporter
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from shared.adapters.telemetry_points import Batch, Happening, Point, told_plainly

if TYPE_CHECKING:
    from typing import Any

_SILENT = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
"""The library's own switches: each would start a thread and talk to a Microsoft host, or count itself among ours."""

_SCOPE = InstrumentationScope("sync")


class OtelSender:
    """The port ``Sender``. The arguments are those of the other one. Raises ``ValueError`` for a connection string that
    is none."""

    def __init__(
        self, connection: str, role: str, timeout: float, credential: Callable[[], object] | None = None
    ) -> None:
        for name in _SILENT:
            os.environ.setdefault(name, "true")
        # They write whole envelopes, answers and addresses into the log: losses are counted instead.
        logging.getLogger("azure.monitor.opentelemetry").setLevel(logging.CRITICAL + 1)
        logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
        options: dict[str, Any] = {
            "connection_string": told_plainly(connection),
            "disable_offline_storage": True,
            "timeout": timeout,
            "read_timeout": timeout,
            "retry_total": 0,
        }
        if credential:
            options["credential"] = credential()
        self._metrics = AzureMonitorMetricExporter(**options)
        self._events = AzureMonitorLogExporter(**options)
        self._resource = Resource({"service.name": role})

    def send(self, batch: Batch) -> int:
        """As the port says; two requests at most."""
        if batch.points and not self._send_points(batch):
            return len(batch)
        if batch.events:
            records = [_record(event, self._resource) for event in batch.events]
            if self._events.export(records) is not LogRecordExportResult.SUCCESS:
                return len(batch.events)
        return 0

    def _send_points(self, batch: Batch) -> bool:
        metrics = [_metric(point) for point in batch.points]
        data = MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])
        return self._metrics.export(data) is MetricExportResult.SUCCESS


def _metric(point: Point) -> Metric:
    labels, at = dict(point.dimensions), _nanoseconds(point.at)
    if point.low is None or point.high is None:
        number = NumberDataPoint(labels, at, at, point.value)
        return Metric(point.name, None, None, Sum([number], AggregationTemporality.DELTA, is_monotonic=True))
    spread = HistogramDataPoint(
        labels, at, at, point.count, point.value, [point.count], [], point.low, point.high
    )
    return Metric(point.name, None, None, Histogram([spread], AggregationTemporality.DELTA))


def _record(event: Happening, resource: Resource) -> ReadableLogRecord:
    attributes = {**event.properties, "microsoft.custom_event.name": event.name}
    return ReadableLogRecord(LogRecord(timestamp=_nanoseconds(event.at), attributes=attributes), resource)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
