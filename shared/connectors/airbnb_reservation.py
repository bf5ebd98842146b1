"""What an Airbnb reservation means: which nights it holds, since when, and whether it holds them. Pure.

Two generations are read alike: ``start_date``/``nights``/``end_date`` (VERIFIED in public integrations of 2019-20)
and ``check_in_datetime``/``check_out_datetime`` (API version 2024.12.31, REPORTED in fragments).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field

from shared.connectors.airbnb_fields import Body, Text, read_count
from shared.connectors.base import short_name, strange_word
from shared.connectors.stay_limits import YEARS, bounded_stay, read_day
from shared.domain.dates import StayDates
from shared.domain.errors import PayloadRejected
from shared.domain.facts import SeenRoom, SeenStay
from shared.domain.model import Status

PART = "1"
"""The key of the one room an Airbnb reservation has."""

_CONFIRMED = frozenset({"accept"})
_PENDING = frozenset({"pending", "pending_payment", "at_checkpoint"})
_FREED = frozenset({"deny", "timeout"})
_INQUIRY = "new"

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ZONED = re.compile(r"(?P<instant>[^\[\]]+)(?:\[(?P<zone>[A-Za-z0-9_+/-]{1,64})\])?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class AirbnbReservation(Body):
    """A reservation as the API and the notifications write it; every field may be missing."""

    confirmation_code: Text = None
    listing_id: Text = Field(None, validation_alias=AliasChoices("listing_id_str", "listing_id"))
    status: Text = Field(None, validation_alias=AliasChoices("status_type", "status"))
    start_date: Text = None
    end_date: Text = None
    nights: Text = None
    check_in_datetime: Text = None
    check_out_datetime: Text = None
    updated_at: Text = None
    guest_first_name: Text = None
    guest_last_name: Text = None

    @property
    def is_inquiry(self) -> bool:
        """Whether it is a question only: it holds no night and is no stay."""
        return (self.status or "").lower() == _INQUIRY

    def code(self) -> str:
        """Its id. Raises ``PayloadRejected`` when there is none, or none that could stand in an address."""
        if not self.confirmation_code or not _CODE.fullmatch(self.confirmation_code):
            raise PayloadRejected("a reservation without a readable confirmation_code")
        return self.confirmation_code

    def standing(self) -> Status:
        """What its status word means for the nights. A word we do not know, or none, holds them.

        VERIFIED in a production integration: accept, pending, pending_payment and at_checkpoint block; deny,
        timeout, ``*_voided``, ``cancelled_*`` and an inquiry do not.
        """
        word = (self.status or "").lower()
        if word in _CONFIRMED:
            return Status.CONFIRMED
        freed = word in _FREED or word.endswith("_voided") or word.startswith("cancelled_") or self.is_inquiry
        return Status.CANCELLED if freed else Status.PENDING

    def dates(self) -> StayDates | None:
        """Its nights: the widest reading where its fields disagree, None where they give none."""
        check_in = _earliest(read_day(self.start_date), _local_day(self.check_in_datetime))
        ends = [read_day(self.end_date), _local_day(self.check_out_datetime)]
        if check_in and (nights := read_count(self.nights)):
            ends.append(check_in + timedelta(days=nights))
        return bounded_stay(check_in, max((end for end in ends if end), default=None))

    def version(self) -> int | None:
        """Microseconds of ``updated_at``, 0 without one, None for one nobody can read."""
        if self.updated_at is None:
            return 0
        moment, _ = _moment(self.updated_at)
        if moment is None:
            return None
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND

    def seen(self) -> SeenStay:
        """The reservation's complete state. Raises ``PayloadRejected`` naming the field that is missing; a freed one
        needs no dates."""
        code, status, rooms, version = self.code(), self.standing(), self._rooms(), self.version()
        if not rooms and status is not Status.CANCELLED:
            missing = "dates" if self.listing_id else "listing_id"
            raise PayloadRejected(f"reservation {code} without readable {missing}")
        if version is None:
            raise PayloadRejected(f"reservation {code} whose updated_at nobody can read")
        unknown = self._unknown(status)
        return SeenStay(code, status, rooms, version, self._guest(), self.is_inquiry, unknown)

    def hint(self) -> SeenStay | None:
        """What to close before the re-read, or None: a freed reservation, or one whose nights nobody can read."""
        rooms, status = self._rooms(), self.standing()
        if not rooms or status is Status.CANCELLED:
            return None
        return SeenStay(self.code(), status, rooms, self.version() or 0, self._guest())

    def _unknown(self, status: Status) -> str:
        known = status is not Status.PENDING or (self.status or "").lower() in _PENDING
        return "" if known else strange_word(self.status)

    def _guest(self) -> str:
        return short_name(self.guest_first_name, self.guest_last_name)

    def _rooms(self) -> tuple[SeenRoom, ...]:
        dates = self.dates()
        return (SeenRoom(self.listing_id, PART, dates),) if dates and self.listing_id else ()


def read_reservation(value: object) -> AirbnbReservation:
    """A reservation object. Raises ``PayloadRejected`` when it is none."""
    if not isinstance(value, dict):
        raise PayloadRejected("a reservation that is no object")
    return AirbnbReservation.model_validate(value)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def _moment(text: str) -> tuple[datetime | None, ZoneInfo | None]:
    """An ISO date-time and the zone it names in brackets, None for what cannot be read."""
    match = _ZONED.fullmatch(text)
    try:
        moment = datetime.fromisoformat(match["instant"].strip()) if match else None
    except ValueError:
        moment = None
    if match is None or moment is None or moment.year not in YEARS:
        return None, None
    try:
        return moment, ZoneInfo(match["zone"]) if match["zone"] else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment, None


def _local_day(text: str | None) -> date | None:
    """The home's own day of ``2027-07-10T15:00+02:00[Europe/Paris]``: as written, unless it was written with the
    offset of another zone than the one beside it."""
    moment, zone = _moment(text) if text else (None, None)
    if moment is None:
        return None
    return (moment.astimezone(zone) if zone and moment.tzinfo else moment).date()
