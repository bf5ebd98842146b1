"""Accounts that are revoked, and that come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from shared.domain.dates import StayDates
from shared.domain.errors import AuthFailed
from shared.domain.facts import SeenStay
from shared.domain.model import Account
from shared.engine.modes import ACCOUNT_AGE
from shared.ports.platforms import Notification
from tests.engine.village import HOME, ApiPlatform, Village

JULY = StayDates(date(2027, 7, 10), date(2027, 7, 13))


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    yield built
    built.close()


def revoke(village: Village, monkeypatch: pytest.MonkeyPatch, *units: str, refused: bool = False) -> None:
    """Airbnb says that access is gone, and (``refused``) really refuses the keys."""
    right = ApiPlatform.read_notification

    def read(self: ApiPlatform, body: bytes) -> Notification:
        if b"revoked" in body:
            return Notification("authorization_revoked", revoked=units)
        return right(self, body)

    async def no(self: ApiPlatform, account: Account, unit: str) -> tuple[SeenStay, ...]:
        raise AuthFailed("airbnb: refused")

    monkeypatch.setattr(ApiPlatform, "read_notification", read)
    if refused:
        monkeypatch.setattr(ApiPlatform, "stays", no)
    village.run(village.webhook(json.dumps({"revoked": True}).encode()))
    monkeypatch.undo()


def paused(village: Village) -> str:
    account = village.run(village.engine.world.accounts.load("airbnb"))
    assert account is not None
    return account.paused


def test_a_revoked_account_is_paused_told_and_resumes_with_what_waited(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(village, monkeypatch, "*", refused=True)
    assert paused(village) == "authorization_revoked"
    assert [notice.kind for notice in village.notify.notices] == ["revoked"]
    village.book("booking", JULY)
    village.run(village.poll_booking())
    assert village.airbnb.calendar.closed == set()
    village.run(village.engine.observer.observe("airbnb"))
    village.clock.advance(2 * ACCOUNT_AGE)
    village.run(village.drain())
    assert paused(village) == ""
    assert village.airbnb.calendar.closed == set(JULY.nights())


def test_a_paused_account_is_asked_again_in_the_rhythm_of_batches(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(village, monkeypatch, "*", refused=True)
    village.clock.advance(timedelta(minutes=3))
    village.run(village.engine.on_timer_poll_accounts())
    village.run(village.drain())
    assert paused(village) == "authorization_revoked"
    village.clock.advance(timedelta(minutes=15))
    village.run(village.engine.on_timer_poll_accounts())
    village.run(village.drain())
    assert paused(village) == ""


def test_a_claim_that_the_keys_belie_pauses_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    revoke(village, monkeypatch, "*")
    assert paused(village) == ""


def test_one_unlinked_unit_of_several_is_told_and_pauses_nothing(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.state.accounts import Place

    other = Place(HOME, f"{HOME}-airbnb")
    village.run(village.engine.world.accounts.put_unit("airbnb", "unit-other", other))
    revoke(village, monkeypatch, "unit-other")
    assert paused(village) == ""
    assert [notice.kind for notice in village.notify.notices] == ["revoked"]


def test_nothing_is_opened_on_a_platform_with_a_queue_before_its_first_poll() -> None:
    """Found by kill -9: a sale of the platform was a moment faster than our closure, and no poll had told of it yet."""
    village = Village(polls_first=True)
    stay = village.book("airbnb", JULY)
    assert stay is not None
    assert village.book("booking", JULY) is not None
    village.run(village.webhook(village.deliveries.pop()))
    village.airbnb.calendar.cancel(stay)
    village.say("airbnb", stay, "modify")
    village.run(village.webhook(village.deliveries.pop()))
    assert not opened(village)
    village.run(village.settle())
    assert not opened(village)
    village.close()


def opened(village: Village) -> bool:
    return any(level > 0 for levels in village.booking.writes for level in levels.values())
