"""What a doorbell may know of an e-mail: who sent it, who got it, its subject. Pure; the text is never looked at.

Read alike are the JSON of Postmark, CloudMailin, Mailgun, SendGrid where a relay makes JSON of it, and
``{"to": ..., "from": ..., "subject": ...}`` (field names VERIFIED in the services' pages; anything else is left out).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.domain.errors import PayloadRejected

MOST_TEXT = 1_000
"""Characters of one field that are looked at, and ``MOST_TEXTS`` fields of a kind: headers of people are short."""
MOST_TEXTS = 50

_TO = frozenset(
    {
        "to",
        "tofull",
        "recipient",
        "recipients",
        "originalrecipient",
        "delivered_to",
        "x_forwarded_to",
        "x_original_to",
    }
)
_FROM = frozenset({"from", "fromfull", "sender", "x_forwarded_for"})
_SUBJECT = frozenset({"subject"})
_WITHIN = frozenset({"envelope", "headers"})
_INNER = frozenset({"email", "address", "name"})
_ADDRESS = re.compile(r"([\w.%'=-]{1,64})(?:\+([\w.=-]{1,64}))?@[\w.-]{1,190}")


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail from outside, in lower case. ``tags`` are what stands between + and @ in a recipient's address,
    ``addresses`` every address among senders and recipients, without its tag."""

    senders: str = field(repr=False)
    subject: str = field(repr=False)
    tags: frozenset[str]
    addresses: frozenset[str] = field(repr=False)


def read_mail(body: bytes) -> Mail:
    """The e-mail a service describes. Raises ``PayloadRejected``, showing nothing of it."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise PayloadRejected("the body is not JSON") from None
    if not isinstance(value, dict):
        raise PayloadRejected("the body is not a JSON object")
    to, sender, subject = (_gather(value, names) for names in (_TO, _FROM, _SUBJECT))
    if not (to or sender or subject):
        raise PayloadRejected("no recipient, no sender and no subject in the body")
    received = [found for text in to for found in _ADDRESS.finditer(text)]
    sent = [found for text in sender for found in _ADDRESS.finditer(text)]
    return Mail(
        senders=" ".join(sender),
        subject=" ".join(subject),
        tags=frozenset(found[2] for found in received if found[2]),
        addresses=frozenset(f"{one[1]}@{one[0].rpartition('@')[2]}" for one in (*received, *sent)),
    )


def _gather(value: dict[str, object], names: frozenset[str]) -> list[str]:
    """The texts of the fields so named, at the top or within an envelope or headers."""
    found: list[str] = []
    for place in _places(value):
        for name, one in place.items():
            if name.lower().replace("-", "_") in names:
                found += _texts(one)
    return [text[:MOST_TEXT].lower() for text in found[:MOST_TEXTS]]


def _places(value: dict[str, object]) -> Iterator[dict[str, object]]:
    """Where fields may stand. SendGrid writes its envelope as text; Postmark its headers as a list of pairs."""
    yield value
    for name, one in value.items():
        if name.lower() not in _WITHIN:
            continue
        if isinstance(one, str) and len(one) <= MOST_TEXT * MOST_TEXTS:
            try:
                one = json.loads(one)
            except (ValueError, RecursionError):
                continue
        if isinstance(one, dict):
            yield one
        if isinstance(one, list):
            pairs = [pair for pair in one if isinstance(pair, dict)]
            yield {str(pair.get("Name", "")): pair.get("Value", "") for pair in pairs}


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, text in value.items() if name.lower() in _INNER and isinstance(text, str)]
    if isinstance(value, list):
        return [text for one in value[:MOST_TEXTS] if not isinstance(one, list) for text in _texts(one)]
    return []
