"""A double booking as its page shows it: what the API tells, the guests' short names, and what happened since.

This is one of the two places where a guest's name is shown: whoever decides about two stays has to know whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from shared.domain.access import Person
from shared.domain.model import SiteState
from shared.domain.proposals import ProposalKind
from shared.domain.record import Kind, kind_of
from shared.domain.spoken import LANGUAGES, Names, names_of
from shared.engine.conflict_cases import Case, Cases
from shared.engine.conflict_text import LABELS
from shared.engine.conflict_view import Json
from shared.engine.why_view import steps
from shared.engine.world import World
from shared.state.history import Entry, HistoryStore

MOST_BACK = 1_000
"""Commits of the record that are looked at, newest first: a conflict is over within hours or days."""

STRETCH = 200
"""Commits one read brings."""

MOST_LINES = 40
"""Lines shown, the newest of them."""

_ARRIVED = frozenset({"close accepted", "close seen", "close failed", "open accepted", "open failed"})
"""Steps of a closure that tell a person something; that it was decided and sent goes without saying."""

_BREATH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """One conflict: ``shown`` as the API has it, its sides with home and guest, the newest ``lines`` of the record
    about it, whether this person may decide, and the instant (store time) at which all of it was so."""

    case: Case
    shown: Json
    sides: tuple[Mapping[str, object], ...]
    lines: tuple[Json, ...]
    decides: bool
    at: datetime
    names: Names

    @property
    def tag(self) -> str:
        """What a decision has to name."""
        return self.case.tag

    @property
    def mark(self) -> str:
        """What tells this page from a later one."""
        return mark_of(self.case)

    @property
    def zone(self) -> str:
        """In which its times are told."""
        return self.case.zone

    @property
    def platforms(self) -> Mapping[str, str]:
        """The proper names of the platforms of its sides, by id."""
        return {
            str(one.platform): self.names.listings.get(one.listing, one.platform)
            for one in self.case.clash.sides
        }

    @property
    def nights(self) -> int:
        """How many nights are sold twice."""
        return sum(len(dates) for dates in self.case.clash.exact)


class ConflictPages:
    """Puts pages of conflicts together."""

    def __init__(self, world: World, cases: Cases) -> None:
        self._world = world
        self._cases = cases
        self._record = HistoryStore(world.tables)

    async def show(self, person: Person, name: str) -> ConflictPage:
        """Raises ``NotFound``, ``StoreUnavailable``."""
        return await self.of(person, await self._cases.shown(person, name))

    async def of(self, person: Person, case: Case) -> ConflictPage:
        """The page of a conflict that was just loaded."""
        return ConflictPage(
            case,
            self._cases.whole(case),
            tuple(_sides(case.state, case)),
            tuple(await self._lines(case)),
            person.decides(case.state.site.owner),
            self._world.now(),
            names_of(case.state, self._world.platform_names),
        )

    async def _lines(self, case: Case) -> list[Json]:
        """What the record says of the conflict and of its facts since it was found, oldest first."""
        site, high = case.state.site.id, case.state.head.version + 1
        low = max(0, high - MOST_BACK)
        if case.clash.detected_at is not None:
            begun = case.clash.detected_at - _BREATH
            low = max(low, await self._record.first_since(site, begun, high - 1))
        found: list[Entry] = []
        while high > low and len(found) < MOST_LINES:
            start = max(low, high - STRETCH)
            entries = await self._record.entries(site, start, high)
            found = [entry for entry in entries if _is_about(entry, case)] + found
            high = start
        newest = found[-MOST_LINES:]
        told = steps(newest, names_of(case.state, self._world.platform_names))
        return [_with_choice(line, entry) for line, entry in zip(told, newest, strict=True)]


def mark_of(case: Case) -> str:
    """What of a conflict is worth telling somebody who has its page open: facts and decision, who takes care of it,
    whether its end was confirmed."""
    clash = case.clash
    by = clash.acknowledged.by if clash.acknowledged else ""
    told = f"{case.tag}\n{by}\n{clash.verified_at}"
    return sha256(told.encode()).hexdigest()[:16]


def _with_choice(line: Json, entry: Entry) -> Json:
    """A decision's line with what was chosen."""
    chosen = entry.words.get("choice", "")
    text = line["text"]
    if chosen not in set(ProposalKind) or not isinstance(text, dict):
        return line
    label = LABELS[ProposalKind(chosen)]
    colon = {"fr": "\u202f: ", "en": ": "}
    return {
        **line,
        "text": {lang: f"{text[lang].rstrip('.')}{colon[lang]}{label[lang]}." for lang in LANGUAGES},
    }


def _is_about(entry: Entry, case: Case) -> bool:
    words, clash = entry.words, case.clash
    of = words.get("of", "")
    if of == clash.id:
        return True
    if of.partition("#")[0] not in clash.conflicting_bookings:
        return False
    if kind_of(words) in (Kind.CLOSURE, Kind.OPENING):
        return words.get("what") in _ARRIVED
    return kind_of(words) in (Kind.FACT, Kind.PERSON)


def _sides(state: SiteState, case: Case) -> Sequence[Mapping[str, object]]:
    """Each side with the names of its home and of its guest, empty where none is known (any more)."""
    found = []
    for side in case.clash.sides:
        home, fact = state.site.properties.get(side.home), state.reservations.get(side.key)
        found.append({"home": home.name if home else side.home, "guest": fact.guest if fact else ""})
    return found
