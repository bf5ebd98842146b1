"""Whose name a text holds, and when a guest's name has to go."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.connectors.base import short_name
from shared.domain.dates import StayDates
from shared.domain.facts import FeedAnswer, FeedEvent, SeenRoom, SeenStay
from shared.domain.merge import hint_stay, merge_feed, merge_stay
from shared.domain.model import (
    Busy,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.personal import NobodyNamed, Sought, forgotten, overdue_names
from shared.domain.platform import GREENGO, Link

NOW = datetime(2027, 7, 20, 23, 30, tzinfo=UTC)
JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
PART = Part("1", "l", JULY, NOW)
STAY = Reservation("a", "HM1", Busy.STAY, Status.CONFIRMED, (PART,), guest="Marie D.")


def site(*stays: Reservation, zone: str = "Europe/Paris") -> SiteState:
    home = Property("h", "H", frozenset({"h"}), zone)
    listing = Listing("l", "h", GREENGO, "a", Link.ICAL)
    return SiteState(
        Site("s", "o", {"h": home}, {"h": 1}), Head(), {"l": listing}, {one.key: one for one in stays}
    )


@pytest.mark.parametrize(
    ("guest", "name", "meant"),
    [
        ("Marie D.", "Marie Dupont", True),
        ("Marie D.", "marie dupont", True),
        ("Marie D.", "Dupont Marie", True),
        ("Hélène C.", "Helene Castel", True),
        ("Marie", "Marie Dupont", True),
        ("Marie D.", "Marie", True),
        ("Dupont", "Dupont", True),
        ("Marie D.", "Marie Martin", False),
        ("Marie D.", "Dupont", False),
        ("Marianne D.", "Marie Dupont", False),
        ("", "Marie", False),
        ("李 四", "李四", False),
        ("李四", "李四", True),
        ("<b>👻</b>", "👻👻", False),
        ("👻👻", "👻👻", True),
        ("A Ĳ.", "A Ĳssel", True),
        ("Jan Ĳ.", "Jan IJssel", True),
        ("Jan Ij", "Jan Ijssel", False),
    ],
)
def test_a_stored_short_name_is_recognised_by_the_whole_one(guest: str, name: str, meant: bool) -> None:
    assert Sought(name).is_guest_of(replace(STAY, guest=guest)) is meant


LETTERS = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)


@given(st.lists(LETTERS, min_size=1, max_size=3).map(" ".join), LETTERS)
def test_whoever_is_asked_for_by_the_whole_name_is_found_however_it_was_shortened(
    first: str, last: str
) -> None:
    """The property an erasure rests on: what the connectors keep of a name is found by the name itself."""
    short = short_name(first, last)
    assume(len(first) <= 60 and first.split()[:1] and first.split()[0].isalpha() and last[:1].isalpha())
    assert Sought(f"{first} {last}").is_guest_of(replace(STAY, guest=short))


@pytest.mark.parametrize(
    ("asked", "found"), [("HM1", True), (" HM1 ", True), ("HM", False), ("u@x", True), ("C9", True)]
)
def test_a_stay_is_found_by_its_id_its_code_or_what_a_calendar_calls_it(asked: str, found: bool) -> None:
    one = replace(STAY, aliases=("u@x",), code="C9")
    assert Sought(reservation=asked).is_guest_of(one) is found


def test_an_event_of_a_calendar_is_found_by_its_uid_alone() -> None:
    assert Sought(reservation="u@x").is_guest_of(replace(STAY, id="gite-greengo:u@x"))


def test_name_and_id_together_mean_one_stay() -> None:
    assert Sought("Marie", "HM1").is_guest_of(STAY)
    assert not Sought("Paul", "HM1").is_guest_of(STAY)
    assert not Sought("Marie", "HM2").is_guest_of(STAY)


def test_blanks_beside_a_name_or_an_id_mean_nothing() -> None:
    assert Sought(" Marie ", "  ").is_guest_of(STAY)
    assert Sought("  ", " HM1").is_guest_of(STAY)
    assert Sought("", "HM1").is_in("about HM1")


@pytest.mark.parametrize("name", ["", "  ", "M", "é", "x" * 201])
def test_nobody_is_looked_for_by_nothing(name: str) -> None:
    with pytest.raises(NobodyNamed):
        Sought(name)


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps({"guest": {"first": "Hélène", "last": "Castel"}, "id": "HM1"}).encode(),
        b"<r id='HM1'><given>H&#233;l&#232;ne</given><sur name='Castel'/></r>",
        "Réservation HM1 de HELENE CASTEL".encode(),
    ],
)
def test_a_message_that_names_somebody_is_found_however_it_is_written(raw: bytes) -> None:
    assert Sought("Hélène Castel").is_in_body(raw)
    assert Sought(reservation="HM1").is_in_body(raw)
    assert not Sought("Hélène Dupont").is_in_body(raw)


def test_a_deep_message_is_read_without_end_of_stack() -> None:
    assert not Sought("Marie").is_in_body(b"[" * 50_000 + b"]" * 50_000)


def test_a_line_loses_the_name_and_nothing_else() -> None:
    line = "airbnb|gite:marie.dupont@example.org 2027-07-01/2027-07-04"
    assert Sought("Marie Dupont").without(line) == "airbnb|gite:….…@example.org 2027-07-01/2027-07-04"


# ------------------------------------------------------------------------------------------- how long


@pytest.mark.parametrize(("days", "left"), [(16, True), (17, False)])
def test_a_name_goes_so_many_days_after_departure_by_the_calendar_of_the_home(days: int, left: bool) -> None:
    """Departure on the 4th; in Paris it is the 21st already, so 17 days have passed and no more."""
    assert bool(overdue_names(site(STAY), NOW, days)) is left
    assert not overdue_names(site(STAY, zone="America/New_York"), NOW, 16)


def test_what_is_only_claimed_or_vanishing_counts_until_its_own_last_night() -> None:
    claimed = replace(STAY, parts=(), hinted=(PART,))
    assert overdue_names(site(claimed), NOW, 10) == (forgotten(claimed),)
    assert not overdue_names(site(claimed), NOW, 30)


def test_a_stay_without_nights_here_keeps_no_name() -> None:
    assert overdue_names(site(replace(STAY, parts=())), NOW, 30)[0].guest == ""


def test_what_has_no_name_is_not_written_again() -> None:
    assert overdue_names(site(forgotten(STAY)), NOW, 0) == ()


# ------------------------------------------------------------------------------- what stays forgotten


def seen(version: int) -> SeenStay:
    return SeenStay("HM1", Status.CONFIRMED, (SeenRoom("u", "1", JULY),), version, "Marie D.")


def test_a_later_report_brings_no_erased_name_back() -> None:
    stored = forgotten(STAY)
    merged = merge_stay(stored, seen(5), [PART], account="a", observed=9)
    assert merged is not None
    assert (merged.guest, merged.forgotten, merged.version) == ("", True, 5)
    assert hint_stay(stored, seen(6), [PART], account="a").guest == ""


def test_a_calendar_that_still_shows_the_name_brings_it_back_neither() -> None:
    event = FeedEvent("u", Busy.STAY, (JULY,), "", "Marie")
    stored = forgotten(replace(STAY, id="l:u", feed="l", aliases=("u",)))
    listing = Listing("l", "h", GREENGO, "a", Link.ICAL)
    for uid in ("u", "another"):  # a UID that was reissued too: the same nights are the same stay
        answer = FeedAnswer((replace(event, uid=uid),), NOW, 3)
        merged = merge_feed(listing, [stored], answer, date(2027, 7, 1), lambda one, part: False)
        assert merged is not None
        assert [(one.guest, one.forgotten) for one in merged] == [("", True)]


def test_a_name_that_nobody_erased_is_taken_from_each_report() -> None:
    merged = merge_stay(STAY, replace(seen(5), guest="Paul"), [PART], account="a", observed=9)
    assert merged is not None
    assert (merged.guest, merged.forgotten) == ("Paul", False)


def test_erasing_touches_nothing_but_the_name() -> None:
    assert replace(forgotten(STAY), guest=STAY.guest, forgotten=False) == STAY
