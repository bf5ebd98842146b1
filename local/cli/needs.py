"""What needs a person, from what the API tells: under the headings of the console's first page, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.cli.reading import Json, items, number, part, said, text
from local.cli.session import Session, named, setback
from shared.domain.health import Weight
from shared.domain.spoken import nights_said
from shared.engine.health_view import IN_ITS_PLACE

UNDECIDED = ("new", "acknowledged")
"""Stages of a double booking that wait for a decision."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do. ``kind`` is the heading's key on the page; ``page`` where it is done by hand, if known."""

    kind: str
    said: str
    page: str = ""


def needs(session: Session, found: Mapping[str, Json]) -> Iterator[Need]:
    """``found`` are the answers to ``status``, ``conflicts``, ``removals`` and ``quarantine``; empty for those that a
    person may not see."""
    yield from _clashes(session, found["conflicts"])
    yield from _by_hand(session, found["status"])
    yield from _pushes(session, found["status"])
    yield from _vanished(session, found["removals"])
    yield from _aside(session, found["quarantine"])
    yield from _engine(session, found["status"])
    yield from _sources(session, found["status"])


def _clashes(session: Session, answer: Json) -> Iterator[Need]:
    for one in items(answer, "conflicts"):
        if text(one, "state") in UNDECIDED:
            nights = said(one, "nights_text", session.language)
            severity = said(one, "severity_text", session.language)
            line = session.t("status.conflict", home=text(one, "home_name"), nights=nights, severity=severity)
            yield Need("conflicts", line)


def _by_hand(session: Session, now: Json) -> Iterator[Need]:
    for one in items(now, "close_by_hand"):
        nights = nights_said(text(one, "nights"), session.language)
        what = f"{named(text(one, 'platform'))}, {text(one, 'home')}, {nights}"
        yield Need("hands", f"{what} ({setback(session, one, 'why')})", text(one, "page"))


def _pushes(session: Session, now: Json) -> Iterator[Need]:
    for one in items(now, "failed_pushes"):
        what = session.console("today.failed_close" if one.get("closes") else "today.failed_open")
        where = f"{named(text(one, 'platform'))}, {text(one, 'listing')}"
        nights = nights_said(text(one, "nights"), session.language)
        why = setback(session, one, "reason")
        yield Need("failed", f"{what}{session.t('base.colon')}{where}, {nights} ({why})")


def _vanished(session: Session, answer: Json) -> Iterator[Need]:
    """Only what no calendar will ever prove: the rest comes right by itself."""
    for one in items(answer, "removals"):
        if not text(one, "at_the_latest"):
            nights = said(one, "nights_text", session.language)
            yield Need("removals", f"{text(one, 'home_name')}, {nights}")


def _aside(session: Session, answer: Json) -> Iterator[Need]:
    count = len(items(answer, "quarantine")) + number(answer, "left_out") + len(items(answer, "dead_letters"))
    if count:
        yield Need("messages", session.t("status.quarantine", count=count))


def _engine(session: Session, now: Json) -> Iterator[Need]:
    """What is wrong that no notice, no channel and no message tells."""
    for one in items(part(now, "health"), "findings"):
        elsewhere = text(one, "told_by") or text(one, "code") in IN_ITS_PLACE
        if text(one, "weight") != Weight.SHOWN and not elsewhere:
            yield Need(
                "engine", f"{said(one, 'cause', session.language)} {said(one, 'step', session.language)}"
            )


def _sources(session: Session, now: Json) -> Iterator[Need]:
    for one in items(now, "accounts"):
        if text(one, "paused"):
            yield Need(
                "pressing", f"{text(one, 'id')}{session.t('base.colon')}{setback(session, one, 'paused')}"
            )
    for one in items(now, "feeds"):
        if text(one, "error") and not one.get("fresh"):
            why = setback(session, one, "error")
            yield Need("pressing", f"{text(one, 'listing')}{session.t('base.colon')}{why}")
