"""The walk from an empty subscription to the first calendar has no step that is not defined: every name on the page is
one the files know, and every name the files ask for stands on the page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from local.cli.app import app
from tests.infra.bicep import INFRA, default, infra, literal, read
from tests.infra.test_settings import FROM_THE_VAULT, deployed

ROOT = INFRA.parent
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
MAIN = read(infra()["main.bicep"])
PARAMETERS = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
ASKED = dict(re.findall(r"\$\{(\w+)(=[^}]*)?\}", json.dumps(PARAMETERS)))
"""What the parameter file takes from the environment, with what stands in for it."""

BY_AZD = {"AZURE_ENV_NAME", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
BY_THE_SCRIPT = {"AUTH_CLIENT_ID", "BUDGET_START"}


def walk_of(page: str) -> str:
    """The seven steps."""
    return page.partition("\n## The seven steps\n")[2].partition("\n## ")[0]


def commands(page: str) -> list[str]:
    """The lines of code blocks, those that go on joined, answers left out."""
    joined = page.replace("\\\n", " ")
    lines = re.findall(r"^ {4}(\S.*)$", joined, re.MULTILINE)
    return [line for line in lines if not line.startswith("→")]


def undefined(page: str) -> Iterator[str]:
    """Names and commands that the files do not know."""
    for line in commands(page):
        for name in re.findall(r"azd env set (\w+)", line):
            if name not in ASKED:
                yield f"azd env set {name}"
        for name in re.findall(r"azd env get-value (\w+)", line):
            if name not in MAIN.outputs and name not in ASKED:
                yield f"azd env get-value {name}"
        for said in re.findall(r"local\.cli ([a-z -]+)", line):
            if not said.startswith("-") and not is_command(said.split()):
                yield f"local.cli {said}"
        for path, what in re.findall(r"sh (\S+\.sh) (\w+)", line):
            if not (ROOT / path).exists() or f"{what})" not in (ROOT / path).read_text("utf-8"):
                yield f"sh {path} {what}"


def is_command(words: list[str]) -> bool:
    command: Any = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            return True  # what follows is an argument
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


def test_the_walk_names_nothing_that_is_not_there() -> None:
    assert len(commands(PAGE)) > 20
    assert list(undefined(PAGE)) == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_no_other_page_names_what_is_not_there(page: Path) -> None:
    assert list(undefined(page.read_text("utf-8"))) == []


def test_the_walk_sets_everything_that_has_no_default() -> None:
    needed = {name for name, stands_in in ASKED.items() if not stands_in}
    given = set(re.findall(r"azd env set (\w+)", walk_of(PAGE)))
    assert needed - given == (BY_AZD - {"AZURE_PRINCIPAL_TYPE"}) | BY_THE_SCRIPT
    script = (INFRA / "sign-in.sh").read_text("utf-8")
    assert set(re.findall(r"azd env set (\w+)", script)) == BY_THE_SCRIPT


def test_the_walk_goes_from_the_registration_to_the_first_calendar() -> None:
    wanted = (
        *(
            "make setup",
            "az login",
            "azd auth login",
            "azd env new",
            "sign-in.sh register",
            "azd up",
            "/health",
        ),
        *("SYNC_TOKEN=", "portfolio import portfolio.yaml", "local.cli links"),
    )
    said = "\n".join(commands(walk_of(PAGE)))
    places = [said.find(one) for one in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_every_parameter_and_every_name_of_the_environment_is_explained() -> None:
    for name in (*PARAMETERS, *ASKED):
        assert f"`{name}`" in PAGE, name


def test_every_setting_of_a_deployment_is_named() -> None:
    assert [name for name in (*deployed(), *FROM_THE_VAULT) if f"`{name}`" not in PAGE] == []


def test_figures_on_the_page_are_those_of_the_files() -> None:
    assert f"{MAIN.params['monthlyBudget'].named_children[-1].text.decode()} a month" in PAGE
    alerts = infra()["alerts.bicep"]
    every = int(re.search(r"Frequency: (\d+)", alerts)[1])
    places = len(read(alerts).variables["places"].named_children[-1].named_children)
    assert f"{places * 730 * 3600 // every:,} times a month" in PAGE
    standing = default(MAIN.params["unauthenticated"])
    assert standing is not None
    assert f"`{literal(standing)}`" in PAGE


def test_azd_finds_the_app_and_the_script() -> None:
    azure = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    (service,) = azure["services"]
    assert azure["services"][service] == {"project": ".", "language": "python", "host": "function"}
    assert f"'azd-service-name': '{service}'" in infra()["app.bicep"]
    assert (ROOT / azure["infra"]["path"] / f"{azure['infra']['module']}.bicep").exists()
    assert azure["hooks"]["postprovision"]["run"] == "sh infra/sign-in.sh connect"
    assert "'azd-env-name': environmentName" in infra()["main.bicep"]
    ignored = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    assert {"infra", "azure.yaml", ".azure", "tests", "local"} <= set(ignored)


def test_the_workflow_runs_the_tests_the_compiler_and_shows_the_change() -> None:
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8"))
    runs = {
        name: " ".join(step.get("run", "") for step in job["steps"]) for name, job in flow["jobs"].items()
    }
    assert "make test" in runs["test"]
    assert "az bicep build --file infra/main.bicep" in runs["bicep"]
    assert "az deployment sub what-if" in runs["what-if"]
    assert "--validation-level ProviderNoRbac" in runs["what-if"], (
        "else a Contributor is refused: roles are given"
    )
    assert flow["jobs"]["what-if"]["env"].keys() == ASKED.keys() - {
        "AZURE_PRINCIPAL_ID",
        "AZURE_PRINCIPAL_TYPE",
    }
    assert "secrets." not in json.dumps(flow)
    assert not re.search(r"deployment sub create|azd (up|deploy|provision)", json.dumps(flow)), (
        "it changes nothing"
    )


def test_the_workflow_fills_the_parameters_as_azd_would() -> None:
    """Its few lines of Python, run on the file."""
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yml").read_text("utf-8"))
    (script,) = [
        step["run"] for step in flow["jobs"]["what-if"]["steps"] if "filled.json" in step.get("run", "")
    ][:1]
    pattern = re.search(r'r"(\\\$.*?)", lambda', script)
    assert pattern is not None
    written = (INFRA / "main.parameters.json").read_text("utf-8")
    given = {"AZURE_ENV_NAME": "home", "AZURE_LOCATION": "francecentral"}
    filled = json.loads(re.sub(pattern[1], lambda m: given.get(m[1]) or m[2] or "", written))["parameters"]
    assert filled["environmentName"] == {"value": "home"}
    assert filled["principalType"] == {"value": "User"}
    assert filled["secretSettings"] == {"value": ""}
    assert "${" not in json.dumps(filled)


@pytest.mark.parametrize(
    "line",
    [
        "azd env set AZURE_REGION x",
        'curl "$(azd env get-value APP_ADDRESS)/health"',
        ".venv/bin/python -m local.cli portfolio push portfolio.yaml",
        "sh infra/sign-in.sh enroll",
        "sh infra/signin.sh register",
    ],
)
def test_a_step_nobody_defined_is_found(line: str) -> None:
    assert len(list(undefined(f"    {line}\n"))) == 1
