"""The mode desk: what an owner chooses for an account, checked field by field, and how it stands then."""

from __future__ import annotations

import json

from shared.domain.access import Person
from shared.domain.errors import NotFound, PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.engine.modes import Modes
from shared.engine.notices_status import JsonValue
from shared.engine.scope import must_decide
from shared.engine.status import circuit_status, standing_status
from shared.engine.world import World
from shared.state.accounts import AccountState

_FIELDS = ("mode", "poll_minutes", "batch_minutes")
_MISSING = "there is no such account"


class ModeDesk:
    """Takes choices of modes and rhythms."""

    def __init__(self, world: World, modes: Modes) -> None:
        self._world = world
        self._modes = modes

    async def choose(self, person: Person, account: str, body: bytes) -> dict[str, JsonValue]:
        """Store what the JSON body names of ``mode``, ``poll_minutes`` (1-5) and ``batch_minutes`` (15-30); what it
        leaves out stays. Returns how the account stands then. Raises ``PayloadRejected`` naming the field, ``NotFound``
        where there is no such account for this person, ``NotAllowed``."""
        state = await self._theirs(person, account)
        await self.take(state, _setting(body, state.setting), person.name)
        return {"account": account, **standing_status(await self._theirs(person, account))}

    async def move(self, person: Person, account: str, operation: str, body: bytes) -> dict[str, JsonValue]:
        """``force`` for a person. Raises what it does, ``NotFound`` where there is no such account for this person,
        ``NotAllowed``."""
        await self._theirs(person, account)
        moved = await self.force(account, operation, body)
        if moved is None:
            raise NotFound(_MISSING)
        return moved

    async def take(self, state: AccountState, setting: ModeSetting, who: str) -> None:
        """Store what ``who`` chose for an account, and let it hold."""
        await self._modes.choose(state, setting, who)
        if not state.units:
            await self._set_periods(state, setting)

    async def force(self, account: str, operation: str, body: bytes) -> dict[str, JsonValue] | None:
        """Move a circuit by hand to the JSON body's ``state``: "forced_open", "forced_closed", or "closed" to let it
        judge for itself again. Returns the account's circuits, None where there is no such account. Raises
        ``PayloadRejected`` naming what is unknown."""
        circuits = self._world.circuits
        if circuits is None or await self._world.accounts.load(account) is None:
            return None
        value = _object(body)
        if value.keys() != {"state"} or not isinstance(value["state"], str):
            raise PayloadRejected("the body must name one field: state")
        await circuits.force(account, operation, value["state"])
        return {
            "account": account,
            "circuits": [circuit_status(one) for one in await circuits.views(account)],
        }

    async def _theirs(self, person: Person, account: str) -> AccountState:
        """The account, if this person decides about it."""
        state = await self._world.accounts.load(account)
        if state is None:
            raise NotFound(_MISSING)
        must_decide(person, state.account.owner, _MISSING)
        return state

    async def _set_periods(self, state: AccountState, setting: ModeSetting) -> None:
        """An account of calendar links has no calls of its own: its links are asked in the rhythm that was chosen. In
        MANUAL they still are, as rarely as in BATCH: what they tell is stored and shown."""
        often = setting.wanted in (SyncMode.AUTO, SyncMode.REAL_TIME)
        period = 60 * (setting.poll_minutes if often else setting.batch_minutes)
        for name in await self._world.accounts.directory("shard"):
            shard = await self._world.shards.load(name)
            for feed in shard.feeds.values():
                if feed.account == state.account.id and feed.period != period:
                    await self._world.shards.set_period(name, feed.listing, period)


def _setting(body: bytes, before: ModeSetting) -> ModeSetting:
    value = _object(body)
    unknown = sorted(value.keys() - set(_FIELDS))
    if unknown:
        raise PayloadRejected(f"unknown field {unknown[0]!r}: there are {', '.join(_FIELDS)}")
    return ModeSetting(
        _mode(value.get("mode", before.wanted.value)),
        _minutes("poll_minutes", value.get("poll_minutes", before.poll_minutes)),
        _minutes("batch_minutes", value.get("batch_minutes", before.batch_minutes)),
    )


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as wrong:
        raise PayloadRejected("the body is not JSON") from wrong
    if not isinstance(value, dict):
        raise PayloadRejected("the body is not a JSON object")
    return value


def _mode(value: object) -> SyncMode:
    try:
        return SyncMode(str(value))
    except ValueError:
        raise PayloadRejected(f"mode must be one of {', '.join(SyncMode)}") from None


def _minutes(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PayloadRejected(f"{name} must be a whole number of minutes")
    return value
