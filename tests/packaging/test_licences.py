"""docs/licences.md names every package that travels with the app, as the packages themselves say it."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement

from local import licences


def said(**fields: str) -> Message:
    message = Message()
    for name, value in {"name": "some-package", **fields}.items():
        message[name.replace("_", "-")] = value
    return message


def rows(written: str) -> list[list[str]]:
    """Names and licences of a page. Who asks for a package may differ from one Python to the next."""
    return [line.split(" | ")[:2] for line in written.splitlines() if line.startswith("| ")]


def test_the_page_is_in_step_with_what_is_installed() -> None:
    written = licences.PAGE.read_text(encoding="utf-8")
    assert written.startswith(licences.HEAD), "run: make licences"
    assert rows(written) == rows(licences.page()), "run: make licences"


def test_everything_a_package_asks_for_is_on_the_page() -> None:
    named = {one.name for one in licences.entries()}
    asked = {one.name: one.asked_by for one in licences.entries()}
    assert {"azure-functions", "azure-core", "cryptography", "markupsafe"} <= named
    assert asked["markupsafe"] == "jinja2, werkzeug"
    assert not {"pytest", "ruff", "azure-functions-doctor"} & named


def test_only_terms_we_may_keep_to_stand_there() -> None:
    strong = [one for one in licences.entries() if "GPL" in one.licence.replace("LGPL", "")]
    assert strong == []
    weak = {one.name for one in licences.entries() if "LGPL" in one.licence or "MPL" in one.licence}
    assert weak == {"recurring-ical-events", "x-wr-timezone", "certifi"}


def test_what_is_vendored_is_named() -> None:
    static = licences.ROOT / "shared" / "web" / "static"
    strangers = {path.name for path in static.rglob("*.js")} - {"app.js"}
    assert strangers == {"htmx.js"}
    assert "0BSD" in licences.HEAD
    assert 'version:"2.0' in (static / "htmx.js").read_text(encoding="utf-8")


def test_an_extra_that_is_not_asked_for_brings_nothing_along() -> None:
    assert "h2" not in licences.closure([Requirement("httpx")])


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT", "License": "other"}, "MIT"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"License": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"Classifier": "License :: OSI Approved :: MIT License", "License": "see LICENSE"}, "MIT"),
        ({"License": "Copyright\nRedistribution and use in source and binary forms, ..."}, "BSD-3-Clause"),
    ],
)
def test_each_way_of_saying_it_is_read(fields: dict[str, str], licence: str) -> None:
    assert licences.licence_of(said(**fields)) == licence  # type: ignore[arg-type]


def test_a_licence_nobody_knows_stops_the_list() -> None:
    with pytest.raises(licences.LicenceUnknownError, match="some-package"):
        licences.licence_of(said(License="ask me"))  # type: ignore[arg-type]


def test_every_package_of_the_list_is_installed() -> None:
    assert all(distribution(one.name).version for one in licences.entries())
