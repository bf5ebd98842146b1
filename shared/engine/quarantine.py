"""Quarantine: what nobody could process, shown with its reason and tried again when the cause is gone.

Two places hold such things: our own rows, with a reason we wrote, and the queues' dead letters, where the service put
what was delivered too often. What they held is never shown: it may name a guest. A replay goes the usual way under a
new message id (rule 11); asked for twice it is sent once, or is swallowed as a duplicate.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.access import ALL_OWNERS, Person
from shared.domain.errors import BusUnavailable, NotFound, PayloadRejected, PermanentError, Unreadable
from shared.domain.platform import Platform
from shared.engine.inbox import Inbox
from shared.engine.opaque import sealed, unsealed
from shared.engine.scope import must_decide
from shared.engine.world import CONFLICTS, WORK, World
from shared.messages import UNREADABLE, decode, replayed
from shared.ports.bus import Message, Received
from shared.state.inbox import Quarantined, SetAside, to_quarantined

KEPT = timedelta(days=90)
"""How long something is kept that nobody replayed."""

MOST_LISTED = 500
"""Rows one answer shows, the newest; it says how many more there are."""

MOST_DEAD = 100
"""Dead letters of one queue that are listed, the oldest first."""

PATIENCE = 2.0
"""Seconds for which a count waits for the bus."""

QUEUES = (WORK, CONFLICTS)
_ROW, _DEAD = "row", "dead"
_MISSING = "there is nothing in quarantine under this id"


@dataclass(frozen=True, slots=True)
class Aside:
    """Something set aside, without what it held. ``id`` names it in addresses; ``source`` is a queue, a platform or an
    account; ``at`` is None in rows whose instant cannot be read; ``size`` in bytes; ``correlation`` may be empty;
    ``decides``: whether whoever looks may have it tried again."""

    id: str
    what: SetAside
    source: str
    reason: str
    at: datetime | None
    size: int
    correlation: str
    decides: bool


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was delivered too often, without what it held. ``kind`` is empty for one nobody can read."""

    id: str
    queue: str
    sequence: int
    kind: str
    reason: str
    deliveries: int
    size: int
    correlation: str


@dataclass(frozen=True, slots=True)
class Poisoned:
    """All of it ``at`` an instant: rows, the newest first, how many more there are, and dead letters, None while the
    bus does not answer: then ``silent`` says why."""

    at: datetime
    rows: tuple[Aside, ...]
    left_out: int
    dead: tuple[DeadLetter, ...] | None
    silent: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """It is on its way again, by whose word; ``already`` where it was before, and then when (None: unknown)."""

    by: str
    already: bool = False
    at: datetime | None = None


class CannotHelp(PermanentError):
    """Trying it again would end as it did; the words say why."""


