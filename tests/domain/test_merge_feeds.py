"""What calendars that lie taught the merge, and how identity survives what they do to it: one small story each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.dates import StayDates, nights_of
from shared.domain.facts import FeedAnswer, FeedEvent
from shared.domain.merge import merge_feed
from shared.domain.model import Busy, Listing, Part, Reservation
from shared.domain.platform import AIRBNB, BOOKING, Link, Platform

DAY, MINUTE, HOUR = timedelta(days=1), timedelta(minutes=1), timedelta(hours=1)
NOW = datetime(2027, 5, 10, 6, 0, tzinfo=UTC)
TODAY = NOW.date()
SHORTLY = 20 * MINUTE


def stay(uid: str, start: int, nights: int, kind: Busy = Busy.CLOSED) -> FeedEvent:
    """An event so many days ahead."""
    return FeedEvent(uid, kind, (StayDates.of_nights(TODAY + start * DAY, nights),))


class Feed:
    """One calendar as the merge sees it: answer after answer."""

    def __init__(self, *events: FeedEvent, platform: Platform = BOOKING) -> None:
        self.listing = Listing("feed", "home", platform, "owner", Link.ICAL, complete=True)
        self.known: tuple[Reservation, ...] = ()
        self.counter = 0
        self.says(timedelta(), *events)

    def says(self, after: timedelta, *events: FeedEvent, oddities: Sequence[str] = ()) -> None:
        self.counter += 1
        at = NOW + after
        answer = FeedAnswer(events, at, self.counter, tuple(oddities))
        merged = merge_feed(self.listing, self.known, answer, at.date(), no_echo)
        assert merged is not None
        self.known = merged

    def repeats(self, after: timedelta, span: timedelta, *events: FeedEvent) -> None:
        """The same answer at the beginning and at the end of a span."""
        self.says(after, *events)
        self.says(after + span, *events)

    def held(self) -> set[date]:
        return nights_of(part.dates for one in self.known for part in one.held())


def no_echo(one: Reservation, part: Part) -> bool:
    return False


def nights(*events: FeedEvent) -> set[date]:
    return nights_of(dates for event in events for dates in event.dates)


SEASON = [stay(f"s{n}", 10 + 7 * n, 5) for n in range(8)]


# ------------------------------------------------------------------------------------- feeds that are in doubt


def test_a_whole_season_shifted_by_a_day_is_a_feed_in_doubt() -> None:
    """Each stay is still there under its UID, and each lost its first night."""
    feed = Feed(*SEASON)
    later = [stay(one.uid, 11 + 7 * n, 5) for n, one in enumerate(SEASON)]
    feed.repeats(MINUTE, 5 * HOUR, *later)
    assert feed.held() == nights(*SEASON, *later)
    feed.says(6 * HOUR + MINUTE, *later)
    assert feed.held() == nights(*later)


def test_three_of_eight_stays_cut_short_are_a_feed_in_doubt_and_two_are_not() -> None:
    for changed, free in ((2, True), (3, False)):
        feed = Feed(*SEASON)
        short = [stay(one.uid, 10 + 7 * n, 4 if n < changed else 5) for n, one in enumerate(SEASON)]
        feed.repeats(MINUTE, SHORTLY, *short)
        assert (feed.held() == nights(*short)) is free


def test_a_calendar_of_nothing_but_the_past_is_an_empty_one() -> None:
    one = stay("only", 10, 3)
    past = stay("long ago", -20, 5)
    feed = Feed(one, past)
    feed.repeats(MINUTE, 5 * HOUR, past)
    assert feed.held() == nights(one)


def test_a_stand_in_for_a_missing_date_is_no_sign_of_life() -> None:
    """The only stay is told to begin in the year 9999, under its own UID."""
    one = stay("only", 10, 3)
    nowhere = FeedEvent("only", Busy.CLOSED, (StayDates(date(9999, 12, 30), date(9999, 12, 31)),))
    feed = Feed(one)
    feed.repeats(MINUTE, 5 * HOUR, nowhere)
    assert feed.held() >= nights(one)


def test_sales_that_are_gone_among_many_closures_are_a_feed_in_doubt() -> None:
    """Four stays of four, and twenty closures of the owner still there."""
    closures = [stay(f"b{n}", 60 + 3 * n, 2, Busy.BLOCK) for n in range(20)]
    sales = [stay(f"s{n}", 10 + 7 * n, 5, Busy.STAY) for n in range(4)]
    feed = Feed(*sales, *closures, platform=AIRBNB)
    feed.repeats(MINUTE, 5 * HOUR, *closures)
    assert feed.held() == nights(*sales, *closures)


def test_a_closure_at_the_end_of_the_calendar_does_not_break_it_the_next_day() -> None:
    """The year 9999 has no day after its last; whether a closure slid must be asked without one."""
    for_ever = FeedEvent("x", Busy.BLOCK, (StayDates(date(9999, 12, 30), date(9999, 12, 31)),))
    new = stay("new", 30, 2, Busy.STAY)
    feed = Feed(for_ever, platform=AIRBNB)
    feed.says(DAY, FeedEvent("y", Busy.BLOCK, for_ever.dates), new)
    assert nights(new) <= feed.held()


# ---------------------------------------------------------------------------------- identity that survives


def test_a_uid_reissued_leaves_the_stay_what_it_was() -> None:
    feed = Feed(stay("old", 10, 5))
    first = feed.known[0]
    feed.says(MINUTE, stay("new", 10, 5))
    (same,) = feed.known
    assert (same.key, same.aliases) == (first.key, ("old", "new"))
    assert same.parts == first.parts


def test_dates_moved_under_one_uid_take_the_new_nights_at_once_and_keep_the_old_for_proof() -> None:
    before, after = stay("one", 10, 5), stay("one", 30, 5)
    feed = Feed(before)
    feed.says(MINUTE, after)
    (same,) = feed.known
    assert feed.held() == nights(before, after)
    feed.says(MINUTE + SHORTLY, after)
    assert feed.known[0].key == same.key
    assert feed.held() == nights(after)


def test_uid_reissued_and_date_moved_at_once_is_the_same_stay_when_one_end_stood_still() -> None:
    before, longer = stay("old", 10, 5), stay("new", 10, 7)
    feed = Feed(before)
    first = feed.known[0].key
    feed.says(MINUTE, longer)
    assert [one.key for one in feed.known] == [first]
    assert feed.held() == nights(longer)


def test_uid_reissued_and_both_ends_moved_at_once_frees_nothing_without_proof() -> None:
    """Nothing says that it is the same stay: the new one counts at once, the old one is held until proven gone."""
    before, after = stay("old", 10, 5), stay("new", 12, 5)
    feed = Feed(before)
    feed.says(MINUTE, after)
    assert feed.held() == nights(before, after)
    feed.says(MINUTE + SHORTLY, after)
    assert feed.held() == nights(after)


def test_two_neighbours_that_swap_their_uids_keep_every_night() -> None:
    first, second = stay("a", 10, 3), stay("b", 13, 4)
    feed = Feed(first, second)
    swapped = (stay("b", 10, 3), stay("a", 13, 4))
    for after in (MINUTE, SHORTLY, 2 * SHORTLY, DAY):
        feed.says(after, *swapped)
        assert feed.held() == nights(first, second)


def test_two_neighbours_that_swap_their_nights_under_new_uids_keep_every_night() -> None:
    """Three nights and four become four and three; whose is whose nobody can say, and no night is free in between."""
    feed = Feed(stay("a", 10, 3), stay("b", 13, 4))
    swapped = (stay("c", 10, 4), stay("d", 14, 3))
    for after in (MINUTE, SHORTLY, 2 * SHORTLY, DAY):
        feed.says(after, *swapped)
        assert feed.held() == nights(*swapped)
    assert len(feed.known) == 2


def test_a_new_uid_at_every_fetch_is_one_stay_with_its_last_names() -> None:
    feed = Feed(stay("u0", 10, 5))
    for n in range(1, 9):
        feed.says(n * MINUTE, stay(f"u{n}", 10, 5))
    (same,) = feed.known
    assert same.aliases == ("u5", "u6", "u7", "u8")


def test_two_events_that_become_one_and_one_that_becomes_two_lose_no_night() -> None:
    apart, joined = (stay("a", 10, 3), stay("b", 13, 4)), stay("a", 10, 7)
    feed = Feed(*apart)
    for after, events in ((MINUTE, (joined,)), (HOUR, (joined,)), (2 * HOUR, apart), (3 * HOUR, apart)):
        feed.says(after, *events)
        assert feed.held() == nights(joined)


# ---------------------------------------------------------------------------------------- classes of busy time


def test_a_real_one_night_closure_right_before_another_stay_is_kept() -> None:
    """One night that ends as the next stay begins may be a buffer or a sale: it holds its night."""
    one, following = stay("one", 10, 1), stay("following", 11, 6)
    feed = Feed(one, following)
    for after in (SHORTLY, DAY, 2 * DAY, 3 * DAY):
        feed.says(after, one, following)
        assert feed.held() == nights(one, following)
    assert {fact.kind for fact in feed.known} == {Busy.CLOSED}


@pytest.mark.parametrize("uid", ["notice", "new"])
def test_nights_closed_beside_a_notice_are_an_owners_block_at_once(uid: str) -> None:
    """Airbnb shows its notice and what an owner closes right after it as one event. On the day the rule had slid a
    change kept its class: the owner's nights were for sale elsewhere until the next day."""
    feed = Feed(stay("notice", 0, 2, Busy.BLOCK), platform=AIRBNB)
    for day in range(1, 6):
        feed.says(day * DAY, stay("notice", day, 2, Busy.BLOCK))
    assert {fact.kind for fact in feed.known} == {Busy.LIMIT}
    closed = stay(uid, 5, 9, Busy.BLOCK)
    feed.says(5 * DAY + 2 * HOUR, closed)
    assert {fact.kind for fact in feed.known} == {Busy.BLOCK}
    assert feed.held() == nights(closed)


def test_a_rule_that_slides_for_thirty_days_never_becomes_a_stay() -> None:
    """Airbnb's notice and window, a day further each day under new UIDs, beside a stay: once seen through they take no
    night, they stay two facts, and the stay is untouched."""
    real = stay("real", 40, 5, Busy.STAY)
    feed = Feed(real, platform=AIRBNB)
    for day in range(30):
        notice, window = stay(f"n{day}", day, 1, Busy.BLOCK), stay(f"w{day}", 365 + day, 90, Busy.BLOCK)
        feed.says(day * DAY + MINUTE, real, notice, window)
        kinds = sorted(fact.kind for fact in feed.known if fact.parts)
        assert len(kinds) == 3
        assert kinds.count(Busy.STAY) == 1
        if day > 3:
            assert kinds.count(Busy.LIMIT) == 2
    assert nights(real) <= feed.held()
