"""The settings: everything wrong is told at once, and no secret is shown."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from shared.bootstrap.joined import join
from shared.config import SCHEDULES, Settings, SettingsRefused, read
from shared.memory.tables import MemoryTables
from tests.functions.conftest import ROOT
from tests.functions.tiny import NOON

SECRET = "x" * 30
AZURE = {"WEBSITE_SITE_NAME": "sync"}


def refused(settings: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsRefused) as caught:
        read(settings)
    assert caught.value.problems
    return caught.value.problems


def changed(sample: dict[str, str], **changes: str) -> dict[str, str]:
    return {**sample, **changes}


def test_the_sample_is_complete(sample_settings: dict[str, str]) -> None:
    settings = read(sample_settings)
    assert settings.work_queue == "work"
    assert set(settings.schedules) == set(SCHEDULES)
    assert list(settings.webhook_secrets) == ["airbnb"]
    assert settings.base_urls == {}
    assert settings.loopback_ports == frozenset()


def test_the_sample_names_every_key_the_settings_read(sample_settings: dict[str, str]) -> None:
    documented = set(re.findall(r"``([A-Z][A-Z_]+(?:__\w+)?)(?:<PLATFORM>)?``", Settings.__doc__ or ""))
    assert len(documented) > 12
    by_identity = {"STORAGE__accountName", "SERVICEBUS__fullyQualifiedNamespace"}
    of_azure = {"WEBSITE_AUTH_ENABLED", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}
    assert {
        key
        for key in documented - by_identity - of_azure
        if not any(name.startswith(key) for name in sample_settings)
    } == set()


def test_everything_that_is_missing_is_told_at_once() -> None:
    problems = refused({})
    keys = {problem.split(":")[0] for problem in problems}
    assert keys == {
        "STORAGE or STORAGE__accountName",
        "SERVICEBUS or SERVICEBUS__fullyQualifiedNamespace",
        "WORK_QUEUE",
        "CONFLICTS_QUEUE",
        *SCHEDULES,
        "PUBLIC_BASE_URL",
        "CONTACT_ADDRESS",
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("STORAGE", "nonsense"),
        ("SERVICEBUS", "nonsense"),
        ("WORK_QUEUE", "work queue"),
        ("SWEEP_SCHEDULE", "* * * * *"),
        ("PUBLIC_BASE_URL", "http://example.org"),
        ("PUBLIC_BASE_URL", "https://ada:pw@example.org"),
        ("PUBLIC_BASE_URL", "https://[::1"),
        ("CONTACT_ADDRESS", "Ada (at home)"),
        ("WEBHOOK_SECRET_AIRBNB", "too-short"),
        ("WEBHOOK_SECRET_AIRBNB", f"{SECRET},"),
        ("WEBHOOK_KEY_CHANNEX", f"{SECRET},,{SECRET}"),
        ("WEBHOOK_ALLOW_AIRBNB", "everywhere"),
        ("WEBHOOK_ALLOW_AIRBNB", "192.0.2.1/24"),
        ("WEBHOOK_ALLOW_AIRBNB", "192.0.2.0/24,"),
        ("BASE_URL_BOOKING", "ftp://localhost"),
        ("LOCAL_LOOPBACK_PORTS", "80,99999"),
        ("LOCAL_LOOPBACK_PORTS", "all"),
        ("TELEMETRY", "loud"),
        ("UI_LANGUAGE", "xx"),
        ("NOTIFY", "pigeon"),
        ("NOTIFY", "log;ntfy"),
        ("NOTIFY_EMAIL", "Ada <ada@example.org>"),
        ("NOTIFY_EMAIL", "ada@example.org, eve@example.org"),
        ("SMTP_FROM", "ada@example.org\nBcc: eve@example.org"),
        ("SMTP_HOST", "mail example"),
        ("SMTP_PORT", "0"),
        ("SMTP_SECURITY", "maybe"),
        ("SMTP_PASSWORD", "pässwort"),
        ("NTFY_URL", "http://ntfy.example.org"),
        ("NTFY_TOPIC", "two words"),
        ("NTFY_TOKEN", "two words"),
        ("NOTIFY_JSON_URL", "http://example.org/hook"),
        ("NOTIFY_JSON_KEY", "short"),
        ("NOTIFY_JSON_KEY", "whsec_not*base64*at*all*here"),
        ("NOTIFY_APPRISE_URLS", "no address"),
        ("DEAD_MAN_URL", "http://ping.example.org/s3cret"),
        ("DEAD_MAN_URL", "https://ada@ping.example.org/s3cret"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(
    sample_settings: dict[str, str], key: str, value: str
) -> None:
    problems = refused(changed(sample_settings, **{key: value}))
    assert [problem.split(":")[0] for problem in problems] == [key]
    assert value not in problems[0]


def test_either_a_connection_string_or_an_identity(sample_settings: dict[str, str]) -> None:
    named = {"STORAGE": "", "STORAGE__accountName": "syncstore"}
    named |= {"SERVICEBUS": "", "SERVICEBUS__fullyQualifiedNamespace": "sync.servicebus.windows.net"}
    settings = read(changed(sample_settings, **named))
    assert (settings.storage, settings.storage_account) == ("", "syncstore")
    assert (settings.service_bus, settings.service_bus_namespace) == ("", "sync.servicebus.windows.net")
    both = refused(changed(sample_settings, STORAGE__accountName="syncstore"))
    assert "both are set" in both[0]


def test_secrets_and_addresses_by_platform(sample_settings: dict[str, str]) -> None:
    added = {
        "WEBHOOK_SECRET_BOOKING": f"{SECRET}, {SECRET[::-1]}a",
        "BASE_URL_BOOKING": "http://127.0.0.1:9001/",
    }
    settings = read(changed(sample_settings, **added))
    assert settings.webhook_secrets["booking"] == (SECRET, SECRET + "a")
    assert settings.base_urls == {"booking": "http://127.0.0.1:9001"}


def test_who_may_call_and_how_he_proves_himself(sample_settings: dict[str, str]) -> None:
    added = {
        "WEBHOOK_SECRET_MAIL": SECRET,
        "WEBHOOK_KEY_CHANNEX": f"{SECRET} , github:{SECRET}",
        "WEBHOOK_ALLOW_AIRBNB": "192.0.2.0/24, 2001:db8::7",
    }
    settings = read(changed(sample_settings, **added))
    assert settings.webhook_secrets["mail"] == (SECRET,)
    assert settings.webhook_keys == {"channex": (SECRET, f"github:{SECRET}")}
    assert settings.webhook_networks == {"airbnb": ("192.0.2.0/24", "2001:db8::7/128")}
    assert SECRET not in repr(settings)


def test_signing_keys_nobody_can_use_are_all_told_by_name(sample_settings: dict[str, str]) -> None:
    added = {"WEBHOOK_KEY_CHANNEX": "too-short", "WEBHOOK_KEY_AIRBNB": "standard:whsec_%"}
    with pytest.raises(SettingsRefused) as caught:
        join(read(changed(sample_settings, **added)), tables=MemoryTables(lambda: NOON))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "WEBHOOK_KEY_AIRBNB",
        "WEBHOOK_KEY_CHANNEX",
    ]
    assert "whsec_%" not in str(caught.value)


def test_what_is_for_a_laptop_is_refused_on_azure(sample_settings: dict[str, str]) -> None:
    local = changed(sample_settings, LOCAL_LOOPBACK_PORTS="9001, 9002", WEBHOOK_SECRET_AIRBNB=SECRET)
    assert read(local).loopback_ports == {9001, 9002}
    assert refused(local | AZURE) == (
        "LOCAL_LOOPBACK_PORTS: for a laptop only; remove it from the function app",
        "SIGN_IN_KEY: for a laptop only; remove it from the function app",
    )


def test_signing_in_with_a_code_is_for_a_laptop_with_a_key(sample_settings: dict[str, str]) -> None:
    assert read(sample_settings).sign_in == "local"
    keyless = {key: value for key, value in sample_settings.items() if key != "SIGN_IN_KEY"}
    assert refused(keyless)[0].startswith("SIGN_IN_KEY: missing")
    assert refused(changed(sample_settings, SIGN_IN_KEY="short"))[0].startswith("SIGN_IN_KEY: ")
    named = changed(sample_settings, CONSOLE_OPERATORS="Ada@example.org, 6f1c-id ,", SIGN_IN="azure")
    assert read(named).operators == {"ada@example.org", "6f1c-id"}
    assert read(named).auth_enabled is False
    assert read(named | {"WEBSITE_AUTH_ENABLED": "True"}).auth_enabled is True


def test_a_sample_secret_is_refused_on_azure(sample_settings: dict[str, str]) -> None:
    assert "still the sample" in refused(sample_settings | AZURE)[0]


@pytest.mark.parametrize("kind", ["application_insights", "otel"])
def test_application_insights_needs_its_connection(sample_settings: dict[str, str], kind: str) -> None:
    asked, key = changed(sample_settings, TELEMETRY=kind), "APPLICATIONINSIGHTS_CONNECTION_STRING"
    whole = "InstrumentationKey=12345678-1234-1234-1234-1234567890ab;IngestionEndpoint=https://example.org/"
    for wrong in ("", "InstrumentationKey=0", "IngestionEndpoint=https://example.org/"):
        assert refused(asked | {key: wrong})[0].startswith(f"{key}: missing")
    assert not read(asked | {key: whole}).telemetry_keyless
    by_identity = {"APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "ClientId=0;Authorization=AAD"}
    assert read(asked | {key: whole} | by_identity).telemetry_keyless


def test_the_repr_masks_what_is_secret(sample_settings: dict[str, str]) -> None:
    secrets = {
        "STORAGE": "AccountKey=hunter2",
        "SERVICEBUS": "SharedAccessKey=hunter2",
        "WEBHOOK_SECRET_AIRBNB": "hunter2-" + SECRET,
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=hunter2",
        "SIGN_IN_KEY": "hunter2-" + SECRET,
        "CONSOLE_OPERATORS": "hunter2@example.org",
    }
    shown = repr(read(changed(sample_settings, **secrets)))
    assert "hunter2" not in shown
    assert shown.count("***") == 6
    assert "work_queue='work'" in shown


WATCH = """
import os, sys
class Watched(dict):
    def __getitem__(self, key): print(key); return super().__getitem__(key)
    def get(self, key, default=None): print(key); return super().get(key, default)
    def __contains__(self, key): print(key); return super().__contains__(key)
    def __iter__(self): print("EVERYTHING"); return super().__iter__()
