"""Idle connections to our own servers: theirs must be the longer patience, or a request goes out now and then on a
connection that is just being closed. Every calendar counted as down for a moment, on a machine so busy that none had
been asked for uvicorn's 5 s."""

from __future__ import annotations

from datetime import UTC, datetime

import aiohttp
from uvicorn import Config

from local.host.server import Host
from local.sandbox import server as sandbox
from tests.functions.tiny import ok, plan_of, with_routes


def of_the_host() -> Config:
    plan = plan_of(with_routes({"/": (["GET"], ok)}))
    return Host(plan, {}, lambda: datetime(2027, 3, 1, tzinfo=UTC))._server().config


def of_the_platforms() -> Config:
    return sandbox._settings(None, sandbox._Connections())  # type: ignore[arg-type]


async def test_a_server_keeps_an_idle_connection_longer_than_its_clients() -> None:
    async with aiohttp.TCPConnector() as ours:
        for config in (of_the_host(), of_the_platforms()):
            assert config.timeout_keep_alive > ours._keepalive_timeout + 30
