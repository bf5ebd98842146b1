"""Writes docs/licences.md: what the app brings along, and under which terms, read from what is installed.

``python -m local.licences``. Versions are left out: they differ between Pythons, and constraints.txt holds them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, metadata, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"

HEAD = """# Licences

Sync Engine itself is under the MIT licence (`LICENSE`). What it brings along to Azure, unchanged, stands here as each
package says of itself; `make licences` writes it from `requirements.txt` and everything the packages there ask for.
This is a list, not legal advice.

## In this repository

| what | licence | where |
|---|---|---|
| htmx 2.0 | 0BSD (no notice is asked for) | `shared/web/static/htmx.js` |

## Installed beside it

Packages under the LGPL and the MPL are used as they are published, by import; nothing of them is copied or changed.

| package | licence | asked for by |
|---|---|---|
"""

BROUGHT = (
    "# What they bring along, the same on Python 3.11 to 3.13: written by `make pins`. protobuf stays free."
)
"""The line of requirements.txt below which nothing is chosen by us."""

_OF_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_AS_WRITTEN = {
    "Apache 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD": "BSD",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
}
_IDENTIFIER = re.compile(r"[A-Za-z0-9.]+(?:-[A-Za-z0-9.]+)*")
_FULL_TEXTS = (
    ("Redistribution and use in source and binary forms", "BSD-3-Clause"),
    ("Permission is hereby granted, free of charge", "MIT"),
)


class LicenceUnknownError(ValueError):
    """A package does not say its licence in a way this module reads: look it up and teach it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One package: its name, its licence and who asks for it ("" for requirements.txt itself)."""

    name: str
    licence: str
    asked_by: str


def direct(text: str) -> list[Requirement]:
    """What a requirements file names for this Python by its own choice."""
    chosen = text.partition(BROUGHT)[0]
    lines = [line.partition("#")[0].strip() for line in chosen.splitlines()]
    wanted = [Requirement(line) for line in lines if line]
    return [one for one in wanted if one.marker is None or one.marker.evaluate()]


def closure(wanted: list[Requirement]) -> dict[str, tuple[str, ...]]:
    """Every package that these bring along, themselves included, each with who asks for it.

    Raises PackageNotFoundError for one that is not installed.
    """
    askers: dict[str, set[str]] = {_plain(one.name): set() for one in wanted}
    waiting = [(_plain(one.name), frozenset(one.extras)) for one in wanted]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        for need in _needs(name, extras):
            askers.setdefault(_plain(need.name), set()).add(name)
            step = (_plain(need.name), frozenset(need.extras))
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return {name: tuple(sorted(found)) for name, found in sorted(askers.items())}


def licence_of(about: PackageMetadata) -> str:
    """A package's licence in one short form. Raises LicenceUnknownError."""
    expression = _first(about, "License-Expression")
    if expression:
        return expression
    written = _first(about, "License")
    if written in _AS_WRITTEN:
        return _AS_WRITTEN[written]
    if _IDENTIFIER.fullmatch(written) and any(letter.isdigit() for letter in written):
        return written
    lines = [line for line in about.get_all("Classifier") or [] if line.startswith("License :: ")]
    known = [_OF_CLASSIFIER.get(line.rpartition(" :: ")[2]) for line in lines]
    if known and None not in known:
        return " or ".join(sorted(str(one) for one in known))
    for beginning, name in _FULL_TEXTS:
        if beginning in written:
            return name
    if written == "MIT":
        return written
    raise LicenceUnknownError(
        f"{about['Name']} says neither a known licence nor a classifier: {written[:60]!r}"
    )


def entries() -> list[Entry]:
    """One for each package of requirements.txt and what they ask for. Raises as ``closure`` and ``licence_of``."""
    wanted = direct((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    ours = {_plain(one.name) for one in wanted}
    return [
        Entry(name, licence_of(metadata(name)), "" if name in ours else ", ".join(askers))
        for name, askers in closure(wanted).items()
    ]


def page() -> str:
    """The whole page."""
    rows = [f"| {one.name} | {one.licence} | {one.asked_by or '`requirements.txt`'} |" for one in entries()]
    return HEAD + "\n".join(rows) + "\n"


def _first(about: PackageMetadata, field: str) -> str:
    return str((about.get_all(field) or [""])[0]).strip()


def _needs(name: str, extras: frozenset[str]) -> list[Requirement]:
    known = [Requirement(line) for line in requires(name) or []]
    return [one for one in known if _holds(one, extras)]


def _holds(one: Requirement, extras: frozenset[str]) -> bool:
    return one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in {"", *extras})


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Write the page; the exit code is 1 when a package's licence is unknown."""
    try:
        written = page()
    except LicenceUnknownError as error:
        print(error, file=sys.stderr)
        return 1
    PAGE.write_text(written, encoding="utf-8")
    print(f"{PAGE}: {len(entries())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
