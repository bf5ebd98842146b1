"""Double bookings over HTTP: what is shown, who decides, what a late decider is told, when it is resolved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.domain.access import Person, Role
from shared.domain.dates import StayDates
from shared.domain.model import BookingConflict
from shared.domain.release import SHORT
from shared.use_cases import HttpAnswer
from tests.engine.people import LOCAL, operator
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    MINUTE,
    cancelled,
    clashes,
    deliver,
    hear,
    ledger,
    moved,
    polled,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, Sold, Village
from tests.web.support import Browser

CLAIRE, MARC = operator("Claire"), operator("Marc")


def at(village: Village, by: Person = LOCAL) -> Browser:
    return Browser(village.engine, village.run, by)


def listed(village: Village) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = value(at(village).call("GET", "/api/conflicts"))["conflicts"]
    return found


def shown_as(village: Village, name: str, by: Person = LOCAL) -> HttpAnswer:
    return at(village, by).call("GET", f"/api/conflicts/{quote(name, safe='')}")


def acknowledged(village: Village, name: str, by: Person) -> HttpAnswer:
    return at(village, by).call("POST", f"/api/conflicts/{quote(name, safe='')}/acknowledge")


def decide(village: Village, name: str, proposal: str, tag: str, by: Person, **fields: str) -> HttpAnswer:
    where = f"/api/conflicts/{quote(name, safe='')}/resolution"
    return at(village, by).call("POST", where, {"proposal": proposal, **fields}, {"if-match": tag})


def value(answer: HttpAnswer, status: int = 200) -> dict[str, Any]:
    assert answer.status == status, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def sold_twice(village: Village, dates: StayDates = JULY) -> tuple[Sold, Sold]:
    """Two guests buy the same nights in one breath, on Airbnb and on Booking.com."""
    first, second = sold(village, "airbnb", dates), sold(village, "booking", dates)
    hear(village)
    village.run(village.drain())
    return first, second


def sold_and_shown(village: Village) -> Sold:
    """A stay on Booking.com, and equal nights in Greengo's calendar, which had not fetched ours."""
    stay = told(village, "booking", JULY)
    sold(village, "greengo", JULY)
    polled(village)
    village.run(village.drain())
    return stay


def the_one(village: Village) -> tuple[str, str, dict[str, Any]]:
    """Name, ETag and content of the only conflict."""
    (short,) = listed(village)
    answer = shown_as(village, short["id"])
    return short["id"], answer.headers["etag"], value(answer)


def proposal(shown: Mapping[str, Any], kind: str) -> str:
    return str(next(one["id"] for one in shown["proposals"] if one["kind"] == kind))


def clash(village: Village) -> BookingConflict:
    (one,) = stored(village).conflicts.values()
    return one


# ------------------------------------------------------------------------------------------- looking


def test_a_double_booking_is_shown_with_both_sides_and_ranked_proposals(village: Village) -> None:
    first, second = sold_twice(village)
    _, _, shown = the_one(village)
    assert shown["nights"] == ["2027-07-10/2027-07-13"]
    assert shown["state"] == "new"
    assert shown["severity"] in ("medium", "high", "critical")
    assert [side["platform"] for side in shown["sides"]] == ["airbnb", "booking"]
    assert [side["nights"] for side in shown["sides"]] == [str(first.dates), str(second.dates)]
    assert all(side["known_since"] and side["how_sure"]["fr"] for side in shown["sides"])
    assert shown["exposure"] == [
        {
            "platform": "greengo",
            "platform_name": "greengo",
            "listing": f"{HOME}-greengo",
            "nights": str(JULY),
            "since": shown["exposure"][0]["since"],
            "seconds": shown["exposure"][0]["seconds"],
            "on_its_way": True,
            "page": None,
        }
    ]
    assert [one["rank"] for one in shown["proposals"]] == list(range(1, len(shown["proposals"]) + 1))
    for one in shown["proposals"]:
        for words in (one["what"], one["reason"], one["cost"], one["what_will_happen"]):
            assert words["fr"]
            assert words["en"]
    assert proposal(shown, "cancel")


def test_exposure_ends_when_the_last_peer_has_fetched_our_calendar(village: Village) -> None:
    sold_twice(village)
    pulled(village)
    assert the_one(village)[2]["exposure"] == []


def test_open_ones_stand_on_top_and_what_is_long_over_is_left_out(village: Village) -> None:
    first, _ = sold_twice(village)
    cancelled(village, "airbnb", first)
    august, _ = sold_twice(village, AUGUST)
    assert [one["state"] for one in listed(village)] == ["new", "resolved"]
    cancelled(village, "airbnb", august)
    village.clock.advance(timedelta(days=31))
    assert listed(village) == []


