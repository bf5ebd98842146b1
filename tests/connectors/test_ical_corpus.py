"""Every calendar of the corpus gives the listed ranges or a named refusal, but for the table in
``docs/decisions/ical-readings.md``, which must stay true."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from shared.connectors.ical_read import read_calendar
from shared.domain.dates import StayDates, nights_of
from shared.domain.errors import FeedRefused
from shared.domain.platform import AIRBNB
from tests.connectors.corpus import HERE, SHARED, TODAY, index, published, ranges, read, sliding

CASES = index()
DECISIONS = HERE / "docs" / "decisions" / "ical-readings.md"


def decided() -> dict[str, tuple[str, str]]:
    """File -> what the corpus wants, what we do."""
    rows = re.findall(
        r"^\| `([^`]+\.ics)` \| ([a-z-]+) \| ([^|]+) \| [^|]+ \|$",
        DECISIONS.read_text(encoding="utf-8"),
        re.M,
    )
    return {file: (wanted, ours) for file, wanted, ours in rows}


DECIDED = decided()
OUTCOMES: dict[tuple[str, str], tuple[set[StayDates] | None, str]] = {}


def cases(wanted: Callable[[dict[str, Any]], bool]) -> list[ParameterSet]:
    """The wanted rows of the list, or one that is skipped with the reason."""
    missing = pytest.mark.skip(reason="no ../shared: the calendar corpus is not on this machine")
    found = [pytest.param(case, id=case["file"]) for case in CASES if wanted(case)]
    return found or [pytest.param({}, marks=missing)]


def outcome(case: dict[str, Any], zone: str = "UTC") -> tuple[set[StayDates] | None, str]:
    """The ranges we read (None: refused), and what was told."""
    if (case["file"], zone) not in OUTCOMES:
        OUTCOMES[case["file"], zone] = _read(case, zone)
    return OUTCOMES[case["file"], zone]


def _read(case: dict[str, Any], zone: str) -> tuple[set[StayDates] | None, str]:
    body = published(f"corpus/ical/{case['file']}")
    try:
        if "window" in case:
            low, high = (date.fromisoformat(day) for day in case["window"])
            busy = sliding(body, (low, high), zone)
        else:
            busy = read_calendar(body, AIRBNB, zone, TODAY)
    except FeedRefused as error:
        return None, str(error)
    return ranges(busy.events), "; ".join(busy.oddities)


def listed(rows: list[list[str]]) -> set[StayDates]:
    return {StayDates(date.fromisoformat(start), date.fromisoformat(end)) for start, end in rows}


def test_the_corpus_is_here_or_the_skip_says_so() -> None:
    if not CASES:
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    assert len(CASES) == 206
    assert set(DECIDED) <= {case["file"] for case in CASES}


@pytest.mark.parametrize("case", cases(lambda case: case["file"] not in DECIDED))
def test_a_calendar_reads_as_the_corpus_says(case: dict[str, Any]) -> None:
    found, told = outcome(case)
    if case["must"] == "reject":
        assert found is None
        assert told
    elif case["must"] == "reject-or-report":
        assert told
    elif case["must"] == "exact":
        assert (found, told) == (listed(case["ranges"]), "")
        if found and "merged" in case:
            assert nights_of(found) == nights_of(listed(case["merged"]))
    elif case["ranges"] is not None:  # the libraries differ: the answer of two of the three
        assert found == listed(case["ranges"])
    else:
        assert found or told or "no-vevent" in case["features"]


@pytest.mark.parametrize("file", sorted(DECIDED))
def test_what_we_decided_otherwise_is_still_so(file: str) -> None:
    case = next((case for case in CASES if case["file"] == file), None)
    if case is None:
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    wanted, ours = DECIDED[file]
    found, told = outcome(case)
    assert case["must"] == wanted
    if ours == "refused":
        assert found is None
        return
    changes = [] if ours == "reported" else ours.split()
    missing = {StayDates.parse(change[1:]) for change in changes if change[0] == "-"}
    added = {StayDates.parse(change[1:]) for change in changes if change[0] == "+"}
    assert bool(told) == (ours == "reported")
    assert found == (listed(case["ranges"]) - missing) | added


@pytest.mark.parametrize("case", cases(lambda case: case["must"] == "exact" and case["file"] not in DECIDED))
def test_a_home_in_paris_never_has_fewer_nights_than_either_reading_of_utc(case: dict[str, Any]) -> None:
    found, _ = outcome(case, "Europe/Paris")
    assert found is not None
    assert nights_of(listed(case["ranges"])) <= nights_of(found)
    other = case.get("alternatives", {}).get("property_timezone_Europe/Paris")
    if (
        other and "tzid" not in case["features"]
    ):  # the alternative also moves TZID times; those keep their own day
        assert nights_of(listed(other)) <= nights_of(found)


def test_no_refusal_and_no_oddity_quotes_the_calendar() -> None:
    told = "\n".join(outcome(case)[1] for case in CASES)
    if not told:
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    allowed = re.compile(r"[A-Za-z ,:;()'\-0-9]*")
    for line in told.replace("; ", "\n").split("\n"):
        assert allowed.fullmatch(line), line
    assert "XXXX" not in told
    assert "http" not in told


PAYLOADS = {
    "ical/airbnb_export.ics": ["2027-07-10/2027-07-13", "2027-07-20/2027-07-22"],
    "ical/airbnb_rolling_window_day1.ics": ["2028-02-02/2028-05-03"],
    "ical/airbnb_rolling_window_day2.ics": ["2028-02-03/2028-05-04"],
    "ical/booking_com_export.ics": ["2027-07-10/2027-07-13", "2027-08-01/2027-08-02"],
    "ical/booking_com_uid_churn_day1.ics": ["2027-07-10/2027-07-15"],
    "ical/booking_com_uid_churn_day2.ics": ["2027-07-11/2027-07-15"],
    "ical/abritel_fr_export.ics": [
        "2027-07-10/2027-07-13",
        "2027-07-20/2027-07-22",
        "2027-10-13/2027-10-16",
        "2027-11-15/2027-11-20",
    ],
    "ical/vrbo_export_duration.ics": ["2027-07-10/2027-07-13"],
    "greengo/export_empty.ics": [],
    "greengo/export_manual_block.ics": ["2027-07-10/2027-07-13"],
}


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Guadeloupe", "Pacific/Noumea", "UTC"])
@pytest.mark.parametrize("file", PAYLOADS)
def test_the_platforms_own_shapes_read_in_every_zone(file: str, zone: str) -> None:
    busy = read(published(f"reference/payloads/{file}"), zone=zone)
    assert sorted(map(str, ranges(busy.events))) == PAYLOADS[file]
    assert busy.oddities == ()


def test_the_edge_cases_of_the_payloads() -> None:
    busy = read(published("reference/payloads/ical/edge_cases.ics"))
    assert {
        event.uid: [str(dates) for dates in event.dates] for event in busy.events if "@" not in event.uid
    } == {
        "one-day-no-dtend": ["2028-01-05/2028-01-06"],
        "plain-date-without-value-param": ["2028-01-10/2028-01-12"],
        "same-day-end": ["2028-01-15/2028-01-16"],
        "utc-late-evening": ["2028-01-19/2028-01-22"],
        next(e.uid for e in busy.events if e.uid.startswith("content-")): ["2028-02-10/2028-02-12"],
        "backwards": ["2028-02-20/2028-02-21"],
    }
    assert busy.oddities == ("event 7 (line 34): its DTEND lies before its start, one night is held",)


def test_a_sign_in_page_is_no_calendar() -> None:
    with pytest.raises(FeedRefused, match="not a calendar: an HTML page"):
        read(published("reference/payloads/ical/not_a_calendar.html"))


def test_the_folder_of_the_corpus_holds_nothing_unlisted() -> None:
    root = SHARED / "corpus" / "ical"
    if not root.exists():
        pytest.skip("no ../shared: the calendar corpus is not on this machine")
    assert {path.relative_to(root).as_posix() for path in root.rglob("*.ics")} == {c["file"] for c in CASES}
