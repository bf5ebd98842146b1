"""Webhooks over real HTTP: the bytes that were signed are those that are checked and stored, and an e-mail rings."""

from __future__ import annotations

import json

import httpx
import pytest

from local.host.plan import Plan
from shared.connectors.webhook_signature import verifier
from shared.engine.webhooks import Senders
from tests.functions.tiny import running
from tests.security.test_webhook_door import SECRET, Door
from tests.security.test_webhook_signatures import KEY, signed

ODD = '{ "note" : "déjà\\u0020vu",\r\n\t"n":1.0e0 }\r\n'.encode()
WEBHOOK = f"/webhooks/airbnb/{SECRET}/notification"


@pytest.fixture
def web(plan: Plan) -> Plan:
    return Plan(plan.routes, plan.targets, (), ())


async def test_signed_bytes_arrive_as_they_were_sent(web: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(monkeypatch, Senders(verifiers={"airbnb": verifier("standard", [KEY])}))
    async with running(web) as at, httpx.AsyncClient(base_url=at.base) as client:
        right = await client.post(WEBHOOK, content=ODD, headers=signed(KEY, body=ODD))
        assert (right.status_code, right.json()) == (200, {"succeed": True})
        again = await client.post(WEBHOOK, content=ODD, headers=signed(KEY, body=ODD))
        assert again.status_code == 200
        changed = await client.post(WEBHOOK, content=ODD.strip(), headers=signed(KEY, body=ODD, name="m2"))
        assert (changed.status_code, changed.json()) == (401, {"title": "no signature fits"})
        odd = {**signed(KEY, body=ODD, name="m3"), "webhook-signature": "v1,é".encode()}
        assert (await client.post(WEBHOOK, content=ODD, headers=odd)).status_code == 401
    assert await door.stored() == [ODD]


async def test_wrong_addresses_are_told_nothing(web: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    Door(monkeypatch)
    wrong = [WEBHOOK.replace(SECRET, "x" * len(SECRET)), f"/webhooks/airbnb/{SECRET}/else", "/webhooks/x/y/z"]
    async with running(web) as at, httpx.AsyncClient(base_url=at.base) as client:
        answers = [await client.post(path, content=b"{}") for path in wrong]
    assert {(one.status_code, one.content) for one in answers} == {(404, b'{"title": "not found"}')}


async def test_an_e_mail_comes_to_the_bare_address(web: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    Door(monkeypatch)
    body = json.dumps({"to": "d@in.example", "from": "x@greengo.voyage", "subject": ""})
    async with running(web) as at, httpx.AsyncClient(base_url=at.base) as client:
        answer = await client.post(f"/webhooks/mail/{SECRET}", content=body)
        assert (answer.status_code, answer.json()) == (200, {"rung": 0})
        assert (await client.post(f"/webhooks/mail/{SECRET}", content="<p>")).status_code == 400
        assert (await client.get(f"/webhooks/mail/{SECRET}")).status_code == 404
