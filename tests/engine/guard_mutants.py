"""Wrong guards of what may open, planted one at a time: listings that do not find them prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.connectors import ical_fetch, ical_read
from shared.domain import merge, release
from shared.domain.errors import FeedRefused
from shared.domain.model import Busy, Fading, Reservation
from shared.engine import ingest
from shared.ports.platforms import FeedBusy
from tests.engine import bad_listings

Mutant = Callable[[pytest.MonkeyPatch], None]


def two_answers_are_proof(patch: pytest.MonkeyPatch) -> None:
    """Counting polls instead of time."""

    def wrong(fading: Fading, kind: Busy, answered: datetime, today: date) -> bool:
        return answered > fading.since

    patch.setattr(merge, "is_proven", wrong)


def much_at_once_is_nothing_special(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(merge, "is_mass", lambda vanished, known, empty: empty)


def an_empty_calendar_is_nothing_special(patch: pytest.MonkeyPatch) -> None:
    right = release.is_mass
    patch.setattr(merge, "is_mass", lambda vanished, known, empty: right(vanished, known, False))


def only_what_vanished_whole_counts(patch: pytest.MonkeyPatch) -> None:
    """What was moved or shortened is not counted among what is gone."""
    right = merge._in_doubt

    def wrong(now_on: Any, *rest: Any, **named: Any) -> bool:
        return right([one for one in now_on if not one.parts], *rest, **named)

    patch.setattr(merge, "_in_doubt", wrong)


def the_past_is_a_sign_of_life(patch: pytest.MonkeyPatch) -> None:
    right = merge.merge_feed

    def wrong(listing: Any, stored: Any, answer: Any, *more: Any) -> Any:
        patch.setattr(merge, "says_something", lambda ahead, day: bool(answer.events))
        return right(listing, stored, answer, *more)

    patch.setattr(ingest, "merge_feed", wrong)


def closures_beside_them_vouch_for_sales(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(merge, "_is_sale", lambda kind: False)


def a_near_arrival_is_nothing_special(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(release, "NEAR", timedelta(days=-400))


def a_guest_in_the_house_may_have_left(patch: pytest.MonkeyPatch) -> None:
    right = release.proof_needed

    def wrong(fading: Fading, kind: Busy, today: date) -> timedelta | None:
        return right(fading, kind, today) or release.LONG

    patch.setattr(release, "proof_needed", wrong)


def what_is_partly_read_is_read(patch: pytest.MonkeyPatch) -> None:
    right = merge.merge_feed

    def wrong(listing: Any, stored: Any, answer: Any, *more: Any) -> Any:
        return right(listing, stored, replace(answer, oddities=()), *more)

    patch.setattr(ingest, "merge_feed", wrong)


def what_returns_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Absence counts from the first time a stay was missing, although it was seen again since."""
    right = merge._fade
    first: dict[str, datetime] = {}

    def wrong(known: Reservation, shown: Any, frame: Any, is_echo: Any) -> tuple[Fading, ...]:
        fading = right(known, shown, frame, is_echo)
        since = first.setdefault(known.key, frame.begun) if fading else frame.begun
        return tuple(replace(one, since=min(since, one.since)) for one in fading)

    patch.setattr(merge, "_fade", wrong)


def a_page_is_an_empty_calendar(patch: pytest.MonkeyPatch) -> None:
    right = ical_read.read_calendar

    def wrong(body: bytes, *rest: Any) -> FeedBusy:
        try:
            return right(body, *rest)
        except FeedRefused:
            return FeedBusy(())

    patch.setattr(ical_fetch, "_require_whole", lambda body, url: None)
    patch.setattr(bad_listings, "read_calendar", wrong)


MUTANTS: tuple[Mutant, ...] = (
    two_answers_are_proof,
    much_at_once_is_nothing_special,
    an_empty_calendar_is_nothing_special,
    only_what_vanished_whole_counts,
    the_past_is_a_sign_of_life,
    closures_beside_them_vouch_for_sales,
    a_near_arrival_is_nothing_special,
    a_guest_in_the_house_may_have_left,
    what_is_partly_read_is_read,
    what_returns_is_forgotten,
    a_page_is_an_empty_calendar,
)
