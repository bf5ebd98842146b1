"""The whole command against the simulated platforms. They stand in for real ones: everything but real credentials and
real answers is exercised here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from local.live import __main__ as command
from local.live import report
from local.live.ledger import Ledger
from local.live.report import Report
from local.live.run import Given, Run
from local.live.wanted import Live, read_live, read_marks
from local.sandbox.clock import Clock, frozen
from local.sandbox.config import Platform
from local.sandbox.faults import Fault, FaultKind
from local.sandbox.server import Sandbox, running
from local.sandbox.stays import NightState
from local.sandbox_config import sandbox_config, sandbox_settings
from shared.adapters.http import HttpxHttp
from shared.adapters.portfolio_values import PortfolioRules
from shared.bootstrap.portfolio import portfolio_rules
from shared.domain.dates import StayDates
from shared.ports.http import Request
from tests.connectors.support import NOW, fixture

ROOT = Path(__file__).resolve().parents[3]
GREENGO = "/calendar/greengo-icalendar/78954f91-cc66-52a1-a448-6917f43c35c4.ics"
FILE = f"""\
owners:
  - id: claire
    people: [{{principal: claire@example.org, role: operator, email: claire@example.org}}]
accounts:
  - {{id: airbnb-claire, platform: airbnb, secrets: {{api_key: AIRBNB_API_KEY, oauth_token: AIRBNB_TOKEN}},
     base_url: 'http://127.0.0.1:{{SANDBOX_PORT}}'}}
  - {{id: booking-claire, platform: booking, secrets: {{client_id: BOOKING_ID, client_secret: BOOKING_SECRET}},
     base_url: 'http://127.0.0.1:{{SANDBOX_PORT}}'}}
  - {{id: channex-claire, platform: channex, secrets: {{api_key: CHANNEX_KEY}},
     base_url: 'http://127.0.0.1:{{SANDBOX_PORT}}'}}
homes:
  - id: moulin
    name: Le Moulin
    listings:
      - {{platform: airbnb, account: airbnb-claire, unit: 9876543, live_writes: yes}}
      - {{platform: booking, account: booking-claire, unit: '1234567:123456701', live_writes: yes}}
      - {{platform: greengo, link: 'http://127.0.0.1:{{SANDBOX_PORT}}{GREENGO}', live_writes: yes}}
  - id: mas
    name: Le Mas
    listings:
      - platform: channex
        account: channex-claire
        unit: 2b1f7c52-0c3e-4f0f-8f55-3f6d1a4b7e01:7d0c9a44-52be-4a57-9d0e-6c1b8e2f9a02
        live_writes: yes
      - {{platform: booking, account: booking-claire, unit: '1234567:123456702'}}
"""
HOOK = "a-secret-of-the-path-0123456789"


FAR = NOW.date() + timedelta(days=301)
UNMARKED = "booking 123456702"


@dataclass
class Stage:
    """The simulated platforms, and a reader with a live.yaml for them."""

    sandbox: Sandbox
    live: Live
    folder: Path
    http: HttpxHttp
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.sandbox.base.rpartition(":")[2])

    async def run(
        self, *, asked: bool = True, public: str = "", take_away: bool = False, wait: float = 30
    ) -> Report:
        given = Given(
            self.live,
            self.folder,
            asked=asked,
            public=public,
            take_away=take_away,
            wait=wait,
            show_links=True,
            played=True,
        )
        run = Run(given, self.http, lambda: NOW, _no_time, self.said.append)
        done = await run.run()
        report.write(done, self.folder, run.mask)
        return done

    def writes(self) -> list[str]:
        """Whose calendars were written, call by call."""
        kinds = {"airbnb.calendar_write", "booking.availability", "channex.availability"}
        latest = self.sandbox.world.calls.latest
        return [f"{one.platform} {one.note}" for one in latest if f"{one.platform}.{one.call}" in kinds]

    def open(self, key: str, night: date = FAR) -> bool:
        return self.sandbox.world.truth.night(key, night).state is NightState.OPEN

    def left(self) -> list[tuple[str, str]]:
        return [(one.listing, one.night) for one in Ledger(self.folder / "state.json").closed()]

    async def address(self, listing: str) -> str:
        """Our calendar's address on this machine, once it is served."""
        while True:
            lines = [line for line in self.said if line.startswith((f"{listing}: http", "127.0.0.1:"))]
            if len(lines) >= 2:
                place = lines[0].partition(" ")[0]
                return f"http://{place}/export/{lines[-1].rpartition('/')[2]}"
            await asyncio.sleep(0.01)


async def _no_time(seconds: float) -> None:
    await asyncio.sleep(0)


