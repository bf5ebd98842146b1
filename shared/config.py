"""The settings: read once, checked as a whole, frozen.

Azure hands them over as environment variables; ``local.settings.json`` holds the same names on a laptop. All that
is missing or malformed is reported in one go, by key and expectation and never by value, since a value may be a
secret in the wrong place. Nothing is read at import: an exception there would leave Azure with no function.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from shared.config_notify import NotifySettings, read_notify
from shared.config_reader import Reader, SettingsRefused

__all__ = ["LANGUAGES", "TELEMETRY", "Settings", "SettingsRefused", "callers", "current", "read"]

TELEMETRY = ("log", "application_insights", "otel", "off")
"""Where events and numbers go: the process's log; there and to Azure Application Insights, by OpenCensus or by
OpenTelemetry; nowhere."""

LANGUAGES = ("en", "fr")
"""The languages there are texts for."""

SIGN_IN = ("azure", "local")
"""Who says who asks: the platform's sign-in, or a code of this machine."""

_SECRET = {"secret": True}


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Everything the application reads. The attribute's key stands first in its description.

    ``storage``: ``STORAGE``, the tables' connection string (secret), or empty when ``storage_account``
    (``STORAGE__accountName``) names the account and the process's identity opens it.
    ``service_bus``: ``SERVICEBUS``, the connection string (secret), or empty when ``service_bus_namespace``
    (``SERVICEBUS__fullyQualifiedNamespace``) names the namespace. The triggers use the same connection.
    ``work_queue``, ``conflicts_queue``: ``WORK_QUEUE``, ``CONFLICTS_QUEUE``, the queues' names.
    ``schedules``: the timers' NCRONTAB by key (``POLL_FEEDS_SCHEDULE`` and five more): six fields, seconds first,
    UTC. The Functions host reads them itself; they are checked here so that a typo is told with the rest.
    ``public_base_url``: ``PUBLIC_BASE_URL``, where the world reaches us, without a trailing slash: the start of
    the calendar addresses we hand out.
    ``contact``: ``CONTACT_ADDRESS``, an e-mail or web address in our User-Agent, for those whose calendars we read.
    ``webhook_secrets``: ``WEBHOOK_SECRET_<PLATFORM>``, the unguessable part of the webhook's path (secret), by
    platform in lower case; several, with commas between them, while one replaces another. ``WEBHOOK_SECRET_MAIL`` is
    that of the address for forwarded e-mails.
    ``webhook_keys``: ``WEBHOOK_KEY_<PLATFORM>``, what a sender who signs proves himself with (secret); without it a
    delivery is believed to be his by its path alone. Several, as above; ``github:...`` names another scheme.
    ``webhook_networks``: ``WEBHOOK_ALLOW_<PLATFORM>``, the networks a sender calls from; without it all may.
    ``base_urls``: ``BASE_URL_<PLATFORM>``, where a platform's API is, instead of its own address (the sandbox).
    ``loopback_ports``: ``LOCAL_LOOPBACK_PORTS``, the ports of this very machine that calendar links may name.
    For a laptop and tests only, and refused on Azure: it would open the address guard to what runs beside us.
    ``telemetry``: ``TELEMETRY``, one of ``log`` (default), ``application_insights``, ``otel``, ``off``.
    ``telemetry_connection``: ``APPLICATIONINSIGHTS_CONNECTION_STRING`` (secret), asked for by the second and the third.
    ``telemetry_keyless``: ``APPLICATIONINSIGHTS_AUTHENTICATION_STRING``, as the Functions host reads it: the process's
    identity sends, since the connection string's key alone opens nothing there.
    ``retry``: ``RETRY_MAX`` (3), ``RETRY_BASE_SECONDS`` (1), ``RETRY_MULTIPLIER`` (2) and ``RETRY_LONGEST_SECONDS``
    (300): how often a failed read is repeated at once, and the pauses between.
    ``guest_names_days``: ``GUEST_NAMES_DAYS`` (30), how many whole days after departure a guest's name is kept at most.
    ``language``: ``UI_LANGUAGE``, ``en`` (default) or ``fr``: of texts that have no owner with one of their own.
    ``sign_in``: ``SIGN_IN``, who says who asks: ``azure`` (default; App Service authentication, and nobody gets in
    while ``auth_enabled``, the platform's own ``WEBSITE_AUTH_ENABLED``, does not say that it is on) or ``local`` (codes
    made from ``sign_in_key``, ``SIGN_IN_KEY``, secret; refused on Azure).
    ``operators``: ``CONSOLE_OPERATORS``, principals with commas between them who decide for all owners' homes, also
    while no portfolio names anybody.
    ``requests_per_minute``: ``CONSOLE_REQUESTS_PER_MINUTE`` (600), how many requests one person's browser may make of
    one host.
    ``dead_man_url``: ``DEAD_MAN_URL``, an address (secret) that is called every few minutes while all is well, so that
    a service outside can tell when we are silent; empty for none.
    ``notify``: ``NOTIFY``, where notices go: some of ``log`` (default), ``smtp``, ``ntfy``, ``json``, ``apprise``, and
    what each needs: ``NOTIFY_EMAIL`` (who takes mail that belongs to no owner with an address), ``SMTP_HOST``,
    ``SMTP_PORT``, ``SMTP_SECURITY`` (``starttls``, ``tls``, ``none``), ``SMTP_USER``, ``SMTP_PASSWORD``, ``SMTP_FROM``;
    ``NTFY_URL`` (https://ntfy.sh), ``NTFY_TOPIC``, ``NTFY_TOKEN``; ``NOTIFY_JSON_URL``, ``NOTIFY_JSON_KEY``;
    ``NOTIFY_APPRISE_URLS``.
    """

    storage: str = field(metadata=_SECRET)
    storage_account: str
    service_bus: str = field(metadata=_SECRET)
    service_bus_namespace: str
    work_queue: str
    conflicts_queue: str
    schedules: Mapping[str, str]
    public_base_url: str
    contact: str
    webhook_secrets: Mapping[str, tuple[str, ...]] = field(metadata=_SECRET)
    webhook_keys: Mapping[str, tuple[str, ...]] = field(metadata=_SECRET)
    webhook_networks: Mapping[str, tuple[str, ...]]
    base_urls: Mapping[str, str]
    loopback_ports: frozenset[int]
    telemetry: str
    telemetry_connection: str = field(metadata=_SECRET)
    language: str
    retry: tuple[float, float, float, float]
    guest_names_days: int
    notify: NotifySettings
    sign_in: str = "azure"
    sign_in_key: str = field(default="", metadata=_SECRET)
    auth_enabled: bool = False
    operators: frozenset[str] = field(default=frozenset(), metadata=_SECRET)
    requests_per_minute: int = 600
    telemetry_keyless: bool = False
    dead_man_url: str = field(default="", metadata=_SECRET)

    def __repr__(self) -> str:
        def shown(name: str, secret: bool) -> str:
            value = getattr(self, name)
            return f"{name}={'***' if secret and value else repr(value)}"

        return f"Settings({', '.join(shown(f.name, 'secret' in f.metadata) for f in fields(self))})"


SCHEDULES = (
    "POLL_FEEDS_SCHEDULE",
    "POLL_ACCOUNTS_SCHEDULE",
    "SWEEP_SCHEDULE",
    "WALK_SCHEDULE",
    "DEEP_SCHEDULE",
    "HEALTH_SCHEDULE",
)
"""The timers' settings. Flat names: ``%A:B%`` fed by ``A__B`` is not resolved by Azure's scale controller
(REPORTED Azure/azure-functions-host#8261)."""


def read(environ: Mapping[str, str]) -> Settings:
    """Check and gather. Raises ``SettingsRefused`` naming every key that is missing or wrong."""
    ask = Reader(environ)
    storage, account = ask.connection("STORAGE", "accountName", r"[a-z0-9]{3,24}", "a storage account")
    bus, namespace = ask.connection(
        "SERVICEBUS", "fullyQualifiedNamespace", r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "a Service Bus namespace"
    )
    telemetry = ask.choice("TELEMETRY", TELEMETRY)
    settings = Settings(
        storage=storage,
        storage_account=account,
        service_bus=bus,
        service_bus_namespace=namespace,
        work_queue=ask.queue("WORK_QUEUE"),
        conflicts_queue=ask.queue("CONFLICTS_QUEUE"),
        schedules=ask.schedules(SCHEDULES),
        public_base_url=ask.url("PUBLIC_BASE_URL"),
        contact=ask.contact("CONTACT_ADDRESS"),
        webhook_secrets=ask.secrets("WEBHOOK_SECRET_"),
        webhook_keys=ask.keys("WEBHOOK_KEY_"),
        webhook_networks=ask.networks("WEBHOOK_ALLOW_"),
        base_urls=ask.urls("BASE_URL_"),
        loopback_ports=ask.local_ports("LOCAL_LOOPBACK_PORTS"),
        telemetry=telemetry,
        telemetry_connection=ask.telemetry_connection(telemetry),
        telemetry_keyless="Authorization=AAD" in environ.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", ""),
        retry=(
            ask.number("RETRY_MAX", 3, 0, 10),
            ask.number("RETRY_BASE_SECONDS", 1, 0, 60),
            ask.number("RETRY_MULTIPLIER", 2, 1, 10),
            ask.number("RETRY_LONGEST_SECONDS", 300, 60, 3600),
        ),
        guest_names_days=int(ask.number("GUEST_NAMES_DAYS", 30, 0, 400)),
        language=ask.choice("UI_LANGUAGE", LANGUAGES),
        notify=read_notify(ask),
        sign_in=ask.choice("SIGN_IN", SIGN_IN),
        sign_in_key=ask.local_key("SIGN_IN_KEY", needed=environ.get("SIGN_IN") == "local"),
        auth_enabled=environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
        operators=ask.names("CONSOLE_OPERATORS"),
        dead_man_url=ask.target("DEAD_MAN_URL", needed=False),
        requests_per_minute=int(ask.number("CONSOLE_REQUESTS_PER_MINUTE", 600, 10, 1_000_000)),
    )
    ask.refuse_problems()
    return settings


def callers(
    environ: Mapping[str, str],
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """Who may call us, as far as that can be read whatever is wrong with the rest: the secrets that are none of what is
    refused, and the networks, by sender. Raises nothing."""
    ask = Reader(environ)
    networks = {name: found for name, found in ask.networks("WEBHOOK_ALLOW_").items() if found}
    return ask.right_secrets("WEBHOOK_SECRET_"), networks


@functools.cache
def current() -> Settings:
    """This process's settings, read from its environment at the first call. Raises ``SettingsRefused``."""
    return read(os.environ)
