"""Signed webhooks: who sends one proves it over the raw bytes, or is refused. Standard library only.

A refusal says why in a word for the operator and nothing of the delivery; nothing here raises for what a stranger
sent. Comparisons take the same time wherever two signatures differ. The schemes:

- ``standard``: Standard Webhooks (VERIFIED, its specification): ``webhook-id``, ``webhook-timestamp`` and
  ``webhook-signature`` (or the same under ``svix-``), signatures ``v1`` (a shared key) and ``v1a`` (ed25519).
- ``github``: ``X-Hub-Signature-256: sha256=<hex>`` over the body (VERIFIED, GitHub's documentation).
- ``lodgify``: ``ms-signature`` over the body (header VERIFIED in public integrations; its form INFERRED from the
  framework that names it so: ``sha256=<hex>`` in either case).
- ``header``: ``X-Webhook-Secret`` carries the key itself, for senders that add headers but sign nothing.

Only the first names and dates a delivery under its signature; only there can a second one be told from the first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from shared.connectors import strict_json
from shared.domain.errors import PayloadRejected
from shared.ports.webhooks import Verdict, WebhookVerifier

TOLERANCE = 300
"""Seconds a signed timestamp may be off, both ways (VERIFIED, Standard Webhooks: five minutes)."""

MOST_SIGNATURES = 8
"""Public-key signatures of one delivery that are tried: each costs a tenth of a millisecond, and real senders send
one, or two while a key is replaced. Those of shared keys are compared all: they cost nothing."""

KEY_HEADER = "x-webhook-secret"

_PREFIX, _PUBLIC = "whsec_", "whpk_"
_KEY_BYTES = range(16, 65)
# The specification says 24 to 64; published vectors hold keys of 23, and 10 must be refused. 16 is 128 bits.
_LEAST_PLAIN = 16
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_ID = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)
"""Visible characters without the full stop, which separates the signed parts: with it, two splits would be equal."""


def matches(key: bytes, message: bytes, tag: bytes, *, length: int = 32) -> bool:
    """Whether ``tag`` is the HMAC-SHA256 of the message, cut to ``length`` bytes."""
    return hmac.compare_digest(hmac.digest(key, message, hashlib.sha256)[:length], tag)


def read_key(text: str) -> bytes:
    """A shared key of Standard Webhooks, with or without ``whsec_`` and padding. Raises ``PayloadRejected``."""
    bare = text.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise PayloadRejected("a signing key that is not base64") from None
    if len(key) not in _KEY_BYTES:
        raise PayloadRejected(f"a signing key of {len(key)} bytes: 24 to 64 are expected")
    return key


class StandardWebhooks:
    """Standard Webhooks with one key or, while one replaces another, several."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Keys as the sender shows them: ``whsec_...`` (shared), ``whpk_...`` (public). Raises ``PayloadRejected``."""
        self._shared = tuple(read_key(key) for key in keys if not key.startswith(_PUBLIC))
        self._public = tuple(_read_public(key) for key in keys if key.startswith(_PUBLIC))

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """See ``WebhookVerifier``."""
        given = _lower(headers)
        family = "webhook" if "webhook-id" in given else "svix"
        name, stamp, signatures = (
            given.get(f"{family}-{part}", "") for part in ("id", "timestamp", "signature")
        )
        if not _ID.fullmatch(name):
            return Verdict("no readable id")
        if not _TIMESTAMP.fullmatch(stamp):
            return Verdict("no readable timestamp")
        if abs(now.timestamp() - int(stamp)) > TOLERANCE:
            return Verdict("timestamp out of bounds")
        if not self._is_signed(b".".join((name.encode(), stamp.encode(), body)), signatures):
            return Verdict("no signature fits")
        return Verdict(delivery=name)

    def _is_signed(self, message: bytes, signatures: str) -> bool:
        """Whether one of the space-separated ``version,base64`` fits one of the keys."""
        tokens = [token.partition(",") for token in signatures.split(" ")]
        # Compared as text: base64 has several spellings of the same bytes, and a sender writes one.
        expected = [base64.b64encode(hmac.digest(key, message, hashlib.sha256)) for key in self._shared]
        given = [text.encode("utf-8", "replace") for version, _, text in tokens if version == "v1"]
        found = [hmac.compare_digest(right, one) for right in expected for one in given]
        signed = [text for version, _, text in tokens if version == "v1a"][:MOST_SIGNATURES]
        return any(found) or any(fits(message, text) for fits in self._public for text in signed)


