"""What the pages load: one style sheet made of all in ``static/css``, two scripts, a picture. Each is served under a
name that holds its hash, so that a browser keeps it for ever and still never shows an old one."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from shared.use_cases import Ask, HttpAnswer

STATIC = Path(__file__).parent / "static"

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_HASHED = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served: its name with the hash, and what kind it is."""

    name: str
    kind: str
    body: bytes = field(repr=False)


@functools.cache
def assets() -> dict[str, Asset]:
    """All of them by the name under which a template asks for them ("style.css")."""
    sheets = sorted((STATIC / "css").glob("*.css"))
    found = {"style.css": b"\n".join(sheet.read_bytes() for sheet in sheets)}
    found |= {file.name: file.read_bytes() for file in sorted(STATIC.iterdir()) if file.suffix in _KINDS}
    return {name: _asset(name, body) for name, body in found.items()}


def address(name: str) -> str:
    """Where an asset is found."""
    return f"/static/{assets()[name].name}"


@functools.cache
def _served() -> dict[str, Asset]:
    return {one.name: one for one in assets().values()}


async def serve(_: object, ask: Ask) -> HttpAnswer:
    """One asset, by its hashed name; nothing of the desk is needed, which needs the assets itself."""
    found = _served().get(ask.params["name"])
    if found is None:
        return HttpAnswer(404, b"not found", {"content-type": "text/plain; charset=utf-8"})
    return HttpAnswer(200, found.body, {"content-type": found.kind, "cache-control": _FOREVER})


def _asset(name: str, body: bytes) -> Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:_HASHED]
    return Asset(f"{stem}.{digest}.{ending}", _KINDS[f".{ending}"], body)
