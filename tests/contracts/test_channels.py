"""What every ``Channel`` does, over real sockets and in memory alike: a text arrives whole, or the failure is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Protocol

import pytest

from shared.adapters.http import HttpxHttp
from shared.adapters.log_voice import LogNotify
from shared.adapters.notify_apprise import AppriseChannel
from shared.adapters.notify_json import JsonChannel
from shared.adapters.notify_ntfy import NtfyChannel
from shared.adapters.notify_smtp import MailServer, SmtpChannel
from shared.adapters.notify_text import tame
from shared.domain.errors import PlatformDown, SyncError
from shared.memory.voices import MemoryChannel, MemoryTelemetry
from shared.ports.people import Channel, Notice, Recipient
from tests.loopback import Loopback, plain
from tests.mail import Mail
from tests.security.corpus import load

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
TEXT = {
    "fr": "Gîte du Lac\u202f: l’été est fermé, «\u202f3–7 août\u202f»",
    "en": "Gîte du Lac: nights closed",
}
NOTICE = Notice("push_failed", "gite/gite-airbnb", "high", TEXT, "owner", "https://example.org/c?a=1", "id-1")
SECRETS = ("ada@example.org", "s3cret-topic", "s3cret-token", "s3cret-path", "s3cret-word")


class Other(Protocol):
    """A channel and its other side."""

    channel: Channel

    def arrived(self) -> list[str]: ...

    def fail(self) -> None: ...


class Twin:
    def __init__(self) -> None:
        self._channel = MemoryChannel()
        self.channel: Channel = self._channel

    def arrived(self) -> list[str]:
        return ["\n\n".join(tame(text) for text in one.text.values()) for one in self._channel.notices]

    def fail(self) -> None:
        self._channel.failure = PlatformDown("away")


class Mailed:
    def __init__(self, server: Mail) -> None:
        async def nobody(owner: str) -> Sequence[Recipient]:
            return ()

        self._server = server
        self.channel: Channel = SmtpChannel(
            MailServer("127.0.0.1", server.port, "none", sender="sync@example.org"),
            Recipient("ada@example.org"),
            nobody,
            MemoryTelemetry(),
            now=lambda: NOW,
        )

    def arrived(self) -> list[str]:
        return [one.text for one in self._server.taken]

    def fail(self) -> None:
        self._server.refuse = {"DATA": "554 ada@example.org is not welcome"}


class Posted:
    """ntfy, or JSON."""

    def __init__(self, server: Loopback, channel: Channel, text: Callable[[dict[str, object]], str]) -> None:
        self._server, self.channel, self._text = server, channel, text

    def arrived(self) -> list[str]:
        return [self._text(json.loads(seen.body)) for seen in self._server.seen]

    def fail(self) -> None:
        self._server.answer = plain(500, b"s3cret-token")


class FakeApprise:
    """What Apprise's own object does, without Apprise."""

    def __init__(self) -> None:
        self.servers: list[str] = []
        self.told: list[tuple[str, str, str]] = []
        self.answer = True

    def add(self, servers: str) -> bool:
        self.servers.append(servers)
        return "://" in servers

    async def async_notify(self, body: str, title: str, notify_type: str) -> bool:
        self.told.append((body, title, notify_type))
        if not self.answer:
            raise RuntimeError("tgram://s3cret-token failed")
        return True


class Fan:
    def __init__(self) -> None:
        self._fake = FakeApprise()
        self.channel: Channel = AppriseChannel(["tgram://s3cret-token"], make=lambda: self._fake)

    def arrived(self) -> list[str]:
        return [body for body, _, _ in self._fake.told]

    def fail(self) -> None:
        self._fake.answer = False


NAMES = ("memory", "smtp", "ntfy", "json", "apprise")


@pytest.fixture(params=NAMES)
async def other(request: pytest.FixtureRequest) -> AsyncIterator[Other]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield Twin()
        elif request.param == "smtp":
            yield Mailed(await stack.enter_async_context(Mail()))
        elif request.param == "apprise":
            yield Fan()
        else:
            server = await stack.enter_async_context(Loopback(plain(200, b'{"id":"x1","event":"message"}')))
            http = HttpxHttp()
            stack.push_async_callback(http.close)
            if request.param == "ntfy":
                ntfy = NtfyChannel(http, server.url(), "s3cret-topic", "s3cret-token")
                yield Posted(server, ntfy, lambda value: str(value["message"]))
            else:
                target = JsonChannel(
                    http, server.url("/s3cret-path"), now=lambda: NOW, key="s3cret-word-of-mine"
                )
                yield Posted(server, target, _texts)


def _texts(value: dict[str, object]) -> str:
    text = value["text"]
    assert isinstance(text, dict)
    return "\n\n".join(text.values())


async def test_both_languages_arrive_whole(other: Other) -> None:
    await other.channel.send(NOTICE)
    (arrived,) = other.arrived()
    assert TEXT["fr"] in arrived
    assert TEXT["en"] in arrived
    assert arrived.index(TEXT["fr"]) < arrived.index(TEXT["en"])


async def test_a_failure_is_one_of_ours_and_shows_no_secret(other: Other) -> None:
    other.fail()
    with pytest.raises(SyncError) as caught:
        await other.channel.send(NOTICE)
    assert not any(
        secret in f"{caught.value} {caught.value!r} {caught.value.__cause__}" for secret in SECRETS
    )


async def test_it_works_again_after_a_failure(other: Other) -> None:
    other.fail()
    with pytest.raises(SyncError):
        await other.channel.send(NOTICE)
    before = len(other.arrived())
    _mend(other)
    await other.channel.send(NOTICE)
    assert TEXT["fr"] in other.arrived()[before:][-1]


def _mend(other: Other) -> None:
    if isinstance(other, Twin):
        other._channel.failure = None
    elif isinstance(other, Mailed):
        other._server.refuse = {}
    elif isinstance(other, Posted):
        other._server.answer = plain(200, b'{"id":"x2"}')
    elif isinstance(other, Fan):
        other._fake.answer = True


async def test_texts_that_broke_others_arrive_as_text(other: Other) -> None:
    """Every naughty string as the text, the key and the owner: it arrives, but for signs that are no text."""
    hostile = [
        *load("strings/blns.json"),
        "\ud800 half",
        "a\r\nBcc: eve@example.org\r\n\r\nx",
        "\x00\x1b[2J",
        "a\u2028b",
    ]
    together = [text for text in hostile if isinstance(text, str)]
    for start in range(0, len(together), 60):
        text = "|".join(together[start : start + 60])[:3000]
        await other.channel.send(Notice("kind", text, "info", {"fr": text}, text, text, text))
    arrived = other.arrived()
    assert len(arrived) == len(range(0, len(together), 60))
    for start, got in zip(range(0, len(together), 60), arrived, strict=True):
        wanted = tame("|".join(together[start : start + 60])[:3000])
        if not isinstance(other, Posted) or other.channel.name == "json":
            assert _flat(wanted) in _flat(got)
        assert "\x00" not in got


def _flat(text: str) -> str:
    return "".join(text.split())


async def test_the_log_takes_everything(caplog: pytest.LogCaptureFixture) -> None:
    await LogNotify("fr").send(NOTICE)
    assert json.loads(caplog.messages[-1])["text"] == TEXT["fr"]
