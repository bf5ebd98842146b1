"""The pure half of the health report: when somebody is told, how sources are judged, and that each code has words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import health_lag, health_state, health_words
from shared.domain.health import Code, Figure, Finding, HealthReport, Sight, Weight, both, joined
from shared.domain.health_alerts import AGAIN, QUIET, Alert, Occasion, due
from shared.domain.health_lag import ByApi, Calendar
from shared.domain.health_state import OneCircuit
from shared.domain.model import SyncMode
from shared.domain.modes import Standing
from shared.engine.health_alerts import from_text, to_text

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORDS = both("cause", "cause")


def finding(
    about: str = "a", *, weight: Weight = Weight.TOLD, told_by: str = "", minutes: int = 5
) -> Finding:
    return Finding(
        Code.WORK_LATE, weight, WORDS, WORDS, about, "x", told_by=told_by, grace=timedelta(minutes=minutes)
    )


def minutes(*reports: tuple[int, tuple[Finding, ...]]) -> list[tuple[int, Occasion, list[str]]]:
    """What was told in which minute, of what; each minute is reported as the last one named was."""
    said, known = [], dict[str, Alert]()
    plan = dict(reports)
    found: tuple[Finding, ...] = ()
    for minute in range(max(plan) + 1):
        found = plan.get(minute, found)
        known, tellings = due(known, HealthReport(NOW + minute * MINUTE, found))
        known = from_text(to_text(known))
        said += [(minute, one.occasion, [each.about for each in one.findings]) for one in tellings]
    return said


def test_it_is_told_after_its_grace_then_daily_and_when_it_is_over() -> None:
    day = int(AGAIN / MINUTE)
    over = 5 + day + 10
    told = minutes((0, (finding(),)), (over, ()), (over + 30, ()))
    assert told == [
        (5, Occasion.BEGAN, ["a"]),
        (5 + day, Occasion.LASTS, ["a"]),
        (over + int(QUIET / MINUTE), Occasion.OVER, []),
    ]


def test_without_a_grace_it_is_told_by_the_second_report() -> None:
    assert minutes((0, (finding(minutes=0),)), (9, (finding(minutes=0),))) == [(1, Occasion.BEGAN, ["a"])]


def test_what_goes_before_it_was_told_was_nothing() -> None:
    assert minutes((0, (finding(),)), (3, ()), (60, ())) == []


def test_what_comes_back_within_minutes_was_never_gone() -> None:
    a = (finding(),)
    assert minutes((0, a), (10, ()), (13, a), (20, ()), (23, a), (60, a)) == [(5, Occasion.BEGAN, ["a"])]


def test_what_is_shown_only_or_told_by_another_notice_is_not_told() -> None:
    quiet = (finding(weight=Weight.SHOWN), finding(told_by="dead_link"))
    assert minutes((0, quiet), (60, quiet)) == []


def test_others_with_the_same_trouble_are_told_an_hour_later_at_the_earliest() -> None:
    one, two = (finding("a"),), (finding("a"), finding("b"))
    assert minutes((0, one), (10, two), (200, two)) == [
        (5, Occasion.BEGAN, ["a"]),
        (65, Occasion.MORE, ["b", "a"]),
    ]


def test_what_could_not_be_looked_at_is_not_over() -> None:
    known = {"dead_letters|": Alert(NOW, NOW + MINUTE)}
    blind = HealthReport(NOW + timedelta(hours=1), unseen=frozenset({Code.DEAD_LETTERS}))
    assert due(known, blind) == (known, [])


def test_what_another_release_found_is_its_own_business() -> None:
    known = {"a_code_of_tomorrow|x": Alert(NOW, NOW + MINUTE)}
    assert due(known, HealthReport(NOW + timedelta(hours=1))) == (known, [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": ["x", "", "", ""]}', '{"a": ["", ""]}'])
def test_a_note_nobody_can_read_begins_anew(text: str) -> None:
    assert from_text(text) == {}


def test_a_note_of_a_newer_release_is_read_as_far_as_it_is_known() -> None:
    known = {"work_late|x": Alert(NOW, NOW, None, frozenset({"00000001"}))}
    assert from_text(to_text(known).replace("]", ',"more"]')) == known


# ---------------------------------------------------------------------------------------------- the judges


def by_api(minutes_ago: int | None, **more: object) -> ByApi:
    answered = None if minutes_ago is None else NOW - minutes_ago * MINUTE
    fields: dict[str, object] = {"standing": Standing(SyncMode.REAL_TIME), **more}
    return ByApi("acc", "airbnb", "owner", 2 * MINUTE, 15 * MINUTE, answered, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("account", "silent"),
    [
        (by_api(12), False),
        (by_api(13), True),
        (by_api(None), True),
        (by_api(None, changed=NOW - 12 * MINUTE), False),
        (by_api(60, paused="authorization_revoked"), False),
        (by_api(27, standing=Standing(SyncMode.BATCH, "HTTP 429")), False),
        (by_api(28, standing=Standing(SyncMode.BATCH, "HTTP 429")), True),
    ],
)
def test_an_account_is_silent_after_six_periods(account: ByApi, silent: bool) -> None:
    sight = health_lag.of_accounts([account], NOW)
    assert [one.about for one in sight.findings] == ["acc"] * silent


def test_a_queue_asked_every_twenty_seconds_has_five_minutes() -> None:
    quick = ByApi(
        "acc",
        "booking",
        "",
        timedelta(seconds=20),
        15 * MINUTE,
        NOW - 5 * MINUTE,
        Standing(SyncMode.REAL_TIME),
    )
    assert health_lag.of_accounts([quick], NOW).findings == ()


def test_an_age_is_the_worst_of_a_platform_calendars_and_accounts_alike() -> None:
    link = Calendar("l", "airbnb", 2 * MINUTE, NOW - 3 * MINUTE)
    never = Calendar("n", "airbnb", 2 * MINUTE, None, NOW)
    sights = [health_lag.of_calendars([link, never], NOW), health_lag.of_accounts([by_api(4)], NOW)]
    assert joined(NOW, sights).figures == (Figure("sync_age_s", 240, "airbnb"),)


@pytest.mark.parametrize(
    ("state", "code", "weight"),
    [
        ("open", Code.CIRCUIT_OPEN, Weight.TOLD),
        ("half_open", Code.CIRCUIT_OPEN, Weight.TOLD),
        ("forced_open", Code.CIRCUIT_FORCED, Weight.SHOWN),
        ("forced_closed", Code.CIRCUIT_FORCED, Weight.SHOWN),
    ],
)
def test_a_circuit_that_holds_back_is_found(state: str, code: Code, weight: Weight) -> None:
    (found,) = health_state.of_circuits(by_api(0), [OneCircuit("write", state, NOW, NOW)], NOW)
    assert (found.code, found.weight, found.told_by) == (code, weight, "")
    assert health_state.of_circuits(by_api(0), [OneCircuit("write", "closed", NOW, None)], NOW) == []


def test_a_circuit_for_which_the_account_fell_was_told_by_its_mode() -> None:
    fell = by_api(0, standing=Standing(SyncMode.BATCH, "HTTP 503"))
    (found,) = health_state.of_circuits(fell, [OneCircuit("read", "open", NOW, NOW)], NOW)
    assert found.told_by == "mode_changed"


# ---------------------------------------------------------------------------------------------- the words


def test_every_code_can_be_counted_before_anybody() -> None:
    for code in Code:
        reasons = health_words.open_reasons([Finding(code, Weight.ILL, WORDS, WORDS, "Mme Martin")] * 2)
        assert len(reasons) == 1
        assert "Martin" not in reasons[0]


def test_an_alert_names_five_and_counts_the_rest() -> None:
    found = tuple(finding(f"home{number}") for number in range(9))
    known, _ = due({}, HealthReport(NOW, found))
    _, (telling,) = due(known, HealthReport(NOW + 5 * MINUTE, found))
    text = health_words.told(telling, {"x": "Exemple"})
    assert text["en"] == "cause The same of 8: home1, home2, home3, home4, home5, …. cause"
    assert "De même pour 8\u202f:" in text["fr"]


def test_the_heaviest_stand_first() -> None:
    report = joined(NOW, [Sight((finding("b"), finding("c", weight=Weight.ILL), finding("a")))])
    assert [one.about for one in report.findings] == ["c", "a", "b"]
    assert not report.ok