def rules(port: int) -> PortfolioRules:
    return portfolio_rules(names={"SANDBOX_PORT": str(port)}, loopback_ports=frozenset({port}))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    played, _ = read_marks(FILE.encode(), rules(1), "live.yaml")
    settings = {**sandbox_settings(played), "WEBHOOK_SECRET_AIRBNB": HOOK}
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running(sandbox_config(played), clock=Clock(frozen(NOW)), sleep=_no_time)
        )
        port = int(sandbox.base.rpartition(":")[2])
        (tmp_path / "live.yaml").write_text(FILE)
        live = read_live(tmp_path / "live.yaml", settings, tmp_path / ".env", rules(port))
        http = HttpxHttp(loopback_ports=frozenset({port}))
        stack.push_async_callback(http.close)
        yield Stage(sandbox, live, tmp_path / "out", http)


def outcomes(done: Report, about: str) -> list[str]:
    return [str(step.outcome) for _, part in done.parts for step in part if step.about == about]


def verdicts(done: Report) -> dict[str, str]:
    return {one.belief.id: str(one.verdict) for one in done.judged}


async def test_without_being_told_to_write_it_reads_everything_and_writes_nothing(stage: Stage) -> None:
    done = await stage.run(asked=False)
    assert stage.writes() == []
    assert done.good
    for name in ("moulin-greengo", "airbnb-claire", "booking-claire", "channex-claire", "mas-booking"):
        assert outcomes(done, name) == ["done"], name
    assert outcomes(done, "moulin-airbnb") == ["done", "skipped"]
    assert "would close the night of 2028-02-27" in (stage.folder / "report.md").read_text()


async def test_told_to_write_it_closes_one_night_of_each_marked_listing_and_opens_it_again(
    stage: Stage,
) -> None:
    done = await stage.run()
    assert done.good
    assert sorted(set(stage.writes())) == [
        "airbnb 9876543",
        "booking 123456701",
        "channex 2b1f7c52-0c3e-4f0f-8f55-3f6d1a4b7e01",
    ]
    assert len(stage.writes()) == 6
    assert all(stage.open(key) for key in stage.sandbox.world.truth.calendars)
    assert stage.left() == []
    held = {"airbnb-days", "airbnb-write", "booking-bearer", "channex-write"}
    assert {name for name, verdict in verdicts(done).items() if verdict == "held"} == held
    written = json.loads((stage.folder / "report.json").read_text())
    assert written["simulated"] is True
    assert written["good"] is True


async def test_a_night_that_is_sold_is_not_the_one(stage: Stage) -> None:
    await stage.sandbox.desk.book(Platform.AIRBNB, [("9876543", StayDates.of_nights(FAR, 2))])
    await stage.run()
    assert "2028-02-29 closed, and read back so" in (stage.folder / "report.md").read_text()
    assert not stage.open("airbnb/9876543", FAR)


async def test_an_answer_that_was_lost_is_put_right(stage: Stage) -> None:
    stage.sandbox.world.faults.add(Fault(FaultKind.LOST, call="calendar_write", times=1))
    done = await stage.run()
    assert outcomes(done, "moulin-airbnb") == ["done", "failed", "done"]
    assert stage.open("airbnb/9876543")
    assert stage.left() == []


async def test_what_is_left_is_named_with_its_command_and_taken_away_by_it(stage: Stage) -> None:
    stage.sandbox.world.faults.add(Fault(FaultKind.DOWN, call="availability", after=1))
    done = await stage.run()
    assert not done.good
    assert outcomes(done, "moulin-booking")[-1] == "left"
    assert ("moulin-booking", "2028-02-27") in stage.left()
    assert "--take-away" in (stage.folder / "report.md").read_text()
    stage.sandbox.world.faults.clear()
    before = len(stage.writes())
    again = await stage.run(take_away=True)
    assert again.good
    assert stage.open("booking/123456701")
    assert stage.left() == []
    assert UNMARKED not in stage.writes()
    assert len(stage.writes()) - before == 2  # Booking.com's and Channex's: the outage was both's


async def test_a_night_sold_meanwhile_is_not_opened(stage: Stage) -> None:
    Ledger(stage.folder / "state.json").put("moulin-airbnb", FAR, 1)
    await stage.sandbox.desk.book(Platform.AIRBNB, [("9876543", StayDates.of_nights(FAR, 1))])
    await stage.run(take_away=True)
    assert stage.writes() == []
    assert stage.left() == []
    assert not stage.open("airbnb/9876543")


async def test_a_platform_that_answers_otherwise_is_told(stage: Stage) -> None:
    stage.sandbox.world.faults.add(Fault(FaultKind.REFUSE, call="calendar_write"))
    done = await stage.run()
    assert outcomes(done, "moulin-airbnb")[1] == "failed"
    assert stage.open("airbnb/9876543")


