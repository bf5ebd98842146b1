"""What the deployment sets is what the code reads, what the sample names and what the pages say."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping

import pytest

from local.licences import closure, direct
from shared.config import SCHEDULES, SettingsRefused, read
from shared.connectors.guard.guarded import LONG_DEADLINE
from shared.domain.access import Right
from shared.engine.work import MOST_DELIVERIES, NEWER
from shared.routes import ROUTES
from shared.state import names
from tests.infra.bicep import INFRA, at, entries, infra, literal, text
from tests.infra.bicep import read as read_bicep

ROOT = INFRA.parent
FILES = infra()
GOLDEN = json.loads((ROOT / "tests" / "functions" / "golden.json").read_text("utf-8"))
SAMPLE: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]

ON_A_LAPTOP = {
    *("SIGN_IN_KEY", "LOCAL_LOOPBACK_PORTS"),  # refused on Azure
    *("STORAGE", "SERVICEBUS", "AzureWebJobsStorage"),  # keys: on Azure the identity opens them
    "FUNCTIONS_WORKER_RUNTIME",  # Flex Consumption has it in functionAppConfig, and refuses it here
    *("BASE_URL_AIRBNB", "BASE_URL_BOOKING"),  # the simulated platforms
}
"""Settings of the sample that no deployment has."""

FROM_THE_VAULT = {
    *("WEBHOOK_SECRET_AIRBNB", "WEBHOOK_SECRET_CHANNEX", "WEBHOOK_SECRET_MAIL", "WEBHOOK_KEY_CHANNEX"),
    *(
        "SMTP_PASSWORD",
        "NTFY_TOPIC",
        "NTFY_TOKEN",
        "NOTIFY_JSON_URL",
        "NOTIFY_JSON_KEY",
        "NOTIFY_APPRISE_URLS",
        "DEAD_MAN_URL",
    ),
}
"""Secrets: each comes by a reference once it is named."""

OF_THE_PLATFORM = {
    *(f"AzureWebJobsStorage__{part}" for part in ("accountName", "credential", "clientId")),
    *("SERVICEBUS__credential", "SERVICEBUS__clientId", "AZURE_CLIENT_ID"),
    *("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"),
    *("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_SDKSTATS_DISABLED"),
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
}
"""Read by the host, by Azure's packages or by the sign-in, not by our code."""

NEVER_ON_FLEX = re.compile(r"FUNCTIONS_|WEBSITE_|SCM_|ENABLE_ORYX|AzureWebJobsStorage$|AzureWebJobsDashboard")
"""Settings that Flex Consumption took over itself, or a key."""

ANSWERS = {
    "storageName": "stabc",
    "identityClientId": "11111111-2222-4333-8444-555555555555",
    "insightsConnection": "InstrumentationKey=11111111-2222-4333-8444-555555555555;IngestionEndpoint=https://x.in.example.org/",
    "serviceBusHost": "sb-abc.servicebus.windows.net",
    "workQueue": "work",
    "conflictsQueue": "conflicts",
    "contactAddress": "me@example.org",
    "notifyEmail": "me@example.org",
    "consoleOperators": "me@example.org",
    "telemetry": "application_insights",
}
"""What the parameters of app.bicep might be."""


