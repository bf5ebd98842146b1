"""``make notify`` says of each channel whether it worked, and shows no secret."""

from __future__ import annotations

import json

import pytest

from local import notify_test
from shared.config import SettingsRefused
from tests.functions.conftest import ROOT
from tests.loopback import Loopback, plain
from tests.mail import Mail


def values(**more: str) -> dict[str, str]:
    sample: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    return {**sample, **more}


async def test_each_channel_is_tried_and_the_broken_one_named() -> None:
    async with Mail() as mail, Loopback(plain(403)) as ntfy, Loopback(plain(204)) as hook:
        tried = await notify_test.try_channels(
            values(
                NOTIFY="log, smtp, ntfy, json",
                NOTIFY_EMAIL="ada@example.org",
                SMTP_HOST="127.0.0.1",
                SMTP_PORT=str(mail.port),
                SMTP_SECURITY="none",
                SMTP_FROM="sync@example.org",
                NTFY_URL=ntfy.url(""),
                NTFY_TOPIC="s3cret-topic",
                NOTIFY_JSON_URL=hook.url("/s3cret?token=x"),
            )
        )
    assert [(name, wrong) for name, wrong, _ in tried] == [
        ("log", ""),
        ("smtp", ""),
        ("ntfy", "127.0.0.1 answered 403"),
        ("json", ""),
    ]
    (taken,) = mail.taken
    assert taken.to == ["ada@example.org"]
    assert notify_test.TEXT["fr"] in taken.text
    assert notify_test.TEXT["en"] in taken.text
    assert hook.seen[0].target == "/s3cret?token=x"


def test_the_command_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notify_test, "base_values", lambda own: values(NOTIFY="smtp"))
    assert notify_test.main() == 2
    assert "SMTP_HOST: missing" in capsys.readouterr().err


def test_the_command_ends_well_with_the_log_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notify_test, "base_values", lambda own: values())
    assert notify_test.main() == 0
    assert "envoyé / sent" in capsys.readouterr().out


async def test_bad_settings_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(SettingsRefused):
        await notify_test.try_channels(values(NOTIFY="pigeon"))