class Quarantine:
    """Lists and replays."""

    def __init__(self, world: World, inbox: Inbox) -> None:
        self._world = world
        self._inbox = inbox

    async def found(self, person: Person) -> Poisoned:
        """Everything set aside, and the dead letters of both queues. What belongs to no account of an owner is for
        those who decide for all. Raises ``StoreUnavailable``."""
        now, rows = self._world.now(), await self._rows(person)
        dead, silent = await self._dead() if person.everywhere else ((), "")
        shown = tuple(_aside(one, owner, person) for one, owner in rows[:MOST_LISTED])
        return Poisoned(now, shown, len(rows) - len(shown), dead, silent)

    async def count(self, person: Person) -> int:
        """How many there are. A bus that does not answer soon is not waited for: what it holds is not counted then.
        Raises ``StoreUnavailable``."""
        rows = await self._rows(person)
        if not person.everywhere:
            return len(rows)
        try:
            async with asyncio.timeout(PATIENCE):
                dead, _ = await self._dead()
        except TimeoutError:
            dead = None
        return len(rows) + len(dead or ())

    async def _rows(self, person: Person) -> list[tuple[Quarantined, str]]:
        """What this person may see of what was set aside, newest first, each with whose it is. Whoever decides for all
        sees all of it, and nobody's account is looked up for that."""
        rows = [to_quarantined(row) for row in await self._world.inbox.quarantined()]
        owners = dict.fromkeys((one.name for one in rows), ALL_OWNERS)
        if not person.everywhere:
            stays = [one for one in rows if _what(one) is SetAside.STAY]
            of = {name: await self._owner(name) or ALL_OWNERS for name in {one.source for one in stays}}
            rows = [one for one in stays if person.sees(of[one.source])]
            owners = {one.name: of[one.source] for one in rows}
        rows.sort(key=lambda one: (one.at is not None, one.at), reverse=True)
        return [(one, owners[one.name]) for one in rows]

    async def _dead(self) -> tuple[tuple[DeadLetter, ...] | None, str]:
        """The dead letters, or None and why they cannot be seen."""
        found: list[DeadLetter] = []
        try:
            for queue in QUEUES:
                letters = await self._world.bus.dead_letters(self._named(queue), MOST_DEAD)
                found += [_letter(queue, one) for one in letters]
        except BusUnavailable as wrong:
            return None, str(wrong)
        return tuple(found), ""

    async def replay(self, person: Person, name: str) -> Replay:
        """Send one of them the usual way once more. Raises ``NotFound`` for an id of nothing of theirs, ``NotAllowed``,
        ``CannotHelp``, ``BusUnavailable``."""
        try:
            place, queue, key = unsealed(name, 3)
        except PayloadRejected:
            raise NotFound(_MISSING) from None
        if place == _DEAD and queue in QUEUES and key.isascii() and key.isdigit() and person.everywhere:
            return await self._replay_dead(queue, int(key), person.name)
        if place == _ROW:
            return await self._replay_row(person, key)
        raise NotFound(_MISSING)

    async def clean(self) -> int:
        """Forget what is older than it is kept; a bounded number of rows."""
        return await self._world.inbox.clean(self._world.now() - KEPT)

    async def _owner(self, account: str) -> str | None:
        """Whose account it is; None for one nobody knows, or can read."""
        try:
            state = await self._world.accounts.load(account)
        except Unreadable:
            return None
        return state.account.owner if state is not None else None

    def _named(self, queue: str) -> str:
        return self._world.queue_names.get(queue, queue)

    # ----------------------------------------------------------------------------------------- to replay

    async def _replay_dead(self, queue: str, sequence: int, who: str) -> Replay:
        if not await self._world.bus.replay(self._named(queue), sequence):
            raise NotFound(f"queue {queue} holds no such dead letter: it was replayed, or taken away")
        return self._sent("dead letter", queue, who)

    async def _replay_row(self, person: Person, key: str) -> Replay:
        try:
            one = await self._world.inbox.set_aside(key)
            before = None if one else await self._world.inbox.replay_of(key)
        except ValueError:  # no row can have such a key
            one = before = None
        if one is None and before is not None and person.everywhere:
            return Replay(before[0], already=True, at=before[1])
        if one is None:
            raise NotFound(_MISSING)
        await self._must_decide(person, one)
        try:
            await self._again(one)
        except PayloadRejected as wrong:
            raise CannotHelp(str(wrong)) from wrong
        await self._world.inbox.replayed(one, person.name)
        return self._sent(_what(one).value, one.source, person.name)

    async def _must_decide(self, person: Person, one: Quarantined) -> None:
        """Raises ``NotFound``, ``NotAllowed``. What is no account's is for those who decide for all."""
        if not person.everywhere:
            owner = await self._owner(one.source) if _what(one) is SetAside.STAY else None
            must_decide(person, owner or ALL_OWNERS, _MISSING)

    async def _again(self, one: Quarantined) -> None:
        """Send it the usual way once more. Raises ``PayloadRejected`` when that cannot help, ``BusUnavailable``."""
        what = _what(one)
        if not one.source:
            raise PayloadRejected(one.reason)
        if what is SetAside.MESSAGE:
            await self._ring(one.source, replayed(decode(one.raw), _number(one)))
        elif what is SetAside.STAY:
            await self._ring(WORK, Message("deep", one.source, f"replay{_number(one)}"))
        elif Platform(one.source) not in self._world.apis:
            raise PayloadRejected(f"{one.source} is connected no longer")
        elif not one.raw and one.size:
            raise PayloadRejected("what it held was erased: it named a guest, or was kept long enough")
        elif one.size > len(one.raw):
            raise PayloadRejected("it was too large to be kept whole")
        else:
            await self._inbox.receive(Platform(one.source), one.raw)

    async def _ring(self, queue: str, message: Message) -> None:
        if not await self._world.ring(queue, message):
            raise BusUnavailable(f"queue {queue} takes no message now", retry_after=10)

    def _sent(self, what: str, source: str, who: str) -> Replay:
        self._world.telemetry.event("replayed", what=what, source=source)
        return Replay(who)


def _what(one: Quarantined) -> SetAside:
    """What it is; rows of an older release tell by their source and name."""
    if one.what is not None:
        return one.what
    if one.source in QUEUES:
        return SetAside.MESSAGE
    return SetAside.STAY if "~" in one.name else SetAside.WEBHOOK


def _number(one: Quarantined) -> int:
    """What makes a replay's id new: the instant it was set aside, so that a second click sends the same message."""
    return 0 if one.at is None else round(one.at.timestamp() * 1_000_000)


def _aside(one: Quarantined, owner: str, person: Person) -> Aside:
    shown, decides = sealed(_ROW, "", one.name), person.decides(owner)
    return Aside(shown, _what(one), one.source, one.reason, one.at, one.size, one.correlation, decides)


def _letter(queue: str, one: Received) -> DeadLetter:
    message = one.message
    return DeadLetter(
        id=sealed(_DEAD, queue, str(one.sequence)),
        queue=queue,
        sequence=one.sequence,
        kind="" if message.kind == UNREADABLE else message.kind,
        reason=one.reason,
        deliveries=one.deliveries,
        size=len(one.raw),
        correlation=message.correlation,
    )
