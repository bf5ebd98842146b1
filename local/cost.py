"""What a month costs: counted figures times prices. Pure arithmetic; ``local.cost_page`` writes it into docs/cost.md.

docs/cost-counts.json is what ``python -m bench.cost --write`` counted, docs/cost-prices.json what Azure asks, to be
replaced by your own; what no run can count (habits, what the platform does by itself) stands there under "assumed".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

DOCS = Path(__file__).resolve().parents[1] / "docs"

DAYS = 365 / 12
GB = 1_000_000_000

Parts = Mapping[str, Mapping[str, float]]
Prices = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Setup:
    """A deployment as it is priced: whose counts, how many homes, links a home, memory of an instance in MB, and how
    many instances for HTTP never sleep."""

    counts: str
    homes: int
    links: int
    memory: int = 2_048
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: what, how much of it, and the amount."""

    what: str
    quantity: str
    amount: float


def counted() -> dict[str, dict[str, dict[str, float]]]:
    """The counts by scenario, part and figure; 5,000 homes are made from 500 and 1,000."""
    found = json.loads((DOCS / "cost-counts.json").read_text(encoding="utf-8"))
    scenarios = cast(dict[str, dict[str, dict[str, float]]], found)
    for kind in ("api", "links"):
        scenarios[f"5000 {kind}"] = beyond(scenarios[f"500 {kind}"], scenarios[f"1000 {kind}"], 5_000)
    return scenarios


def prices() -> Prices:
    """The prices, and what is assumed."""
    return cast(Prices, json.loads((DOCS / "cost-prices.json").read_text(encoding="utf-8")))


def beyond(low: Parts, high: Parts, homes: int) -> dict[str, dict[str, float]]:
    """On from 500 and 1,000 homes, along the same line; what one stay, fetch or call of /health costs stays."""
    steps = (homes - 1_000) / 500
    found: dict[str, dict[str, float]] = {}
    for part, figures in high.items():
        factor = 0.0 if part in ("stay", "fetch") else steps
        found[part] = {
            name: value + (value - low[part].get(name, 0.0)) * factor for name, value in figures.items()
        }
    return found


def month(setup: Setup, parts: Parts, prices: Prices) -> dict[str, float]:
    """A month's figures, by name."""
    assumed = prices["assumed"]
    hours = _number(prices, "hours_a_month")
    times = {
        "hour": hours,
        "walk": DAYS,
        "night": DAYS,
        "stay": assumed["stays_per_home"] * setup.homes,
        "fetch": assumed["fetches_per_link_and_day"] * DAYS * setup.links * setup.homes,
        "health": assumed["web_test_calls"],
    }
    found: dict[str, float] = {}
    for part, factor in times.items():
        for name, value in parts[part].items():
            if not name.startswith("longest"):
                found[name] = found.get(name, 0.0) + value * factor
    pages = assumed["pages_per_home"] * setup.homes
    for name, value in (
        ("executions console", pages),
        ("seconds http", pages),
        ("tables reads", pages * assumed["requests_per_page"]),
    ):
        found[name] = found.get(name, 0.0) + value
    return found


def total(figures: Mapping[str, float], beginning: str) -> float:
    """The sum of the figures whose names begin so."""
    return sum(value for name, value in figures.items() if name.startswith(beginning))


def bill(setup: Setup, parts: Parts, prices: Prices) -> list[Line]:
    """A month's bill, line by line."""
    figures = month(setup, parts, prices)
    lines = _compute(setup, figures, prices)
    lines += _storage(figures, parts, prices)
    return [*lines, *_messages(figures, prices), *_watching(figures, prices)]


def _compute(setup: Setup, figures: Mapping[str, float], prices: Prices) -> list[Line]:
    """Time and number of executions. Instances that never sleep take the HTTP functions to their own price."""
    ask, gigabytes = prices["functions"], setup.memory / 1_024
    seconds, executions = total(figures, "seconds "), total(figures, "executions ")
    lines = []
    if setup.ready:
        own, awake = (
            prices["always_ready"],
            setup.ready * gigabytes * _number(prices, "hours_a_month") * 3_600,
        )
        at_work = figures.get("seconds http", 0.0)
        amount = awake * own["baseline_gb_second"] + at_work * gigabytes * own["gb_second"]
        lines.append(Line("an instance for HTTP that never sleeps", f"{awake:,.0f} GB-s", amount))
        seconds -= at_work
    time = max(0.0, seconds * gigabytes - ask["free_gb_seconds"])
    lines.append(
        Line(
            "time of executions",
            f"{seconds:,.0f} s, {seconds * gigabytes:,.0f} GB-s",
            time * ask["gb_second"],
        )
    )
    charged = max(0.0, executions - ask["free_executions"]) / 1e6
    lines.append(Line("number of executions", f"{executions:,.0f}", charged * ask["million_executions"]))
    return lines


