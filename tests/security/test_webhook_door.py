"""Webhooks at the trigger: what each call is answered, and what is stored of it. The real function, over the twins."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import azure.functions as func
import pytest

from shared import bootstrap
from shared.connectors.webhook_signature import StandardWebhooks, verifier
from shared.domain.errors import PlatformDown, StoreUnavailable
from shared.domain.platform import AIRBNB
from shared.engine.operations import Operations
from shared.engine.webhooks import MOST_BODY, Senders, Webhooks, caller
from shared.engine.world import World
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryNotify, MemoryTelemetry
from shared.state.deliveries import REMEMBERED
from shared.state.names import INBOX
from shared.use_cases import HttpAnswer
from tests.engine.village import ApiPlatform, Calendar, Clock, FeedPlatform, render
from tests.security.corpus import load
from tests.security.test_webhook_signatures import BODY, KEY, NAME, NOW, OTHER, signed
from webhook_receiver.blueprint import webhook_receiver

SECRET = "a-secret-of-the-path-0123456789"
NEXT = "the-secret-that-replaces-it-012"
NOBODY = (404, b'{"title": "not found"}')


class Door:
    """The engine behind the trigger, with a clock and tables that a test can move and break."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, senders: Senders | None = None) -> None:
        self.now = NOW
        self.tables = MemoryTables(lambda: self.now)
        self.telemetry = MemoryTelemetry()
        self.bus = MemoryBus(lambda: self.now, _never)
        self.world = World(
            tables=self.tables,
            bus=self.bus,
            apis={AIRBNB: ApiPlatform(AIRBNB, Calendar("airbnb", Clock()), queue=False)},
            feeds=FeedPlatform(Calendar("greengo", Clock())),
            notify=MemoryNotify(),
            telemetry=self.telemetry,
            sleep=_never,
            chance=lambda: 0.5,
            new_id=_numbers(),
        )
        self.engine = Operations(
            self.world, render, {}, {"airbnb": (SECRET, NEXT), "mail": (SECRET,)}, senders=senders
        )
        monkeypatch.setattr(bootstrap, "receiver", lambda: self.engine)

    async def call(
        self,
        body: bytes = BODY,
        headers: Mapping[str, str] | None = None,
        *,
        platform: str = "airbnb",
        secret: str = SECRET,
        path: str = "notification",
        method: str = "POST",
    ) -> func.HttpResponse:
        """What the trigger answers."""
        request = func.HttpRequest(
            method=method,
            url=f"http://localhost/webhooks/{platform}/{secret}/{path}",
            headers=dict(headers or {}),
            params={},
            route_params={"platform": platform, "secret": secret, "path": path},
            body=body,
        )
        handler: Callable[[func.HttpRequest], Any] = webhook_receiver._function.get_user_function()
        answer = await handler(request)
        assert isinstance(answer, func.HttpResponse)
        return answer

    async def status(self, body: bytes = BODY, headers: Mapping[str, str] | None = None, **at: str) -> int:
        answer = await self.call(body, headers, **at)
        return int(answer.status_code)

    async def stored(self) -> list[bytes]:
        """The bodies that stand in the inbox of the day."""
        return [one.body for one in await self.world.inbox.waiting(AIRBNB, self.now)]


async def _never(seconds: float) -> None:
    raise AssertionError("nothing waits here")


def _numbers() -> Callable[[], str]:
    numbers = iter(range(10**6))
    return lambda: f"id{next(numbers):06d}"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(monkeypatch)


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(monkeypatch, Senders(verifiers={"airbnb": verifier("standard", [KEY, OTHER])}))


# -------------------------------------------------------------------------------------- the path's secret


@pytest.mark.parametrize("secret", [SECRET, NEXT])
async def test_while_one_secret_replaces_another_both_open_the_door(door: Door, secret: str) -> None:
    assert await door.status(secret=secret) == 200
    assert await door.stored() == [BODY]


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": SECRET[:-1]},
        {"secret": SECRET + "0"},
        {"secret": SECRET.upper()},
        {"secret": ""},
        {"secret": "é" * 30},
        {"secret": "\udcff"},
        {"platform": "booking"},
        {"platform": "AIRBNB"},
        {"platform": "~mail"},
        {"path": "other"},
        {"path": "notification/x"},
        {"method": "GET"},
        {"method": "PUT"},
        {"platform": "mail", "secret": "wrong"},
        {"platform": "mail", "path": "x"},
        {"platform": "mail", "path": "", "method": "GET"},
    ],
)
async def test_whatever_is_wrong_with_the_address_the_answer_is_the_same(
    door: Door, wrong: dict[str, str]
) -> None:
    answer = await door.call(**wrong)
    assert (answer.status_code, answer.get_body()) == NOBODY
    assert await door.stored() == []


