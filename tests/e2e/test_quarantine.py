"""Poisoned messages through everything that ``make run`` starts: each ends in quarantine or as a dead letter with its
reason, is seen by a person without what it held, and works when it is replayed after the cause is gone."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from local.sandbox.faults import FaultKind
from local.sandbox.stays import NightState
from shared.adapters.service_bus import ServiceBus
from shared.adapters.table_store import open_tables
from shared.ports.bus import Message
from shared.ports.stores import Row, Tables, Value
from shared.state import site_codec
from shared.state.jobs import SOURCES, JobHead, JobStep, JobStore
from shared.state.names import SITES
from tests.e2e.days import day_ahead
from tests.e2e.stage import Stage, staged
from tests.e2e.support import until

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

SITE, HOME = "moulin", "moulin"
AIRBNB, BOOKING = "airbnb/9876543", "booking/123456701"
JULY, AUGUST, OCTOBER = (day_ahead(f"2027-{month}-10") for month in ("07", "08", "10"))
LOST_LOCKS = "poison-of-lost-locks"
BROKEN_ROW = "poison-of-a-broken-row"
EARLY_BELL = "poison-of-an-early-bell"


class Poisoner:
    """The running stack, and a hand in its tables and queues."""

    def __init__(self, stage: Stage, tables: Tables, bus: ServiceBus) -> None:
        self.stage, self.tables, self.bus = stage, tables, bus

    async def rows(self, **wanted: str) -> list[Any]:
        """What is in quarantine with these words."""
        found = (await self.stage.ask("GET", "/api/quarantine"))["quarantine"]
        return [one for one in found if wanted.items() <= one.items()]

    async def dead(self) -> list[Any]:
        """The dead letters."""
        found: list[Any] = (await self.stage.ask("GET", "/api/quarantine"))["dead_letters"]
        return found

    async def replay(self, name: str, status: int = 202) -> Any:
        """One click, repeated while the answer is to come again later."""
        url = f"{self.stage.session.stack.hosts.public}/api/quarantine/{name}/replay"

        async def answered() -> httpx.Response | None:
            found = await self.stage.session.client.post(url, headers=self.stage.key)
            return None if found.status_code == 503 and "retry-after" in found.headers else found

        answer = await until(answered, "the replay is taken", 60)
        assert answer is not None
        assert answer.status_code == status, answer.text
        return answer.json()


def wall() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def poisoner(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Poisoner]:
    async with staged(Path(tmp_path_factory.mktemp("quarantine"))) as stage:
        values = stage.session.stack.values
        tables = open_tables(connection_string=values["STORAGE"], monotonic=time.monotonic, wall=wall)
        bus = ServiceBus(connection_string=values["SERVICEBUS"], send_seconds=60)
        try:
            yield Poisoner(stage, tables, bus)
        finally:
            await bus.close()
            await tables.close()


async def test_a_dead_letter_of_work_is_listed_and_sent_again_once_its_cause_is_gone(
    poisoner: Poisoner,
) -> None:
    """Whoever works a message off loses its lock each time, until the queue gives up."""
    stage = poisoner.stage
    client, control = stage.session.client, f"http://127.0.0.1:{stage.session.stack.bus.control_port}"
    lost = {"kind": "settle", "action": "fail", "condition": "com.microsoft:message-lock-lost", "count": 9999}
    await client.post(f"{control}/faults", json={**lost, "queue": "work"})
    await poisoner.bus.send("work", [Message("site", SITE, "locks-lost", correlation=LOST_LOCKS)])

    async def given_up() -> bool:
        await client.post(f"{control}/advance", json={"seconds": 61})
        return any(one["kind"] == "site" for one in await poisoner.dead())

    await until(given_up, "the queue gives up", 60)
    await client.delete(f"{control}/faults")
    dead = await poisoner.dead()
    assert {(one["queue"], one["reason"]) for one in dead} == {("work", "MaxDeliveryCountExceeded")}
    assert "guest" not in json.dumps(dead)
    for one in dead:
        await poisoner.replay(one["id"])

    async def none_left() -> bool:
        return await poisoner.dead() == []

    await until(none_left, "what was sent again is worked off", 60)
    await poisoner.replay(dead[0]["id"], status=404)


async def test_a_poisoned_message_of_work_is_quarantined_and_replayed(poisoner: Poisoner) -> None:
    """A step's message comes before the step is there to be done."""
    await poisoner.bus.send("work", [Message("job", f"early/{SOURCES}|00000", "1", correlation=EARLY_BELL)])

    async def quarantined() -> list[Any]:
        return await poisoner.rows(source="work", correlation=EARLY_BELL)

    (row,) = await until(quarantined, "it is set aside", 60)
    assert "names no step of a job" in row["reason"]
    assert (row["what"], row["size"] > 0, row["age_s"] >= 0) == ("message", True, True)
    step = JobStep(f"{SOURCES}|00000", "feeds", "0000", ("greengo",), force=True)
    await JobStore(poisoner.tables).create(
        JobHead("early", {"mode": "manual"}, poisoner.tables.now(), 1), [step]
    )
    await poisoner.replay(row["id"])

    async def done() -> bool:
        return bool((await poisoner.stage.ask("GET", "/api/jobs/early"))["state"] == "done")

    await until(done, "the replayed message does the step", 60)
    assert await poisoner.rows(correlation=EARLY_BELL) == []
    again = await poisoner.replay(row["id"], status=200)
    assert again["already"]


