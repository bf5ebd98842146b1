"""Watching a run: what to show now, and whether everything still lives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from local.azurite import AzuriteError
from local.children import ChildFailed
from local.run_screen import View, by_hand, conflicts_of, rows_of, silent_of, unwell_of
from local.run_session import Session
from local.run_stack import Say

MOST_RESTARTS = 3
"""How often a host that died is started again before the run gives up."""

HOME_NOTE = (
    "From home you import only: no platform can reach this machine. For the way back, set PUBLIC_BASE_URL to an https "
    "address that leads here and give each platform its link (the console's page of links). Until then close by hand:"
)
OUR_CALENDARS = "on the console's page of links"
"""Where our calendars' addresses are, whoever connected them; those of a file can be shown here as well."""
OFFLINE_NOTE = "No calendar answers: is this machine online?"


@dataclass
class Watch:
    """Looks at a run once a tick. ``say`` gets what happened."""

    session: Session
    say: Say
    restarts: Counter[str] = field(default_factory=Counter)
    code: str = ""

    async def look(self) -> View:
        """The view of this moment. Raises ``ChildFailed`` or ``AzuriteError`` when the run cannot go on."""
        await self._mend()
        status = await self.session.status()
        self.code = await self.session.code() or self.code
        stopwatch = self.session.stopwatch
        return View(
            title="Sync Engine: the example" if self.session.sandbox else "Sync Engine: your portfolio",
            rows=rows_of(status) if status else [],
            news=stopwatch.news() if stopwatch else [],
            closures=list(stopwatch.last) if stopwatch else [],
            worst=stopwatch.worst if stopwatch else 0.0,
            conflicts=conflicts_of(status),
            links=self.links(),
            unwell=unwell_of(status),
            notes=self._notes(status),
        )

    async def _mend(self) -> None:
        """Start a dead host again; its work stands in the tables."""
        if not self.session.stack.azurite.running:
            raise AzuriteError("the table emulator ended by itself: start again")
        for child in self.session.stack.children:
            if child.running:
                continue
            words = child.last_words()
            self.restarts[child.name] += 1
            if self.restarts[child.name] > MOST_RESTARTS:
                raise ChildFailed(words)
            self.say(f"{words}\n         starting it again")
            await self.session.stack.start(child)

    def links(self) -> list[tuple[str, str]]:
        """What can be opened, and our calendars: secrets, so masked unless asked for. The code is the next
        one: it works once."""
        public = self.session.stack.hosts.public
        found = [("console", f"{public}/"), *([("code to sign in", self.code)] if self.code else [])]
        found.append(("health", f"{public}/health"))
        if self.session.sandbox is not None:
            found.append(("simulated platforms", f"{self.session.sandbox.base}/sandbox/truth"))
        found.append(("logs", str(self.session.stack.hosts.folder)))
        calendars = self.session.links
        if calendars and self.session.wanted.show_links:
            return [*found, *(("calendar for " + name, link) for name, link in calendars.items())]
        if not calendars:
            return [*found, ("our calendars", OUR_CALENDARS)]
        return [*found, ("calendars", f"{len(calendars)} at {public}/export/….ics (--show-links shows them)")]

    def _notes(self, status: dict[str, object]) -> list[str]:
        public = self.session.stack.values["PUBLIC_BASE_URL"]
        notes = []
        if self.session.sandbox is None and public.startswith("http://"):
            notes = [HOME_NOTE, *(f"  {text}" for text in by_hand(status))]
        silent = silent_of(status)
        if silent:
            notes.append(f"no complete answer yet from {', '.join(silent)}: nothing is opened on their sites")
        feeds = status.get("feeds")
        if isinstance(feeds, list) and feeds and all(isinstance(f, dict) and f.get("error") for f in feeds):
            notes.append(OFFLINE_NOTE)
        return notes
