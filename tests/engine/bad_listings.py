"""Stories of bad listings, made by seed: a home with real stays, and a calendar that lies about them for a while, but
never as long as rule 21 asks for proof. Not one night of a live stay may open anywhere.

How long a lie may last is worked out here from the rule's own words and not from the engine's code."""

from __future__ import annotations

import random
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from shared.connectors.ical_fetch import fetch_calendar
from shared.connectors.ical_links import VRBO
from shared.connectors.ical_read import read_calendar
from shared.domain.dates import StayDates, nights_of
from shared.domain.errors import SyncError
from shared.domain.facts import FeedAnswer
from shared.domain.model import (
    Block,
    Busy,
    Head,
    Listing,
    Part,
    Phase,
    Property,
    Reservation,
    Site,
    SiteState,
    Status,
)
from shared.domain.occupancy import occupancies
from shared.domain.plan import desired_closures
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from shared.engine.ingest import merge_feed_answer
from shared.ports.http import Request, Response
from shared.ports.platforms import Validators
from tests.engine.bad_answers import DAY, LIES, ZONE, Answer, Event, Truth, nights_shown, told

T = TypeVar("T")

MORNING = datetime(2027, 5, 10, 6, 0, tzinfo=UTC)
SHORT, LONG, EVER = timedelta(minutes=20), timedelta(hours=6), timedelta(days=3)
HOME, FEED, OTHER = "maison", "maison-feed", "maison-other"
LINK = "https://calendars.example/maison.ics"


@dataclass(frozen=True)
class Poll:
    """One answer, and how long after the beginning it was asked for."""

    after: timedelta
    answer: Answer
    why: str


@dataclass(frozen=True)
class Story:
    """A calendar and what it sent; ``turnover`` nights are kept free beside each stay of the home."""

    truth: Truth
    polls: tuple[Poll, ...]
    begins: datetime = MORNING
    turnover: int = 0

    def __str__(self) -> str:
        lines = [f"{self.truth.platform} on {self.truth.today}, {self.turnover} nights between stays"]
        lines += [f"  sale {one.dates} {one.uid}" for one in self.truth.sales]
        lines += [f"  block {one.dates}" for one in self.truth.blocks]
        lines += [f"  echo {one.dates}" for one in self.truth.echoes]
        for poll in self.polls:
            shown = poll.answer.shows
            nights = "no proof" if shown is None else " ".join(map(str, sorted(shown)))
            lines.append(f"  +{poll.after} {poll.why}: {nights}")
        return "\n".join(lines)


def a_truth(chance: random.Random, begins: datetime = MORNING, least: int = 1) -> Truth:
    """A home's calendar: stays one after the other, some touching, the first perhaps in the house already."""
    platform = chance.choice([AIRBNB, BOOKING, GREENGO, VRBO])
    today = begins.astimezone(ZoneInfo(ZONE)).date()
    day = today - chance.choice([0, 0, 2]) * DAY + chance.choice([0, 0, 1, 4]) * DAY
    sales: list[Event] = []
    blocks: list[Event] = []
    sold = chance.choice([0.6, 0.6, 0.25])
    echoes: list[Event] = []
    for number in range(chance.choice([1, 2, 4, 8, 14]) + least - 1):
        dates = StayDates.of_nights(day, chance.choice([1, 1, 2, 3, 5, 7, 30]))
        drawn = chance.random() if len(sales) >= least else 0.0
        if drawn < sold:
            sales.append(Event(f"sale{number}", dates))
        elif drawn < 0.85 and platform in (AIRBNB, VRBO):
            blocks.append(Event(f"block{number}", dates, sale=False))
        else:
            echoes.append(Event(f"echo{number}", dates, sale=False))
        day = dates.check_out + chance.choice([0, 0, 1, 3, 6, 20]) * DAY
    return Truth(platform, today, tuple(sales), tuple(blocks), tuple(echoes))


# -------------------------------------------------------------------------------------------- the rule's words


def patience(truth: Truth, answer: Answer, today: date) -> timedelta:
    """How long an answer may be repeated before rule 21 lets the first night of a live stay go."""
    shown = nights_shown(answer)
    if shown is None:
        return EVER
    ahead = [one.dates for one in truth.sales if one.dates.check_out > today]
    lost = [dates for dates in ahead if {n for n in dates.nights() if n >= today} - shown]
    nothing = not any(night >= today for night in shown)
    doubt = nothing or (len(lost) >= 3 and len(lost) > 0.3 * len(ahead))
    return min((_needed(dates, today, doubt) for dates in lost), default=EVER)


def _needed(dates: StayDates, today: date, doubt: bool) -> timedelta:
    if dates.check_in <= today:
        return EVER  # a guest in the house: only a person
    return LONG if doubt or dates.check_in <= today + 2 * DAY else SHORT


