"""The ports: everything the core asks of the world, as protocols and plain values.

Each port has a real adapter (``shared/adapters``) and a shipped twin in memory (``shared/memory``); one
contract suite runs on both. Time, randomness and sleep are ports too: nothing else may read a clock.
"""

from shared.ports.bus import Bus, Message, Received
from shared.ports.http import Http, Request, Response
from shared.ports.people import (
    Chance,
    Channel,
    NewId,
    Notice,
    Notify,
    Recipient,
    Recipients,
    Secrets,
    Sleep,
    Telemetry,
)
from shared.ports.platforms import (
    ApiConnector,
    Budgets,
    Check,
    CheckQuestion,
    CheckWire,
    Circuits,
    CircuitView,
    FeedBusy,
    FeedConnector,
    FeedFetch,
    Notification,
    Validators,
    Verdict,
    WebhookVerifier,
)
from shared.ports.stores import Delete, Note, Notes, Put, Row, Tables, Value

__all__ = [
    "ApiConnector",
    "Budgets",
    "Bus",
    "Chance",
    "Channel",
    "Check",
    "CheckQuestion",
    "CheckWire",
    "CircuitView",
    "Circuits",
    "Delete",
    "FeedBusy",
    "FeedConnector",
    "FeedFetch",
    "Http",
    "Message",
    "NewId",
    "Note",
    "Notes",
    "Notice",
    "Notification",
    "Notify",
    "Put",
    "Received",
    "Recipient",
    "Recipients",
    "Request",
    "Response",
    "Row",
    "Secrets",
    "Sleep",
    "Tables",
    "Telemetry",
    "Validators",
    "Value",
    "Verdict",
    "WebhookVerifier",
]
