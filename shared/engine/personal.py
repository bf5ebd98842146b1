"""Personal data at work: names that have been kept long enough go by themselves, and one person's can be handed out or
erased on request. Nights, versions and what the record says of them stay as they are.

A living stay is changed under its site's head like everything else, a departed one under its own row's ETag. What is
erased stays out: the stay says so itself, and so does the index, which every report of a platform passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.domain.access import Person
from shared.domain.errors import StaleWrite, SyncError
from shared.domain.model import BookingConflict, Reservation, SiteState
from shared.domain.personal import (
    Sought,
    forgotten,
    is_name_overdue,
    overdue_names,
    overdue_notes,
    without_note,
)
from shared.domain.story import PERSON
from shared.engine.personal_found import Body, Found, Line, Note, stay_of
from shared.engine.side_by_side import side_by_side
from shared.engine.world import World
from shared.state.choices import ChoiceStore
from shared.state.departed import Departed, DepartedStore
from shared.state.history import KEPT, HistoryStore, history_lines, version_of
from shared.state.inbox import Delivery, Quarantined, SetAside, to_quarantined
from shared.state.people import PeopleStore
from shared.state.sites import Changes

KEPT_DAYS = 30
"""How many days after departure a guest's name is kept at most, when nothing else is said."""

LOOKED_FOR = 8
"""Days in which a raw body may still be worked off: younger ones are never taken away."""

TRIES = 8

MOST_DAYS = 30
"""Days of old bodies one nightly visit takes away, so that it ends in time; the next goes on."""

RETENTION = "retention"
"""In whose name what is old is erased."""

