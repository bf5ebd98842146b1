"""Whose homes are meant: what a person who does not look after all of them sees, and starts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shared.domain.access import ALL_OWNERS, Person, Role
from shared.domain.errors import NotAllowed, NotFound
from shared.domain.wish import Wanted
from shared.engine.scope import must_decide, must_see
from shared.engine.sync_desk import deciding_for, may_follow
from shared.use_cases import HttpAnswer
from tests.engine.people import LOCAL
from tests.engine.village import HOME, Village
from tests.web.access import THEIRS, other_portfolio

ADA = Person("Ada", {"owner": Role.OPERATOR})
MARC = Person("Marc", {"marc": Role.OPERATOR})
BOTH = Person("Mia", {"owner": Role.VIEWER, "marc": Role.OPERATOR})
AUDITOR = Person("Otto", {ALL_OWNERS: Role.VIEWER})


@pytest.fixture
def village() -> Iterator[Village]:
    built = Village()
    built.run(built.engine.portfolio.run(other_portfolio()))
    built.run(built.poll_greengo())
    built.run(built.drain())
    yield built
    built.close()


def value(answer: HttpAnswer, status: int = 200) -> dict[str, object]:
    assert answer.status == status, answer.body
    found: dict[str, object] = json.loads(answer.body)
    return found


@pytest.mark.parametrize(
    ("person", "sites", "accounts"),
    [
        (ADA, [HOME], ["airbnb", "booking"]),
        (MARC, [THEIRS], []),
        (BOTH, [HOME, THEIRS], ["airbnb", "booking"]),
        (AUDITOR, [HOME, THEIRS], ["airbnb", "booking"]),
        (LOCAL, [HOME, THEIRS], ["airbnb", "booking"]),
    ],
    ids=lambda one: getattr(one, "name", None),
)
def test_the_status_holds_what_a_person_sees(
    village: Village, person: Person, sites: list[str], accounts: list[str]
) -> None:
    found = village.run(village.engine.overview.everything(person))
    assert [one["id"] for one in found["sites"]] == sites  # type: ignore[index, union-attr]
    assert {one["listing"].partition("-")[0] for one in found["feeds"]} <= set(sites)  # type: ignore[index, union-attr]
    assert [one["id"] for one in found["accounts"]] == accounts  # type: ignore[index, union-attr]


def test_a_site_that_is_listed_and_not_stored_hides_no_other(village: Village) -> None:
    """An import that died between the two."""
    accounts = village.engine.world.accounts
    village.run(accounts.list_in_directory("site", "half-made", {"owner": "owner"}))
    found = village.run(village.engine.overview.everything(LOCAL))
    assert len(found["sites"]) == 2  # type: ignore[arg-type]


def test_a_synchronisation_is_for_the_homes_one_decides_for(village: Village) -> None:
    asked, start = village.engine.asked, village.engine.sync_desk.start
    job = village.run(start(BOTH, Wanted())).head.id
    village.run(village.drain())
    steps = {f"{one.kind} {one.key}" for one in village.run(asked.job(BOTH, job)).steps}
    assert steps
    assert not {one for one in steps if HOME in one or "booking" in one}
    assert village.run(asked.job(MARC, job)).head.id == job
    with pytest.raises(NotFound):
        village.run(asked.job(ADA, job))
    with pytest.raises(NotAllowed):
        village.run(start(AUDITOR, Wanted()))


def test_who_follows_what() -> None:
    assert deciding_for(LOCAL) == ()
    assert deciding_for(BOTH) == ("marc",)
    with pytest.raises(NotAllowed):
        deciding_for(AUDITOR)
    assert may_follow(LOCAL, ())
    assert not may_follow(AUDITOR, ())
    assert not may_follow(MARC, ("marc", "owner"))


def test_what_is_not_seen_was_never_there_and_what_is_seen_is_not_decided() -> None:
    with pytest.raises(NotFound, match="no such thing"):
        must_decide(MARC, "owner", "no such thing")
    with pytest.raises(NotAllowed):
        must_decide(BOTH, "owner", "no such thing")
    must_decide(ADA, "owner", "no such thing")
    must_see(AUDITOR, "owner", "no such thing")
