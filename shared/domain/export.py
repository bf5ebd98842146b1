"""Export: the nights our calendar for one destination shows as taken. Never what came from there, never a name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from shared.domain.dates import StayDates, nights_of, ranges_of
from shared.domain.model import Listing, SiteState
from shared.domain.occupancy import is_counted


def exported(state: SiteState, listing: str, now: datetime) -> tuple[tuple[StayDates, str], ...]:
    """Ranges of nights with a seed that names each of them for good (for its UID), in order.

    A home with one unit shows its ledger row by row, so that what a peer echoes can be told from a sale. One with
    several units, whose ledger holds the nights on which none is left, shows them as one, whoever took the units.
    """
    home = state.site.properties[state.listings[listing].property]
    rows = [row for row in state.blocks.values() if row.listing == listing and row.wanted]
    if not is_counted(state.site, home):
        return tuple(sorted((row.dates, row.name) for row in rows))
    shown = ranges_of(nights_of(row.dates for row in rows))
    return tuple((dates, f"{listing}|full|{dates}") for dates in shown)


def is_servable(state: SiteState) -> bool:
    """Whether an export may be given at all: a short calendar opens nights at the peer (rule 5), so one that may be
    short is not given."""
    return state.whole and all(listing.complete for listing in state.listings.values())


def is_news(state: SiteState, listing: str) -> bool:
    """Whether a fetch of the present version teaches the ledger something."""
    version = state.head.version
    return any(
        row.listing == listing
        and (
            (row.wanted and row.taken_at is None and row.since_version <= version)
            or (not row.wanted and row.cleared_at is None and row.gone_version <= version)
        )
        for row in state.blocks.values()
    )


def is_one_of(user_agent: str, known: Iterable[str]) -> bool:
    """Whether that User-Agent names one of the known importers: then its fetch proves that it has our export
    (rule 24)."""
    return any(name.lower() in user_agent.lower() for name in known)


def token_hash(token: str) -> str:
    """What is stored of an export address to find its listing by, and of one that was replaced."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def opens(listing: Listing, token: str, now: datetime) -> bool:
    """Whether a token opens the listing's calendar: its own one does, and one it had before until its days of grace are
    over. Hashes are compared, in a time that does not depend on them."""
    given = token_hash(token)
    known = [token_hash(listing.token)] if listing.token else []
    known += [old.token_hash for old in listing.former if now < old.until]
    return any(hmac.compare_digest(given, one) for one in known)
