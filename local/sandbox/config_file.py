"""Reading the sandbox's configuration file (YAML, of which JSON is a part) into its dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from local.sandbox.config import (
    Airbnb,
    Booking,
    Channex,
    Client,
    EarlyCancel,
    Link,
    Listing,
    Platform,
    SandboxConfig,
)
from local.sandbox.errors import BadAsk

T = TypeVar("T")
Convert = Callable[[object, str], object]


def read_config(path: Path) -> SandboxConfig:
    """The configuration in a file. Raises ``BadAsk`` naming the field that cannot be read."""
    try:
        return config_from(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadAsk(f"{path.name}: {type(error).__name__}") from error


def config_from(data: object, where: str = "config") -> SandboxConfig:
    """The configuration in plain mappings and lists. Raises ``BadAsk`` naming the field."""
    converters = {"listings": _listings, "airbnb": _airbnb, "booking": _booking, "channex": _channex}
    return _build(SandboxConfig, data, where, converters)


def _listings(data: object, where: str) -> object:
    return tuple(_listing(item, f"{where}[{index}]") for index, item in enumerate(_list(data, where)))


def _listing(data: object, where: str) -> Listing:
    # YAML reads an unquoted listing id as a number; the platforms' ids are text here.
    return _build(
        Listing,
        data,
        where,
        {"platform": _platform, "id": _text, "property_id": _text, "pulls": _links, "occupies": _texts},
    )


def _links(data: object, where: str) -> object:
    return tuple(_build(Link, item, f"{where}[{i}]", {}) for i, item in enumerate(_list(data, where)))


def _airbnb(data: object, where: str) -> object:
    return _build(Airbnb, data, where, {})


def _booking(data: object, where: str) -> object:
    return _build(Booking, data, where, {"clients": _clients, "early_cancel": _early_cancel})


def _channex(data: object, where: str) -> object:
    return _build(Channex, data, where, {})


def _clients(data: object, where: str) -> object:
    return tuple(_build(Client, item, f"{where}[{i}]", {}) for i, item in enumerate(_list(data, where)))


def _platform(data: object, where: str) -> object:
    if data not in list(Platform):
        raise BadAsk(f"{where}: must be one of {', '.join(Platform)}")
    return Platform(str(data))


def _early_cancel(data: object, where: str) -> object:
    if data not in list(EarlyCancel):
        raise BadAsk(f"{where}: must be one of {', '.join(EarlyCancel)}")
    return EarlyCancel(str(data))


def _text(data: object, where: str) -> object:
    if isinstance(data, bool) or not isinstance(data, str | int):
        raise BadAsk(f"{where}: must be text")
    return str(data)


def _texts(data: object, where: str) -> object:
    return tuple(_text(item, where) for item in _list(data, where))


def _list(data: object, where: str) -> list[object]:
    if not isinstance(data, list):
        raise BadAsk(f"{where}: must be a list")
    return data


def _build(kind: type[T], data: object, where: str, converters: Mapping[str, Convert]) -> T:
    if not isinstance(data, dict):
        raise BadAsk(f"{where}: must be a mapping")
    known = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in data:
        if name not in known:
            raise BadAsk(f"{where}: unknown field {name!r}")
    values = {
        name: converters[name](value, f"{where}.{name}") if name in converters else value
        for name, value in data.items()
    }
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise BadAsk(f"{where}: {error}") from error
