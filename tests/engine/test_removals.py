"""Rule 21 for people: what vanished and is still held, why, until when, and the one click that lets it go."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from shared.domain.access import Person
from shared.domain.dates import StayDates
from shared.engine.opaque import sealed
from shared.engine.removals import Released
from shared.use_cases import HttpAnswer
from tests.engine.people import LOCAL, operator
from tests.engine.stories import AUGUST, JULY, MINUTE, after, nights, polled, sold, stored
from tests.engine.village import HOME, START, Sold, Village
from tests.web.support import Browser

Json = dict[str, Any]

TODAY = START.date()
TONIGHT = StayDates.of_nights(TODAY, 3)
SOON = StayDates.of_nights(TODAY + timedelta(days=2), 3)
CAMILLE = operator("camille@homes.example")


def asked(village: Village, **query: str) -> HttpAnswer:
    return Browser(village.engine, village.run, LOCAL).call("GET", f"/api/removals?{urlencode(query)}")


def listed(village: Village, **query: str) -> list[Json]:
    answer = asked(village, **query)
    assert answer.status == 200
    found: list[Json] = json.loads(answer.body)["removals"]
    return found


def record(village: Village, kind: str) -> list[Json]:
    answer = Browser(village.engine, village.run, LOCAL).call("GET", f"/api/history?kind={kind}")
    found: list[Json] = json.loads(answer.body)["lines"]
    return found


def click(village: Village, name: str, by: Person = CAMILLE) -> HttpAnswer:
    return Browser(village.engine, village.run, by).call("POST", f"/api/removals/{quote(name)}/release")


def vanished(village: Village, *dates: StayDates) -> list[Sold]:
    """Stays of Greengo that its calendar showed and shows no longer; another one stays."""
    sold(village, "greengo", StayDates.of_nights(date(2027, 12, 1), 2))
    stays = [sold(village, "greengo", one) for one in dates]
    polled(village)
    for stay in stays:
        village.greengo.calendar.cancel(stay)
    polled(village, timedelta(minutes=2))
    return stays


def open_again(village: Village, dates: StayDates) -> bool:
    closed = village.airbnb.calendar.closed | village.booking.calendar.closed
    return not nights(dates) & closed


# ---------------------------------------------------------------------------------- why it is held


def test_an_ordinary_cancellation_says_when_it_will_be_believed(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)
    assert (one["reason"], one["nights"], one["platform"]) == ("none", [str(JULY)], "greengo")
    latest = datetime.fromisoformat(one["at_the_latest"])
    assert latest - datetime.fromisoformat(one["since"]) == timedelta(minutes=22)
    assert "20 min" in one["confirmed_by"]["fr"]
    while village.clock.peek() < latest - 2 * MINUTE:
        assert listed(village)
        polled(village, timedelta(minutes=2))
    polled(village, timedelta(minutes=2))
    assert listed(village) == [], "the promised instant is kept"


def test_an_arrival_within_two_days_needs_six_hours(village: Village) -> None:
    vanished(village, SOON)
    (one,) = listed(village)
    assert one["reason"] == "near"
    assert datetime.fromisoformat(one["at_the_latest"]) - START > timedelta(hours=6)
    assert "deux jours" in one["reason_text"]["fr"]


def test_a_guest_in_the_house_is_never_released_without_a_click(village: Village) -> None:
    vanished(village, TONIGHT)
    (one,) = listed(village)
    assert (one["reason"], one["at_the_latest"]) == ("guest", None)
    assert "seulement votre clic" in one["confirmed_by"]["fr"]
    for _ in range(5):
        polled(village, timedelta(hours=2))
    assert len(listed(village)) == 1
    assert click(village, listed(village)[0]["id"]).status == 200
    assert listed(village) == []


def test_many_at_once_say_how_many(village: Village) -> None:
    ranges = [StayDates.of_nights(date(2027, 7, 1) + timedelta(days=4 * n), 2) for n in range(4)]
    vanished(village, *ranges)
    found = listed(village)
    assert {(one["reason"], one["vanished_at_once"]) for one in found} == {("mass", 4)}
    assert [one["stay"] for one in found] == [str(dates) for dates in ranges]
    assert "4 séjours ont disparu" in found[0]["reason_text"]["fr"]


def test_an_empty_calendar_is_named(village: Village) -> None:
    sold(village, "greengo", JULY)
    polled(village)
    village.greengo.empty = True
    polled(village, timedelta(minutes=2))
    (one,) = listed(village)
    assert one["reason"] == "empty"


def test_a_six_hour_wait_that_reaches_the_arrival_is_told_to_need_a_click(village: Village) -> None:
    """Near: six hours from nine in the evening end on the day of arrival, when a guest may be in the house."""
    village.clock.advance(timedelta(hours=13))  # 22:00 in Paris
    vanished(village, StayDates.of_nights(TODAY + timedelta(days=1), 3))
    (one,) = listed(village)
    assert (one["reason"], one["at_the_latest"]) == ("near", None)


def test_a_stay_cut_at_both_ends_is_one_entry(village: Village) -> None:
    stay = vanished(village)
    assert stay == []
    long = StayDates.of_nights(date(2027, 7, 1), 10)
    short = StayDates.of_nights(date(2027, 7, 3), 4)
    one = sold(village, "greengo", long)
    polled(village)
    assert village.greengo.calendar.move(one, short)
    polled(village, timedelta(minutes=2))
    (removal,) = listed(village)
    assert removal["nights"] == ["2027-07-01/2027-07-03", "2027-07-07/2027-07-11"]
    assert click(village, removal["id"]).status == 200
    after(village, MINUTE)
    assert nights(short) <= village.airbnb.calendar.closed
    assert not (nights(long) - nights(short)) & village.airbnb.calendar.closed


def test_a_home_and_a_site_narrow_the_list(village: Village) -> None:
    vanished(village, JULY)
    assert listed(village, home=HOME) == listed(village, site=HOME) == listed(village)
    assert asked(village, home="nowhere").status == 404
    assert asked(village, guest="x").status == 400


# ------------------------------------------------------------------------------------------ the click


def test_rule_21_one_click_opens_the_nights_and_names_who_did_it(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)
    assert not open_again(village, JULY)
    answer = click(village, one["id"])
    said = json.loads(answer.body)
    assert (answer.status, said["released"], said["by"]) == (200, [str(JULY)], "camille@homes.example")
    village.run(village.drain())
    after(village, MINUTE)
    assert open_again(village, JULY)
    history = record(village, "person")
    assert [(line["what"], line["before"]) for line in history] == [("removal released", str(JULY))]
    assert history[0]["by_text"]["fr"] == "camille@homes.example"
    facts = record(village, "fact")
    assert (facts[0]["what"], facts[0]["by"]) == ("let go", "person camille@homes.example")


def test_a_second_click_is_told_of_the_first_and_changes_nothing(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)
    click(village, one["id"])
    village.run(village.drain())
    after(village, MINUTE)
    version = stored(village).head.version
    again = click(village, one["id"], operator("somebody@else.example"))
    said = json.loads(again.body)
    assert (again.status, said["already"], said["by"]) == (200, True, "camille@homes.example")
    assert stored(village).head.version == version


def test_two_clicks_at_once_are_one(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)

    async def both() -> list[Released]:
        engines = (village.engine, village.another_host())
        return list(await asyncio.gather(*(e.vanished.let_go(CAMILLE, one["id"]) for e in engines)))

    assert sorted(done.already for done in village.run(both())) == [False, True]
    people = record(village, "person")
    assert len(people) == 1


def test_a_stay_that_is_back_is_not_released(village: Village) -> None:
    (stay,) = vanished(village, JULY)
    (one,) = listed(village)
    stay.live = True
    polled(village, timedelta(minutes=2))
    answer = click(village, one["id"])
    assert answer.status == 409
    assert "back in its calendar" in json.loads(answer.body)["detail"]
    assert nights(JULY) <= village.airbnb.calendar.closed


def test_a_stay_that_came_back_and_vanished_again_needs_a_new_look(village: Village) -> None:
    (stay,) = vanished(village, JULY)
    (one,) = listed(village)
    stay.live = True
    polled(village, timedelta(minutes=2))
    stay.live = False
    polled(village, timedelta(minutes=2))
    answer = click(village, one["id"])
    assert answer.status == 409
    assert "vanished again" in json.loads(answer.body)["detail"]
    assert len(listed(village)) == 1
    assert click(village, listed(village)[0]["id"]).status == 200


def test_what_its_calendar_confirmed_meanwhile_is_told(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)
    for _ in range(12):
        polled(village, timedelta(minutes=2))
    answer = click(village, one["id"])
    assert answer.status == 409
    assert "waits no longer" in json.loads(answer.body)["detail"]


def test_a_released_stay_that_shows_again_is_closed_at_once(village: Village) -> None:
    (stay,) = vanished(village, JULY)
    click(village, listed(village)[0]["id"])
    village.run(village.drain())
    after(village, MINUTE)
    assert open_again(village, JULY)
    stay.live = True
    polled(village, timedelta(minutes=2))
    village.run(village.drain())
    assert nights(JULY) <= village.airbnb.calendar.closed
    again = click(village, "x")
    assert again.status == 404


def test_nights_another_stay_took_meanwhile_stay_closed(village: Village) -> None:
    vanished(village, JULY)
    other = village.greengo.calendar.book(StayDates(JULY.check_in, JULY.check_in + timedelta(days=1)))
    assert other is not None
    (one,) = listed(village)
    polled(village, timedelta(minutes=1))
    answer = click(village, one["id"])
    village.run(village.drain())
    after(village, MINUTE)
    assert nights(other.dates) <= village.airbnb.calendar.closed
    assert answer.status == 200


@pytest.mark.parametrize(
    "name",
    ["x", "Z2l0ZQ", "=" * 50, "A" * 5000, "Z2l0ZQp4Cnk", "\u00e9", sealed("é" * 600, "x", "1")],
)
def test_an_id_nobody_gave_is_not_found(village: Village, name: str) -> None:
    vanished(village, JULY)
    before = stored(village)
    assert click(village, name).status in (404, 409)
    assert stored(village) == before


def test_a_click_survives_a_process_that_dies_right_after_it(village: Village) -> None:
    vanished(village, JULY)
    (one,) = listed(village)
    for calls in range(1, 14):
        village.dies_in(calls, village.engine.vanished.let_go(CAMILLE, one["id"]))
        if not village.died:
            break
    assert click(village, one["id"]).status == 200
    after(village, MINUTE)
    after(village, MINUTE)
    assert open_again(village, JULY)


def test_the_instants_are_aware(village: Village) -> None:
    vanished(village, JULY, AUGUST)
    for one in listed(village):
        assert datetime.fromisoformat(one["since"]).astimezone(UTC) < village.clock.peek()
