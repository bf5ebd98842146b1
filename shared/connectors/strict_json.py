"""JSON from strangers: read strictly, or refused with a reason that shows nothing of the body.

Python's own reader takes NaN, lone surrogates (which no store can write), doubled keys (two readers, two
meanings) and any depth; each of them has been somebody's outage or bypass.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import NoReturn

from shared.domain.errors import PayloadRejected


class Ambiguous(PayloadRejected):
    """JSON, but two readers may read it differently: a key stands twice in one object."""


MOST_BYTES = 1024 * 1024
"""Bytes of a body unless the caller says otherwise: a reservation is a few thousand."""

MOST_DEPTH = 64
"""Nested arrays and objects; what platforms send stays below ten."""

# A string, closed or not, is one token, so that no bracket inside it counts. The possessive repeats never step
# back: a body of quotes and backslashes costs one pass.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def load(body: bytes, *, most_bytes: int = MOST_BYTES, most_depth: int = MOST_DEPTH) -> object:
    """The value a JSON body holds.

    Raises ``PayloadRejected`` naming what is wrong: too long, too deep, not UTF-8, not JSON, a key twice in one
    object (``Ambiguous``), NaN or an infinity, half of a surrogate pair.
    """
    if len(body) > most_bytes:
        raise PayloadRejected(f"JSON of more than {most_bytes} bytes")
    _check_depth(body, most_depth)
    try:
        value: object = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise PayloadRejected(f"JSON that is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise PayloadRejected(f"not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:  # an integer of thousands of digits
        raise PayloadRejected("JSON with a number nobody can mean") from None
    _check_surrogates(body, value)
    return value


def _check_depth(body: bytes, most_depth: int) -> None:
    depth = 0
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first in b"[{":
            depth += 1
            if depth > most_depth:
                raise PayloadRejected(f"JSON nested more than {most_depth} deep")
        elif first in b"]}":
            depth -= 1


def _check_surrogates(body: bytes, value: object) -> None:
    """Half a pair can only come from an escape, the bytes being UTF-8; most bodies have none and pay nothing."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise PayloadRejected("JSON with half of a surrogate pair") from None


def _without_doubles(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Ambiguous("JSON with a key twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise PayloadRejected("JSON with a number beyond all bounds")
    return number


def _no_constant(name: str) -> NoReturn:
    raise PayloadRejected(f"JSON with {name}")
