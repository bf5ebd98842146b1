"""What a message looks like on the wire: a small JSON object, and the id duplicates are told by.

Used by both buses and by the functions the queues trigger, so nothing here imports an SDK. A reader ignores fields
it does not know, since a newer release may write more; what it needs must be there and be text.
"""

from __future__ import annotations

import json
from hashlib import sha256

from shared.domain.errors import PayloadRejected
from shared.ports.bus import Message

UNREADABLE = "unreadable"
"""The kind given to a delivery whose body is no message of ours; its ``raw`` bytes tell the rest."""
MOST_BODY = 64 * 1024
"""Bytes of a body we look at. Ours are a few hundred; the Standard tier takes 256 KiB (Microsoft Learn, quotas)."""
LONGEST_ID = 128
"""Characters the service takes as a message id (Microsoft Learn, quotas)."""


def encode(message: Message) -> bytes:
    """The body. ``due`` is not in it: it tells the queue when, not the reader what."""
    fields = {
        "kind": message.kind,
        "key": message.key,
        "version": message.version,
        "correlation": message.correlation,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def decode(body: bytes) -> Message:
    """The message in a body. Raises ``PayloadRejected`` naming what is wrong, never quoting the body."""
    if len(body) > MOST_BODY:
        raise PayloadRejected(f"queue message of {len(body)} bytes, at most {MOST_BODY} are read")
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PayloadRejected("queue message is not JSON in UTF-8") from error
    if not isinstance(fields, dict):
        raise PayloadRejected("queue message is not a JSON object")
    kind, key = _text(fields, "kind"), _text(fields, "key")
    if not kind or not key:
        raise PayloadRejected("queue message without kind or key")
    return Message(kind, key, _text(fields, "version"), _text(fields, "correlation"))


def _text(fields: dict[str, object], name: str) -> str:
    """A field that is text, empty when it is absent. A lone surrogate is refused: no store could keep it."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise PayloadRejected(f"queue message: {name} is not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PayloadRejected(f"queue message: {name} holds half a character") from error
    return value


def wire_id(message: Message) -> str:
    """``message.message_id``, or a digest of it where that is longer than the service takes."""
    plain = message.message_id
    if len(plain) <= LONGEST_ID:
        return plain
    return f"{message.kind[:32]}|{sha256(plain.encode('utf-8')).hexdigest()}"


def unreadable(sequence: int) -> Message:
    """What stands in a delivery whose body cannot be read; the key is its sequence number."""
    return Message(UNREADABLE, str(sequence))


def replayed(message: Message, sequence: int) -> Message:
    """The same message under a new id, due at once.

    The suffix is the dead letter's own number: a replay that was cut short after its send repeats the same id and is
    swallowed as a duplicate, while a message replayed again after a second death gets another. The pluses by which
    tries are counted are left behind: it was replayed because trying is worth while again.
    """
    version = f"{message.version.partition('+')[0]}+r{sequence}"
    return Message(message.kind, message.key, version, message.correlation)
