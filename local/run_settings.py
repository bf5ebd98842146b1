"""The settings of the hosts that ``make run`` starts: the sample's, the owner's own, and what only this run knows."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from local.children import ROOT
from local.host.settings import read_settings
from local.run_pieces import newness
from shared.config_reader import SAMPLE

_EXAMPLE = ROOT / "local.settings.json.example"
_OWN = ROOT / "local.settings.json"
_WEBHOOK = "WEBHOOK_SECRET_AIRBNB"
_EXAMPLES_OWN = ("WEBHOOK_SECRET_CHANNEX", "WEBHOOK_KEY_CHANNEX", "WEBHOOK_SECRET_MAIL")
"""Made anew at each start of the example, for its simulated platforms and e-mails; an owner's stay what they are."""

QUICK = {
    "POLL_FEEDS_SCHEDULE": "*/5 * * * * *",
    "POLL_ACCOUNTS_SCHEDULE": "*/5 * * * * *",
    "SWEEP_SCHEDULE": "*/5 * * * * *",
    "DEEP_SCHEDULE": "0 */5 * * * *",
}
"""The example's rhythms, for eyes that watch. Booking.com is still asked every 20 s: the engine sees to that."""


def base_values(own: bool) -> dict[str, str]:
    """The sample's values; for an owner's own portfolio ``local.settings.json`` and the environment go before it.

    Raises ``HostRefused`` for a file that cannot be read.
    """
    values = read_settings(_EXAMPLE, os.environ if own else {})
    if own and _OWN.exists():
        values |= read_settings(_OWN, os.environ)
    if values.get(_WEBHOOK, SAMPLE).startswith(SAMPLE):
        values[_WEBHOOK] = secrets.token_urlsafe(24)
    values["SIGN_IN"] = "local"  # whoever starts them here signs in here
    if values.get("SIGN_IN_KEY", SAMPLE).startswith(SAMPLE):
        values["SIGN_IN_KEY"] = secrets.token_urlsafe(24)
    if not own:
        values |= {name: secrets.token_urlsafe(24) for name in _EXAMPLES_OWN}
    return values


def app_values(wanted: Path | None = None) -> Mapping[str, str]:
    """The settings of the app that runs here: the environment where it holds them, else a file: the one named, or the
    newest there is, of a run that goes on before others. Raises ``HostRefused`` for a file that cannot be read."""
    if wanted is None and ("STORAGE" in os.environ or "STORAGE__accountName" in os.environ):
        return dict(os.environ)
    files = [_OWN, *(ROOT / ".local").glob("*/settings.json")]
    there = [file for file in files if file.exists()]
    return read_settings(wanted or max(there, key=newness, default=files[0]), os.environ)


def write_settings(path: Path, values: Mapping[str, str], port: int | None = None) -> None:
    """Write them as ``local.settings.json`` is written, readable by this user alone: secrets stand in it. ``port`` is
    where the first host listens: its public address may be a tunnel's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    host = {} if port is None else {"Host": {"LocalHttpPort": port}}
    text = json.dumps({"IsEncrypted": False, **host, "Values": dict(values)}, indent=2)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")


def child_environment(values: Mapping[str, str]) -> dict[str, str]:
    """Our environment without the names the file decides: in a host the environment wins."""
    return {name: value for name, value in os.environ.items() if name not in values}
