"""The conflict desk: tells the owner of a double sale, once, and notes that it did."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.errors import PayloadRejected, StaleWrite
from shared.domain.model import BookingConflict, SiteState
from shared.engine.world import World
from shared.ports import Notice
from shared.state.sites import Changes


class ConflictDesk:
    """Works off the queue of conflicts."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle(self, key: str) -> None:
        """Tell of one conflict (``site/id``), then mark it told under the site's head; doubled messages tell once more
        at worst. Raises ``PayloadRejected`` for a key that names nothing."""
        site, _, name = key.rpartition("/")
        if not site:
            raise PayloadRejected(f"{key!r} names no conflict")
        for _ in range(8):
            state = await self._world.sites.load(site)
            clash = state.conflicts.get(name)
            if clash is None or clash.told:
                return
            await self._world.notify.tell(_notice(state, clash))
            lines = [{"at": self._world.now().isoformat(), "by": "conflict desk", "what": "told", "of": name}]
            try:
                changes = Changes(conflicts=[replace(clash, told=True)], history=lines)
                await self._world.sites.commit(state, changes)
            except StaleWrite:
                continue
            self._world.telemetry.event("conflict_told", site=site, conflict=name, ended=bool(clash.ended_at))
            return
        raise StaleWrite(f"site {site} kept changing")


def _notice(state: SiteState, clash: BookingConflict) -> Notice:
    """Exact nights and channels, no guest's name: a notice travels through strangers' hands."""
    home = state.site.properties[clash.property_id].name
    channels = " / ".join(sorted({_channel(state, key) for key in clash.conflicting_bookings}))
    nights = f"{clash.conflict_dates.check_in} → {clash.conflict_dates.check_out}"
    if clash.ended_at is not None:
        text = {
            "fr": f"Double réservation terminée : {home}, {nights} ({channels}).",
            "en": f"Double booking over: {home}, {nights} ({channels}).",
        }
    else:
        text = {
            "fr": f"Double réservation : {home}, {nights} ({channels}). Décidez vite ; tout reste fermé.",
            "en": f"Double booking: {home}, {nights} ({channels}). Decide soon; everything stays closed.",
        }
    kind = "conflict_over" if clash.ended_at else "conflict"
    key = f"{state.site.id}/{clash.id}/{kind}"
    return Notice(kind, key, clash.severity.value, text, state.site.owner)


def _channel(state: SiteState, key: str) -> str:
    fact = state.reservations.get(key)
    parts = fact.held() if fact else ()
    names = [state.listings[part.listing].platform for part in parts if part.listing in state.listings]
    return names[0] if names else key.partition("|")[0]
