"""Golden rows: what a release wrote, kept so that every later one goes on reading it. ``python -m tests.engine.golden``
writes those of this release, once, when it is cut; a file that is there is never written over."""

from __future__ import annotations

import json
import sys
import tomllib
from datetime import date, datetime
from pathlib import Path

from local.tables.backup import TABLES
from local.tables.copyfile import from_json, to_json
from shared.domain.access import Role
from shared.domain.dates import StayDates
from shared.domain.model import Hold, SiteState
from shared.domain.modes import ModeSetting
from shared.domain.plan import plan
from shared.domain.platform import AIRBNB, BOOKING, GREENGO
from shared.domain.portfolio import Owner
from shared.domain.quiet import Choice, Timing, Topic
from shared.domain.targets import Target, Way
from shared.domain.wish import Wanted
from shared.engine.world import World
from shared.ports.people import Notice
from shared.ports.stores import Row
from shared.state.choices import ChoiceStore, Chosen
from shared.state.fetches import Fetch
from shared.state.inbox import SetAside
from shared.state.later import LaterStore
from shared.state.people import PeopleStore
from shared.state.sites import Changes
from shared.state.told import Told
from tests.engine.people import LOCAL
from tests.engine.stories import AUGUST, JULY, MINUTE, cancelled, hear, moved, polled, pulled, sold, told
from tests.engine.village import HOME, Village

FOLDER = Path(__file__).parents[1] / "state" / "fixtures"
MAY, JUNE = (StayDates(date(2027, month, 3), date(2027, month, 9)) for month in (5, 6))
OCTOBER, NOVEMBER = (StayDates(date(2027, month, 1), date(2027, month, 5)) for month in (10, 11))
WORDS = {"fr": "Deux séjours.", "en": "Two stays."}


def files() -> list[Path]:
    """The golden rows of every release."""
    return sorted(FOLDER.glob("rows-*.json"))


def lived(village: Village) -> None:
    """A story that leaves a row of every kind: stays that are sold, moved, cancelled, fading, an echo, a clash,
    a closure that was not taken, and what people did."""
    told(village, AIRBNB, JULY)
    gone = told(village, BOOKING, MAY)
    pulled(village)
    polled(village)
    cancelled(village, BOOKING, gone)
    moved(village, AIRBNB, told(village, AIRBNB, JUNE), AUGUST)
    sold(village, GREENGO, OCTOBER)
    sold(village, GREENGO, NOVEMBER)
    sold(village, AIRBNB, NOVEMBER)
    polled(village)
    hear(village)
    village.greengo.hidden = {"G1"}
    polled(village, 3 * MINUTE)
    village.booking.faults.down = True
    told(village, AIRBNB, StayDates(date(2027, 9, 1), date(2027, 9, 4)))
    people_did(village, village.engine.world)


def people_did(village: Village, world: World) -> None:
    """What stands beside the sites."""
    run, now = village.run, village.clock.now()
    marie = Owner("owner", "marie@example.org", Role.OPERATOR, "marie@example.org", "fr")
    notice = Notice("conflict", "gite/1", "critical", WORDS, "owner", "https://engine.example/c", "n1")
    run(PeopleStore(village.tables).put([marie]))
    run(world.owners.put([marie]))
    target = Target(Way.EMAIL, "marie@example.org")
    run(
        ChoiceStore(village.tables).put(
            Chosen(marie.principal, Choice({Topic.STAY: Timing.DAILY}), (target,))
        )
    )
    run(world.told.put(Told(notice, now, ("email",), next=now)))
    run(LaterStore(village.tables).put(marie.principal, now, now, notice))
    run(world.accounts.choose("booking", ModeSetting(poll_minutes=3)))
    run(world.inbox.put(AIRBNB, b'{"id": "A9"}'))
    run(world.inbox.quarantine("q1", "work", "odd", b"{}", SetAside.MESSAGE))
    run(world.deliveries.remember("mail", "id-1"))
    run(world.fetches.note(f"{HOME}-greengo", Fetch(now, "GreenGo/1", 200), peer=True))
    run(world.notes.swap("booking", "circuit|read", "", None))
    run(village.engine.sync_desk.start(LOCAL, Wanted()))
    run(village.engine.reports.flush())
    state = run(world.sites.load(HOME))
    hold = Hold("h1", f"{HOME}-airbnb", OCTOBER, now + 15 * MINUTE)
    run(world.sites.commit(state, Changes(holds=[hold])))


def told_of(state: SiteState, now: datetime) -> dict[str, object]:
    """What the plan comes to, in words that outlive this release's classes."""
    found = plan(state, now, (), {})
    return {
        "whole": state.whole,
        "writes": [
            [listing, {str(night): level for night, level in sorted(write.levels.items())}]
            for listing, write in found.writes
        ],
        "closures": sorted([row.listing, str(row.dates), row.wanted] for row in found.blocks),
        "conflicts": sorted(one.id for one in found.conflicts),
        "waiting": sorted(found.waiting),
        "stays": sorted(
            [one.key, one.status, [str(p.dates) for p in one.held()]] for one in state.reservations.values()
        ),
    }


def everything(village: Village) -> list[tuple[str, Row]]:
    """Every row of the village's tables."""

    async def read() -> list[tuple[str, Row]]:
        return [(table, row) for table in TABLES async for row in village.tables.everything(table)]

    return village.run(read())


def written(village: Village) -> dict[str, object]:
    """The village's rows with what this release plans from them."""
    now = village.clock.now()
    rows = [
        [table, row.partition, row.key, {name: to_json(value) for name, value in sorted(row.values.items())}]
        for table, row in everything(village)
    ]
    state = village.run(village.engine.world.sites.load(HOME))
    return {"at": now.isoformat(), "plan": told_of(state, now), "rows": rows}


def read(path: Path) -> tuple[datetime, dict[str, object], list[tuple[str, Row]]]:
    """When they were written, what was planned from them then, and the rows."""
    found = json.loads(path.read_text())
    rows = [
        (table, Row(partition, key, {name: from_json(value) for name, value in values.items()}))
        for table, partition, key, values in found["rows"]
    ]
    return datetime.fromisoformat(found["at"]), found["plan"], rows


def main() -> None:
    """Write this release's."""
    release = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    path = FOLDER / f"rows-{release}.json"
    if path.exists():
        sys.exit(f"{path.name} is there: rows that were written once are never written anew")
    village = Village()
    lived(village)
    path.write_text(json.dumps(written(village), ensure_ascii=False, indent=1) + "\n")
    village.close()


if __name__ == "__main__":
    main()
