"""Validation: may a home be promised on some nights? The answer, and what each of its channels says and how long ago.

The judgement itself is ``availability.judge``; this says it in words, for people and for whoever has no channel of his
own to ask by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.availability import Availability, judge, standing_against
from shared.domain.dates import StayDates, ranges_of
from shared.domain.estate import ASKER, with_asker
from shared.domain.model import Listing, SiteState
from shared.domain.occupancy import Occupancy, level
from shared.domain.platform import Platform
from shared.domain.spoken import LANGUAGES, Said, ranges


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """Somebody wants a home on some nights. ``listing`` is the channel that asks, empty for a person: a hold of that
    channel does not stand against it. ``reservation`` is the key of the stay that wants to move, whose own nights do
    not either."""

    property_id: str
    dates: StayDates
    listing: str = ""
    reservation: str = ""


@dataclass(frozen=True, slots=True)
class SourceAge:
    """When a listing's source last gave a good answer (store time, None for never), and in words why that is too long
    ago; empty while it is young enough (rule 22)."""

    answered: datetime | None
    stale: str = ""


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """What one channel says of the nights. ``age`` is how old its last good answer is, None where it never gave one;
    ``facts`` are the keys of what it shows there, ``reason`` says why it is believed or not."""

    listing: str
    platform: Platform
    says: Availability
    age: timedelta | None
    reason: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """FREE may be promised; TAKEN and UNKNOWN may not. ``taken`` are the nights without a unit left, ``against`` the
    keys of what takes them; ``answers`` are the channels', those that say no in front."""

    availability: Availability
    reason: Said
    taken: tuple[StayDates, ...] = ()
    against: tuple[str, ...] = ()
    answers: tuple[ChannelAnswer, ...] = field(default=())

    @property
    def is_available(self) -> bool:
        """Whether it may be promised."""
        return self.availability is Availability.FREE


def validate(
    request: BookingRequest, state: SiteState, freshness: Mapping[str, SourceAge], now: datetime
) -> ValidationResult:
    """Judge a request at an instant of store time. ``freshness`` is by listing; one that is not in it counts as never
    read. Raises ``KeyError`` for a home or listing the site does not have."""
    home = state.site.properties[request.property_id]
    asked = state if request.listing else with_asker(state, home.id)
    sellers = [
        one for one in state.listings.values() if state.site.properties[one.property].rooms & home.rooms
    ]
    doubts = {one.id: why for one in sellers if (why := _doubt(one, freshness))}
    doubts.pop(request.listing, None)  # what its own platform sold it knows better than we do
    asker = request.listing or ASKER
    found = judge(asked, asker, request.dates, now, stale=doubts, mine=request.reservation)
    there = standing_against(asked, asker, request.dates, now, request.reservation)
    full = [night for night in request.dates.nights() if level(state.site, home, night, there) == 0]
    answers = [_answer(one, there, doubts, freshness, now) for one in sellers]
    order = (Availability.TAKEN, Availability.UNKNOWN, Availability.FREE)
    return ValidationResult(
        availability=found.availability,
        reason=_words(found.availability, ranges_of(full), doubts, state),
        taken=ranges_of(full),
        against=tuple(sorted({one.cause for one in there})) if full else (),
        answers=tuple(sorted(answers, key=lambda one: (order.index(one.says), one.listing))),
    )


def _doubt(listing: Listing, freshness: Mapping[str, SourceAge]) -> str:
    if not listing.complete:
        return "never gave a complete answer"
    known = freshness.get(listing.id)
    return "was never read" if known is None else known.stale


def _answer(
    listing: Listing,
    there: Iterable[Occupancy],
    doubts: Mapping[str, str],
    freshness: Mapping[str, SourceAge],
    now: datetime,
) -> ChannelAnswer:
    """What one listing's own facts say, and how much that is worth. Taken is taken, however old."""
    facts = tuple(sorted({one.cause for one in there if listing.id in (one.listing, *one.shown)}))
    known = freshness.get(listing.id)
    says = Availability.UNKNOWN if listing.id in doubts else Availability.FREE
    return ChannelAnswer(
        listing=listing.id,
        platform=listing.platform,
        says=Availability.TAKEN if facts else says,
        age=now - known.answered if known is not None and known.answered is not None else None,
        reason=doubts.get(listing.id, ""),
        facts=facts,
    )


def _words(
    verdict: Availability, taken: tuple[StayDates, ...], doubts: Mapping[str, str], state: SiteState
) -> Said:
    if verdict is Availability.FREE:
        return {"fr": "Libre, et toutes les sources sont fraîches.", "en": "Free, and every source is fresh."}
    if verdict is Availability.TAKEN:
        nights = {language: ranges(taken, language) for language in LANGUAGES}
        return {"fr": f"Déjà pris\u202f: {nights['fr']}.", "en": f"Taken: {nights['en']}."}
    platforms = sorted({state.listings[name].platform for name in doubts})
    names = ", ".join(platforms)
    if not names:
        return {
            "fr": "Inconnu\u202f: une donnée de ce logement ne peut pas être lue.",
            "en": "Unknown: a stored fact of this home cannot be read.",
        }
    return {
        "fr": f"Inconnu\u202f: la dernière réponse de {names} est trop ancienne pour promettre.",
        "en": f"Unknown: the last answer of {names} is too old for a promise.",
    }
