"""The ``context`` a function may ask for."""

from __future__ import annotations

import threading
import uuid

import azure.functions as func
from azure.functions._abc import RetryContext, TraceContext


class InvocationContext(func.Context):
    """Which invocation this is. Traces and retry policies are Azure's: they are not played."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._id = str(uuid.uuid4())
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """A fresh id per invocation."""
        return self._id

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def function_directory(self) -> str:
        """The app's folder: where the process runs."""
        return "."

    @property
    def thread_local_storage(self) -> threading.local:  # type: ignore[override]  # the SDK says Type[local]
        """Storage of the calling thread."""
        return self._local

    @property
    def trace_context(self) -> TraceContext:
        """Not played."""
        raise NotImplementedError("the local host plays no trace context")

    @property
    def retry_context(self) -> RetryContext:
        """Not played."""
        raise NotImplementedError("the local host plays no retry policies")
