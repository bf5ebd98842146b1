"""``status``: what needs a person, and how each channel stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

import typer

from local.cli.api import Refusal
from local.cli.needs import Need, needs
from local.cli.reading import Json, at, items, text
from local.cli.session import Session, named, of, setback
from local.cli.trouble import A_PERSON, OK, Trouble
from shared.domain.ago import ago


def status(ctx: typer.Context) -> int:
    """Show it; 1 when something needs a person, or no home is in theirs."""
    session = of(ctx)
    found: dict[str, Json] = {
        "status": session.api.get("/api/status").json,
        "today": session.api.get("/api/today").json,
        "removals": _optional(session, "/api/removals"),
    }
    waiting = list(needs(session, found["today"]))
    homeless = found["today"].get("homes") == 0  # nothing is wrong, and nothing is looked after either
    if session.screen.as_json:
        found |= {name: _optional(session, f"/api/{name}") for name in ("conflicts", "quarantine")}
        session.screen.json({"needs": [asdict(one) for one in waiting], **found})
    else:
        if homeless:
            session.screen.say(session.t("status.no_homes"), "bold")
            session.screen.say(session.t("status.no_homes_do", address=session.api.address), indent=2)
        if waiting or not homeless:
            _waiting(session, waiting, calm=found["today"].get("calm") is True)
        rows = channels(session, found["status"])
        if rows:
            session.screen.say()
            names = ("channel", "mode", "answered", "closed", "under_way", "note")
            session.screen.table([session.t(f"status.{one}") for one in names], rows)
        held = items(found["removals"], "removals")
        if held:
            session.screen.say()
            session.screen.say(session.t("status.held", count=len(held)))
    return A_PERSON if waiting or homeless else OK


def _waiting(session: Session, waiting: list[Need], *, calm: bool) -> None:
    """What needs a person, under its headings; else that all is well, or that the rest settles by itself."""
    screen = session.screen
    if not waiting:
        screen.say(f"{session.console('today.calm' if calm else 'today.nothing')}.", "bold green")
        return
    many = "today.one" if len(waiting) == 1 else "today.many"
    screen.say(session.console(many, count=len(waiting)), "bold red")
    for kind in dict.fromkeys(one.kind for one in waiting):
        screen.say(session.console(f"today.{kind}"), "bold", indent=2)
        for one in waiting:
            if one.kind == kind:
                screen.say(f"• {one.said}", indent=4)
                if one.page:
                    screen.say(one.page, "dim", indent=6)


def _optional(session: Session, path: str) -> Json:
    """What a person may see who sees not everything: nothing, where it is not his."""
    try:
        return session.api.get(path).json
    except Refusal:
        return {}
    except Trouble as trouble:
        if trouble.key != "trouble.refused":
            raise
        return {}


def channels(session: Session, now: Json) -> list[list[str]]:
    """One row a platform."""
    sources = [*items(now, "accounts"), *items(now, "feeds")]
    platforms = list(dict.fromkeys(text(one, "platform") for one in sources))
    return [_channel(session, name, now) for name in platforms]


def _channel(session: Session, platform: str, now: Json) -> list[str]:
    def own(found: Iterable[Json]) -> list[Json]:
        return [one for one in found if text(one, "platform") == platform]

    sources = own([*items(now, "accounts"), *items(now, "feeds")])
    blocks = own(
        block for site in items(now, "sites") for block in items(site, "blocks") if block.get("wanted")
    )
    taken = sum(1 for one in blocks if one.get("taken"))
    answers = [one for source in sources if (one := at(source, "last_answer"))]
    modes = dict.fromkeys(text(one, "mode") for one in sources if text(one, "mode"))
    names = ("paused", "error", "reason")
    told = [said for name in names for one in (*sources, *blocks) if (said := setback(session, one, name))]
    return [
        named(platform),
        ", ".join(session.t(f"mode.{one}") if f"mode.{one}" in MODES else one for one in modes),
        ago(max(answers, default=None), _now(now), session.language),
        str(taken),
        str(len(blocks) - taken or ""),
        next(iter(told), ""),
    ]


MODES = frozenset(f"mode.{one}" for one in ("real_time", "batch", "manual"))


def _now(now: Json) -> datetime:
    """The app's own clock, by which its instants are told."""
    found = at(now, "at")
    return found if found is not None else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
