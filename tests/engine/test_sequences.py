"""Real calendars as they were polled, one after the other, through the real reader and the real engine. Whatever the
latest complete answer shows as busy is closed elsewhere, and nothing is opened elsewhere without the proof of rule 21.

What the rule allows is worked out here once more, from the ranges others read in these files and from nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.dates import StayDates, ranges_of
from shared.domain.model import Busy
from shared.domain.platform import AIRBNB, BOOKING, Platform
from shared.domain.portfolio import Home
from tests.connectors.corpus import index, published
from tests.engine.hamlet import Hamlet, calendar, link

HOME = Home("home", "Maison", "owner")
SHORT, LONG = timedelta(minutes=20), timedelta(hours=6)
DAY = timedelta(days=1)
SEQUENCES = sorted({case["sequence"]["name"] for case in index() if case.get("sequence")})

OPENED = {
    "airbnb-sliding-blocks-2025-07": [
        "2025-07-08: 2025-07-15/2025-07-19",
        "2025-07-18: 2025-08-22/2025-08-24",
        "2025-07-28: 2025-09-07/2025-09-12",
    ],
    "booking-giulia-transitions": [
        "2026-02-24: 2026-05-01/2026-05-04",
        "2026-02-24: 2026-06-22/2026-06-30",
        "2026-05-14: 2026-05-30/2026-05-31",
    ],
}
"""All that is opened elsewhere when each answer comes once, as day and nights: each was gone from two answers in a row,
hours apart. In the other sequences what vanished came back, or only its nights passed."""

Range = tuple[date, date]


@dataclass(frozen=True)
class Poll:
    """One answer: when it was asked for, what it says, and which ranges are closures and no stays."""

    at: datetime
    body: bytes
    ranges: frozenset[Range]
    blocks: frozenset[Range] = frozenset()

    @property
    def today(self) -> date:
        return self.at.astimezone(ZoneInfo(HOME.zone)).date()

    @property
    def busy(self) -> set[date]:
        return nights(self.ranges)


def nights(ranges: Sequence[Range] | frozenset[Range]) -> set[date]:
    return {start + DAY * n for start, end in ranges for n in range((end - start).days)}


# ------------------------------------------------------------------------------------------- the oracle


def expected(polls: Sequence[Poll]) -> Iterator[set[date]]:
    """After each answer the nights, from that day on, which rule 21 wants closed elsewhere."""
    waiting: dict[date, tuple[datetime, frozenset[Range], bool]] = {}
    before: Poll | None = None
    for poll in polls:
        doubt = before is not None and in_doubt(before, poll)
        for night in (before.busy if before else set()) - poll.busy:
            assert before is not None
            causes = frozenset(one for one in before.ranges if one[0] <= night < one[1])
            waiting.setdefault(night, (poll.at, causes, doubt))
        for night, (since, causes, doubtful) in list(waiting.items()):
            proof = [needed(one, poll, doubtful, before) for one in causes]
            if night in poll.busy or night < poll.today or all(p and poll.at - since >= p for p in proof):
                del waiting[night]
        yield {night for night in poll.busy | waiting.keys() if night >= poll.today}
        before = poll


def in_doubt(before: Poll, poll: Poll) -> bool:
    """More than 30 % of the future stays, and at least three, gone at once; or nothing left at all."""
    ahead = [one for one in before.ranges if one[1] > poll.today]
    gone = [one for one in ahead if {n for n in nights([one]) if n >= poll.today} - poll.busy]
    return not poll.ranges or (len(gone) >= 3 and len(gone) > 0.3 * len(ahead))


def needed(one: Range, poll: Poll, doubtful: bool, before: Poll | None) -> timedelta | None:
    """What the answers must span before these nights may be sold again; None: only a person may say so."""
    if one[0] <= poll.today < one[1]:
        return LONG if before and one in before.blocks else None
    return LONG if doubtful or one[0] <= poll.today + 2 * DAY else SHORT


# ------------------------------------------------------------------------------------------- the replay


class Replay:
    """A home with that calendar on one platform, and a listing by API elsewhere."""

    def __init__(self, platform: Platform, first: Poll) -> None:
        self.hamlet = Hamlet((HOME,), {HOME.id: platform}, start=first.at - timedelta(minutes=1))
        self.hamlet.run(self.hamlet.engine.observer.observe("booking"))

    def closed(self, poll: Poll) -> set[date]:
        """What is closed elsewhere, from that day on, after that answer."""
        built = self.hamlet
        built.clock.advance(poll.at - built.clock.peek())
        built.web.answers[link(HOME.id)] = poll.body
        built.run(built.engine.calendars.shard("0000", force=True))
        built.run(built.engine.on_timer_sweep())
        built.run(built.drain())
        return {night for night in built.booking.closed(HOME.id) if night >= poll.today}

    def limits(self) -> set[date]:
        """Nights that the engine takes for a rule of the platform."""
        state = self.hamlet.run(self.hamlet.engine.world.sites.load(HOME.id))
        facts = (one for one in state.reservations.values() if one.kind is Busy.LIMIT)
        return {night for one in facts for part in one.parts for night in part.dates.nights()}


def sequence(name: str) -> list[Poll]:
    cases = [case for case in index() if case.get("sequence") and case["sequence"]["name"] == name]
    cases.sort(key=lambda case: int(case["sequence"]["n"]))
    assert len(cases) == cases[0]["sequence"]["of"]
    polls = []
    for case in cases:
        body = published(f"corpus/ical/{case['file']}")
        ranges = frozenset((date.fromisoformat(a), date.fromisoformat(b)) for a, b in case["ranges"])
        at = datetime.fromisoformat(case["sequence"]["polled_at"]).astimezone(UTC)
        polls.append(Poll(at, body, ranges, closures(body)))
    assert all(one.at < other.at for one, other in pairwise(polls))
    return polls


def closures(body: bytes) -> frozenset[Range]:
    """The ranges that Airbnb calls "Not available"."""
    return written(body, b"(Not available)")


def written(body: bytes, saying: bytes = b"") -> frozenset[Range]:
    """The ranges of the events that say so: a plain reading of the lines, without the product's reader."""
    found = set()
    for event in re.findall(rb"BEGIN:VEVENT.*?END:VEVENT", body, re.DOTALL):
        if saying in event:
            days = dict(re.findall(rb"(DTSTART|DTEND);VALUE=DATE:(\d{8})", event))
            start, end = (date.fromisoformat(days[name].decode()) for name in (b"DTSTART", b"DTEND"))
            found.add((start, end))
    return frozenset(found)


