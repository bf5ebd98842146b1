"""What needs a person, from what the API tells: a sentence each, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from local.cli.reading import Json, items, number, said, text
from local.cli.session import Session, named, setback
from shared.domain.spoken import nights_said

UNDECIDED = ("new", "acknowledged")
"""Stages of a double booking that wait for a decision."""


def needs(session: Session, found: Mapping[str, Json]) -> Iterator[str]:
    """``found`` are the answers to ``status``, ``conflicts``, ``removals`` and ``quarantine``; empty for those that a
    person may not see."""
    yield from _clashes(session, found["conflicts"])
    yield from _by_hand(session, found["status"])
    yield from _pushes(session, found["status"])
    yield from _sources(session, found["status"])
    yield from _vanished(session, found["removals"])
    aside = found["quarantine"]
    count = len(items(aside, "quarantine")) + number(aside, "left_out") + len(items(aside, "dead_letters"))
    if count:
        yield session.t("status.quarantine", count=count)


def _clashes(session: Session, answer: Json) -> Iterator[str]:
    for one in items(answer, "conflicts"):
        if text(one, "state") in UNDECIDED:
            nights = said(one, "nights_text", session.language)
            severity = said(one, "severity_text", session.language)
            yield session.t("status.conflict", home=text(one, "home_name"), nights=nights, severity=severity)


def _by_hand(session: Session, now: Json) -> Iterator[str]:
    for one in items(now, "close_by_hand"):
        line = session.t(
            "status.by_hand",
            home=text(one, "home"),
            platform=named(text(one, "platform")),
            nights=nights_said(text(one, "nights"), session.language),
            why=setback(session, one, "why"),
        )
        page = text(one, "page")
        yield f"{line} {page}" if page else line


def _pushes(session: Session, now: Json) -> Iterator[str]:
    for one in items(now, "failed_pushes"):
        yield session.t(
            "status.not_closed" if one.get("closes") else "status.not_opened",
            platform=named(text(one, "platform")),
            listing=text(one, "listing"),
            nights=nights_said(text(one, "nights"), session.language),
            why=setback(session, one, "reason"),
        )


def _sources(session: Session, now: Json) -> Iterator[str]:
    for one in items(now, "accounts"):
        if text(one, "paused"):
            yield session.t("status.paused", account=text(one, "id"), why=setback(session, one, "paused"))
    for one in items(now, "feeds"):
        if text(one, "error") and not one.get("fresh"):
            yield session.t("status.silent", listing=text(one, "listing"), why=setback(session, one, "error"))


def _vanished(session: Session, answer: Json) -> Iterator[str]:
    """Only what no calendar will ever prove: the rest comes right by itself."""
    for one in items(answer, "removals"):
        if not text(one, "at_the_latest"):
            nights = said(one, "nights_text", session.language)
            yield session.t("status.removal", home=text(one, "home_name"), nights=nights)
