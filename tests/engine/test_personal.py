"""Personal data: names go by themselves after departure, and at once when somebody asks; no night moves with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.access import Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected, StoreUnavailable
from shared.domain.facts import SeenStay
from shared.domain.model import Decision, Reservation
from shared.domain.personal import Sought, forgotten
from shared.domain.plan import plan
from shared.domain.portfolio import Owner
from shared.domain.targets import Target, Way
from shared.engine.personal import Personal
from shared.memory.tables import MemoryTables
from shared.ports.stores import Row
from shared.state.choices import ChoiceStore, Chosen
from shared.state.departed import DepartedStore
from shared.state.inbox import SetAside
from shared.state.names import ACCOUNTS, SITES
from shared.state.people import PeopleStore
from shared.state.sites import Changes
from shared.web.personal_json import as_json
from tests.engine.village import HOME, START, Sold, Village

JULY = StayDates(date(2027, 7, 1), date(2027, 7, 4))
AUGUST = StayDates(date(2027, 8, 1), date(2027, 8, 4))
CLAIRE = Person("claire", {"owner": Role.OPERATOR})
LOOKER = Person("compta", {"owner": Role.VIEWER})
STRANGER = Person("marc", {"marc": Role.OPERATOR})
CHIEF = Person("chief", {"*": Role.OPERATOR})
MARIE = Sought("Marie Dupont")


class Counted:
    """What the tables were asked."""

    def __init__(self, tables: MemoryTables) -> None:
        self.reads, self.writes = 0, 0
        tables.before = self.note

    def note(self, operation: str, table: str, partition: str) -> None:
        if operation in ("get", "query"):
            self.reads += 1
        else:
            self.writes += 1


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    seen = built.airbnb.seen

    def with_guest(stay: Sold) -> SeenStay:
        return replace(seen(stay), guest="Marie D.")

    built.airbnb.seen = with_guest  # type: ignore[method-assign]
    yield built
    built.close()


def sell(village: Village, dates: StayDates = JULY) -> Sold:
    stay = village.book("airbnb", dates)
    assert stay is not None
    village.run(village.webhook(village.deliveries.pop()))
    return stay


def living(village: Village) -> dict[str, Reservation]:
    return dict(village.run(village.engine.world.sites.load(HOME)).reservations)


def to_day(village: Village, day: date) -> None:
    village.clock.advance(timedelta(days=(day - village.clock.peek().date()).days))


def everything(village: Village) -> str:
    """Every byte the tables hold."""
    return repr(village.tables._partitions)


def walk(village: Village) -> None:
    """A whole day of hourly walks."""
    for _ in range(24):
        village.clock.advance(timedelta(hours=1))
        village.run(village.engine.on_timer_walk())
        village.run(village.drain())


# ----------------------------------------------------------------------------------------- by itself


def test_a_name_is_there_while_the_guest_may_come_and_gone_days_after(village: Village) -> None:
    sell(village)
    assert "Marie" in everything(village)
    to_day(village, date(2027, 7, 4))
    walk(village)
    assert "Marie" in everything(village)
    to_day(village, date(2027, 7, 8))
    walk(village)
    assert "Marie" not in everything(village)


def test_what_never_departs_loses_its_name_all_the_same(village: Village) -> None:
    """What a calendar showed that is dead stays where it is: its name does not."""
    stay = sell(village)
    key = f"airbnb|{stay.id}"
    state = village.run(village.engine.world.sites.load(HOME))
    claimed = replace(state.reservations[key], feed=f"{HOME}-greengo")
    village.run(village.engine.world.sites.commit(state, Changes(reservations=[claimed])))
    to_day(village, date(2027, 8, 3))
    walk(village)
    assert "Marie" in everything(village)
    to_day(village, date(2027, 8, 5))
    walk(village)
    assert "Marie" not in everything(village)
    assert replace(living(village)[key], observed=0) == replace(claimed, guest="", forgotten=True, observed=0)


def test_days_are_as_many_as_the_settings_say(village: Village) -> None:
    village.engine.personal.days = 0
    sell(village)
    to_day(village, date(2027, 7, 4))
    assert village.run(village.engine.personal.clean([HOME])) == 0
    to_day(village, date(2027, 7, 5))
    assert village.run(village.engine.personal.clean([HOME])) == 1
    assert "Marie" not in everything(village)


def test_departed_rows_of_an_older_release_lose_their_names_in_few_transactions(village: Village) -> None:
    sell(village)
    to_day(village, date(2027, 7, 8))
    walk(village)
    (row,) = village.run(village.tables.query(SITES, HOME, start="p|", stop="p}"))
    for number in range(250):
        other = replace(row, key=f"{row.key}{number}", values={**row.values, "guest": "Marie D."}, etag=None)
        village.run(village.tables.insert(SITES, other))
    walk(village)
    assert "Marie" in everything(village), "not before the days are over"
    to_day(village, date(2027, 8, 20))
    # Beside the lock: what is departed is nobody else's to write, and each row's own ETag guards it.
    village.engine.personal._departed = DepartedStore(village.tables)
    counted = Counted(village.tables)
    assert village.run(village.engine.personal.clean([HOME])) == 250
    assert counted.writes == 3
    assert "Marie" not in everything(village)


def test_a_departed_stay_goes_when_the_record_of_it_does(village: Village) -> None:
    sell(village)
    to_day(village, date(2027, 7, 8))
    walk(village)
    village.engine.personal._departed = DepartedStore(village.tables)
    for day, left in ((date(2028, 8, 6), 1), (date(2028, 8, 9), 0)):
        to_day(village, day)
        village.run(village.engine.personal.clean([HOME]))
        assert len(village.run(village.engine.personal._departed.all(HOME))) == left


def test_where_there_is_nothing_to_erase_a_site_costs_two_reads(village: Village) -> None:
    sell(village)
    counted = Counted(village.tables)
    assert village.run(village.engine.personal.clean([HOME])) == 0
    assert (counted.reads, counted.writes) == (2, 0)
    assert village.run(village.engine.personal.clean([HOME])) == 0


def test_a_site_that_cannot_be_read_keeps_no_other_from_its_turn(village: Village) -> None:
    sell(village)
    village.engine.personal.days = 0
    to_day(village, date(2027, 7, 6))
    assert village.run(village.engine.personal.clean(["nowhere", HOME])) == 1
    assert [name for name, _ in village.telemetry.events if name == "names_kept_too_long"]


def test_a_note_beside_a_decision_goes_with_the_names(village: Village) -> None:
    clash(village, note="Marie Dupont prefers the garden")
    to_day(village, date(2027, 8, 2))
    village.run(village.engine.personal.clean([HOME]))
    assert "garden" in everything(village)
    to_day(village, date(2027, 8, 5))
    village.run(village.engine.personal.clean([HOME]))
    assert "garden" not in everything(village)
    assert note_of(village).proposal == "p1", "the decision itself stands"


def clash(village: Village, note: str) -> None:
    """Two guests on the same nights, and a decision with a note."""
    sell(village)
    stay = village.booking.calendar.sold["B1"] = Sold("B1", JULY, 1, booked_at=village.clock.now())
    village.say("booking", stay, "new")
    village.run(village.poll_booking())
    village.run(village.drain())
    state = village.run(village.engine.world.sites.load(HOME))
    (one,) = state.conflicts.values()
    decided = replace(one, decision=Decision("p1", "claire", village.clock.now(), note))
    village.run(village.engine.world.sites.commit(state, Changes(conflicts=[decided])))


def note_of(village: Village) -> Decision:
    (one,) = village.run(village.engine.world.sites.load(HOME)).conflicts.values()
    assert one.decision is not None
    return one.decision


def test_old_bodies_go_and_that_they_came_stays(village: Village) -> None:
    inbox = village.engine.world.inbox
    village.run(inbox.quarantine("q1", "airbnb", "no sense", b'{"guest": "Marie"}', SetAside.WEBHOOK))
    village.run(inbox.quarantine("q2", "work", "unknown kind", b'{"kind": "Marie"}', SetAside.MESSAGE))
    village.run(inbox.put("airbnb", b'{"guest": "Marie"}'))
    village.clock.advance(timedelta(days=29))
    assert village.run(village.engine.personal.clean_bodies()) == 0
    village.clock.advance(timedelta(days=2))
    assert village.run(village.engine.personal.clean_bodies()) == 2
    assert village.run(village.engine.personal.clean_bodies()) == 0
    assert not village.run(inbox.waiting("airbnb", START))
    kept = village.run(inbox.set_aside("q1"))
    assert kept is not None
    assert (kept.raw, kept.size, kept.reason) == (b"", 18, "no sense")
    ours = village.run(inbox.set_aside("q2"))
    assert ours is not None
    assert ours.raw, "a message of our own names nobody, and can still be replayed"


def test_a_body_that_was_erased_is_not_replayed_as_nothing(village: Village) -> None:
    village.run(village.engine.world.inbox.quarantine("q1", "airbnb", "no", b'"Marie"', SetAside.WEBHOOK))
    village.run(village.engine.personal.erase(CHIEF, Sought("Marie")))
    one = village.run(village.engine.world.inbox.set_aside("q1"))
    assert one is not None
    with pytest.raises(PayloadRejected, match="erased"):
        village.run(village.engine.poisoned._again(one))


def test_who_looks_after_nobodys_homes_any_more_is_forgotten_with_what_they_chose(village: Village) -> None:
    people, tables = PeopleStore(village.tables), village.tables
    both = [Owner("owner", name, Role.OPERATOR) for name in ("claire", "gone@example.org")]
    village.run(people.put(both))
    for name in ("claire", "gone@example.org", "local"):
        village.run(ChoiceStore(tables).put(Chosen(name, targets=(Target(Way.NTFY, f"{name}-topic"),))))
    village.run(people.put(both[:1]))
    desk = Personal(replace(village.engine.world, everywhere=frozenset({"local"})))
    assert village.run(desk.clean_people()) == 2
    assert "gone@example.org" not in everything(village)
    assert {one.person for one in village.run(ChoiceStore(tables).all())} == {"claire", "local"}
    assert village.run(desk.clean_people()) == 0


def test_somebody_whose_row_cannot_be_read_keeps_what_they_chose_and_nobody_else_is_kept(
    village: Village,
) -> None:
    """One odd row used to end the nightly round, so that people who had left were kept for ever."""
    people, tables = PeopleStore(village.tables), village.tables
    both = [Owner("owner", name, Role.OPERATOR) for name in ("claire", "gone@example.org")]
    village.run(people.put(both))
    village.run(people.put(both[:1]))
    village.run(tables.upsert(ACCOUNTS, Row("~people", "odd", {"owners": "no JSON"})))
    for name in ("odd", "gone@example.org"):
        village.run(ChoiceStore(tables).put(Chosen(name, targets=(Target(Way.NTFY, f"{name}-topic"),))))
    assert village.run(Personal(village.engine.world).clean_people()) == 2
    assert [one.person for one in village.run(ChoiceStore(tables).all())] == ["odd"]


# ----------------------------------------------------------------------------------------- on request


def test_one_person_is_found_with_all_that_is_kept(village: Village) -> None:
    clash(village, note="She comes at eight")
    village.run(
        village.engine.world.inbox.quarantine("q1", "airbnb", "no", b'["Dupont", "Marie"]', SetAside.WEBHOOK)
    )
    found = as_json(village.run(village.engine.personal.find(CHIEF, MARIE)))
    (stay,), (note,), (body,) = found["stays"], found["notes"], found["messages"]  # type: ignore[misc]
    assert isinstance(stay, dict)
    assert (stay["guest"], stay["nights"], stay["homes"]) == ("Marie D.", [str(JULY)], ["Gîte du Moulin"])
    assert isinstance(note, dict)
    assert note["note"] == "She comes at eight"
    assert isinstance(body, dict)
    assert body["text"] == '["Dupont", "Marie"]'
    lines: Any = found["record"]
    assert {line["what"] for line in lines} >= {"new", "close accepted", "conflict"}
    assert json.loads(json.dumps(found)) == found


def test_who_looks_after_other_homes_finds_nobody_and_erases_nothing(village: Village) -> None:
    sell(village)
    before = everything(village)
    assert village.run(village.engine.personal.find(STRANGER, MARIE)).nothing
    done = village.run(village.engine.personal.erase(STRANGER, MARIE))
    assert (done.names, done.notes, done.lines, done.bodies) == (0, 0, 0, 0)
    assert everything(village) == before


def test_who_may_only_look_finds_and_erases_nothing(village: Village) -> None:
    sell(village)
    assert len(village.run(village.engine.personal.find(LOOKER, MARIE)).stays) == 1
    assert village.run(village.engine.personal.erase(LOOKER, MARIE)).names == 0
    assert "Marie" in everything(village)


def test_messages_belong_to_no_owner_and_are_looked_through_for_the_chief_alone(village: Village) -> None:
    village.run(
        village.engine.world.inbox.quarantine("q1", "airbnb", "no", b"Marie Dupont", SetAside.WEBHOOK)
    )
    found = village.run(village.engine.personal.find(CLAIRE, MARIE))
    assert (found.bodies, found.everywhere) == ((), False)
    assert as_json(found)["not_looked_through"] == ["messages"]
    assert village.run(village.engine.personal.erase(CLAIRE, MARIE)).bodies == 0
    assert village.run(village.engine.personal.erase(CHIEF, MARIE)).bodies == 1


def test_erasing_somebody_who_is_still_to_come_keeps_every_night_closed(village: Village) -> None:
    stay = sell(village)
    key = f"airbnb|{stay.id}"
    before, closed = living(village)[key], set(village.booking.calendar.closed)
    done = village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert (done.names, done.left.nothing) == (1, True)
    assert living(village)[key] == replace(before, guest="", forgotten=True)
    assert village.booking.calendar.closed == closed == set(JULY.nights())
    assert "Marie" not in everything(village)


def test_what_the_platform_says_later_brings_no_name_back(village: Village) -> None:
    stay = sell(village)
    village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert village.airbnb.calendar.move(stay, AUGUST)
    village.say("airbnb", stay, "modify")
    village.run(village.webhook(village.deliveries.pop()))
    village.run(village.engine.observer.observe("airbnb"))
    assert village.booking.calendar.closed == set(AUGUST.nights()), "it moved, and its closure with it"
    assert "Marie" not in everything(village)


def test_a_stay_that_was_forgotten_and_comes_back_from_nowhere_stays_nameless(village: Village) -> None:
    """Filed, or dropped and told of again: no row of the site remembers, the index does."""
    stay = sell(village)
    village.run(village.engine.personal.erase(CLAIRE, MARIE))
    state = village.run(village.engine.world.sites.load(HOME))
    village.run(village.engine.world.sites.commit(state, Changes(dropped=[f"airbnb|{stay.id}"])))
    village.run(village.engine.observer.observe("airbnb"))
    assert f"airbnb|{stay.id}" in living(village)
    assert "Marie" not in everything(village)


def test_erasing_is_done_once_however_often_it_is_asked(village: Village) -> None:
    sell(village)
    assert village.run(village.engine.personal.erase(CLAIRE, Sought(reservation="A1"))).names == 1
    version = village.run(village.engine.world.sites.load(HOME)).head.version
    again = village.run(village.engine.personal.erase(CLAIRE, Sought(reservation="A1")))
    assert (again.names, again.notes, again.lines, again.bodies) == (0, 0, 0, 0)
    assert village.run(village.engine.world.sites.load(HOME)).head.version == version


def test_who_erased_is_in_the_record_and_whom_is_not(village: Village) -> None:
    sell(village)
    village.run(village.engine.personal.erase(CLAIRE, MARIE))
    found = village.run(village.engine.personal.find(CLAIRE, Sought(reservation="A1")))
    (line,) = [one.words for one in found.lines if one.words["what"] == "name erased"]
    assert (line["by"], line["of"], line["on"]) == ("person claire", "airbnb|A1", f"{HOME}-airbnb")
    events = repr(village.telemetry.events)
    assert "person_erased" in events
    assert "Dupont" not in events


def test_a_decision_keeps_standing_when_its_note_is_erased(village: Village) -> None:
    clash(village, note="Marie rings")
    done = village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert (done.names, done.notes) == (1, 1)
    assert (note_of(village).note, note_of(village).proposal) == ("", "p1")


def test_the_record_loses_a_name_that_a_calendar_put_into_its_uid(village: Village) -> None:
    """A line about a stay that is still there keeps its key, and is said; when the stay is gone, so is the name."""
    state = village.run(village.engine.world.sites.load(HOME))
    line = {"at": village.clock.now().isoformat(), "by": "feed x", "kind": "fact", "what": "over"}
    line |= {"of": "greengo-owner|gite-greengo:marie.dupont@example.org", "before": str(JULY)}
    village.run(village.engine.world.sites.commit(state, Changes(history=[line])))
    done = village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert (done.lines, done.left.nothing) == (1, True)
    assert "dupont" not in everything(village)
    assert str(JULY) in everything(village)


def test_a_uid_with_a_name_of_a_stay_that_is_still_there_is_left_and_said(village: Village) -> None:
    village.greengo.calendar.sold["marie-dupont@x"] = Sold("marie-dupont@x", JULY, 1)
    village.run(village.poll_greengo())
    done = village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert done.lines == 0
    assert done.left.lines
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_body_that_waits_to_be_worked_off_is_left_and_said(village: Village) -> None:
    """What it tells would be lost with it: perhaps a sale."""
    village.run(village.engine.world.inbox.put("airbnb", b"Marie Dupont"))
    done = village.run(village.engine.personal.erase(CHIEF, MARIE))
    assert (done.bodies, len(done.left.bodies), done.left.bodies[0].waits) == (0, 1, True)
    village.clock.advance(timedelta(days=9))
    assert village.run(village.engine.personal.erase(CHIEF, MARIE)).bodies == 1


def test_a_commit_of_somebody_else_in_between_loses_neither_the_erasure_nor_the_news(
    village: Village,
) -> None:
    stay = sell(village)
    assert village.airbnb.calendar.move(stay, AUGUST)
    village.say("airbnb", stay, "modify")

    async def both() -> None:
        await asyncio.gather(
            village.webhook(village.deliveries.pop()), village.engine.personal.erase(CLAIRE, MARIE)
        )

    village.run(both())
    assert "Marie" not in everything(village)
    assert village.booking.calendar.closed == set(AUGUST.nights())


def test_no_plan_looks_at_a_name(village: Village) -> None:
    """What is closed and opened is decided without it, also where everything is still to be decided."""
    clash(village, note="Marie rings")
    village.greengo.calendar.sold["g"] = Sold("g", AUGUST, 1)
    village.run(village.poll_greengo())
    state = replace(village.run(village.engine.world.sites.load(HOME)), blocks={}, conflicts={})
    erased = {key: forgotten(one) for key, one in state.reservations.items()}
    now = village.clock.peek()
    before = plan(state, now)
    assert before.blocks
    assert before.conflicts
    assert plan(replace(state, reservations=erased), now) == before


@pytest.mark.parametrize("calls", range(14))
def test_an_erasure_whose_process_dies_is_finished_by_the_next_try(village: Village, calls: int) -> None:
    clash(village, note="Marie rings")
    village.dies_in(calls, village.engine.personal.erase(CLAIRE, MARIE))
    village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert "Marie" not in everything(village)
    assert village.booking.calendar.closed >= set(JULY.nights())


def test_while_the_store_is_away_nobody_is_told_that_it_is_done(village: Village) -> None:
    sell(village)

    def away(operation: str, table: str, partition: str) -> None:
        if operation == "submit":
            raise StoreUnavailable("away")

    village.tables.before = away
    done = village.run(village.engine.personal.erase(CLAIRE, MARIE))
    assert (done.names, done.left.unread, len(done.left.stays)) == (0, (HOME,), 1)
    village.tables.before = None
    assert village.run(village.engine.personal.erase(CLAIRE, MARIE)).left.nothing
