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

# What it says of a name it does not know comes on standard output, as azd does it.
AZD = """#!/bin/sh
echo "azd $*" >> "$NOTED"
case "$2" in
get-value)
    [ -f "$VALUES/$3" ] || { echo "ERROR: key '$3' not found in the environment values"; exit 1; }
    cat "$VALUES/$3" ;;
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
*"ad sp show"*) [ -f "$VALUES/serving" ] ;;
*"ad sp create"*)
    echo . >> "$VALUES/asked"
    if [ "$(grep -c . "$VALUES/asked")" -le "$(cat "$VALUES/refusals" 2>/dev/null || echo 0)" ]; then
        echo "ERROR: does not reference a valid application object" >&2; exit 1
    fi
    touch "$VALUES/serving" ;;
esac
"""
SLEEP = """#!/bin/sh
echo "sleep $*" >> "$NOTED"
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
    for name, script in (("az", AZ), ("azd", AZD), ("sleep", SLEEP)):
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


def test_what_azd_says_of_a_name_it_does_not_know_is_no_value(desk: Desk) -> None:
    """It stands on azd's standard output and was taken for the value: nothing was registered, nothing left to do."""
    desk.give(AZURE_ENV_NAME="home")
    done = desk.run("register")
    assert "nothing" not in done.stdout
    assert any(line.startswith("azd env set BUDGET_START") for line in desk.noted())
    assert any("app create" in line for line in desk.noted())


def test_registering_again_makes_nothing(desk: Desk) -> None:
    desk.give(AZURE_ENV_NAME="home", AUTH_CLIENT_ID="app-id", BUDGET_START="2027-01-01", serving="")
    assert desk.run("register").returncode == 0
    assert [line for line in desk.noted() if line.startswith("az ") and "show" not in line] == []
    assert desk.value("BUDGET_START") == "2027-01-01"


def test_a_service_principal_is_asked_for_until_the_registration_is_known(desk: Desk) -> None:
    """It was asked for once; the service refuses a registration that it does not know everywhere yet."""
    desk.give(AZURE_ENV_NAME="home", refusals="2")
    done = desk.run("register")
    assert done.returncode == 0, done.stderr
    assert "Registered as sync-engine-home" in done.stdout
    pauses = [int(line.split()[1]) for line in desk.noted() if line.startswith("sleep ")]
    assert pauses == sorted(pauses)
    assert len(pauses) == 3


@pytest.mark.parametrize("what", ["register", "connect"])
def test_a_service_principal_that_could_not_be_made_is_made_by_the_next_run(desk: Desk, what: str) -> None:
    """AUTH_CLIENT_ID was written before the service principal was made, and who runs it again was told that there is
    nothing to do: nobody could ever sign in."""
    desk.give(AZURE_ENV_NAME="home", refusals="5")
    stopped = desk.run("register")
    assert stopped.returncode == 1
    assert "run  sh infra/sign-in.sh register  again" in stopped.stderr
    assert desk.value("AUTH_CLIENT_ID") == "app-id"
    desk.give(APP_URL="https://x.example.org", IDENTITY_PRINCIPAL_ID="who")
    done = desk.run(what)
    assert done.returncode == 0, done.stderr
    assert any("ad sp create --id app-id" in line for line in desk.noted())
    assert not any("app create" in line for line in desk.noted())


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
