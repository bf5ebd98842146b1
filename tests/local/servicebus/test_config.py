"""The official emulator's configuration file: what we ship, what we take, what we refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import local.servicebus
from local.servicebus.config import ConfigError, QueueConfig, load_config, parse_config, parse_duration

SHIPPED = Path(local.servicebus.__file__).with_name("Config.json")


def document(*queues: object, **namespace: object) -> object:
    return {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": list(queues), **namespace}]}}


def queue(name: str = "work", **properties: object) -> dict[str, object]:
    return {"Name": name, "Properties": properties}


def test_the_shipped_file_has_the_two_queues() -> None:
    common = {
        "lock_duration": 60.0,
        "max_delivery_count": 10,
        "duplicate_detection": True,
        "duplicate_window": 300.0,
        "time_to_live": 3600.0,
    }
    assert load_config(SHIPPED) == [QueueConfig("work", **common), QueueConfig("conflicts", **common)]  # type: ignore[arg-type]


def test_the_official_emulator_would_start_on_the_shipped_file() -> None:
    """Limits of its published schema: one fixed namespace name, durations and counts with a most."""
    [namespace] = json.loads(SHIPPED.read_text())["UserConfig"]["Namespaces"]
    assert namespace["Name"] == "sbemulatorns"
    for entry in load_config(SHIPPED):
        assert 5 <= entry.lock_duration <= 300
        assert 5 <= entry.duplicate_window <= 300
        assert 300 <= entry.time_to_live <= 3600
        assert 1 <= entry.max_delivery_count <= 10


def test_what_is_not_said_is_as_in_the_official_emulator() -> None:
    assert parse_config(document({"Name": "q"})) == [QueueConfig("q", 60.0, 3, False, 20.0, 3600.0, False)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT1M", 60), ("PT0.5S", 0.5), ("P1DT2H3M4S", 93784), ("P14D", 1209600), ("PT90S", 90)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "x") == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "PT-1M", "PT1M ", "P1Y", "PT0S", 60, None])
def test_no_durations(text: object) -> None:
    with pytest.raises(ConfigError, match="LockDuration"):
        parse_duration(text, "LockDuration")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ([], "the file"),
        ({}, "UserConfig"),
        ({"UserConfig": {"Namespaces": []}}, "exactly one"),
        (document(Topics=[{"Name": "t"}]), "Topics"),
        (document("work"), r"Queues\[0\]"),
        (document({"Name": ""}), r"Queues\[0\].Name"),
        (document({"Name": "a b"}), r"Queues\[0\].Name"),
        (document(queue(), queue("WORK")), "twice"),
        (document(queue(RequiresSession=True)), "RequiresSession"),
        (document(queue(ForwardTo="other")), "ForwardTo"),
        (document(queue(MaxDeliveryCount=0)), "MaxDeliveryCount"),
        (document(queue(MaxDeliveryCount=True)), "MaxDeliveryCount"),
        (document(queue(RequiresDuplicateDetection="yes")), "true or false"),
        (document(queue(LockDuration="1 minute")), r"Queues\[0\].LockDuration"),
    ],
)
def test_what_cannot_be_served_is_named(given: object, where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        parse_config(given)


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        load_config(tmp_path / "absent.json")
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(ConfigError, match="broken"):
        load_config(broken)