class BodyHmac:
    """A hexadecimal HMAC-SHA256 of the body alone in one header: no id and no time, so nothing tells a repeat."""

    def __init__(self, keys: Sequence[str], header: str, prefix: str) -> None:
        self._keys = tuple(_plain(key) for key in keys)
        self._header, self._prefix = header, prefix

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """See ``WebhookVerifier``."""
        given = _lower(headers).get(self._header, "")
        if not given.startswith(self._prefix):
            return Verdict("no readable signature")
        tag = given.removeprefix(self._prefix).lower().encode("utf-8", "replace")
        right = [hmac.new(key, body, hashlib.sha256).hexdigest().encode() for key in self._keys]
        fits = [hmac.compare_digest(one, tag) for one in right]
        return Verdict() if any(fits) else Verdict("no signature fits")


class KeyHeader:
    """The key itself in a header that the sender was told to add."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(_plain(key) for key in keys)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """See ``WebhookVerifier``."""
        given = _lower(headers).get(KEY_HEADER, "").encode("utf-8", "replace")
        fits = [hmac.compare_digest(one, given) for one in self._keys]
        return Verdict() if any(fits) else Verdict("wrong key")


class JsonOnly:
    """Another verifier, and JSON: who signs can also write it. What is JSON and yet nothing we take (a key twice in one
    object) passes: it is kept, and a person is told."""

    def __init__(self, inner: WebhookVerifier) -> None:
        self._inner = inner

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """See ``WebhookVerifier``; the body is read only when its sender is known."""
        verdict = self._inner.verify(headers, body, now)
        if verdict.refused:
            return verdict
        try:
            strict_json.load(body)
        except strict_json.Ambiguous:
            return verdict
        except PayloadRejected as wrong:
            return Verdict(unreadable=str(wrong))
        return verdict


SCHEMES: Mapping[str, Callable[[Sequence[str]], WebhookVerifier]] = {
    "standard": StandardWebhooks,
    "github": lambda keys: BodyHmac(keys, "x-hub-signature-256", "sha256="),
    "lodgify": lambda keys: BodyHmac(keys, "ms-signature", "sha256="),
    "header": KeyHeader,
}
"""How a sender may prove itself, by name."""


def verifier(scheme: str, keys: Sequence[str]) -> WebhookVerifier:
    """The verifier for these keys; each may name its own scheme (``github:...``), which must be the same for all.
    Raises ``PayloadRejected`` naming what is wrong, never showing a key."""
    named, bare = {scheme or "standard"}, list(keys)
    parts = [key.partition(":") for key in keys]
    if any(head in SCHEMES and colon for head, colon, _ in parts):
        named, bare = {head for head, _, _ in parts}, [rest for _, _, rest in parts]
    if len(named) != 1 or not named <= SCHEMES.keys():
        raise PayloadRejected(f"one scheme for all keys is expected, of {', '.join(SCHEMES)}")
    return JsonOnly(SCHEMES[named.pop()](bare))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _plain(key: str) -> bytes:
    if len(key) < _LEAST_PLAIN:
        raise PayloadRejected(f"a signing key of fewer than {_LEAST_PLAIN} characters")
    return key.encode()


def _read_public(text: str) -> Callable[[bytes, str], bool]:
    """A test for signatures of that ed25519 key. The package comes with the Azure sign-in; who uses no such key
    never imports it. Raises ``PayloadRejected``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text.removeprefix(_PUBLIC), validate=True))
    except ValueError:
        raise PayloadRejected("a public signing key that is not base64 of 32 bytes") from None

    def fits(message: bytes, signature: str) -> bool:
        try:
            key.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    return fits
