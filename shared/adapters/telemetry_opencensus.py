"""Application Insights by ``opencensus-ext-azure`` (``TELEMETRY=application_insights``).

The library is retired, so as little of it as possible is used: its metrics exporter and its handler of custom events,
which make envelopes and post them. Not its statistics (they send a counter's total again at every interval), not its
threads, not its spool in the temporary folder, not its reports about itself. Imported by the first sending alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from opencensus.ext.azure.common import Options, utils
from opencensus.ext.azure.common.transport import TransportStatusCode
from opencensus.ext.azure.log_exporter import AzureEventHandler
from opencensus.ext.azure.metrics_exporter import MetricsExporter
from opencensus.metrics.export.metric import Metric
from opencensus.metrics.export.metric_descriptor import MetricDescriptor, MetricDescriptorType
from opencensus.metrics.export.point import Point as OpenCensusPoint
from opencensus.metrics.export.time_series import TimeSeries
from opencensus.metrics.export.value import ValueDouble
from opencensus.metrics.label_key import LabelKey
from opencensus.metrics.label_value import LabelValue

from shared.adapters.telemetry_points import Batch, Happening, Point, told_plainly

MOST_IN_ONE = 1_000
"""Envelopes in one request; no more ever wait."""


class OpenCensusSender:
    """The port ``Sender``. ``connection`` is the connection string, ``role`` the name Application Insights shows;
    ``credential`` gives an ``azure-identity`` credential where the resource takes no key alone. Raises ``ValueError``
    for a connection string that is none."""

    def __init__(
        self, connection: str, role: str, timeout: float, credential: Callable[[], object] | None = None
    ) -> None:
        # The library's only switch. It would start a thread and tell a Microsoft host about this one.
        os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        # It writes whole envelopes and answers into the log, which goes to the same place: losses are counted instead.
        logging.getLogger("opencensus").setLevel(logging.CRITICAL + 1)
        options = {
            "connection_string": told_plainly(connection),
            "credential": credential() if credential else None,
            "enable_local_storage": False,
            "enable_standard_metrics": False,
            "max_batch_size": MOST_IN_ONE,
            "timeout": timeout,
        }
        self._metrics = _Metrics(role, options)
        self._events = _Events(role, options)
        # A logger of its own, that no other knows: nothing can reach it by propagation, and nothing leaves it so.
        self._logger = logging.Logger("sync.events", logging.INFO)
        self._logger.propagate = False
        self._logger.addHandler(self._events)

    def send(self, batch: Batch) -> int:
        """As the port says; two requests at most."""
        lost = 0
        if batch.points:
            self._metrics.export_metrics([_metric(point) for point in batch.points])
            lost += 0 if self._metrics.taken else len(batch.points)
        if batch.events and not lost:
            for event in batch.events:
                self._logger.handle(_record(event))
            lost += 0 if self._events.send() else len(batch.events)
        elif batch.events:
            lost += len(batch.events)  # the same host, a moment later: it would only wait once more
        return lost


class _Metrics(MetricsExporter):  # type: ignore[misc]  # the library is untyped
    """The exporter, which also says whether the envelopes were taken, and fills in what it leaves out of a point."""

    def __init__(self, role: str, options: Mapping[str, object]) -> None:
        super().__init__(**options)
        self.taken = True
        self._role = role

    def metric_to_envelopes(self, metric: Metric) -> list[object]:
        """Its own envelopes, with count, lowest and highest reading."""
        envelopes: list[object] = super().metric_to_envelopes(metric)
        reading = metric.time_series[0].points[0].value
        for envelope in envelopes:
            point = envelope.data.baseData.metrics[0]  # type: ignore[attr-defined]
            point.ns, point.count, point.min, point.max = "", reading.count, reading.low, reading.high
            envelope.tags["ai.cloud.role"] = self._role  # type: ignore[attr-defined]
        return envelopes

    def _transmit(self, envelopes: Sequence[object]) -> object:
        result = super()._transmit(envelopes)
        self.taken = result == TransportStatusCode.SUCCESS
        return result


class _Events(AzureEventHandler):  # type: ignore[misc]  # the library is untyped
    """The handler without its thread: records wait until they are sent."""

    def __init__(self, role: str, options: Mapping[str, object]) -> None:
        # Not its own __init__, which starts a thread; these are the attributes its other methods need.
        logging.Handler.__init__(self)
        self.options = Options(**options)
        utils.validate_instrumentation_key(self.options.instrumentation_key)
        self.storage = None
        self._telemetry_processors: list[object] = []
        self._consecutive_redirects = 0
        self._waiting: list[logging.LogRecord] = []
        self._role = role
        self._taken = True

    def createLock(self) -> None:
        """The standard library's. The handler's own sets none, and Python 3.13 takes the lock without asking."""
        logging.Handler.createLock(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._waiting.append(record)

    def flush(self, timeout: float | None = None) -> None:
        """Nothing: ``send`` does it."""

    def send(self) -> bool:
        """Post what waits, in one request. False when it was not taken."""
        waiting, self._waiting = self._waiting, []
        self._export(waiting)
        return self._taken

    def log_record_to_envelope(self, record: logging.LogRecord) -> object:
        """Its own envelope, under our role."""
        envelope = super().log_record_to_envelope(record)
        envelope.tags["ai.cloud.role"] = self._role
        return envelope

    def _transmit(self, envelopes: Sequence[object]) -> object:
        result = super()._transmit(envelopes)
        self._taken = result == TransportStatusCode.SUCCESS
        return result


class _Reading(ValueDouble):  # type: ignore[misc]  # the library is untyped
    """A point's value with what the library's own kinds of value have no place for."""

    def __init__(self, point: Point) -> None:
        super().__init__(float(point.value))
        self.count, self.low, self.high = point.count, point.low, point.high


def _metric(point: Point) -> Metric:
    """A gauge to the library, since of those it asks no beginning; Application Insights knows but one kind."""
    keys = [LabelKey(name, "") for name, _ in point.dimensions]
    values = [LabelValue(value) for _, value in point.dimensions]
    kind = MetricDescriptorType.GAUGE_DOUBLE
    at = datetime.fromtimestamp(point.at, UTC)
    series = TimeSeries(values, [OpenCensusPoint(_Reading(point), at)], None)
    return Metric(MetricDescriptor(point.name, "", "1", kind, keys), [series])


def _record(event: Happening) -> logging.LogRecord:
    record = logging.LogRecord("sync.events", logging.INFO, "", 0, event.name, None, None)
    record.created = event.at
    record.custom_dimensions = dict(event.properties)
    return record
