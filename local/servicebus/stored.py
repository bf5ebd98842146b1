"""What a queue holds, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from local.servicebus.amqp.message import Parcel


class Refused(Exception):
    """An operation the service would answer with an error; ``condition`` is its AMQP name."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


class State(IntEnum):
    """Numbers as in the annotation ``x-opt-message-state``; a locked message is an active one."""

    ACTIVE = 0
    SCHEDULED = 2


@dataclass(slots=True, eq=False)
class Stored:
    """A message in a queue. ``failures`` counts deliveries that came to nothing; times in seconds since 1970."""

    sequence: int
    parcel: Parcel
    enqueued: float
    expires: float
    state: State = State.ACTIVE
    failures: int = 0
    token: UUID | None = None
    locked_until: float = 0.0
