"""What ``make run`` shows of the state, and that a terminal can draw it."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from local.run_screen import (
    View,
    by_hand,
    conflicts_of,
    drawn,
    failed_of,
    plain,
    rows_of,
    silent_of,
    unwell_of,
)
from local.run_stopwatch import Closure

NOW = "2027-05-01T12:00:00+00:00"


def block(nights: str, *, taken: bool, wanted: bool = True, listing: str = "mill-greengo") -> dict[str, Any]:
    return {
        "platform": "greengo",
        "listing": listing,
        "nights": nights,
        "wanted": wanted,
        "taken": NOW if taken else None,
        "error": None,
    }


STATUS: dict[str, Any] = {
    "at": NOW,
    "accounts": [
        {"id": "a", "platform": "booking", "mode": "manual", "last_answer": None, "paused": "revoked"},
        {"id": "b", "platform": "greengo", "paused": None},
    ],
    "feeds": [
        {
            "platform": "greengo",
            "listing": "mill-greengo",
            "mode": "real_time",
            "last_answer": "2027-05-01T11:59:30+00:00",
            "error": "no answer",
        }
    ],
    "close_by_hand": [
        {"platform": "greengo", "listing": "mill-greengo", "nights": "2027-08-10/2027-08-12"},
        {"platform": "greengo", "listing": "mill-greengo", "nights": "2027-06-10/2027-06-12"},
    ],
    "sites": [
        {
            "blocks": [
                block("2027-07-10/2027-07-12", taken=True),
                block("2027-08-10/2027-08-12", taken=False),
                block("2027-06-10/2027-06-12", taken=False),
                block("2027-05-10/2027-05-12", taken=False, wanted=False),
            ],
            "conflicts": [{"home": "mill", "nights": "2027-07-10/2027-07-11", "severity": "high"}],
            "no_complete_answer_yet": ["mill-booking"],
        }
    ],
}


def test_a_row_tells_mode_age_closures_and_trouble_of_its_platform() -> None:
    booking, greengo = rows_of(STATUS)
    assert (booking.platform, booking.mode, booking.last, booking.trouble) == (
        "booking",
        "manual",
        "-",
        "revoked",
    )
    assert (greengo.mode, greengo.last, greengo.closed, greengo.under_way) == ("real_time", "30 s ago", 1, 2)
    assert greengo.trouble == "no answer"


def test_what_is_to_be_closed_by_hand_comes_earliest_first() -> None:
    assert by_hand(STATUS) == [
        "mill-greengo: 2027-06-10 to 2027-06-12",
        "mill-greengo: 2027-08-10 to 2027-08-12",
    ]
    assert by_hand({"at": NOW}) == ["nothing"]


def test_nobody_is_told_that_nothing_is_to_be_closed_while_nobody_knows() -> None:
    """With the host gone the status is empty, and the screen said "close by hand: nothing"."""
    assert by_hand({}) == ["unknown: the engine does not answer"]


def test_conflicts_silence_and_failures_are_told() -> None:
    assert conflicts_of(STATUS) == ["mill: 2027-07-10 to 2027-07-11 is sold twice (high)"]
    assert silent_of(STATUS) == ["mill-booking"]
    assert failed_of(STATUS) == {"mill-greengo"}


def test_a_terminal_and_a_log_show_the_same_facts() -> None:
    closure = Closure("HM1", "airbnb/1", "booking/2", 1.25)
    view = View(
        "Sync Engine",
        rows_of(STATUS),
        closures=[closure],
        worst=1.25,
        conflicts=conflicts_of(STATUS) * 6,
        links=[("state", "http://127.0.0.1:1/api/status")],
        unwell=unwell_of(STATUS),
        notes=["a note"],
    )
    console = Console(file=io.StringIO(), width=120)
    console.print(drawn(view))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for text in ("greengo", "30 s ago", "sold on airbnb/1, closed on booking/2 after 1.2 s", "conflicts: 6"):
        assert text in shown
    assert "and 2 more" in shown
    assert "a note" in shown
    line = plain(view)
    assert "greengo real_time, 1 closed (+2)" in line
    assert "last closure airbnb/1 -> booking/2 1.2 s" in line
    assert "6 conflicts" in line
    assert "health: all is well" in shown
    assert "not well" not in line


def test_one_conflict_is_not_several_in_the_log() -> None:
    assert plain(View("Sync Engine", conflicts=["one"])).startswith("1 conflict")
    assert "conflicts" not in plain(View("Sync Engine", conflicts=["one"]))


def test_what_the_health_report_finds_is_shown_with_its_next_step() -> None:
    findings = [
        {
            "code": code,
            "weight": weight,
            "cause": {"fr": "Rien ne va.", "en": f"Fault {number}."},
            "step": {"fr": "Agissez.", "en": "Act."},
        }
        for number, (code, weight) in enumerate([("drift", "told")] * 5 + [("mode_chosen", "shown")])
    ]
    view = View("Sync Engine", unwell=unwell_of({"health": {"ok": True, "findings": findings}}))
    console = Console(file=io.StringIO(), width=120)
    console.print(drawn(view))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "health: not well\n  drift: Fault 0. Act.\n" in shown
    assert "and 1 more" in shown
    assert "mode_chosen" not in shown
    assert plain(view).endswith("not well: drift")
