"""Channex's revisions, kept until they are acknowledged, and the webhooks that were registered there.

Source: docs.channex.io, bookings and webhook collections (VERIFIED): a revision never changes, stays in the feed until
its own acknowledgement, and webhooks come in any order.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from local.sandbox.asgi import Json
from local.sandbox.errors import Unknown
from local.sandbox.stays import Stay
from local.sandbox.webhooks import Webhooks

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Revision:
    """One message about a booking, as the booking was then. ``unmapped``: its rooms could not be mapped."""

    id: str
    stay: Stay
    status: str
    property_id: str
    inserted_at: datetime
    acknowledged: bool = False
    unmapped: bool = False


class RevisionFeed:
    """Every revision of every booking, oldest first."""

    def __init__(self, seed: int) -> None:
        self.revisions: dict[str, Revision] = {}
        self.unmapping = False
        self._chance = random.Random(f"revisions {seed}")  # noqa: S311 - invented ids, no secret

    def add(self, stay: Stay, status: str, property_id: str, now: datetime) -> Revision:
        """A new one; no two are as old as each other. While ``unmapping``, its rooms are mapped to nothing."""
        newest = next(reversed(self.revisions.values()), None)
        at = max(now, newest.inserted_at + _TICK) if newest else now
        one = Revision(new_id(self._chance), stay, status, property_id, at, unmapped=self.unmapping)
        self.revisions[one.id] = one
        return one

    def waiting(self) -> list[Revision]:
        """Those nobody acknowledged yet."""
        return [one for one in self.revisions.values() if not one.acknowledged]

    def latest(self, stay_id: str) -> Revision:
        """The newest about a booking. Raises ``Unknown``."""
        found = [one for one in self.revisions.values() if one.stay.id == stay_id]
        if not found:
            raise Unknown(f"no booking {stay_id}")
        return found[-1]

    def acknowledge(self, revision: str) -> None:
        """Take one out of the feed; doing it twice is fine. Raises ``Unknown``."""
        one = self.revisions.get(revision)
        if one is None:
            raise Unknown(f"no revision {revision}")
        self.revisions[revision] = replace(one, acknowledged=True)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to call about a property, with which headers; ``send_data`` False: without what happened."""

    id: str
    property_id: str
    callback_url: str = field(repr=False)
    event_mask: str
    headers: Mapping[str, str] = field(repr=False)
    is_active: bool
    send_data: bool


class Subscriptions:
    """The registered webhooks."""

    def __init__(self, webhooks: Webhooks, seed: int) -> None:
        self.webhooks: dict[str, Webhook] = {}
        self._sender = webhooks
        self._chance = random.Random(f"webhooks {seed}")  # noqa: S311 - invented ids, no secret

    def add(self, webhook: Webhook) -> Webhook:
        """Register one, which gets its id here, or replace the one whose id it has."""
        named = webhook if webhook.id else replace(webhook, id=new_id(self._chance))
        self.webhooks[named.id] = named
        return named

    def tell(self, revision: Revision) -> None:
        """Call every active webhook of the property that asks for bookings, in the background."""
        for webhook in self.webhooks.values():
            if (
                webhook.is_active
                and webhook.property_id == revision.property_id
                and _asks(webhook.event_mask)
            ):
                self._sender.post("channex", webhook.callback_url, _body(webhook, revision), webhook.headers)


def new_id(chance: random.Random) -> str:
    """A UUID, the same for the same seed."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _asks(mask: str) -> bool:
    return not {"*", "booking"}.isdisjoint(mask.replace(",", ";").split(";"))


def _body(webhook: Webhook, revision: Revision) -> Json:
    body: Json = {
        "event": "booking",
        "property_id": revision.property_id,
        "user_id": None,
        "timestamp": f"{revision.inserted_at:%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    if webhook.send_data:
        body["payload"] = {
            "booking_id": revision.stay.id,
            "property_id": revision.property_id,
            "revision_id": revision.id,
        }
    return body
