"""A copy of the tables, put back after the world went on: nothing sold is opened, everything is found again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from local.tables.backup import TABLES, backup
from local.tables.restore import NOT_WHOLE, Done, RestoreRefused, restore
from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.domain.modes import ModeSetting
from shared.domain.personal import Sought
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from shared.ports.stores import Row
from shared.state import names, site_codec
from tests.engine.machine import check_at_rest
from tests.engine.people import LOCAL
from tests.engine.stories import (
    AUGUST,
    JULY,
    LATER,
    cancelled,
    ledger,
    moved,
    nights,
    polled,
    pulled,
    sold,
    stored,
    told,
)
from tests.engine.village import HOME, Crash, Sold, Village

OCTOBER = StayDates(date(2027, 10, 1), date(2027, 10, 5))
STOPPED = timedelta(minutes=2)


@pytest.fixture
def strict(village: Village) -> Village:
    """A village that opens nothing on Booking.com before a poll was stored, and where no sold night may be opened."""
    village.polls_first = True
    village.restart()

    def opens(platform: str, night: date) -> None:
        elsewhere = nights(
            *(
                stay.dates
                for name, calendar in village.platforms().items()
                if name != platform
                for stay in calendar.live()
            )
        )
        assert night not in elsewhere, f"{platform} opens {night}, sold elsewhere"

    village.airbnb.on_open = village.booking.on_open = village.greengo.on_open = opens
    return village


def copied(village: Village, path: Path) -> Path:
    village.run(backup(village.tables, path))
    return path


def put_back(village: Village, path: Path) -> Done:
    """Every host is stopped, the copy is put back, one host is started."""
    village.clock.advance(STOPPED)
    done = village.run(restore(village.tables, path, over=True))
    village.restart()
    village.deliveries.clear()  # nobody was there
    return done


def goes_on(village: Village) -> None:
    """The clocks of the engine, and time; nobody tells us anything."""
    for _ in range(8):
        village.run(village.engine.on_timer_poll_accounts())
        village.run(village.engine.on_timer_poll_feeds())
        village.run(village.engine.on_timer_sweep())
        village.run(village.drain())
        village.run(village.greengo_pulls())
        village.run(village.drain())
        village.clock.advance(timedelta(minutes=20))


def test_what_was_sold_since_is_found_again_and_never_opened(strict: Village, tmp_path: Path) -> None:
    village = strict
    told(village, AIRBNB, JULY)
    pulled(village)
    path = copied(village, tmp_path / "copy")
    told(village, BOOKING, AUGUST)
    sold(village, GREENGO, OCTOBER)
    polled(village)
    put_back(village, path)
    assert village.run(village.greengo_pulls()) == 503
    goes_on(village)
    assert village.airbnb.calendar.closed >= nights(AUGUST, OCTOBER)
    assert village.booking.calendar.closed >= nights(JULY, OCTOBER)
    assert village.greengo.calendar.closed >= nights(JULY, AUGUST)
    village.run(village.settle())
    check_at_rest(village)


def test_nothing_is_opened_before_every_listing_has_answered(strict: Village, tmp_path: Path) -> None:
    village = strict
    stay = told(village, AIRBNB, JULY)
    path = copied(village, tmp_path / "copy")
    put_back(village, path)
    village.greengo.faults.down = True
    cancelled(village, AIRBNB, stay)
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY), "Greengo was not heard yet"
    assert village.run(village.engine.export_calendar(village.tokens[f"{HOME}-greengo"], {})).status == 503
    village.greengo.faults.down = False
    village.run(village.settle())
    assert village.booking.calendar.closed == set()
    check_at_rest(village)


def test_a_night_given_back_and_sold_by_a_peer_since_is_no_echo(strict: Village, tmp_path: Path) -> None:
    """The copy says that Greengo took our closure of these nights; since then we took it back, and a guest of Greengo
    has them."""
    village = strict
    stay = told(village, AIRBNB, JULY)
    pulled(village)
    polled(village)
    path = copied(village, tmp_path / "copy")
    cancelled(village, AIRBNB, stay)
    pulled(village)
    sold(village, GREENGO, JULY)
    polled(village)
    assert village.booking.calendar.closed == nights(JULY)
    put_back(village, path)
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY)
    assert village.airbnb.calendar.closed == nights(JULY)
    village.run(village.settle())
    check_at_rest(village)


def test_what_a_peer_shows_of_ours_is_still_known_as_ours(strict: Village, tmp_path: Path) -> None:
    village = strict
    told(village, AIRBNB, JULY)
    told(village, BOOKING, AUGUST)
    pulled(village)
    polled(village)
    path = copied(village, tmp_path / "copy")
    put_back(village, path)
    goes_on(village)
    assert stored(village).conflicts == {}
    village.run(village.settle())
    check_at_rest(village)


def test_a_stay_that_moved_since_keeps_its_new_nights_closed(strict: Village, tmp_path: Path) -> None:
    village = strict
    stay = told(village, BOOKING, JULY)
    pulled(village)
    path = copied(village, tmp_path / "copy")
    moved(village, BOOKING, stay, AUGUST)
    told(village, AIRBNB, JULY)
    put_back(village, path)
    goes_on(village)
    village.run(village.settle())
    check_at_rest(village)


def test_no_number_comes_back_and_no_lease_is_held(village: Village, tmp_path: Path) -> None:
    told(village, AIRBNB, JULY)
    path = copied(village, tmp_path / "copy")
    before = stored(village).head
    accounts = village.engine.world.accounts
    told(village, BOOKING, AUGUST)
    fence = village.run(accounts.lease("booking", "deep", timedelta(days=2)))
    counted = village.run(accounts.next_observation("booking"))
    after = stored(village).head
    put_back(village, path)
    accounts = village.engine.world.accounts
    head = stored(village).head
    assert head.version > after.version > before.version
    assert head.fence > after.fence
    assert village.run(accounts.next_observation("booking")) > counted
    assert (village.run(accounts.lease("booking", "deep", timedelta(days=2))) or 0) > (fence or 0)


def test_a_closure_that_a_peer_took_since_may_stand_as_a_sale_and_opens_nothing(
    strict: Village, tmp_path: Path
) -> None:
    """Which closures Greengo took after the copy nobody knows any more: what it shows of them passes for a stay of its
    own, a double booking too many, until the stay it stands for is over."""
    village = strict
    path = copied(village, tmp_path / "copy")
    stay = told(village, BOOKING, AUGUST)
    pulled(village)
    polled(village)
    put_back(village, path)
    goes_on(village)
    (clash,) = stored(village).conflicts.values()
    assert clash.conflict_dates == AUGUST
    village.run(village.settle())
    check_at_rest(village, {AUGUST})
    cancelled(village, BOOKING, stay)
    village.run(village.settle())
    check_at_rest(village)


def test_what_was_closed_since_for_a_stay_that_is_over_is_opened_again(
    strict: Village, tmp_path: Path
) -> None:
    """The copy knows neither the stay nor our closures for it; the tables that are written over know what we closed."""
    village = strict
    path = copied(village, tmp_path / "copy")
    stay = told(village, AIRBNB, JULY)
    assert village.booking.calendar.closed == nights(JULY)
    village.airbnb.calendar.cancel(stay)
    put_back(village, path)
    village.greengo.faults.down = True
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY), "Greengo was not heard yet"
    village.greengo.faults.down = False
    goes_on(village)
    assert village.booking.calendar.closed == set()
    village.run(village.settle())
    check_at_rest(village)


def test_what_was_closed_since_and_is_sold_by_another_now_stays_closed(
    strict: Village, tmp_path: Path
) -> None:
    village = strict
    path = copied(village, tmp_path / "copy")
    stay = told(village, AIRBNB, JULY)
    village.airbnb.calendar.cancel(stay)
    sold(village, GREENGO, JULY)
    put_back(village, path)
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY)
    assert village.airbnb.calendar.closed == nights(JULY)
    village.run(village.settle())
    check_at_rest(village)


def test_an_empty_calendar_after_the_restore_sells_no_night_that_it_had_shown_since(
    strict: Village, tmp_path: Path
) -> None:
    """The copy knows neither of the two stays that share a night: who believed the calendar that is empty for a moment
    would open that night with those of the stay that is over (rule 21)."""
    village = strict
    path = copied(village, tmp_path / "copy")
    sold(village, GREENGO, LATER)
    stay = told(village, AIRBNB, JULY)
    polled(village)
    assert village.booking.calendar.closed == nights(JULY, LATER)
    village.airbnb.calendar.cancel(stay)
    village.greengo.empty = True
    put_back(village, path)
    goes_on(village)
    assert village.booking.calendar.closed == nights(LATER)
    village.run(village.settle())
    check_at_rest(village)


def test_a_restore_that_broke_off_proves_nothing_of_what_was_closed_since(
    strict: Village, tmp_path: Path
) -> None:
    village = strict
    path = copied(village, tmp_path / "copy")
    stay = told(village, AIRBNB, JULY)
    village.run(village.tables.upsert(names.SITES, Row(HOME, site_codec.HEAD, {"min_reader": NOT_WHOLE})))
    village.airbnb.calendar.cancel(stay)
    put_back(village, path)
    goes_on(village)
    assert stored(village).whole
    assert village.booking.calendar.closed == nights(JULY)


def test_a_row_of_a_closure_that_cannot_be_read_leaves_its_nights_closed_and_the_rest_goes_on(
    strict: Village, tmp_path: Path
) -> None:
    village = strict
    path = copied(village, tmp_path / "copy")
    stay = told(village, AIRBNB, JULY)
    (row,) = ledger(village, BOOKING)
    broken = Row(HOME, site_codec.BLOCK + row.key, {"phase": "of another world"})
    village.run(village.tables.upsert(names.SITES, broken))
    village.airbnb.calendar.cancel(stay)
    put_back(village, path)
    goes_on(village)
    assert stored(village).whole
    assert village.booking.calendar.closed == nights(JULY)


def test_a_sale_that_goes_by_the_name_of_our_former_closure_is_no_echo(
    strict: Village, tmp_path: Path
) -> None:
    """A peer that names events by their nights: the copy knows the name as that of our closure, which it let go of
    since, and a guest has the nights now."""
    village = strict
    stay = told(village, AIRBNB, JULY)
    pulled(village)
    polled(village)
    path = copied(village, tmp_path / "copy")
    cancelled(village, AIRBNB, stay)
    pulled(village)
    for _ in range(3):
        polled(village, timedelta(minutes=5))
    sale = Sold(f"echo-{JULY}", JULY, 1)
    village.greengo.calendar.sold[sale.id] = sale
    polled(village)
    assert village.booking.calendar.closed == nights(JULY)
    put_back(village, path)
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY)
    assert village.airbnb.calendar.closed == nights(JULY)
    village.run(village.settle())
    check_at_rest(village)


def test_every_calendar_is_read_anew_whatever_was_known_of_it(village: Village, tmp_path: Path) -> None:
    polled(village)
    path = copied(village, tmp_path / "copy")
    polled(village)
    before = village.run(village.engine.world.shards.load("0000"))
    put_back(village, path)
    after = village.run(village.engine.world.shards.load("0000"))
    (known,), (now,) = before.feeds.values(), after.feeds.values()
    assert known.digest
    assert not now.digest
    assert now.watched
    assert after.counter > before.counter
    assert before.visits.keys() == {f"{HOME}-greengo"}
    assert after.visits == {}


def test_a_second_restore_does_no_harm(strict: Village, tmp_path: Path) -> None:
    village = strict
    told(village, AIRBNB, JULY)
    pulled(village)
    path = copied(village, tmp_path / "copy")
    told(village, BOOKING, AUGUST)
    put_back(village, path)
    once = rows_of(village)
    put_back(village, path)
    assert without_numbers(rows_of(village)) == without_numbers(once)
    goes_on(village)
    put_back(village, path)
    goes_on(village)
    village.run(village.settle())
    check_at_rest(village, {AUGUST})


def rows_of(village: Village) -> dict[tuple[str, str, str], Row]:
    async def read() -> list[tuple[str, Row]]:
        return [(table, row) for table in TABLES async for row in village.tables.everything(table)]

    return {(table, row.partition, row.key): row for table, row in village.run(read())}


def without_numbers(rows: dict[tuple[str, str, str], Row]) -> dict[tuple[str, str, str], dict[str, object]]:
    """But for what only rises, and when it was."""
    rising = {"version", "fence", "value", "counter", "gone_version", "released_at", "at"}
    return {
        key: {name: one for name, one in row.values.items() if name not in rising}
        for key, row in rows.items()
    }


def test_into_an_account_that_holds_nothing(strict: Village, tmp_path: Path) -> None:
    village = strict
    told(village, AIRBNB, JULY)
    pulled(village)
    path = copied(village, tmp_path / "copy")
    told(village, BOOKING, AUGUST)
    village.tables._partitions.clear()
    village.run(restore(village.tables, path))
    village.restart()
    goes_on(village)
    village.run(village.settle())
    check_at_rest(village)


# ------------------------------------------------------------------------------- what people did meanwhile


def test_whoever_was_erased_since_stays_erased(village: Village, tmp_path: Path) -> None:
    named = village.airbnb.seen
    village.airbnb.seen = lambda stay: replace(named(stay), guest="Marie D.")  # type: ignore[method-assign]
    told(village, AIRBNB, JULY)
    path = copied(village, tmp_path / "copy")
    assert "Marie" in repr([row.values for row in rows_of(village).values()])
    village.run(village.engine.personal.erase(LOCAL, Sought(name="Marie D.")))
    put_back(village, path)
    assert "Marie" not in repr([row.values for row in rows_of(village).values()])
    goes_on(village)
    assert "Marie" not in repr([row.values for row in rows_of(village).values()])


def test_what_people_chose_since_counts(village: Village, tmp_path: Path) -> None:
    path = copied(village, tmp_path / "copy")
    accounts = village.engine.world.accounts
    village.run(accounts.choose("booking", ModeSetting(SyncMode.MANUAL)))
    put_back(village, path)
    state = village.run(village.engine.world.accounts.load("booking"))
    assert state is not None
    assert state.setting.wanted is SyncMode.MANUAL
    assert state.polled is None


def test_a_column_of_a_newer_release_is_put_back_too(village: Village, tmp_path: Path) -> None:
    told(village, AIRBNB, JULY)
    newer = Row(HOME, site_codec.HEAD, {"min_reader": 2, "newer": b"\x00\xff"})
    village.run(village.tables.upsert(names.SITES, newer))
    path = copied(village, tmp_path / "copy")
    village.tables._partitions.clear()
    village.run(restore(village.tables, path))
    row = village.run(village.tables.get(names.SITES, HOME, site_codec.HEAD))
    assert row is not None
    assert (row.values["min_reader"], row.values["newer"]) == (2, b"\x00\xff")


# --------------------------------------------------------------------------------------------- refusals


def test_rows_that_are_there_are_not_written_over_unasked(village: Village, tmp_path: Path) -> None:
    path = copied(village, tmp_path / "copy")
    before = rows_of(village)
    with pytest.raises(RestoreRefused, match="there are rows in"):
        village.run(restore(village.tables, path))
    assert rows_of(village) == before


def test_a_copy_of_other_homes_is_not_written_over_these(village: Village, tmp_path: Path) -> None:
    """The copy of an example, say, over the tables of one's own."""
    path = copied(village, tmp_path / "copy")
    rows = [row for (table, *_), row in rows_of(village).items() if table == names.SITES]
    village.tables._partitions.clear()
    for row in rows:
        village.run(village.tables.upsert(names.SITES, replace(row, partition="another")))
    before = rows_of(village)
    with pytest.raises(RestoreRefused, match="none of the homes"):
        village.run(restore(village.tables, path, over=True, stopped=True))
    assert rows_of(village) == before


