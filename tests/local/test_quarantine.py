"""The command that lists what nobody could process: newest first, with its reason, without what it held."""

from __future__ import annotations

from datetime import UTC, datetime

from local.quarantine import described, main
from shared.memory.tables import MemoryTables
from shared.state.inbox import InboxStore

NOON, LATER = datetime(2027, 3, 1, 12, 0, tzinfo=UTC), datetime(2027, 3, 1, 12, 5, tzinfo=UTC)


async def test_the_newest_comes_first_with_its_reason_and_without_its_body() -> None:
    now = NOON
    inbox = InboxStore(MemoryTables(lambda: now), lambda: "an-id")
    await inbox.quarantine("first", "airbnb", "a notification without a readable action", b"Jeanne Martin")
    now = LATER
    await inbox.quarantine("second", "work", "no work is called 'dance'", b"{}")
    assert list(described(await inbox.quarantined())) == [
        "2027-03-01 12:05:00 UTC  second",
        "  from    work, 2 bytes",
        "  why     no work is called 'dance'",
        "2027-03-01 12:00:00 UTC  first",
        "  from    airbnb, 13 bytes",
        "  why     a notification without a readable action",
    ]


def test_an_empty_one_is_said_to_be_empty() -> None:
    assert list(described([])) == ["nothing is in quarantine"]


def test_settings_that_cannot_be_read_are_told(tmp_path: object) -> None:
    assert main(["--settings", f"{tmp_path}/nowhere.json"]) == 1
