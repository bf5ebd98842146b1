"""Accounts: credentials' references, the units they sell, counters, leases; and the directory of everything.

One partition an account: ``account`` (what it is, its mode), ``unit|..`` (which listing a platform's id means),
``counter|..`` (observations), ``lease|..``, ``note|..`` (what all hosts agree on). The partition ``~directory`` lists
accounts, sites, shards and export links.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.bells import Bells
from shared.domain.drift import Drift
from shared.domain.errors import AlreadyExists, NotFound, StaleWrite, Unreadable
from shared.domain.export import token_hash
from shared.domain.facts import SOME_ROOM
from shared.domain.model import Account, SyncMode
from shared.domain.modes import ModeSetting, Rung, Standing, standing
from shared.domain.platform import Platform
from shared.ports.stores import Row, Tables, Value
from shared.state import cells, rungs, watched
from shared.state.names import ACCOUNTS, DIRECTORY
from shared.state.notes import PREFIX

_ACCOUNT = "account"
_COUNTER = "counter"
_OF_PLACE = frozenset({"site", "listing"})
_UNIT, _PAST_UNITS = "unit|", "unit}"

UNITS_AGE = timedelta(seconds=60)
"""How long a process keeps an account's units while nothing says that they changed: a release that does not stamp them
may have written one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a platform's unit, or an export link, belongs."""

    site: str
    listing: str


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account with its units. ``paused`` is why its platform revoked our access, empty when it did not; ``polled``
    when the last poll of its queue began that is stored whole, ``looked`` the same of its whole state, ``tried`` when a
    look began that some units gave no answer to. ``setting`` is what its owner chose, ``rung`` where the ladder stands.
    ``changed`` is when a unit of it was put or moved last (None: an older release did it); ``notes`` are its shared
    texts by name, as the same read gave them. ``bells`` and ``drift`` are for the watch alone: nothing is decided on
    them.
    """

    account: Account
    units: dict[str, Place]
    paused: str = ""
    polled: datetime | None = None
    looked: datetime | None = None
    setting: ModeSetting = field(default_factory=ModeSetting)
    rung: Rung = field(default_factory=Rung)
    tried: datetime | None = None
    bells: Bells = field(default_factory=Bells)
    drift: tuple[Drift, ...] = ()
    changed: datetime | None = None
    notes: Mapping[str, str] = field(default_factory=dict, repr=False)

    def place(self, unit: str) -> Place | None:
        """Where a unit belongs, or None. One of which only the place is known ("1234:*") is that place's only unit: a
        sale nobody could map must close something; of several none can be told from the others."""
        there = self.may_mean(unit)
        return next(iter(there)) if len(there) == 1 else None

    def may_mean(self, unit: str) -> frozenset[Place]:
        """Every listing a unit may mean: more than one where only the place is known and has several."""
        if unit in self.units:
            return frozenset({self.units[unit]})
        if not unit.endswith(f":{SOME_ROOM}"):
            return frozenset()
        house = unit.removesuffix(SOME_ROOM)
        return frozenset(place for name, place in self.units.items() if name.startswith(house))

    @property
    def standing(self) -> Standing:
        """The mode that holds now, and why."""
        return standing(self.setting, self.rung, self.paused)

    @property
    def last_look(self) -> datetime | None:
        """When its whole state was last asked for and its platform answered, for all of its units or some."""
        return max((at for at in (self.looked, self.tried) if at), default=None)

    @property
    def answered(self) -> datetime | None:
        """When the newest complete answer was asked for: a queue's or of the whole state. An account is fresh for three
        of its periods (rule 22)."""
        return max((at for at in (self.polled, self.looked) if at), default=None)


@dataclass(frozen=True, slots=True)
class _Units:
    """An account's units as they were read: under which stamp, and when."""

    stamp: str
    read: datetime
    places: dict[str, Place]


