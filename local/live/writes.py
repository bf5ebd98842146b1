"""One far-off free night of a marked listing: closed, read back, opened again, read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from local.live.accounts import held_nights
from local.live.beliefs import Seen
from local.live.ledger import Ledger
from local.live.permit import LEAST_AHEAD
from local.live.words import Outcome, Step, Words
from shared.domain.dates import StayDates
from shared.domain.errors import SyncError
from shared.domain.model import Account, Listing, Write
from shared.domain.platform import AIRBNB, BOOKING
from shared.ports.people import Sleep
from shared.ports.platforms import ApiConnector

WINDOW = 60
"""Nights from the first allowed one among which a free one is looked for."""

LOOKS, BETWEEN = 6, 5.0
"""Readings of a night until it shows what was written, and the seconds between two: half a minute in all."""

_DEADLINE = timedelta(seconds=30)
_BELIEF = {AIRBNB: "airbnb-write", "channex": "channex-write"}


@dataclass(frozen=True, slots=True)
class Writer:
    """What a write needs. ``connector`` is one behind ``MarkedOnly``; ``now`` is aware, in UTC."""

    connector: ApiConnector
    ledger: Ledger
    now: Callable[[], datetime]
    sleep: Sleep

    async def try_unit(
        self, account: Account, listing: Listing, asked: bool
    ) -> tuple[list[Step], list[Seen]]:
        """Close a night and open it again, or without ``asked`` say which it would be."""
        try:
            found = await self._free_night(account, listing)
        except SyncError as wrong:
            return [Step(listing.id, Outcome.FAILED, Words(str(wrong), str(wrong)))], []
        if found is None:
            return [Step(listing.id, Outcome.SKIPPED, _NO_NIGHT)], []
        if not asked:
            return [Step(listing.id, Outcome.SKIPPED, _would(found[0]))], []
        step, seen = await self._close(account, listing, *found)
        # Whatever became of the closure, an answer that was lost included: the night goes back to what it was.
        return [step, await self.open_again(account, listing, *found)], seen

    async def _close(
        self, account: Account, listing: Listing, night: date, level: int
    ) -> tuple[Step, list[Seen]]:
        self.ledger.put(listing.id, night, level)
        try:
            closed = await self._set(account, listing, night, 0)
        except SyncError as wrong:
            return Step(listing.id, Outcome.FAILED, Words(str(wrong), str(wrong))), []
        return _step(listing, night, closed, Words("fermée", "closed")), _beliefs(account, closed)

    async def open_again(self, account: Account, listing: Listing, night: date, level: int) -> Step:
        """Put the night back to the level it had, unless somebody sold it meanwhile: then it is theirs."""
        try:
            stays = await self.connector.stays(account, listing.unit)
            if night in held_nights(stays, listing.unit):
                self.ledger.take(listing.id, night)
                return Step(listing.id, Outcome.DONE, _sold(night))
            opened = await self._set(account, listing, night, level)
        except SyncError as wrong:
            return Step(listing.id, Outcome.LEFT, Words(f"{night}\u202f: {wrong}", f"{night}: {wrong}"))
        if opened.shown == level:
            self.ledger.take(listing.id, night)
            return _step(listing, night, opened, Words("rouverte", "open again"))
        return Step(listing.id, Outcome.LEFT, _not_back(night, opened.shown))

    async def _free_night(self, account: Account, listing: Listing) -> tuple[date, int] | None:
        """The first night of the window with one unit for sale and in no stay. Where several are for sale, one that is
        sold meanwhile could not be told from the rest when the night is opened again."""
        first = self.now().date() + timedelta(days=LEAST_AHEAD + 1)
        window = StayDates.of_nights(first, WINDOW)
        held = held_nights(await self.connector.stays(account, listing.unit), listing.unit)
        levels = await self.connector.read_levels(account, listing, window)
        free = [night for night in window.nights() if levels.get(night) == 1 and night not in held]
        return (free[0], levels[free[0]]) if free else None

    async def _set(self, account: Account, listing: Listing, night: date, level: int) -> _Set:
        """Write one level, then look until the platform shows it or half a minute is over."""
        write = Write(fence=1, deadline=self.now() + _DEADLINE, levels={night: level})
        outcome = await self.connector.write(account, listing, write)
        dates, shown = StayDates.of_nights(night, 1), None
        for look in range(LOOKS):
            shown = (await self.connector.read_levels(account, listing, dates)).get(night)
            if shown == level:
                break
            if look < LOOKS - 1:
                await self.sleep(BETWEEN)
        return _Set(level, shown, night in outcome.accepted, outcome.refused.get(night, ""))


@dataclass(frozen=True, slots=True)
class _Set:
    wanted: int
    shown: int | None
    accepted: bool
    refused: str


_NO_NIGHT = Words(
    f"aucune nuit libre d’une seule unité au-delà de {LEAST_AHEAD} jours\u202f: rien n’a été écrit",
    f"no free night of a single unit more than {LEAST_AHEAD} days ahead: nothing was written",
)


def _would(night: date) -> Words:
    return Words(
        f"fermerait puis rouvrirait la nuit du {night}\u202f: LIVE_WRITES=1",
        f"would close the night of {night} and open it again: LIVE_WRITES=1",
    )


def _sold(night: date) -> Words:
    return Words(
        f"{night} a été vendue entre-temps\u202f: elle reste fermée, elle est à ce séjour",
        f"{night} was sold meanwhile: it stays closed, it is that stay's",
    )


def _not_back(night: date, shown: int | None) -> Words:
    return Words(f"{night} montre encore {shown}", f"{night} still shows {shown}")


def _step(listing: Listing, night: date, done: _Set, word: Words) -> Step:
    good = done.accepted and done.shown == done.wanted
    reason = done.refused or f"accepted {done.accepted}, shown {done.shown}"
    fr = f"{night} {word.fr} et relue" if good else f"{night}\u202f: {reason}"
    en = f"{night} {word.en}, and read back so" if good else f"{night}: {reason}"
    return Step(listing.id, Outcome.DONE if good else Outcome.FAILED, Words(fr, en))


def _beliefs(account: Account, closed: _Set) -> list[Seen]:
    seen = []
    if name := _BELIEF.get(account.platform):
        agrees = closed.accepted == (closed.shown == closed.wanted)
        seen.append(Seen(name, agrees, f"accepted {closed.accepted}, then shown {closed.shown}"))
    if account.platform == BOOKING and closed.refused:
        seen.append(Seen("booking-refusal", True, f"the one night was refused: {closed.refused}"))
    return seen