def _storage(figures: Mapping[str, float], parts: Parts, prices: Prices) -> list[Line]:
    """Table requests and rows, and what the host does with blobs for its timers."""
    ask, blobs, assumed = prices["tables"], prices["blobs"], prices["assumed"]
    hours = _number(prices, "hours_a_month")
    requests = total(figures, "tables ")
    stored = parts["held"]["rows"] * assumed["row_bytes"] / GB
    renewals = hours * (
        assumed["timers_with_a_lease"] * assumed["lease_renewals_per_hour"]
        + assumed["host_lease_renewals_per_hour"]
    )
    slow = ("sync_scheduler_feeds", "health_monitor", "sync_scheduler_walk", "sync_scheduler_deep")
    written = sum(figures.get(f"executions {name}", 0.0) for name in slow)
    amount = renewals * blobs["ten_thousand_others"] / 1e4 + written * blobs["ten_thousand_writes"] / 1e4
    return [
        Line("table requests", f"{requests:,.0f}", requests / 1e4 * ask["ten_thousand_requests"]),
        Line("rows kept", f"{stored:.2f} GB", stored * ask["gigabyte_month"]),
        Line("the host's own blobs", f"{renewals:,.0f} renewals, {written:,.0f} writes", amount),
    ]


def _messages(figures: Mapping[str, float], prices: Prices) -> list[Line]:
    ask, assumed, hours = prices["service_bus"], prices["assumed"], _number(prices, "hours_a_month")
    operations = figures.get("messages", 0.0) * assumed["service_bus_operations_per_message"]
    operations += assumed["listener_operations_per_hour"] * hours
    over = max(0.0, operations - ask["included_operations"]) / 1e6
    return [
        Line("Service Bus, the namespace", f"{hours:,.0f} h", hours * ask["hour"]),
        Line("Service Bus, operations", f"{operations:,.0f}", over * ask["million_operations"]),
    ]


def log_bytes(figures: Mapping[str, float], prices: Prices) -> float:
    """What Application Insights takes in: our lines and the host's, numbers, events."""
    assumed = prices["assumed"]
    lines = figures["log bytes"] + figures["log lines"] * assumed["trace_bytes_beside_the_text"]
    host = total(figures, "executions ") * assumed["host_lines_per_execution"]
    host *= assumed["host_line_bytes"] + assumed["trace_bytes_beside_the_text"]
    points = figures["points"] * assumed["metric_bytes"] + figures["events"] * assumed["event_bytes"]
    return lines + host + points


def _watching(figures: Mapping[str, float], prices: Prices) -> list[Line]:
    """Logs, alerts, the web test, the vault."""
    logs, alerts, assumed = prices["logs"], prices["alerts"], prices["assumed"]
    taken = log_bytes(figures, prices) / GB
    operations = assumed["vault_operations"]
    return [
        Line("logs taken in", f"{taken:.2f} GB", max(0.0, taken - logs["free_gigabytes"]) * logs["gigabyte"]),
        Line(
            "alerts",
            f"{assumed['log_rules']:.0f} log rules, {assumed['metric_series']:.0f} metric series",
            assumed["log_rules"] * alerts["log_rule_5_min"]
            + assumed["metric_series"] * alerts["metric_series"],
        ),
        Line(
            "web test of /health",
            f"{assumed['web_test_calls']:,.0f} calls",
            assumed["web_test_calls"] * alerts["web_test_call"],
        ),
        Line(
            "Key Vault", f"{operations:,.0f}", operations / 1e4 * prices["vault"]["ten_thousand_operations"]
        ),
    ]


def _number(prices: Prices, name: str) -> float:
    return float(cast(Mapping[str, float], prices)[name])
