"""The local host's HTTP side: routes, requests and answers as the Functions host and the worker make them."""

from __future__ import annotations

import asyncio
import json
import logging

import azure.functions as func
import httpx
import pytest

from local.host.plan import Plan
from tests.functions.tiny import (
    new_app,
    ok,
    plan_of,
    running,
    with_routes,
)


async def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": req.get_body().decode("latin-1"),
    }
    return func.HttpResponse(json.dumps(seen), status_code=202, headers={"content-type": "application/json"})


@pytest.fixture
def routes() -> Plan:
    return plan_of(
        with_routes(
            {
                "/": (["GET"], ok),
                # The most general first: the order of registration must not matter.
                "export/{anything}": (["GET"], ok),
                "export/{token}.ics": (["GET"], echo),
                "hooks/{platform}/{secret}/{*path}": (["GET", "PUT"], echo),
            }
        )
    )


FOUND: list[tuple[str, str, dict[str, str]]] = [
    ("GET", "/export/abc.ics", {"token": "abc"}),
    ("GET", "/EXPORT/abc.ICS", {"token": "abc"}),
    ("GET", "/export/a.b.ics/", {"token": "a.b"}),
    ("GET", "/export/a%2Fb%20c.ics", {"token": "a%2Fb c"}),
    ("PUT", "/hooks/airbnb/s3cret/HMABC", {"platform": "airbnb", "secret": "s3cret", "path": "HMABC"}),
    ("GET", "/hooks/airbnb/s3cret/a/b%C3%A9", {"platform": "airbnb", "secret": "s3cret", "path": "a/bé"}),
    ("GET", "/hooks/airbnb/s3cret", {"platform": "airbnb", "secret": "s3cret"}),
]


async def test_routes_are_matched_as_azure_matches_them(routes: Plan) -> None:
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        for method, path, params in FOUND:
            assert (await client.request(method, path)).json()["params"] == params
        assert (await client.get("/")).text == "ok"
        assert (await client.get("/export/plain")).text == "ok"


NOT_FOUND = [
    ("GET", "/nothing"),
    ("GET", "/export/.ics/x"),
    ("GET", "/hooks/airbnb"),
    ("POST", "/hooks/airbnb/s3cret"),
    ("HEAD", "/"),
    ("DELETE", "/"),
]


async def test_no_route_or_no_method_is_404_as_on_azure(routes: Plan) -> None:
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        for method, path in NOT_FOUND:
            answer = await client.request(method, path)
            assert (answer.status_code, answer.content) == (404, b""), (method, path)


async def test_a_request_reaches_the_function_as_the_worker_gives_it(routes: Plan) -> None:
    headers = [("X-One", "a"), ("X-One", "b"), ("Content-Type", "application/json")]
    async with running(routes) as at, httpx.AsyncClient(base_url=at.base) as client:
        path = "/hooks/p/s/x?a=1&a=2&b=&c=d%20e"
        answer = await client.put(path, headers=headers, content=b'{"\xe9": 1}')
    seen = answer.json()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"
    assert (seen["method"], seen["url"]) == ("PUT", at.base + path)
    assert seen["query"] == {"a": "1,2", "c": "d e"}
    assert seen["headers"]["x-one"] == "a,b"
    assert seen["body"] == '{"\xe9": 1}'


async def test_a_failing_function_answers_500_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("guest Ada Sample")

    async def empty(_req: func.HttpRequest) -> None:
        return None

    plan = plan_of(with_routes({"fails/{secret}": (["GET"], fails), "empty": (["GET"], empty)}))
    async with running(plan) as at, httpx.AsyncClient(base_url=at.base) as client:
        with caplog.at_level(logging.INFO):
            answer = await client.get("/fails/hunter2")
        assert (answer.status_code, answer.content) == (500, b"")
        assert (await client.get("/empty")).status_code == 204
    assert "RuntimeError" in caplog.text
    assert "Ada" not in caplog.text
    assert "hunter2" not in "".join(r.getMessage() for r in caplog.records if r.name == "host")


async def test_a_plain_function_runs_beside_the_loop() -> None:
    app = new_app()

    @app.route(route="plain", methods=["GET"])
    def plain(req: func.HttpRequest, context: func.Context) -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return context.function_name

    async with running(plan_of(app)) as at, httpx.AsyncClient(base_url=at.base) as client:
        assert (await client.get("/plain")).text == "plain"
