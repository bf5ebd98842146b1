"""The command that tells where to call us: what it shows, what it hides, what it registers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.webhooks import HIDDEN, Registers, address, describe, main, registered
from shared.config import read
from shared.domain.errors import PlatformDown
from shared.domain.model import Account
from shared.domain.platform import Platform
from shared.engine.world import World
from shared.memory.tables import MemoryTables
from shared.state.accounts import Place
from shared.state.deliveries import Last

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
SECRET, KEY = "a-secret-of-the-path-0123456789", "the-key-in-a-header-0123456789"


def settings(**more: str) -> Any:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    return read({**values, "PUBLIC_BASE_URL": "https://sync.example", **more})


def test_secrets_show_only_when_asked_for() -> None:
    given = settings(WEBHOOK_SECRET_AIRBNB=SECRET, WEBHOOK_SECRET_MAIL=SECRET, WEBHOOK_KEY_CHANNEX=KEY)
    hidden, shown = ("\n".join(describe(given, {}, show)) for show in (False, True))
    assert SECRET not in hidden
    assert f"https://sync.example/webhooks/airbnb/{HIDDEN}" in hidden
    assert f"https://sync.example/webhooks/airbnb/{SECRET}\n" in shown
    assert f"https://sync.example/webhooks/mail/{SECRET}\n" in shown
    assert KEY not in hidden + shown


def test_what_is_missing_is_named() -> None:
    told = "\n".join(describe(settings(WEBHOOK_SECRET_AIRBNB=""), {}, False))
    assert "set WEBHOOK_SECRET_AIRBNB" in told
    assert "set WEBHOOK_SECRET_MAIL" in told
    assert "set WEBHOOK_KEY_CHANNEX (header)" in told
    checked = "\n".join(describe(settings(WEBHOOK_KEY_CHANNEX=KEY), {}, False))
    assert "signature checked (header)" in checked


def test_the_last_delivery_is_shown() -> None:
    last = {"airbnb": Last(NOW, "refused (401): no signature fits", 812)}
    told = "\n".join(describe(settings(), last, False))
    assert "2027-03-01 08:00:00 UTC, 812 bytes: refused (401): no signature fits" in told
    assert told.count("none yet") == 2
    assert "the tables do not answer" in "\n".join(describe(settings(), None, False))


class Platforms:
    """Two connectors: one that takes our address, one that cannot."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], str, str]] = []
        self.down = False

    async def register_webhook(
        self, account: Account, units: Iterable[str], url: str, secret: str
    ) -> tuple[str, ...]:
        if self.down:
            raise PlatformDown("Channex: no answer")
        self.asked.append((account.id, tuple(units), url, secret))
        return ("house: registered",)


async def test_an_address_is_registered_where_an_api_takes_it() -> None:
    channex = Platforms()
    nothing: Any = None
    apis: dict[Platform, Registers] = {Platform("channex"): channex}
    world = World(MemoryTables(lambda: NOW), nothing, {}, *[nothing] * 6)
    given = settings(WEBHOOK_SECRET_CHANNEX=f"{SECRET},{SECRET}2", WEBHOOK_KEY_CHANNEX=KEY)
    assert "no account" in "\n".join(await registered(given, world, apis))
    await world.accounts.put(Account("mine", Platform("channex"), "owner"))
    await world.accounts.put_unit("mine", "house:room", Place("gite", "gite-channex"))
    lines = await registered(given, world, apis)
    assert "  mine: house: registered" in lines
    assert any(line.startswith("  Airbnb: by hand") for line in lines)
    assert channex.asked == [("mine", ("house:room",), address(given, "channex", SECRET), KEY)]
    channex.down = True
    assert "  mine: failed: Channex: no answer" in await registered(given, world, apis)


def test_settings_that_cannot_be_used_are_told_and_end_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORAGE", raising=False)
    assert main(["--settings", str(tmp_path / "none.json")]) == 1
    assert "is missing" in capsys.readouterr().err
