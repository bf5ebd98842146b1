"""Why is this night closed? Every face of a night, with the chain from the doorbell to the platform."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from shared.correlation import correlated
from shared.domain.dates import StayDates
from shared.domain.model import Busy, SyncMode
from shared.use_cases import HttpAnswer
from tests.engine.asking import asks
from tests.engine.people import LOCAL
from tests.engine.stories import (
    AUGUST,
    JULY,
    MINUTE,
    after,
    cancelled,
    hear,
    moved,
    polled,
    pulled,
    sold,
    told,
)
from tests.engine.village import HOME, Village
from tests.web.support import Browser

Json = dict[str, Any]

NIGHT = JULY.check_in


def asked(village: Village, query: dict[str, str]) -> HttpAnswer:
    return Browser(village.engine, village.run, LOCAL).call("GET", f"/api/why?{urlencode(query)}")


def why(village: Village, night: date = NIGHT, home: str = HOME) -> Json:
    answer = asked(village, {"home": home, "date": night.isoformat()})
    assert answer.status == 200, answer.body
    found: Json = json.loads(answer.body)
    return found


def faces(village: Village, night: date = NIGHT) -> dict[str, str]:
    return {one["listing"].removeprefix(f"{HOME}-"): one["state"] for one in why(village, night)["listings"]}


def on(village: Village, platform: str, night: date = NIGHT) -> Json:
    listings: list[Json] = why(village, night)["listings"]
    return next(one for one in listings if one["listing"] == f"{HOME}-{platform}")


def read_all(village: Village) -> None:
    """Every source has just answered."""
    village.run(village.first_answers())
    village.run(village.poll_booking())
    village.run(village.drain())


def test_a_free_night_is_for_sale_everywhere(village: Village) -> None:
    read_all(village)
    assert faces(village) == {"airbnb": "open", "booking": "open", "greengo": "open"}
    found = why(village)
    assert (
        found["text"]["fr"] == "Gîte du Moulin, nuit du 10 juillet 2027\u202f: en vente sur 3 annonces sur 3."
    )
    assert (found["facts"], found["holds"], found["held_back"]) == ([], [], [])


def test_the_chain_leads_from_the_doorbell_to_each_platform(village: Village) -> None:
    with correlated("the-bell-that-rang"):
        told(village, "airbnb", JULY)
    read_all(village)
    pulled(village)
    after(village, 2 * MINUTE)
    assert faces(village) == {"airbnb": "sold", "booking": "closed", "greengo": "closed"}
    (fact,) = (one for one in why(village)["facts"] if one["shown"] == "plain")
    assert (fact["of"], fact["by"], fact["correlation"]) == (
        "airbnb|A1",
        "webhook A1",
        "the-bell-that-rang",
    )
    (closure,) = on(village, "booking")["closures"]
    assert [step["what"] for step in closure["chain"]] == [
        "new",
        "close sent",
        "close accepted",
        "close seen",
    ]
    assert closure["because_of"] == "airbnb|A1"
    times = [datetime.fromisoformat(step["at"]) for step in closure["chain"]]
    assert times == sorted(times)
    assert datetime.fromisoformat(closure["decided"]) <= datetime.fromisoformat(closure["accepted"])
    assert closure["seen"] == closure["chain"][-1]["at"]
    assert closure["sent"] == closure["chain"][1]["at"]
    (published,) = on(village, "greengo")["closures"]
    assert [step["what"] for step in published["chain"]][:3] == ["new", "close published", "close accepted"]
    assert "notre calendrier a été lu" in published["text"]["fr"]


def test_what_is_published_and_not_fetched_may_still_be_sold(village: Village) -> None:
    told(village, "airbnb", JULY)
    read_all(village)
    one = on(village, "greengo")
    assert (one["state"], one["closures"][0]["accepted"]) == ("closing", None)
    assert "peut-être encore en vente" in one["text"]["fr"]
    assert "published, not fetched yet" in one["text"]["en"]


def test_what_a_platform_refuses_is_told_with_its_reason(village: Village) -> None:
    village.booking.faults.refuse = True
    told(village, "airbnb", JULY)
    one = on(village, "booking")
    assert one["state"] == "closing"
    assert (one["closures"][0]["attempts"], one["closures"][0]["error"]) == (1, "refused for the test")
    assert "refused for the test" in one["text"]["fr"]


def test_a_closure_that_waits_for_a_person_says_so(village: Village) -> None:
    village.run(village.engine.mode_desk.choose(LOCAL, "booking", SyncMode.MANUAL))
    village.clock.advance(timedelta(seconds=10))
    told(village, "airbnb", JULY)
    one = on(village, "booking")
    assert (one["state"], one["nothing_is_sent"]) == ("closing", "chosen by its owner")
    assert "rien n’y est envoyé maintenant (choisi par son propriétaire)" in one["text"]["fr"]
    assert (one["closures"][0]["sent"], one["closures"][0]["phase"]) == (None, "intended")


def test_an_echo_is_named_as_our_own_closure(village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village, MINUTE)
    found = why(village)
    (echo,) = (one for one in found["facts"] if one["shown"] == "echo")
    assert "notre propre fermeture" in echo["text"]["fr"]
    assert faces(village)["greengo"] == "closed"


def test_a_stay_that_vanished_says_what_would_confirm_it(village: Village) -> None:
    sold(village, "greengo", AUGUST)
    stay = sold(village, "greengo", JULY)
    polled(village)
    village.greengo.calendar.cancel(stay)
    polled(village, MINUTE)
    (fact,) = why(village)["facts"]
    assert fact["shown"] == "fading"
    assert datetime.fromisoformat(fact["at_the_latest"]) > village.clock.peek()
    assert "encore tenue" in fact["text"]["fr"]
    assert "20 min" in fact["text"]["en"]
    assert [step["what"] for step in fact["chain"]] == ["new", "vanished"]


def test_a_claim_nobody_verified_yet_is_called_one(village: Village) -> None:
    village.airbnb.faults.down = True
    stay = sold(village, "airbnb", JULY)
    hear(village)
    (fact,) = why(village)["facts"]
    assert (fact["of"], fact["shown"]) == (f"airbnb|{stay.id}", "claimed")
    assert "pas encore vérifiée" in fact["text"]["fr"]
    assert faces(village)["booking"] == "closed"


@pytest.mark.parametrize(("kind", "face"), [(Busy.BLOCK, "blocked"), (Busy.CLOSED, "sold")])
def test_an_owners_block_is_told_apart_from_a_sale(village: Village, kind: Busy, face: str) -> None:
    stay = sold(village, "greengo", JULY)
    village.greengo.kinds[stay.id] = kind
    polled(village)
    assert faces(village)["greengo"] == face
    assert faces(village)["airbnb"] == "closed"


def test_a_rule_of_the_platform_closes_nothing_elsewhere(village: Village) -> None:
    today = village.clock.peek().date()
    for day in range(6):
        village.greengo.calendar.sold.clear()
        stay = sold(village, "greengo", StayDates.of_nights(today + timedelta(days=day), 1))
        village.greengo.kinds[stay.id] = Busy.BLOCK
        polled(village, timedelta(days=1 if day else 0))
        village.run(village.drain())
    read_all(village)
    night = today + timedelta(days=5)
    assert faces(village, night)["greengo"] == "limited"
    (fact,) = why(village, night)["facts"]
    assert "ne ferme rien ailleurs" in fact["text"]["fr"]


def test_a_hold_is_shown_with_its_end(village: Village) -> None:
    read_all(village)
    village.run(village.poll_greengo())
    assert village.run(asks(village.engine, JULY))
    (hold,) = why(village)["holds"]
    assert hold["listing"] == f"{HOME}-airbnb"
    assert datetime.fromisoformat(hold["until"]) > village.clock.peek()
    assert hold["text"]["fr"].startswith("Promise à ")


def test_after_a_cancellation_the_reopening_is_on_its_way(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    pulled(village)
    cancelled(village, "airbnb", stay)
    read_all(village)
    found = faces(village)
    assert (found["airbnb"], found["booking"], found["greengo"]) == ("open", "open", "opening")
    (row,) = on(village, "greengo")["closures"]
    assert row["opening_since"] is not None
    assert "réouverture décidée" in row["text"]["fr"]
    pulled(village)
    village.run(village.poll_greengo())
    assert faces(village)["greengo"] == "open"


def test_a_moved_stay_explains_old_and_new_nights(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    moved(village, "airbnb", stay, AUGUST)
    read_all(village)
    assert faces(village, AUGUST.check_in)["booking"] == "closed"
    (closure,) = on(village, "booking", AUGUST.check_in)["closures"]
    assert "moved" in [step["what"] for step in closure["chain"]]
    assert faces(village)["booking"] == "open"


def test_two_reasons_are_two_closures(village: Village) -> None:
    sold(village, "airbnb", JULY)
    sold(village, "booking", JULY)
    village.run(village.poll_booking())
    hear(village)
    assert len(on(village, "greengo")["closures"]) == 2
    assert faces(village)["airbnb"] == "sold"
    assert faces(village)["booking"] == "sold"


def test_a_source_too_old_is_no_promise(village: Village) -> None:
    village.clock.advance(timedelta(hours=5))
    found = faces(village)
    assert set(found.values()) == {"unknown"}
    assert "rien n’est promis" in on(village, "greengo")["text"]["fr"]
    assert on(village, "greengo")["doubt"].startswith("was last read")


def test_departure_day_is_free(village: Village) -> None:
    told(village, "airbnb", JULY)
    read_all(village)
    assert faces(village, JULY.check_out)["booking"] == "open"
    assert faces(village, JULY.check_out - timedelta(days=1))["booking"] == "closed"


def test_units_sold_by_count_say_how_many_are_left() -> None:
    village = Village(units=3)
    try:
        told(village, "airbnb", JULY)
        read_all(village)
        assert on(village, "booking")["units_left"] == 2
        assert on(village, "booking")["state"] == "open"
    finally:
        village.close()


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({}, 400, "home"),
        ({"home": HOME}, 400, "date"),
        ({"home": HOME, "date": "tomorrow"}, 400, "date"),
        ({"home": HOME, "date": "9999-12-31"}, 400, "year"),
        ({"home": "nowhere", "date": "2027-07-10"}, 404, "nowhere"),
        ({"home": HOME, "date": "2027-07-10", "guest": "x"}, 400, "guest"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    village: Village, query: dict[str, str], status: int, word: str
) -> None:
    answer = asked(village, query)
    assert answer.status == status
    assert word in json.loads(answer.body)["detail"]


# ------------------------------------------------------------------------------------- nights that are over


def test_a_past_night_is_explained_from_the_record(village: Village) -> None:
    """Of a stay on a calendar that left, and of the closures made for it, no row stands any more."""
    stay = sold(village, "greengo", JULY)
    told(village, "airbnb", AUGUST)
    polled(village)
    pulled(village)
    after(village, 2 * MINUTE)
    village.clock.advance(timedelta(days=170))
    village.greengo.calendar.sold.pop(stay.id)
    village.run(village.settle(hours=1))
    state = village.run(village.engine.world.sites.load(HOME))
    assert not state.blocks
    assert not state.reservations
    assert faces(village, NIGHT) == {"airbnb": "closed", "booking": "closed", "greengo": "sold"}
    assert faces(village, AUGUST.check_in) == {"airbnb": "sold", "booking": "closed", "greengo": "closed"}
    found = why(village, AUGUST.check_in)
    assert found["past"]
    (closure,) = on(village, "booking", AUGUST.check_in)["closures"]
    assert [step["what"] for step in closure["chain"]][:4] == [
        "new",
        "close sent",
        "close accepted",
        "close seen",
    ]
    assert found["record"][0]["what"] == "new"
    assert faces(village, AUGUST.check_out) == {"airbnb": "open", "booking": "open", "greengo": "open"}


def test_a_past_night_that_was_cancelled_or_moved_away_was_free(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    other = told(village, "airbnb", AUGUST)
    pulled(village)
    cancelled(village, "airbnb", stay)
    moved(village, "airbnb", other, StayDates.of_nights(date(2027, 9, 1), 2))
    pulled(village)
    village.clock.advance(timedelta(days=200))
    village.run(village.settle(hours=1))
    for night in (JULY.check_in, AUGUST.check_in):
        assert set(faces(village, night).values()) == {"open"}
        assert why(village, night)["record"][0]["what"] == "new"
    assert faces(village, date(2027, 9, 1))["airbnb"] == "sold"


def test_a_night_before_anything_was_known_is_unknown(village: Village) -> None:
    assert set(faces(village, date(2026, 1, 1)).values()) == {"unknown"}
    assert "n’était pas encore connue" in why(village, date(2026, 1, 1))["listings"][0]["text"]["fr"]


def test_no_guest_and_no_calendar_id_is_in_a_sentence(village: Village) -> None:
    village.greengo.calendar.name = "Jeanne Martin "
    sold(village, "greengo", JULY)
    polled(village)
    found = why(village)
    for one in (*found["facts"], *found["listings"]):
        assert "Jeanne" not in str(one["text"])


def test_the_answer_reads_a_bounded_part_of_the_record(village: Village) -> None:
    told(village, "airbnb", JULY)
    for _ in range(30):
        stay = told(village, "booking", AUGUST)
        cancelled(village, "booking", stay)
    read = 0
    query = village.tables.query

    async def counting(table: str, partition: str, **bounds: Any) -> Any:
        nonlocal read
        rows = await query(table, partition, **bounds)
        read += len(rows)
        return rows

    village.tables.query = counting  # type: ignore[method-assign]
    why(village)
    assert read < 400
