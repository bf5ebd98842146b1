"""What people are told of the engine's work: a run's report, an account's standing, a whole synchronisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from shared.domain.model import SyncMode
from shared.domain.platform import Platform


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run did with one platform, in numbers.

    ``seen``: calendars that answered, and stays an API told; ``unchanged``: those of them that told nothing new;
    ``changed``: facts that changed in our sites. ``sent``: writes into the platform's calendars; ``confirmed``:
    closures and openings it is known to have taken; ``refused``: what was declined, by the platform or by us (a
    refused write, a calendar not believed, a message nobody could place, a limit); ``failed``: what brought no
    answer, or an error.
    ``calls`` over the network, ``bytes`` of their bodies in both directions, ``transactions`` with the table store.
    """

    seen: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    calls: int = 0
    transactions: int = 0
    bytes: int = 0

    @property
    def idle(self) -> bool:
        """Whether nobody would miss a report of it: nothing changed, was sent, refused or failed."""
        return not (self.changed or self.refused or self.sent or self.confirmed or self.failed)

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{name: getattr(self, name) + getattr(other, name) for name in FIGURES})


FIGURES = tuple(one.name for one in fields(Figures))
"""The figures' names, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run and one platform. ``run`` names the run; all its platforms share it.

    ``kind`` is what was done (``feeds``, ``queue``, ``observe``, ``site``, ``inbox``; ``person``: somebody changed
    something in the console), ``source`` whom it was done for: a shard, an account or a site; for a person, what they
    pressed. ``platform`` is empty where a run touched none. ``mode`` is how the account
    stood. ``runs`` is 1, or how many idle runs this one row adds up (``duration`` and figures are then their sums).
    Transactions belong to the run: they are counted with the first of its platforms. ``why`` says in a few words what
    came of it, ``error`` what went wrong; neither holds a guest or a secret.
    """

    run: str
    kind: str
    source: str
    platform: Platform
    begun: datetime
    duration: timedelta
    figures: Figures
    mode: str = ""
    why: str = ""
    error: str = ""
    correlation: str = ""
    runs: int = 1


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """How one account, or one calendar link, stands. ``source`` names it; ``mode`` is never AUTO, ``reason`` why it is
    no better one. ``fresh``: its last complete answer is no older than three of its periods (rule 22)."""

    source: str
    platform: Platform
    mode: SyncMode
    reason: str = ""
    last_answer: datetime | None = None
    fresh: bool = False
    period: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The whole engine at one instant. ``waiting`` counts closures not yet known to be taken, ``conflicts`` the double
    sales that still stand; ``reasons`` say why it is not well, when it is not."""

    at: datetime
    platforms: tuple[PlatformStatus, ...]
    sites: int
    waiting: int
    conflicts: int
    reasons: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether every promise is kept right now."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What came of asking for a synchronisation. ``done`` and ``failed`` count steps (a shard, an account or a site is
    one); ``figures`` are by platform; ``errors`` by step."""

    mode: SyncMode
    begun: datetime
    duration: timedelta
    done: int = 0
    failed: int = 0
    figures: Mapping[Platform, Figures] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Whether every step was done."""
        return not self.failed