class AccountStore:
    """The ``Accounts`` table.

    An account of five hundred homes has as many unit rows, and is loaded for every call of its platform: they are read
    anew only when the stamp in the account's row is another. It is taken away before a unit is written and comes back
    after it: without one the units are always read, so that no process keeps older units under a newer stamp.
    """

    def __init__(self, tables: Tables, base_urls: Mapping[str, str] | None = None) -> None:
        """``base_urls`` say where a platform's API is, for accounts that do not say it themselves."""
        self._tables = tables
        self._base_urls = base_urls or {}
        self._kept: dict[str, _Units] = {}
        self._counters: dict[str, tuple[int, str | None]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def put(self, account: Account) -> None:
        """Add an account or change what it is; its state stays."""
        values = {
            "platform": account.platform,
            "owner": account.owner,
            "base_url": account.base_url,
            "key_ends": account.key_ends.isoformat() if account.key_ends else "",
            "secrets": cells.to_texts(f"{role}={name}" for role, name in sorted(account.secrets.items())),
        }
        await self._tables.upsert(ACCOUNTS, Row(account.id, _ACCOUNT, values))
        await self.list_in_directory("account", account.id, {"platform": account.platform})

    async def put_unit(self, account: str, unit: str, place: Place) -> None:
        """Say which listing a platform's id means; from then on the account is one that is asked by API. A new one has
        not been looked at yet: the account's whole state is asked for again."""
        known = await self._tables.get(ACCOUNTS, account, f"{_UNIT}{unit}")
        if known is None or not _says(known, place):
            stamp = f"{cells.to_instant(self._tables.now())} {unit}"
            before = {"units": ""} | ({"looked": "", "tried": ""} if known is None else {})
            await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, before))
            values = {"site": place.site, "listing": place.listing}
            await self._tables.upsert(ACCOUNTS, Row(account, f"{_UNIT}{unit}", values))
            await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, {"units": stamp}))
        await self.list_in_directory("account", account, {"api": "yes"})

    async def load(self, account: str) -> AccountState | None:
        """An account with all its units, or None: one small read, and one more where the units may have changed."""
        rows = {row.key: row for row in await self._tables.query(ACCOUNTS, account, stop=_UNIT)}
        row = rows.get(_ACCOUNT)
        if row is None or not row.values.get(
            "platform"
        ):  # what it is was never written, or by nobody we know
            return None
        pairs = (one.partition("=") for one in cells.texts(row.values, "secrets"))
        units = await self._units(account, cells.text(row.values, "units"))
        platform = cells.text(row.values, "platform")
        value = Account(
            account,
            Platform(platform),
            cells.text(row.values, "owner"),
            {role: name for role, _, name in pairs},
            cells.text(row.values, "base_url") or self._base_urls.get(platform, ""),
            watched.to_day(row.values, "key_ends"),
        )
        ladder = rows.get(PREFIX + rungs.NOTE)
        return AccountState(
            value,
            units,
            cells.text(row.values, "paused"),
            cells.instant(row.values, "polled"),
            cells.instant(row.values, "looked"),
            _setting(row),
            Rung() if ladder is None else rungs.from_text(cells.text(ladder.values, "text")),
            cells.instant(row.values, "tried"),
            watched.to_bells(row.values),
            watched.to_drift(row.values),
            changed=_stamped(cells.text(row.values, "units")),
            notes=_notes(rows),
        )

    async def _units(self, account: str, stamp: str) -> dict[str, Place]:
        """The account's units as of that stamp or later; without a stamp they are always read."""
        kept, now = self._kept.get(account), self._tables.now()
        if kept is not None and stamp and kept.stamp == stamp and now - kept.read < UNITS_AGE:
            return kept.places
        rows = await self._tables.query(ACCOUNTS, account, start=_UNIT, stop=_PAST_UNITS)
        places = {row.key.removeprefix(_UNIT): _place(row) for row in rows}
        self._kept[account] = _Units(stamp, now, places)
        return places

    async def choose(self, account: str, setting: ModeSetting) -> None:
        """Store what its owner chose."""
        values: dict[str, Value] = {
            "mode": setting.wanted.value,
            "poll_minutes": setting.poll_minutes,
            "batch_minutes": setting.batch_minutes,
        }
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, values))

    async def pause(self, account: str, why: str) -> None:
        """Send nothing into the account until it is resumed (with an empty reason)."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, {"paused": why}))
        await self.list_in_directory("account", account, {"paused": why})

    async def note_poll(self, account: str, begun: datetime) -> None:
        """Everything a poll that began then had to tell is stored."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, {"polled": cells.to_instant(begun)}))

    async def note_look(self, account: str, begun: datetime) -> None:
        """The whole state that was asked for then is stored."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, {"looked": cells.to_instant(begun)}))

    async def note_try(self, account: str, begun: datetime) -> None:
        """The whole state was asked for then, and a part of it was not to be had."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, {"tried": cells.to_instant(begun)}))

    async def note_call(self, account: str, at: datetime) -> None:
        """A call of its platform was worked off then."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, watched.from_call(at)))

    async def note_missed(self, account: str, missed: Iterable[datetime]) -> None:
        """Looks of ours found then what nobody had called about."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, watched.from_missed(missed)))

    async def note_drift(self, account: str, drift: Iterable[Drift]) -> None:
        """Nights that were found open over closures of ours."""
        await self._tables.upsert(ACCOUNTS, Row(account, _ACCOUNT, watched.from_drift(drift)))

    async def next_observation(self, account: str) -> int:
        """The account's next counter, taken by compare-and-swap before a request begins (rule 6). One for all its
        sources: a queue, a re-read and a whole state are compared with each other. While nobody else counts, what this
        process wrote last needs no reading."""
        async with self._turns.setdefault(
            account, asyncio.Lock()
        ):  # else those of one process overtake each other
            last = self._counters.pop(account, None)
            while True:
                value, etag = last or await self._counter(account)
                row, last = Row(account, _COUNTER, {"value": value + 1}), None
                try:
                    if etag is None:
                        etag = await self._tables.insert(ACCOUNTS, row)
                    else:
                        etag = await self._tables.update(ACCOUNTS, row, etag)
                except (AlreadyExists, StaleWrite, NotFound):
                    continue
                self._counters[account] = (value + 1, etag)
                return value + 1

    async def _counter(self, account: str) -> tuple[int, str | None]:
        row = await self._tables.get(ACCOUNTS, account, _COUNTER)
        return (0, None) if row is None else (cells.number(row.values, "value"), row.etag)

    # ------------------------------------------------------------------------------------- leases

    async def lease(self, account: str, name: str, span: timedelta) -> int | None:
        """Take a lease by store time; returns its fence, or None while somebody else holds it."""
        key = f"lease|{name}"
        row = await self._tables.get(ACCOUNTS, account, key)
        # Only now: a new process knows the store's time from its first answer on (rule 26).
        now = self._tables.now()
        until = None if row is None else cells.instant(row.values, "until")
        if until is not None and until > now:
            return None
        fence = 1 if row is None else cells.number(row.values, "fence") + 1
        values: dict[str, Value] = {"until": cells.to_instant(now + span), "fence": fence}
        try:
            if row is None or row.etag is None:
                await self._tables.insert(ACCOUNTS, Row(account, key, values))
            else:
                await self._tables.update(ACCOUNTS, Row(account, key, values), row.etag)
        except (AlreadyExists, StaleWrite):
            return None
        return fence

    async def renew(self, account: str, name: str, fence: int, span: timedelta) -> bool:
        """Have a lease for so long from now on; False where it is ours no more."""
        key = f"lease|{name}"
        row = await self._tables.get(ACCOUNTS, account, key)
        until = None if row is None else cells.instant(row.values, "until")
        now = self._tables.now()
        if row is None or row.etag is None or until is None or until <= now:
            return False
        if cells.number(row.values, "fence") != fence:
            return False
        values: dict[str, Value] = {"until": cells.to_instant(now + span), "fence": fence}
        try:
            await self._tables.update(ACCOUNTS, Row(account, key, values), row.etag)
        except (StaleWrite, NotFound):
            return False
        return True

    async def holds(self, account: str, name: str, fence: int) -> bool:
        """Whether the lease is still ours: asked right before what only its holder may do."""
        row = await self._tables.get(ACCOUNTS, account, f"lease|{name}")
        until = None if row is None else cells.instant(row.values, "until")
        if row is None or until is None:
            return False
        return cells.number(row.values, "fence") == fence and until > self._tables.now()

    async def leased_until(self, account: str, name: str) -> datetime | None:
        """Until when a lease was taken last, which for one that was given back is when; None for one nobody took."""
        row = await self._tables.get(ACCOUNTS, account, f"lease|{name}")
        return None if row is None else cells.instant(row.values, "until")

    async def release(self, account: str, name: str, fence: int, until: datetime | None = None) -> None:
        """Give the lease back (or keep others out until an instant: a pause the platform asks for)."""
        key = f"lease|{name}"
        row = await self._tables.get(ACCOUNTS, account, key)
        if row is None or row.etag is None or cells.number(row.values, "fence") != fence:
            return
        ends = until or self._tables.now()
        try:
            await self._tables.update(
                ACCOUNTS, Row(account, key, {"until": cells.to_instant(ends)}), row.etag
            )
        except StaleWrite:
            return

    # ---------------------------------------------------------------------------------- directory

    async def list_in_directory(self, kind: str, name: str, values: dict[str, str]) -> None:
        """Make something findable."""
        await self._tables.upsert(ACCOUNTS, Row(DIRECTORY, f"{kind}|{name}", values))

    async def directory(self, kind: str, begins: str = "") -> dict[str, dict[str, str]]:
        """Everything of a kind ("account", "site", "shard") whose name begins so, by name."""
        first = f"{kind}|"
        start, stop = first + begins, first + begins + chr(0x10FFFF)
        rows = await self._tables.query(ACCOUNTS, DIRECTORY, start=start, stop=stop)
        return {row.key.removeprefix(first): {k: str(v) for k, v in row.values.items()} for row in rows}

    async def put_links(self, links: Iterable[tuple[str, Place]]) -> None:
        """Make export links findable. They only say where to look: what a token still opens is the listing's to say."""
        for token, place in links:
            await self.list_in_directory(
                "export", token_hash(token), {"site": place.site, "listing": place.listing}
            )

    async def find_link(self, token: str) -> Place | None:
        """Which listing's export a token may open, or None.

        Nothing compares a token with a stored one letter by letter: the key is its hash, of which a guess shares the
        first letters by chance alone, so how long the look-up takes tells nothing about how near a guess is.
        """
        row = await self._tables.get(ACCOUNTS, DIRECTORY, f"export|{token_hash(token)}")
        if row is None:
            return None
        return _place(row)

    async def drop_link(self, hashed: str) -> None:
        """Make an export link that opens nothing any more unfindable, by the hash of its token."""
        await self._tables.delete(ACCOUNTS, DIRECTORY, f"export|{hashed}")


