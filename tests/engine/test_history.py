"""History: what is remembered of a site, asked page by page and as a file, and for how long it is kept."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.correlation import correlated
from shared.domain.dates import StayDates
from shared.domain.model import Phase, Status
from shared.domain.spoken import nights_said
from shared.engine.csv_text import csv_text, defused
from shared.engine.history import MOST_ROWS
from shared.memory.tables import MemoryTables
from shared.ports.stores import Row
from shared.state import site_codec
from shared.state.history import KEPT, HistoryStore, history_lines, history_row, version_of
from shared.state.names import SITES
from shared.state.sites import Changes
from shared.use_cases import HttpAnswer
from tests.engine.people import LOCAL
from tests.engine.stories import AUGUST, JULY, cancelled, deliver, moved, polled, pulled, sold, told
from tests.engine.village import HOME, START, Village, portfolio
from tests.web.support import Browser

Json = dict[str, Any]


def get(village: Village, where: str, query: dict[str, str]) -> HttpAnswer:
    return Browser(village.engine, village.run, LOCAL).call("GET", f"{where}?{urlencode(query)}")


def asked(village: Village, **query: str) -> Json:
    answer = get(village, "/api/history", {name.strip("_"): value for name, value in query.items()})
    assert answer.status == 200, answer.body
    found: Json = json.loads(answer.body)
    return found


def lines(village: Village, **query: str) -> list[Json]:
    found: list[Json] = asked(village, **query)["lines"]
    return found


def said(village: Village, **query: str) -> list[tuple[str, str | None]]:
    return [(line["what"], line["listing"]) for line in lines(village, **query)]


# --------------------------------------------------------------------------------- what a line says


def test_a_stay_is_remembered_from_the_bell_to_the_platforms(village: Village) -> None:
    with correlated("the-bell-that-rang"):
        told(village, "airbnb", JULY)
    found = [line for line in lines(village) if line["of"] == "airbnb|A1"]
    assert [(line["kind"], line["what"], line["listing"]) for line in reversed(found)] == [
        ("fact", "new", "gite-airbnb"),
        ("closure", "close sent", "gite-booking"),
        ("closure", "close published", "gite-greengo"),
        ("closure", "close accepted", "gite-booking"),
    ]
    assert {line["by"] for line in found} == {"webhook A1"}
    assert {line["correlation"] for line in found} == {"the-bell-that-rang"}
    assert {line["home"] for line in found} == {HOME}
    versions = [line["version"] for line in found]
    assert versions == sorted(versions, reverse=True)
    assert all(datetime.fromisoformat(line["at"]).tzinfo is not None for line in found)


def test_a_move_has_its_nights_before_and_after(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    moved(village, "airbnb", stay, AUGUST)
    (line,) = [line for line in lines(village, kind="fact") if line["what"] == "moved"]
    assert (line["before"], line["after"]) == (str(JULY), str(AUGUST))
    assert line["text"] == {
        "fr": "Airbnb, Gîte du Moulin : réservation A1 déplacée, 10–13 juillet 2027 → 1er–4 août 2027.",
        "en": "Airbnb, Gîte du Moulin: booking A1 moved, 10–13 July 2027 → 1–4 August 2027.",
    }


def test_a_cancellation_and_the_nights_that_open_after_it(village: Village) -> None:
    stay = told(village, "airbnb", JULY)
    pulled(village)
    cancelled(village, "airbnb", stay)
    pulled(village)
    whats = [what for what, _ in said(village)]
    assert whats.count("cancelled") == 1
    assert ("open accepted", "gite-booking") in said(village, kind="opening")
    assert ("open accepted", "gite-greengo") in said(village, kind="opening")


def test_what_vanishes_comes_back_and_is_let_go(village: Village) -> None:
    sold(village, "greengo", AUGUST)
    polled(village)
    stay = sold(village, "greengo", JULY)
    polled(village)
    village.greengo.hidden = {stay.id}
    polled(village, timedelta(minutes=5))
    village.greengo.hidden = set()
    polled(village, timedelta(minutes=5))
    village.platforms()["greengo"].cancel(stay)
    for _ in range(6):
        polled(village, timedelta(minutes=5))
    whats = [line["what"] for line in reversed(lines(village, kind="fact"))]
    assert whats == ["new", "new", "vanished", "back", "vanished", "let go"]


def test_a_clash_and_its_end_are_lines(village: Village) -> None:
    stay = sold(village, "airbnb", JULY)
    sold(village, "booking", JULY)
    village.run(village.poll_booking())
    deliver(village)
    cancelled(village, "airbnb", stay)
    found = [line for line in lines(village, kind="conflict") if line["what"].startswith("conflict")]
    assert [line["what"] for line in found] == ["conflict over", "conflict"]
    assert found[-1]["after"] == str(JULY)
    assert "A1 (airbnb)" in found[-1]["text"]["fr"]


def test_what_the_portfolio_adds_is_a_line(village: Village) -> None:
    wider = portfolio(units=2)
    village.run(village.engine.portfolio.run(wider))
    assert said(village, kind="listing")[:1] == [("first answer", f"{HOME}-greengo")], (
        "rooms alone are no line"
    )
    (home,) = (site.properties[HOME] for site in wider.sites)
    renamed = replace(wider.sites[0], properties={HOME: replace(home, name="Le Moulin")})
    village.run(village.engine.portfolio.run(replace(wider, sites=(renamed,))))
    line = lines(village, kind="listing")[0]
    assert (line["what"], line["by_text"]["fr"]) == ("home changed", "le portefeuille")
    assert line["text"]["fr"] == "Le Moulin : logement modifié."


def test_bookkeeping_has_no_line(village: Village) -> None:
    told(village, "airbnb", JULY)
    before = lines(village)
    village.run(village.poll_booking())
    village.run(village.first_answers())
    assert lines(village) == before


def test_no_guest_and_no_calendar_id_reaches_a_sentence_or_a_file(village: Village) -> None:
    village.greengo.calendar.name = "Jeanne Martin "
    sold(village, "greengo", JULY)
    polled(village)
    for line in lines(village):
        assert "Jeanne" not in str(line["text"])
    assert b"Jeanne" not in file(village).body


FADES = ("vanished", "let go in part")


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_last_line_of_each_thing_says_how_it_stands(seed: int) -> None:
    """Facts and closures read off the record alone are those that stand in the rows: nothing changed without a line."""
    village, chance = Village(), random.Random(seed)
    try:
        for _ in range(25):
            something_happens(village, chance)
            state = village.run(village.engine.world.sites.load(HOME))
            told = list(reversed(lines(village, limit="500")))
            rows = [one for one in told if one["kind"] == "fact" and one["listing"]]
            lost = {(one["of"], one["listing"]): one for one in rows if one["what"] in FADES}
            facts = {(one["of"], one["listing"]): one for one in rows if one["what"] not in FADES}
            for one in state.reservations.values():
                if one.status is Status.CANCELLED:
                    assert {facts[one.key, part.listing]["what"] for part in one.parts} <= {
                        "cancelled",
                        "details",
                    }
                    continue
                for part in one.parts:
                    assert str(part.dates) in str(facts[one.key, part.listing]["after"]), one
                for gone in one.fading:
                    assert str(gone.part.dates) in str(lost[one.key, gone.part.listing]["after"]), one
            steps = {
                (one["of"], one["listing"], one["after"]): one["what"]
                for one in told
                if one["kind"] in ("closure", "opening") and one["what"] != "echo"
            }
            for row in state.blocks.values():
                last = steps[row.cause, row.listing, str(row.dates)]
                assert last.startswith("close" if row.wanted else "open"), (row, last)
                if row.wanted and row.phase is Phase.SEEN:
                    assert last == "close seen"
    finally:
        village.close()


def something_happens(village: Village, chance: random.Random) -> None:
    """A guest, a platform, a reading or a while, by chance."""
    platform = chance.choice(["airbnb", "booking", "greengo"])
    calendar = village.platforms()[platform]
    dates = StayDates.of_nights(JULY.check_in + timedelta(days=chance.randrange(12)), chance.randint(1, 4))
    live = calendar.live()
    match chance.randrange(7):
        case 0 | 1 | 2:
            village.book(platform, dates)
        case 3 if live:
            stay = chance.choice(live)
            calendar.cancel(stay)
            village.say(platform, stay, "modify")
        case 4 if live:
            stay = chance.choice(live)
            if calendar.move(stay, dates):
                village.say(platform, stay, "modify")
        case 5:
            village.booking.faults.refuse = not village.booking.faults.refuse
        case _:
            village.run(village.greengo_pulls())
    deliver(village)
    village.run(village.poll_booking())
    polled(village, timedelta(minutes=chance.choice([1, 5, 30])))
    village.run(village.engine.on_timer_sweep())
    village.run(village.drain())


# ------------------------------------------------------------------------------------- how it is asked


def busy(village: Village, days: int) -> None:
    """A stay a day, booked and cancelled."""
    for _ in range(days):
        stay = told(village, "airbnb", JULY)
        cancelled(village, "airbnb", stay)
        village.clock.advance(timedelta(days=1))


@pytest.fixture
def old(village: Village) -> Village:
    busy(village, 8)
    return village


def test_pages_hold_every_line_once_newest_first(old: Village) -> None:
    whole = lines(old, limit="500")
    found: list[Json] = []
    page = ""
    for _ in range(200):
        answer = asked(old, limit="7", **({"page": page} if page else {}))
        assert len(answer["lines"]) <= 7
        found += answer["lines"]
        page = answer["next"]
        if not page:
            break
    assert found == whole
    assert len(whole) > 50


def test_days_are_the_homes_own_and_both_are_part_of_the_range(old: Village) -> None:
    found = lines(old, from_="2027-03-03", to="2027-03-04", kind="fact")
    assert {line["at"][:10] for line in found} == {"2027-03-03", "2027-03-04"}
    assert len(found) == 4


def test_a_home_and_a_kind_narrow_it(old: Village) -> None:
    assert {line["kind"] for line in lines(old, home=HOME, kind="fact", limit="500")} == {"fact"}
    assert lines(old, home=HOME, limit="500") == lines(old, site=HOME, limit="500")
    assert lines(old, kind="person") == []


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"site": "nowhere"}, 404, "nowhere"),
        ({"home": "nowhere"}, 404, "nowhere"),
        ({"home": HOME, "site": "other"}, 400, "not in site"),
        ({"from": "yesterday"}, 400, "from"),
        ({"to": "0001-01-01"}, 400, "to"),
        ({"kind": "gossip"}, 400, "kind"),
        ({"page": "2"}, 400, "page"),
        ({"page": "9" * 40}, 400, "page"),
        ({"limit": "0"}, 400, "limit"),
        ({"limit": "9" * 5000}, 400, "limit"),
        ({"limit": "٣"}, 400, "limit"),
        ({"guest": "Jeanne"}, 400, "guest"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    village: Village, query: dict[str, str], status: int, word: str
) -> None:
    for where in ("/api/history", "/api/history.csv"):
        answer = get(village, where, query)
        assert answer.status == status
        assert word in json.loads(answer.body)["detail"]


def test_a_page_reads_its_part_of_a_long_record_and_no_more(village: Village) -> None:
    fill(village, 30_000, lambda version: START - timedelta(days=300) + timedelta(minutes=10 * version))
    read = counted(village)
    assert len(lines(village, limit="50")) == 50
    assert sum(read) < 120
    read.clear()
    found = lines(village, limit="50", from_="2026-07-01", to="2026-07-02")
    assert {line["at"][:10] for line in found} <= {"2026-06-30", "2026-07-01", "2026-07-02"}
    assert len(found) == 50
    assert len(read) < 60, "an instant is found by halving"
    assert sum(read) < 200


def test_a_site_nobody_can_read_keeps_no_old_line_of_another(village: Village) -> None:
    """One odd head used to end the hourly round: what stood behind it was never taken away."""
    for name in (f"odd{number}" for number in range(5)):
        village.run(village.engine.world.accounts.list_in_directory("site", name, {"owner": "claire"}))
        village.run(village.tables.upsert(SITES, Row(name, site_codec.HEAD, {"version": "x"})))
    fill(village, 120, lambda version: START - 2 * KEPT)
    assert village.run(village.engine.record.clean()) >= 20


def test_a_page_without_hits_ends_and_says_where_to_go_on(village: Village) -> None:
    fill(village, 3 * MOST_ROWS, lambda version: START)
    answer = asked(village, kind="hold")
    assert answer["lines"] == []
    steps = 0
    while answer["next"]:
        answer = asked(village, kind="hold", page=answer["next"])
        steps += 1
    assert steps == 2


def fill(village: Village, rows: int, at: Callable[[int], datetime]) -> None:
    """A long record, as a busy year would leave it."""
    for version in range(100, rows):
        line = {"at": at(version).isoformat(), "by": "feed x", "kind": "fact", "what": "details", "of": "a|b"}
        village.run(village.tables.upsert(SITES, history_row(HOME, version, [line])))
    row = village.run(village.tables.get(SITES, HOME, site_codec.HEAD))
    assert row is not None
    head = site_codec.to_head(row)
    state = village.run(village.engine.world.sites.load(HOME))
    village.run(village.tables.upsert(SITES, site_codec.head_row(HOME, replace(head, version=rows))))
    assert state.head.version < rows


def counted(village: Village) -> list[int]:
    """How many rows of the record each read brings from now on."""
    read: list[int] = []
    query = village.tables.query

    async def counting(table: str, partition: str, **bounds: Any) -> Any:
        rows = await query(table, partition, **bounds)
        if str(bounds.get("start", "")).startswith(site_codec.HISTORY):
            read.append(len(rows))
        return rows

    village.tables.query = counting  # type: ignore[method-assign]
    return read


# --------------------------------------------------------------------------------------------- as a file


def file(village: Village, **query: str) -> HttpAnswer:
    return get(village, "/api/history.csv", query)


def cells(answer: HttpAnswer) -> list[list[str]]:
    assert answer.body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))


def test_the_file_holds_the_same_lines_with_accents_a_french_excel_can_read(old: Village) -> None:
    answer = file(old)
    header, *rows = cells(answer)
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["content-disposition"] == 'attachment; filename="history-gite.csv"'
    assert [row[header.index("English")] for row in rows] == [
        line["text"]["en"] for line in lines(old, limit="500")
    ]
    assert any("réservation A1 annulée" in row[header.index("français")] for row in rows)
    assert answer.body.count(b"\r\n") == answer.body.count(b"\n") == len(rows) + 1


def test_more_lines_than_a_file_holds_are_in_the_next_one(old: Village) -> None:
    whole = cells(file(old))
    first = file(old, limit="20", home=HOME)
    link = first.headers["link"]
    assert link.startswith("</api/history.csv?limit=20&home=gite&page=")
    page = link.partition("page=")[2].partition(">")[0]
    second = file(old, limit="500", page=page)
    assert cells(first)[1:] + cells(second)[1:] == whole[1:]


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3), max_size=5))
def test_no_cell_begins_a_formula_and_every_cell_is_read_back(rows: list[list[str]]) -> None:
    body = csv_text(("a", "b", "c"), rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(body, newline="")))
    assert len(read) == len(rows) + 1
    for row, back in zip(rows, read[1:], strict=True):
        for cell, shown in zip(row, back, strict=True):
            assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
            plain = cell.replace("\x00", "").encode("utf-8", "replace").decode()
            assert shown in (plain, f"'{plain}")


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+33612345678", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u00a0=1", "\x00=1", "-"],
)
def test_a_cell_that_could_be_a_formula_is_text(cell: str) -> None:
    assert defused(cell).startswith("'")


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert defused("Gîte « A = B », 3–7 août") == "Gîte « A = B », 3–7 août"


# ------------------------------------------------------------------------------------ how it is stored


def test_a_commits_lines_share_what_is_the_same_and_are_read_back_whole() -> None:
    written = [{"at": "t", "by": "feed x", "what": "new", "of": f"a|{n}"} for n in range(5)]
    row = history_row("site", 7, written)
    assert str(row.values["lines"]).count("feed x") == 0
    assert (history_lines(row), version_of(row)) == (written, 7)


def test_lines_of_older_releases_are_still_read() -> None:
    lines = '[{"at": "2027-03-01T08:00:00+00:00", "by": "confirm", "what": "close accepted", "of": "a|b"}]'
    row = Row("site", "q|000000000007", {"lines": lines})
    assert history_lines(row)[0]["by"] == "confirm"
    assert history_lines(Row("site", "q|000000000008", {"lines": "{"}))[0]["what"] == "unreadable"


@pytest.fixture
def tables() -> MemoryTables:
    return MemoryTables(lambda: datetime(2028, 6, 1, tzinfo=UTC))


async def test_lines_are_kept_for_400_days_and_taken_away_a_bounded_share_at_a_time(
    tables: MemoryTables,
) -> None:
    store, now = HistoryStore(tables), tables.now()
    versions = [*range(1, 300), *range(1500, 1600)]  # most commits of a quiet month changed nothing told
    for version in versions:
        age = KEPT + timedelta(days=1) if version < 1550 else KEPT - timedelta(days=1)
        line = {"at": (now - age).isoformat(), "by": "x", "what": "new"}
        await tables.insert(SITES, history_row("mill", version, [line]))
    gone = []
    for _ in range(12):
        gone.append(await store.clean("mill", now, 1600))
    assert max(gone) <= 99
    assert sum(gone) == 299 + 50
    left = [version_of(row) for row in await store.rows("mill", 0, 2000)]
    assert left == list(range(1550, 1600))
    assert await store.first_since("mill", now - KEPT, 1600) == 1550


def test_the_hourly_walk_takes_old_lines_away(village: Village) -> None:
    told(village, "airbnb", JULY)
    assert lines(village)
    village.clock.advance(KEPT + timedelta(days=1))
    village.run(village.engine.on_timer_walk())
    assert lines(village) == []


def test_a_head_and_its_history_are_one_commit(village: Village) -> None:
    """A record that another transaction wrote could miss what it tells of, or tell of what never was."""
    submitted: list[set[str]] = []

    def note(operation: str, table: str, *rest: Any) -> None:
        if operation == "submit" and table == SITES:
            submitted.append({operation})

    state = village.run(village.engine.world.sites.load(HOME))
    village.tables.before = note
    village.run(
        village.engine.world.sites.commit(state, Changes(history=[{"at": START.isoformat(), "what": "x"}]))
    )
    village.tables.before = None
    assert len(submitted) == 1
    assert lines(village)[0]["what"] == "x"


def test_nights_far_apart_read_well() -> None:
    written = f"{StayDates.parse('2027-12-30/2028-01-02')} {AUGUST}"
    assert nights_said(written, "fr") == "1er–4 août 2027, 30 décembre 2027 – 2 janvier 2028"
    assert nights_said("whatever", "fr") == "whatever"
