"""What Channex's bodies mean: revisions, availability, answers to writes, webhooks."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from shared.connectors import channex_answers as answers
from shared.connectors.channex_booking import read_booking, read_revisions, read_version
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SOME_ROOM, SeenRoom
from shared.domain.model import Status
from tests.connectors.support import fixture, stay

HOUSE = "00000000-0000-4000-8000-000000000101"
ROOM = "00000000-0000-4000-8000-000000000201"
BOOKING = "00000000-0000-4000-8000-00000000b001"
FIRST, SECOND = "00000000-0000-4000-8000-00000000a001", "00000000-0000-4000-8000-00000000a002"
NIGHTS = frozenset(stay("2027-08-14", 3).nights())


def revision(**changes: object) -> dict[str, object]:
    """The fixture's first revision, changed; None takes a field away."""
    item = copy.deepcopy(json.loads(fixture("channex/feed.json"))["data"][0])
    for name, value in changes.items():
        if value is None:
            item["attributes"].pop(name)
        else:
            item["attributes"][name] = value
    found: dict[str, object] = item
    return found


def test_the_documented_feed() -> None:
    stays, unplaced = read_revisions(json.loads(fixture("channex/feed.json"))["data"])
    assert unplaced == []
    assert [receipt for receipt, _ in stays] == [SECOND, FIRST]  # by when they came, not by place
    cancelled, booked = (seen for _, seen in stays)
    assert (cancelled.status, cancelled.rooms) == (Status.CANCELLED, ())
    assert (booked.id, booked.status, booked.guest) == (BOOKING, Status.CONFIRMED, "Alma G.")
    assert booked.rooms == (
        SeenRoom(f"{HOUSE}:{ROOM}", "1", stay("2027-08-14", 3)),
        SeenRoom(f"{HOUSE}:{SOME_ROOM}", "2", stay("2027-08-15", 1)),
    )
    assert booked.version == read_version("2027-05-02T10:15:01.335485") > cancelled.version > 0


def test_where_the_guest_booked_is_not_kept() -> None:
    seen = read_revisions([revision()])[0][0][1]
    assert not [word for word in ("BDC", "Booking", "1556013801", "49") if word in f"{seen!r} {seen.guest}"]


@pytest.mark.parametrize("status", ["new", "modified", "Modified"])
def test_a_known_status_holds_its_nights(status: str) -> None:
    assert read_revisions([revision(status=status)])[0][0][1].status is Status.CONFIRMED


@pytest.mark.parametrize("status", ["on_request", "", 7])
def test_an_unknown_status_holds_them_too(status: object) -> None:
    assert read_revisions([revision(status=status)])[0][0][1].status is Status.PENDING


def test_a_room_without_dates_has_the_nights_of_its_prices_or_of_the_booking() -> None:
    days = {"2027-08-15": "1.00", "2027-08-14": "1.00", "never": "1.00"}
    rooms = [
        {"room_type_id": ROOM, "days": days},
        {"room_type_id": ROOM, "days": 3},
        {"room_type_id": ROOM},
        5,
    ]
    seen = read_revisions([revision(rooms=rooms)])[0][0][1]
    assert [room.dates for room in seen.rooms] == [stay("2027-08-14", 2), *[stay("2027-08-14", 3)] * 3]


def test_a_booking_without_rooms_is_a_room_nobody_mapped() -> None:
    nothing: tuple[object, ...] = ([], "none")
    for rooms in nothing:
        seen = read_revisions([revision(rooms=rooms)])[0][0][1]
        assert seen.rooms == (SeenRoom(f"{HOUSE}:{SOME_ROOM}", "1", stay("2027-08-14", 3)),)


@pytest.mark.parametrize(
    ("item", "receipt", "reason"),
    [
        (revision(booking_id=None), FIRST, "without a readable id"),
        (revision(booking_id="../x"), FIRST, "without a readable id"),
        (revision(property_id=None), FIRST, f"booking {BOOKING} without readable property_id"),
        (revision(rooms=[], arrival_date="soon"), FIRST, f"booking {BOOKING} without readable nights"),
        (revision(rooms=[], arrival_date="2027-08-17"), FIRST, "nights"),
        (revision(id="a/b"), "", "a revision without a readable id"),
        ({"id": FIRST}, "", "no resource"),
        ("Alma", "", "no resource"),
        (None, "", "no resource"),
    ],
)
def test_what_nobody_can_read_costs_none_of_its_siblings_and_tells_no_guest(
    item: object, receipt: str, reason: str
) -> None:
    stays, unplaced = read_revisions([item, revision()])
    assert [one for one, _ in stays] == [FIRST]
    assert [(one.receipt, reason in one.reason) for one in unplaced] == [(receipt, True)]
    raw = unplaced[0].raw.decode()
    assert not [word for word in ("Genêt", "4111", "example.org", "sleeps there") if word in raw]


def test_a_cancellation_needs_nothing_but_the_id() -> None:
    item = revision(status="cancelled", rooms=None, arrival_date=None, departure_date=None, property_id=None)
    seen = read_revisions([item])[0][0][1]
    assert (seen.id, seen.status, seen.rooms) == (BOOKING, Status.CANCELLED, ())


@pytest.mark.parametrize("text", [None, "", "yesterday", "0001-01-01T00:00:00", "9999-01-01T00:00:00"])
def test_a_time_nobody_can_read_is_no_version(text: str | None) -> None:
    assert read_version(text) == 0


