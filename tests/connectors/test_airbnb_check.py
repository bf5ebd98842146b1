"""The words of Airbnb's synchronous check: what production code showed of it, both generations, and rubbish."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.airbnb_payloads import make_reservation
from shared.connectors.airbnb_check import MOST_NIGHTS, AirbnbCheck
from shared.connectors.registry import checks
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Status
from shared.domain.platform import AIRBNB
from shared.ports.platforms import Check, CheckQuestion
from tests.connectors.support import stay

WIRE = AirbnbCheck()
ASKED = {
    "action": "check_availability",
    "listing_id": "9876543",
    "start_date": "2027-07-10",
    "nights": "3",
}
DATES = stay("2027-07-10", 3)
STAY = SeenStay("HMEXAMPLE1", Status.PENDING, (SeenRoom("9876543", "1", DATES),))
MADE = json.dumps(make_reservation("HMEXAMPLE1", "9876543", "2027-07-10", 3)).encode()
RENAMED = {
    "confirmation_code": "HMEXAMPLE1",
    "listing_id": "9876543",
    "check_in_datetime": "2027-07-10T15:00+02:00[Europe/Paris]",
    "check_out_datetime": "2027-07-13T11:00+02:00[Europe/Paris]",
}


def read(method: str, path: str = "", body: bytes = b"") -> CheckQuestion | None:
    return WIRE.read(method, path, {}, body)


def ask(**changed: str) -> CheckQuestion | None:
    return WIRE.read("GET", "", ASKED | changed, b"")


def test_a_question() -> None:
    assert ask() == CheckQuestion(Check.ASK, "9876543", DATES)


def test_a_reservation_about_to_be_made() -> None:
    assert read("POST", "", MADE) == CheckQuestion(Check.MAKE, "9876543", DATES, "HMEXAMPLE1", STAY)


def test_an_alteration_names_its_reservation_in_the_address() -> None:
    expected = CheckQuestion(Check.ALTER, "9876543", DATES, "HMEXAMPLE1", STAY)
    assert read("PUT", "HMEXAMPLE1", MADE) == expected
    assert read("PUT", "HMEXAMPLE1", MADE.replace(b'"confirmation_code"', b'"something"')) == expected


@pytest.mark.parametrize("body", [RENAMED, {"reservation": RENAMED}])
def test_the_newer_names_are_read_too(body: object) -> None:
    question = read("POST", "", json.dumps(body).encode())
    assert question is not None
    assert (question.dates, question.stay) == (DATES, STAY)


def test_answers_are_airbnbs_own() -> None:
    assert json.loads(WIRE.reply(Check.ASK, True)) == {"available": True}
    assert json.loads(WIRE.reply(Check.ASK, False)) == {"available": False, "failure_code": None}
    for kind in (Check.MAKE, Check.ALTER):
        assert json.loads(WIRE.reply(kind, True)) == {"succeed": True}
        assert json.loads(WIRE.reply(kind, False)) == {"succeed": False, "failure_code": None}


@pytest.mark.parametrize(("nights", "most"), [(MOST_NIGHTS, True), (MOST_NIGHTS + 1, False), (0, False)])
def test_a_year_is_the_longest_stay(nights: int, most: bool) -> None:
    body = json.dumps(make_reservation("HM1", "9876543", "2027-07-10", nights)).encode()
    for question in (ask(nights=str(nights)), read("POST", "", body)):
        assert question is not None
        assert (question.dates is not None) is most


def test_the_probe() -> None:
    question = ask(listing_id="0")
    assert question is not None
    assert question.probe


def test_the_guest_is_in_no_repr() -> None:
    body = json.dumps({**RENAMED, "guest_first_name": "Élodie"}).encode()
    assert "Élodie" not in repr(read("POST", "", body))


def test_who_asks_before_selling_is_known_by_the_registry() -> None:
    assert list(checks()) == [AIRBNB]


@given(method=st.sampled_from(["POST", "PUT"]), body=st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(method: str, body: bytes) -> None:
    with suppress(PayloadRejected):
        read(method, "HM1" if method == "PUT" else "", body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
)


FIELDS = (
    *("confirmation_code", "listing_id", "start_date", "nights", "end_date"),
    *("check_in_datetime", "status_type", "updated_at", "reservation"),
)


@given(
    body=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(FIELDS, JSON),
    )
)
def test_no_value_makes_it_fail_otherwise(body: dict[str, object]) -> None:
    with suppress(PayloadRejected):
        read("POST", "", json.dumps(body).encode())


@given(query=st.dictionaries(st.sampled_from(list(ASKED)), st.text(max_size=30)))
def test_no_query_makes_it_fail_otherwise(query: dict[str, str]) -> None:
    with suppress(PayloadRejected):
        ask(**query)
