"""The settings ``make run`` hands to its hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.run_settings import QUICK, base_values, child_environment, write_settings
from shared.config import read
from shared.config_reader import SAMPLE


def test_the_example_is_deaf_to_the_environment_and_an_own_run_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UI_LANGUAGE", "fr")
    assert base_values(own=False)["UI_LANGUAGE"] == "en"
    assert base_values(own=True)["UI_LANGUAGE"] == "fr"


def test_no_sample_secret_is_ever_used() -> None:
    first, second = base_values(own=False), base_values(own=False)
    assert not first["WEBHOOK_SECRET_AIRBNB"].startswith(SAMPLE)
    assert first["WEBHOOK_SECRET_AIRBNB"] != second["WEBHOOK_SECRET_AIRBNB"]
    for name in ("WEBHOOK_SECRET_CHANNEX", "WEBHOOK_KEY_CHANNEX", "WEBHOOK_SECRET_MAIL"):
        assert len(first[name]) > 20
        assert first[name] != second[name]
        assert base_values(own=True).get(name, "") == ""  # an owner's is his own


def test_the_quick_rhythm_is_one_the_application_accepts() -> None:
    settings = read(base_values(own=False) | QUICK)
    assert settings.schedules["SWEEP_SCHEDULE"] == "*/5 * * * * *"


def test_the_file_is_for_this_user_alone_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "run" / "settings.json"
    for value in ("a", "b"):
        write_settings(path, {"NAME": value})
    assert json.loads(path.read_text()) == {"IsEncrypted": False, "Values": {"NAME": "b"}}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_host_sees_no_variable_that_would_override_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE", "somewhere else")
    monkeypatch.setenv("AIRBNB_TOKEN", "a key named by an account")
    seen = child_environment({"STORAGE": "the emulator"})
    assert "STORAGE" not in seen
    assert seen["AIRBNB_TOKEN"] == "a key named by an account"
