"""What Airbnb's bodies mean: reservations of both schema generations, notifications, calendars."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.airbnb import AirbnbConnector
from shared.connectors.airbnb_calendar import read_days, read_refusals
from shared.connectors.airbnb_reservation import read_reservation
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Status
from shared.ports.platforms import Notification
from tests.connectors.support import Script, connector, fixture, stay

OLD = json.loads(fixture("airbnb/reservation.json"))["reservation"]
NEW = json.loads(fixture("airbnb/reservation_2024_12_31.json"))["reservation"]
DATES = stay("2027-08-14", 3)


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def notified(body: object) -> Notification:
    return connector(AirbnbConnector, Script()).read_notification(json.dumps(body).encode())


def test_both_generations_of_a_reservation_say_the_same() -> None:
    assert read_reservation(OLD).seen() == SeenStay(
        "HMTESTAA01",
        Status.CONFIRMED,
        (SeenRoom("5550001", "1", DATES),),
        micros("2027-05-02T10:15:02"),
        "Alma G.",
    )
    assert read_reservation(NEW).seen() == SeenStay(
        "HMTESTAA02",
        Status.CONFIRMED,
        (SeenRoom("5550001", "1", DATES),),
        micros("2027-05-02T10:15:02.250000"),
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accept", Status.CONFIRMED),
        ("ACCEPT", Status.CONFIRMED),
        ("pending", Status.PENDING),
        ("pending_payment", Status.PENDING),
        ("at_checkpoint", Status.PENDING),
        ("deny", Status.CANCELLED),
        ("timeout", Status.CANCELLED),
        ("pending_voided", Status.CANCELLED),
        ("checkpoint_voided", Status.CANCELLED),
        ("cancelled_by_admin", Status.CANCELLED),
        ("cancelled_by_host", Status.CANCELLED),
        ("cancelled_by_guest", Status.CANCELLED),
        ("new", Status.CANCELLED),
        ("a_word_of_tomorrow", Status.PENDING),
        ("cancelling", Status.PENDING),
        (None, Status.PENDING),
    ],
)
def test_an_unknown_status_holds_its_nights(word: str | None, status: Status) -> None:
    assert read_reservation({**OLD, "status_type": word}).seen().status is status


@pytest.mark.parametrize(
    ("changed", "dates"),
    [
        ({"nights": None}, DATES),
        ({"end_date": None}, DATES),
        ({"end_date": None, "nights": 3}, DATES),
        ({"end_date": "2027-08-18"}, stay("2027-08-14", 4)),
        ({"end_date": "2027-08-15"}, DATES),
        ({"end_date": "soon"}, DATES),
        ({"start_date": "2027-08-14T00:00:00"}, DATES),
        ({"check_in_datetime": "2027-08-13T22:00Z[Europe/Paris]"}, DATES),
        ({"check_in_datetime": "2027-08-13T21:00Z[Europe/Paris]"}, stay("2027-08-13", 4)),
        ({"check_in_datetime": "2027-08-14T23:00[Europe/Paris]"}, DATES),
        ({"check_in_datetime": "2027-08-14T16:00+02:00[No/Where]"}, DATES),
        ({"start_date": None}, None),
        ({"start_date": "2027-02-30"}, None),
        ({"start_date": "9999-12-31"}, None),
        ({"end_date": None, "nights": 0}, None),
        ({"end_date": None, "nights": -3}, None),
        ({"end_date": None, "nights": 10**9}, None),
        ({"end_date": "2099-01-01"}, None),
        ({"end_date": "2027-08-14", "nights": None}, None),
    ],
)
def test_where_dates_disagree_the_widest_reading_holds(changed: dict[str, object], dates: object) -> None:
    assert read_reservation({**OLD, **changed}).dates() == dates


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"start_date": None}, "HMTESTAA01 without readable dates"),
        ({"listing_id": None, "listing_id_str": None}, "HMTESTAA01 without readable listing_id"),
        ({"updated_at": "yesterday"}, "HMTESTAA01 whose updated_at"),
        ({"confirmation_code": None}, "confirmation_code"),
        ({"confirmation_code": "../../v2/users"}, "confirmation_code"),
        ({"confirmation_code": ["HMTESTAA01"]}, "confirmation_code"),
    ],
)
def test_a_reservation_that_cannot_be_read_is_refused_by_field(
    changed: dict[str, object], reason: str
) -> None:
    with pytest.raises(PayloadRejected, match=reason) as caught:
        read_reservation({**OLD, **changed}).seen()
    assert "Alma" not in str(caught.value)


def test_a_cancellation_needs_no_dates() -> None:
    freed = read_reservation({"confirmation_code": "HMTESTAA01", "status": "cancelled_by_guest"}).seen()
    assert freed == SeenStay("HMTESTAA01", Status.CANCELLED)


# ------------------------------------------------------------------------------------- notifications


def test_a_booking_is_a_doorbell_and_a_hint() -> None:
    seen = read_reservation(OLD).seen()
    claimed = notified({"action": "reservation_acceptance_confirmation", "reservation": OLD})
    assert claimed == Notification(
        "reservation_acceptance_confirmation", reread=("HMTESTAA01",), hints=(seen,)
    )


@pytest.mark.parametrize("word", ["cancelled_by_guest", "deny", "pending_voided", "new"])
def test_what_frees_nights_is_a_doorbell_without_a_hint(word: str) -> None:
    action = "reservation_cancellation_confirmation"
    claimed = notified({"action": action, "reservation": {**OLD, "status_type": word}})
    assert claimed == Notification(action, reread=("HMTESTAA01",))


@pytest.mark.parametrize("broken", ["start_date", "listing_id_str"])
def test_a_field_nobody_can_read_costs_the_hint_but_not_the_doorbell(broken: str) -> None:
    reservation = {**OLD, "listing_id": None, broken: {"odd": 1}}
    claimed = notified({"action": "reservation_alteration_confirmation", "reservation": reservation})
    assert (claimed.reread, claimed.hints) == (("HMTESTAA01",), ())


def test_a_time_nobody_can_read_still_closes() -> None:
    claimed = notified({"action": "reservation_requested", "reservation": {**OLD, "updated_at": "?"}})
    assert [(hint.version, hint.rooms[0].dates) for hint in claimed.hints] == [(0, DATES)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"action": "test_notification"}, Notification("test_notification")),
        (
            {"action": "an_action_of_tomorrow"},
            Notification("an_action_of_tomorrow", unknown=("an_action_of_tomorrow",)),
        ),
        (
            {"action": "payout_notification", "confirmation_code": "HMTESTAA01"},
            Notification("payout_notification", reread=("HMTESTAA01",)),
        ),
        (
            {"action": "listings_unlinked", "host_id": 1, "listing_ids": ["5550001", 5550002]},
            Notification("listings_unlinked", revoked=("5550001", "5550002")),
        ),
        ({"action": "authorization_revoked"}, Notification("authorization_revoked", revoked=("*",))),
        (
            {"action": "authorization_revoked", "listing_ids": "all"},
            Notification("authorization_revoked", revoked=("*",)),
        ),
    ],
)
def test_other_actions(body: object, expected: Notification) -> None:
    assert notified(body) == expected


def test_make_reservation_closes_as_pending() -> None:
    body = {
        "confirmation_code": "HMTESTAA03",
        "start_date": "2027-08-14",
        "nights": 3,
        "listing_id": 5550001,
        "guest_details": {"number_of_adults": 2},
    }
    claimed = notified(body)
    assert (claimed.action, claimed.reread) == ("make_reservation", ("HMTESTAA03",))
    assert [(hint.status, hint.rooms[0].dates) for hint in claimed.hints] == [(Status.PENDING, DATES)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "no object"),
        ({}, "action"),
        ({"action": ""}, "action"),
        ({"action": {"a": 1}}, "action"),
        ({"action": "two\nlines"}, "action"),
        # Nobody could tell which reservation it is about: better loud than open until the night.
        (
            {"action": "reservation_acceptance_confirmation", "reservation": {"thread_id": "1"}},
            "confirmation_code",
        ),
        ({"action": "reservation_acceptance_confirmation", "reservation": None}, "confirmation_code"),
        ({"action": "x", "reservation": {"confirmation_code": "a/../b"}}, "confirmation_code"),
    ],
)
def test_a_body_that_says_nothing_is_refused(body: object, reason: str) -> None:
    with pytest.raises(PayloadRejected, match=f"Airbnb: notification: .*{reason}"):
        notified(body)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
ODD = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*sorted(OLD), *sorted(NEW)]), ODD, max_size=6))
def test_whatever_stands_in_other_fields_the_doorbell_rings(changed: dict[str, object]) -> None:
    reservation = {**OLD, **changed, "confirmation_code": "HMTESTAA01"}
    claimed = notified({"action": "reservation_alteration_confirmation", "reservation": reservation})
    assert claimed.reread == ("HMTESTAA01",)


@given(ODD)
def test_any_json_is_read_or_refused(body: object) -> None:
    for candidate in (body, {"action": body}, {"action": "x", "reservation": body, "listing_ids": body}):
        with suppress(PayloadRejected):
            notified(candidate)
        with suppress(PayloadRejected):
            read_days(candidate)
        with suppress(PayloadRejected):
            read_refusals({"success": True, "error_details": [candidate]}, frozenset({A}))


# ------------------------------------------------------------------------------------------ calendars

A, B = date(2027, 8, 14), date(2027, 8, 15)


def test_days_in_known_words_are_levels_and_others_stay_unknown() -> None:
    days = [
        {"date": "2027-08-14", "availability": "unavailable", "busy_subtype": "RESERVATION"},
        {"date": "2027-08-15", "availability": "available"},
        {"date": "2027-08-16", "availability": "available", "available_count": "3"},
        {"date": "2027-08-17", "available": False},
        {"date": "2027-08-18", "available": "true"},
        {"date": "2027-08-19", "availability": "perhaps"},
        {"date": "someday", "availability": "available"},
        "nonsense",
    ]
    expected = {date(2027, 8, 14 + n): level for n, level in enumerate([0, 1, 3, 0, 1])}
    assert read_days({"calendar": {"days": days}}) == expected
    assert read_days({"days": days}) == expected


@pytest.mark.parametrize("body", [None, [], {}, {"calendar": []}, {"calendar": {"days": {}}}])
def test_a_calendar_without_days_is_refused(body: object) -> None:
    with pytest.raises(PayloadRejected):
        read_days(body)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"success": True}, {}),
        ({"success": "true"}, {}),
        ({"id": 17}, {}),
        ({"calendar_operation": {}}, {}),
        ({"success": False}, {A: "refused", B: "refused"}),
        ({"success": False, "error_details": ["in words"]}, {A: "refused", B: "refused"}),
        ({"success": False, "error_code": "locked"}, {A: "locked", B: "locked"}),
        ({"error_code": 400, "error_message": "Alma sleeps there"}, {A: "400", B: "400"}),
        ({"success": True, "error_details": [{"dates": ["2027-08-15"], "reason": "sold"}]}, {B: "sold"}),
        ({"success": True, "error_details": [{"date": "2027-12-31"}]}, {A: "refused", B: "refused"}),
        ({"success": True, "error_details": ["in words"]}, {A: "refused", B: "refused"}),
        ({"success": True, "error_details": []}, {}),
    ],
)
def test_a_write_is_accepted_only_where_its_body_says_so(body: object, refused: dict[date, str]) -> None:
    assert read_refusals(body, frozenset({A, B})) == refused


@pytest.mark.parametrize("body", [None, [], {}, {"success": None}, {"message": "ok"}])
def test_a_body_without_yes_or_no_is_no_success(body: object) -> None:
    with pytest.raises(PayloadRejected):
        read_refusals(body, frozenset({A}))
