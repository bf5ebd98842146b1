"""Booking.com's reservation messages: one per reservation, kept until it is acknowledged.

Source: developers.booking.com, Reservations API, retrieving and acknowledging (OTA): a message stays until the
acknowledgement, a change before the acknowledgement of "new" still comes as "new", an acknowledgement of a
message that is no longer the latest is refused. VERIFIED there; what is INFERRED says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from local.sandbox.config import EarlyCancel
from local.sandbox.errors import SandboxError


class Kind(StrEnum):
    """What a message tells, and by that in which of the two queues it waits."""

    NEW = "new"
    MODIFY = "modify"
    CANCEL = "cancel"


CHANGES = frozenset({Kind.MODIFY, Kind.CANCEL})
NEWS = frozenset({Kind.NEW})


class WrongType(SandboxError):
    """The acknowledged message is not the latest one of its reservation, or waits in the other queue."""


class NoReservation(SandboxError):
    """An acknowledgement for a reservation nobody knows."""

    status = 404


@dataclass(slots=True)
class Message:
    """The latest message of a reservation. ``seen`` is the version last handed out, 0 before the first time."""

    stay_id: str
    kind: Kind
    since: datetime
    version: int = 1
    seen: int = 0
    waiting: bool = True
    emailed: bool = False


class ReservationQueue:
    """The messages of all properties; a poll takes those of the machine account's own."""

    def __init__(self, early_cancel: EarlyCancel, email_after: float) -> None:
        self.messages: dict[str, Message] = {}
        self.rejected: list[str] = []
        self._early_cancel = early_cancel
        self._email_after = timedelta(seconds=email_after)

    def booked(self, stay_id: str, now: datetime) -> None:
        """A new reservation."""
        self.messages[stay_id] = Message(stay_id, Kind.NEW, now)

    def modified(self, stay_id: str, now: datetime) -> None:
        """A changed one: folded into the "new" message while that one waits."""
        message = self.messages[stay_id]
        kind = Kind.NEW if message.waiting and message.kind is Kind.NEW else Kind.MODIFY
        self._replace(message, kind, now)

    def cancelled(self, stay_id: str, now: datetime) -> None:
        """A cancelled one. Before the acknowledgement of "new" it may never be told (INFERRED)."""
        message = self.messages[stay_id]
        early = message.waiting and message.kind is Kind.NEW
        self._replace(message, Kind.CANCEL, now)
        if early and (self._early_cancel is EarlyCancel.VANISHES or not message.seen):
            message.waiting = False

    def deliver(
        self, kinds: frozenset[Kind], visible: Callable[[str], bool], most: int | None = None
    ) -> list[Message]:
        """The waiting messages of these kinds, oldest first; each stays where it is."""
        found = [
            message
            for message in self.messages.values()
            if message.waiting and message.kind in kinds and visible(message.stay_id)
        ]
        found = sorted(found, key=lambda message: (message.since, message.stay_id))[:most]
        for message in found:
            message.seen = message.version
        return found

    def acknowledge(self, kinds: frozenset[Kind], stay_ids: Iterable[str]) -> None:
        """Take messages out of the queue: all of them, or none when one is refused (INFERRED).

        One that is acknowledged again is fine (INFERRED): a lost answer makes every partner repeat itself.
        Raises ``WrongType``, ``NoReservation``.
        """
        messages = [self._acknowledgeable(kinds, stay_id) for stay_id in stay_ids]
        for message in messages:
            message.waiting = False

    def reject(self, stay_ids: Iterable[str]) -> None:
        """The partner could not process these: they are counted and stay in the queue."""
        self.rejected.extend(stay_ids)

    def emails(self, now: datetime) -> list[str]:
        """Reservations whose message waited too long: Booking.com has written to the property instead."""
        for message in self.messages.values():
            if message.waiting and now - message.since >= self._email_after:
                message.emailed = True
        return [message.stay_id for message in self.messages.values() if message.emailed]

    def _replace(self, message: Message, kind: Kind, now: datetime) -> None:
        if not message.waiting or message.kind is not kind:
            message.since = now
        message.kind, message.waiting = kind, True
        message.version += 1

    def _acknowledgeable(self, kinds: frozenset[Kind], stay_id: str) -> Message:
        message = self.messages.get(stay_id)
        if message is None:
            raise NoReservation(f"no reservation {stay_id}")
        if message.kind not in kinds or message.seen != message.version:
            raise WrongType("Hotel reservation has transaction message of the wrong type")
        return message
