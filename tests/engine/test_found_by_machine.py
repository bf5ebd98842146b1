"""Stories the state machine found, each kept as it was shrunk. Every one ended with a wrong calendar once."""

from __future__ import annotations

from datetime import date

from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from tests.engine.machine import SyncMachine
from tests.engine.test_guarded_machine import Guarded


def nights(start: int, end: int) -> StayDates:
    return StayDates(date(2027, 7, start), date(2027, 7, end))


def test_a_closure_on_nights_the_platform_sold_itself_does_not_outlive_that_sale() -> None:
    """Both sold the night, one stay moved. While the other stands the closure cannot be opened: it was forgotten."""
    story = SyncMachine()
    story.book(platform=AIRBNB, dates=nights(10, 11))
    story.book(platform=GREENGO, dates=nights(10, 11))
    story.webhook_in_any_order(pick=0)
    story.poll_greengo()
    story.move(platform=GREENGO, pick=0, dates=nights(11, 12))
    story.poll_greengo()
    story.time_passes(seconds=7200)
    story.poll_greengo()
    story.cancel(platform=AIRBNB, pick=0)
    story.webhook_in_any_order(pick=0)
    assert story.village.airbnb.calendar.closed == {date(2027, 7, 11)}
    story.teardown()


def test_a_platform_down_with_the_bus_down_does_not_stop_the_sweep() -> None:
    story = SyncMachine()
    story.outage(platform=AIRBNB, kind="down")
    story.bus(down=True)
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.teardown()


def test_a_stay_known_only_by_a_hint_can_be_cancelled() -> None:
    """The hint closed nights, the index did not know the id, and the cancellation found no site."""
    story = SyncMachine()
    story.outage(platform=AIRBNB, kind="down")
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.cancel(platform=AIRBNB, pick=0)
    story.teardown()


def test_an_echo_is_explained_by_the_closure_that_took_its_place() -> None:
    """One stay cancelled, another sold on the same nights: the peer's echo never went away in between."""
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.greengo_pulls()
    story.cancel(platform=AIRBNB, pick=0)
    story.book(platform=AIRBNB, dates=nights(10, 11))
    story.teardown()


def test_equal_nights_sold_before_the_fetch_and_seen_after_it_are_a_sale() -> None:
    story = SyncMachine()
    story.book(platform=AIRBNB, dates=nights(10, 11))
    story.crash(calls=11, what="webhook")
    story.book(platform=GREENGO, dates=nights(10, 11))
    story.greengo_pulls()
    story.teardown()


def test_a_pass_that_died_after_its_merge_does_not_overtake_for_ever() -> None:
    """The counter stood in the site and not in the shard, so each later look was taken for an older one."""
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.book(platform=GREENGO, dates=nights(10, 12))
    story.crash(calls=5, what="greengo")
    story.greengo_pulls()
    story.teardown()


def test_a_look_overtaken_by_a_pass_is_repeated() -> None:
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.racing_writers(platform=GREENGO, dates=nights(10, 11))
    story.teardown()


def test_what_is_sold_after_the_release_is_no_echo_of_it() -> None:
    story = SyncMachine()
    story.racing_writers(platform=BOOKING, dates=nights(10, 12))
    story.greengo_pulls()
    story.outage(platform=AIRBNB, kind="down")
    story.an_answer_is_overtaken(platform=BOOKING, pick=0, dates=nights(12, 13))
    story.greengo_pulls()
    story.racing_writers(platform=GREENGO, dates=nights(10, 12))
    story.time_passes(seconds=75)
    story.teardown()


def test_a_released_closure_explains_the_event_it_was_matched_with_and_no_other() -> None:
    story = SyncMachine()
    story.feed_trouble(kind="empty")
    story.bus(down=True)
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.a_cancellation_races_a_sale(platform=AIRBNB, pick=0, offset=0)
    story.greengo_pulls()
    story.feed_trouble(kind="down")
    story.teardown()


def test_a_closure_is_matched_with_the_event_of_its_own_nights() -> None:
    story = SyncMachine()
    story.answer_is_slow(what="booking")
    story.racing_writers(platform=BOOKING, dates=nights(10, 12))
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.greengo_pulls()
    story.a_cancellation_races_a_sale(platform=BOOKING, pick=0, offset=0)
    story.a_cancellation_races_a_sale(platform=AIRBNB, pick=0, offset=0)
    story.teardown()


