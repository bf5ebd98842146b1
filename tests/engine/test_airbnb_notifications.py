"""Airbnb's notifications as they are published, through the real connector and the whole engine: what each closes
before the platform can be asked, and what is true once it was. The bodies are read where they lie."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.connectors.airbnb import AirbnbConnector
from shared.domain.dates import StayDates
from shared.domain.model import Account, Status
from shared.domain.platform import AIRBNB
from shared.engine.operations import Operations
from shared.ports.http import Response
from shared.state.accounts import Place
from tests.connectors.support import BASE, SECRETS, Script, Settings, retry_after, status
from tests.engine.village import HOME, Village

PAYLOADS = Path(__file__).parents[3] / "shared" / "reference" / "payloads" / "airbnb"
UNIT, CODE = "9876543", "HMEXAMPLE1"
READ = f"/v2/reservations/{CODE}"
JULY = StayDates.parse("2027-07-10/2027-07-13")
MOVED = StayDates.parse("2027-07-11/2027-07-13")
SILENT = status(503)
UNKNOWN = status(404)


def payload(name: str) -> dict[str, Any]:
    file = PAYLOADS / f"notification_{name}.json"
    if not file.exists():
        pytest.skip(f"no ../shared: {file.name} is not on this machine")
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


class Keyless(AirbnbConnector):
    """The real connector, for an account that needs no keys."""

    async def authorize(self, account: Account) -> Mapping[str, str]:
        return {}


class House(Village):
    """A village whose Airbnb is the real connector in front of a scripted platform."""

    def __init__(self) -> None:
        self.script, self.real = Script(), False
        super().__init__()
        self.script.on("GET", "/v2/reservations", b'{"reservations": [], "metadata": {"total_count": 0}}')
        self.script.on("POST", "/v2/calendar_operations_requests/", b'{"success": true}')
        accounts = self.engine.world.accounts
        self.run(accounts.put(Account("airbnb", AIRBNB, "owner", {}, BASE)))
        self.run(accounts.put_unit("airbnb", UNIT, Place(HOME, f"{HOME}-airbnb")))
        self.real = True
        self.engine = self._engine()

    def _engine(self) -> Operations:
        """The village's, with the real connector in it; at the import the platform still answers for itself."""
        engine = super()._engine()
        if self.real:
            apis: Any = engine.world.apis
            http, clock = self.script.http, self.clock.now
            apis[AIRBNB] = Keyless(http, Settings(SECRETS), clock=clock, retry_after=retry_after)
        return engine

    def platform_says(self, *answers: Response | Mapping[str, Any]) -> None:
        """What reading the reservation gives from now on, the last answer again and again."""
        replies = [a if isinstance(a, Response) else json.dumps({"reservation": a}).encode() for a in answers]
        self.script.on("GET", READ, *replies)

    def told(self, body: object) -> None:
        self.run(self.webhook(json.dumps(body).encode()))

    def closed(self) -> set[date]:
        return self.booking.calendar.closed

    def sweeps(self, span: timedelta) -> None:
        for _ in range(6):
            self.clock.advance(span / 6)
            self.run(self.engine.on_timer_sweep())
            self.run(self.drain())

    def notices(self, kind: str) -> list[str]:
        return [one.key for one in self.notify.notices if one.kind == kind]


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


def nights(dates: StayDates) -> set[date]:
    return set(dates.nights())


def booked(house: House) -> None:
    """A stay in July that is known for good."""
    body = payload("reservation_acceptance")
    house.platform_says(body["reservation"])
    house.told(body)
    assert house.closed() == nights(JULY)


# ----------------------------------------------------------- what cannot be re-read yet opens nothing


@pytest.mark.parametrize("answer", [SILENT, UNKNOWN], ids=["silent", "not known yet"])
@pytest.mark.parametrize("name", ["reservation_acceptance", "reservation_requested"])
def test_a_new_stay_that_cannot_be_re_read_yet_closes_provisionally(
    house: House, name: str, answer: Response
) -> None:
    body = payload(name)
    house.platform_says(answer)
    house.told(body)
    assert house.closed() == nights(JULY)
    house.platform_says(body["reservation"])
    house.sweeps(timedelta(minutes=2))
    assert house.closed() == nights(JULY)
    assert stored(house).hinted == ()


