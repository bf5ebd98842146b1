"""The notice desk: what a person chooses, what cannot be chosen, and what they see of what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import time

import pytest

from shared.domain.access import Person, Role
from shared.domain.portfolio import Owner
from shared.domain.quiet import Timing, Topic
from shared.domain.targets import MOST_TARGETS, Way
from shared.engine.notice_desk import ChoiceRefused, NoticeDesk
from shared.ports.people import Notice
from shared.state.told import Told
from tests.engine.village import Village

CLAIRE = Person("Claire", {"owner": Role.OPERATOR}, "fr", "claire@example.org")
VERA = Person("vera@example.org", {"owner": Role.VIEWER}, "en")
STRANGER = Person("marc", {"marc": Role.OPERATOR})
CHIEF = Person("chief", {"*": Role.OPERATOR})
FORM: Mapping[str, str] = {
    "language": "fr",
    "zone": "Europe/Paris",
    "begins": "21:30",
    "ends": "07:15",
    "digest": "08:00",
    "stay": "daily",
}


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    people = [
        Owner("owner", "claire@example.org", Role.OPERATOR, "claire@example.org"),
        Owner("owner", "vera@example.org", Role.VIEWER),
    ]
    built.run(built.engine.world.owners.put(people))
    yield built
    built.close()


@pytest.fixture
def desk(village: Village) -> NoticeDesk:
    return NoticeDesk(replace(village.engine.world, ways=frozenset({Way.EMAIL, Way.NTFY})))


def refused(village: Village, doing: object) -> str:
    with pytest.raises(ChoiceRefused) as wrong:
        village.run(doing)  # type: ignore[arg-type]
    return wrong.value.why


def test_who_never_chose_is_told_by_the_portfolios_address_and_sees_it(
    village: Village, desk: NoticeDesk
) -> None:
    view = village.run(desk.show(CLAIRE))
    assert (view.saved, view.portfolio, view.targets) == (False, "c…@example.org", ())
    assert set(view.timing.values()) == {Timing.NOW}
    assert village.run(desk.show(VERA)).portfolio == ""


def test_the_first_choice_takes_the_portfolios_address_along(village: Village, desk: NoticeDesk) -> None:
    village.run(desk.choose(CLAIRE, FORM))
    view = village.run(desk.show(CLAIRE))
    assert [one.masked for one in view.targets] == ["c…@example.org"]
    assert (view.hours.begins, view.hours.ends) == (time(21, 30), time(7, 15))
    assert view.timing[Topic.STAY] is Timing.DAILY
    assert view.timing[Topic.OVER] is Timing.NOW, "what the form left out is told at once"


def test_nobody_chooses_away_a_double_booking(village: Village, desk: NoticeDesk) -> None:
    village.run(desk.choose(CLAIRE, {**FORM, "conflict": "off", "push": "daily"}))
    view = village.run(desk.show(CLAIRE))
    assert (view.timing[Topic.CONFLICT], view.timing[Topic.PUSH]) == (Timing.NOW, Timing.NOW)


def test_who_has_nowhere_to_be_told_says_that_first(village: Village, desk: NoticeDesk) -> None:
    assert refused(village, desk.choose(VERA, FORM)) == "none"
    assert refused(village, desk.test(VERA)) == "none"
    village.run(desk.add(VERA, "ntfy", "vera-topic"))
    village.run(desk.choose(VERA, FORM))
    assert village.run(desk.show(VERA)).saved


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zone", "Atlantis"),
        ("zone", ""),
        ("zone", "../etc/passwd"),
        ("begins", "25:00"),
        ("ends", ""),
        ("digest", "noon"),
        ("stay", "sometimes"),
        ("language", "de"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field_and_changes_nothing(
    village: Village, desk: NoticeDesk, field: str, value: str
) -> None:
    village.run(desk.choose(CLAIRE, FORM))
    before = village.run(desk.show(CLAIRE))
    assert refused(village, desk.choose(CLAIRE, {**FORM, field: value})) == field
    assert village.run(desk.show(CLAIRE)) == before


def test_a_further_way_is_one_more_and_the_portfolios_address_stays(
    village: Village, desk: NoticeDesk
) -> None:
    village.run(desk.add(CLAIRE, "ntfy", "claire-topic"))
    village.run(desk.add(CLAIRE, "ntfy", "claire-topic"))
    ways = [one.way for one in village.run(desk.show(CLAIRE)).targets]
    assert ways == ["email", "ntfy"]


def test_the_last_way_stays(village: Village, desk: NoticeDesk) -> None:
    village.run(desk.add(CLAIRE, "ntfy", "claire-topic"))
    mail, ntfy = village.run(desk.show(CLAIRE)).targets
    village.run(desk.remove(CLAIRE, mail.mark))
    assert refused(village, desk.remove(CLAIRE, ntfy.mark)) == "last"
    assert len(village.run(desk.show(CLAIRE)).targets) == 1


def test_ways_are_counted_and_those_this_installation_cannot_go_refused(
    village: Village, desk: NoticeDesk
) -> None:
    assert refused(village, desk.add(CLAIRE, "apprise", "tgram://1/2")) == "way"
    for number in range(MOST_TARGETS - 1):
        village.run(desk.add(CLAIRE, "ntfy", f"claire-topic-{number}"))
    assert refused(village, desk.add(CLAIRE, "ntfy", "one-too-many")) == "many"


def test_no_address_ever_comes_out_whole(village: Village, desk: NoticeDesk) -> None:
    village.run(desk.add(CLAIRE, "ntfy", "claire-topic"))
    shown = repr(village.run(desk.show(CLAIRE)))
    assert "claire@example.org" not in shown
    assert "claire-topic" not in shown


def test_two_browsers_that_add_a_way_at_once_add_two(village: Village, desk: NoticeDesk) -> None:
    async def both() -> None:
        await asyncio.gather(
            desk.add(CLAIRE, "ntfy", "first-topic"), desk.add(CLAIRE, "ntfy", "second-topic")
        )

    village.run(both())
    assert len(village.run(desk.show(CLAIRE)).targets) == 3


def test_a_trial_goes_to_the_person_alone(village: Village, desk: NoticeDesk) -> None:
    village.run(desk.add(VERA, "ntfy", "vera-topic"))
    village.run(desk.test(VERA))
    (notice,) = village.notify.notices
    assert (notice.kind, notice.to, set(notice.text)) == ("test", "vera@example.org", {"fr", "en"})
    assert "vera" not in notice.key


def test_everybody_sees_what_was_sent_about_their_homes_and_to_themselves(
    village: Village, desk: NoticeDesk
) -> None:
    told, now = village.engine.world.told, village.clock.now()
    village.run(desk.add(VERA, "ntfy", "vera-topic"))
    (mine,) = village.run(desk.show(VERA)).targets
    key = village.run(desk._choices.get("vera@example.org"))
    assert key is not None
    own = f"{key.mark}/{mine.mark}"
    text = {"fr": "Essai.", "en": "Trial."}
    rows = [
        Told(Notice("new_stay", "1", "info", text, "owner"), now, taken=("json", own, "0123/email-ab")),
        Told(
            Notice("conflict", "2", "high", text, "owner"),
            now,
            (own,),
            error=f"{own}: ntfy.sh answered 500; x: y",
        ),
        Told(Notice("new_stay", "3", "info", text, "somebody else"), now, taken=("json",)),
        Told(Notice("test", "4", "info", text, to="vera@example.org"), now, failed=(own,)),
        Told(Notice("test", "5", "info", text, to="claire@example.org"), now, taken=("0123/email-ab",)),
        Told(Notice("unreadable", "6", "high", text), now, taken=("json",)),
    ]
    for row in rows:
        village.run(told.put(row))
    view = village.run(desk.show(VERA))
    found = {(one.kind, one.ways, one.why) for one in view.sent}
    assert found == {
        ("new_stay", (("json", "taken"), (mine.masked, "taken")), ""),
        ("conflict", ((mine.masked, "waiting"),), "ntfy.sh answered 500"),
        ("test", ((mine.masked, "failed"),), ""),
    }
    assert {one.kind for one in village.run(desk.show(CHIEF)).sent} >= {"unreadable", "new_stay"}
    assert village.run(desk.show(STRANGER)).sent == ()
