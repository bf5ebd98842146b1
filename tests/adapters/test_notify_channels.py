"""The channels one by one: what goes over the wire, to whom, and what a dead or rude other side costs."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shared.adapters.http import HttpxHttp
from shared.adapters.notify_apprise import AppriseChannel, load
from shared.adapters.notify_json import JsonChannel, secret_of
from shared.adapters.notify_ntfy import MOST_BYTES, NtfyChannel
from shared.adapters.notify_smtp import MailServer, SmtpChannel
from shared.adapters.notify_text import is_address, one_line, title
from shared.connectors.webhook_signature import StandardWebhooks
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.memory.voices import MemoryTelemetry
from shared.ports.people import Notice, Recipient
from tests.certificates import pair
from tests.loopback import Loopback, plain, raw
from tests.mail import Mail

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
TEXT = {"fr": "Gîte du Lac : nuits fermées", "en": "Gîte du Lac: nights closed"}
NOTICE = Notice("push_failed", "k", "high", TEXT, "jeanne", "https://example.org/c", "id-1")
FALLBACK = Recipient("desk@example.org")
JEANNE, PAUL = Recipient("jeanne@example.org", "fr"), Recipient("paul@example.org", "en")
BCC = "x\r\nBcc: eve@example.org\r\n\r\nSpam"


def mail(
    port: int,
    people: Mapping[str, Sequence[Recipient]] | None = None,
    telemetry: MemoryTelemetry | None = None,
    trust: ssl.SSLContext | None = None,
    seconds: float = 10.0,
    **server: Any,
) -> SmtpChannel:
    async def recipients(owner: str) -> Sequence[Recipient]:
        return (people or {}).get(owner, ())

    where = MailServer("127.0.0.1", port, **{"security": "none", "sender": "sync@example.org", **server})
    voice = telemetry or MemoryTelemetry()
    return SmtpChannel(where, FALLBACK, recipients, voice, now=lambda: NOW, trust=trust, seconds=seconds)


# ---------------------------------------------------------------------------------------------- e-mail


async def test_an_owner_gets_it_in_his_language_and_sees_nobody_else() -> None:
    async with Mail() as server:
        await mail(server.port, {"jeanne": (JEANNE, PAUL)}).send(NOTICE)
    first, second = server.taken
    assert (first.to, second.to) == (["jeanne@example.org"], ["paul@example.org"])
    assert (first.message["To"], second.message["To"]) == ("jeanne@example.org", "paul@example.org")
    assert first.text.strip() == f"{TEXT['fr']}\n\n{NOTICE.link}"
    assert second.text.strip() == f"{TEXT['en']}\n\n{NOTICE.link}"
    assert first.connection != second.connection, "one connection a message"
    assert first.message["Subject"] == TEXT["fr"]
    assert first.message["Message-ID"] == "<id-1@example.org>", "the same at each try"
    assert first.message.get_content_type() == "text/plain"
    assert first.message["Auto-Submitted"] == "auto-generated"


async def test_what_belongs_to_nobody_goes_to_the_desk_in_both_languages() -> None:
    async with Mail() as server:
        await mail(server.port, {"jeanne": (JEANNE,)}).send(replace(NOTICE, owner=""))
    (taken,) = server.taken
    assert taken.to == ["desk@example.org"]
    assert taken.text.index(TEXT["fr"]) < taken.text.index(TEXT["en"])


@pytest.mark.parametrize("field", ["text", "kind", "key", "owner", "id", "link"])
async def test_no_field_of_a_notice_becomes_a_header(field: str) -> None:
    value: Any = {"fr": BCC} if field == "text" else BCC
    async with Mail() as server:
        await mail(server.port).send(replace(NOTICE, **{field: value}))
    (taken,) = server.taken
    assert taken.to == ["desk@example.org"]
    assert taken.message["Bcc"] is None
    plain_headers = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
    assert set(taken.message.keys()) == plain_headers | {"Content-Type", "Content-Transfer-Encoding"}


@pytest.mark.parametrize(
    "address",
    [
        "a@b.org\r\nBcc: eve@b.org",
        "a@b.org, eve@b.org",
        "A <a@b.org>",
        "a@b.org>",
        "@b.org",
        "nobody-at",
        "a b@c.org",
        "",
    ],
)
async def test_an_address_is_one_plain_address_or_nothing_is_sent(address: str) -> None:
    assert not is_address(address)
    async with Mail() as server:
        with pytest.raises(PayloadRejected) as caught:
            await mail(server.port, {"jeanne": (Recipient(address),)}).send(NOTICE)
    assert not server.connections
    assert not address or address not in str(caught.value)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_with_a_password(security: str, tmp_path: Path) -> None:
    inside, outside = pair(tmp_path)
    async with Mail(tls=inside, at_once=security == "tls", login=("ada", "pass word")) as server:
        options = {"security": security, "user": "ada", "password": "pass word"}
        await mail(server.port, trust=outside, **options).send(NOTICE)
    (taken,) = server.taken
    assert taken.tls
    assert taken.user == "ada"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_gets_no_password(security: str, tmp_path: Path) -> None:
    inside, _ = pair(tmp_path)
    async with Mail(tls=inside, at_once=security == "tls", login=("ada", "word")) as server:
        with pytest.raises(PlatformDown, match="TLS was not accepted"):
            await mail(server.port, security=security, user="ada", password="word").send(NOTICE)
    assert not server.taken


async def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    async with Mail(login=("ada", "word")) as server:
        with pytest.raises(PayloadRejected, match="STARTTLS"):
            await mail(server.port, security="starttls", user="ada", password="word").send(NOTICE)
    assert not server.taken


async def test_a_wrong_password_has_its_own_words_and_is_not_shown() -> None:
    async with Mail(login=("ada", "right")) as server:
        with pytest.raises(AuthFailed) as caught:
            await mail(server.port, user="ada@example.org", password="wr0ng").send(NOTICE)
    assert "ada" not in str(caught.value)
    assert "wr0ng" not in str(caught.value)
    assert "535" in str(caught.value)


@pytest.mark.parametrize(
    ("verb", "line", "kind"),
    [
        ("RCPT", "550 5.1.1 <desk@example.org> unknown", PayloadRejected),
        ("RCPT", "450 4.2.0 <desk@example.org> greylisted", PlatformDown),
        ("MAIL", "553 <sync@example.org> may not", PayloadRejected),
        ("DATA", "451 later", PlatformDown),
        ("EHLO", "421 too busy", PlatformDown),
    ],
)
async def test_a_refusal_tells_its_code_and_no_address(verb: str, line: str, kind: type[SyncError]) -> None:
    async with Mail(refuse={verb: line, "HELO": line}) as server:
        with pytest.raises(kind) as caught:
            await mail(server.port).send(NOTICE)
    assert "example.org" not in str(caught.value)
    assert line[:3] in str(caught.value)


async def test_one_refused_address_is_counted_and_the_other_person_is_told_once() -> None:
    telemetry = MemoryTelemetry()
    async with Mail() as server:
        people = {"jeanne": (Recipient("not an address"), PAUL)}
        await mail(server.port, people, telemetry).send(NOTICE)
    assert [one.to for one in server.taken] == [["paul@example.org"]]
    assert telemetry.counts["notify_failed"] == 1


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "RCPT", "QUIT"])
async def test_a_silent_server_costs_its_timeout_and_holds_no_thread(verb: str) -> None:
    async with Mail(hang=verb) as server:
        begun = time.monotonic()
        with pytest.raises(PlatformDown):
            await mail(server.port, seconds=0.3).send(NOTICE)
        assert time.monotonic() - begun < 2
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 20)


async def test_nobody_listens() -> None:
    async with Mail() as server:
        pass
    with pytest.raises(PlatformDown, match="cannot be reached"):
        await mail(server.port).send(NOTICE)


# -------------------------------------------------------------------------------------- ntfy and JSON


@pytest.fixture
async def http() -> AsyncIterator[HttpxHttp]:
    client = HttpxHttp()
    yield client
    await client.close()


async def test_ntfy_gets_all_in_the_body(http: HttpxHttp) -> None:
    async with Loopback(plain(200, b'{"id":"x","event":"message"}')) as server:
        await NtfyChannel(http, server.url(), "t0pic", "tk_word").send(
            replace(NOTICE, text={"fr": BCC, "en": "é" * 9_000})
        )
    (seen,) = server.seen
    message = json.loads(seen.body)
    assert (seen.method, seen.target, seen.headers["authorization"]) == ("POST", "/", "Bearer tk_word")
    assert message["topic"] == "t0pic"
    assert message["title"] == "x Bcc: eve@example.org Spam"
    assert (message["priority"], message["tags"], message["click"]) == (4, ["warning"], NOTICE.link)
    assert len(message["message"].encode()) <= MOST_BYTES
    assert "bcc" not in seen.headers


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://example.org", ""])
async def test_ntfy_opens_only_https(http: HttpxHttp, link: str) -> None:
    async with Loopback(plain(200, b'{"id":"x"}')) as server:
        await NtfyChannel(http, server.url(), "t0pic").send(replace(NOTICE, link=link))
    assert "click" not in json.loads(server.seen[0].body)


@pytest.mark.parametrize(
    "body", [b"", b"<html>sign in to the hotel's wifi</html>", b"[" * 9_000, b'{"id":1}']
)
async def test_2xx_is_no_success_until_ntfy_names_the_message(http: HttpxHttp, body: bytes) -> None:
    async with Loopback(plain(200, body)) as server:
        with pytest.raises(PayloadRejected):
            await NtfyChannel(http, server.url(), "t0pic").send(NOTICE)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, RateLimited),
        (401, AuthFailed),
        (403, AuthFailed),
        (500, PlatformDown),
        (400, PayloadRejected),
        (302, PayloadRejected),
    ],
)
async def test_what_a_status_means(http: HttpxHttp, status: int, kind: type[SyncError]) -> None:
    async with Loopback(plain(status, b"t0pic", location="https://evil.example/")) as server:
        for channel in (
            NtfyChannel(http, server.url(), "t0pic"),
            JsonChannel(http, server.url("/t0pic"), now=lambda: NOW),
        ):
            with pytest.raises(kind) as caught:
                await channel.send(NOTICE)
            assert "t0pic" not in str(caught.value)


async def test_a_cut_answer_is_no_success(http: HttpxHttp) -> None:
    async with Loopback(
        raw(b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"id":"x"}', close=True)
    ) as server:
        with pytest.raises(PlatformDown):
            await NtfyChannel(http, server.url(), "t0pic").send(NOTICE)


KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def test_a_signed_webhook_passes_a_strict_verifier(http: HttpxHttp) -> None:
    async with Loopback() as server:
        channel = JsonChannel(http, server.url("/hook?token=x"), now=lambda: NOW, key=KEY)
        await channel.send(NOTICE)
        await channel.send(NOTICE)
    first, second = server.seen
    assert first.target == "/hook?token=x"
    assert not StandardWebhooks([KEY]).verify(first.headers, first.body, NOW).refused
    assert StandardWebhooks([KEY]).verify(first.headers, first.body + b" ", NOW).refused
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "id-1"
    value = json.loads(first.body)
    assert value["text"] == TEXT
    assert (value["kind"], value["severity"], value["owner"]) == ("push_failed", "high", "jeanne")


async def test_without_a_key_nothing_is_signed(http: HttpxHttp) -> None:
    async with Loopback() as server:
        await JsonChannel(http, server.url(), now=lambda: NOW).send(NOTICE)
    assert "webhook-signature" not in server.seen[0].headers


def test_a_key_that_is_not_base64_is_told() -> None:
    with pytest.raises(ValueError, match="not base64"):
        secret_of("whsec_***")


# ------------------------------------------------------------------------------------ Apprise, and text


async def test_apprise_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(PayloadRejected, match=r"requirements-notify\.txt"):
        await AppriseChannel(["tgram://x"], make=load).send(NOTICE)


async def test_apprise_names_the_address_it_cannot_read_by_its_number() -> None:
    class Picky:
        def add(self, servers: str) -> bool:
            return servers != "tgram://s3cret"

        async def async_notify(self, body: str, title: str, notify_type: str) -> bool | None:
            return None

    with pytest.raises(PayloadRejected, match="number 2") as caught:
        await AppriseChannel(["mailto://a", "tgram://s3cret"], make=Picky).send(NOTICE)
    assert "s3cret" not in str(caught.value)
    assert "NOTIFY_APPRISE_URLS" not in str(caught.value), "it may be an address that a person chose"
    with pytest.raises(PlatformDown):
        await AppriseChannel(["mailto://a"], make=Picky).send(NOTICE)


async def test_what_apprise_logs_of_an_address_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Talker:
        def add(self, servers: str) -> bool:
            logging.getLogger("apprise").critical("Could not load Slack URL: %s", servers)
            return False

    module = ModuleType("apprise")
    monkeypatch.setattr(module, "Apprise", Talker, raising=False)
    monkeypatch.setitem(__import__("sys").modules, "apprise", module)
    monkeypatch.setattr(logging.getLogger("apprise"), "level", logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("apprise"), "propagate", True)
    with caplog.at_level(logging.DEBUG), pytest.raises(PayloadRejected):
        await AppriseChannel(["slack://s3cret"]).send(NOTICE)
    assert "s3cret" not in caplog.text


def test_a_title_is_one_line_of_bounded_length() -> None:
    long = replace(NOTICE, text={"fr": "\u202eabc\n" + "x" * 500})
    assert len(title(long)) == 120
    assert title(replace(NOTICE, text={})) == "push_failed"
    assert one_line("a\x85b\u2029c\x00d") == "a b cd"
    assert one_line(" Gîte\u202f:  l’été\u00a0!\n") == "Gîte\u202f: l’été\u00a0!"
    assert one_line("👩\u200d🔧") == "👩\u200d🔧"
