"""What needs a person: as the console's first page tells it, under its headings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.cli.reading import Json, items, said, text
from local.cli.session import Session


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do. ``kind`` is the heading's key on the page; ``page`` where it is done by hand, if known."""

    kind: str
    said: str
    page: str = ""


def needs(session: Session, today: Json) -> Iterator[Need]:
    """``today`` is the answer to ``GET /api/today``. What a command of ours settles is followed by its name."""
    for one in items(today, "needs"):
        kind, line = text(one, "kind"), said(one, "said", session.language)
        if kind == "conflicts":
            line = session.t("status.decide", what=line)
        elif kind == "messages":
            line = session.t("status.replay", what=line)
        yield Need(kind, line, text(one, "page"))