async def test_a_poisoned_message_of_conflicts_is_quarantined_and_replayed(poisoner: Poisoner) -> None:
    """A row of the site cannot be read: nobody can be told of the clash until it can."""
    stage = poisoner.stage
    clash = await clashing(stage)
    row = await poisoner.tables.get(SITES, SITE, site_codec.SITE)
    assert row is not None
    untold: dict[str, Value] = {"told": False, "alerted_at": ""}
    await poisoner.tables.upsert(SITES, Row(SITE, site_codec.SITE, {"homes": "{"}))
    await poisoner.tables.upsert(SITES, Row(SITE, site_codec.CONFLICT + clash, untold))
    await poisoner.bus.send(
        "conflicts", [Message("conflict", f"{SITE}/{clash}", "poisoned", correlation=BROKEN_ROW)]
    )

    async def quarantined() -> list[Any]:
        return await poisoner.rows(source="conflicts")

    (found,) = await until(quarantined, "it is set aside", 60)
    assert "cannot be read" in found["reason"]
    assert found["correlation"] == BROKEN_ROW
    assert SITE not in found["id"]

    await poisoner.tables.upsert(SITES, Row(SITE, site_codec.SITE, {"homes": row.values["homes"]}))
    await poisoner.replay(found["id"])

    async def told() -> bool:
        return BROKEN_ROW in {line.get("correlation") for line in stage.events("conflict_told")}

    await until(told, "the replayed message tells of the clash", 60)
    assert await quarantined() == []


async def clashing(stage: Stage) -> str:
    """A night sold twice, found and told; the id of the conflict."""
    stage.breaks(FaultKind.DELAY, "airbnb", call="webhook", seconds=5, times=1)
    await stage.book("airbnb", "9876543", AUGUST)
    await stage.book("booking", "123456701", AUGUST)

    async def told() -> list[str]:
        conflicts = (await stage.site(SITE))["conflicts"]
        events = {line["conflict"] for line in stage.events("conflict_told")}
        return [one["id"] for one in conflicts if one["id"] in events]

    (found,) = await until(told, "the clash is found and told", 60)
    return found


async def test_an_id_that_no_list_named_is_not_found(poisoner: Poisoner) -> None:
    for name in ("nothing", "cm93CgpnaG9zdA", "ZGVhZAp3b3JrCjk5OTk5", "A" * 900):
        await poisoner.replay(name, status=404)


async def test_one_click_lets_go_of_what_vanished_and_the_record_tells_it_all(poisoner: Poisoner) -> None:
    """Rule 21 by hand, then the reasons and the file, as a person's browser would ask for them."""
    stage = poisoner.stage
    dates = await stage.book("greengo", "moulin-greengo", OCTOBER)
    await stage.closed(AIRBNB, dates)
    reasons = await stage.ask("GET", f"/api/why?home={HOME}&date={OCTOBER}")
    (closure,) = next(one for one in reasons["listings"] if one["platform"] == "Airbnb")["closures"]
    assert [step["what"] for step in closure["chain"]][:2] == ["new", "close sent"]
    assert len({step["correlation"] for step in closure["chain"][:2]}) == 1
    stay = next(one for one in stage.sandbox.world.truth.stays.values() if one.parts[0].dates == dates)
    cancelled = await stage.session.client.post(
        f"{stage.sandbox.base}/sandbox/greengo/cancel", json={"id": stay.id}
    )
    assert cancelled.is_success, cancelled.text

    async def vanished() -> list[Any]:
        found: list[Any] = (await stage.ask("GET", f"/api/removals?home={HOME}"))["removals"]
        return [one for one in found if one["stay"] == str(dates)]

    (removal,) = await until(vanished, "the stay is listed as vanished", 60)
    assert set(stage.states(AIRBNB, dates)) == {NightState.PARTNER}
    done = await stage.ask("POST", f"/api/removals/{removal['id']}/release")
    assert (done["released"], done["already"]) == ([str(dates)], False)

    async def opened() -> bool:
        return set(stage.states(AIRBNB, dates)) == {NightState.OPEN}

    await until(opened, "the nights are for sale again", 60)
    assert (await stage.ask("POST", f"/api/removals/{removal['id']}/release"))["already"]
    url = f"{stage.session.stack.hosts.public}/api/history.csv?home={HOME}"
    answer = await stage.session.client.get(url, headers=stage.key)
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    header, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    said = [row[header.index("français")] for row in rows]
    assert any("disparition confirmée à la main" in one for one in said)
    guests = {stay.guest.last for stay in stage.sandbox.world.truth.stays.values()}
    assert not [name for name in guests if name in answer.text], "no guest is named in a file"