def often(polls: Sequence[Poll]) -> Iterator[Poll]:
    """As the engine would poll: the same answer again after 19, 21 and 25 min, 7 h, and just before the next one."""
    for poll, following in pairwise((*polls, replace(polls[-1], at=polls[-1].at + 9 * timedelta(hours=1)))):
        spans = (timedelta(), *(timedelta(minutes=m) for m in (19, 21, 25, 420)))
        times = {poll.at + span for span in spans if poll.at + span < following.at}
        times.add(max(poll.at, following.at - timedelta(minutes=1)))
        yield from (replace(poll, at=at) for at in sorted(times))


def cases() -> list[object]:
    missing = pytest.mark.skip(reason="no ../shared: the calendar corpus is not on this machine")
    return list(SEQUENCES) or [pytest.param("", marks=missing)]


@pytest.mark.parametrize("name", cases())
def test_a_sequence_frees_no_night_wrongly(name: str) -> None:
    polls = sequence(name)
    assert replayed(name, polls) == OPENED.get(name, [])


@pytest.mark.parametrize("name", cases())
def test_a_sequence_asked_for_again_and_again_frees_no_night_wrongly(name: str) -> None:
    replayed(name, list(often(sequence(name))))


def replayed(name: str, polls: Sequence[Poll]) -> list[str]:
    """Replay, compare after each answer; returns what was opened elsewhere, as day of opening and nights."""
    replay = Replay(AIRBNB if name.startswith("airbnb") else BOOKING, polls[0])
    opened, last = [], set[date]()
    for poll, wanted in zip(polls, expected(polls), strict=True):
        closed = replay.closed(poll)
        assert replay.limits() == set(), "no sequence holds a rule of the platform"
        assert closed == wanted, f"after the answer of {poll.at}"
        freed = {night for night in last - closed if night >= poll.today}
        opened += [f"{poll.today}: {dates}" for dates in ranges_of(freed)]
        last = closed
    replay.hamlet.close()
    return opened


