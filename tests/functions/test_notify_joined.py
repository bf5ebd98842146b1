"""The channels as the settings name them, joined by the bootstrap: one notice to each, over real sockets."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest

from shared.adapters.http import HttpxHttp
from shared.bootstrap.notify import _ways, open_notify
from shared.config import read
from shared.domain.access import Role
from shared.domain.errors import AddressRefused
from shared.domain.portfolio import Owner
from shared.domain.targets import Target, Way
from shared.memory.tables import MemoryTables
from shared.memory.voices import MemoryTelemetry
from shared.ports.people import Notice
from shared.state.choices import ChoiceStore, Chosen
from shared.state.owners import OwnerStore
from shared.state.people import PeopleStore
from shared.state.told import ToldStore
from tests.loopback import Loopback, plain
from tests.mail import Mail

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
NOTICE = Notice(
    "new_stay",
    "gite/airbnb|HM1/confirmed/2027-07-10/2027-07-13",
    "info",
    {"fr": "Nouvelle réservation sur Airbnb : Gîte du Lac.", "en": "New booking on Airbnb: Gîte du Lac."},
    "jeanne",
)


async def test_a_new_stay_reaches_the_owner_by_every_channel(
    sample_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    tables, telemetry, http = MemoryTables(lambda: NOW), MemoryTelemetry(), HttpxHttp()
    await OwnerStore(tables).put([Owner("jeanne", "jeanne", Role.OPERATOR, "jeanne@example.org", "fr")])
    async with Mail() as mail, Loopback(plain(200, b'{"id":"x"}')) as ntfy, Loopback(plain(500)) as hook:
        named = {
            "NOTIFY": "log,smtp,ntfy,json",
            "NOTIFY_EMAIL": "desk@example.org",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "sync@example.org",
            "NTFY_URL": ntfy.url(""),
            "NTFY_TOPIC": "t0pic",
            "NOTIFY_JSON_URL": hook.url("/s3cret"),
        }
        settings = read({**sample_settings, **named})
        notify = open_notify(settings, tables, http, telemetry, lambda: "id-1")
        with caplog.at_level(logging.DEBUG):
            await notify.tell(NOTICE)
            await notify.close()
        await http.close()
    (letter,) = mail.taken
    assert (letter.to, letter.text.strip()) == (["jeanne@example.org"], NOTICE.text["fr"])
    assert NOTICE.text["fr"] in json.loads(ntfy.seen[0].body)["message"]
    assert NOTICE.text["en"] in caplog.text
    (row,) = await ToldStore(tables).all()
    assert (row.waiting, row.error) == (("json",), "json: 127.0.0.1 answered 500")
    for secret in ("jeanne@example.org", "t0pic", "s3cret"):
        assert secret not in caplog.text
        assert secret not in row.error


async def test_who_chose_an_address_is_written_there_and_not_at_the_portfolios(
    sample_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    tables, telemetry, http = MemoryTables(lambda: NOW), MemoryTelemetry(), HttpxHttp()
    owners = [
        Owner("jeanne", "jeanne", Role.OPERATOR, "jeanne@example.org", "fr"),
        Owner("jeanne", "paul", Role.VIEWER, "paul@example.org", "en"),
    ]
    await OwnerStore(tables).put(owners)
    await PeopleStore(tables).put(owners)
    own = Target(Way.EMAIL, "jeanne.home@example.org")
    await ChoiceStore(tables).put(Chosen("jeanne", targets=(own,), language="en"))
    async with Mail() as mail:
        named = {
            "NOTIFY": "log,smtp",
            "NOTIFY_EMAIL": "desk@example.org",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.port),
            "SMTP_SECURITY": "none",
            "SMTP_FROM": "sync@example.org",
        }
        notify = open_notify(read({**sample_settings, **named}), tables, http, telemetry, lambda: "id-1")
        with caplog.at_level(logging.DEBUG):
            await notify.tell(NOTICE)
            await notify.settle(20)
            await notify.close()
        await http.close()
    letters = {letter.to[0]: letter.text.strip() for letter in mail.taken}
    assert letters == {
        "jeanne.home@example.org": NOTICE.text["en"],
        "paul@example.org": NOTICE.text["en"],
    }
    assert "jeanne.home" not in caplog.text


@pytest.mark.parametrize(
    "address",
    ["https://10.0.0.5/gite-du-lac", "https://localhost/gite-du-lac", "https://[::1]/gite-du-lac"],
)
async def test_an_ntfy_server_somebody_chose_is_asked_through_the_address_guard(
    sample_settings: dict[str, str], address: str
) -> None:
    http = HttpxHttp()
    settings = read(sample_settings).notify
    try:
        made = _ways(settings, http, MemoryTelemetry(), lambda: NOW)[Way.NTFY]
        with pytest.raises(AddressRefused):
            await made(address, "fr").send(NOTICE)
    finally:
        await http.close()
