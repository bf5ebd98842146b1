"""What a cold start pays for our code: import time and peak memory of ``function_app``.

    python -m bench.cold_start

Beside it the SDKs that every such app loads (``azure.functions`` and the table client), and bare Python; the last
row is what a first invocation has loaded at least. Each figure is a fresh process with compiled files;
the contenders take turns, so that other load hits all alike; the ratio is taken within each round. Medians.
Quote the ratios: the times say more about the machine than about the code. Goal: at most 1.3 times the SDKs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.score import Score

ROOT = Path(__file__).resolve().parents[1]

GOAL = 1.3

SDKS = "azure.functions + azure.data.tables.aio"
APP = "function_app"

CONTENDERS = {
    "bare Python": "",
    "azure.functions": "import azure.functions",
    SDKS: "import azure.functions, azure.data.tables.aio",
    APP: "import function_app",
    f"{APP} + azure.data.tables.aio": "import function_app, azure.data.tables.aio",
}

MEASURE = """
import resource, sys, time
sys.path.insert(0, {root!r})
begun, cpu = time.perf_counter(), time.process_time()
{code}
wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
modules = len(sys.modules)
{after}
print(wall * 1000, cpu * 1000, peak, modules, flush=True)
"""


@dataclass(frozen=True)
class Figures:
    """One process: milliseconds of import (wall, CPU), peak resident MiB, modules loaded."""

    wall: float
    cpu: float
    peak: float
    modules: float


def measure(code: str, environment: Mapping[str, str] | None = None, after: str = "") -> Figures:
    """Run code in a fresh process; without an ``environment`` in this one's, which holds none of our settings. What is
    done ``after`` it is not measured. Raises ``RuntimeError`` with the last words of a process that failed."""
    script = MEASURE.format(root=str(ROOT), code=code, after=after)
    command = [sys.executable, "-I", "-c", script]
    values = None if environment is None else {"PATH": os.environ.get("PATH", ""), **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=values)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"it ended with {done.returncode}: {done.stderr[-2_000:]}")
    return Figures(*(float(word) for word in done.stdout.split()))


def rounds(count: int) -> dict[str, list[Figures]]:
    """The contenders in turn, ``count`` times, after one round that only compiles."""
    found: dict[str, list[Figures]] = {name: [] for name in CONTENDERS}
    for number in range(count + 1):
        for name, code in CONTENDERS.items():
            figures = measure(code)
            if number:
                found[name].append(figures)
    return found


def column(found: dict[str, list[Figures]], name: str, what: str) -> list[float]:
    """One figure of one contender, round by round."""
    return [asdict(one)[what] for one in found[name]]


def ratio(found: dict[str, list[Figures]], name: str, what: str) -> float:
    """The median of the ratios to the SDKs, round by round."""
    mine, theirs = column(found, name, what), column(found, SDKS, what)
    return statistics.median(one / other for one, other in zip(mine, theirs, strict=True))


def report(found: dict[str, list[Figures]]) -> str:
    """One table; x is the ratio to the SDKs."""
    lines = [
        "| import | wall ms | x | CPU ms | x | peak MiB | x | modules |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, figures in found.items():
        cells = [name]
        for what in ("wall", "cpu", "peak"):
            middle = statistics.median(column(found, name, what))
            cells += [f"{middle:.0f}", f"{ratio(found, name, what):.2f}"]
        lines.append(f"| {' | '.join(cells)} | {figures[0].modules:.0f} |")
    return "\n".join(lines)


def scores(count: int = 7) -> list[Score]:
    """Time and memory for the table of all benches."""
    found = rounds(count)
    beside = f"{APP} + azure.data.tables.aio"
    return [
        Score(
            "cold start",
            f"{APP}: {name} / {SDKS}",
            ratio(found, APP, what),
            goal=GOAL,
            note=f"with the table client {ratio(found, beside, what):.2f}",
        )
        for what, name in (("wall", "import time"), ("cpu", "import CPU"), ("peak", "peak memory"))
    ]


def main() -> int:
    """Print the table; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start")
    parser.add_argument("--rounds", type=int, default=7)
    found = rounds(parser.parse_args().rounds)
    print(report(found))
    wall, peak = ratio(found, APP, "wall"), ratio(found, APP, "peak")
    print(f"{APP}: {wall:.2f} x the time, {peak:.2f} x the memory of the SDKs (goal {GOAL})")
    return int(max(wall, peak) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
