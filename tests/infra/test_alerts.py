"""Each alert speaks when it should and is silent in a healthy hour. Times and counts were worked out by hand; the
queries run on a reader of ours (``kql``), Azure's own engine was never asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from tree_sitter import Node

from shared.adapters import telemetry_points
from shared.log_line import log_line
from shared.routes import ROUTES
from tests.infra.bicep import INFRA, at, entries, infra, literal, read, text, walk
from tests.infra.kql import NotKnown, Row, run

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ALERTS = read(infra()["alerts.bicep"])
QUERIES = {path.stem: path.read_text("utf-8") for path in sorted((INFRA / "queries").glob("*.kql"))}
RULES = {
    "stale_sync": "staleSync",
    "conflict": "conflictDetected",
    "circuit_open": "circuitOpen",
    "failures": "failing",
}
MINUTE = timedelta(minutes=1)
BOOKING = {"platform": "booking", "account": "booking-claire"}


def event(name: str, minutes_ago: float, **properties: str) -> Row:
    """A row of the workspace's AppEvents (INFERRED: TimeGenerated, Name, Properties)."""
    return {"TimeGenerated": NOW - minutes_ago * MINUTE, "Name": name, "Properties": properties}


def failure(minutes_ago: float, function: str = "sync_worker") -> Row:
    """A row of AppTraces for a line of ours."""
    line = log_line("error", "trigger_failed", {"function": function, "why": "OSError at x.py:1"})
    return {"TimeGenerated": NOW - minutes_ago * MINUTE, "Message": line}


def asked(name: str, *rows: Row, watched: str = "", now: datetime = NOW) -> list[Row]:
    """What a query answers now; ``watched`` is put in as the deployment does it."""
    query = QUERIES[name]
    if watched:
        plain, filled = (
            "datatable(platform: string)[]",
            f"datatable(platform: string){json.dumps(watched.split(','))}",
        )
        assert plain in query
        query = query.replace(plain, filled)
    traces = [row for row in rows if "Message" in row]
    return run(query, {"AppEvents": [row for row in rows if "Name" in row], "AppTraces": traces}, now)


def speaks(name: str, *rows: Row, watched: str = "", now: datetime = NOW) -> list[dict[str, str]]:
    """The rule's verdict: for each combination of its dimensions, whether there are as many rows as it waits for."""
    criteria = rule(name)["criteria"].named_children[0].named_children[-1].named_children[0]
    least = int(text(at(criteria, "threshold"))) + (literal(at(criteria, "operator")) == "GreaterThan")
    listed = [one for one in at(criteria, "dimensions").named_children if one.type == "object"]
    dimensions = [str(literal(at(one, "name"))) for one in listed]
    counts: dict[tuple[str, ...], int] = {}
    for row in asked(name, *rows, watched=watched, now=now):
        key = tuple(str(row[dimension]) for dimension in dimensions)
        counts[key] = counts.get(key, 0) + 1
    return [dict(zip(dimensions, key, strict=True)) for key, count in counts.items() if count >= least]


def rule(name: str) -> Mapping[str, Node]:
    return entries(at(ALERTS.resources[RULES[name]].body, "properties"))


HEALTHY = [
    *(
        event("sync_completed", ago, platform=name)
        for name in ("airbnb", "booking")
        for ago in range(0, 60, 15)
    ),
    event("circuit_opened", 55, platform="booking", account="booking-claire", operation="write"),
    event("circuit_closed", 50, platform="booking", account="booking-claire", operation="write"),
    event("mode_changed", 30, account="booking-claire"),
    event("conflict_detected", 45, property="moulin", nights="2027-07-10", site="moulin", conflict="c1"),
    event("conflict_resolved", 40, property="moulin", nights="2027-07-10", site="moulin", conflict="c1"),
    failure(40),
    failure(20),
    failure(3),
    {"TimeGenerated": NOW - MINUTE, "Message": "Executed 'Functions.sync_worker' (Succeeded)"},
]
"""An hour in which a circuit opened and closed again, a double booking was found and undone, and a function failed now
and then."""


@pytest.mark.parametrize("name", QUERIES)
def test_a_healthy_hour_wakes_nobody(name: str) -> None:
    assert speaks(name, *HEALTHY, watched="airbnb,booking" if name == "stale_sync" else "") == []