@pytest.mark.parametrize("answer", [SILENT, UNKNOWN], ids=["silent", "not known yet"])
def test_an_alteration_that_cannot_be_re_read_yet_closes_the_new_nights_and_opens_none(
    house: House, answer: Response
) -> None:
    booked(house)
    body = payload("reservation_alteration")
    later = {**body["reservation"], "start_date": "2027-07-12", "end_date": "2027-07-16", "nights": 4}
    house.platform_says(answer)
    house.told({**body, "reservation": later})
    both = nights(StayDates.parse("2027-07-10/2027-07-16"))
    assert house.closed() == both
    house.platform_says(later)
    house.sweeps(timedelta(minutes=2))
    assert house.closed() == nights(StayDates.parse("2027-07-12/2027-07-16"))


@pytest.mark.parametrize("answer", [SILENT, UNKNOWN], ids=["silent", "not known yet"])
@pytest.mark.parametrize("name", ["reservation_cancellation", "reservation_request_voided"])
def test_a_cancellation_that_cannot_be_re_read_yet_opens_nothing(
    house: House, name: str, answer: Response
) -> None:
    booked(house)
    body = payload(name)
    house.platform_says(answer)
    house.told(body)
    house.sweeps(timedelta(minutes=2))
    assert house.closed() == nights(JULY)
    house.platform_says({**body["reservation"], "updated_at": "2027-05-05T09:00:00Z"})
    house.sweeps(timedelta(minutes=10))
    assert house.closed() == set()


# --------------------------------------------------------------------- what is true once it was asked


def test_an_alteration_moves_the_closures(house: House) -> None:
    booked(house)
    body = payload("reservation_alteration")
    house.platform_says(body["reservation"])
    house.told(body)
    assert house.closed() == nights(MOVED)


def test_a_cancellation_opens_at_once(house: House) -> None:
    booked(house)
    body = payload("reservation_cancellation")
    house.platform_says(body["reservation"])
    house.told(body)
    assert house.closed() == set()


def test_a_body_that_lies_about_a_cancellation_opens_nothing(house: House) -> None:
    booked(house)
    house.told(payload("reservation_cancellation"))  # the platform still says: accepted
    assert house.closed() == nights(JULY)


def test_a_request_holds_its_nights_until_it_is_voided(house: House) -> None:
    body = payload("reservation_requested")
    house.platform_says(body["reservation"])
    house.told(body)
    assert house.closed() == nights(JULY)
    assert stored(house).status is Status.PENDING
    gone = payload("reservation_request_voided")
    house.platform_says({**gone["reservation"], "updated_at": "2027-05-02T11:00:00Z"})
    house.told(gone)
    assert house.closed() == set()


@pytest.mark.parametrize("name", ["listings_unlinked", "authorization_revoked"])
def test_access_that_is_withdrawn_opens_nothing_and_is_told(house: House, name: str) -> None:
    booked(house)
    house.told(payload(name))
    assert house.closed() == nights(JULY)
    assert house.notices("revoked") == [f"airbnb/{UNIT}"]


@pytest.mark.parametrize("name", ["test", "listing_synchronization_settings_updated"])
def test_what_concerns_no_reservation_is_taken_and_done_with(house: House, name: str) -> None:
    house.told(payload(name))
    assert house.closed() == set()
    assert house.run(house.engine.world.inbox.waiting(AIRBNB, house.clock.now())) == []
    assert house.notify.notices == []


# ----------------------------------------------------------------------------------- the newer schema


NEWER = {
    "confirmation_code": CODE,
    "listing_id": UNIT,
    "check_out_datetime": "2027-07-13T11:00+02:00[Europe/Paris]",
    "status": "accept",
    "updated_at": "2027-05-02T10:15:02Z",
}


def test_the_newer_schema_closes_the_same_nights(house: House) -> None:
    body = payload("post_2024_12_31_excerpt")
    whole = {**body["reservation"], **NEWER}
    house.platform_says(whole)
    house.told({**body, "reservation": whole})
    assert house.closed() == nights(JULY)


def test_a_fragment_that_names_no_reservation_is_kept_and_told(house: House) -> None:
    house.told(payload("post_2024_12_31_excerpt"))
    assert len(house.notices("unreadable")) == 1
    assert len(house.run(house.engine.world.inbox.quarantined())) == 1


