"""The e-mail doorbell: a forwarded confirmation makes us ask a calendar now, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.domain.access import Role
from shared.domain.dates import StayDates
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from shared.domain.portfolio import Owner
from shared.engine.mail_doorbell import REST, MailDoorbell
from shared.engine.mail_reading import read_mail
from shared.engine.webhooks import MOST_MAIL, Senders, Webhooks
from shared.use_cases import WebhookCall
from tests.engine.village import Village

WORDS = {AIRBNB: ("airbnb",), BOOKING: ("booking.com",), GREENGO: ("greengo",)}
NIGHTS = StayDates.parse("2027-04-10/2027-04-13")
GENERIC = {"to": "doorbell@in.example", "from": "reservations@greengo.voyage", "subject": "Réservation"}


@pytest.fixture
def village() -> Iterator[Village]:
    made = Village()
    engine = made.engine
    bells = MailDoorbell(engine.world, WORDS)
    engine.webhooks = Webhooks(engine.world, engine.inbox, {"mail": ("key",)}, Senders(), {}, bells)
    yield made
    made.close()


def mail(village: Village, body: object = GENERIC) -> tuple[int, int]:
    """The status, and for how many calendars the bell was rung."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = village.run(village.engine.receive_webhook(WebhookCall("mail", "key", body=raw)))
    return answer.status, json.loads(answer.body).get("rung", 0)


def later(village: Village, by: timedelta) -> None:
    village.clock.advance(by)
    village.run(village.drain())


def test_a_stay_told_by_e_mail_closes_the_others_at_once(village: Village) -> None:
    village.book(GREENGO, NIGHTS)
    assert mail(village) == (200, 1)
    village.run(village.drain())
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed
    assert set(NIGHTS.nights()) <= village.booking.calendar.closed


def test_an_e_mail_that_is_faster_than_the_calendar_gets_a_second_look(village: Village) -> None:
    assert mail(village) == (200, 1)
    village.run(village.drain())
    village.book(GREENGO, NIGHTS)
    assert not village.airbnb.calendar.closed
    later(village, REST)
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed


def test_an_e_mail_closes_nothing_by_itself(village: Village) -> None:
    told = {**GENERIC, "subject": "Réservation confirmée du 10 au 13 avril", "text": str(NIGHTS)}
    assert mail(village, told) == (200, 1)
    village.run(village.drain())
    later(village, REST)
    assert not village.airbnb.calendar.closed
    assert not village.booking.calendar.closed


def test_a_flood_of_e_mails_is_one_look_in_twenty_seconds(village: Village) -> None:
    before, looks = village.greengo.fetches, []
    for _ in range(120):  # two minutes, an e-mail a second
        mail(village)
        fetched = village.greengo.fetches
        later(village, timedelta(seconds=1))
        if village.greengo.fetches > fetched:
            looks.append(village.clock.peek())
    gaps = [after - first for first, after in pairwise(looks)]
    assert min(gaps) >= REST
    assert 5 <= village.greengo.fetches - before <= 7


def test_no_bell_within_the_rest_is_lost(village: Village) -> None:
    mail(village)
    village.run(village.drain())
    village.clock.advance(timedelta(seconds=5))
    village.book(GREENGO, NIGHTS)
    mail(village)
    village.run(village.drain())
    for _ in range(4):
        later(village, timedelta(seconds=10))
    assert set(NIGHTS.nights()) <= village.airbnb.calendar.closed


def test_while_the_queue_is_down_the_service_is_asked_to_come_again(village: Village) -> None:
    village.bus.down = True
    answer = village.run(
        village.engine.receive_webhook(WebhookCall("mail", "key", body=json.dumps(GENERIC).encode()))
    )
    assert (answer.status, answer.headers["retry-after"]) == (503, "20")


def test_nothing_of_an_e_mail_is_stored_or_logged(village: Village) -> None:
    secretive = {
        "to": "doorbell+gite-greengo@in.example",
        "from": "Zoé Marquise <zoe@guests.example>",
        "subject": "Séjour de Zoé Marquise",
        "text": "code 4711-marquise",
    }
    assert mail(village, secretive) == (200, 1)
    village.run(village.drain())
    later(village, REST)
    stored = village.tables._partitions
    rows = [repr(stored[place]) for place in stored]
    assert "gite-greengo" in repr(rows)
    told = repr((rows, village.telemetry.events, village.notify.notices)).lower()
    assert "marquise" not in told
    assert "zoe" not in told


