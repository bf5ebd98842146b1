"""The script that makes the app registration, run against az and azd that only note what they were asked."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, infra

SCRIPT = INFRA / "sign-in.sh"

AZD = """#!/bin/sh
echo "azd $*" >> "$NOTED"
case "$2" in
get-value) [ -f "$VALUES/$3" ] && cat "$VALUES/$3" || { echo "ERROR: key '$3' not found" >&2; exit 1; } ;;
set) printf %s "$4" > "$VALUES/$3" ;;
esac
"""
AZ = """#!/bin/sh
echo "az $*" >> "$NOTED"
case "$*" in
*"app create"*) echo app-id ;;
*"app show"*"--query id "*) echo object-id ;;
*"app show"*preAuthorized*) cat "$VALUES/client" 2>/dev/null || true ;;
*"app show"*) cat "$VALUES/scope" 2>/dev/null || true ;;
*"account show"*) echo tenant-id ;;
*"federated-credential list"*) cat "$VALUES/known" 2>/dev/null || true ;;
esac
"""


@dataclass
class Desk:
    folder: Path

    def give(self, **values: str) -> None:
        for name, value in values.items():
            (self.folder / "values" / name).write_text(value)

    def value(self, name: str) -> str:
        return (self.folder / "values" / name).read_text()

    def noted(self) -> list[str]:
        return (self.folder / "noted").read_text().splitlines()

    def run(self, what: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "noted").write_text("")
        env = {"PATH": f"{self.folder}:{os.environ['PATH']}", "NOTED": str(self.folder / "noted")}
        return subprocess.run(
            ["sh", str(SCRIPT), *([what] if what else [])],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**env, "VALUES": str(self.folder / "values")},
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "values").mkdir()
    for name, script in (("az", AZ), ("azd", AZD)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    return Desk(tmp_path)


def bodies(lines: list[str]) -> list[dict[str, object]]:
    """The JSON that was sent, which must be JSON."""
    found = []
    for line in lines:
        start = line.find("{")
        if start >= 0:
            found.append(json.JSONDecoder().raw_decode(line[start:])[0])
    return found


def test_registering_makes_a_registration_of_one_tenant_and_notes_its_id(desk: Desk) -> None:
    desk.give(AZURE_ENV_NAME="home")
    done = desk.run("register")
    assert done.returncode == 0, done.stderr
    assert desk.value("AUTH_CLIENT_ID") == "app-id"
    assert desk.value("BUDGET_START").endswith("-01")
    (made,) = [line for line in desk.noted() if "app create" in line]
    assert "--sign-in-audience AzureADMyOrg" in made
    assert "--display-name sync-engine-home" in made
    assert any("ad sp create --id app-id" in line for line in desk.noted())


def test_registering_again_makes_nothing(desk: Desk) -> None:
    desk.give(AZURE_ENV_NAME="home", AUTH_CLIENT_ID="app-id", BUDGET_START="2027-01-01")
    assert desk.run("register").returncode == 0
    assert [line for line in desk.noted() if line.startswith("az ")] == []
    assert desk.value("BUDGET_START") == "2027-01-01"


def test_without_an_environment_it_says_what_to_do(desk: Desk) -> None:
    done = desk.run("register")
    assert done.returncode == 1
    assert "azd env new" in done.stderr


def test_connecting_tells_where_the_app_is_and_who_speaks_for_it(desk: Desk) -> None:
    desk.give(AUTH_CLIENT_ID="app-id", APP_URL="https://x.example.org", IDENTITY_PRINCIPAL_ID="who")
    done = desk.run("connect")
    assert done.returncode == 0, done.stderr
    noted = desk.noted()
    assert any("--web-redirect-uris https://x.example.org/.auth/login/aad/callback" in line for line in noted)
    scope, client, trust = bodies(noted)
    (one,) = scope["api"]["oauth2PermissionScopes"]
    assert client["api"]["preAuthorizedApplications"] == [
        {"appId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "delegatedPermissionIds": [one["id"]]}
    ]
    assert trust == {
        "name": "sync-engine-who",
        "issuer": "https://login.microsoftonline.com/tenant-id/v2.0",
        "subject": "who",
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert not any("credential reset" in line or "--password" in line for line in noted), "no secret is made"


def test_connecting_again_adds_nothing(desk: Desk) -> None:
    desk.give(AUTH_CLIENT_ID="app-id", APP_URL="https://x.example.org", IDENTITY_PRINCIPAL_ID="who")
    desk.give(scope="scope-id", client="cli-id", known="sync-engine-who")
    assert desk.run("connect").returncode == 0
    assert bodies(desk.noted()) == []


def test_what_stopped_half_way_is_ended_by_the_next_run(desk: Desk) -> None:
    desk.give(AUTH_CLIENT_ID="app-id", APP_URL="https://x.example.org", IDENTITY_PRINCIPAL_ID="who")
    desk.give(scope="scope-id")
    assert desk.run("connect").returncode == 0
    client, trust = bodies(desk.noted())
    assert "scope-id" in json.dumps(client)
    assert trust["subject"] == "who"


def test_connecting_before_anything_is_there_says_what_to_do(desk: Desk) -> None:
    done = desk.run("connect")
    assert done.returncode == 1
    assert "sh infra/sign-in.sh register" in done.stderr
    assert [line for line in desk.noted() if line.startswith("az ")] == []


@pytest.mark.parametrize("what", ["", "else"])
def test_anything_else_is_told_what_there_is(desk: Desk, what: str) -> None:
    done = desk.run(what)
    assert done.returncode == 1
    assert "register" in done.stderr


def test_the_command_line_that_may_ask_is_the_one_the_app_lets_in() -> None:
    line = next(line for line in SCRIPT.read_text().splitlines() if line.startswith("AZURE_CLI="))
    assert f"allowedApplications: [authClientId, '{line.removeprefix('AZURE_CLI=')}']" in infra()["app.bicep"]
