"""How many cases the seeded tests try: a sample in ``make test``, the full counts in ``make prove``.

Loaded as a pytest plugin (``-p`` in pyproject.toml), so that the profile stands before the first test module is
read. ``PROVE=1`` in the environment chooses the full counts.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

PROVING = os.environ.get("PROVE", "") not in ("", "0")


def budget(test: int, prove: int) -> int:
    """A count that is small in ``make test`` and full in ``make prove``."""
    return prove if PROVING else test


# A deadline per example would fail on a busy machine and say nothing about the code.
settings.register_profile(
    "test",
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# New cases at each run; what it finds is printed as a line that repeats it, and becomes a named test.
settings.register_profile(
    "prove",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("prove" if PROVING else "test")