os.environ = Watched(os.environ)
import function_app
print("IMPORTED")
"""


def test_an_import_reads_no_setting(sample_settings: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], cwd=ROOT, capture_output=True, text=True)
    *keys, last = done.stdout.split()
    assert last == "IMPORTED", done.stderr
    assert {key for key in keys if key in sample_settings or key == "EVERYTHING"} == set()


@pytest.mark.parametrize(
    ("channel", "missing"),
    [
        ("smtp", {"NOTIFY_EMAIL", "SMTP_HOST", "SMTP_FROM"}),
        ("ntfy", {"NTFY_TOPIC"}),
        ("json", {"NOTIFY_JSON_URL"}),
        ("apprise", {"NOTIFY_APPRISE_URLS"}),
    ],
)
def test_a_named_channel_asks_for_what_it_needs(
    sample_settings: dict[str, str], channel: str, missing: set[str]
) -> None:
    problems = refused(changed(sample_settings, NOTIFY=f"log,{channel}"))
    assert {problem.split(":")[0] for problem in problems} == missing


def test_mail_in_the_clear_stays_on_this_machine(sample_settings: dict[str, str]) -> None:
    clear = changed(sample_settings, SMTP_SECURITY="none", SMTP_HOST="mail.example.org")
    assert refused(clear) == ("SMTP_HOST: expected localhost, since SMTP_SECURITY is none",)
    assert read(changed(clear, SMTP_HOST="localhost")).notify.smtp_host == "localhost"


def test_the_ways_to_people_are_not_shown(sample_settings: dict[str, str]) -> None:
    hidden = {
        "NOTIFY_EMAIL": "ada@example.org",
        "SMTP_FROM": "sync@example.org",
        "SMTP_USER": "ada-login",
        "SMTP_PASSWORD": "pass-word",
        "NTFY_TOPIC": "t0pic-name",
        "NTFY_TOKEN": "tk_token",
        "NOTIFY_JSON_URL": "https://example.org/hook/s3cret",
        "NOTIFY_JSON_KEY": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "NOTIFY_APPRISE_URLS": "tgram://bot/chat mailto://x:y@example.net",
        "DEAD_MAN_URL": "https://ping.example.org/5f1c",
    }
    settings = read(
        changed(sample_settings, NOTIFY="smtp,ntfy,json,apprise", SMTP_HOST="mail.example.org", **hidden)
    )
    assert len(settings.notify.apprise_urls) == 2
    shown = repr(settings)
    assert "mail.example.org" in shown
    assert not [value for value in hidden.values() if value in shown]
