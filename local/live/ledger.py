"""What the command closed and has not opened again: put down before the call, so that a crash leaves a trace."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Closed:
    """A night that a listing may show as closed by us; ``level`` is what was for sale there before."""

    listing: str
    night: str
    level: int


class Ledger:
    """A file readable by this user alone; it also keeps the tokens of the calendars that are served. Raises
    ``ValueError`` for one that is torn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        state = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self._closed = [Closed(**one) for one in state.get("closed", [])]
        self._tokens: dict[str, str] = state.get("tokens", {})

    def closed(self) -> tuple[Closed, ...]:
        """Everything that may still be closed."""
        return tuple(self._closed)

    def ours(self) -> dict[tuple[str, date], int]:
        """The same, by listing and night, with the level before."""
        return {(one.listing, date.fromisoformat(one.night)): one.level for one in self.closed()}

    def put(self, listing: str, night: date, level: int) -> None:
        """About to close that night. Raises ``OSError``: then it must not be closed."""
        entry = Closed(listing, night.isoformat(), level)
        if entry not in self._closed:
            self._closed.append(entry)
            self._write()

    def take(self, listing: str, night: date) -> None:
        """That night was seen open again."""
        self._closed = [one for one in self._closed if (one.listing, one.night) != (listing, str(night))]
        self._write()

    def token(self, listing: str) -> str:
        """The secret of a listing's calendar: the same at each run, since its platform keeps the address."""
        if listing not in self._tokens:
            self._tokens[listing] = secrets.token_urlsafe(32)
            self._write()
        return self._tokens[listing]

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(
                {"closed": [asdict(one) for one in self._closed], "tokens": self._tokens}, file, indent=2
            )
        beside.replace(self._path)