def test_a_platform_that_fell_silent_is_told_by_name() -> None:
    rows = [event("sync_completed", 61, platform="airbnb"), event("sync_completed", 59, platform="booking")]
    assert speaks("stale_sync", *rows) == [{"platform": "airbnb"}]


def test_a_named_platform_is_told_though_it_was_never_heard_of() -> None:
    assert speaks("stale_sync", *HEALTHY, watched="greengo,airbnb") == [{"platform": "greengo"}]
    assert speaks("stale_sync", watched="greengo") == [{"platform": "greengo"}], "when nothing at all arrives"


def test_a_platform_nobody_names_is_forgotten_after_two_days() -> None:
    assert speaks("stale_sync", event("sync_completed", 47 * 60, platform="airbnb")) == [
        {"platform": "airbnb"}
    ]
    assert speaks("stale_sync", event("sync_completed", 49 * 60, platform="airbnb")) == []


FOUND = {"property": "moulin", "nights": "2027-07-10..2027-07-12"}
CLASH = {**FOUND, "site": "moulin", "conflict": "c1"}


def test_a_double_booking_is_told_with_its_home_and_nights_and_once() -> None:
    rows = [event("conflict_detected", ago, **CLASH, severity="high") for ago in (4, 3)]
    assert speaks("conflict", *rows) == [FOUND]


def test_a_double_booking_is_told_until_it_is_over() -> None:
    found, over = event("conflict_detected", 300, **CLASH), event("conflict_resolved", 20, **CLASH)
    assert speaks("conflict", found) == [FOUND]
    assert speaks("conflict", found, over) == []
    again = event("conflict_detected", 10, **CLASH)
    assert speaks("conflict", found, over, again) == [FOUND]
    others = event("conflict_resolved", 5, **{**CLASH, "conflict": "c2"})
    assert speaks("conflict", found, others) == [FOUND], "another one's end proves nothing"


def test_a_circuit_that_stays_open_is_told_after_ten_minutes() -> None:
    opened = {**BOOKING, "operation": "write"}
    assert speaks("circuit_open", event("circuit_opened", 9, **opened)) == []
    assert speaks("circuit_open", event("circuit_opened", 11, **opened)) == [BOOKING]
    again = [event("circuit_opened", ago, **opened) for ago in (25, 20, 15, 10, 5)]
    assert speaks("circuit_open", *again) == [BOOKING], "each failed trial"
    since = [event("circuit_closed", 12, **opened), event("circuit_opened", 8, **opened)]
    assert speaks("circuit_open", *again[:3], *since) == [], "closed meanwhile, and opened anew not long ago"
    other = {**opened, "operation": "read"}
    rows = [event("circuit_opened", 90, **opened), event("circuit_closed", 20, **other)]
    assert speaks("circuit_open", *rows) == [BOOKING], "another one's closing proves nothing"


def test_three_failures_of_one_function_are_told() -> None:
    rows = [failure(1), failure(2), failure(29), failure(2, "health_monitor")]
    assert speaks("failures", *rows) == [{"failed": "sync_worker"}]
    assert speaks("failures", *rows[1:]) == []
    assert speaks("failures", *rows[:2], failure(31)) == []


@pytest.mark.parametrize("name", ["walk", "deep"])
def test_one_failure_of_a_timer_that_comes_once_an_hour_or_a_night_is_told(name: str) -> None:
    assert speaks("failures", failure(1, name)) == [{"failed": name}]


SOON = {
    "conflict": [event("conflict_detected", 0, **CLASH)],
    "circuit_open": [event("circuit_opened", 0, **BOOKING, operation="write")],
    "failures": [failure(0), failure(5), failure(10)],
    "stale_sync": [event("sync_completed", 0, platform="airbnb")],
}
"""What each alert is about, the last of it now."""


@pytest.mark.parametrize("late", range(0, 16, 3))
@pytest.mark.parametrize("name", QUERIES)
def test_what_arrives_late_is_still_told_whenever_the_rule_looks(name: str, late: int) -> None:
    """A rule looks every 5 minutes, we do not know at which; each row can be asked for ``late`` minutes after it
    happened. No look must come too soon and the next one too late."""
    for first in range(5):
        looks = [NOW + n * MINUTE for n in range(first, 90, 5)]
        told = [speaks(name, *(SOON[name] if now >= NOW + late * MINUTE else ()), now=now) for now in looks]
        assert any(told), (name, late, first)