async def test_a_body_that_is_too_long_is_told_only_to_who_knows_the_secret(door: Door) -> None:
    assert await door.status(b"x" * (MOST_BODY + 1)) == 413
    assert await door.status(b"x" * (MOST_BODY + 1), secret="wrong") == 404
    assert await door.status(b"x" * MOST_BODY) == 200


async def test_a_body_is_a_row_before_its_sender_is_thanked(door: Door) -> None:
    door.bus.down = True
    assert await door.status() == 200
    assert await door.stored() == [BODY]


async def test_while_the_store_is_down_the_sender_is_asked_to_come_again(door: Door) -> None:
    door.tables.insert = _failing  # type: ignore[method-assign]
    answer = await door.call()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def _failing(*_: object) -> str:
    raise StoreUnavailable("the table store did not answer")


# ------------------------------------------------------------------------------------------- signatures


async def test_every_published_case_is_answered_401_or_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    published: dict[str, Any] = load(NAME)
    judge = StandardWebhooks([published["symmetric"]["secret"]])
    for case in published["cases"]:
        door = Door(monkeypatch, Senders(verifiers={"airbnb": judge}))
        door.now = datetime.fromtimestamp(case["now"], UTC)
        expected = 200 if case["verdict"] == "accept" else 401
        body = case["payload"].encode()
        assert await door.status(body, case["headers"]) == expected, case["name"]
        assert await door.stored() == ([body] if expected == 200 else []), case["name"]


async def test_published_json_with_a_right_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[dict[str, Any]] = load("json/json_test_suite.jsonl")
    allowed = {"reject": {400}, "accept": {200, 422}, "either": {200, 400, 422}}
    wrong = []
    for case in cases:
        door = Door(monkeypatch, Senders(verifiers={"airbnb": verifier("standard", [KEY])}))
        body = base64.b64decode(case["b64"])
        if await door.status(body, signed(KEY, body=body)) not in allowed[case["expect"]]:
            wrong.append(case["name"])
    assert len(cases) >= 250
    assert wrong == []


@pytest.mark.parametrize("body", [b"[" * 50_000, b'[{"":' * 10_000], ids=["deep", "deep objects"])
async def test_a_body_of_brackets_with_a_right_signature(signing: Door, body: bytes) -> None:
    assert await signing.status(body, signed(KEY, body=body)) == 400


async def test_an_unsigned_body_of_a_sender_that_signs_is_refused(signing: Door) -> None:
    answer = await signing.call()
    assert (answer.status_code, json.loads(answer.get_body())) == (401, {"title": "no readable id"})
    assert await signing.stored() == []


async def test_a_signature_is_asked_for_after_the_secret(signing: Door) -> None:
    answer = await signing.call(headers=signed(KEY), secret="wrong")
    assert (answer.status_code, answer.get_body()) == NOBODY


async def test_a_repeat_is_thanked_and_not_stored_again(signing: Door) -> None:
    assert await signing.status(headers=signed(KEY)) == 200
    await signing.world.inbox.done((await signing.world.inbox.waiting(AIRBNB, signing.now))[0])
    signing.now += timedelta(minutes=4)
    again = signed(OTHER, when=signing.now)  # the sender signs each try anew, under the same id
    assert await signing.status(headers=again) == 200
    assert await signing.stored() == []
    assert await signing.status(headers=signed(KEY, name="msg_2")) == 200
    assert await signing.stored() == [BODY]


async def test_an_id_is_known_over_the_turn_of_the_hour_and_forgotten_after_ten_minutes(
    signing: Door,
) -> None:
    signing.now = NOW.replace(minute=59)
    assert await signing.status(headers=signed(KEY, when=signing.now)) == 200
    signing.now += REMEMBERED
    assert await signing.status(headers=signed(KEY, when=signing.now)) == 200
    assert len(await signing.stored()) == 1
    signing.now += timedelta(seconds=1)
    assert await signing.status(headers=signed(KEY, when=signing.now)) == 200
    assert len(await signing.stored()) == 2


