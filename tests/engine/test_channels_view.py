"""What a person sees of the channels of their homes, and what they may change about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import quote

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.dates import StayDates
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.model import Account, SyncMode
from shared.domain.platform import BOOKING, GREENGO
from shared.domain.pulse import Pulse
from shared.domain.strip import Slot
from shared.engine.channel import Channel, ChannelsPage, Line
from shared.engine.channels_view import Channels
from shared.engine.mode_desk import ModeDesk
from shared.ports.bus import Message
from shared.state.fetches import Fetch
from tests.engine.village import Village
from tests.web.support import Browser

CLAIRE = Person("claire@example.org", {"owner": Role.OPERATOR})
VIEWER = Person("guard@example.org", {"owner": Role.VIEWER})
OTHER = Person("other@example.org", {"somebody else": Role.OPERATOR})
JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def guarded() -> Iterator[Village]:
    village = Village(guarded=True)
    yield village
    village.close()


def page(village: Village, person: Person = CLAIRE) -> ChannelsPage:
    engine = village.engine
    view = Channels(engine.world, engine.modes, {BOOKING: 20.0})
    return village.run(view.shown(person))


def channel(village: Village, account: str, person: Person = CLAIRE) -> Channel:
    return next(one for one in page(village, person).channels if one.account == account)


def line(village: Village) -> Line:
    return channel(village, "greengo-owner").lines[0]


def desk(village: Village) -> ModeDesk:
    return village.engine.mode_desk


def test_each_account_and_each_owners_links_are_a_channel(village: Village) -> None:
    village.run(village.poll_booking())
    village.run(village.greengo_pulls())
    shown = {one.account: one for one in page(village).channels}
    assert set(shown) == {"airbnb", "booking", "greengo-owner"}
    assert [one.pulse for one in shown.values()] == [Pulse.UP] * 3
    assert shown["booking"].by_api
    assert shown["booking"].homes == ("Gîte du Moulin",)
    assert shown["booking"].own_rhythm == 20.0
    assert not shown["greengo-owner"].by_api
    assert [one.home for one in shown["greengo-owner"].lines] == ["Gîte du Moulin"]


def test_a_link_is_shown_by_its_host_alone(village: Village) -> None:
    assert line(village).link == "greengo.example/…"
    assert "example/x" not in repr(page(village))


def test_nobody_sees_the_channels_of_another_owner(village: Village) -> None:
    assert page(village, OTHER).channels == ()
    assert len(page(village, Person("all", {ALL_OWNERS: Role.VIEWER})).channels) == 3


def test_a_viewer_sees_and_changes_nothing(village: Village) -> None:
    assert not any(one.adjustable for one in page(village, VIEWER).channels)
    for person, no in ((VIEWER, NotAllowed), (OTHER, NotFound)):
        for doing in (
            desk(village).pause(person, "booking"),
            desk(village).choose(person, "booking", SyncMode.BATCH, 2, 15),
            desk(village).force(person, "booking", "read", "forced_open"),
        ):
            with pytest.raises(no):
                village.run(doing)
    assert channel(village, "booking").setting.wanted is SyncMode.AUTO


@pytest.mark.parametrize("name", ["nowhere", "x" * 1_500, "x" * 5_000, "a\x00b", "../x", "~directory"])
def test_an_account_that_is_not_there_is_not_there(village: Village, name: str) -> None:
    browser = Browser(village.engine, village.run)
    assert browser.post(f"/channels/{quote(name, safe='')}/pause").status == 404


def test_a_paused_account_takes_nothing_and_says_so_until_it_is_resumed(village: Village) -> None:
    village.run(desk(village).pause(CLAIRE, "booking"))
    village.clock.advance(timedelta(seconds=10))
    village.book("greengo", JULY)
    village.run(village.poll_greengo())
    shown = channel(village, "booking")
    assert (shown.pulse, shown.paused) == (Pulse.PAUSED, True)
    assert village.booking.calendar.closed == set()
    assert [one.dates for one in shown.exposed] == [JULY]
    village.run(desk(village).resume(CLAIRE, "booking"))
    village.clock.advance(timedelta(seconds=15))
    village.run(village.drain())
    assert village.booking.calendar.closed == set(JULY.nights())
    assert not channel(village, "booking").exposed


def test_who_chose_a_mode_stands_in_the_record_and_in_no_log(village: Village) -> None:
    village.run(desk(village).pause(CLAIRE, "booking"))
    assert village.run(village.engine.modes.history())[0]["by"] == CLAIRE.name
    assert CLAIRE.name not in repr(village.telemetry.events)
    assert CLAIRE.name not in repr(village.notify.notices)


def test_links_cannot_be_paused_and_their_rhythm_can_be_chosen(village: Village) -> None:
    village.run(village.engine.world.accounts.put(Account("greengo-owner", GREENGO, "owner")))
    with pytest.raises(NotFound):
        village.run(desk(village).pause(CLAIRE, "greengo-owner"))
    village.run(desk(village).choose(CLAIRE, "greengo-owner", SyncMode.BATCH, 2, 30))
    assert line(village).period == timedelta(minutes=30)


def test_a_link_that_is_not_answered_is_late_then_down_with_its_reason(village: Village) -> None:
    village.run(village.greengo_pulls())
    assert line(village).pulse is Pulse.UP
    village.greengo.faults.down = True
    for _ in range(3):
        village.clock.advance(timedelta(minutes=10))
        village.run(village.poll_greengo())
    late = line(village)
    assert late.pulse is Pulse.LATE
    assert late.trouble["fr"].startswith("elle ne répond pas")
    assert late.imported is not None
    assert late.due is not None
    assert late.day[-1] is Slot.SOME
    village.clock.advance(timedelta(hours=25))
    assert line(village).pulse is Pulse.DOWN
    assert page(village).channels[0].account == "airbnb", "the ones in need come first, by name"


def test_single_events_that_cannot_be_read_are_told_beside_a_good_answer(village: Village) -> None:
    village.greengo.oddities = ("event 3 (line 12): it has no DTSTART",)
    village.book("greengo", JULY)
    village.run(village.poll_greengo())
    village.run(village.greengo_pulls())
    shown = line(village)
    assert (shown.pulse, shown.odd) == (Pulse.UP, True)
    assert shown.trouble["fr"] == "événement 3 (ligne 12) : il n’a pas de début"


def test_a_link_the_platform_does_not_read_is_not_up_to_date(village: Village) -> None:
    """Today called it a trouble while the page of channels said that all was well."""
    shown = page(village).channels[0]
    assert (shown.account, shown.pulse, shown.lines[0].pulse) == (
        "greengo-owner",
        Pulse.UNREAD,
        Pulse.UNREAD,
    ), "and it stands first"
    village.run(village.greengo_pulls())
    assert channel(village, "greengo-owner").pulse is Pulse.UP
    for _ in range(25):
        village.clock.advance(timedelta(hours=1))
        village.run(village.poll_greengo())
    assert line(village).pulse is Pulse.UNREAD, "it read us once, and no more for a day"


def test_a_link_shows_who_fetched_our_calendar_last(village: Village) -> None:
    assert line(village).fetches.peer is None
    village.run(village.greengo_pulls())
    fetch = line(village).fetches.peer
    assert isinstance(fetch, Fetch)
    assert fetch.agent == "GreenGo/1"


def test_a_closure_that_was_not_fetched_yet_is_told_with_its_age(village: Village) -> None:
    village.book("airbnb", JULY)
    village.run(village.webhook(village.deliveries.pop(0)))
    village.clock.advance(timedelta(minutes=72))
    found = line(village).exposed
    assert [(one.home, one.dates, one.sent) for one in found] == [("Gîte du Moulin", JULY, True)]
    assert found[0].since is not None
    assert timedelta(minutes=72) <= page(village).at - found[0].since < timedelta(minutes=73)
    village.run(village.greengo_pulls())
    village.run(village.drain())
    assert line(village).exposed == ()


def test_circuits_can_be_forced_and_left_to_themselves(guarded: Village) -> None:
    guarded.run(desk(guarded).force(CLAIRE, "booking", "write", "forced_open"))
    states = {one.operation: one.state for one in channel(guarded, "booking").circuits}
    assert states["write"] == "forced_open"
    assert states["read"] == "closed"
    assert channel(guarded, "booking").pulse is not Pulse.UP, "nothing goes out there"
    guarded.run(desk(guarded).force(CLAIRE, "booking", "write", "closed"))
    states = {one.operation: one.state for one in channel(guarded, "booking").circuits}
    assert states["write"] == "closed"


def test_the_day_of_an_account_comes_from_its_reports(village: Village) -> None:
    for _ in range(3):
        village.run(village.engine.worker.do(_queue(village)))
        village.clock.advance(timedelta(hours=1))
    village.booking.faults.down = True
    village.run(village.engine.worker.do(_queue(village)))
    village.booking.faults.down = False
    village.clock.advance(timedelta(hours=1))
    village.run(village.engine.worker.do(_queue(village)))
    village.run(village.engine.reports.flush())
    shown = channel(village, "booking")
    assert shown.day[-5:] == (Slot.OK, Slot.OK, Slot.OK, Slot.FAILED, Slot.OK)
    assert shown.answered_of == (4, 5)


def test_an_account_that_was_slowed_down_because_it_fails_is_late_by_the_rhythm_it_should_have(
    village: Village,
) -> None:
    village.run(village.engine.worker.do(_queue(village)))
    village.booking.faults.down = True
    for _ in range(6):
        village.clock.advance(timedelta(seconds=20))
        village.run(village.engine.worker.do(_queue(village)))
    shown = channel(village, "booking")
    assert (shown.mode, shown.pulse) == (SyncMode.BATCH, Pulse.LATE)
    assert shown.period == timedelta(minutes=15)


def test_an_account_that_was_given_up_is_down_with_the_next_probe(village: Village) -> None:
    village.booking.faults.down = True
    for _ in range(60):
        village.clock.advance(timedelta(seconds=40))
        village.run(village.engine.worker.do(_queue(village)))
    shown = channel(village, "booking")
    assert (shown.pulse, shown.mode) == (Pulse.DOWN, SyncMode.MANUAL)
    assert shown.reason["fr"].startswith("elle ne répond pas")
    assert shown.probe is not None
    assert page(village).channels[0].account == "booking"


def _queue(village: Village) -> Message:
    village.clock.advance(timedelta(seconds=25))
    return Message("queue", "booking", "x")
