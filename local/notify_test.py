"""``make notify``: one test notice through every channel that ``NOTIFY`` names, and of each whether it worked.

It reads ``local.settings.json`` as ``make run`` does, with the environment before it. Mail goes to ``NOTIFY_EMAIL``.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from local.host.errors import HostRefused
from local.run_settings import base_values
from shared.adapters.http import HttpxHttp
from shared.adapters.log_voice import SilentTelemetry
from shared.bootstrap.notify import channel
from shared.config import Settings, SettingsRefused, read
from shared.domain.errors import SyncError
from shared.ports.people import Channel, Notice, Recipient

TEXT = {
    "fr": "Ceci est un essai\u202f: les avis de votre calendrier arrivent bien ici.",
    "en": "This is a test: the notices about your calendars arrive here.",
}


async def try_channels(values: Mapping[str, str]) -> list[tuple[str, str, float]]:
    """Each channel's name, what went wrong (empty: nothing), and the seconds it took. Raises ``SettingsRefused``."""
    settings = read(values)
    http = HttpxHttp()
    try:
        return [await _try(name, settings, http) for name in settings.notify.channels]
    finally:
        await http.close()


async def _try(name: str, settings: Settings, http: HttpxHttp) -> tuple[str, str, float]:
    begun = time.monotonic()
    notice = Notice("test", "test", "info", TEXT, id=secrets.token_hex(8))
    wrong = ""
    try:
        made: Channel = channel(name, settings, http, SilentTelemetry(), _nobody, _wall)
        await made.send(notice)
    except SyncError as failure:
        wrong = str(failure)
    return name, wrong, time.monotonic() - begun


def _wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


async def _nobody(owner: str) -> Sequence[Recipient]:
    return ()


def main() -> int:
    """Try them; 0 when every channel took the notice."""
    try:
        tried = asyncio.run(try_channels(base_values(own=True)))
    except (SettingsRefused, HostRefused) as refused:
        print(refused, file=sys.stderr)
        return 2
    for name, wrong, seconds in tried:
        said = f"échec / failed: {wrong}" if wrong else "envoyé / sent"
        print(f"{name:<8} {said} ({seconds:.1f} s)")
    return 1 if any(wrong for _, wrong, _ in tried) else 0


if __name__ == "__main__":
    raise SystemExit(main())
