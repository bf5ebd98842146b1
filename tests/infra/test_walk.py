"""The seven steps of docs/deploy.md, and the first secret, typed in order into a shell. What we cannot have (Azure, its
two command lines, the network) is played by programs that note what they were asked and know only what was said before:
a step that needs what no earlier one made stops the walk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.infra.test_deploy_page import MAIN, PAGE, ROOT, commands, walk_of

AZD = """
case "$1 $2" in
"env new") printf %s "$3" > "$VALUES/AZURE_ENV_NAME" ;;
"env set") printf %s "$4" > "$VALUES/$3" ;;
"env get-value")
    [ -f "$VALUES/$3" ] || { echo "ERROR: key '$3' not found in the environment values"; exit 1; }
    cat "$VALUES/$3" ;;
"up "|"provision ")
    for name in $NEEDED; do [ -f "$VALUES/$name" ] || { echo "azd asks for $name" >&2; exit 1; }; done
    for name in $OUTPUTS; do [ -f "$VALUES/$name" ] || printf %s "$name" > "$VALUES/$name"; done
    printf %s https://app.example.org > "$VALUES/APP_URL"
    sh -c "$HOOK" ;;
esac
"""
AZ = """
case "$*" in
*"functionapp show"*) echo /subscriptions/one/sites/app ;;
*"app create"*) echo app-id ;;
*"app show"*"--query id "*) echo object-id ;;
*"ad signed-in-user show"*) echo my-object-id ;;
*get-access-token*) echo a-token ;;
*"account show"*) echo tenant-id ;;
*"secret set"*) cp secret.txt "$VALUES/kept" ;;
esac
"""
CURL = """
case "$*" in
*ERROR*) echo "curl: (3) URL rejected: $*" >&2; exit 3 ;;
*/health*) echo '{"ok": true, "reasons": []}' ;;
*api/status*) printf 401 ;;
*/webhooks/*) printf 404 ;;
esac
"""
GIT = 'cp -r "$FILES" "$3"'
PLAYED = {"azd": AZD, "az": AZ, "curl": CURL, "git": GIT, "make": ""}


@dataclass
class Walk:
    folder: Path

    def typed(self, lines: list[str]) -> subprocess.CompletedProcess[str]:
        hook = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))["hooks"]["postprovision"]["run"]
        env = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "NOTED": str(self.folder / "noted"),
            "VALUES": str(self.folder / "values"),
            "FILES": str(self.folder / "files"),
            "HOOK": hook,
            "OUTPUTS": " ".join(MAIN.outputs),
            "NEEDED": "AZURE_LOCATION ALERT_EMAIL CONTACT_ADDRESS CONSOLE_OPERATORS AUTH_CLIENT_ID BUDGET_START",
        }
        script = "\n".join(["set -eu", *lines]).replace("<your copy of this repository>", "copy")
        (self.folder / "noted").write_text("")
        return subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def noted(self) -> list[str]:
        return (self.folder / "noted").read_text().splitlines()

    def value(self, name: str) -> str:
        return (self.folder / "values" / name).read_text()


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    for name in ("bin", "values", "files/infra", "files/.venv/bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "infra" / "sign-in.sh", tmp_path / "files" / "infra")
    (tmp_path / "files" / "portfolio.yaml").write_text("homes: []\n")
    programs = {f"bin/{name}": script for name, script in PLAYED.items()} | {"files/.venv/bin/python": ""}
    for path, script in programs.items():
        name = path.rpartition("/")[2]
        (tmp_path / path).write_text(f'#!/bin/sh\necho "{name} $*" >> "$NOTED"\n{script}\n')
        (tmp_path / path).chmod(0o755)
    return Walk(tmp_path)


def steps() -> list[str]:
    return commands(walk_of(PAGE))


def secrets() -> list[str]:
    return commands(
        PAGE.partition("\n## Secrets: webhooks, accounts by API, mail\n")[2].partition("\n## ")[0]
    )


def test_the_seven_steps_can_be_typed_one_after_the_other(walk: Walk) -> None:
    done = walk.typed(steps())
    assert done.returncode == 0, done.stderr
    noted = walk.noted()
    order = [
        "git clone",
        "make setup",
        "az login",
        "azd auth login",
        "azd env new home",
        "az ad app create",
        "azd up",
    ]
    order += [
        "az ad app update --id app-id --web-redirect-uris https://app.example.org",
        "curl -s https://app",
    ]
    order += ["az account get-access-token --resource api://app-id", "python -m local.cli portfolio import"]
    places = [next(i for i, line in enumerate(noted) if line.startswith(one)) for one in order]
    assert places == sorted(places)
    assert '{"ok": true' in done.stdout
    assert "401401404" in done.stdout.replace("\n", ""), "two strangers, then a wrong webhook"
    assert any("Authorization: Bearer a-token" in line and "/api/portfolio" in line for line in noted)


def test_who_decides_is_named_by_the_id_the_sign_in_gives_and_the_trial_claims_to_be_nobody_else(
    walk: Walk,
) -> None:
    """The name of the account was asked for. Of a guest, and of whoever opened Azure with a personal account, it is not
    what the sign-in says: they were locked out of their own engine."""
    done = walk.typed(steps())
    assert done.returncode == 0, done.stderr
    assert walk.value("CONSOLE_OPERATORS") == "my-object-id"
    claims = [line for line in walk.noted() if "X-MS-CLIENT-PRINCIPAL-ID" in line]
    assert len(claims) == 2
    assert all("X-MS-CLIENT-PRINCIPAL-ID: my-object-id " in line for line in claims), (
        "another would be refused even if he were believed"
    )


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("azd env new", "azd env new"),
        ("sign-in.sh register", "AUTH_CLIENT_ID"),
        ("azd env set ALERT_EMAIL", "ALERT_EMAIL"),
        ("azd up", "APP_URL"),
    ],
)
def test_a_step_that_is_left_out_stops_the_walk(walk: Walk, left_out: str, said: str) -> None:
    done = walk.typed([line for line in steps() if left_out not in line])
    assert done.returncode != 0
    assert said in done.stderr


def test_the_first_secret_is_in_the_vault_before_its_name_is_said(walk: Walk) -> None:
    done = walk.typed([*steps(), *secrets()])
    assert done.returncode == 0, done.stderr
    assert len(walk.value("kept")) >= 22, "as long as an address of webhooks asks for"
    assert walk.value("SECRET_SETTINGS") == "WEBHOOK_SECRET_AIRBNB"
    noted = walk.noted()
    kept = next(i for i, line in enumerate(noted) if "--name webhook-secret-airbnb" in line)
    named = next(i for i, line in enumerate(noted) if line.startswith("azd env set SECRET_SETTINGS"))
    assert kept < named < noted.index("azd provision")
    assert not (walk.folder / "sync-engine" / "secret.txt").exists()


def test_a_secret_that_changed_is_read_again_before_the_restart(walk: Walk) -> None:
    """A restart alone was said to do. Azure keeps what it read of a vault for a day, and starts the app with that: a
    secret that got out went on opening."""
    done = walk.typed([*steps(), *secrets()])
    assert done.returncode == 0, done.stderr
    told = [
        line for line in walk.noted() if line.startswith(("az rest --method post", "az functionapp restart"))
    ]
    site = "https://management.azure.com/subscriptions/one/sites/app"
    assert told == [
        f"az rest --method post --url {site}/config/configreferences/appsettings/refresh?api-version=2022-03-01",
        "az functionapp restart --name APP_NAME --resource-group AZURE_RESOURCE_GROUP",
    ]


def test_the_same_environment_can_be_made_again(walk: Walk) -> None:
    """The vault was to be recovered into a group that is gone, by a name that went with the deployment, and the budget
    to begin in a month that is past."""
    done = walk.typed(steps())
    assert done.returncode == 0, done.stderr
    for name in MAIN.outputs:
        (walk.folder / "values" / name).unlink()
    again = commands(PAGE.partition("\n### The same environment again\n")[2].partition("\n## ")[0])
    (walk.folder / "values" / "BUDGET_START").write_text("2020-01-01")
    here = [
        "cd sync-engine",
        *(line.replace("<the one that stood in that group>", "kv-one") for line in again),
    ]
    done = walk.typed(here)
    assert done.returncode == 0, done.stderr
    noted = walk.noted()
    order = [
        "az group create --name rg-home --location francecentral",
        "az keyvault recover --name kv-one",
        "azd up",
    ]
    places = [next(i for i, line in enumerate(noted) if line.startswith(one)) for one in order]
    assert places == sorted(places)
    assert walk.value("BUDGET_START") != "2020-01-01"


def test_what_the_stand_in_asks_for_is_what_the_parameters_need() -> None:
    written = json.loads((ROOT / "infra" / "main.parameters.json").read_text("utf-8"))["parameters"]
    needed = {
        one["value"][2:-1]
        for one in written.values()
        if isinstance(one["value"], str) and one["value"].startswith("${") and "=" not in one["value"]
    }
    by_azd = {"AZURE_ENV_NAME", "AZURE_PRINCIPAL_ID"}
    assert needed - by_azd == {
        *("AZURE_LOCATION", "ALERT_EMAIL", "CONTACT_ADDRESS", "CONSOLE_OPERATORS"),
        *("AUTH_CLIENT_ID", "BUDGET_START"),
    }
