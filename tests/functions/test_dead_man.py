"""The sign of life for a service outside, over real sockets: sent while all is well, and never in anybody's way."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from shared.adapters.dead_man import EVERY, DeadMan
from shared.adapters.http import HttpxHttp
from shared.adapters.http_meter import MeteredHttp
from shared.adapters.log_voice import LogTelemetry
from shared.bootstrap.world import sign_of_life
from shared.config import read
from shared.memory.voices import MemoryTelemetry
from tests.engine.village import Village
from tests.loopback import Loopback, plain


class Seconds:
    """A monotonic clock that is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_sign_is_sent_every_few_minutes_and_again_soon_after_one_that_failed() -> None:
    http, telemetry, clock = HttpxHttp(), MemoryTelemetry(), Seconds()
    async with Loopback(plain(200, b"OK")) as service:
        sign = DeadMan(http, service.url("/ping/5f1c"), telemetry, clock)
        for minute in range(10):
            clock.now = 60.0 * minute
            await sign()
        assert [(one.method, one.target) for one in service.seen] == [("GET", "/ping/5f1c")] * 3
        assert telemetry.counts["dead_man_failed"] == 0
        service.answer = plain(500)
        clock.now += EVERY
        await sign()
        service.answer = plain(200)
        clock.now += 60
        await sign()
        assert len(service.seen) == 5
    await http.close()
    assert telemetry.counts["dead_man_failed"] == 1


async def test_a_service_that_is_away_is_counted_and_fails_nothing_and_its_address_is_in_no_log(
    sample_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with Loopback() as service:
        url = service.url("/ping/5f1c-s3cret")
    settings = read({**sample_settings, "DEAD_MAN_URL": url, "TELEMETRY": "log"})
    http = HttpxHttp()
    with caplog.at_level(logging.DEBUG):
        sign = sign_of_life(settings, MeteredHttp(http, LogTelemetry(), Seconds()))
        assert sign is not None
        await sign()
    await http.close()
    assert "dead_man_failed" in caplog.text
    assert "PlatformDown" in caplog.text
    assert "s3cret" not in caplog.text


def test_without_an_address_nothing_is_sent(sample_settings: dict[str, str]) -> None:
    assert sign_of_life(read(sample_settings), HttpxHttp()) is None


def test_the_health_timer_gives_the_sign_while_all_is_well_and_only_then() -> None:
    village, signs = Village(), list[str]()

    async def sign() -> None:
        signs.append("alive")

    object.__setattr__(village.engine.world, "alive", sign)
    village.run(village.engine.on_timer_sweep())
    village.run(village.engine.on_timer_health())
    assert signs == ["alive"]
    village.clock.advance(timedelta(days=1))  # every calendar has been silent since
    village.run(village.engine.on_timer_health())
    assert signs == ["alive"]
    village.close()
