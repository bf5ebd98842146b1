"""The answer to "why is this night closed?" as JSON, with its sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.model import Phase
from shared.domain.spoken import Names
from shared.domain.story import tell, told_by
from shared.domain.why import Cause, Closure, Reasons, Why
from shared.domain.why_text import (
    cause_said,
    closure_said,
    headline,
    held_back_said,
    hold_said,
    listing_said,
)
from shared.state.history import Entry

Json = dict[str, object]

MOST_STEPS = 40
"""Lines of one chain."""


def shown(found: Why, chains: Mapping[str, Sequence[Entry]], names: Names) -> Json:
    """One night: its listings, the facts behind it, promises, and why nothing opens. ``chains`` are the lines of the
    record about each fact, oldest first."""
    return {
        "home": found.home,
        "home_name": names.homes.get(found.home, found.home),
        "night": found.night.isoformat(),
        "past": found.past,
        "text": headline(found, names),
        "listings": [_listing(one, chains, names) for one in found.listings],
        "facts": [_cause(one, chains.get(one.key, ()), names) for one in found.causes],
        "holds": [
            {"listing": h.listing, "until": h.expires.isoformat(), "text": hold_said(h, names)}
            for h in found.holds
        ],
        "held_back": [held_back_said(reason) for reason in found.held_back],
    }


def _listing(one: Reasons, chains: Mapping[str, Sequence[Entry]], names: Names) -> Json:
    return {
        "listing": one.listing,
        "platform": names.listings.get(one.listing, one.listing),
        "state": one.face.value,
        "units_left": one.left,
        "doubt": one.doubt or None,
        "nothing_is_sent": one.silent or None,
        "text": listing_said(one, names),
        "facts": [cause.key for cause in one.own],
        "closures": [_closure(each, one.listing, chains, names) for each in one.closures],
    }


def _closure(one: Closure, listing: str, chains: Mapping[str, Sequence[Entry]], names: Names) -> Json:
    key = one.cause if one.cause in chains else one.cause.rpartition("#")[0]
    chain = [entry for entry in chains.get(key, ()) if _leads_to(entry, listing)]
    sent, seen = _last(chain, "close sent", "close published"), _last(chain, "close seen")
    return {
        "because_of": one.cause,
        "nights": str(one.dates),
        "phase": one.phase.value,
        "decided": one.decided.isoformat() if one.decided else None,
        "sent": sent if one.phase is not Phase.INTENDED else None,
        "accepted": one.taken.isoformat() if one.taken else None,
        "seen": seen if one.phase is Phase.SEEN else None,
        "opening_since": one.opening_since.isoformat() if one.opening_since else None,
        "attempts": one.attempts,
        "error": one.error or None,
        "text": closure_said(one, names),
        "chain": steps(chain, names),
    }


def _last(chain: Iterable[Entry], *whats: str) -> str | None:
    """When a step was last made, as the record says it."""
    return next((e.words.get("at") for e in reversed(list(chain)) if e.words.get("what") in whats), None)


def _leads_to(entry: Entry, listing: str) -> bool:
    """Whether a step belongs to the way of a fact to one listing: its own story, and what we did there."""
    return entry.words.get("kind") not in ("closure", "opening") or entry.words.get("on") == listing


def _cause(one: Cause, chain: Sequence[Entry], names: Names) -> Json:
    own = [entry for entry in chain if entry.words.get("kind") not in ("closure", "opening")]
    first = own[0].words if own else {}
    removal = one.removal
    return {
        "of": one.key,
        "home": one.home,
        "listing": one.listing,
        "platform": names.listings.get(one.listing, one.listing),
        "nights": str(one.dates),
        "class": one.kind.value,
        "status": one.status.value,
        "shown": one.shown.value,
        "since": one.since.isoformat(),
        "by": first.get("by"),
        "by_text": told_by(first, names) if first else None,
        "correlation": first.get("correlation"),
        "missing_since": removal.since.isoformat() if removal else None,
        "at_the_latest": removal.by.isoformat() if removal and removal.by else None,
        "text": cause_said(one, names),
        "chain": steps(own, names),
    }


def steps(chain: Iterable[Entry], names: Names) -> list[Json]:
    """Lines of the record as steps of a chain."""
    return [
        {
            "at": entry.words.get("at"),
            "version": entry.version,
            "what": entry.words.get("what"),
            "correlation": entry.words.get("correlation"),
            "text": tell(entry.words, names),
            "by": told_by(entry.words, names),
        }
        for entry in list(chain)[:MOST_STEPS]
    ]
