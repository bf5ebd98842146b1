"""How a person wants to be told, and what reached them."""

from __future__ import annotations

from shared.web.api.models_base import Answer, Instant, Said


class Way(Answer):
    """One way to the person, its address masked; ``usable``: this installation can go it."""

    mark: str
    way: str
    address: str
    usable: bool


class SentWay(Answer):
    """How far a notice has come on one way: taken, waiting, failed."""

    way: str
    state: str


class SentNotice(Answer):
    """A notice that was sent lately."""

    at: Instant
    kind: str
    severity: str
    text: Said
    ways: list[SentWay]
    why: str | None


class Notifications(Answer):
    """When one is told of what, by which ways, and what was sent."""

    topics: dict[str, str]
    always_at_once: list[str]
    zone: str
    begins: str
    ends: str
    digest: str
    language: str
    ways: list[Way]
    possible_ways: list[str]
    chosen: bool
    portfolio_address: str | None
    waiting_for_digest: int
    sent: list[SentNotice]
