"""``sync``: start a synchronisation and follow it, a bar for each platform."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from local.cli.api import Silence, at_path
from local.cli.reading import Json, items, number, part, text
from local.cli.session import Session, named, of
from local.cli.trouble import A_PERSON, OK, STOPPED, Trouble
from shared.domain import setbacks

LOOKS_EVERY = 1.0
"""Seconds between two looks at a job."""

MOST_SILENCE = 5
"""Looks in a row that may fail before we stop looking: a host may be starting anew."""

_FIGURES = ("seen", "changed", "sent", "confirmed", "failed", "calls")


def sync(
    ctx: typer.Context,
    mode: Annotated[str, typer.Option(help="help.sync.mode", metavar="auto|real_time|batch|manual")] = "auto",
    platform: Annotated[str, typer.Option(help="help.sync.platform", metavar="NAME")] = "",
    home: Annotated[str, typer.Option(help="help.sync.home", metavar="ID")] = "",
    site: Annotated[str, typer.Option(help="help.sync.site", metavar="ID")] = "",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="help.sync.no_wait")] = False,
    job: Annotated[str, typer.Option(help="help.sync.job", metavar="ID")] = "",
) -> int:
    """Start or follow one; 1 when a step of it failed."""
    session = of(ctx)
    if not job:
        wish = {"mode": mode, "platform": platform, "property": home, "site": site}
        begun = session.api.post("/api/sync", {name: one for name, one in wish.items() if one}).json
        job = text(begun, "job")
        if no_wait:
            return _started(session, begun)
    try:
        done = follow(session, job)
    except KeyboardInterrupt:
        raise Trouble(STOPPED, "sync.goes_on", job=job) from None
    if session.screen.as_json:
        session.screen.json(done)
    else:
        _report(session, done)
    return A_PERSON if _failed(done) else OK


def _started(session: Session, begun: Json) -> int:
    if session.screen.as_json:
        session.screen.json(begun)
    else:
        session.screen.say(session.t("sync.started", job=text(begun, "job")))
    return OK


def follow(session: Session, job: str) -> Json:
    """Look at a job until it is over. Raises ``Trouble`` when it cannot be seen any longer; it goes on then."""
    view = _Bars(session) if session.screen.err.is_terminal else _Lines(session)
    with view:
        while True:
            found = _look(session, job)
            view.show(found)
            if text(found, "state") != "running":
                return found
            session.tools.sleep(LOOKS_EVERY)


def _look(session: Session, job: str) -> Json:
    """How far it is, asked again while the app is silent for a moment."""
    for _ in range(MOST_SILENCE):
        try:
            return session.api.get(at_path("jobs", job)).json
        except Silence as silence:
            last = silence
            session.tools.sleep(max(LOOKS_EVERY, silence.pause))
    session.screen.tell(session.t("sync.goes_on", job=job))
    raise last


class _Lines:
    """Where there is no terminal: a line when something has moved."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._last = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, job: Json) -> None:
        done = number(job, "done") + number(job, "failed")
        line = self._session.t("sync.line", done=done, total=number(job, "total"))
        if line != self._last and not self._session.screen.as_json:
            self._session.screen.tell(line)
        self._last = line


class _Bars(_Lines):
    """On a terminal: a bar for each platform, one for everything."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._progress: Progress = session.screen.progress()
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, job: Json) -> None:
        """Move the bars."""
        progress = part(job, "progress")
        for name in progress:
            self._move(named(name), part(progress, name))
        self._move(self._session.t("sync.all"), job)

    def _move(self, name: str, counted: Json) -> None:
        total, over = number(counted, "total"), number(counted, "done") + number(counted, "failed")
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._bars[name], completed=over, total=total)


def _failed(job: Json) -> bool:
    return number(job, "failed") > 0 or text(job, "state") != "done"


def _report(session: Session, job: Json) -> None:
    """What came of it."""
    screen, seconds = session.screen, f"{number(job, 'duration_ms') / 1000:.1f}"
    seconds = seconds.replace(".", ",") if session.language == "fr" else seconds
    key = "sync.done" if text(job, "state") == "done" else "sync.never_finished"
    screen.say(
        session.t(key, seconds=seconds, total=number(job, "total"), done=number(job, "done")),
        "bold yellow" if _failed(job) else "bold green",
    )
    figures = part(job, "figures")
    headings = [session.t("status.channel"), *(session.t(f"sync.{one}") for one in _FIGURES)]
    rows = [
        [named(name), *(text(part(figures, name), one) or "0" for one in _FIGURES)]
        for name in figures
        if name
    ]
    if rows:
        screen.table(headings, rows)
    for step in items(job, "steps"):
        if text(step, "state") != "done":
            why = _why(session, text(step, "error")) or session.t("sync.not_over")
            screen.say(session.t("sync.step", step=text(step, "step"), why=why), "red")


def _why(session: Session, error: str) -> str:
    """What went wrong, as the pages say it, with the connector's own words behind it."""
    return f"{setbacks.said(error)[session.language]} ({error})" if setbacks.is_known(error) else error
