"""How often a failed read is repeated is a setting, checked by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.bootstrap.guard import retry_policy
from shared.config import SettingsRefused, read

EXAMPLE = json.loads((Path(__file__).parents[2] / "local.settings.json.example").read_text())["Values"]


def test_the_policy_of_reads_is_what_the_settings_say() -> None:
    chosen = {
        "RETRY_MAX": "1",
        "RETRY_BASE_SECONDS": "0.5",
        "RETRY_MULTIPLIER": "3",
        "RETRY_LONGEST_SECONDS": "60",
    }
    policy = retry_policy(read({**EXAMPLE, **chosen}))
    assert [policy.pause(retry, 0.99, None) for retry in (1, 2, 9)] == pytest.approx([0.495, 1.485, 59.4])
    assert policy.max_retries == 1


def test_without_settings_it_is_three_times_one_second_doubled_at_most_five_minutes() -> None:
    usual = {key: value for key, value in EXAMPLE.items() if not key.startswith("RETRY_")}
    policy = retry_policy(read(usual))
    assert policy.max_retries == 3
    assert [policy.pause(retry, 0.5, None) * 2 for retry in (1, 2, 3, 20)] == pytest.approx([1, 2, 4, 300])


@pytest.mark.parametrize(
    ("key", "value"), [("RETRY_MAX", "11"), ("RETRY_MULTIPLIER", "fast"), ("RETRY_BASE_SECONDS", "-1")]
)
def test_a_number_that_makes_no_sense_is_refused_by_name(key: str, value: str) -> None:
    with pytest.raises(SettingsRefused, match=rf"{key}: .*a number from"):
        read({**EXAMPLE, key: value})
