"""The Bicep files hold together: each can be read, names what is declared, and gives its modules what they ask for."""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.bicep import (
    INFRA,
    BicepFile,
    at,
    default,
    entries,
    infra,
    literal,
    read,
    text,
    undeclared,
    walk,
    wrong_modules,
)
from tests.infra.bicep import unused as unused_in

FILES = infra()
EACH = pytest.mark.parametrize("name", FILES)

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
}
"""Azure's built-in roles that may be given here, as its documentation lists them."""

GIVEN = {
    ("storage", "Storage Blob Data Owner", "appPrincipalId"),
    ("storage", "Storage Table Data Contributor", "appPrincipalId"),
    ("bus", "Azure Service Bus Data Receiver", "appPrincipalId"),
    ("bus", "Azure Service Bus Data Sender", "appPrincipalId"),
    ("vault", "Key Vault Secrets User", "appPrincipalId"),
    ("insights", "Monitoring Metrics Publisher", "appPrincipalId"),
    ("vault", "Key Vault Secrets Officer", "deployerId"),
}
"""Who may do what, where: all there is."""


def everything(**changed: str) -> dict[str, BicepFile]:
    return {name: read(changed.get(name, source)) for name, source in FILES.items()}


def of_type(file: BicepFile, start: str) -> list[str]:
    return [name for name, one in file.resources.items() if one.type.startswith(start) and not one.existing]


@EACH
def test_the_grammar_knows_every_line(name: str) -> None:
    read(FILES[name])


@EACH
def test_every_name_is_declared_and_every_declaration_read(name: str) -> None:
    file = read(FILES[name])
    assert undeclared(file) == []
    assert unused_in(file) == []


def test_modules_get_what_they_ask_for_and_give_what_is_asked() -> None:
    assert wrong_modules(everything()) == []


def test_every_file_is_part_of_the_deployment() -> None:
    used = {one.type for file in everything().values() for one in file.modules.values()}
    assert used == FILES.keys() - {"main.bicep"}


def test_files_that_are_loaded_exist() -> None:
    loaded = {
        match
        for source in FILES.values()
        for match in re.findall(r"load(?:Json|Text)Content\('([^']+)'\)", source)
    }
    assert {path for path in loaded if not (INFRA / path).exists()} == set()
    assert {f"queries/{path.name}" for path in (INFRA / "queries").iterdir()} == loaded - {"settings.json"}


def test_parameters_are_those_of_the_parameter_file() -> None:
    main = read(FILES["main.bicep"])
    given = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    assert given.keys() == main.params.keys()
    for name, value in given.items():
        written = default(main.params[name])
        if not isinstance(
            value["value"], str
        ):  # a plain value is the default, repeated where people look for it
            assert written is not None
            assert text(written) == str(value["value"]), name
        elif "$" not in value["value"]:
            assert written is not None
            assert literal(written) == value["value"], name


def test_whatever_must_be_given_is_asked_of_the_environment() -> None:
    main = read(FILES["main.bicep"])
    given = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    needed = {name for name, node in main.params.items() if default(node) is None}
    asked = {name for name, one in given.items() if re.fullmatch(r"\$\{\w+\}", str(one["value"]))}
    assert needed == asked - {
        "principalId",
        "budgetStart",
    }  # azd knows the one, infra/sign-in.sh writes the other


def roles_given(file: BicepFile) -> set[tuple[str, str, str]]:
    found = set()
    for one in of_type(file, "Microsoft.Authorization/roleAssignments"):
        body = file.resources[one].body
        given = at(body, "properties")
        call = at(given, "roleDefinitionId")
        variable = text(call).removesuffix(")").rpartition(",")[2].strip()
        assert text(call) == (
            f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', {variable})"
        ), "a role is named by its id in this subscription"
        role = ROLES[literal(file.variables[variable].named_children[-1]) or ""]
        scope, who = text(at(body, "scope")), text(at(given, "principalId"))
        assert text(at(body, "name")) == f"guid({scope}.id, {who}, {variable})", "the same at each deployment"
        # Said, since a new identity is not found everywhere at once: without it the deployment may fail.
        kind = text(at(given, "principalType"))
        assert kind == ("deployerType" if who == "deployerId" else "'ServicePrincipal'")
        found.add((scope, role, who))
    return found


def test_roles_are_these_and_no_others() -> None:
    assert roles_given(read(FILES["roles.bicep"])) == GIVEN
    for name, source in FILES.items():
        assert name == "roles.bicep" or "roleAssignments" not in source


def test_no_key_opens_anything() -> None:
    storage, bus, insights, vault = (
        next(
            at(one.body, "properties")
            for one in read(FILES[name]).resources.values()
            if one.type.split("@")[0] == kind
        )
        for name, kind in (
            ("storage.bicep", "Microsoft.Storage/storageAccounts"),
            ("servicebus.bicep", "Microsoft.ServiceBus/namespaces"),
            ("insights.bicep", "Microsoft.Insights/components"),
            ("keyvault.bicep", "Microsoft.KeyVault/vaults"),
        )
    )
    assert text(at(storage, "allowSharedKeyAccess")) == "false"
    assert text(at(storage, "allowBlobPublicAccess")) == "false"
    assert text(at(bus, "disableLocalAuth")) == "true"
    assert text(at(insights, "DisableLocalAuth")) == "true"
    assert text(at(vault, "enableRbacAuthorization")) == "true"
    assert not re.search(r"listKeys|listAccountSas|listSecrets|@secure", "".join(FILES.values()))


