"""Webhooks before there is an engine: what a cold start imports for the first one, and who answers what."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared import bootstrap
from shared.config import read
from shared.domain.platform import AIRBNB, Platform
from shared.engine.front import Front
from shared.engine.reception import Reception
from shared.engine.webhooks import Senders
from shared.memory.bus import MemoryBus
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.ports.bus import Message
from shared.state.inbox import InboxStore
from shared.use_cases import HttpAnswer, WebhookCall

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-the-path-0123456789"
CHANNEX = Platform("channex")
NOW = datetime(2027, 3, 1, tzinfo=UTC)

FIRST = """
import asyncio, json, os, sys
import azure.functions as func
import function_app
from shared import bootstrap
from webhook_receiver.blueprint import webhook_receiver

async def ask():
    path = {"platform": "airbnb", "secret": "x" * 24, "path": "notification"}
    request = func.HttpRequest(
        method="POST", url="https://a.example/x", headers={}, params={}, route_params=path, body=b"{}"
    )
    answer = await webhook_receiver._function.get_user_function()(request)
    return answer.status_code

assert asyncio.run(ask()) == 404
assert "shared.engine.front" in sys.modules
print(json.dumps(sorted(sys.modules)))
"""


class Whole:
    """The engine, which writes down that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def receive_webhook(self, call: WebhookCall) -> HttpAnswer:
        self.asked.append(f"{call.platform}/{call.path}")
        return HttpAnswer(204, b"", {})


class House:
    """A front over the twins."""

    def __init__(self) -> None:
        self.tables = MemoryTables(lambda: NOW)
        self.bus = MemoryBus(lambda: NOW, asyncio.sleep)
        self.telemetry = MemoryTelemetry()
        self.whole = Whole()
        self.ids = itertools.count(1)
        self.front = Front(
            self.tables,
            self.bus,
            self.telemetry,
            lambda: f"id{next(self.ids)}",
            "work",
            {AIRBNB, CHANNEX},
            {AIRBNB},
            {"airbnb": (SECRET,), "channex": (SECRET,), "mail": (SECRET,)},
            Senders(),
            lambda: self.whole,
        )

    async def call(self, platform: str, path: str, secret: str = SECRET) -> int:
        answer = await self.front.receive_webhook(WebhookCall(platform, secret, path, body=b"{}"))
        return answer.status


def test_the_first_webhook_imports_no_engine_no_models_and_no_clients_it_does_not_need() -> None:
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    done = subprocess.run(
        [sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, env=values, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {
        "pydantic",
        "jinja2",
        "icalendar",
        "httpx",
        "tenacity",
        "numpy",
        "yaml",
        "opencensus",
        "opentelemetry",
    }
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith(("azure.servicebus", "azure.identity"))} == set()
    values = {
        "shared.domain.model",
        "shared.domain.facts",
        "shared.domain.portfolio",
        "shared.ports.platforms",
    }
    assert loaded & values == set(), "each dataclass is compiled anew in every process: a fifth of the start"
    engine = {name.rpartition(".")[2] for name in loaded if name.startswith("shared.engine.")}
    assert engine == {"front", "reception", "ringing", "webhooks"}


async def test_a_body_is_stored_and_rung_for_without_an_engine() -> None:
    house = House()
    assert await house.call("airbnb", "notification") == 200
    assert await house.call("channex", "") == 200
    assert await house.call("airbnb", "notification", "a-wrong-secret-0123456789") == 404
    rung = await house.bus.receive("work", 10, 0)
    assert [one.message.kind for one in rung] == ["inbox", "inbox"]
    assert house.whole.asked == []


async def test_questions_before_a_sale_and_e_mails_go_to_the_engine() -> None:
    house = House()
    for platform, path in (("airbnb", ""), ("airbnb", "make_reservation"), ("mail", "")):
        assert await house.call(platform, path) == 204
    assert house.whole.asked == ["airbnb/", "airbnb/make_reservation", "mail/"]


@pytest.mark.parametrize(("platform", "path"), [("airbnb", ""), ("airbnb", "make_reservation"), ("mail", "")])
async def test_no_engine_is_built_for_a_stranger(platform: str, path: str) -> None:
    """A start of seconds for whoever guesses an address, and a 500 where the engine cannot start."""
    house = House()
    assert await house.call(platform, path, "a-wrong-secret-0123456789") == 404
    assert house.whole.asked == []


@pytest.fixture
def inbox() -> InboxStore:
    ids = itertools.count(1)
    return InboxStore(MemoryTables(lambda: NOW), lambda: f"id{next(ids)}")


def bell(done: list[str], wait: Callable[[], Awaitable[object]]) -> Callable[[Message], Awaitable[bool]]:
    async def ring(message: Message) -> bool:
        await wait()
        done.append(message.key)
        return True

    return ring


async def test_an_answer_does_not_wait_for_a_link_that_must_be_opened_first(inbox: InboxStore) -> None:
    done: list[str] = []
    opened = asyncio.Event()
    reception = Reception(inbox, MemoryTelemetry(), bell(done, opened.wait))
    delivery = await reception.receive(AIRBNB, b"{}")
    assert await inbox.get(delivery.key) is not None
    assert done == []
    opened.set()
    await reception.settle()
    assert done == [delivery.key]


async def test_only_a_bus_that_was_heard_is_waited_for(inbox: InboxStore) -> None:
    """Before that its client is still to be imported, and the one processor would do that before the answer."""
    done: list[str] = []

    async def turn() -> None:
        await asyncio.sleep(0)

    reception = Reception(inbox, MemoryTelemetry(), bell(done, turn))
    await reception.receive(AIRBNB, b"{}")
    assert done == []
    await reception.settle()
    await reception.receive(AIRBNB, b"{}")
    assert len(done) == 2


async def test_a_bell_that_breaks_after_the_answer_is_told(inbox: InboxStore) -> None:
    async def breaks() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("broken")

    told = MemoryTelemetry()
    reception = Reception(inbox, told, bell([], breaks))
    await reception.receive(AIRBNB, b"{}")
    await reception.settle()
    assert ("bell_failed", {"kind": "RuntimeError"}) in told.events


async def test_engine_and_front_share_their_clients_and_the_engine_takes_over(
    monkeypatch: pytest.MonkeyPatch, sample_settings: dict[str, str]
) -> None:
    settings = read({**sample_settings, "WEBHOOK_SECRET_AIRBNB": SECRET, "SIGN_IN_KEY": SECRET})
    monkeypatch.setattr("shared.config.current", lambda: settings)
    front = bootstrap.receiver()
    assert isinstance(front, Front)
    assert bootstrap.receiver() is front
    engine = bootstrap.engine()
    assert bootstrap.receiver() is engine
    loop = asyncio.get_running_loop()
    joined = bootstrap._built[loop]
    assert (joined.tables, joined.bus) == bootstrap._clients[loop]
    await bootstrap.close()
    assert bootstrap.receiver() is not front, "a closed front is not used again"
    await bootstrap.close()
