"""The list of platforms: complete, light to import, and true about what it names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.sandbox.imports import AGENTS
from shared.connectors import registry
from shared.connectors.base import HttpConnector, error_of, plain_word, short_name
from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited, SyncError
from shared.domain.export import is_one_of
from shared.domain.platform import AIRBNB, BOOKING, GREENGO, Link, Platform
from tests.connectors.support import ROLES, SECRETS, Script, Settings, Ticking, retry_after, stay

WITH_API = [entry for entry in registry.PLATFORMS.values() if Link.API in entry.links]


def test_every_platform_stands_there_once_under_its_own_name() -> None:
    assert {"airbnb", "booking", "greengo", "channex", "vrbo", "gites", "ical"} <= set(registry.PLATFORMS)
    for name, entry in registry.PLATFORMS.items():
        assert registry.find(name) == entry
        assert entry.platform == name
        assert Link.ICAL in entry.links or entry.connector
        assert entry.name
    assert list(registry.PLATFORMS)[-1] == "ical"  # screens list "any calendar" last


@pytest.mark.parametrize("entry", WITH_API, ids=lambda entry: entry.platform)
def test_an_api_has_a_connector_that_knows_its_platform(entry: registry.PlatformEntry) -> None:
    made = registry.connect(
        entry.platform, Script().http, Settings(SECRETS), clock=Ticking(), retry_after=retry_after
    )
    assert isinstance(made, HttpConnector)
    assert made.platform == entry.platform
    assert set(entry.secrets) == set(ROLES[entry.platform])
    assert entry.unit
    assert entry.webhook or entry.poll_every


def test_a_platform_without_an_api_or_unknown_is_refused_by_name() -> None:
    for name, reason in ((GREENGO, "Greengo has no API"), (Platform("nowhere"), "there are airbnb, booking")):
        with pytest.raises(PayloadRejected, match=reason):
            registry.connect(name, Script().http, Settings(SECRETS), clock=Ticking(), retry_after=retry_after)


def test_importing_the_list_imports_no_connector() -> None:
    heavy = ("pydantic", "defusedxml", "httpx", "icalendar")
    code = f"import sys, shared.connectors.registry; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def is_peer(platform: Platform, user_agent: str) -> bool:
    return is_one_of(user_agent, registry.find(platform).agents)


def test_importers_are_known_by_their_agent_and_browsers_are_not() -> None:
    for name, agent in AGENTS.items():
        entry = {"abritel": "vrbo"}.get(name, str(name))
        assert is_peer(Platform(entry), agent)
        assert not is_peer(Platform("ical"), agent)
    browser = (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36"
    )
    assert not any(is_peer(name, agent) for name in registry.PLATFORMS for agent in (browser, "", "curl/8"))
    assert not is_peer(BOOKING, AGENTS[next(iter(AGENTS))])


def test_console_links() -> None:
    nights = stay("2027-08-14", 3)
    assert registry.console_link(GREENGO, "gîte 7/x", nights) == (
        "https://www.greengo.voyage/service-provider-portal/calendar/host-calendar/g%C3%AEte%207%2Fx"
        "?startDate=2027-08-14&endDate=2027-08-17"
    )
    assert registry.console_link(AIRBNB, "", nights) == ""
    assert registry.console_link(BOOKING, "", nights) == "https://admin.booking.com/"
    assert registry.console_link(Platform("ical"), "x", nights) == ""


# --------------------------------------------------------------------------- what all connectors share


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthFailed),
        (403, AuthFailed),
        (429, RateLimited),
        (400, PayloadRejected),
        (404, PayloadRejected),
        (409, PayloadRejected),
        (422, PayloadRejected),
        (408, PlatformDown),
        (301, PlatformDown),
        (500, PlatformDown),
        (503, PlatformDown),
        (599, PlatformDown),
        (103, PlatformDown),
    ],
)
def test_every_status_means_one_thing_to_do(status: int, kind: type[SyncError]) -> None:
    assert type(error_of(status, "text", None)) is kind


def test_a_wait_is_handed_on() -> None:
    for status in (429, 503):
        error = error_of(status, "text", 12.0)
        assert isinstance(error, (RateLimited, PlatformDown))
        assert error.retry_after == 12.0


def test_only_plain_words_of_a_platform_reach_our_texts() -> None:
    assert [plain_word(text) for text in ("ROOM_ID_INVALID", "497", " a.b-c ", 400)] == [
        "ROOM_ID_INVALID",
        "497",
        "a.b-c",
        "400",
    ]
    assert [plain_word(text) for text in ("Alma sleeps", "a\nb", "<b>", "é", "", "x" * 61)] == [""] * 6


def test_of_a_guest_only_first_name_and_initial_are_kept() -> None:
    assert [
        short_name("Alma", "Genêt"),
        short_name("Alma", None),
        short_name(None, "Genêt"),
        short_name(7, {}),
        len(short_name("x" * 5000, "y")),
    ] == ["Alma G.", "Alma", "Genêt", "", 63]
