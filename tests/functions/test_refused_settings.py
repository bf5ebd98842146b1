"""What each address answers while the settings are refused: nothing is lost, nothing is told to strangers, and no
caller gets a 500 out of us."""

from __future__ import annotations

import inspect
import itertools

import azure.functions as func
import pytest

from console.blueprint import export_calendar, health
from console.pages import bp as pages
from shared.config import SettingsRefused, current
from webhook_receiver.blueprint import webhook_receiver

SECRET = "a-secret-of-the-path-0123456789"
OLDER = "an-older-secret-0123456789abcd"


@pytest.fixture(autouse=True)
def refused(monkeypatch: pytest.MonkeyPatch, sample_settings: dict[str, str]) -> None:
    """One setting is wrong that no webhook needs."""
    for name, value in sample_settings.items():
        monkeypatch.setenv(name, value)
    for name, value in {
        "RETRY_MAX": "many",
        "WEBHOOK_SECRET_AIRBNB": f"{SECRET},{OLDER},short",
        "WEBHOOK_SECRET_MAIL": SECRET,
        "WEBHOOK_SECRET_CHANNEX": SECRET,
        "WEBHOOK_ALLOW_CHANNEX": "192.0.2.0/24",
    }.items():
        monkeypatch.setenv(name, value)
    current.cache_clear()
    with pytest.raises(SettingsRefused):
        current()


async def ask(handler: object, **params: str) -> func.HttpResponse:
    found = handler._function.get_user_function()  # type: ignore[attr-defined]
    request = func.HttpRequest(
        method="POST", url="https://a.example/x", headers={}, params={}, route_params=params, body=b"{}"
    )
    answer = found(request)
    assert inspect.isawaitable(answer)
    told = await answer
    assert isinstance(told, func.HttpResponse)
    return told


def heard(answer: func.HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.headers.get("retry-after", "")


PATHS = ("", "notification", "make_reservation", "anything")


@pytest.mark.parametrize("platform", ["airbnb", "mail", "channex", "booking", "nobody"])
async def test_a_stranger_hears_what_strangers_always_hear(platform: str) -> None:
    for secret, path in itertools.product(("x" * 24, "short", "é", SECRET[:-1]), PATHS):
        answer = await ask(webhook_receiver, platform=platform, secret=secret, path=path)
        assert (answer.status_code, answer.get_body()) == (404, b'{"title": "not found"}')


async def test_a_platform_with_its_secret_is_asked_to_come_again() -> None:
    for secret, path in itertools.product((SECRET, OLDER), PATHS):
        answer = await ask(webhook_receiver, platform="airbnb", secret=secret, path=path)
        assert heard(answer) == (503, "60")
        assert b"RETRY_MAX" not in answer.get_body()


async def test_a_right_secret_from_a_wrong_network_is_a_strangers() -> None:
    assert heard(await ask(webhook_receiver, platform="channex", secret=SECRET, path="")) == (404, "")


async def test_networks_that_cannot_be_read_lose_no_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_ALLOW_CHANNEX", "192.0.2.0/99")
    assert heard(await ask(webhook_receiver, platform="channex", secret=SECRET, path="")) == (503, "60")


async def test_the_sample_secret_opens_nothing_on_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = "replace-me-with-a-long-secret"
    monkeypatch.setenv("WEBHOOK_SECRET_AIRBNB", sample)
    monkeypatch.setenv("WEBSITE_SITE_NAME", "engine")
    assert heard(await ask(webhook_receiver, platform="airbnb", secret=sample, path="")) == (404, "")


async def test_peers_and_monitors_hear_that_it_passes() -> None:
    """A peer keeps the calendar it has; a monitor hears what it hears when we are ill."""
    assert heard(await ask(export_calendar, token="x" * 24)) == (503, "60")
    assert heard(await ask(health)) == (503, "60")


async def test_pages_say_that_the_engine_stands_still_and_name_no_setting() -> None:
    (first,) = (
        one for one in pages._function_builders if one._function.get_function_name() == "console_home"
    )
    answer = await ask(first)
    assert heard(answer) == (503, "60")
    text = answer.get_body().decode()
    assert "réglages" in text
    assert "settings" in text
    assert "RETRY_MAX" not in text
    assert "La synchronisation continue" not in text


async def test_keys_and_connections_nobody_can_use_are_refused_settings_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RETRY_MAX")
    for wrong in ({"WEBHOOK_KEY_AIRBNB": "too-short"}, {"STORAGE": "a=b"}):
        with monkeypatch.context() as patch:
            for name, value in wrong.items():
                patch.setenv(name, value)
            current.cache_clear()
            for secret, status in ((SECRET, 503), ("x" * 24, 404)):
                answer = await ask(webhook_receiver, platform="airbnb", secret=secret, path="notification")
                assert answer.status_code == status, wrong
    current.cache_clear()
