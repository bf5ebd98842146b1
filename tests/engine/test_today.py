"""What needs a person: each trouble of an account or a calendar link by its own sign, and nothing told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.model import (
    Account,
    Block,
    Busy,
    Head,
    Listing,
    Part,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
    SyncMode,
)
from shared.domain.modes import ModeSetting, Rung
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link
from shared.engine.today_needs import (
    PRESSING,
    ByHand,
    Source,
    Trouble,
    Where,
    account_trouble,
    grouped,
    link_troubles,
    on_its_way,
)
from shared.state.accounts import AccountState
from shared.state.feeds import Feed, Visit
from shared.state.fetches import Fetch, Fetches

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WHERE = Where("h", "Le Moulin", "h-airbnb", AIRBNB, "Airbnb")
SETTLED = AccountState(Account("a", AIRBNB, "owner"), {}, polled=NOW - MINUTE, looked=NOW - MINUTE)


def trouble(state: AccountState, rhythm: float | None = 20.0) -> Trouble | None:
    found = account_trouble(state, WHERE, rhythm, NOW)
    return found.kind if found else None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (SETTLED, None),
        (replace(SETTLED, polled=NOW - 3 * MINUTE, looked=None), Trouble.LATE),
        (replace(SETTLED, polled=NOW - 25 * HOUR, looked=None), Trouble.DOWN),
        (replace(SETTLED, polled=None, looked=None), Trouble.NEW),
        (replace(SETTLED, paused="401"), Trouble.WITHDRAWN),
        (replace(SETTLED, rung=Rung(SyncMode.MANUAL, reason="down", since=NOW)), Trouble.OUT),
        (replace(SETTLED, rung=Rung(SyncMode.BATCH, reason="slow", since=NOW)), Trouble.SLOW),
        (replace(SETTLED, setting=ModeSetting(SyncMode.MANUAL)), Trouble.CHOSEN),
        (replace(SETTLED, setting=ModeSetting(SyncMode.BATCH), polled=NOW - 20 * MINUTE), None),
        (replace(SETTLED, setting=ModeSetting(SyncMode.BATCH), polled=NOW - HOUR, looked=None), Trouble.LATE),
    ],
)
def test_an_account_is_in_trouble_by_what_it_shows(state: AccountState, kind: Trouble | None) -> None:
    assert trouble(state) is kind


def test_an_account_without_a_rhythm_of_its_own_is_judged_by_its_surveys() -> None:
    quiet = replace(SETTLED, polled=None, looked=NOW - 5 * MINUTE)
    assert trouble(quiet, None) is None
    assert trouble(quiet, 20.0) is Trouble.LATE


def site(*listings: Listing) -> SiteState:
    home = Property("h", "Le Moulin", frozenset({"h"}))
    return SiteState(Site("h", "owner", {"h": home}, {"h": 1}), Head(1), {one.id: one for one in listings})


LINKED = Listing("h-greengo", "h", GREENGO, "g", Link.ICAL, token="t", shard="0", complete=True)
FEED = Feed("h-greengo", "h", "g", GREENGO, "https://calendars.example/x")
FETCHED = Fetches(peer=Fetch(NOW - HOUR, "GreenGo/1", 200))


def of_link(
    listing: Listing = LINKED, feed: Feed = FEED, good: datetime | None = NOW, fetches: Fetches = FETCHED
) -> list[Trouble]:
    feeds = {listing.id: (feed, Visit(good=good))}
    found = link_troubles(site(listing), feeds, {listing.id: fetches}, {}, NOW)
    return [one.kind for one in found]


def test_a_calendar_that_answers_and_is_read_is_no_trouble() -> None:
    assert of_link() == []


def test_a_calendar_that_does_not_answer_is_told_by_how_long() -> None:
    assert of_link(good=NOW - 10 * MINUTE) == [Trouble.LATE]
    assert of_link(good=NOW - 25 * HOUR) == [Trouble.DOWN]
    assert of_link(good=None) == [Trouble.NEW]
    assert of_link(feed=replace(FEED, failures=1), good=None) == [Trouble.DOWN]
    assert of_link(feed=replace(FEED, dead=True)) == [Trouble.DOWN]


def test_a_calendar_of_ours_that_nobody_reads_is_told() -> None:
    other = Fetches(other=Fetch(NOW, "a browser", 200))
    assert of_link(fetches=Fetches()) == [Trouble.UNFETCHED]
    assert of_link(fetches=other) == [Trouble.UNFETCHED]  # whoever looked, it was not the channel
    assert of_link(fetches=Fetches(peer=Fetch(NOW - 25 * HOUR, "GreenGo/1", 200))) == [Trouble.FORGOTTEN]


def test_one_that_cannot_be_read_yet_or_was_revoked_is_nobodys_business() -> None:
    assert of_link(replace(LINKED, complete=False), fetches=Fetches()) == []
    assert of_link(replace(LINKED, token=""), fetches=Fetches()) == []


def test_a_listing_by_api_has_no_links_to_be_in_trouble() -> None:
    assert of_link(replace(LINKED, link=Link.API), good=None, fetches=Fetches()) == []


def source(kind: Trouble, home: str, since: datetime | None, platform: str = "greengo") -> Source:
    place = replace(WHERE, home=home, home_name=home, platform=platform, platform_name=platform)
    return Source(kind, place, since, {"fr": "", "en": ""})


def test_the_same_trouble_of_one_platform_is_one_thing_the_worst_first() -> None:
    found = grouped(
        [
            source(Trouble.LATE, "b", NOW),
            source(Trouble.UNFETCHED, "c", None),
            source(Trouble.LATE, "A", NOW - HOUR),
            source(Trouble.LATE, "a", NOW, "booking"),
            source(Trouble.WITHDRAWN, "z", None, "airbnb"),
        ]
    )
    assert [(one.kind, one.platform, one.homes) for one in found] == [
        (Trouble.WITHDRAWN, "airbnb", ("z",)),
        (Trouble.UNFETCHED, "greengo", ("c",)),
        (Trouble.LATE, "booking", ("a",)),
        (Trouble.LATE, "greengo", ("A", "b")),
    ]
    assert found[3].since == NOW - HOUR
    assert found[1].since is None
    assert tuple(Trouble)[: len(PRESSING)] == PRESSING


def test_nights_a_person_is_told_to_close_are_not_on_their_way_besides(exposed: SiteState) -> None:
    (row,) = exposed.blocks.values()
    names = {BOOKING: "Booking.com"}
    (found,) = on_its_way(exposed, NOW, (), names)
    assert (found.dates, found.where.platform_name) == (row.dates, "Booking.com")
    told = ByHand(found.where, row.dates, {"fr": "", "en": ""}, "")
    assert on_its_way(exposed, NOW, [told], names) == []
    other = replace(told, dates=StayDates(date(2027, 9, 1), date(2027, 9, 2)))
    assert len(on_its_way(exposed, NOW, [other], names)) == 1


@pytest.fixture
def exposed() -> SiteState:
    """A stay sold on Airbnb, and its closure on Booking.com decided and not taken."""
    dates = StayDates(date(2027, 7, 10), date(2027, 7, 13))
    airbnb = Listing("h-airbnb", "h", AIRBNB, "a", Link.API, "1", complete=True)
    booking = Listing("h-booking", "h", BOOKING, "b", Link.API, "2", complete=True)
    stay = Reservation("a", "A1", Busy.STAY, Status.CONFIRMED, (Part("1", "h-airbnb", dates, NOW),))
    row = Block("h-booking", stay.key, dates, created_at=NOW)
    return replace(site(airbnb, booking), reservations={stay.key: stay}, blocks={row.key: row})
