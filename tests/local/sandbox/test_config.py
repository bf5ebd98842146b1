"""The configuration: a file that says what is wrong with it, a builder, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.sandbox.__main__ import main
from local.sandbox.config import WITH_CALENDARS, EarlyCancel, Listing, Platform, SandboxConfig, sample
from local.sandbox.config_file import config_from, read_config
from local.sandbox.errors import BadAsk
from local.sandbox.server import listen

GOOD = """
seed: 7
listings:
  - {platform: airbnb, id: 9876543, home: mill, notice_days: 2}
  - platform: greengo
    id: g1
    home: mill
    pulls: [{url: "http://127.0.0.1:7071/calendar/secret.ics", every: 5}]
airbnb: {sync_check: true}
booking:
  clients: [{client_id: one, client_secret: two}]
  early_cancel: vanishes
"""


def test_a_file_becomes_listings(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.yaml"
    path.write_text(GOOD)
    config = read_config(path)
    assert config.seed == 7
    assert config.listings[0] == Listing(Platform.AIRBNB, "9876543", "mill", notice_days=2)
    assert config.listings[1].pulls[0].every == 5
    assert config.airbnb.sync_check
    assert config.booking.early_cancel is EarlyCancel.VANISHES


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([], "config: must be a mapping"),
        ({"listing": []}, "unknown field 'listing'"),
        ({}, "listings"),
        ({"listings": {}}, "config.listings: must be a list"),
        ({"listings": [{"platform": "expedia", "id": "1", "home": "a"}]}, "config.listings[0].platform"),
        ({"listings": [{"platform": "airbnb", "id": True, "home": "a"}]}, "config.listings[0].id"),
        ({"listings": [{"platform": "airbnb", "id": "1"}]}, "home"),
        ({"listings": [{"platform": "airbnb", "id": "1", "home": "a"}] * 2}, "airbnb/1 stands there twice"),
        ({"listings": [], "booking": {"early_cancel": "x"}}, "config.booking.early_cancel"),
    ],
)
def test_what_cannot_be_read_is_named(data: object, where: str) -> None:
    with pytest.raises(BadAsk) as refused:
        config_from(json.loads(json.dumps(data)))
    assert where in str(refused.value)


def test_secrets_are_in_no_repr() -> None:
    config = config_from(
        {"listings": [], "booking": {"clients": [{"client_id": "a", "client_secret": "b!!"}]}}
    )
    link = config_from(
        {"listings": [{"platform": "vrbo", "id": "1", "home": "a", "pulls": [{"url": "http://x/s3cr3t"}]}]}
    )
    shown = repr(config) + repr(link)
    for secret in ("b!!", "s3cr3t", "sandbox-airbnb-key", "sandbox-airbnb-token"):
        assert secret not in shown


def test_the_sample_has_every_home_on_every_platform() -> None:
    config = sample(2, tuple(Platform))
    assert len(config.listings) == 2 * len(Platform)
    assert {listing.home for listing in config.listings} == {"home-1", "home-2"}
    feeds = [listing.feed for listing in config.listings if listing.platform in WITH_CALENDARS]
    assert len(set(feeds)) == len(feeds) == 2 * len(WITH_CALENDARS)


def test_a_restart_keeps_the_links() -> None:
    first, again = (SandboxConfig((Listing(Platform.GREENGO, "1", "a"),)).listings[0].feed for _ in range(2))
    assert first == again


def test_a_taken_port_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    sock = listen(0)
    sock.listen()
    port = sock.getsockname()[1]
    try:
        assert main(["--port", str(port)]) == 1
    finally:
        sock.close()
    assert f"port {port} cannot be used" in capsys.readouterr().err


def test_a_bad_file_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("listings: 1")
    assert main(["--config", str(path)]) == 2
    assert capsys.readouterr().err == "sandbox: bad.yaml.listings: must be a list\n"