EMPTIED = "airbnb-viewvillas-empty-listing"
"""Six calendars merged into one file; at the second poll one listing of the six has not a single event."""


def test_a_listing_that_shows_nothing_for_a_while_frees_no_night() -> None:
    """The listing alone, as an owner would connect it: 39 stays, none for an hour and a half, and 40."""
    if EMPTIED not in SEQUENCES:
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    polls = [replace(poll, **alone(poll.body)) for poll in sequence(EMPTIED)]
    assert [poll.body.count(b"BEGIN:VEVENT") for poll in polls] == [39, 0, 40]
    assert replayed(EMPTIED, list(often(polls))) == []


def alone(body: bytes) -> dict[str, Any]:
    """The first listing of a merged file as a calendar of its own; each begins with its maker's name."""
    _, first, *_ = body.split(b"PRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN")
    events = re.findall(rb"BEGIN:VEVENT.*?END:VEVENT", first, re.DOTALL)
    own = b"\r\n".join([b"BEGIN:VCALENDAR", b"VERSION:2.0", b"PRODID:x", *events, b"END:VCALENDAR", b""])
    return {"body": own, "ranges": written(own), "blocks": closures(own)}


def test_the_sequences_are_here_or_the_skip_says_so() -> None:
    if not SEQUENCES:
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    assert len(SEQUENCES) == 8
    assert set(OPENED) <= set(SEQUENCES)


# -------------------------------------------------------------------------------- pairs of two days each

MAY = datetime(2027, 5, 3, 6, 0, tzinfo=UTC)
WINDOW = (date(2028, 2, 2), date(2028, 5, 3))


def window(day: int, slid: int) -> Poll:
    """Airbnb's booking window on the n-th day, moved by so many days; the first two are published samples."""
    start, end = (bound + slid * DAY for bound in WINDOW)
    if slid < 2:
        body = published(f"reference/payloads/ical/airbnb_rolling_window_day{slid + 1}.ics")
    else:
        body = calendar((f"new-uid-{slid}", StayDates(start, end)), summary="Airbnb (Not available)")
    return Poll(MAY + day * DAY, body, frozenset({(start, end)}), frozenset({(start, end)}))


def test_a_rolling_window_is_closed_elsewhere_until_it_has_slid_two_days_in_step() -> None:
    """The samples are two days: one step, which proves nothing. The step goes on, then stops: a block again, as soon as
    a whole day has passed, since the platform's day may begin later than the home's."""
    polls = [window(0, 0), window(1, 1), window(2, 2), window(3, 3), window(4, 3), window(5, 3)]
    replay = Replay(AIRBNB, polls[0])
    closed = [replay.closed(poll) for poll in polls]
    assert closed[0] == polls[0].busy
    assert closed[1] == polls[1].busy | {WINDOW[0]}, "what left the window waits for its proof"
    assert closed[2:5] == [set()] * 3, "a rule of the platform takes no night anywhere"
    assert closed[5] == polls[5].busy
    replay.hamlet.close()


def blocks(*bounds: tuple[date, date], uid: str = "") -> list[Poll]:
    """One closure of Airbnb's a day, with these bounds; under one UID, or each day under a new one."""
    polls = []
    for day, (start, end) in enumerate(bounds):
        body = calendar((uid or f"uid-{day}", StayDates(start, end)), summary="Airbnb (Not available)")
        polls.append(Poll(MAY + day * DAY, body, frozenset({(start, end)}), frozenset({(start, end)})))
    return polls