def test_a_time_with_a_zone_is_the_same_instant() -> None:
    assert read_version("2027-05-02T12:15:01+02:00") == read_version("2027-05-02T10:15:01Z")
    assert read_version("2027-05-02T10:15:01Z") == read_version("2027-05-02T10:15:01")


def test_a_booking_has_no_version_of_its_own() -> None:
    item = {"type": "booking", **revision(id=BOOKING, booking_id=None)}
    assert (read_booking(item).id, read_booking(item).version) == (BOOKING, 0)


# -------------------------------------------------------------------------------------------- writes


def warning(**fields: object) -> dict[str, object]:
    return {"property_id": HOUSE, "warning": {"availability": ["Alma says no"]}, **fields}


def taken(*warnings: object, data: object = ({"id": "t", "type": "task"},)) -> answers.WriteAnswer:
    listed = list(data) if isinstance(data, tuple) else data
    meta: dict[str, object] = {"message": "Success", **({"warnings": list(warnings)} if warnings else {})}
    return answers.read_taken({"meta": meta} if listed is None else {"data": listed, "meta": meta}, NIGHTS)


def test_a_task_takes_all_nights_and_so_does_a_success_without_one() -> None:
    assert taken() == taken(data=None) == answers.WriteAnswer({}, surely=True)


def test_a_warning_refuses_the_nights_it_names_or_all() -> None:
    assert taken(warning(date="2027-08-15")).refused == {date(2027, 8, 15): "availability"}
    several = taken(warning(date_from="2027-08-15", date_to="2027-08-16", date=None)).refused
    assert several.keys() == {date(2027, 8, 15), date(2027, 8, 16)}
    for vague in (
        warning(),
        warning(date="2031-01-01"),
        "no",
        {},
        warning(date_from="2027-08-16", date_to="1"),
    ):
        assert taken(vague).refused.keys() == NIGHTS
    assert taken(warning(date="2027-08-15"), data=()).refused.keys() == NIGHTS  # no task: nothing was taken


def test_neither_task_nor_refusal_is_no_answer_to_rely_on() -> None:
    assert taken(data=()) == answers.WriteAnswer({}, surely=False)


@pytest.mark.parametrize(
    "body", [None, [], "ok", {}, {"data": []}, {"ok": True}, {"errors": {"code": "validation_error"}}]
)
def test_a_body_that_says_neither_yes_nor_no_is_refused(body: object) -> None:
    with pytest.raises(PayloadRejected):
        answers.read_taken(body, NIGHTS)


def test_levels_of_one_room_type() -> None:
    data = {
        ROOM: {
            "2027-08-14": 1,
            "2027-08-15": 0,
            "2027-08-16": "1",
            "soon": 1,
            "2027-08-17": True,
            "2027-08-18": -1,
        }
    }
    assert answers.read_levels({"data": data}, ROOM) == {date(2027, 8, 14): 1, date(2027, 8, 15): 0}
    assert answers.read_levels({"data": data}, "other") == {}
    none: tuple[object, ...] = (None, [], {}, {"data": []})
    for body in none:
        with pytest.raises(PayloadRejected):
            answers.read_levels(body, ROOM)


@pytest.mark.parametrize("meta", [None, {}, {"total": -1}, {"total": "2"}, {"total": True}])
def test_a_list_without_its_total_is_no_list(meta: object) -> None:
    with pytest.raises(PayloadRejected):
        answers.read_page({"data": [], "meta": meta})


# ------------------------------------------------------------------------------------------ webhooks


@pytest.mark.parametrize(
    "event", ["booking", "booking_new", "non_acked_booking", "booking_unmapped_room", "brand_new"]
)
def test_an_event_of_a_property_is_a_doorbell(event: str) -> None:
    inside: dict[str, object] = {"event": event, "payload": {"property_id": HOUSE}}
    for body in ({"event": event, "property_id": HOUSE}, inside):
        notification = answers.read_notification(body)
        assert (notification.action, notification.poll) == (event, (f"{HOUSE}:",))
        assert (notification.reread, notification.hints, notification.revoked) == ((), (), ())
    assert answers.read_notification({"event": event, "property_id": 7}).poll == (answers.EVERYWHERE,)


@pytest.mark.parametrize("event", ["ari", "message", "review"])
def test_what_is_about_no_booking_asks_for_nothing(event: str) -> None:
    assert answers.read_notification({"event": event, "property_id": HOUSE}).poll == ()


@pytest.mark.parametrize(
    "body", [None, [], {}, {"event": ""}, {"event": ["booking"]}, {"event": "Alma Genêt"}]
)
def test_a_body_without_a_readable_event_is_refused(body: object) -> None:
    with pytest.raises(PayloadRejected) as caught:
        answers.read_notification(body)
    assert "Alma" not in str(caught.value)


def test_switches_that_are_off() -> None:
    settings = dict.fromkeys(answers.SWITCHES, True) | {answers.SWITCHES[1]: False}
    assert answers.read_switches({"data": {"attributes": {"settings": settings}}}) == (answers.SWITCHES[1],)
    without: tuple[object, ...] = (
        None,
        {},
        {"data": {"attributes": {}}},
        {"data": {"attributes": {"settings": {}}}},
    )
    for body in without:
        assert answers.read_switches(body) == ()