def _place(row: Row) -> Place:
    """Where something belongs. A row that does not say it is unreadable: a stay at no listing would hold no nights."""
    values = cells.having(row.values, _OF_PLACE)
    return Place(cells.text(values, "site"), cells.text(values, "listing"))


def _says(row: Row, place: Place) -> bool:
    try:
        return _place(row) == place
    except Unreadable:  # an import puts it right
        return False


def _stamped(stamp: str) -> datetime | None:
    """When the units changed last, by their stamp; None without one, while they are being changed, or where another
    release writes it in another form: only the watch asks."""
    try:
        return cells.from_instant(stamp.partition(" ")[0]) if stamp else None
    except Unreadable:
        return None


def _notes(rows: Mapping[str, Row]) -> dict[str, str]:
    """The notes that are texts, by name; for the watch alone."""
    found = {
        key.removeprefix(PREFIX): row.values.get("text")
        for key, row in rows.items()
        if key.startswith(PREFIX)
    }
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _setting(row: Row) -> ModeSetting:
    """What was chosen; a mode of a newer release is AUTO here, which closes what must be closed."""
    usual, written = ModeSetting(), cells.text(row.values, "mode")
    return ModeSetting(
        SyncMode(written) if written in set(SyncMode) else usual.wanted,
        cells.number(row.values, "poll_minutes") or usual.poll_minutes,
        cells.number(row.values, "batch_minutes") or usual.batch_minutes,
    )
