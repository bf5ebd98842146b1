"""``local.settings.json`` as Core Tools reads it, and the ``%NAME%`` in bindings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from local.host.errors import HostRefused

_PLACEHOLDER = re.compile(r"%([^%\s]+)%")


def read_settings(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The file's ``Values``; a variable of the environment wins, as with ``func start``.

    Raises ``HostRefused`` for a missing or unreadable file, an encrypted one, or a value that is not text.
    """
    values = _values(path)
    for name, value in values.items():
        if not isinstance(value, str):
            raise HostRefused(f'{path}: Values.{name}: write it as text, in quotes ("true", "5")')
    return {name: environ.get(name, value) for name, value in values.items()}


def _values(path: Path) -> dict[str, str]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise HostRefused(
            f"{path} is missing: copy local.settings.json.example to it and fill it in"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise HostRefused(f"{path} cannot be read: {type(error).__name__}") from None
    except json.JSONDecodeError as error:
        # The message of the exception is kept (what and where), its document, with secrets, is not.
        raise HostRefused(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("Values"), dict):
        raise HostRefused(f'{path}: expected an object with "Values"')
    if document.get("IsEncrypted"):
        raise HostRefused(f"{path} is encrypted: run `func settings decrypt` first")
    values: dict[str, str] = document["Values"]
    return values


def resolve(text: str, settings: Mapping[str, str], where: str) -> str:
    """The text with each ``%NAME%`` replaced. Raises ``HostRefused`` when a setting is missing or empty."""

    def value(found: re.Match[str]) -> str:
        setting = settings.get(found[1], "")
        if not setting:
            raise HostRefused(f"{where}: the setting {found[1]} is missing: add it to local.settings.json")
        return setting

    return _PLACEHOLDER.sub(value, text)


def is_true(settings: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on, as the Functions host reads them."""
    return settings.get(name, "").strip().lower() in ("true", "1")
