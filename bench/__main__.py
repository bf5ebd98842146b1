"""Every bench in one run, one table of ratios: ``make bench``.

Takes about ten minutes: what runs through the whole stack takes ten seconds of sales each (``--full``: a minute, and
half an hour in all). The figures are ratios taken within this run, or counts; a miss is told and does not fail
the command: a busy machine misses goals, and a goal missed is not a wrong calendar. ``python -m bench.<name>`` runs
one of them, with more of its figures, and ends with 1 when a goal is missed.
"""

from __future__ import annotations

import os
import sys
import time

from bench import (
    availability_check,
    batch_limits,
    calendar_page,
    cold_start,
    fanout,
    feeds,
    first_webhook,
    ical,
    many,
    overlap,
    realtime,
    rooms,
    round_trips,
    trouble,
)
from bench.score import Score, missed, table

# What needs a quiet, small process comes first.
BENCHES = (
    cold_start,
    first_webhook,
    fanout,
    feeds,
    round_trips,
    ical,
    overlap,
    rooms,
    batch_limits,
    availability_check,
    calendar_page,
    trouble,
)

STACKS = (realtime, many)
"""What runs through the whole stack."""


def main() -> int:
    """Run them one after the other and print the table."""
    begun = time.monotonic()
    found: list[Score] = []
    for bench in BENCHES:
        print(f"{bench.__name__} ...", file=sys.stderr, flush=True)
        found += bench.scores()
    for stack in STACKS:
        print(f"{stack.__name__} ...", file=sys.stderr, flush=True)
        found += stack.scores(short="--full" not in sys.argv[1:])
    print(table(found))
    load = os.getloadavg()[1] / (os.cpu_count() or 1)
    print(
        f"{len(found)} figures, {len(missed(found))} missed, in {time.monotonic() - begun:.0f} s; "
        f"load of the machine over 5 minutes: {load:.1f} a core"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