class Asked(Mapping[str, str]):
    """Settings that remember which were asked for by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values, self.names = values, set[str]()

    def __getitem__(self, key: str) -> str:
        self.names.add(key)
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def deployed(source: str = FILES["app.bicep"]) -> dict[str, str]:
    """Every setting of the function app, as a deployment would fill it in."""
    values: dict[str, str] = json.loads((INFRA / "settings.json").read_text("utf-8"))
    union = at(read_bicep(source).resources["settings"].body, "properties")
    assert text(union).startswith("union(")
    for key, node in entries(union.named_children[-1].named_children[1]).items():
        assert key not in values, f"{key} stands twice"
        if key == "PUBLIC_BASE_URL":
            values[key] = "https://sync-x.azurewebsites.net"
        elif node.type == "identifier":
            values[key] = ANSWERS[text(node)]
        else:
            written = literal(node)
            values[key] = text(node) if written is None else written
    return values


def test_the_code_starts_with_what_is_deployed() -> None:
    settings = read({"WEBSITE_SITE_NAME": "sync-x", **deployed()})
    assert settings.storage_account == "stabc"
    assert settings.service_bus_namespace == "sb-abc.servicebus.windows.net"
    assert settings.sign_in == "azure"
    assert not settings.auth_enabled, "only the platform says that its sign-in is on"


@pytest.mark.parametrize("name", ["STORAGE__accountName", "SWEEP_SCHEDULE", "CONTACT_ADDRESS", "WORK_QUEUE"])
def test_the_code_does_not_start_without(name: str) -> None:
    left = {key: value for key, value in deployed().items() if key != name}
    with pytest.raises(SettingsRefused, match=name):
        read(left)


def test_everything_the_code_reads_is_deployed_or_has_a_reason_not_to_be() -> None:
    asked = Asked(deployed())
    read(asked)
    assert len(asked.names) > 35
    left = asked.names - deployed().keys() - ON_A_LAPTOP - FROM_THE_VAULT
    assert left <= {"WEBSITE_AUTH_ENABLED", "WEBSITE_SITE_NAME"}  # Azure sets them


def test_the_sample_has_what_is_deployed_and_the_other_way_round() -> None:
    given = deployed().keys()
    said = {*SAMPLE, "STORAGE__accountName", "SERVICEBUS__fullyQualifiedNamespace"}
    assert given - said == OF_THE_PLATFORM
    assert SAMPLE.keys() - given == ON_A_LAPTOP | FROM_THE_VAULT


def test_schedules_are_those_that_were_tried() -> None:
    assert {key: deployed()[key] for key in SCHEDULES} == {key: SAMPLE[key] for key in SCHEDULES}


def test_flex_refuses_none_of_them() -> None:
    assert [key for key in deployed() if NEVER_ON_FLEX.match(key)] == []


def test_flex_takes_all_that_is_said_of_the_site() -> None:
    """INFERRED from Azure's list of what Flex Consumption has no more: alwaysOn, ftpsState and others."""
    site = at(read_bicep(FILES["app.bicep"]).resources["site"].body, "properties")
    assert entries(at(site, "siteConfig")).keys() == {"minTlsVersion"}
    assert entries(site).keys() == {
        *("serverFarmId", "httpsOnly", "keyVaultReferenceIdentity", "functionAppConfig", "siteConfig")
    }


def test_no_password_deploys_anything() -> None:
    doors = read_bicep(FILES["app.bicep"]).resources["noPassword"]
    assert text(at(doors.body, "properties", "allow")) == "false"


def test_what_the_triggers_name_is_deployed() -> None:
    written = json.dumps(GOLDEN)
    given = deployed()
    assert {name for name in re.findall(r"%(\w+)%", written) if not given.get(name)} == set()
    for connection in set(re.findall(r'"connection": "(\w+)"', written)):
        assert f"{connection}__fullyQualifiedNamespace" in given


def test_no_secret_stands_among_the_settings() -> None:
    assert FROM_THE_VAULT & deployed().keys() == set()
    source = FILES["app.bicep"]
    assert (
        "'@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${toLower(replace(trim(setting), '_', '-'))})'"
        in source
    )
    assert re.search(r"\},\n    references\n  \)", source), "a reference goes before a plain value"
    assert "keyVaultReferenceIdentity: identityId" in source


def test_tables_are_those_of_the_code() -> None:
    code = {
        value for key, value in vars(names).items() if key.isupper() and re.fullmatch(r"[A-Z]\w+", str(value))
    }
    listed = read_bicep(FILES["storage.bicep"]).variables["tableNames"].named_children[-1]
    assert sorted(str(literal(one)) for one in listed.named_children) == sorted(code)