def test_a_reservation_whose_nights_nobody_can_read_is_told_and_its_claim_stays_closed(house: House) -> None:
    body = payload("reservation_acceptance")
    renamed = {
        "confirmation_code": CODE,
        "listing_id": UNIT,
        "status": "accept",
        "stay": {"from": "2027-07-10"},
    }
    house.platform_says(renamed)
    house.told(body)
    assert house.closed() == nights(JULY)
    assert house.notices("unreadable") == [f"airbnb/{CODE}"]
    house.sweeps(timedelta(minutes=2))
    assert house.closed() == nights(JULY)


# ------------------------------------------------------------------------------------- unknown words


def test_an_unknown_status_holds_its_nights_and_is_told_once(house: House) -> None:
    body = payload("reservation_acceptance")
    strange = {**body["reservation"], "status_type": "deferred_by_moon"}
    house.platform_says(strange)
    for _ in range(3):
        house.told({**body, "reservation": strange})
    assert house.closed() == nights(JULY)
    assert house.notices("unknown_status") == ["airbnb/deferred_by_moon"]
    house.restart()  # another process knows it from the tables
    house.told({**body, "reservation": strange})
    assert len(house.script.asked(READ)) == 4
    assert house.notices("unknown_status") == ["airbnb/deferred_by_moon"]


@pytest.mark.parametrize("word", ["cancelling", "denied_pending", "ACCEPTED", "", None, "état"])
def test_no_unknown_status_frees_a_night(house: House, word: object) -> None:
    booked(house)
    body = payload("reservation_acceptance")
    changed = {**body["reservation"], "status_type": word, "updated_at": "2027-05-06T09:00:00Z"}
    house.platform_says(changed)
    house.told({**body, "reservation": changed})
    assert house.closed() == nights(JULY)
    assert len(house.notices("unknown_status")) == 1


def test_an_unknown_action_is_a_doorbell_and_told_once(house: House) -> None:
    body = {**payload("reservation_acceptance"), "action": "reservation_teleported"}
    house.platform_says(body["reservation"])
    house.told(body)
    house.told(body)
    assert house.closed() == nights(JULY)
    assert house.notices("unknown_action") == ["airbnb/reservation_teleported"]


def test_an_unknown_field_costs_nothing(house: House) -> None:
    body = payload("reservation_acceptance")
    more = {**body["reservation"], "quantum_state": {"spin": [1, {"up": None}]}}
    house.platform_says(more)
    house.told({**body, "reservation": more, "schema": 9})
    assert house.closed() == nights(JULY)
    assert {one.kind for one in house.notify.notices} <= {"new_stay"}


# ------------------------------------------------------------------------------------------ inquiries


def without_version(body: Mapping[str, Any], word: str) -> dict[str, Any]:
    plain = {name: value for name, value in body["reservation"].items() if name != "updated_at"}
    return {**plain, "status_type": word}


def test_an_inquiry_without_a_version_that_is_later_accepted_closes_its_nights(house: House) -> None:
    body = payload("reservation_requested")
    house.platform_says(without_version(body, "new"))
    house.told({**body, "reservation": without_version(body, "new")})
    assert house.closed() == set()
    accepted = payload("reservation_acceptance")
    house.platform_says(without_version(accepted, "accept"))
    house.told({**accepted, "reservation": without_version(accepted, "accept")})
    assert house.closed() == nights(JULY)
    assert stored(house).status is Status.CONFIRMED


def test_an_inquiry_ends_what_its_bell_had_claimed(house: House) -> None:
    body = payload("reservation_requested")
    house.platform_says(SILENT)
    house.told(body)
    assert house.closed() == nights(JULY)
    house.platform_says(without_version(body, "new"))
    house.sweeps(timedelta(minutes=2))
    assert house.closed() == set()


def test_a_cancelled_stay_without_a_version_does_not_come_back(house: House) -> None:
    accepted, gone = payload("reservation_acceptance"), payload("reservation_cancellation")
    for body, word in ((accepted, "accept"), (gone, "cancelled_by_guest"), (accepted, "new")):
        house.platform_says(without_version(body, word))
        house.told({**body, "reservation": without_version(body, word)})
    assert house.closed() == set()
    house.platform_says(without_version(accepted, "accept"))
    house.told(accepted)
    assert stored(house).status is Status.CANCELLED


def stored(house: House) -> Any:
    return house.run(house.engine.world.sites.load(HOME)).reservations[f"airbnb|{CODE}"]
