"""The official emulator's ``Config.json``, as far as queues go.

Shape and defaults: ``ServiceBus-Emulator/Schema/Config-schema.json`` of Azure/azure-service-bus-emulator-installer
(VERIFIED there). This reader takes shorter and longer durations than that schema does, for tests; the file we ship
stays inside its limits, so that the official emulator starts on it. What would be ignored silently is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_QUEUE_NAME = re.compile(r"[A-Za-z0-9](?:[\w\-./]*[A-Za-z0-9])?")


class ConfigError(ValueError):
    """The configuration cannot be used; the text says which entry and why."""


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue. Durations are seconds; defaults are the official emulator's."""

    name: str
    lock_duration: float = 60.0
    max_delivery_count: int = 3
    duplicate_detection: bool = False
    duplicate_window: float = 20.0
    time_to_live: float = 3600.0
    dead_letter_expired: bool = False


def load_config(path: Path) -> list[QueueConfig]:
    """The queues a configuration file names. Raises ``ConfigError``."""
    try:
        return parse_config(json.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(document: object) -> list[QueueConfig]:
    """The queues of a decoded configuration, each name once. Raises ``ConfigError``."""
    user = _object(_object(document, "the file").get("UserConfig"), "UserConfig")
    namespaces = _array(user.get("Namespaces"), "UserConfig.Namespaces")
    if len(namespaces) != 1:
        raise ConfigError("UserConfig.Namespaces: exactly one namespace, as in the official emulator")
    namespace = _object(namespaces[0], "UserConfig.Namespaces[0]")
    if namespace.get("Topics"):
        raise ConfigError("Topics: this stand-in serves queues only")
    queues = [
        _queue(entry, f"Queues[{place}]")
        for place, entry in enumerate(_array(namespace.get("Queues"), "Queues"))
    ]
    names = [queue.name.lower() for queue in queues]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"Queues: {name!r} is named twice (names ignore case)")
    return queues


def parse_duration(text: object, where: str) -> float:
    """Seconds of an ISO 8601 duration of days, hours, minutes and seconds. Raises ``ConfigError``."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ConfigError(f"{where}: {text!r} is not an ISO 8601 duration such as PT1M")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total <= 0:
        raise ConfigError(f"{where}: {text!r} is no time at all")
    return total


def _queue(entry: object, where: str) -> QueueConfig:
    fields = _object(entry, where)
    name = fields.get("Name")
    if not isinstance(name, str) or not _QUEUE_NAME.fullmatch(name):
        raise ConfigError(f"{where}.Name: {name!r} is not a queue name")
    properties = _object(fields.get("Properties", {}), f"{where}.Properties")
    for unserved in ("RequiresSession", "ForwardTo", "ForwardDeadLetteredMessagesTo"):
        if properties.get(unserved):
            raise ConfigError(f"{where}.{unserved}: not offered by this stand-in")
    default = QueueConfig(name)

    def seconds(key: str, otherwise: float) -> float:
        return parse_duration(properties[key], f"{where}.{key}") if key in properties else otherwise

    return QueueConfig(
        name,
        lock_duration=seconds("LockDuration", default.lock_duration),
        max_delivery_count=_count(properties.get("MaxDeliveryCount", default.max_delivery_count), where),
        duplicate_detection=_flag(properties.get("RequiresDuplicateDetection", False), where),
        duplicate_window=seconds("DuplicateDetectionHistoryTimeWindow", default.duplicate_window),
        time_to_live=seconds("DefaultMessageTimeToLive", default.time_to_live),
        dead_letter_expired=_flag(properties.get("DeadLetteringOnMessageExpiration", False), where),
    )


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: an object is expected")
    return value


def _array(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: a list is expected")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: true or false is expected, not {value!r}")
    return value


def _count(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{where}.MaxDeliveryCount: a number from 1 is expected, not {value!r}")
    return value
