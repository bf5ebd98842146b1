"""The table store: opens ``Tables`` on Azure Table Storage or on its emulator, by connection string or by role.

Importing this module is cheap; the SDK is imported when a store is opened. Three files share the work:
``azure_tables`` makes the calls, ``table_codec`` turns rows into entities and back, ``table_errors`` says what an
answer means.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from shared.adapters.store_clock import StoreClock

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineRequest, PipelineResponse
    from azure.core.rest import AsyncHttpResponse, HttpRequest
    from azure.data.tables.aio import TableClient

    from shared.adapters.azure_tables import AzureTables

OnRequest = Callable[[str, str], None]
"""Told of each request as it leaves: HTTP method (``BATCH`` for a transaction) and table."""

_SENT = "sync_engine_sent"


def open_tables(
    *,
    connection_string: str = "",
    account_url: str = "",
    monotonic: Callable[[], float],
    wall: Callable[[], datetime],
    deadline: float = 5.0,
    on_request: OnRequest | None = None,
) -> AzureTables:
    """A store that connects at its first call. Give either a connection string, or ``https://...`` of an account
    on which this process has a role (``DefaultAzureCredential``: managed identity in Azure, ``az login`` at home).

    ``deadline`` is the total time of one call in seconds, a read's second try and all pages included. ``wall``
    stands in for the store's time until its first answer (see ``StoreClock``). Tables are made when first written
    to. Raises ``ValueError`` for a missing or unreadable address; its text never repeats it.
    """
    if bool(connection_string) == bool(account_url):
        raise ValueError("the table store needs a connection string or an account URL, exactly one of them")
    from azure.core.pipeline.transport import AioHttpTransport

    from shared.adapters.azure_tables import AzureTables

    transport = AioHttpTransport()
    clock = StoreClock(monotonic, wall)
    make, free = _by_role(account_url) if account_url else _by_string(connection_string)

    def client(table: str) -> TableClient:
        meter = _Meter(table, clock, on_request)
        return make(
            table_name=table,
            transport=transport,
            retry_total=0,  # see AzureTables: a repeated write may report its own success as a conflict
            http_logging_level=logging.DEBUG,  # at INFO the addresses of rows would stand in every host's log
            raw_request_hook=meter.sent,
            raw_response_hook=meter.answered,
        )

    async def close() -> None:
        await transport.close()
        await free()

    _check_address(client)
    return AzureTables(client, clock, deadline, close)


_Maker = tuple[Callable[..., "TableClient"], Callable[[], Awaitable[None]]]


def _by_string(connection_string: str) -> _Maker:
    from azure.data.tables.aio import TableClient

    async def nothing() -> None:
        """A key needs no closing."""

    return partial(TableClient.from_connection_string, connection_string), nothing


def _by_role(account_url: str) -> _Maker:
    from azure.data.tables.aio import TableClient
    from azure.identity.aio import DefaultAzureCredential  # 300 ms at import, so only where it is needed

    credential = DefaultAzureCredential()
    return partial(TableClient, account_url, credential=credential), credential.close


def _check_address(client: Callable[[str], TableClient]) -> None:
    """Finds a bad address when the store is opened, not at night; the SDK's own text might repeat a key."""
    try:
        client("probe")
    except ValueError:
        raise ValueError(
            "the table store's connection string or account URL cannot be read: a string needs AccountName, "
            "AccountKey and TableEndpoint or EndpointSuffix; a URL needs https"
        ) from None


class _Meter:
    """Sees one table's requests where they leave the SDK's pipeline, and the date of each answer."""

    def __init__(self, table: str, clock: StoreClock, on_request: OnRequest | None) -> None:
        self._table = table
        self._clock = clock
        self._on_request = on_request

    def sent(self, request: PipelineRequest[HttpRequest]) -> None:
        """Before each request, repeated ones too."""
        request.context[_SENT] = self._clock.monotonic()
        if self._on_request is not None:
            batch = request.http_request.url.partition("?")[0].endswith("/$batch")
            self._on_request("BATCH" if batch else request.http_request.method, self._table)

    def answered(self, response: PipelineResponse[HttpRequest, AsyncHttpResponse]) -> None:
        """At each answer, whatever its status. Raises what the SDK raises for no answer when it is a stranger's.

        A proxy's or gateway's page may say 200 or 404 as well, and a 404 would be read as "no such row". The service
        puts ``x-ms-request-id`` into every answer (VERIFIED: learn.microsoft.com, Table service REST API).
        """
        headers = response.http_response.headers
        if "x-ms-request-id" not in headers:
            from azure.core.exceptions import ServiceResponseError

            raise ServiceResponseError("the answer is not from the table service")
        self._clock.observe(headers.get("Date"), response.context[_SENT])