def a_story(seed: int) -> Story:
    """A good listing, one to four bad spells with good answers between them, and good ones at the end."""
    chance = random.Random(seed)
    begins = MORNING + timedelta(minutes=chance.randrange(24 * 60))
    truth = a_truth(chance, begins)
    without_us = told(truth, (*truth.sales, *truth.blocks))
    polls = [Poll(timedelta(), without_us, "good"), Poll(timedelta(minutes=3), told(truth), "good")]
    for _ in range(chance.choice([1, 1, 2, 4])):
        polls += _a_spell(chance, truth, begins, polls[-1].after)
        polls.append(Poll(polls[-1].after + timedelta(minutes=2), told(truth), "good"))
    for later in (timedelta(minutes=21), timedelta(hours=7)):
        polls.append(Poll(polls[-1].after + later, told(truth), "good"))
    return Story(truth, tuple(polls), begins, chance.choice([0, 0, 2]))


def _a_spell(chance: random.Random, truth: Truth, begins: datetime, last: timedelta) -> Iterator[Poll]:
    lie = chance.choice(LIES)
    answers = lie(chance, truth)
    start = last + timedelta(minutes=chance.randrange(1, 600))
    today = (begins + start).astimezone(ZoneInfo(ZONE)).date()
    bound = min(patience(truth, answer, today) for answer in answers)
    longest = bound - timedelta(seconds=30)
    inside = sorted(longest * chance.random() for _ in range(chance.choice([0, 2, 5])))
    for number, after in enumerate([timedelta(), *inside, longest]):
        yield Poll(start + after, answers[number % len(answers)], lie.__name__)


# --------------------------------------------------------------------------------- the merge without the engine


class Register:
    """The site as facts alone: a calendar's answers through the real reader and the real merge, and which nights they
    close on the other platform."""

    def __init__(self, truth: Truth, begins: datetime = MORNING, turnover: int = 0) -> None:
        self.truth, self.begins, self.counter = truth, begins, 0
        self.validators = Validators()
        listings = (
            Listing(FEED, HOME, truth.platform, "owner", Link.ICAL),
            Listing(OTHER, HOME, Platform("other"), "other", Link.API, complete=True),
        )
        home = Property(HOME, "Maison", frozenset({HOME}), ZONE, turnover=turnover)
        site = Site(HOME, "owner", {HOME: home}, {HOME: 1})
        self.state = SiteState(site, Head(), {one.id: one for one in listings})

    def poll(self, poll: Poll) -> None:
        """One answer as the engine would take it; the first one also makes what we closed known to the platform."""
        at = self.begins + poll.after
        busy = None
        try:
            fetched = driven(
                fetch_calendar(
                    Wire(poll.answer), LINK, self.validators, agent="Test", retry_after=lambda _: None
                )
            )
            self.validators = Validators() if self.state.listings[FEED].watched else fetched.validators
            if not fetched.unchanged:
                busy = read_calendar(fetched.body, self.truth.platform, ZONE, at.date())
        except SyncError:
            pass
        if busy is not None:
            self.counter += 1
            answer = FeedAnswer(busy.events, at, self.counter, busy.oddities)
            merged = merge_feed_answer(self.state, FEED, answer)
            assert merged is not None
            self.state = merged
        if not poll.after:
            self._peer_took_ours(at + timedelta(minutes=1))

    def _peer_took_ours(self, at: datetime) -> None:
        """The stays of the other platform, closed on this one: the peer fetched them."""
        rows, stays = {}, {}
        for number, one in enumerate(self.truth.echoes):
            part = Part("1", OTHER, one.dates, self.begins - DAY)
            stay = Reservation("other", f"api{number}", Busy.STAY, Status.CONFIRMED, (part,))
            row = Block(FEED, stay.key, one.dates, phase=Phase.ACCEPTED, since_version=1, taken_at=at)
            stays[stay.key], rows[row.key] = stay, row
        known = {**self.state.reservations, **stays}
        self.state = replace(self.state, reservations=known, blocks=rows)

    def closed(self, at: datetime) -> set[date]:
        """What should be closed on the other platform, from that day on."""
        wanted = desired_closures(self.state, occupancies(self.state), at)[OTHER]
        today = at.astimezone(ZoneInfo(ZONE)).date()
        return {night for night in nights_of(dates for _, dates in wanted.values()) if night >= today}


@dataclass
class Wire:
    """A way out that gives one answer."""

    answer: Answer

    async def send(self, request: Request) -> Response:
        return response(self.answer)

    async def close(self) -> None:
        """Nothing to free."""


def response(answer: Answer) -> Response:
    headers = {"content-type": "text/calendar", "etag": f'"{hash(answer.body)}"'}
    return Response(answer.status, headers, answer.body)


def driven(doing: Coroutine[Any, Any, T]) -> T:
    """Run what never waits."""
    try:
        doing.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("it waits")


def freed(story: Story) -> list[str]:
    """The nights of live stays that opened on the other platform, told with the answer after which they did."""
    register, found = Register(story.truth, story.begins, story.turnover), []
    for poll in story.polls:
        register.poll(poll)
        at = story.begins + poll.after
        lost = live_nights(story.truth.sales, at) - register.closed(at)
        if lost:
            found.append(f"+{poll.after} after {poll.why}: {sorted(map(str, lost))}")
    return found


def live_nights(sales: Sequence[Event], at: datetime) -> set[date]:
    today = at.astimezone(ZoneInfo(ZONE)).date()
    return {night for night in nights_of(one.dates for one in sales) if night >= today}
