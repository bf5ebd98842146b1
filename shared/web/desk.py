"""The desk: what a page's handler works with."""

from __future__ import annotations

from dataclasses import dataclass

from shared.engine.operations import Operations
from shared.web.local_keys import LocalKeys
from shared.web.render import Pages


@dataclass(frozen=True, slots=True)
class Desk:
    """The engine's use cases, the templates, where the world reaches us (``PUBLIC_BASE_URL``), and the keys of this
    machine's own sign-in (None on Azure)."""

    operations: Operations
    pages: Pages
    public: str
    keys: LocalKeys | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies may insist on it."""
        return self.public.startswith("https:")