def test_words_in_a_line_that_is_no_failure_are_not_counted() -> None:
    rows = [{"TimeGenerated": NOW, "Message": f"nothing like trigger_failed {n}"} for n in range(5)]
    assert speaks("failures", *rows) == []


@pytest.mark.parametrize("name", QUERIES)
def test_queries_name_only_what_is_sent(name: str) -> None:
    events = set(re.findall(r'"((?:sync|circuit|conflict|mode)_\w+)"', QUERIES[name]))
    assert events <= telemetry_points.EVENTS
    assert set(re.findall(r"Properties\.(\w+)", QUERIES[name])) <= telemetry_points.PROPERTIES


def test_every_query_has_its_rule_and_every_rule_tells_somebody() -> None:
    assert QUERIES.keys() == RULES.keys()
    spoken = [
        one for one in ALERTS.resources.values() if "ueryRules" in one.type or "metricAlerts" in one.type
    ]
    assert len(spoken) == 6
    for one in spoken:
        assert "people.id" in text(at(one.body, "properties", "actions"))
        assert text(at(one.body, "properties", "enabled")) == "true"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_looks_back_as_far_as_its_query(name: str) -> None:
    reach = {"PT1H": 60, "PT30M": 30, "P2D": 2 * 24 * 60}
    given = rule(name)
    furthest = reach[str(literal(given.get("overrideQueryTimeRange", given["windowSize"])))]
    units = {"d": 1440, "h": 60, "m": 1}
    asks = [
        int(n) * units[unit] for n, unit in re.findall(r"TimeGenerated > ago\((\d+)([dhm])\)", QUERIES[name])
    ]
    assert max(asks) == furthest


@pytest.mark.parametrize("name", RULES)
def test_a_rule_counts_rows_every_five_minutes(name: str) -> None:
    given = rule(name)
    assert literal(given["evaluationFrequency"]) == "PT5M"
    (condition,) = [one for one in at(given["criteria"], "allOf").named_children if one.type == "object"]
    assert literal(at(condition, "timeAggregation")) == "Count"
    periods = entries(at(condition, "failingPeriods"))
    assert {key: text(node) for key, node in periods.items()} == {
        "numberOfEvaluationPeriods": "1",
        "minFailingPeriodsToAlert": "1",
    }
    # Each is a state: told once, and told as over.
    assert text(given["autoMitigate"]) == "true"
    assert "muteActionsDuration" not in given


def test_dead_letters_are_told_by_the_platforms_own_number() -> None:
    criteria = at(ALERTS.resources["deadLetters"].body, "properties", "criteria")
    words = {literal(one) for one in walk(criteria) if one.type == "string"}
    assert {"DeadletteredMessages", "EntityName", "Maximum", "GreaterThan"} <= words
    for name in ("deadLetters", "unhealthy"):
        given = entries(at(ALERTS.resources[name].body, "properties"))
        assert literal(given["evaluationFrequency"]) == "PT5M"
        assert literal(given["windowSize"]) == ("PT5M" if name == "deadLetters" else "PT30M")


def test_health_is_asked_from_outside_and_two_places_must_agree() -> None:
    body = ALERTS.resources["health"].body
    assert text(at(body, "properties", "Enabled")) == "true"
    assert text(at(body, "properties", "Request", "RequestUrl")) == "'${address}/health'"
    places = ALERTS.variables["places"].named_children[-1].named_children
    agree = int(text(at(ALERTS.resources["unhealthy"].body, "properties", "criteria", "failedLocationCount")))
    assert 1 < agree < len(places)


def test_alerts_lead_to_pages_there_are() -> None:
    paths = {f"/{route.path}".replace("//", "/") for route in ROUTES if route.is_page} | {"/health"}
    named = re.findall(r"\$\{address\}(/[a-z]*)", infra()["alerts.bicep"])
    assert len(named) >= 6
    assert set(named) <= paths


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Name == "sync_completed"', 'Nome == "sync_completed"'),
        ("AppEvents", "Events"),
        ("summarize", "summarise"),
        ("tostring(", "to_string("),
        ("by platform", ""),
    ],
)
def test_a_slip_in_a_query_is_found(old: str, new: str) -> None:
    assert old in QUERIES["stale_sync"]
    with pytest.raises(NotKnown):
        run(QUERIES["stale_sync"].replace(old, new), {"AppEvents": HEALTHY[:1]}, NOW)
