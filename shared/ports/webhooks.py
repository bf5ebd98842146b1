"""Who calls us: a webhook's sender proves itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook's verifier found. ``refused`` says in a few words why the sender has not proved itself, empty when
    he has; ``unreadable`` what is wrong with a body that is signed and no JSON. ``delivery`` is the id the sender
    signed, the same at each of his tries; empty where nothing signed names it, so that a repeat looks like news."""

    refused: str = ""
    unreadable: str = ""
    delivery: str = ""


class WebhookVerifier(Protocol):
    """Judges the deliveries of one sender that signs them."""

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """Judge one delivery by its raw bytes; header names count in any case. Never raises, whatever was sent."""
        ...