@pytest.mark.parametrize("uid", ["", "one"])
def test_a_notice_is_closed_elsewhere_until_it_has_slid_three_days_in_step(uid: str) -> None:
    today = MAY.date()
    polls = blocks(*((today + n * DAY, today + (n + 2) * DAY) for n in range(5)), uid=uid)
    replay = Replay(AIRBNB, polls[0])
    closed = [replay.closed(poll) for poll in polls]
    assert closed == [polls[0].busy, polls[1].busy, polls[2].busy, set(), set()]
    replay.hamlet.close()


@pytest.mark.parametrize("hour", [-3, 3], ids=["before our midnight", "after it"])
def test_a_window_that_slides_at_another_hour_than_our_midnight_is_found_out(hour: int) -> None:
    """Asked every three hours, with the platform's day beginning sooner or later than the home's."""
    replay = Replay(AIRBNB, window(0, 0))
    midnight = datetime(2027, 5, 3, 22, 0, tzinfo=UTC)
    for step in range(5 * 8):
        at = MAY + step * timedelta(hours=3)
        slid = (at - midnight - timedelta(hours=hour)) // DAY + 1
        closed = replay.closed(replace(window(0, max(slid, 0)), at=at))
    assert closed == set()
    assert len(replay.limits()) == 91
    replay.hamlet.close()


SEASON = [(date(2027, 9, 1), date(2028, 5, 3) + n * DAY) for n in range(6)]
WHOLE = [(MAY.date() + n * DAY, date(2028, 5, 3) + n * DAY) for n in range(6)]


@pytest.mark.parametrize("bounds", [SEASON, WHOLE], ids=["from September on", "everything"])
@pytest.mark.parametrize("uid", ["", "one"])
def test_what_an_owner_closed_up_to_the_horizon_stays_closed(bounds: list[Range], uid: str) -> None:
    """The calendar ends a year ahead, so the closure's end moves a day every day; the closure itself does not slide."""
    polls = blocks(*bounds, uid=uid)
    replay = Replay(AIRBNB, polls[0])
    for poll in polls:
        assert replay.closed(poll) == poll.busy
    replay.hamlet.close()


def test_a_window_that_grows_two_days_in_one_is_no_rule() -> None:
    """The end must move as many days as have passed, each time: a longer block is an owner's."""
    polls = [window(day, slid) for day, slid in ((0, 0), (1, 1), (2, 3), (3, 4))]
    replay = Replay(AIRBNB, polls[0])
    for poll, wanted in zip(polls, expected(polls), strict=True):
        assert replay.closed(poll) == wanted
        assert replay.limits() == set()
    replay.hamlet.close()


def test_a_stay_in_progress_under_a_new_uid_is_the_same_stay() -> None:
    """Booking.com gives the stay of the guest in the house a new UID and a later start each day."""
    july, morning = date(2027, 7, 10), datetime(2027, 7, 10, 6, 0, tzinfo=UTC)
    polls = []
    for day in (1, 2):
        body = published(f"reference/payloads/ical/booking_com_uid_churn_day{day}.ics")
        polls.append(
            Poll(morning + (day - 1) * DAY, body, frozenset({(july + (day - 1) * DAY, date(2027, 7, 15))}))
        )
    polls = list(often(polls))
    replay = Replay(BOOKING, polls[0])
    for poll, wanted in zip(polls, expected(polls), strict=True):
        assert replay.closed(poll) == wanted
    state = replay.hamlet.run(replay.hamlet.engine.world.sites.load(HOME.id))
    (fact,) = state.reservations.values()
    assert fact.aliases == ("TRU-EXAMP1", "TRU-EXAMP2")
    assert state.conflicts == {}
    replay.hamlet.close()