def test_queues_are_as_the_tests_ran_them() -> None:
    (namespace,) = json.loads((ROOT / "local" / "servicebus" / "Config.json").read_text())["UserConfig"][
        "Namespaces"
    ]
    main = read_bicep(FILES["main.bicep"])
    listed = [literal(one) for one in main.variables["queueNames"].named_children[-1].named_children]
    assert listed == [queue["Name"] for queue in namespace["Queues"]]
    assert text(at(main.modules["app"].body, "params", "workQueue")) == "queueNames[0]"
    assert text(at(main.modules["app"].body, "params", "conflictsQueue")) == "queueNames[1]"
    assert listed == [SAMPLE["WORK_QUEUE"], SAMPLE["CONFLICTS_QUEUE"]]
    given = entries(at(read_bicep(FILES["servicebus.bicep"]).resources["queue"].body, "properties"))
    for queue in namespace["Queues"]:
        tried = {key[0].lower() + key[1:]: value for key, value in queue["Properties"].items() if value != ""}
        differs = {
            key for key, value in tried.items() if json.dumps(value).strip('"') != text(given[key]).strip("'")
        }
        assert given.keys() == tried.keys()
        assert differs == {
            "duplicateDetectionHistoryTimeWindow"
        }  # the emulator allows no more than 5 minutes


def test_a_queue_bears_with_the_longest_work_and_with_every_try_of_ours() -> None:
    given = entries(at(read_bicep(FILES["servicebus.bicep"]).resources["queue"].body, "properties"))
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    bus = host["extensions"]["serviceBus"]

    def seconds(text: str) -> int:
        hours, minutes, rest = (int(one) for one in text.split(":"))
        return 3600 * hours + 60 * minutes + rest

    assert int(text(given["maxDeliveryCount"])) > MOST_DELIVERIES, (
        "we set aside, with a reason, before it buries"
    )
    assert seconds(bus["maxAutoLockRenewalDuration"]) > LONG_DEADLINE, (
        "no second host gets what one still works on"
    )
    assert seconds(host["functionTimeout"]) > seconds(bus["maxAutoLockRenewalDuration"])
    # A message that was put off must not have ended before it comes back: the last pause is the longest.
    assert literal(given["defaultMessageTimeToLive"]) == "PT1H"
    assert max(2 << MOST_DELIVERIES, NEWER) < 3600


def open_paths(source: str = FILES["app.bicep"]) -> list[str]:
    listed = read_bicep(source).variables["openPaths"].named_children[-1]
    return [str(literal(one)) for one in listed.named_children]


def passes(path: str, paths: list[str]) -> bool:
    """Whether the sign-in lets a path through; * stands for whatever follows."""
    return any(path.startswith(one[:-1]) if one.endswith("*") else path == one for one in paths)


def wrongly_open(paths: list[str]) -> list[str]:
    return [
        route.path for route in ROUTES if route.right is not Right.OPEN and passes(f"/{route.path}", paths)
    ]


def test_whoever_brings_a_secret_or_asks_for_health_need_not_sign_in() -> None:
    others = {
        name: GOLDEN[name][0]["route"] for name in ("webhook_receiver", "console_export", "console_health")
    }
    assert [path for path in others.values() if not passes(f"/{path}", open_paths())] == []
    unlisted = {
        GOLDEN[name][0]["route"]
        for name in GOLDEN
        if "route" in GOLDEN[name][0] and not name.startswith("console_")
    }
    assert unlisted == {others["webhook_receiver"]}


def test_the_sign_in_is_on_for_one_tenant_and_over_https_alone() -> None:
    given = at(read_bicep(FILES["app.bicep"]).resources["signIn"].body, "properties")
    entra = at(given, "identityProviders", "azureActiveDirectory")
    assert text(at(given, "platform", "enabled")) == "true"
    assert text(at(given, "httpSettings", "requireHttps")) == "true"
    assert text(at(given, "login", "tokenStore", "enabled")) == "false", "nobody needs people's tokens"
    assert (
        text(at(given, "globalValidation", "requireAuthentication")) == "unauthenticated != 'AllowAnonymous'"
    )
    assert text(at(given, "globalValidation", "unauthenticatedClientAction")) == "unauthenticated"
    assert (
        text(at(given, "globalValidation", "excludedPaths"))
        == "unauthenticated == 'AllowAnonymous' ? [] : openPaths"
    )
    assert text(at(entra, "enabled")) == "true"
    assert "${tenant().tenantId}/v2.0" in text(at(entra, "registration", "openIdIssuer"))
    setting = str(literal(at(entra, "registration", "clientSecretSettingName")))
    assert deployed()[setting] == deployed()["AZURE_CLIENT_ID"], "the identity in the place of a secret"
    assert (
        text(at(read_bicep(FILES["app.bicep"]).resources["site"].body, "properties", "httpsOnly")) == "true"
    )


