"""Modes: outcomes into the ladder, and what a step on it sets off: a record, one notice, and the work that waited.

Every host sees outcomes; the rung is shared by compare-and-swap, and whoever moves it tells of it, so a change is told
once. That it is untold stands in the rung until then: whoever dies in between leaves it to the health timer. A success
in REAL_TIME costs nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.errors import (
    AuthFailed,
    CircuitOpen,
    PlatformDown,
    RateLimited,
    StaleWrite,
    StoreUnavailable,
    SyncError,
    Unreadable,
)
from shared.domain.model import Account, SiteState, SyncMode
from shared.domain.modes import CHOSEN, UNREAD, Ending, ModeSetting, Outcome, Rung, Standing, standing
from shared.domain.platform import Link
from shared.domain.setbacks import said
from shared.engine.world import WORK, World
from shared.ports.bus import Message
from shared.ports.people import Notice
from shared.ports.stores import Row
from shared.state import rungs
from shared.state.accounts import AccountState
from shared.state.names import RUNS

ACCOUNT_AGE = timedelta(seconds=5)
"""How old an account's row may be when a site is planned; each process keeps its own copy."""

UNREAD_EVERY = timedelta(hours=1)
"""How often a process says of an account that its rows cannot be read; the health report says it all the while."""

CHANGES = "~modes"
"""The partition of ``Runs`` that remembers every change of mode, by instant."""

KEPT = timedelta(days=400)
"""How long a change of mode is remembered."""

UNTOLD_AFTER = timedelta(seconds=30)
"""How long whoever moved a rung has to tell of it; then the health timer does."""

NEVER = datetime.min.replace(tzinfo=UTC)

TRIES = 5

_ORDER = (SyncMode.MANUAL, SyncMode.BATCH, SyncMode.REAL_TIME)

_WORDS = {
    SyncMode.REAL_TIME: ("temps réel", "real time"),
    SyncMode.BATCH: ("par lots", "batch"),
    SyncMode.MANUAL: ("manuel", "manual"),
}


_NOTHING = (
    " Rien n’est envoyé\u202f: fermez à la main les nuits listées sur la page «\u202fAujourd’hui\u202f».",
    " Nothing is sent: close by hand the nights listed on the page “Today”.",
)
_LEVELS = {SyncMode.REAL_TIME: 0.0, SyncMode.BATCH: 1.0, SyncMode.MANUAL: 2.0}
"""The gauge ``mode``: the higher, the less often an account is asked."""