def test_an_engine_at_work_is_not_written_under(village: Village, tmp_path: Path) -> None:
    path = copied(village, tmp_path / "copy")
    village.run(village.engine.on_timer_sweep())
    before = rows_of(village)
    with pytest.raises(RestoreRefused, match="stop it"):
        village.run(restore(village.tables, path, over=True))
    assert rows_of(village) == before
    village.clock.advance(STOPPED)
    village.run(restore(village.tables, path, over=True))


def test_a_restore_that_broke_off_leaves_sites_that_open_nothing_and_is_begun_again(
    strict: Village, tmp_path: Path
) -> None:
    village = strict
    stay = told(village, AIRBNB, JULY)
    pulled(village)
    path = copied(village, tmp_path / "copy")
    village.clock.advance(STOPPED)
    for calls in (14, 18, 22, 26):
        left = iter(range(calls))

        def dies(operation: str, table: str, partition: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Crash

        village.tables.before = dies
        with pytest.raises(Crash):
            village.run(restore(village.tables, path, over=True))
        village.tables.before = None
        village.restart()
        assert village.run(village.greengo_pulls()) == 503
    village.airbnb.calendar.cancel(stay)
    goes_on(village)
    assert village.booking.calendar.closed == nights(JULY)
    put_back(village, path)
    goes_on(village)
    village.run(village.settle())
    check_at_rest(village)