def test_the_app_is_made_after_its_roles() -> None:
    main = read_bicep(FILES["main.bicep"])
    assert text(at(main.modules["app"].body, "dependsOn")) == "[roles]"


def test_pages_of_people_are_behind_the_sign_in() -> None:
    assert wrongly_open(open_paths()) == []
    behind = [
        route.path
        for route in ROUTES
        if route.right is Right.OPEN and not passes(f"/{route.path}", open_paths())
    ]
    assert sorted(set(behind)) == [
        "language",
        "sign-in",
        "sign-out",
    ]  # the platform's own page stands before them
    assert wrongly_open(["/api/*"]), "a path that opens too much is found"


def test_requests_whose_addresses_hold_secrets_are_not_recorded() -> None:
    """Both keep the host from writing the addresses of webhooks and calendars; nothing else of ours writes them."""
    logging = json.loads((ROOT / "host.json").read_text("utf-8"))["logging"]
    levels, insights = logging["logLevel"], logging["applicationInsights"]
    assert levels["Host.Results"] == "None"
    # Each of these writes the address of a request, ours or one it passes on, at Information.
    for category in (
        "Microsoft.AspNetCore",
        "Microsoft.Azure.WebJobs.Script.WebHost.Middleware",
        "System.Net.Http",
        "Yarp",
    ):
        assert levels[category] == "Warning"
    assert insights["enableLiveMetrics"] is False, "it shows failing requests with their addresses, live"
    assert insights["httpAutoCollectionOptions"] == {"enableHttpTriggerExtendedInfoCollection": False}
    bicep = "".join(FILES.values())
    assert "diagnosticSettings" not in bicep, "the front end's own log holds whole addresses"
    assert "httpLoggingEnabled" not in bicep


def test_nothing_writes_down_the_addresses_we_call() -> None:
    """Calendar links are secrets: no package that records outgoing calls travels along, and no switch turns one on."""
    wanted = direct((ROOT / "requirements.txt").read_text()) + direct(
        (ROOT / "requirements-otel.txt").read_text()
    )
    recorders = [name for name in closure(wanted) if "instrumentation" in name or "opencensus-ext-" in name]
    assert recorders == ["opencensus-ext-azure"]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "shared").rglob("*.py"))
    assert not re.search(
        r"(?:import|from) opencensus\.(?:trace|ext\.(?!azure))|enable_tracing|set_tracer", source
    )
    assert "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY" not in deployed()
    assert "telemetryMode" not in json.loads((ROOT / "host.json").read_text("utf-8"))


def test_what_never_sleeps_is_a_function_there_is() -> None:
    source = FILES["app.bicep"]
    assert set(re.findall(r"'function:(\w+)'", source)) <= GOLDEN.keys()
    main = read_bicep(FILES["main.bicep"])
    for name in ("alwaysReadyHttp", "alwaysReadyWorker"):
        assert text(main.params[name]).endswith("int = 0"), "off unless asked for"


def test_the_app_runs_on_the_oldest_python_it_is_written_for() -> None:
    runtime = at(
        read_bicep(FILES["app.bicep"]).resources["site"].body, "properties", "functionAppConfig", "runtime"
    )
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert {key: literal(node) for key, node in entries(runtime).items()} == {
        "name": "python",
        "version": oldest.removeprefix(">="),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("WORK_QUEUE: workQueue", "WORK_QUEU: workQueue"),
        ("STORAGE__accountName: storageName", "STORAGE_accountName: storageName"),
        ("SIGN_IN: 'azure'", "SIGN_IN: 'entra'"),
        ("TELEMETRY: telemetry", "TELEMETRY: workQueue"),
    ],
)
def test_a_slip_in_a_setting_is_found(old: str, new: str) -> None:
    source = FILES["app.bicep"]
    assert f"      {old}\n" in source
    with pytest.raises(SettingsRefused):
        read({"WEBSITE_SITE_NAME": "x", **deployed(source.replace(f"      {old}\n", f"      {new}\n"))})
