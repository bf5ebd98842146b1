"""Our own side of a run: the listener on this machine, for one bounded time, behind the reader's own address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from local.live.beliefs import Seen
from local.live.ledger import Ledger
from local.live.listen import Listener, Served
from local.live.permit import LEAST_AHEAD, Permit, why_not
from local.live.serve import serving
from local.live.words import Outcome, Step, Words
from local.live.writes import WINDOW
from shared.domain.platform import Platform
from shared.domain.portfolio import PortfolioListing
from shared.ports.platforms import ApiConnector

Say = Callable[[str], None]

_NOTHING = Words(
    "rien à attendre\u202f: aucun lien marqué live_writes: yes, aucun WEBHOOK_SECRET_… d’un compte",
    "nothing to wait for: no link is marked live_writes: yes, and no account has its WEBHOOK_SECRET_…",
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What to serve and how long. ``taken`` has the busy nights of each marked listing whose calendar was read whole:
    only there is a night known to be free."""

    served: list[PortfolioListing]
    taken: Mapping[str, frozenset[date]]
    connectors: Mapping[Platform, ApiConnector]
    settings: Mapping[str, str] = field(repr=False)
    public: str
    port: int
    wait: float
    permit: Permit
    show_links: bool


async def waited(
    reach: Reach, ledger: Ledger, now: Callable[[], datetime], say: Say
) -> tuple[list[Step], list[Seen]]:
    """Listen until everything that is hoped for has come, or the time is over; what came, and what did not."""
    served = [_served(one, reach, ledger, now().date()) for one in reach.served]
    domain = urlsplit(reach.public).hostname or "localhost"
    listener = Listener(served, reach.connectors, reach.settings, ledger, domain, now)
    hooks = [name for name in reach.connectors if reach.settings.get(f"WEBHOOK_SECRET_{name.upper()}")]
    if not served and not hooks:
        return [Step("PUBLIC_BASE_URL", Outcome.SKIPPED, _NOTHING)], []
    async with serving(listener, reach.port) as port:
        say(f"127.0.0.1:{port} ← {reach.public}, {reach.wait:g} s")
        for one in served if reach.show_links else []:
            say(f"{one.listing.id}: {reach.public}/export/{one.token}.ics")
        try:
            async with asyncio.timeout(reach.wait):
                while not _all_came(listener, hooks):
                    await listener.heard.wait()
                    listener.heard.clear()
        except TimeoutError:
            pass  # what has not come by now is reported as not come
    steps = [step for one in served for step in (one.steps or [_not_fetched(one)])]
    return [*steps, *listener.steps, *_missing_hooks(listener, hooks)], listener.seen


def _served(listing: PortfolioListing, reach: Reach, ledger: Ledger, today: date) -> Served:
    """Its calendar: with one free night where writing is allowed, put down before anybody can fetch it."""
    night = _free_night(listing, reach, today)
    if night is not None:
        ledger.put(listing.id, night, 1)
    return Served(listing, ledger.token(listing.id), night)


def _free_night(listing: PortfolioListing, reach: Reach, today: date) -> date | None:
    """The night its calendar may hold: the rule for writes by API holds here too."""
    if listing.id not in reach.taken:
        return None
    first = today + timedelta(days=LEAST_AHEAD + 1)
    far = (first + timedelta(days=day) for day in range(WINDOW))
    night = next((one for one in far if one not in reach.taken[listing.id]), None)
    return night if night and not why_not(reach.permit, listing.id, {night: 0}) else None


def _all_came(listener: Listener, hooks: list[Platform]) -> bool:
    called = {step.about for step in listener.steps}
    return all(one.emptied for one in listener.served) and all(hook in called for hook in hooks)


def _not_fetched(one: Served) -> Step:
    fr = "personne n’a lu notre calendrier (Airbnb dit toutes les trois heures)"
    en = "nobody fetched our calendar (Airbnb says every three hours)"
    return Step(one.listing.id, Outcome.SKIPPED, Words(fr, en))


def _missing_hooks(listener: Listener, hooks: list[Platform]) -> list[Step]:
    called = {step.about for step in listener.steps}
    said = Words("aucun webhook pendant l’attente", "no webhook while we waited")
    return [Step(str(hook), Outcome.SKIPPED, said) for hook in hooks if hook not in called]