def astray(files: dict[str, BicepFile]) -> list[str]:
    """What would be made in the wrong place: a part without its whole, a module outside the resource group."""
    found = [
        f"{name}: {symbol}"
        for name, file in files.items()
        for symbol, one in file.resources.items()
        if one.type.count("/") > 1 and "parent" not in entries(one.body)
    ]
    main = files["main.bicep"]
    return found + [
        symbol
        for symbol, one in main.modules.items()
        if text(entries(one.body).get("scope", one.body)) != "group"
    ]


def test_everything_is_made_in_its_place() -> None:
    assert astray(everything()) == []
    lost = FILES["app.bicep"].replace("  parent: site\n", "", 1)
    assert astray(everything(**{"app.bicep": lost})) == ["app.bicep: noPassword"]
    outside = FILES["main.bicep"].replace("  name: 'budget'\n  scope: group\n", "  name: 'budget'\n", 1)
    assert astray(everything(**{"main.bicep": outside})) == ["budget"]


def test_plans_are_those_the_page_names() -> None:
    plan, bus = (
        read(FILES["app.bicep"]).resources["plan"],
        read(FILES["servicebus.bicep"]).resources["namespace"],
    )
    assert {key: literal(node) for key, node in entries(at(plan.body, "sku")).items()} == {
        "name": "FC1",
        "tier": "FlexConsumption",
    }
    assert {literal(node) for node in entries(at(bus.body, "sku")).values()} == {"Standard"}


def test_requests_that_overlap_share_an_instance() -> None:
    """It was not said, and Azure's own choice for Python is one request an instance: each file of a page, and a webhook
    that came with them, would have waited for an instance of its own to wake."""
    taken = at(
        read(FILES["app.bicep"]).resources["site"].body,
        *(
            "properties",
            "functionAppConfig",
            "scaleAndConcurrency",
            "triggers",
            "http",
            "perInstanceConcurrency",
        ),
    )
    assert int(text(taken)) == 16


def test_the_budget_tells_twice_and_none_is_made_for_nothing() -> None:
    assert "= if (monthlyBudget > 0) {" in FILES["main.bicep"]
    told = at(read(FILES["budget.bicep"]).resources["budget"].body, "properties", "notifications")
    for one in entries(told).values():
        assert text(at(one, "enabled")) == "true"
        assert text(at(one, "contactEmails")) == "[email]"
    assert len(entries(told)) == 2


def test_outputs_hold_no_secret() -> None:
    for name, file in everything().items():
        for output, node in file.outputs.items():
            assert not re.search(r"(?i)key\b|secret|password|sas\b", text(node)), f"{name}: {output}"


def test_a_node_can_be_found_by_its_keys() -> None:
    file = read("var a = { b: { 'c.d': 'e' } }")
    assert literal(at(file.variables["a"].named_children[-1], "b", "c.d")) == "e"
    assert list(entries(file.variables["a"].named_children[-1])) == ["b"]
    assert sum(one.type == "object" for one in walk(file.root)) == 2


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("app.bicep", "serverFarmId: plan.id", "serverFarmId: plans.id", "plans in line"),
        ("app.bicep", "'https://${site.prop", "'https://${sites.prop", "sites in line"),
        ("alerts.bicep", "{ Id: place }", "{ Id: places2 }", "places2 in line"),
        ("app.bicep", "toObject(", "toobject(", "toobject in line"),
    ],
)
def test_a_name_nobody_declared_is_found(name: str, old: str, new: str, said: str) -> None:
    assert old in FILES[name]
    assert said in str(undeclared(read(FILES[name].replace(old, new, 1))))


def test_a_parameter_nobody_reads_is_found() -> None:
    assert unused_in(read("param a string\nvar b = [for c in []: c]\noutput d string = 'x'\n")) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "main.bicep",
            "    email: alertEmail\n    work",
            "    mail: alertEmail\n    work",
            "alerts: no parameter mail",
        ),
        ("main.bicep", "    email: alertEmail\n    work", "    work", "alerts: email is not given"),
        ("main.bicep", "storage.outputs.packages", "storage.outputs.package", "storage: no output package"),
        ("main.bicep", "'budget.bicep'", "'budgets.bicep'", "no file budgets.bicep"),
        (
            "app.bicep",
            "param telemetry string\n",
            "param telemetry string\nparam more int\n",
            "app: more is not given",
        ),
        ("keyvault.bicep", "output uri ", "output url ", "keyvault: no output uri"),
    ],
)
def test_a_module_that_does_not_fit_is_found(name: str, old: str, new: str, said: str) -> None:
    assert old in FILES[name]
    assert said in str(wrong_modules(everything(**{name: FILES[name].replace(old, new, 1)})))


def test_what_the_grammar_does_not_know_is_refused() -> None:
    with pytest.raises(SyntaxError, match="line"):
        read(FILES["budget.bicep"].replace("properties: {", "properties = {", 1))
    with pytest.raises(SyntaxError, match="name is declared twice"):
        read("param name string\nparam name string\n")


def test_a_role_nobody_listed_is_refused() -> None:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    with pytest.raises(KeyError, match=owner):
        roles_given(read(FILES["roles.bicep"].replace("69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", owner)))
