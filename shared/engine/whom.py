"""Whom a call of a platform is about: one of its accounts, by the unit it names, or any of them.

One account whose rows cannot be read holds up the calls of no other; a call that may be about that one is kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.errors import TransientError, Unreadable
from shared.domain.platform import Platform
from shared.engine.world import World
from shared.ports.platforms import Notification
from shared.state.accounts import AccountState
from shared.state.units import UnitFinder

ANYWHERE = "*"
"""In ``Notification.poll``: which place has news is not said."""


class Whom:
    """Finds the accounts of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._units: dict[Platform, UnitFinder] = {}

    async def concerned(
        self, platform: Platform, notification: Notification
    ) -> tuple[list[AccountState], str]:
        """The accounts a call can be about: the one whose unit it names, or all of the platform where it names none;
        and one of them whose rows cannot be read, if there is one: it holds up no other. Of five hundred owners'
        accounts, reading each would cost five hundred reads a call. Raises ``TransientError`` where it is about none
        but one that cannot be read."""
        units = {room.unit for hint in notification.hints for room in hint.rooms}
        hinted = {hint.id for hint in notification.hints if hint.rooms}
        if not units or notification.revoked or not hinted.issuperset(notification.reread):
            return await self._some(platform)
        finder = self._finder(platform)
        found = [await finder.find(unit) for unit in sorted(units)]
        names = {place[0] for place in found if place is not None}
        loaded, unread = await self._read(sorted(names))
        if unread:
            raise TransientError(f"account {unread} cannot be read")
        known = [one for one in loaded if one.units.keys() & units]
        return (known, "") if known and None not in found else await self._some(platform)

    async def _some(self, platform: Platform) -> tuple[list[AccountState], str]:
        accounts, unread = await self._accounts(platform)
        if unread and not accounts:
            raise TransientError(f"account {unread} cannot be read")
        return accounts, unread

    async def at(self, platform: Platform, places: Iterable[str]) -> list[AccountState]:
        """The accounts with a unit at one of the places; each of the platform where none has, or nothing is named. One
        whose rows cannot be read is left to the clock's own polls."""
        found = [await self._finder(platform).accounts(place) for place in places if place != ANYWHERE]
        loaded, unread = await self._read(sorted(set().union(*found)))
        known = [one for one in loaded if one.units]
        return known if known or unread else (await self._accounts(platform))[0]

    def _finder(self, platform: Platform) -> UnitFinder:
        found = UnitFinder(self._world.accounts, platform, self._world.now)
        return self._units.setdefault(platform, found)

    async def _accounts(self, platform: str) -> tuple[list[AccountState], str]:
        """Those of a platform that are connected by API; and one that cannot be read, if there is one."""
        known = await self._world.accounts.directory("account")
        mine = [name for name, what in known.items() if what.get("platform") == platform and what.get("api")]
        loaded, unread = await self._read(mine)
        return [one for one in loaded if one.units], unread

    async def _read(self, names: Iterable[str]) -> tuple[list[AccountState], str]:
        """Accounts; and the first whose rows this release cannot read (``Modes.readable`` tells of it)."""
        found, unread = list[AccountState](), ""
        for name in names:
            try:
                one = await self._world.accounts.load(name)
            except Unreadable:
                unread = unread or name
            else:
                found += [one] if one is not None else []
        return found, unread
