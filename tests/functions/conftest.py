"""The real app, indexed once: ``get_functions`` may be called once per app object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.host.indexing import Indexed, index, load_app
from local.host.plan import HostJson, Plan, make_plan

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden.json")


@pytest.fixture
def sample_settings() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    return values


@pytest.fixture(scope="session")
def functions() -> tuple[Indexed, ...]:
    return index(load_app())


@pytest.fixture
def plan(functions: tuple[Indexed, ...], sample_settings: dict[str, str]) -> Plan:
    return make_plan(functions, HostJson.read(ROOT / "host.json"), sample_settings)