@pytest.mark.parametrize("name", ["x", "Z2l0ZQ", "../a", "é", "%00", "a" * 3000])
def test_a_name_that_is_none_of_ours_is_a_clear_404(village: Village, name: str) -> None:
    assert shown_as(village, name).status == 404
    assert acknowledged(village, name, CLAIRE).status == 404
    assert decide(village, name, "x", '"x"', CLAIRE).status in (400, 404)


# ------------------------------------------------------------------------------------------ deciding


def test_a_decision_is_stored_with_its_maker_and_leaves_a_task(village: Village) -> None:
    sold_twice(village)
    name, tag, shown = the_one(village)
    answer = decide(village, name, proposal(shown, "cancel"), tag, CLAIRE, note="I call the guest")
    after = value(answer)
    assert after["state"] == "decided"
    assert after["decision"] | {"at": ""} == {
        "proposal": proposal(shown, "cancel"),
        "what": {"fr": "annuler un séjour", "en": "cancel a stay"},
        "by": "Claire",
        "at": "",
        "note": "I call the guest",
    }
    assert after["acknowledged"]["by"] == "Claire"
    assert after["task"]["steps"][0]["do"] == "cancel"
    assert clashes(village)  # decided is not resolved
    assert answer.headers["etag"] != tag


def test_who_looks_at_a_home_of_one_owner_and_decides_for_another_is_told_that_looking_is_all(
    village: Village,
) -> None:
    """Seen, and not theirs to decide: 403, on the page and by the API; what they do not see never was."""
    sold_twice(village)
    name, tag, shown = the_one(village)
    mixed = Person("Mia", {"owner": Role.VIEWER, "marc": Role.OPERATOR})
    stranger = Person("Zoé", {"marc": Role.OPERATOR})
    chosen = proposal(shown, "cancel")
    for person, status in ((mixed, 403), (stranger, 404)):
        page = at(village, person)
        answers = [
            acknowledged(village, name, person),
            decide(village, name, chosen, tag, person),
            page.post(f"/conflicts/{name}/acknowledge"),
            page.post(f"/conflicts/{name}/decide", {"proposal": chosen, "tag": tag}),
        ]
        assert [one.status for one in answers] == [status] * 4
    assert shown_as(village, name, mixed).status == 200
    assert clash(village).decision is None


def test_of_two_people_at_once_one_decides_and_the_other_learns_who_did(village: Village) -> None:
    sold_twice(village)
    name, tag, shown = the_one(village)
    here, there = at(village, CLAIRE), Browser(village.another_host(), village.run, MARC)
    where, tags = f"/api/conflicts/{name}/resolution", {"if-match": tag}

    async def both() -> tuple[HttpAnswer, HttpAnswer]:
        bodies = [{"proposal": proposal(shown, kind)} for kind in ("cancel", "ask_guest")]
        return await asyncio.gather(
            here.called("POST", where, bodies[0], tags), there.called("POST", where, bodies[1], tags)
        )

    answers = village.run(both())
    assert sorted(one.status for one in answers) == [200, 409]
    won = json.loads(next(one.body for one in answers if one.status == 200))
    late = json.loads(next(one.body for one in answers if one.status == 409))
    assert late["reason"] == "already-decided"
    assert late["said"]["fr"].startswith(f"Déjà décidé par {won['decision']['by']}, le ")
    assert late["said"]["en"].startswith(f"Already decided by {won['decision']['by']} at ")
    assert won["decision"]["what"]["fr"] in late["detail"]
    assert clash(village).decision is not None


def test_who_has_seen_a_decision_may_replace_it(village: Village) -> None:
    sold_twice(village)
    name, tag, shown = the_one(village)
    value(decide(village, name, proposal(shown, "ask_guest"), tag, CLAIRE))
    name, tag, shown = the_one(village)
    assert value(decide(village, name, proposal(shown, "cancel"), tag, MARC))["decision"]["by"] == "Marc"


def test_a_decision_about_facts_that_have_changed_says_what_changed(village: Village) -> None:
    first, _ = sold_twice(village)
    name, tag, shown = the_one(village)
    moved(village, "airbnb", first, LATER)
    late = value(decide(village, name, proposal(shown, "cancel"), tag, CLAIRE), 412)
    assert late["reason"] == "facts-changed"
    assert late["said"]["fr"] == (
        "Les faits ont changé\u202f: les nuits en double étaient 10–13 juillet 2027, "
        "ce sont maintenant 12–13 juillet 2027\u202f; "
        "le séjour vendu sur airbnb a changé de dates\u202f: 12–15 juillet 2027 au lieu de 10–13 juillet 2027."
    )
    assert late["said"]["en"].startswith(
        "The facts have changed: the nights sold twice were 10–13 July 2027, now"
    )
    assert clash(village).decision is None


def test_a_decision_about_what_is_over_says_so(village: Village) -> None:
    first, _ = sold_twice(village)
    name, tag, shown = the_one(village)
    cancelled(village, "airbnb", first)
    late = value(decide(village, name, proposal(shown, "cancel"), tag, CLAIRE), 412)
    assert "se chevauchent plus" in late["said"]["fr"]


