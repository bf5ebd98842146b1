"""When the owner of a double booking is told: at once, again while nothing happens, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.conflict_alerts import EVERY, PATIENCE, Occasion, due_alert, near_from, next_alert
from shared.domain.conflict_policy import policy
from shared.domain.dates import ONE_DAY, StayDates
from shared.domain.model import (
    Acknowledgement,
    Automatic,
    BookingConflict,
    Busy,
    ConflictResolution,
    ConflictSeverity,
    Decision,
    Head,
    Property,
    Side,
    Site,
    SiteState,
    Status,
)
from shared.domain.platform import AIRBNB
from shared.engine.conflict_decide import Wish
from shared.engine.conflict_version import seen
from shared.ports.people import Notice
from tests.engine.stories import (
    JULY,
    LATER,
    MINUTE,
    after,
    cancelled,
    hear,
    moved,
    polled,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, START, Sold, Village, portfolio

HOUR = timedelta(hours=1)
LOGE = Property("loge", "Loge", frozenset({"loge"}), "Europe/Paris")
FOUND = datetime(2027, 3, 1, 8, tzinfo=UTC)
OPEN = BookingConflict(
    "c",
    "loge",
    JULY,
    ("a|1", "b|2"),
    ConflictSeverity.MEDIUM,
    ConflictResolution.ASK_A_PERSON,
    FOUND,
    told=True,
    alerted_at=FOUND,
)


def notices(village: Village, kind: str = "conflict") -> list[Notice]:
    return [one for one in village.notify.notices if one.kind == kind]


def sold_twice(village: Village, dates: StayDates = JULY) -> tuple[Sold, Sold]:
    first, second = sold(village, "airbnb", dates), sold(village, "booking", dates)
    hear(village)
    village.run(village.drain())
    return first, second


def clash(village: Village) -> BookingConflict:
    (one,) = stored(village).conflicts.values()
    return one


# ---------------------------------------------------------------------------------- on values: when


def told_over(clash: BookingConflict, span: timedelta, step: timedelta = MINUTE) -> list[timedelta]:
    """How long after it was found it is told again, if somebody looks every minute."""
    found, now = [], FOUND
    while now - FOUND <= span:
        if due_alert(clash, LOGE, now) is not None:
            found.append(now - FOUND)
            clash = replace(clash, told=True, alerted_at=now)
        now += step
    return found


def test_it_is_told_after_15_minutes_an_hour_and_then_every_6_hours() -> None:
    assert told_over(OPEN, 20 * HOUR) == [15 * MINUTE, HOUR, 7 * HOUR, 13 * HOUR, 19 * HOUR]


def test_who_looks_late_tells_once_and_goes_on_in_the_rhythm() -> None:
    assert told_over(OPEN, 20 * HOUR, 10 * HOUR) == [10 * HOUR, 20 * HOUR]


def test_acknowledged_stops_the_repetitions_but_not_the_48_hours() -> None:
    seen = replace(OPEN, acknowledged=Acknowledgement("Claire", FOUND))
    assert told_over(seen, timedelta(days=100), HOUR) == []
    near = near_from(seen, LOGE)
    assert near == datetime(2027, 7, 8, tzinfo=ZoneInfo("Europe/Paris"))
    assert next_alert(seen, LOGE, FOUND) == near
    assert due_alert(seen, LOGE, near - MINUTE) is None
    assert due_alert(seen, LOGE, near) is Occasion.NEAR
    assert due_alert(replace(seen, alerted_at=near), LOGE, near + 5 * HOUR) is None


def test_what_is_found_within_48_hours_needs_no_second_word_for_it() -> None:
    near = near_from(OPEN, LOGE) + HOUR
    late = replace(OPEN, detected_at=near, alerted_at=near)
    assert due_alert(late, LOGE, near + 14 * MINUTE) is None
    assert due_alert(late, LOGE, near + 15 * MINUTE) is Occasion.AGAIN


def test_a_decision_without_effect_is_asked_about_after_half_an_hour() -> None:
    decided = replace(OPEN, decision=Decision("cancel-1", "Claire", FOUND + HOUR), alerted_at=FOUND + HOUR)
    assert due_alert(decided, LOGE, FOUND + HOUR + PATIENCE - MINUTE) is None
    assert due_alert(decided, LOGE, FOUND + HOUR + PATIENCE) is Occasion.NO_EFFECT
    again = replace(decided, alerted_at=FOUND + HOUR + PATIENCE)
    assert next_alert(again, LOGE, FOUND + HOUR + PATIENCE) == FOUND + HOUR + PATIENCE + EVERY


def test_an_end_nobody_confirmed_is_told_once_it_has_had_its_time() -> None:
    over = replace(OPEN, told=False, ended_at=FOUND + HOUR)
    assert due_alert(over, LOGE, FOUND + HOUR) is None
    assert next_alert(over, LOGE, FOUND + HOUR) == FOUND + HOUR + PATIENCE
    assert due_alert(over, LOGE, FOUND + HOUR + PATIENCE) is Occasion.OVER
    assert due_alert(replace(over, verified_at=FOUND + HOUR), LOGE, FOUND + HOUR) is Occasion.OVER
    assert due_alert(replace(over, told=True), LOGE, FOUND + 9 * HOUR) is None


def test_what_an_older_release_told_is_not_told_anew_at_once() -> None:
    old = replace(OPEN, alerted_at=None)
    assert due_alert(old, LOGE, FOUND + 14 * MINUTE) is None
    assert due_alert(old, LOGE, FOUND + 15 * MINUTE) is Occasion.AGAIN


# ------------------------------------------------------------------------------- in the engine: what


def test_the_owner_is_told_at_once_with_nights_sides_and_a_proposal(village: Village) -> None:
    sold_twice(village)
    (notice,) = notices(village)
    assert notice.owner == "owner"
    french, english = notice.text["fr"], notice.text["en"]
    assert french.startswith(
        "Double réservation\u202f: Gîte du Moulin, 10–13 juillet 2027 (airbnb / booking). "
    )
    assert "Airbnb\u202f: réservation confirmée 10–13 juillet 2027, vue le 1er mars 2027 à 09:00" in french
    assert "Peut-être encore en vente sur greengo (10–13 juillet 2027" in french
    assert "Notre première proposition\u202f: " in french
    assert english.startswith("Double booking: Gîte du Moulin, 10–13 July 2027 (airbnb / booking). ")
    assert "Our first proposal: " in english


def test_found_twice_and_heard_twice_is_told_once(village: Village) -> None:
    first, _ = sold_twice(village)
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())
    for _ in range(3):
        village.run(village.engine.desk.handle(f"{HOME}/{clash(village).id}"))
    village.say("airbnb", first, "new")
    hear(village)
    assert len(notices(village)) == 1


def test_while_nothing_happens_the_due_row_brings_somebody_back_to_tell_again(village: Village) -> None:
    sold_twice(village)
    pulled(village)
    for _ in range(60):
        after(village, MINUTE)
    assert len(notices(village)) == 3
    assert "toujours sans décision" in notices(village)[1].text["fr"]
    assert "Ces nuits sont fermées sur greengo." in notices(village)[1].text["fr"]
    for _ in range(24):
        after(village, HOUR)
    assert len(notices(village)) == 7


def test_reminders_outlive_every_process_and_a_lost_due_row(village: Village) -> None:
    sold_twice(village)
    for _ in range(14):  # whatever else had to be done for the site is done
        after(village, MINUTE)
    village.restart()
    due = village.run(village.engine.world.due.get(HOME))
    assert due is not None
    village.run(village.engine.world.due.done(HOME, due.etag))
    for _ in range(25):  # the walk sees each site once a day
        village.clock.advance(HOUR)
        village.run(village.engine.on_timer_walk())
        village.run(village.drain())
    assert len(notices(village)) == 2
    assert village.run(village.engine.world.due.get(HOME)) is not None


def test_acknowledged_it_is_quiet_until_48_hours_before_the_arrival(village: Village) -> None:
    soon = StayDates.of_nights(START.date() + timedelta(days=5), 2)
    sold_twice(village, soon)
    village.run(village.engine.decisions.acknowledge(HOME, clash(village).id, "Claire"))
    for _ in range(60):
        after(village, HOUR)
    assert len(notices(village)) == 1
    for _ in range(36):
        after(village, HOUR)
    assert len(notices(village)) == 2
    assert notices(village)[1].text["fr"].startswith("Double réservation, arrivée dans moins de 48 h")
    assert notices(village)[1].severity == "critical"


def test_when_it_is_over_that_is_told_once_and_nothing_after(village: Village) -> None:
    first, _ = sold_twice(village)
    cancelled(village, "airbnb", first)
    village.run(village.drain())
    (over,) = notices(village, "conflict_over")
    assert over.text["fr"] == (
        "Double réservation terminée\u202f: Gîte du Moulin, 10–13 juillet 2027 (airbnb / booking). "
        "Les plateformes ne montrent plus qu’un séjour sur ces nuits."
    )
    for _ in range(48):
        after(village, HOUR)
    assert len(notices(village)) == len(notices(village, "conflict_over")) == 1


def test_further_nights_are_told_and_fewer_are_not(village: Village) -> None:
    first, _ = sold_twice(village, LATER)
    moved(village, "airbnb", first, StayDates(LATER.check_in - 2 * ONE_DAY, LATER.check_in + ONE_DAY))
    village.run(village.drain())
    assert len(notices(village)) == 1
    village.airbnb.calendar.closed.clear()  # somebody opened there by hand what we had closed
    moved(village, "airbnb", first, LATER)
    village.run(village.drain())
    assert len(notices(village)) == 2
    assert "12–15 juillet 2027" in notices(village)[1].text["fr"]


def test_while_the_bus_is_down_the_owner_is_told_all_the_same(village: Village) -> None:
    village.bus.down = True
    sold(village, "airbnb", JULY)
    sold(village, "booking", JULY)
    village.run(village.webhook(village.deliveries.pop(0)))
    village.clock.advance(20 * MINUTE)
    village.run(village.engine.on_timer_sweep())
    village.run(village.engine.inbox.sweep(AIRBNB, 9))
    village.run(village.poll_booking())
    assert len(notices(village)) == 1


@pytest.mark.parametrize("dies", range(3))
def test_a_process_that_dies_while_it_tells_tells_twice_at_worst(village: Village, dies: int) -> None:
    sold(village, "airbnb", JULY)
    sold(village, "booking", JULY)
    village.run(village.webhook(village.deliveries.pop(0)))
    village.run(village.poll_booking())
    village.dies_in(dies, village.drain())
    assert village.died
    for _ in range(4):
        after(village, MINUTE)
    assert 1 <= len(notices(village)) <= 2
    assert clash(village).told


# ------------------------------------------------------------------------------------------- policy


def allow(village: Village) -> None:
    """The owner lets the engine do what can be taken back."""
    (site,) = portfolio().sites
    homes = {name: replace(home, automatic=Automatic.SAFE) for name, home in site.properties.items()}
    safe = replace(portfolio(), sites=(replace(site, properties=homes),))
    village.run(village.engine.portfolio.run(safe))
    village.run(village.drain())


def in_doubt(village: Village) -> Sold:
    """Sold on Booking.com and on Greengo; then Greengo's calendar no longer shows its stay."""
    told(village, "booking", JULY)
    stay = sold(village, "greengo", JULY)
    polled(village)
    village.run(village.drain())
    village.greengo.calendar.cancel(stay)
    polled(village, MINUTE)
    village.run(village.drain())
    return stay