_CLEANED = "bodies cleaned"
_STILL = ("at", "by", "kind", "what", "correlation", "home", "on", "nights", "before")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: how many names, notes, lines of the record and bodies; and what it could not touch yet."""

    names: int
    notes: int
    lines: int
    bodies: int
    left: Found


class Personal:
    """Erases, and hands out."""

    def __init__(self, world: World, days: int = KEPT_DAYS) -> None:
        """``days`` after departure a name is kept at most."""
        self._world = world
        self.days = days
        self._departed = DepartedStore(world.tables)
        self._history = HistoryStore(world.tables)
        self._people = PeopleStore(world.tables)
        self._choices = ChoiceStore(world.tables)

    # ---------------------------------------------------------------------------------------- by itself

    async def clean(self, sites: Iterable[str]) -> int:
        """Erase what these sites have kept long enough; returns how many names and notes. Departed stays go as the
        record of them does. Two reads a site where there is nothing. A site that cannot be read is told, and comes
        again tomorrow."""

        async def one(site: str) -> int:
            try:
                return await self._clean_living(site) + await self._clean_departed(site)
            except SyncError as wrong:
                self._world.telemetry.event("names_kept_too_long", site=site, why=str(wrong))
                return 0

        gone = sum(await side_by_side(one, list(sites)))
        self._world.telemetry.count("names_erased", gone)
        return gone

    async def _clean_living(self, site: str) -> int:
        def old(state: SiteState) -> tuple[Sequence[Reservation], Sequence[BookingConflict]]:
            now = self._world.now()
            return overdue_names(state, now, self.days), overdue_notes(state, now, self.days)

        names, notes = await self._commit(site, old, RETENTION)
        return names + notes

    async def _clean_departed(self, site: str) -> int:
        departed, today = await self._departed.all(site), self._world.now().date()
        await self._departed.drop(site, (one for one in departed if _is_long_gone(one, today)))
        named = [one for one in departed if one.named and not _is_long_gone(one, today)]
        if not named:
            return 0
        state = await self._world.sites.load(site)
        now = self._world.now()
        old = [one for one in named if one.stay is None or is_name_overdue(state, one.stay, now, self.days)]
        return await self._departed.forget(site, old)

    async def clean_bodies(self) -> int:
        """Erase the bodies that nobody could process, or ever worked off, after as many days as names are kept; that
        they came, and why they could not be processed, stays as long as quarantine keeps it. One of which nobody can
        tell how old it is goes at once. Returns how many."""
        now, gone = self._world.now(), 0
        for row in await self._world.inbox.quarantined():
            one = to_quarantined(row)
            if one.at is None or (now - one.at > timedelta(days=self.days) and _may_name(one)):
                gone += await self._world.inbox.empty(one)
        return gone + await self._clean_inbox(now.date())

    async def _clean_inbox(self, today: date) -> int:
        """Day by day from where the last visit ended."""
        last = today - timedelta(days=max(self.days, LOOKED_FOR))
        note = await self._world.notes.read("~timers", _CLEANED)
        day = date.fromisoformat(note.text) if note.text else last - timedelta(days=MOST_DAYS)
        end = min(last, day + timedelta(days=MOST_DAYS))
        gone = 0
        while day < end:
            day += timedelta(days=1)
            for platform in self._world.apis:
                for delivery in await self._world.inbox.waiting(platform, _instant(day)):
                    await self._world.inbox.done(delivery)
                    gone += 1
        if note.text != day.isoformat():
            try:
                await self._world.notes.swap("~timers", _CLEANED, day.isoformat(), note.etag)
            except StaleWrite:
                return gone  # another host did the same
        return gone

    async def clean_people(self) -> int:
        """Forget who looks after nobody's homes any more, and how they wanted to be told; returns how many rows."""
        gone = await self._people.forget_strangers()
        choices = await self._choices.all()
        known = self._world.everywhere | (await self._people.names() if choices else frozenset[str]())
        for one in choices:
            gone += one.person not in known and await self._choices.drop(one)
        return gone

    # --------------------------------------------------------------------------------------- on request

    async def find(self, person: Person, wanted: Sought) -> Found:
        """Everything the tables hold of somebody, in the homes that ``person`` may look at. What belongs to no owner
        (bodies as they came) is looked through for who looks after everybody's homes alone."""
        sites = await self._sites(person.sees)
        found = await side_by_side(lambda site: self._in_site(site, wanted), sites)
        bodies = await self._bodies(wanted) if person.everywhere else ()
        return Found.joined([*found, Found(bodies=tuple(bodies), everywhere=person.everywhere)])

    async def erase(self, person: Person, wanted: Sought) -> Erased:
        """Erase what ``find`` finds, in the homes that ``person`` may change. Stays keep their nights. A body goes
        whole, and cannot be replayed afterwards; one that waits to be worked off is left, and said, and so is a site
        that cannot be written now. Raises ``StoreUnavailable`` when nothing can be read."""
        sites = await self._sites(person.decides)
        by = f"{PERSON}{person.name}"
        failed: list[str] = []

        async def one(site: str) -> tuple[int, int, int]:
            try:
                return await self._erase_in(site, wanted, by)
            except SyncError as wrong:
                self._world.telemetry.event("person_not_erased", site=site, why=str(wrong))
                failed.append(site)
                return 0, 0, 0

        counts = await side_by_side(one, sites)
        names, notes, lines = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        bodies = await self._erase_bodies(wanted) if person.everywhere else 0
        # By whom and how much; never whose name.
        self._world.telemetry.event("person_erased", names=names, notes=notes, lines=lines, bodies=bodies)
        left = (await self.find(person, wanted)).named()
        unread = tuple(sorted({*left.unread, *failed}))
        return Erased(names, notes, lines, bodies, replace(left, unread=unread))

    async def _sites(self, may: Callable[[str], bool]) -> list[str]:
        known = await self._world.accounts.directory("site")
        return [site for site, what in known.items() if may(what.get("owner", ""))]

    # -------------------------------------------------------------------------------------- one site

    async def _in_site(self, site: str, wanted: Sought) -> Found:
        try:
            state = await self._world.sites.load(site)
            departed = await self._departed.all(site)
            rows = await self._history.rows(site, 0, state.head.version + 1)
        except SyncError as wrong:
            self._world.telemetry.event("person_not_looked_for", site=site, why=str(wrong))
            return Found(unread=(site,))
        names = self._world.platform_names
        living = [one for one in state.reservations.values() if wanted.is_guest_of(one)]
        left = [one.stay for one in departed if one.stay is not None and wanted.is_guest_of(one.stay)]
        stays = [
            *(stay_of(state, one, names) for one in living),
            *(stay_of(state, one, names, departed=True) for one in left),
        ]
        keys = {one.key for one in (*living, *left)}
        notes = [_note(state, one) for one in _notes(state, keys, wanted)]
        lines = [
            Line(site, version_of(row), words, named=_is_named(words, wanted))
            for row in rows
            for words in history_lines(row)
            if _concerns(words, keys) or _is_named(words, wanted)
        ]
        return Found(tuple(stays), tuple(notes), tuple(lines))

    async def _erase_in(self, site: str, wanted: Sought, by: str) -> tuple[int, int, int]:
        """How many names, notes and lines. Raises ``StaleWrite``, ``StoreUnavailable``: then ask again, nothing is done
        twice."""
        keys: set[str] = set()

        def theirs(state: SiteState) -> tuple[Sequence[Reservation], Sequence[BookingConflict]]:
            stays = [one for one in state.reservations.values() if wanted.is_guest_of(one)]
            keys.update(one.key for one in stays)
            notes = [without_note(one) for one in _notes(state, keys, wanted)]
            return [forgotten(one) for one in stays if one.guest or not one.forgotten], notes

        departed = [
            one
            for one in await self._departed.all(site)
            if one.stay is not None and wanted.is_guest_of(one.stay)
        ]
        keys.update(one.stay.key for one in departed if one.stay is not None)
        await self._note_in_index(site, wanted, departed)
        names, notes = await self._commit(site, theirs, by)
        names += await self._departed.forget(site, departed)
        return names, notes, await self._redact(site, wanted)

    async def _note_in_index(self, site: str, wanted: Sought, departed: Iterable[Departed]) -> None:
        """First of all: whatever a platform says from now on has no name."""
        state = await self._world.sites.load(site)
        living = (one for one in state.reservations.values() if wanted.is_guest_of(one))
        for one in (*living, *(gone.stay for gone in departed if gone.stay is not None)):
            if not one.feed:
                await self._world.index.forget(one.account, one.id)

    async def _redact(self, site: str, wanted: Sought) -> int:
        """Take the name out of lines of the record (a calendar's UID may hold one), but for those about stays that are
        still there: their keys hold the same word, and a line must go on naming what it is about."""
        if not wanted.name:
            return 0
        state, gone = await self._world.sites.load(site), 0

        def change(words: dict[str, str]) -> dict[str, str]:
            if not _is_named(words, wanted) or _concerns(words, state.reservations.keys()):
                return words
            return {
                key: value if key in _STILL else wanted.without(value) if wanted.is_in(value) else value
                for key, value in words.items()
            }

        for row in await self._history.rows(site, 0, state.head.version + 1):
            before = history_lines(row)
            changed = sum(change(words) != words for words in before)
            if changed and await self._history.rewrite(row, change):
                gone += changed
        return gone

    async def _commit(
        self,
        site: str,
        choose: Callable[[SiteState], tuple[Sequence[Reservation], Sequence[BookingConflict]]],
        by: str,
    ) -> tuple[int, int]:
        """Write the stays and conflicts that ``choose`` gives, decided anew while others are first; how many."""
        for _ in range(TRIES):
            state = await self._world.sites.load(site)
            stays, notes = choose(state)
            if not stays and not notes:
                return 0, 0
            lines = list(_lines(state, stays, notes, by, self._world.now()))
            try:
                await self._world.sites.commit(
                    state, Changes(reservations=stays, conflicts=notes, history=lines)
                )
            except StaleWrite:
                continue
            return sum(1 for one in stays if state.reservations[one.key].guest), len(notes)
        raise StaleWrite(f"site {site}: others were first {TRIES} times")

    # ----------------------------------------------------------------------------------------- bodies

    async def _bodies(self, wanted: Sought) -> list[Body]:
        aside = [
            Body(one.name, one.source, one.raw, one.at, one.reason) for one in await self._set_aside(wanted)
        ]
        waiting = [
            Body(one.key, one.account, one.body, one.at, waits=self._waits(one))
            for one in await self._deliveries(wanted)
        ]
        return [*aside, *waiting]

    async def _erase_bodies(self, wanted: Sought) -> int:
        gone = 0
        for one in await self._set_aside(wanted):
            gone += await self._world.inbox.empty(one)
        for delivery in await self._deliveries(wanted):
            if not self._waits(delivery):
                await self._world.inbox.done(delivery)
                gone += 1
        return gone

    async def _set_aside(self, wanted: Sought) -> list[Quarantined]:
        rows = [to_quarantined(row) for row in await self._world.inbox.quarantined()]
        return [one for one in rows if _may_name(one) and wanted.is_in_body(one.raw)]

    async def _deliveries(self, wanted: Sought) -> list[Delivery]:
        """Raw bodies that still stand there and name somebody."""
        now = self._world.now()
        days = [now - timedelta(days=back) for back in range(max(self.days, LOOKED_FOR) + MOST_DAYS)]
        asked = [(platform, day) for platform in self._world.apis for day in days]
        found = await side_by_side(lambda one: self._world.inbox.waiting(*one), asked)
        return [one for day in found for one in day if wanted.is_in_body(one.body)]

    def _waits(self, delivery: Delivery) -> bool:
        """Whether it may still be worked off: what it tells would be lost with it."""
        age = self._world.now() - (delivery.at or self._world.now())
        return age <= timedelta(days=LOOKED_FOR)


