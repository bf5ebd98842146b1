"""A double booking on the screen: both stays, what can be done, how it stands."""

from __future__ import annotations

from local.cli.reading import Json, items, part, said, text
from local.cli.session import Session
from shared.domain.spoken import nights_said

UNDECIDED = ("new", "acknowledged")
"""Stages of a double booking that wait for a decision."""


def whole(session: Session, one: Json) -> None:
    """Both sides and every proposal, numbered."""
    _both(session, one)
    for place, proposal in enumerate(items(one, "proposals"), 1):
        _proposal(session, place, proposal)


def _both(session: Session, one: Json) -> None:
    language, screen = session.language, session.screen
    screen.say(
        session.t(
            "resolve.title",
            home=text(one, "home_name"),
            nights=said(one, "nights_text", language),
            severity=said(one, "severity_text", language),
            state=said(one, "state_text", language),
        ),
        "bold",
    )
    for side in items(one, "sides"):
        first = session.t("resolve.first") if side.get("first") else ""
        nights = said(side, "nights_text", language)
        screen.say(f"• {text(side, 'booking')}{session.t('base.colon')}{nights}{first}", indent=2)
        for line in (said(side, "what", language), said(side, "how_sure", language), text(side, "page")):
            if line:
                screen.say(line, "dim", indent=4)
    for open_one in items(one, "exposure"):
        nights = nights_said(text(open_one, "nights"), language)
        screen.say(
            session.t("resolve.exposed", platform=text(open_one, "platform_name"), nights=nights), "yellow"
        )
    screen.say()


def _proposal(session: Session, place: int, one: Json) -> None:
    language, screen = session.language, session.screen
    by_hand = session.t("resolve.by_hand") if one.get("by_hand") else session.t("resolve.by_us")
    screen.say(f"{place}. {said(one, 'what', language)} ({by_hand})", "bold")
    for name in ("reason", "cost", "what_will_happen"):
        line = said(one, name, language)
        if line:
            screen.say(session.t(f"resolve.{name}", what=line), indent=3)


def stands(session: Session, one: Json) -> None:
    """How it stands now, and what is left for a person to do."""
    language, screen = session.language, session.screen
    screen.say(
        session.t(
            "resolve.stands",
            home=text(one, "home_name"),
            nights=said(one, "nights_text", language),
            state=said(one, "state_text", language),
        ),
        "bold green",
    )
    decision = part(one, "decision")
    if decision:
        what = said(decision, "what", language) or text(decision, "proposal")
        screen.say(session.t("resolve.decided", what=what, by=text(decision, "by")))
    task = part(one, "task")
    for step in items(task, "steps"):
        nights = nights_said(text(step, "nights"), language)
        screen.say(
            f"• {text(step, 'booking') or text(step, 'listing')}{session.t('base.colon')}{nights}", indent=2
        )
        if text(step, "page"):
            screen.say(text(step, "page"), "dim", indent=4)
    message = said(task, "message", language)
    if message:
        screen.say(session.t("resolve.message"))
        screen.say(message, indent=4)
