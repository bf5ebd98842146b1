"""Units: which listing a platform's own id means, found without reading every account of that platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.domain.platform import Platform
from shared.state.accounts import AccountStore, Place

AGE = timedelta(seconds=60)
"""How long a process remembers where a unit belongs: a unit that moves to another home does so by an import."""

MOST_KEPT = 10_000
"""Units a process remembers before it forgets them all."""

_KIND = "unit"


async def list_unit(
    accounts: AccountStore, platform: Platform, account: str, unit: str, place: Place
) -> None:
    """Make a unit findable by its id alone."""
    values = {"platform": str(platform), "unit": unit, "site": place.site, "listing": place.listing}
    await accounts.list_in_directory(f"{_KIND}|{unit}", account, values)


class UnitFinder:
    """Finds a platform's units; only those that are there are remembered."""

    def __init__(self, accounts: AccountStore, platform: Platform, now: Callable[[], datetime]) -> None:
        self._accounts = accounts
        self._platform = platform
        self._now = now
        self._known: dict[str, tuple[datetime, str, Place]] = {}

    async def find(self, unit: str) -> tuple[str, Place] | None:
        """The account and the place of a unit, or None. Raises ``StoreUnavailable``."""
        kept = self._known.get(unit)
        if kept is not None and self._now() - kept[0] < AGE:
            return kept[1], kept[2]
        found = await self._accounts.directory(f"{_KIND}|{unit}")
        for account, values in found.items():
            whole = values.keys() >= {"site", "listing"}
            if whole and (values.get("platform"), values.get("unit")) == (self._platform, unit):
                place = Place(values["site"], values["listing"])
                if len(self._known) >= MOST_KEPT:
                    self._known.clear()
                self._known[unit] = (self._now(), account, place)
                return account, place
        return None

    async def accounts(self, begins: str) -> set[str]:
        """The accounts with a unit that begins so ("1234:", of a place with several). Raises ``StoreUnavailable``."""
        found = await self._accounts.directory(_KIND, begins)
        return {
            name.removeprefix(f"{values.get('unit', '')}|")
            for name, values in found.items()
            if values.get("platform") == self._platform
        }