async def test_our_side_says_who_came(stage: Stage) -> None:
    """Greengo's importer fetches the closed night, then the empty calendar; Airbnb calls; strangers get nothing."""
    run = asyncio.create_task(stage.run(public="https://live.example.org"))
    address = await stage.address("moulin-greengo")
    base = address.partition("/export/")[0]

    async def ask(method: str, url: str, agent: str = "curl", body: bytes = b"") -> tuple[int, bytes]:
        answer = await stage.http.send(Request(method, url, {"User-Agent": agent}, body=body))
        return answer.status, answer.body

    assert await ask("GET", f"{base}/export/nobodys.ics") == (404, b"")
    assert await ask("POST", f"{base}/webhooks/airbnb/wrong") == (404, b"")
    assert stage.left()[0] == ("moulin-greengo", "2028-02-27")
    status, body = await ask("GET", address, "Greengo-Calendar/1.0")
    assert (status, b"DTSTART;VALUE=DATE:20280227" in body) == (200, True)
    status, body = await ask("GET", address, "Greengo-Calendar/1.0")
    assert b"BEGIN:VEVENT" not in body
    assert (await ask("POST", f"{base}/webhooks/airbnb/{HOOK}", body=fixture("airbnb/reservation.json")))[
        0
    ] == 200
    done = await asyncio.wait_for(run, 60)
    assert stage.left() == []
    assert verdicts(done)["importer"] == "held"
    text = (stage.folder / "report.md").read_text()
    assert "User-Agent: Greengo-Calendar/1.0" in text
    assert "webhook POST" in text


async def test_an_importer_that_calls_itself_otherwise_refutes_the_belief(stage: Stage) -> None:
    run = asyncio.create_task(stage.run(public="https://live.example.org", wait=0.3))
    address = await stage.address("moulin-greengo")
    await stage.http.send(Request("GET", address, {"User-Agent": "Mozilla/5.0 (some importer)"}))
    done = await run
    assert verdicts(done)["importer"] == "not held"
    assert not done.good
    # Nobody we know fetched it: the night may stand there, so it is on the list of what is left.
    assert [one.listing for one in done.left] == ["moulin-greengo"]


async def test_a_run_that_dies_leaves_its_nights_on_the_list(stage: Stage) -> None:
    run = asyncio.create_task(stage.run(public="https://live.example.org"))
    await stage.address("moulin-greengo")
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert stage.left() == [("moulin-greengo", "2028-02-27")]
    later = await stage.run(asked=False)
    assert outcomes(later, "moulin-greengo")[0] == "skipped"  # said at the top of the next report


async def test_no_secret_stands_in_what_is_said_or_written(stage: Stage) -> None:
    await stage.run()
    shown = "\n".join(
        [*stage.said, (stage.folder / "report.md").read_text(), (stage.folder / "report.json").read_text()]
    )
    secrets = [value for name, value in stage.live.secrets.items() if name != "SANDBOX_PORT"]
    assert [one for one in [*secrets, GREENGO, HOOK] if one in shown] == []
    assert (stage.folder / "report.md").stat().st_mode & 0o077 == 0


async def test_the_command_itself(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stage.live.secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIVE_WRITES", "0")
    monkeypatch.setattr(command, "_wall", lambda: NOW)
    given = [str(tmp_path / "live.yaml"), "--simulated", str(stage.port), "--folder", str(tmp_path / "cli")]
    assert await asyncio.to_thread(command.main, given) == 0
    assert stage.writes() == []
    assert (tmp_path / "cli" / "report.json").exists()


async def test_a_command_that_is_cut_off_names_what_it_left(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Ctrl-C does: between the closure and the opening."""
    given = Given(stage.live, tmp_path / "cut", asked=True, command="make live …")
    monkeypatch.setattr(command, "_wall", lambda: NOW)
    monkeypatch.setattr("local.live.writes.Writer.open_again", _never)
    work = asyncio.create_task(command._run(given, frozenset({stage.port})))
    while not stage.writes():
        await asyncio.sleep(0.01)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert "! moulin-airbnb 2028-02-27 → make live …" in capsys.readouterr().err


async def _never(*_: object) -> None:
    await asyncio.Event().wait()


async def test_an_address_with_nothing_to_wait_for_is_said_at_once(stage: Stage) -> None:
    stage.live = replace(
        stage.live, marked=frozenset(), secrets={**stage.live.secrets, "WEBHOOK_SECRET_AIRBNB": ""}
    )
    done = await asyncio.wait_for(stage.run(public="https://live.example.org"), 60)
    assert outcomes(done, "PUBLIC_BASE_URL") == ["skipped"]
    assert stage.writes() == []


def test_without_a_file_it_says_what_to_give_in_both_languages() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "local.live"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 2
    for words in ("Il lui faut", "It needs", "live_writes: yes", "LIVE_WRITES=1", "docs/live.md"):
        assert words in said.stderr


async def test_where_several_units_are_for_sale_nothing_is_written(stage: Stage) -> None:
    calendar = stage.sandbox.world.truth.calendars["booking/123456701"]
    calendar.listing = replace(calendar.listing, units=3)
    done = await stage.run()
    assert outcomes(done, "moulin-booking") == ["done", "skipped"]
    assert "booking 123456701" not in stage.writes()