def test_nights_closed_again_do_not_forget_what_explains_the_echo_of_the_first_time() -> None:
    """The row was born again under its old key, and the echo that the peer still showed lost its explanation."""
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(11, 12))
    story.greengo_pulls()
    story.an_answer_is_overtaken(platform=AIRBNB, pick=0, dates=nights(10, 11))
    story.greengo_pulls()
    story.an_answer_is_overtaken(platform=AIRBNB, pick=0, dates=nights(11, 12))
    story.teardown()


def test_an_export_taken_without_a_look_raises_an_alarm_rather_than_hide_a_sale() -> None:
    """The peer did not answer in time: what it shows afterwards is taken for a sale, never the other way round."""
    story = SyncMachine()
    story.book(platform=BOOKING, dates=nights(10, 11))
    story.poll_booking()
    story.answer_is_slow(what="pull")
    story.racing_writers(platform=GREENGO, dates=nights(10, 11))
    story.teardown()


def test_a_release_fetched_without_a_look_still_ends_what_the_closure_explains() -> None:
    """The fetch was no proof of anything, so the peer was thought to have the closure long after it had opened."""
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(10, 13))
    story.greengo_pulls()
    story.a_cancellation_races_a_sale(platform=AIRBNB, pick=0, offset=0)
    story.answer_is_slow(what="pull")
    story.racing_writers(platform=AIRBNB, dates=nights(10, 13))
    story.a_cancellation_races_a_sale(platform=AIRBNB, pick=0, offset=0)
    story.teardown()


def test_an_empty_answer_is_no_look_at_what_was_sold_before_it() -> None:
    """The calendar had shown our closure and went empty, and both platforms sold the same nights: Greengo's sale passed
    for our closure, and its nights were opened when the other stay was cancelled."""
    story = SyncMachine()
    story.racing_writers(platform=AIRBNB, dates=nights(12, 13))
    story.greengo_pulls()
    story.poll_greengo()
    story.feed_trouble(kind="empty")
    story.book(platform=AIRBNB, dates=nights(14, 17))
    story.webhook_in_any_order(pick=0)
    story.book(platform=GREENGO, dates=nights(14, 17))
    story.greengo_pulls()
    story.cancel(platform=AIRBNB, pick=1)
    story.webhook_in_any_order(pick=0)
    story.feed_trouble(kind="fine")
    story.learn()
    story.teardown()


def test_a_closure_of_ours_that_shares_a_bound_with_a_missing_sale_is_not_what_became_of_it() -> None:
    """Greengo left its sale of 11-14 out of an answer, and showed for the first time our closure of 11-12: the sale
    passed for shortened to it, the night for our own, and was opened when the other stay was cancelled."""
    story = SyncMachine()
    story.book(platform=BOOKING, dates=nights(11, 12))
    story.book(platform=GREENGO, dates=nights(11, 14))
    story.poll_greengo()
    story.poll_booking()
    story.learn()
    story.time_passes(seconds=30)
    story.greengo_pulls()
    story.workers_and_sweep()
    story.feed_trouble(kind="hidden")
    story.time_passes(seconds=30)
    story.poll_greengo()
    story.cancel(platform=BOOKING, pick=0)
    story.poll_booking()
    story.teardown()


def test_nor_is_one_that_its_peer_took_a_moment_ago() -> None:
    """The fetch was on record and not read yet when the next answer was judged."""
    story = SyncMachine()
    story.book(platform=BOOKING, dates=nights(10, 11))
    story.time_passes(seconds=75)
    story.poll_booking()
    story.racing_writers(platform=GREENGO, dates=nights(10, 12))
    story.learn()
    story.feed_trouble(kind="hidden")
    story.poll_booking()
    story.poll_greengo()
    story.cancel(platform=BOOKING, pick=0)
    story.teardown()


def test_a_claim_that_comes_after_the_answer_to_it_holds_no_night() -> None:
    """Asked about a stay that is cancelled already, the platform kept the first who asked waiting; the second heard it,
    and the delivery was done with. Then the first closed the nights on the claim, and nobody came to settle it."""
    story = Guarded()
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.greengo_pulls()
    story.cancel(platform=AIRBNB, pick=0)
    story.book(platform=AIRBNB, dates=nights(10, 12))
    story.webhook_in_any_order(pick=0)
    story.cancel(platform=AIRBNB, pick=0)
    story.webhook_lost()
    story.answer_is_slow(what="webhook")
    story.bus(down=True)
    story.racing_writers(platform=AIRBNB, dates=nights(10, 11))
    story.teardown()
