"""What our own programs show at the console's door on this machine: the token that the hosts' settings make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from shared.web.local_keys import token_of

FILE = "api-header"
"""Beside the hosts' settings: the header as ``curl -H @file`` reads it."""


def bearer(values: Mapping[str, str]) -> dict[str, str]:
    """The header that opens the API of hosts with these settings; none where the platform signs people in."""
    key = values.get("SIGN_IN_KEY", "")
    if values.get("SIGN_IN") != "local" or not key:
        return {}
    return {"authorization": f"Bearer {token_of(key)}"}


def write_header(folder: Path, values: Mapping[str, str]) -> None:
    """Write the header into a file that this user alone can read: it is as good as the key."""
    path = folder / FILE
    path.unlink(missing_ok=True)
    text = "".join(f"{name}: {value}\n" for name, value in bearer(values).items())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
