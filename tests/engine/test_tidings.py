"""What a person hears of: each new stay once, closures nobody took; nothing of old stays, echoes and names."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date, timedelta

import pytest

from shared.adapters.notify_many import NotifyMany
from shared.domain.access import Role
from shared.domain.dates import StayDates
from shared.domain.errors import PlatformDown
from shared.domain.model import Busy
from shared.domain.portfolio import Owner, Portfolio
from shared.domain.spoken import ranges, span
from shared.engine.notices_status import _entry
from shared.engine.tidings import new_stays
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryChannel, MemoryTelemetry
from shared.ports.people import Notice, Recipient
from shared.state.told import ToldStore
from tests.domain.test_conflict_identity import by_api, by_link, mill
from tests.engine.people import LOCAL
from tests.engine.stories import JULY
from tests.engine.village import START, Village


def deliver(village: Village) -> None:
    while village.deliveries:
        village.run(village.webhook(village.deliveries.pop(0)))


def told(village: Village, kind: str = "new_stay") -> list[Notice]:
    return [notice for notice in village.notify.notices if notice.kind == kind]


def sweeps(village: Village, minutes: int) -> None:
    for _ in range(minutes * 4):
        village.clock.advance(timedelta(seconds=15))
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())


# ------------------------------------------------------------------------------------------ new stays


def test_a_new_stay_is_told_when_its_nights_are_closed(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    (notice,) = told(village)
    assert notice.text["fr"] == (
        "Nouvelle réservation sur airbnb\u202f: Gîte du Moulin, 10–13 juillet 2027\u202f; "
        "nuits fermées sur booking\u202f; fermeture publiée pour greengo."
    )
    assert notice.text["en"] == (
        "New booking on airbnb: Gîte du Moulin, 10–13 July 2027; "
        "nights closed on booking; closure published for greengo."
    )
    assert notice.owner == "owner"


@pytest.mark.parametrize("platform", ["airbnb", "booking", "greengo"])
def test_each_stay_is_told_once_however_often_it_is_seen(village: Village, platform: str) -> None:
    stay = village.book(platform, JULY)
    assert stay is not None
    deliver(village)
    for _ in range(3):
        village.run(village.poll_booking())
        village.run(village.poll_greengo())
        village.run(village.first_answers())
        village.run(village.greengo_pulls())
        sweeps(village, 5)
    (notice,) = told(village)
    assert f"sur {platform}\u202f:" in notice.text["fr"]


def test_the_first_whole_answer_of_a_listing_tells_nothing() -> None:
    class Old(Village):
        async def first_answers(self) -> None:
            if not self.airbnb.calendar.sold:
                for number, platform in itertools.product(range(8), self.platforms().values()):
                    platform.book(StayDates.of_nights(date(2027, 4, 1) + timedelta(days=4 * number), 3))
            await super().first_answers()

    village = Old()
    try:
        assert sum(len(one.sold) for one in village.platforms().values()) == 24
        assert told(village) == []
        village.book("airbnb", StayDates.of_nights(date(2027, 12, 1), 2))
        deliver(village)
        assert len(told(village)) == 1
    finally:
        village.close()


def test_many_at_once_are_one_notice(village: Village) -> None:
    for number in range(12):
        village.book("booking", StayDates.of_nights(date(2027, 8, 1) + timedelta(days=3 * number), 2))
    village.run(village.poll_booking())
    (notice,) = told(village)
    assert "12 nouvelles réservations" in notice.text["fr"]


def test_our_own_closure_that_comes_back_is_no_news(village: Village) -> None:
    village.book("airbnb", JULY)
    deliver(village)
    village.run(village.greengo_pulls())
    village.run(village.poll_greengo())
    assert len(told(village)) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_a_stay_known_by_api_and_by_calendar_is_news_once_whichever_tells_first(first: int) -> None:
    both = (by_api(JULY), by_link(JULY))
    nothing, one, two = mill(), mill(both[first]), mill(*both)
    assert new_stays(nothing, one, [both[first]], START) == (both[first].key,)
    assert new_stays(one, two, [both[1 - first]], START) == ()
    assert new_stays(nothing, two, both, START) == (both[0].key,)
    apart = by_link(JULY, "HMZZZZ9999")
    assert new_stays(mill(both[0]), mill(both[0], apart), [apart], START) == (apart.key,)


def test_what_may_be_a_closure_is_called_so_and_a_block_is_no_news(village: Village) -> None:
    village.greengo.calendar.book(JULY)
    blocked = village.greengo.calendar.book(StayDates.of_nights(date(2027, 9, 1), 3))
    assert blocked is not None
    village.greengo.kinds[blocked.id] = Busy.BLOCK
    village.run(village.poll_greengo())
    (notice,) = told(village)
    assert notice.text["fr"].startswith("Nouvelle réservation ou fermeture sur greengo\u202f:")


def test_a_doorbell_alone_is_no_news(village: Village) -> None:
    village.book("airbnb", JULY)
    village.airbnb.faults.down = True
    deliver(village)
    assert village.booking.calendar.closed, "the hint closed them"
    assert told(village) == []
    village.airbnb.faults.down = False
    village.clock.advance(timedelta(minutes=6))
    sweeps(village, 2)
    assert len(told(village)) == 1


def test_a_move_and_a_cancellation_are_no_new_stay(village: Village) -> None:
    stay = village.book("airbnb", JULY)
    assert stay is not None
    deliver(village)
    assert village.airbnb.calendar.move(stay, StayDates.of_nights(date(2027, 7, 20), 2))
    village.say("airbnb", stay, "changed")
    deliver(village)
    village.airbnb.calendar.cancel(stay)
    village.say("airbnb", stay, "cancelled")
    deliver(village)
    assert len(told(village)) == 1


def test_a_process_that_dies_anywhere_tells_of_the_stay_once() -> None:
    doubled, survived, ids = [], 0, itertools.count(1)
    for number in range(70):
        village, channel = Village(), MemoryChannel("mail")
        many = NotifyMany(
            [channel],
            ToldStore(village.store),  # type: ignore[arg-type]  # it is a store with a fault in it
            village.telemetry,
            now=village.clock.now,
            new_id=lambda: f"id{next(ids)}",
        )
        village.notify = many  # type: ignore[assignment]
        village.restart()
        village.book("booking", JULY)
        village.dies_in(number, _poll(village, many))
        survived += not village.died
        sweeps(village, 3)  # the dead poller's lease ends
        village.run(_poll(village, many))
        for _ in range(4):
            village.clock.advance(timedelta(minutes=1))
            village.run(_health(village, many))
        kinds = [one.kind for one in channel.notices]
        assert kinds in (["new_stay"], ["new_stay"] * 2), f"died at call {number}: {kinds}"
        assert len({one.id for one in channel.notices}) == 1, "a second try carries the same id"
        doubled += [number] if len(kinds) == 2 else []
        village.close()
    assert survived, "the calls reach beyond the last one"
    # Only a death between the delivery and its note tells twice; both run beside the last calls of the sync.
    assert len(doubled) <= 6, f"told twice after a death at {doubled}"


async def _poll(village: Village, many: NotifyMany) -> None:
    await village.poll_booking()
    await _quiet(many)


async def _health(village: Village, many: NotifyMany) -> None:
    await village.engine.on_timer_health()
    await _quiet(many)


async def _quiet(many: NotifyMany) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.gather(*many._tasks)


# ------------------------------------------------------------------------------- closures nobody takes


def test_a_refused_closure_is_told_with_its_nights_and_a_link_and_when_it_is_over(village: Village) -> None:
    world = village.engine.world
    object.__setattr__(
        world, "console_link", lambda platform, unit, dates: f"https://{platform}.example/{unit}/{dates}"
    )
    village.booking.faults.refuse = True
    village.book("airbnb", JULY)
    deliver(village)
    assert told(village, "push_failed") == [], "the first refusal may be a blip"
    sweeps(village, 6)
    failed = told(village, "push_failed")
    assert {notice.key for notice in failed} == {"gite/gite-booking"}
    assert {notice.link for notice in failed} == {
        "https://booking.example/unit-booking/2027-07-10/2027-07-13"
    }
    assert "Gîte du Moulin, 10–13 juillet 2027" in failed[0].text["fr"]
    assert failed[0].link in failed[0].text["fr"]
    assert len({str(notice.text) for notice in failed}) == 1, (
        "the same words each time: told once by the outbox"
    )
    village.booking.faults.refuse = False
    sweeps(village, 8)
    assert len(told(village, "push_failed_over")) == 1
    before = len(village.notify.notices)
    sweeps(village, 8)
    assert len(village.notify.notices) == before


def test_a_blip_of_half_a_minute_is_nobodys_business(village: Village) -> None:
    village.booking.faults.refuse = True
    village.book("airbnb", JULY)
    deliver(village)
    sweeps(village, 1)
    village.booking.faults.refuse = False
    sweeps(village, 10)
    assert told(village, "push_failed") == []


def test_the_new_stay_says_honestly_what_is_not_closed_yet(village: Village) -> None:
    village.booking.faults.down = True
    village.book("airbnb", JULY)
    deliver(village)
    (notice,) = told(village)
    assert "fermeture en cours sur booking" in notice.text["fr"]
    assert "fermées" not in notice.text["fr"]


# -------------------------------------------------------------------------------- owners, and the words


def test_an_owner_is_told_at_the_addresses_of_the_portfolio(village: Village) -> None:
    people = (
        Owner("jeanne", "jeanne", Role.OPERATOR, "jeanne@example.org", "fr"),
        Owner("jeanne", "paul", Role.VIEWER, "paul@example.org", "en"),
        Owner("jeanne", "silent", Role.VIEWER),
    )
    village.run(village.engine.portfolio.run(Portfolio(people, (), (), ())))
    found = village.run(village.engine.world.owners.recipients("jeanne"))
    assert found == (Recipient("jeanne@example.org", "fr"), Recipient("paul@example.org", "en"))
    assert village.run(village.engine.world.owners.recipients("nobody")) == ()
    assert "example.org" not in repr(found)


async def test_what_no_channel_took_stands_in_the_status() -> None:
    tables = MemoryTables(lambda: START)
    bad = MemoryChannel("mail", failure=PlatformDown("the mail server refused the recipient (450)"))
    many = NotifyMany([bad], ToldStore(tables), MemoryTelemetry(), now=lambda: START, new_id=lambda: "id")
    await many.tell(Notice("dead_link", "gite-greengo", "high", {"fr": "x"}, "jeanne"))
    await many.settle(5)
    entry = _entry(*await ToldStore(tables).all())
    assert entry == {
        "kind": "dead_link",
        "severity": "high",
        "at": START.isoformat(),
        "waiting": ["mail"],
        "failed": [],
        "tries": 1,
        "next": (START + timedelta(minutes=1)).isoformat(),
        "error": "mail: the mail server refused the recipient (450)",
    }


def test_the_status_has_a_place_for_notices(village: Village) -> None:
    assert village.run(village.engine.overview.everything(LOCAL))["notices"] == []


@pytest.mark.parametrize(
    ("start", "nights", "french", "english"),
    [
        (date(2027, 8, 3), 4, "3–7 août 2027", "3–7 August 2027"),
        (date(2027, 8, 30), 3, "30 août – 2 septembre 2027", "30 August – 2 September 2027"),
        (date(2027, 12, 30), 3, "30 décembre 2027 – 2 janvier 2028", "30 December 2027 – 2 January 2028"),
        (date(2027, 8, 1), 1, "1er–2 août 2027", "1–2 August 2027"),
    ],
)
def test_nights_in_words(start: date, nights: int, french: str, english: str) -> None:
    dates = StayDates.of_nights(start, nights)
    assert (span(dates, "fr"), span(dates, "en")) == (french, english)


def test_very_many_nights_are_counted() -> None:
    many = [StayDates.of_nights(date(2027, 8, 1) + timedelta(days=3 * n), 1) for n in range(12)]
    assert ranges(many, "fr").endswith(", + 4")
