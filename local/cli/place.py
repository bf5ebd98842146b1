"""Where the app is that a command talks to, and what opens it: the one that runs on this machine, found by its
settings, or one elsewhere, named by options or the environment."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local.children import ROOT
from local.cli.trouble import NO_ANSWER, WRONG_USE, Trouble
from local.host.errors import HostRefused
from local.host.settings import read_settings
from local.run_pieces import newness
from shared.config_reader import SAMPLE
from shared.web.local_keys import token_of

USUAL_PORT = 7071
"""Where the Functions host listens when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address without a path, and the bearer token that opens what is there."""

    address: str
    token: str = field(default="", repr=False)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(urlsplit(self.address).hostname or "")


def find(at: str = "", token: str = "", settings: Path | None = None) -> Place:
    """The place meant by what was given; the newest run of this machine for nothing. Raises ``Trouble``."""
    if at:
        place = Place(_address(at), token)
        if token or not place.is_here:
            return place if token else _no_token(place)
        return Place(place.address, _token(_file(settings)))
    file = _file(settings)
    return Place(_own_address(file), token or _token(file))


def _no_token(place: Place) -> Place:
    raise Trouble(WRONG_USE, "trouble.no_token", address=place.address)


def _address(at: str) -> str:
    """The address without path, query or anything that could be a secret. Raises ``Trouble`` for one that would carry
    the token in the clear."""
    try:
        parts = urlsplit(at if "://" in at else f"https://{at}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise Trouble(WRONG_USE, "trouble.address")
    if parts.scheme == "http" and not is_loopback(host):
        raise Trouble(WRONG_USE, "trouble.not_https", host=host)
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _file(wanted: Path | None) -> Path:
    """The settings of the app that runs here: those named, else of those that hold a key the newest of a run that goes
    on, else the newest."""
    if wanted is not None:
        return wanted
    files = [ROOT / "local.settings.json", *(ROOT / ".local").glob("*/settings.json")]
    there = sorted((file for file in files if file.exists()), key=newness, reverse=True)
    if not there:
        raise Trouble(NO_ANSWER, "trouble.never_run")
    return next((file for file in there if _has_key(file)), there[0])


def _has_key(file: Path) -> bool:
    try:
        return bool(_key(file))
    except HostRefused:
        return False


def _key(file: Path) -> str:
    """What the token is made of; empty where there is none, or Azure signs people in. Raises ``HostRefused``."""
    values = read_settings(file, {})
    key = values.get("SIGN_IN_KEY", "")
    return "" if values.get("SIGN_IN") != "local" or key.startswith(SAMPLE) else key


def _token(file: Path) -> str:
    """What opens the app of these settings."""
    try:
        key = _key(file)
    except HostRefused as wrong:
        raise Trouble(NO_ANSWER, "trouble.settings", why=str(wrong)) from None
    if not key:
        raise Trouble(NO_ANSWER, "trouble.no_key", file=file)
    return token_of(key)


def _own_address(file: Path) -> str:
    """Where the app of these settings listens on this machine; its public address may be a tunnel's."""
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise Trouble(NO_ANSWER, "trouble.settings", why=f"{file} is missing") from None
    except (OSError, ValueError):
        raise Trouble(NO_ANSWER, "trouble.settings", why=f"{file} cannot be read") from None
    host = document.get("Host") if isinstance(document, dict) else None
    port = host.get("LocalHttpPort") if isinstance(host, dict) else None
    return f"http://127.0.0.1:{port if isinstance(port, int) else USUAL_PORT}"