async def test_what_could_not_be_stored_is_no_repeat_when_it_comes_again(
    signing: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(signing.tables, "insert", _failing)
        assert await signing.status(headers=signed(KEY)) == 503
    assert await signing.status(headers=signed(KEY)) == 200
    assert await signing.stored() == [BODY]


async def test_the_rows_of_repeats_go_away_by_themselves(signing: Door) -> None:
    for number in range(120):
        assert await signing.status(headers=signed(KEY, name=f"msg_{number}")) == 200
    hour = f"~seen~{NOW:%Y%m%d%H}"
    assert len(await signing.tables.query(INBOX, hour)) == 120
    signing.now += timedelta(hours=1)
    await signing.engine.on_timer_walk()
    assert len(await signing.tables.query(INBOX, hour)) == 120
    signing.now += timedelta(hours=1)
    await signing.engine.on_timer_walk()
    assert await signing.tables.query(INBOX, hour) == []


class Desk:
    """Says yes to everybody, and counts."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def answer(self, path: str, method: str, query: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.asked.append((method, path))
        return HttpAnswer(200, b"{}", {})


async def test_what_asks_before_a_sale_is_signed_too_where_it_has_a_body(signing: Door) -> None:
    desk = Desk()
    senders = Senders(verifiers={"airbnb": verifier("standard", [KEY])})
    world, inbox = signing.world, signing.engine.inbox
    signing.engine.webhooks = Webhooks(world, inbox, {"airbnb": (SECRET,)}, senders, {AIRBNB: desk})
    assert await signing.status(b"", path="", method="GET") == 200
    assert await signing.status(path="", method="POST") == 401
    assert await signing.status(path="HM1", method="PUT") == 401
    assert await signing.status(headers=signed(KEY), path="", method="POST") == 200
    assert await signing.status(path="", method="GET", secret="wrong") == 404
    assert desk.asked == [("GET", ""), ("POST", "")]
    assert await signing.stored() == []


# -------------------------------------------------------------------------------------------- networks


@pytest.mark.parametrize(
    ("hops", "status"),
    [
        ("192.0.2.7", 200),
        ("192.0.2.7:50123", 200),
        ("203.0.113.9, 192.0.2.7:50123", 200),
        ("[2001:db8::7]:50123", 200),
        ("2001:db8::7", 200),
        ("::ffff:192.0.2.7", 200),
        ("192.0.2.7, 203.0.113.9:1", 404),
        ("203.0.113.9:1", 404),
        ("192.0.2.7:1, ", 404),
        ("nobody", 404),
        ("", 404),
    ],
)
async def test_only_the_last_hop_says_who_calls(
    monkeypatch: pytest.MonkeyPatch, hops: str, status: int
) -> None:
    networks = {"airbnb": (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))}
    door = Door(monkeypatch, Senders(networks=networks))
    answer = await door.call(headers={"X-Forwarded-For": hops})
    assert answer.status_code == status
    if status == 404:
        assert (answer.status_code, answer.get_body()) == NOBODY


def test_nobody_says_who_calls() -> None:
    assert caller({}) == ""


# --------------------------------------------------------------------------------------- last delivery


async def test_the_last_delivery_is_kept_for_people_to_see(signing: Door) -> None:
    assert await signing.world.deliveries.last() == {}
    await signing.status()
    signing.now += timedelta(seconds=9)
    await signing.status(headers=signed(KEY, when=signing.now))  # too soon after the other to be written down
    last = (await signing.world.deliveries.last())["airbnb"]
    assert (last.at, last.result, last.size) == (NOW, "refused (401): no readable id", len(BODY))
    signing.now += timedelta(seconds=1)
    await signing.status(headers=signed(KEY, when=signing.now, name="msg_3"))
    last = (await signing.world.deliveries.last())["airbnb"]
    assert (last.at, last.result) == (signing.now, "stored")


async def test_who_does_not_know_the_secret_writes_nothing(door: Door) -> None:
    await door.status(secret="wrong")
    assert await door.world.deliveries.last() == {}


async def test_a_note_that_cannot_be_written_costs_the_delivery_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def note(*_: object) -> None:
        raise PlatformDown("no answer")

    monkeypatch.setattr(type(door.world.deliveries), "note", note)
    assert await door.status() == 200
    assert await door.stored() == [BODY]