# ------------------------------------------------------------------------------------ which calendars


def test_whose_address_it_is_and_which_home(village: Village) -> None:
    person = Owner("owner", "camille", Role.OPERATOR, "Camille@homes.example")
    village.run(
        village.engine.world.owners.put([person, Owner("other", "noa", Role.OPERATOR, "noa@homes.example")])
    )
    for body, rung in (
        ({"to": "d@in.example", "from": "x@airbnb.com", "subject": ""}, 0),  # connected by API: no calendar
        ({"to": "d@in.example", "from": "x@elsewhere.example", "subject": "Réservation Greengo"}, 1),
        ({"to": "d@in.example", "from": "x@elsewhere.example", "subject": "Réservation"}, 0),
        ({"to": "d+gite-greengo@in.example", "from": "x@elsewhere.example"}, 1),
        ({"to": "d+gite@in.example", "from": "x@elsewhere.example"}, 1),
        ({"to": "d+greengo@in.example", "from": "x@elsewhere.example"}, 1),
        ({"to": "d+gite@in.example", "from": "x@airbnb.com"}, 0),
        ({"to": "d@in.example", "from": "camille@homes.example", "subject": "Fwd: réservation"}, 1),
        ({"to": "d@in.example", "from": "noa@homes.example", "subject": "Fwd: réservation"}, 0),
        ({"to": "d@in.example", "from": "noa@homes.example", "subject": "Fwd: Greengo"}, 0),
    ):
        later(village, timedelta(minutes=2))
        assert mail(village, body) == (200, rung), body


POSTMARK = {
    "From": "reservations@greengo.voyage",
    "FromFull": {"Email": "reservations@greengo.voyage", "Name": "Greengo", "MailboxHash": ""},
    "To": '"Camille" <d+gite-greengo@in.example>',
    "ToFull": [{"Email": "d+gite-greengo@in.example", "Name": "Camille", "MailboxHash": "gite-greengo"}],
    "OriginalRecipient": "d+gite-greengo@in.example",
    "Subject": "Nouvelle réservation",
    "Headers": [{"Name": "X-Forwarded-To", "Value": "d+gite-greengo@in.example"}],
    "TextBody": "",
}
CLOUDMAILIN = {
    "headers": {"from": "reservations@greengo.voyage", "to": "camille@homes.example", "subject": "Nouvelle"},
    "envelope": {"to": "d+gite-greengo@in.example", "recipients": ["d+gite-greengo@in.example"]},
    "plain": "",
}
MAILGUN = {
    "recipient": "d+gite-greengo@in.example",
    "sender": "reservations@greengo.voyage",
    "subject": "Nouvelle réservation",
    "body-plain": "",
}
SENDGRID = {
    "to": "camille@homes.example",
    "from": "Greengo <reservations@greengo.voyage>",
    "subject": "Nouvelle réservation",
    "envelope": '{"to":["d+gite-greengo@in.example"],"from":"bounce@greengo.voyage"}',
}


@pytest.mark.parametrize(
    "body", [POSTMARK, CLOUDMAILIN, MAILGUN, SENDGRID], ids=["postmark", "cloudmailin", "mailgun", "sendgrid"]
)
def test_the_shapes_of_the_services(body: dict[str, object]) -> None:
    read = read_mail(json.dumps(body).encode())
    assert read.tags == {"gite-greengo"}
    assert "greengo" in read.senders
    assert read.subject.startswith("nouvelle")
    assert "reservations@greengo.voyage" in read.addresses


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b"\xff",
        b'{"to": 5, "from": null, "subject": {}}',
        b"[" * 100_000,
        b'{"to":' * 5_000,
        b'{"headers": "{", "envelope": [[[]]]}',
    ],
)
def test_a_body_nobody_can_read_is_400(village: Village, body: bytes) -> None:
    assert mail(village, body)[0] == 400


def test_odd_fields_cost_nothing(village: Village) -> None:
    body = {
        **GENERIC,
        "to": [["x"], {"email": 5}, "a" * 10**6],
        "envelope": "[" * 5_000,
        "headers": [1, {"Name": 2}],
    }
    assert mail(village, body) == (200, 1)
    assert mail(village, b" " * (MOST_MAIL + 1))[0] == 413