def _is_long_gone(one: Departed, today: date) -> bool:
    """Whether a departed stay is older than the record of it: then nothing can be asked about it any more."""
    leaves = one.stay.leaves if one.stay is not None else None
    return leaves is not None and leaves + KEPT < today


def _may_name(one: Quarantined) -> bool:
    """Whether what is kept of it may name a guest: the messages of our own queues carry keys alone."""
    return bool(one.raw) and one.what is not SetAside.MESSAGE


def _notes(state: SiteState, keys: Iterable[str], wanted: Sought) -> list[BookingConflict]:
    """The conflicts with a note that names the person, or that is about one of these stays."""
    known = set(keys)
    return [
        one
        for one in state.conflicts.values()
        if one.decision is not None
        and one.decision.note
        and (known & set(one.conflicting_bookings) or wanted.is_in(one.decision.note))
    ]


def _note(state: SiteState, one: BookingConflict) -> Note:
    assert one.decision is not None, "only conflicts with a note are asked for"
    return Note(state.site.id, one.id, one.property_id, one.decision.note, one.decision.by, one.decision.at)


def _is_named(words: Mapping[str, str], wanted: Sought) -> bool:
    if not wanted.name:
        return False
    return any(wanted.is_in(value) for key, value in words.items() if key not in _STILL)


def _concerns(words: Mapping[str, str], keys: Iterable[str]) -> bool:
    """Whether a line is about one of these facts, or about what was closed for it."""
    about = {words.get("of", "").partition("#")[0], *words.get("between", "").split(" + ")}
    return any(key in about for key in keys)


def _lines(
    state: SiteState, stays: Iterable[Reservation], notes: Iterable[BookingConflict], by: str, now: datetime
) -> Iterable[dict[str, str]]:
    kind = "other" if by == RETENTION else "person"
    for one in stays:
        line = {"at": now.isoformat(), "by": by, "kind": kind, "what": "name erased", "of": one.key}
        on = next((part.listing for part in (*one.parts, *one.held()) if part.listing in state.listings), "")
        yield line | ({"on": on, "home": state.listings[on].property} if on else {})
    for clash in notes:
        line = {"at": now.isoformat(), "by": by, "kind": kind, "what": "note erased", "of": clash.id}
        yield line | {"home": clash.property_id}


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a partition is named by the day alone