class Modes:
    """The ladder of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts: dict[str, tuple[datetime, AccountState | None]] = {}
        self._unread: dict[str, datetime] = {}  # when it was said last

    async def account(self, name: str) -> AccountState | None:
        """An account with its units and its standing, at most 5 s old."""
        now = self._world.now()
        cached = self._accounts.get(name)
        if cached is not None and now - cached[0] < ACCOUNT_AGE:
            return cached[1]
        loaded = await self._world.accounts.load(name)
        self._accounts[name] = (now, loaded)
        return loaded

    async def readable(self, name: str, *, fresh: bool = False) -> AccountState | None:
        """The same (``fresh``: read anew, not this process's copy); None also for one whose rows this release cannot
        read: it holds up no other. The health report names it, and the log now and then."""
        try:
            found = await (self._world.accounts.load(name) if fresh else self.account(name))
        except Unreadable as odd:
            now = self._world.now()
            if now - self._unread.get(name, NEVER) >= UNREAD_EVERY:
                self._unread[name] = now
                self._world.telemetry.event("account_unreadable", account=name, why=str(odd))
            return None
        self._unread.pop(name, None)
        return found

    async def silent(self, state: SiteState) -> dict[str, str]:
        """The listings of a site into which nothing goes out by itself now, each with the reason."""
        found: dict[str, str] = {}
        for listing in state.listings.values():
            if listing.link is Link.API:
                account = await self.readable(listing.account)
                now_on = account.standing if account is not None else UNREAD
                found |= {} if now_on.sends else {listing.id: now_on.reason}
        return found

    async def answered(self, state: AccountState) -> None:
        """The account's platform gave an answer."""
        if state.rung == Rung(since=state.rung.since):
            return
        await self._note(state, Outcome(Ending.OK, self._world.now()))

    async def failed(self, state: AccountState, wrong: SyncError) -> None:
        """Asking it failed. What says nothing about the platform (a refused message, our own store) moves nothing; an
        open circuit does: it is the memory of calls that failed."""
        ending = next((end for kind, end in _ENDINGS if isinstance(wrong, kind)), None)
        if ending is not None:
            wait = wrong.retry_after if isinstance(wrong, (RateLimited, CircuitOpen)) else None
            await self._note(state, Outcome(ending, self._world.now(), str(wrong), wait))

    async def choose(self, state: AccountState, setting: ModeSetting, who: str) -> Standing:
        """Take what an owner chose, and send what waited for it. ``who`` chose stands in the record of changes alone: a
        name is no log's."""
        name = state.account.id
        before, after = state.standing, standing(setting, state.rung, state.paused)
        await self._world.accounts.choose(name, setting)
        self._accounts.pop(name, None)
        if before.mode is not after.mode:
            at = self._world.now()
            await self._record(state.account, before.mode, after, CHOSEN, at, who)
            if after.sends and not before.sends:
                await self.release(state, f"{name} is no longer manual")
        return after

    async def release(self, state: AccountState, reason: str) -> None:
        """Send what waited, site by site. Not before every process has forgotten how the account stood, or one would
        find nothing to send and take the due row away."""
        due = self._world.now() + 2 * ACCOUNT_AGE
        for site in {place.site for place in state.units.values()}:
            etag = await self._world.due.put(site, due, reason)
            await self._world.ring(WORK, Message("site", site, etag, due=due))

    async def history(self, most: int = 20) -> list[dict[str, str]]:
        """The last changes, newest first."""
        rows = await self._world.tables.query(RUNS, CHANGES)
        return [{name: str(value) for name, value in row.values.items()} for row in rows[: -most - 1 : -1]]

    async def forget(self, most: int = 200) -> int:
        """Take away changes older than ``KEPT``, oldest first, at most so many; returns how many."""
        oldest = (self._world.now() - KEPT).isoformat()
        rows = await self._world.tables.query(RUNS, CHANGES, stop=oldest)
        for row in rows[:most]:
            await self._world.tables.delete(RUNS, CHANGES, row.key)
        return len(rows[:most])

    async def _note(self, state: AccountState, outcome: Outcome) -> None:
        name, known = state.account.id, state.rung
        if self._world.ladder(known, outcome) is known:
            return
        for _ in range(TRIES):
            note = await self._world.notes.read(name, rungs.NOTE)
            before = rungs.from_text(note.text)
            after = self._world.ladder(before, outcome)
            if after == before:
                return
            after = replace(after, untold=_untold(state, before, after))
            try:
                await self._world.notes.swap(name, rungs.NOTE, rungs.to_text(after), note.etag)
            except StaleWrite:
                continue
            if after.mode is not before.mode and _is_felt(state):
                await self._moved(state, before.mode, after, waited=before.mode is SyncMode.MANUAL)
            return

    async def tend(self) -> None:
        """Tell of changes that somebody made and did not live to tell of."""
        for name, what in (await self._world.accounts.directory("account")).items():
            state = await self.readable(name) if what.get("api") else None
            if state is None or state.rung.untold is None or not _is_felt(state):
                continue
            if self._world.now() - (state.rung.since or NEVER) < UNTOLD_AFTER:
                continue  # whoever moved it may be telling of it now
            rung = rungs.from_text((await self._world.notes.read(name, rungs.NOTE)).text)
            if rung.untold is not None:
                await self._moved(state, rung.untold, rung, waited=True)

    async def _moved(self, state: AccountState, before: SyncMode, after: Rung, *, waited: bool) -> None:
        """What a step sets off, and then that it was told. Twice is the same as once: the notice goes by the step's own
        instant. ``waited``: work may stand there that was not sent."""
        now_on, at = standing(state.setting, after), after.since or self._world.now()
        if before is not after.mode:  # it may be back where people last heard of it
            await self._record(state.account, before, now_on, after.reason or "it answers again", at)
        if now_on.sends and waited:
            await self.release(state, f"{state.account.id} answers again")
        await self._was_told(state.account.id, after)

    async def _was_told(self, name: str, told: Rung) -> None:
        """Take the mark away, unless the rung has moved on: then it belongs to whoever moved it."""
        for _ in range(TRIES):
            note = await self._world.notes.read(name, rungs.NOTE)
            rung = rungs.from_text(note.text)
            if rung.untold is None or (rung.mode, rung.since) != (told.mode, told.since):
                return
            try:
                text = rungs.to_text(replace(rung, untold=None))
                await self._world.notes.swap(name, rungs.NOTE, text, note.etag)
            except StaleWrite:
                continue
            return

    async def _record(
        self, account: Account, before: SyncMode, after: Standing, reason: str, at: datetime, who: str = ""
    ) -> None:
        values = {"at": at.isoformat(), "account": account.id, "reason": reason}
        values |= {"from": before.value, "to": after.mode.value}
        self._world.telemetry.event("mode_changed", **values, platform=account.platform)
        self._world.telemetry.gauge("mode", _LEVELS.get(after.mode, 0.0), platform=account.platform)
        name = self._world.platform_names.get(account.platform, account.platform)
        await self._world.notify.tell(_notice(account, name, before, after, reason, at.isoformat()))
        values |= {"by": who} if who else {}
        try:
            await self._world.tables.upsert(RUNS, Row(CHANGES, f"{at.isoformat()}|{account.id}", values))
        except StoreUnavailable:
            # The change itself is stored: what follows from it matters more than its record.
            self._world.telemetry.count("mode_change_unrecorded")


def _is_felt(state: AccountState) -> bool:
    """Whether a step of the ladder changes anything for anybody: below what a person chose, or what holds, it only goes
    on counting."""
    return state.setting.wanted is SyncMode.AUTO and not state.paused


def _untold(state: AccountState, before: Rung, after: Rung) -> SyncMode | None:
    """The mode that people last heard of, where that is not the one it has now."""
    if after.mode is before.mode or not _is_felt(state):
        return before.untold
    return before.untold or before.mode


def _notice(whose: Account, name: str, before: SyncMode, after: Standing, reason: str, at: str) -> Notice:
    """``name`` is its platform's; an account that is called the same is named once."""
    account = whose.id
    called = account if name == account else f"{name} ({account})"
    up = _ORDER.index(after.mode) > _ORDER.index(before)
    severity = "info" if up else "critical" if after.mode is SyncMode.MANUAL else "high"
    (was_fr, was_en), (is_fr, is_en) = _WORDS[before], _WORDS[after.mode]
    nothing = ("", "") if after.sends else _NOTHING
    why = said(reason)
    text = {
        "fr": f"{called}\u202f: {was_fr} → {is_fr} ({why['fr']}).{nothing[0]}",
        "en": f"{called}: {was_en} -> {is_en} ({why['en']}).{nothing[1]}",
    }
    # One that comes and goes all day is told of once an hour; that nothing is sent any more, each time.
    told = f"{account} {before} {after.mode}" if after.sends else f"{account} {at}"
    return Notice("mode_changed", told, severity, text, whose.owner)


_ENDINGS: tuple[tuple[type[SyncError], Ending], ...] = (
    (AuthFailed, Ending.REFUSED),
    (RateLimited, Ending.LIMITED),
    (PlatformDown, Ending.DOWN),
    (CircuitOpen, Ending.DOWN),
)