def test_off_is_the_default_and_does_nothing_by_itself(village: Village) -> None:
    in_doubt(village)
    fetches = village.greengo.fetches
    after(village, MINUTE)
    assert clash(village).decision is None
    assert village.greengo.fetches == fetches


def test_safe_asks_the_calendar_again_and_notes_who_decided(village: Village) -> None:
    allow(village)
    in_doubt(village)
    decision = clash(village).decision
    assert decision is not None
    assert decision.by == "policy"
    assert decision.proposal.startswith("drop_stale-")
    for _ in range(8):  # the only event of a calendar: rule 21 wants 6 h of answers without it
        polled(village, HOUR)
    village.run(village.drain())
    assert clash(village).verified_at is not None
    assert len(notices(village, "conflict_over")) == 1


def test_what_the_policy_did_in_vain_stands_in_nobodys_way(village: Village) -> None:
    allow(village)
    stay = in_doubt(village)
    assert clash(village).decision is not None
    village.greengo.calendar.sold[stay.id].live = True
    polled(village, MINUTE)
    village.run(village.drain())
    assert clash(village).decision is None
    assert clash(village).ended_at is None


def test_safe_never_says_that_a_sale_was_our_own_closure(village: Village) -> None:
    allow(village)
    told(village, "booking", JULY)
    sold(village, "greengo", JULY)
    polled(village)
    village.run(village.drain())
    after(village, MINUTE)
    assert clash(village).decision is None


def test_every_home_concerned_must_allow_it() -> None:
    homes = {
        "a": Property("a", "A", frozenset({"r"}), automatic=Automatic.SAFE),
        "b": Property("b", "B", frozenset({"r"})),
    }
    state = SiteState(Site("s", "owner", homes, {"r": 1}), Head(), {})
    sides = tuple(
        Side(f"x|{name}", name, AIRBNB, name, JULY, Busy.STAY, Status.CONFIRMED, FOUND) for name in homes
    )
    assert policy(state, replace(OPEN, sides=sides)) is Automatic.OFF
    assert policy(state, replace(OPEN, sides=sides[:1])) is Automatic.SAFE


def test_a_person_may_overrule_what_the_policy_decided(village: Village) -> None:
    allow(village)
    in_doubt(village)
    state, found = village.run(village.engine.decisions.load(HOME, clash(village).id))
    options = village.run(village.engine.options.of(state, found))
    wish = Wish(options[-1].id, "Claire", "", seen(found))
    village.run(village.engine.decisions.decide(HOME, found.id, wish))
    decision = clash(village).decision
    assert decision is not None
    assert decision.by == "Claire"
