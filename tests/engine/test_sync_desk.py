"""Synchronise now: what a press leads to, for whose homes, how far it is, and what it did in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import NotAllowed, PayloadRejected
from shared.domain.model import SyncMode
from shared.domain.platform import GREENGO
from shared.domain.portfolio import Home
from shared.domain.wish import Wanted, covers
from shared.engine import sync_words
from shared.engine.sync_desk import SyncDesk
from shared.engine.sync_view import Progress, Report, SyncView
from shared.state.jobs import Job, JobStore
from tests.engine.hamlet import Hamlet
from tests.engine.village import HOME, Village

CLAIRE = Person("Claire", {"owner": Role.OPERATOR})
PAUL = Person("Paul", {"owner": Role.OPERATOR})
VIEWER = Person("Vera", {"owner": Role.VIEWER})
STRANGER = Person("Zoé", {"somebody else": Role.OPERATOR})
EVERYWHERE = Person("Odile", {ALL_OWNERS: Role.OPERATOR})
JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))
BATCH = SyncMode.BATCH


def desk(village: Village | Hamlet) -> SyncDesk:
    return SyncDesk(village.engine.world, village.engine.jobs)


def view(village: Village | Hamlet) -> SyncView:
    return SyncView(village.engine.world, village.engine.jobs)


def press(village: Village, person: Person = CLAIRE, **wanted: str) -> str:
    job = village.run(desk(village).start(person, Wanted(BATCH, **wanted)))  # type: ignore[arg-type]
    return job.head.id


def progress(village: Village, job: str, person: Person = CLAIRE) -> Progress:
    found = village.run(view(village).progress(person, job))
    assert found is not None
    return found


def report(village: Village, job: str) -> Report:
    found = village.run(view(village).report(CLAIRE, job))
    assert found is not None
    return found


def finish(village: Village) -> None:
    for _ in range(6):
        village.run(village.drain())
        village.clock.advance(timedelta(seconds=7))


def test_ten_people_who_press_at_once_start_one_job_and_all_see_it(village: Village) -> None:
    async def all_press() -> list[Job]:
        people = [CLAIRE, PAUL] * 5
        return list(
            await asyncio.gather(*(desk(village).start(one, Wanted(SyncMode.MANUAL)) for one in people))
        )

    village.clock.advance(timedelta(seconds=30))
    jobs = {job.head.id for job in village.run(all_press())}
    assert len(jobs) == 1
    polls = village.booking.asked["poll"]
    for person in (CLAIRE, PAUL, VIEWER):
        assert progress(village, *jobs, person).running
    finish(village)
    assert village.booking.asked["poll"] == polls + 1
    assert progress(village, *jobs).state == "done"
    assert press(village) not in jobs, "what is over does not stand in the way"


def test_while_all_is_synchronised_one_home_is_not_started_besides(village: Village) -> None:
    everything = press(village)
    assert press(village, property=HOME) == everything
    assert press(village, platform="greengo") == everything
    page = village.run(view(village).page(CLAIRE, BATCH))
    assert page.everything == everything
    assert {one.job for one in (*page.platforms, *page.homes)} == {everything}
    assert [one.id for one, _ in page.running] == [everything]


def test_while_one_home_is_synchronised_all_may_be(village: Village) -> None:
    home = press(village, property=HOME)
    page = village.run(view(village).page(CLAIRE, BATCH))
    assert page.everything == ""
    assert [one.job for one in page.homes] == [home]
    assert press(village) != home


def test_a_job_is_for_the_homes_of_who_pressed(village: Village) -> None:
    job = press(village)
    assert progress(village, job).wanted.owners == ("owner",)
    for person in (STRANGER, Person("nobody")):
        assert village.run(view(village).progress(person, job)) is None
        assert village.run(view(village).report(person, job)) is None
        assert village.run(view(village).page(person, BATCH)).running == ()
    everybodys = press(village, EVERYWHERE)
    assert everybodys != job
    assert village.run(view(village).progress(CLAIRE, everybodys)) is None


def test_who_may_only_look_presses_nothing(village: Village) -> None:
    for wanted in (Wanted(), Wanted(property=HOME), Wanted(platform="booking")):
        with pytest.raises(NotAllowed):
            village.run(desk(village).start(VIEWER, wanted))
    page = village.run(view(village).page(VIEWER, BATCH))
    assert not page.allowed
    assert (page.platforms, page.homes) == ((), ())


@pytest.mark.parametrize("person", [STRANGER, CLAIRE])
def test_a_home_that_is_not_theirs_is_one_that_is_not_there(village: Village, person: Person) -> None:
    missing = HOME if person is STRANGER else "castle"
    for wanted in (Wanted(property=missing), Wanted(site=missing)):
        with pytest.raises(PayloadRejected, match=f"there is no .* '{missing}'"):
            village.run(desk(village).start(person, wanted))


def test_a_platform_of_others_alone_is_not_connected(village: Village) -> None:
    with pytest.raises(PayloadRejected, match="connected: none"):
        village.run(desk(village).start(STRANGER, Wanted(platform="booking")))


@pytest.mark.parametrize("name", ["nope", "", "a/b", "x" * 500, "job~x"])
def test_a_job_nobody_knows_is_none(village: Village, name: str) -> None:
    assert village.run(view(village).report(CLAIRE, name)) is None


def test_a_tick_of_the_progress_reads_one_partition_once(village: Village) -> None:
    job = press(village)
    called: list[str] = []
    village.tables.before = lambda operation, table, partition: called.append(f"{operation} {table}")
    progress(village, job)
    assert called == ["query Runs"]


def test_progress_is_told_by_platform(village: Village) -> None:
    job = press(village)
    before = {one.platform: (one.done, one.over) for one in progress(village, job).shares}
    assert before == dict.fromkeys(("airbnb", "booking", "greengo"), (0, False))
    finish(village)
    assert all(one.over and not one.failed for one in progress(village, job).shares)


def test_the_report_says_what_was_read_and_what_was_closed(village: Village) -> None:
    village.book("greengo", JULY)
    village.clock.advance(timedelta(seconds=30))
    job = village.run(desk(village).start(CLAIRE, Wanted(SyncMode.MANUAL))).head.id
    finish(village)
    told = report(village, job)
    assert told.progress.state == "done"
    french = [one.title["fr"] for one in told.steps]
    assert french == [
        "Calendriers par lien\u202f: greengo",
        "État complet\u202f: airbnb",
        "Nouvelles\u202f: booking",
        "État complet\u202f: booking",
        "Mise à jour\u202f: Gîte du Moulin",
    ]
    assert told.steps[0].said["fr"] == "calendriers lus\u202f: 1, dont sans changement\u202f: 0"
    writes = [line["fr"] for one in told.steps for line in one.writes]
    assert "Gîte du Moulin, booking\u202f: ferme 10–13 juillet 2027 – accepté" in writes
    assert {platform for platform, _, _ in told.sums} == {"airbnb", "booking", "greengo"}


def test_the_report_says_what_failed_and_why(village: Village) -> None:
    village.greengo.faults.down = True
    job = press(village)
    finish(village)
    told = report(village, job)
    assert told.progress.state == "failed"
    failed = next(one for one in told.steps if one.troubles)
    assert failed.troubles[0]["fr"].startswith("Gîte du Moulin, greengo\u202f: elle ne répond pas")
    assert {one.platform: one.failed for one in told.progress.shares} == {
        "airbnb": 0,
        "booking": 0,
        "greengo": 1,
    }


def test_one_reason_of_several_is_told_once_with_all_it_concerns() -> None:
    names = {"a": "Chambre bleue, Booking.com", "b": "Chambre rose, Booking.com"}
    told = sync_words.troubles(
        "a: booking: no answer; b: booking: no answer; HTTP 503; a: booking: no answer", names
    )
    assert [one["en"].partition(": ") for one in told] == [
        (
            "Chambre bleue, Booking.com · Chambre rose, Booking.com",
            ": ",
            "it does not answer; we try again by ourselves",
        ),
        ("it is out of order (code 503); we try again by ourselves", "", ""),
    ]
    assert sync_words.troubles("", names) == ()


def test_what_ran_is_listed_newest_first_with_its_target(village: Village) -> None:
    press(village, property=HOME)
    finish(village)
    press(village, platform="greengo")
    finish(village)
    page = village.run(view(village).page(VIEWER, BATCH))
    assert [target for _, target in page.past] == ["greengo", "Gîte du Moulin"]


def test_another_owners_homes_are_left_alone() -> None:
    homes = [
        Home("a", "Chez A", "anna", group="", site="a"),
        Home("b", "Chez B", "ben", group="", site="b"),
    ]
    hamlet = Hamlet(homes, {"a": GREENGO, "b": GREENGO})
    try:
        hamlet.web.asked.clear()
        anna = Person("Anna", {"anna": Role.OPERATOR})
        job = hamlet.run(desk(hamlet).start(anna, Wanted(SyncMode.MANUAL)))
        assert {step.key for step in job.steps if step.kind == "site"} == {"a"}
        hamlet.run(hamlet.drain())
        assert hamlet.web.asked == ["https://calendars.example/a.ics"]
    finally:
        hamlet.close()


def test_what_an_accounts_queue_told_of_others_homes_is_theirs_to_read() -> None:
    homes = [Home("a", "Chez A", "anna", site="a"), Home("b", "Chez B", "ben", site="b")]
    hamlet = Hamlet(homes)
    try:
        anna = Person("Anna", {"anna": Role.OPERATOR})
        job = hamlet.run(desk(hamlet).start(anna, Wanted(SyncMode.MANUAL)))
        step = next(one for one in job.steps if one.kind == "queue")
        told = ({"what": "write", "listing": "a-booking"}, {"what": "write", "listing": "b-booking"})
        hamlet.run(JobStore(hamlet.tables).put(job.head.id, replace(step, lines=told)))
        for person, listings in ((anna, ["a-booking"]), (EVERYWHERE, ["a-booking", "b-booking"])):
            seen = hamlet.run(hamlet.engine.asked.job(person, job.head.id))
            assert [line["listing"] for one in seen.steps for line in one.lines] == listings
    finally:
        hamlet.close()


@pytest.mark.parametrize(
    ("running", "new", "expected"),
    [
        (Wanted(BATCH), Wanted(BATCH, property="a"), True),
        (Wanted(BATCH, property="a"), Wanted(BATCH), False),
        (Wanted(BATCH, property="a"), Wanted(BATCH, property="b"), False),
        (Wanted(SyncMode.MANUAL), Wanted(BATCH, "greengo"), True),
        (Wanted(BATCH), Wanted(SyncMode.MANUAL), False),
        (Wanted(BATCH, "greengo"), Wanted(BATCH, "booking"), False),
        (Wanted(BATCH, owners=("a", "b")), Wanted(BATCH, property="x", owners=("a",)), True),
        (Wanted(BATCH, owners=("a",)), Wanted(BATCH, owners=("a", "b")), False),
        (Wanted(BATCH, owners=("a",)), Wanted(BATCH), False),
        (Wanted(BATCH), Wanted(BATCH, owners=("a",)), True),
    ],
)
def test_a_wider_or_more_thorough_run_covers_a_narrower_one(
    running: Wanted, new: Wanted, *, expected: bool
) -> None:
    assert covers(running, new) is expected
