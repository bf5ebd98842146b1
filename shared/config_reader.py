"""Reads single settings and remembers what is wrong with them, so that everything is told at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

from shared.domain.errors import PermanentError

T = TypeVar("T")

_SCHEDULE = re.compile(r"\S+( \S+){5}")
_QUEUE = re.compile(r"[A-Za-z0-9]([\w./-]{0,258}[A-Za-z0-9])?")
_CONTACT = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+|https?://[^\s()]+")
# 22 characters of this alphabet hold 128 bits.
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{22,}")
# The libraries take no other shape of key.
_INSIGHTS = re.compile(
    r"(.*;)?\s*InstrumentationKey=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*(;.*)?", re.IGNORECASE
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

SAMPLE = "replace-me"
"""How every sample secret of ``local.settings.json.example`` begins. Refused on Azure."""


class SettingsRefused(PermanentError):
    """The settings cannot be used. ``problems`` has a line per key, saying what is expected, not what stood there."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings: " + "; ".join(self.problems))


class Reader:
    """Asks for settings one by one. What is missing or wrong gives a harmless value and one line of complaint.

    An empty value counts as missing: that is how a portal shows a setting nobody filled in.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []
        # App Service and Functions always set it, Core Tools and our own host do not.
        self._on_azure = "WEBSITE_SITE_NAME" in environ

    def refuse_problems(self) -> None:
        """Raise ``SettingsRefused`` if anything was wrong."""
        if self._problems:
            raise SettingsRefused(self._problems)

    def connection(self, name: str, part: str, shape: str, what: str) -> tuple[str, str]:
        """A connection string in ``name``, or the bare host in ``name__part`` for access by identity: one of them."""
        key = f"{name}__{part}"
        text, host = self._get(name), self._get(key)
        if bool(text) == bool(host):
            wrong = "both are set" if text else "both are missing"
            self._problems.append(f"{name} or {key}: {wrong}; expected the one or the other, for {what}")
        elif text and "=" not in text:
            self._wrong(name, "a connection string (Key=Value;...)")
        elif host and not re.fullmatch(shape, host):
            self._wrong(key, f"the name of {what}")
        return text, host

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """One of the words; the first when the key is missing."""
        value = self._get(key) or allowed[0]
        if value not in allowed:
            self._wrong(key, "one of " + ", ".join(allowed))
        return value

    def queue(self, key: str) -> str:
        """The name of a queue."""
        return self._matching(key, _QUEUE, "the name of a queue")

    def schedules(self, keys: Sequence[str]) -> Mapping[str, str]:
        """NCRONTAB by key. Only the number of fields is checked: what they mean is the host's to judge."""
        expected = "six fields (second minute hour day month weekday)"
        return MappingProxyType({key: self._matching(key, _SCHEDULE, expected) for key in keys})

    def contact(self, key: str) -> str:
        """An e-mail or web address."""
        return self._matching(key, _CONTACT, "an e-mail or web address")

    def url(self, key: str) -> str:
        """An https address without query, its trailing slash taken off; http only for this very machine."""
        value = self._get(key)
        if not value:
            self._missing(key, "an https address")
        elif not _usable(value):
            self._wrong(key, "an https address without user or query (http only for localhost)")
        return value.rstrip("/")

    def urls(self, prefix: str) -> Mapping[str, str]:
        """``url`` for each key that begins so, by the rest of the key in lower case."""
        return self._each(prefix, self.url)

    def secrets(self, prefix: str) -> Mapping[str, tuple[str, ...]]:
        """Comma-separated secrets for each key that begins so, by the rest of the key in lower case."""
        return self._each(prefix, self._secret_list)

    def right_secrets(self, prefix: str) -> Mapping[str, tuple[str, ...]]:
        """``secrets``, without those of them that are refused."""
        return {name: tuple(filter(self._fits, found)) for name, found in self.secrets(prefix).items()}

    def keys(self, prefix: str) -> Mapping[str, tuple[str, ...]]:
        """Comma-separated signing keys for each key that begins so; what they must look like, their verifier says."""
        return self._each(prefix, self._key_list)

    def networks(self, prefix: str) -> Mapping[str, tuple[str, ...]]:
        """Comma-separated addresses and networks for each key that begins so, by the rest of the key in lower case."""
        return self._each(prefix, self._network_list)

    def number(self, key: str, usual: float, least: float, most: float) -> float:
        """A number from ``least`` to ``most``, both included; ``usual`` where none is given."""
        written = self._get(key)
        if not written:
            return usual
        try:
            value = float(written)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            self._wrong(key, f"a number from {least:g} to {most:g}")
            return usual
        return value

    def local_ports(self, key: str) -> frozenset[int]:
        """Port numbers separated by commas, none by default. Refused on Azure."""
        value = self._get(key)
        if not value:
            return frozenset()
        if self._on_azure:
            self._problems.append(f"{key}: for a laptop only; remove it from the function app")
        ports = [int(part) if re.fullmatch(r"\s*\d{1,5}\s*", part) else 0 for part in value.split(",")]
        if not all(0 < port < 65536 for port in ports):
            self._wrong(key, "port numbers (1 to 65535) separated by commas")
        return frozenset(ports)

    def local_key(self, key: str, *, needed: bool) -> str:
        """A secret of at least 22 letters, digits, - or _, for a laptop only. Refused on Azure."""
        value = self._get(key)
        if value and self._on_azure:
            self._problems.append(f"{key}: for a laptop only; remove it from the function app")
        if needed and not value:
            self._missing(key, "at least 22 letters, digits, - or _, since SIGN_IN is local")
        elif value and not _WEBHOOK_SECRET.fullmatch(value):
            self._wrong(key, "at least 22 letters, digits, - or _")
        return value

    def names(self, key: str) -> frozenset[str]:
        """Names separated by commas, in lower case; none by default."""
        return frozenset(name.strip().lower() for name in self._get(key).split(",") if name.strip())

    def words(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Some of the words, separated by commas, each once; the first where the key is missing."""
        words = tuple(dict.fromkeys(word.strip() for word in (self._get(key) or allowed[0]).split(",")))
        if not all(word in allowed for word in words):
            self._wrong(key, "some of " + ", ".join(allowed) + ", separated by commas")
        return words

    def asked(self, key: str, shape: str, expected: str, *, needed: bool = False, default: str = "") -> str:
        """A text of that shape; missing it is wrong only where it is ``needed``."""
        value = self._get(key) or default
        if needed and not value:
            self._missing(key, expected)
        elif value and not re.fullmatch(shape, value):
            self._wrong(key, expected)
        return value

    def target(self, key: str, *, needed: bool) -> str:
        """An https address that may hold a token in its query; http only for this very machine."""
        value = self._get(key)
        if needed and not value:
            self._missing(key, "an https address")
        elif value and not _usable(value, query=True):
            self._wrong(key, "an https address without user (http only for localhost)")
        return value

    def telemetry_connection(self, telemetry: str) -> str:
        """Application Insights' connection string, asked for when that is where telemetry goes."""
        key = "APPLICATIONINSIGHTS_CONNECTION_STRING"
        value = self._get(key)
        if telemetry in ("application_insights", "otel") and not _INSIGHTS.fullmatch(value):
            self._missing(key, "the connection string of Application Insights, since TELEMETRY names it")
        return value

    def _secret_list(self, key: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self._get(key).split(","))
        if not all(_WEBHOOK_SECRET.fullmatch(value) for value in values):
            self._wrong(key, "at least 22 letters, digits, - or _ (several separated by commas)")
        if any(map(self._is_sample, values)):
            self._problems.append(f"{key}: still the sample; make one of your own")
        return values

    def _fits(self, secret: str) -> bool:
        return _WEBHOOK_SECRET.fullmatch(secret) is not None and not self._is_sample(secret)

    def _is_sample(self, secret: str) -> bool:
        return self._on_azure and secret.startswith(SAMPLE)

    def _key_list(self, key: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self._get(key).split(","))
        if not all(values):
            self._wrong(key, "signing keys separated by commas, each with its scheme before it if need be")
        if self._on_azure and any(SAMPLE in value for value in values):
            self._problems.append(f"{key}: still the sample; take the key the sender shows")
        return values

    def _network_list(self, key: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self._get(key).split(","))
        try:
            return tuple(str(ip_network(value)) for value in values)
        except ValueError:
            self._wrong(key, "addresses or networks (192.0.2.0/24) separated by commas")
            return ()

    def _each(self, prefix: str, ask: Callable[[str], T]) -> Mapping[str, T]:
        keys = sorted(key for key in self._environ if key.startswith(prefix) and self._get(key))
        return MappingProxyType({key.removeprefix(prefix).lower(): ask(key) for key in keys})

    def _matching(self, key: str, shape: re.Pattern[str], expected: str) -> str:
        value = self._get(key)
        if not value:
            self._missing(key, expected)
        elif not shape.fullmatch(value):
            self._wrong(key, expected)
        return value

    def _get(self, key: str) -> str:
        return self._environ.get(key, "").strip()

    def _missing(self, key: str, expected: str) -> None:
        self._problems.append(f"{key}: missing; expected {expected}")

    def _wrong(self, key: str, expected: str) -> None:
        self._problems.append(f"{key}: expected {expected}")


def _usable(address: str, *, query: bool = False) -> bool:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment or (parts.query and not query):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
