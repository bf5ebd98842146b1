"""What the further eyes of the health report judge, as values: bells, drift, clocks and keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.bells import Bells, is_worth_noting, missed_with, silence
from shared.domain.clocks import Off, off, read_clock
from shared.domain.drift import MOST_LISTINGS, MOST_NIGHTS, Drift, drifted, standing
from shared.domain.health import Code, Finding
from shared.domain.health_bells import Called, silent_webhooks
from shared.domain.health_clock import clock_findings
from shared.domain.health_drift import Drifting, drift_findings
from shared.domain.health_keys import Keyed, ending_keys
from shared.domain.model import Account
from shared.domain.platform import AIRBNB

T0 = datetime(2027, 3, 1, 8, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def missed(*ages: timedelta, rung: datetime | None = None) -> Bells:
    return Bells(rung, tuple(T0 - age for age in ages))


@pytest.mark.parametrize(
    ("bells", "silent"),
    [
        (Bells(), False),  # idle since it was connected
        (Bells(T0 - 90 * DAY), False),  # idle for a quarter
        (missed(59 * MINUTE), False),
        (missed(60 * MINUTE), True),  # one alone
        (missed(7 * DAY), False),  # too long ago to tell anything
        (missed(20 * MINUTE, 4 * MINUTE), False),
        (missed(20 * MINUTE, 5 * MINUTE), True),  # two in a row
        (missed(40 * DAY, 30 * DAY), True),
        (missed(20 * MINUTE, 15 * MINUTE, rung=T0 - 10 * MINUTE), False),  # called since
        (missed(20 * MINUTE, 15 * MINUTE, rung=T0 - 25 * MINUTE), True),
        (missed(20 * MINUTE, 15 * MINUTE, rung=T0 - 21 * MINUTE), False),  # the first was beside a call
    ],
)
def test_who_is_silent(bells: Bells, silent: bool) -> None:
    assert (silence(bells, T0) is not None) is silent


def test_what_never_began_is_not_called_stopped() -> None:
    never, stopped = silence(missed(HOUR), T0), silence(missed(HOUR, rung=T0 - DAY), T0)
    assert never is not None
    assert never.never
    assert never.since == T0 - HOUR
    assert stopped is not None
    assert not stopped.never


def test_a_call_is_noted_once_a_minute_unless_something_was_missed() -> None:
    assert is_worth_noting(Bells(), T0)
    assert is_worth_noting(missed(HOUR, rung=T0 - MINUTE / 2), T0)
    assert not is_worth_noting(Bells(T0 - MINUTE / 2), T0)
    assert is_worth_noting(Bells(T0 - MINUTE), T0)


def test_what_was_missed_keeps_its_beginning_however_often_it_goes_on() -> None:
    bells, at = Bells(), T0
    for _ in range(40):
        at += 2 * MINUTE
        bells = Bells(None, missed_with(bells, at) or ())
    assert bells.missed == (T0 + 2 * MINUTE, T0 + 4 * MINUTE, at)
    silent = silence(bells, at)
    assert silent is not None
    assert silent.since == T0 + 2 * MINUTE  # steadily, though another came this moment


def test_a_look_beside_a_call_misses_nothing() -> None:
    assert missed_with(Bells(T0 - 2 * MINUTE), T0) is None
    assert missed_with(Bells(T0 - 3 * MINUTE), T0) == (T0,)


def called(bells: Bells) -> Called:
    return Called("airbnb-claire", "airbnb", "Airbnb", "claire", bells)


def test_silent_webhooks_say_which_account_and_what_to_do() -> None:
    (one,) = silent_webhooks([called(missed(HOUR)), called(Bells(T0))], {}, T0)
    assert (one.code, one.about, one.owner, one.since) == (
        Code.WEBHOOKS_SILENT,
        "airbnb-claire",
        "claire",
        T0 - HOUR,
    )
    assert one.cause["en"].startswith("Airbnb has never called yet for airbnb-claire: one of our looks")
    assert "make webhooks" in one.step["fr"]


def test_a_call_that_was_refused_names_the_key_as_the_cause() -> None:
    last = {"airbnb": "refused (401): the signature is wrong"}
    (one,) = silent_webhooks([called(missed(HOUR, rung=T0 - DAY))], last, T0)
    assert "calls no longer" in one.cause["en"]
    assert "refused (401)" in one.cause["en"]
    assert "WEBHOOK_KEY_" in one.step["en"]


NIGHTS = [date(2027, 7, 10), date(2027, 7, 11)]


def test_drift_adds_up_while_it_goes_on_and_is_forgotten_after_a_quiet_night() -> None:
    once = drifted((), "gite-booking", NIGHTS, T0)
    twice = drifted(once, "gite-booking", [date(2027, 7, 9)], T0 + DAY)
    assert twice == (Drift("gite-booking", T0, T0 + DAY, 2, (date(2027, 7, 9), *NIGHTS)),)
    assert standing(twice, T0 + 2 * DAY) == twice
    assert standing(twice, T0 + DAY + 30 * HOUR) == ()
    anew = drifted(twice, "gite-booking", NIGHTS, T0 + 5 * DAY)
    assert anew[0].first == T0 + 5 * DAY
    assert anew[0].times == 1


def test_drift_of_a_whole_account_stays_small() -> None:
    known: tuple[Drift, ...] = ()
    for number in range(2 * MOST_LISTINGS):
        known = drifted(
            known, f"l{number}", [T0.date() + one * DAY for one in range(99)], T0 + number * MINUTE
        )
    assert [one.listing for one in known] == [
        f"l{n}" for n in range(2 * MOST_LISTINGS - 1, MOST_LISTINGS - 1, -1)
    ]
    assert all(len(one.nights) == MOST_NIGHTS for one in known)


def test_drift_is_told_by_listing_with_its_nights() -> None:
    account = Drifting("b", "booking", "Booking.com", "claire", drifted((), "gite-booking", NIGHTS, T0))
    (one,) = drift_findings([account], T0)
    assert (one.code, one.about, one.since) == (Code.DRIFT, "gite-booking", T0)
    assert "2 nights we had closed were" in one.cause["en"]
    assert "2027-07-10…2027-07-11" in one.cause["en"]
    assert drift_findings([account], T0 + 2 * DAY) == ()


def test_a_clock_is_read_begins_to_be_off_and_ends() -> None:
    assert read_clock((), "h1", 30 * timedelta(seconds=1), T0) is None
    known = read_clock((), "h1", 2 * HOUR, T0)
    assert known == (Off("h1", 2 * HOUR, T0, T0),)
    assert read_clock(known, "h1", 2 * HOUR, T0 + MINUTE) is None  # said lately
    again = read_clock(known, "h1", 2 * HOUR, T0 + 10 * MINUTE)
    assert again is not None
    assert again[0].since == T0
    assert read_clock(again, "h2", timedelta(0), T0) is None  # another host, which is right
    assert read_clock(again, "h1", timedelta(seconds=1), T0 + 11 * MINUTE) == ()
    assert off(again, T0 + HOUR) == ()  # the host is gone


def test_a_clock_that_is_behind_names_its_host() -> None:
    (one,) = clock_findings((Off("h1", -2 * HOUR, T0, T0),), T0)
    assert (one.code, one.about) == (Code.CLOCK_OFF, "h1")
    assert "7200 s behind" in one.cause["en"]
    assert "retarde de 7200 s" in one.cause["fr"]


def keys_found(ends: date | None) -> list[Finding]:
    account = Account("a", AIRBNB, "claire", {"api_key": "AIRBNB_API_KEY"}, key_ends=ends)
    return list(ending_keys([Keyed(account, "Airbnb")], T0))


def test_keys_are_told_of_a_fortnight_before_they_end_and_after() -> None:
    assert keys_found(None) == []
    assert keys_found(date(2027, 3, 16)) == []
    (soon,), (over,) = keys_found(date(2027, 3, 15)), keys_found(date(2027, 3, 1))
    assert "keys of a (Airbnb) end on 2027-03-15" in soon.cause["en"]
    assert "AIRBNB_API_KEY" in soon.step["en"]
    assert "ended on 2027-03-01" in over.cause["en"]
    assert "ont expiré" in over.cause["fr"]


def test_a_key_that_ended_in_the_first_year_there_is_blinds_no_eye() -> None:
    account = Account("airbnb", AIRBNB, "owner", {}, key_ends=date(1, 1, 1))
    assert [one.code for one in ending_keys([Keyed(account, "Airbnb")], T0)] == [Code.KEY_ENDS]