def test_what_was_done_elsewhere_on_the_site_meanwhile_is_no_changed_fact(village: Village) -> None:
    sold_twice(village)
    name, tag, shown = the_one(village)
    value(acknowledged(village, name, MARC))
    pulled(village)
    assert decide(village, name, proposal(shown, "cancel"), tag, CLAIRE).status == 200


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({}, b'{"proposal": "x"}', 428, "ETag"),
        ({"if-match": "*"}, b'{"proposal": "x"}', 428, "ETag"),
        ({"if-match": '"made up"'}, b'{"proposal": "x"}', 400, "If-Match"),
        ({"if-match": '"e30"'}, b'{"proposal": "x"}', 400, "If-Match"),
        ({"if-match": "TAG"}, b"{}", 400, "proposal: field required"),
        ({"if-match": "TAG"}, b"[", 400, "the body: it is not JSON"),
        ({"if-match": "TAG"}, b'{"proposal": "x", "why": "y"}', 400, "why: there is no such field"),
        ({"if-match": "TAG"}, b'{"proposal": "x", "note": "\\u0000"}', 400, "note"),
        ({"if-match": "TAG"}, b'{"proposal": "x"}', 412, "no longer possible"),
    ],
)
def test_a_wish_nobody_can_follow_is_refused_by_name(
    village: Village, headers: dict[str, str], body: bytes, status: int, words: str
) -> None:
    sold_twice(village)
    name, tag, _ = the_one(village)
    given = {key: tag if text == "TAG" else text for key, text in headers.items()}
    answer = at(village).call("POST", f"/api/conflicts/{name}/resolution", body, given)
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in value(answer, status)["detail"]
    assert clash(village).decision is None


def test_the_first_to_acknowledge_stays_and_a_laptop_is_local(village: Village) -> None:
    sold_twice(village)
    name, _, _ = the_one(village)
    assert value(acknowledged(village, name, LOCAL))["acknowledged"]["by"] == "local"
    again = value(acknowledged(village, name, MARC))
    assert (again["state"], again["acknowledged"]["by"]) == ("acknowledged", "local")


# ------------------------------------------------------------------------------------- what follows


def test_a_cancellation_that_the_platform_confirms_resolves_it(village: Village) -> None:
    first, second = sold_twice(village)
    name, tag, shown = the_one(village)
    value(decide(village, name, proposal(shown, "cancel"), tag, CLAIRE))
    assert clash(village).verified_at is None
    cancelled(village, "booking", second)
    after = the_one(village)[2]
    assert after["state"] == "resolved"
    assert after["verified_at"]
    assert after["decision"]["by"] == "Claire"
    assert village.booking.calendar.closed >= set(first.dates.nights())


def test_an_echo_dropped_by_hand_is_resolved_by_the_next_look_at_its_calendar(village: Village) -> None:
    sold_and_shown(village)
    name, tag, shown = the_one(village)
    after = value(decide(village, name, proposal(shown, "drop_echo"), tag, CLAIRE))
    assert after["state"] == "over"  # our word for it; the platform has not been asked since
    village.run(village.drain())
    assert clash(village).verified_at is None
    polled(village, MINUTE)
    assert the_one(village)[2]["state"] == "resolved"
    assert any(row.wanted and row.dates == JULY for row in ledger(village, "greengo"))


def test_an_echo_that_was_none_is_a_conflict_again_once_the_other_stay_is_gone_and_comes_back(
    village: Village,
) -> None:
    """The word given is evidence in the ledger about these nights: it ends with the closure it was about."""
    stay = sold_and_shown(village)
    name, tag, shown = the_one(village)
    value(decide(village, name, proposal(shown, "drop_echo"), tag, CLAIRE))
    village.run(village.drain())
    cancelled(village, "booking", stay)
    pulled(village)
    for _ in range(4):
        polled(village, SHORT)
    assert any(row.wanted for row in ledger(village, "booking")), "what still stands there is a stay"


def test_nights_that_have_passed_are_over_and_not_resolved(village: Village) -> None:
    sold_twice(village)
    village.clock.advance(timedelta(days=200))
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())
    assert the_one(village)[2]["state"] == "over"
    assert clash(village).verified_at is None


def test_a_decision_survives_the_process_and_a_site_that_others_write_to(village: Village) -> None:
    sold_twice(village)
    name, tag, shown = the_one(village)
    deliver(village)
    for calls in range(12):
        wish, where = {"proposal": proposal(shown, "cancel")}, f"/api/conflicts/{name}/resolution"
        doing = at(village, CLAIRE).called("POST", where, wish, {"if-match": tag})
        village.dies_in(calls, doing)
        if clash(village).decision is not None:
            break
    else:
        pytest.fail("never decided")
    village.run(village.drain())
    decision = clash(village).decision
    assert decision is not None
    assert decision.by == "Claire"
