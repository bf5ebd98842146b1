"""The running host against its own description: whatever may be sent under ``/api/`` is answered as the document says,
and never with a failure of ours. Seeded in ``make test``, anew at each run with PROVE=1."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.days import day_ahead
from tests.e2e.stage import AIRBNB, BOOKING, Stage, staged
from tests.e2e.support import until
from tests.hypothesis_profiles import PROVING, budget

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

REQUESTS = budget(300, 10_000)
BARE = 2
"""Requests of an address to which nothing can be added."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AUGUST = day_ahead("2027-08-10")


@dataclass
class Play:
    """The stack, what stands in it by the address that names it, and what came of every request."""

    stage: Stage
    names: dict[str, list[dict[str, str]]]
    bodies: dict[str, list[dict[str, Any]]]
    schema: Any
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def try_all(self) -> None:
        """Every operation with its share of the requests."""
        operations: list[APIOperation[Any, Any, Any]] = [one.ok() for one in self.schema.get_all_operations()]
        bare = [one for one in operations if not _takes_something(one)]
        share = (REQUESTS - BARE * len(bare)) // (len(operations) - len(bare)) + 1
        with requests.Session() as session:
            for one in operations:
                self._try(one, BARE if one in bare else share, session)

    def _try(self, operation: APIOperation[Any, Any, Any], times: int, session: requests.Session) -> None:
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ways = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))
        known = [{}, *self.names.get(operation.path, [])]
        bodies = [None, *self.bodies.get(operation.path, [])]

        def one(data: st.DataObject) -> None:
            case = data.draw(ways)
            case.path_parameters = {**case.path_parameters, **data.draw(st.sampled_from(known))}
            body = data.draw(st.sampled_from(bodies))
            if body is not None:
                case.body = body
            answer = case.call(base_url=self.base, session=session, headers=self.stage.key, timeout=30)
            self.answers[f"{operation.method.upper()} {operation.path}", answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        some = settings(
            max_examples=times,
            derandomize=False,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        running = some(given(st.data())(one))
        (running if PROVING else seed(20_270_301)(running))()

    @property
    def base(self) -> str:
        return self.stage.session.stack.hosts.public


def _takes_something(one: APIOperation[Any, Any, Any]) -> bool:
    return bool(one.body or one.query or one.path_parameters)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def play(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Play]:
    async with staged(Path(tmp_path_factory.mktemp("openapi"))) as stage:
        document = await stage.ask("GET", "/api/openapi.json")
        found = Play(stage, await _names(stage), {}, schemathesis.openapi.from_dict(document))
        link = stage.sandbox.base + "/ical/unknown.ics"
        found.bodies = {"/api/feeds/check": [{"url": link}], "/api/connect": [{"url": link, "name": "Essai"}]}
        await asyncio.to_thread(found.try_all)
        yield found


async def _names(stage: Stage) -> dict[str, list[dict[str, str]]]:
    """A double booking, a job, a body nobody can read: names of what is really there."""
    await asyncio.gather(
        stage.book("airbnb", "9876544", AUGUST), stage.book("greengo", "grange-greengo", AUGUST)
    )
    secret = stage.session.stack.values["WEBHOOK_SECRET_AIRBNB"]
    url = f"{stage.session.stack.hosts.public}/webhooks/airbnb/{secret}/notification"
    await stage.session.client.post(url, content=b'{"action":"')

    async def ids(path: str, part: str) -> Any:
        return [one["id"] for one in (await stage.ask("GET", path))[part]]

    async def clash() -> Any:
        return await ids("/api/conflicts", "conflicts")

    async def poison() -> Any:
        return await ids("/api/quarantine", "quarantine")

    conflicts = await until(clash, "a double booking")
    messages = await until(poison, "a body nobody can read")
    job = (await stage.ask("POST", "/api/sync", {}, 202))["job"]
    links = await ids("/api/links", "links")
    by_id = {
        "/api/jobs/{id}": [job],
        "/api/conflicts/{id}": conflicts,
        "/api/conflicts/{id}/acknowledge": conflicts,
        "/api/conflicts/{id}/resolution": conflicts,
        "/api/quarantine/{id}/replay": messages,
        "/api/links/{id}": links,
        "/api/links/{id}/renew": links[:3],
        "/api/links/{id}/revoke": links[3:5],
    }
    accounts = [{"account": name} for name in (AIRBNB, BOOKING, "nobody")]
    circuits = [{**one, "operation": operation} for one in accounts for operation in ("read", "write")]
    return {
        **{path: [{"id": name} for name in names] for path, names in by_id.items()},
        "/api/platforms/{account}/mode": accounts,
        "/api/platforms/{account}/circuits/{operation}": circuits,
    }


async def test_every_answer_is_as_the_document_says(play: Play) -> None:
    """The fixture asks; a wrong answer fails it with the request that brings it about."""
    assert play.answers.total() >= REQUESTS * 0.9
    assert [one for one in play.answers if one[1] >= 500] == []


async def test_no_failure_of_ours_stands_in_the_log(play: Play) -> None:
    assert play.stage.events("trigger_failed") == []


async def test_what_is_there_was_found_and_what_is_wrong_was_refused(play: Play) -> None:
    """The requests are worth something: good ones got through, and bad ones did not."""
    got = {way: {status for known, status in play.answers if known == way} for way, _ in play.answers}
    assert {status for statuses in got.values() for status in statuses} >= {200, 202, 400, 404}
    for way in ("GET /api/conflicts/{id}", "GET /api/links/{id}", "GET /api/jobs/{id}"):
        assert {200, 404} <= got[way], (way, got[way])
    for way in ("POST /api/sync", "PUT /api/platforms/{account}/mode"):
        assert 400 in got[way], (way, got[way])


async def test_without_the_key_every_closed_address_is_closed(play: Play) -> None:
    somebody = {"x-forwarded-for": "192.0.2.7"}  # a stranger of one's own: others have asked much already
    async with httpx.AsyncClient(base_url=play.base, trust_env=False, timeout=60, headers=somebody) as client:
        for one in [one.ok() for one in play.schema.get_all_operations()]:
            answer = await client.request(one.method, one.path.replace("{", "").replace("}", ""))
            assert answer.status_code == (200 if one.path == "/api/openapi.json" else 401), one.path
