"""What each command shows and does, beside the real console and engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.cli.screen import plain
from local.cli.session import Tools
from local.cli.trouble import A_PERSON, NO_ANSWER, OK, STOPPED, WRONG_USE
from shared.connectors.ical_export import write_calendar
from shared.domain.access import Person
from shared.domain.dates import StayDates
from shared.domain.model import SyncMode
from shared.domain.platform import AIRBNB
from shared.memory.http import MemoryHttp
from shared.ports.http import Request, Response
from tests.engine.people import operator
from tests.engine.stories import AUGUST, JULY, LATER, cancelled, hear, moved, polled, pulled, sold, told
from tests.engine.test_conflict_room import sold_twice
from tests.engine.village import HOME, Village
from tests.local.cli_bench import PORT, Bench, answering
from tests.security.corpus import load
from tests.web.support import STRANGER, As

EVIL = "\x1b]0;owned\x07\x9b31m\u202e"


def poisoned(village: Village) -> None:
    """A body from Airbnb that nobody can read."""
    village.run(village.engine.inbox.receive(AIRBNB, b"no json"))
    village.run(village.drain())


# ------------------------------------------------------------------------------------------ status


def test_all_is_well_is_one_calm_line_and_code_0(bench: Bench, village: Village) -> None:
    told(village, "airbnb", JULY)
    pulled(village)
    polled(village)
    village.clock.advance(timedelta(seconds=90))
    result = bench("status")
    assert result.exit_code == OK
    assert result.stdout.startswith("Tout est synchronisé.\n")
    for word in ("Airbnb", "Booking.com", "Greengo", "temps réel"):
        assert word in result.stdout
    assert "Everything is in step." in bench("status", language="en").stdout


def test_what_only_needs_time_is_neither_well_nor_anybodys_work(bench: Bench, village: Village) -> None:
    pulled(village)
    told(village, "airbnb", JULY)
    result = bench("status")
    assert result.exit_code == OK
    assert result.stdout.startswith("Rien ne vous attend.\n")


def test_what_no_platform_ever_fetched_needs_a_person_as_on_the_first_page(bench: Bench) -> None:
    result = bench("status")
    assert result.exit_code == A_PERSON
    assert "Canaux à réparer\n    • greengo n’a encore jamais lu notre calendrier." in result.stdout
    assert "Collez notre lien chez greengo" in result.stdout


def test_what_needs_a_person_stands_on_top_and_ends_with_1(bench: Bench, village: Village) -> None:
    sold_twice(village)
    poisoned(village)
    pulled(village)
    result = bench("status")
    assert result.exit_code == A_PERSON
    assert "Gîte du Moulin, 10–13 juillet 2027" in result.stdout
    assert "2 choses vous attendent" in result.stdout
    assert "Messages que personne n’a pu traiter" in result.stdout
    found = bench.json("status", code=A_PERSON)
    assert [one["kind"] for one in found["needs"]] == ["conflicts", "messages"]
    assert found["status"]["sites"][0]["id"] == HOME


def test_trouble_of_the_engine_itself_needs_a_person_with_what_to_do(bench: Bench, village: Village) -> None:
    late = village.clock.now() - timedelta(minutes=9)
    village.run(village.engine.world.due.put("another site", late, "a test"))
    result = bench("status")
    assert result.exit_code == A_PERSON
    assert "Le moteur lui-même\n    • Le site another site attend depuis plus de 5 minutes" in result.stdout
    assert "le balayage aurait dû le prendre en 15 s." in " ".join(result.stdout.split())


def test_a_night_to_close_by_hand_is_listed(bench: Bench, village: Village) -> None:
    village.run(village.engine.mode_desk.choose(operator("Claire"), "booking", SyncMode.MANUAL))
    sold(village, "airbnb", JULY)
    hear(village)
    village.run(village.drain())
    result = bench("status")
    assert result.exit_code == A_PERSON
    assert (
        "À fermer à la main\n    • booking, Gîte du Moulin, 10–13 juillet 2027 (le canal est en pause, par choix)"
        in result.stdout
    )
    assert "10–13 juillet 2027" in result.stdout
    assert "manuel" in result.stdout


def test_a_stranger_sees_an_engine_without_homes(bench: Bench) -> None:
    bench.sign_in(As(STRANGER))
    shown = bench("status")
    assert "Moulin" not in shown.stdout + bench("conflicts").stdout
    assert shown.exit_code == A_PERSON, "a watch whose rights were taken away is not well"
    assert shown.stdout.startswith("Aucun logement ne vous est confié.\n  Connectez un premier calendrier")
    assert f"127.0.0.1:{PORT}/connect" in shown.stdout
    assert "synchronisé" not in shown.stdout
    assert "Everything is in step" not in bench("status", language="en").stdout
    assert bench("why", HOME, "2027-07-10").exit_code == WRONG_USE


def test_whoever_looks_after_no_home_is_refused(bench: Bench) -> None:
    bench.sign_in(As(Person("Zoé")))
    assert bench("status").exit_code == NO_ANSWER


# -------------------------------------------------------------------------------------- why, code


def test_why_tells_the_night_and_with_chain_each_step(bench: Bench, village: Village) -> None:
    sold(village, "airbnb", JULY)
    hear(village)
    short = bench("why", HOME, "10/07/2027")
    whole = bench("why", HOME, "2027-07-10", "--chain")
    assert (short.exit_code, whole.exit_code) == (OK, OK)
    assert "Gîte du Moulin, nuit du 10 juillet 2027" in short.stdout
    assert len(whole.stdout.splitlines()) > len(short.stdout.splitlines())
    assert bench.json("why", HOME, "2027-07-10")["night"] == "2027-07-10"


def test_the_code_is_the_one_that_signs_in_next(bench: Bench, village: Village) -> None:
    result = bench("code")
    assert result.stdout.strip() == village.run(bench.keys.code())
    assert "/sign-in" in result.stderr
    assert bench.json("code") == {"code": result.stdout.strip()}


def test_on_azure_there_is_no_code(bench: Bench) -> None:
    bench.sign_in(As(operator("Claire")), keys=False)
    result = bench("code")
    assert (result.exit_code, "Azure" in result.stderr) == (WRONG_USE, True)


# ---------------------------------------------------------------------------------------- conflicts


def test_no_double_booking_is_code_0_and_an_undecided_one_is_code_1(bench: Bench, village: Village) -> None:
    assert bench("conflicts").exit_code == OK
    first, _ = sold_twice(village)
    result = bench("conflicts")
    assert result.exit_code == A_PERSON
    for word in ("Gîte du Moulin", "10–13 juillet 2027", "airbnb + booking", "nouveau"):
        assert word in result.stdout
    cancelled(village, "airbnb", first)
    assert bench("conflicts").exit_code == OK
    assert "résolu" in bench("conflicts", "--all").stdout


def test_both_stays_are_shown_with_what_can_be_done_and_the_choice_is_made(
    bench: Bench, village: Village
) -> None:
    sold_twice(village)
    result = bench("resolve", typed="1\n")
    assert result.exit_code == OK
    for word in ("vendu deux fois", "Encore en vente sur greengo", "Pourquoi", "Coût", "Ensuite", "décidé"):
        assert word in result.stdout
    (clash,) = bench.json("conflicts")["conflicts"]
    assert clash["decision"]["by"] == "local"


def test_pressing_enter_changes_nothing(bench: Bench, village: Village) -> None:
    sold_twice(village)
    result = bench("resolve", typed="\n")
    assert (result.exit_code, "Rien n’a été décidé" in result.stdout) == (A_PERSON, True)
    ended = bench("resolve")  # the input is over: Ctrl-D
    assert (ended.exit_code, "rien n’a été fait" in ended.stderr) == (STOPPED, True)
    assert bench("resolve", typed="99\n").exit_code == WRONG_USE
    assert bench.json("conflicts", code=A_PERSON)["conflicts"][0]["decision"] is None


def test_of_several_the_one_meant_is_asked_for(bench: Bench, village: Village) -> None:
    sold_twice(village)
    sold_twice(village, AUGUST)
    assert bench("resolve", typed="2\n1\n").exit_code == OK
    july, august = sorted(bench.json("conflicts", code=A_PERSON)["conflicts"], key=lambda one: one["nights"])
    assert [bool(one["decision"]) for one in (july, august)] == [False, True]
    assert bench("resolve", "1", "--acknowledge").exit_code == OK
    assert bench("resolve", "7", "--acknowledge").exit_code == WRONG_USE
    assert bench("resolve", "--json").exit_code == WRONG_USE


def test_a_script_names_conflict_proposal_and_note(bench: Bench, village: Village) -> None:
    sold_twice(village)
    (clash,) = bench.json("conflicts", code=A_PERSON)["conflicts"]
    assert bench("resolve", clash["id"], "--json").exit_code == WRONG_USE
    read = bench.json("conflicts", "1", code=A_PERSON)
    assert read["id"] == clash["id"]
    chosen = ("--proposal", read["proposals"][0]["id"], "--etag", read["etag"])
    assert bench("resolve", clash["id"], "--proposal", "1").exit_code == A_PERSON  # what is first changes
    decided = bench.json("resolve", clash["id"], *chosen, "--note", "vu")
    assert (decided["state"], decided["decision"]["note"]) == ("decided", "vu")
    late = bench("resolve", clash["id"], *chosen)
    assert (late.exit_code, "Déjà décidé par local" in late.stderr) == (A_PERSON, True)


def test_one_double_booking_is_shown_whole_without_asking(bench: Bench, village: Village) -> None:
    sold_twice(village)
    result = bench("conflicts", "1")
    assert (result.exit_code, result.stderr) == (A_PERSON, "")
    for word in ("vendu deux fois", "Pourquoi", "10–13 juillet 2027 : nouveau"):
        assert word in result.stdout.replace("\u202f", " ")
    assert bench("conflicts", "2").exit_code == bench("conflicts", "nope").exit_code == WRONG_USE


def test_somebody_who_was_faster_is_named_and_nothing_is_overwritten(bench: Bench, village: Village) -> None:
    sold_twice(village)

    def meanwhile(request: httpx.Request) -> None:
        """Marc decides while Claire reads."""
        if request.url.path.startswith("/api/conflicts/"):
            bench.way.after = lambda _: None
            name = request.url.path.rpartition("/")[2]
            cases, marc = village.engine.cases, operator("Marc")
            read = village.run(cases.shown(marc, name))
            village.run(cases.decide(marc, name, read.proposals[-1].id, "", read.tag))

    bench.way.after = meanwhile
    result = bench("resolve", typed="1\n")
    assert result.exit_code == A_PERSON
    assert "Déjà décidé par Marc" in result.stderr
    (clash,) = bench.json("conflicts")["conflicts"]
    assert clash["decision"]["by"] == "Marc"


def test_facts_that_changed_are_said_and_the_person_decides_anew(bench: Bench, village: Village) -> None:
    first, _ = sold_twice(village)

    def meanwhile(request: httpx.Request) -> None:
        if request.url.path.startswith("/api/conflicts/"):
            bench.way.after = lambda _: None
            moved(village, "airbnb", first, LATER)

    bench.way.after = meanwhile
    result = bench("resolve", typed="1\n1\n")
    assert "Les faits ont changé" in result.stderr
    assert "12–13 juillet 2027" in result.stdout
    assert result.exit_code == OK
    assert bench.json("conflicts")["conflicts"][0]["decision"]["by"] == "local"


def test_a_decision_about_what_is_over_meanwhile_shows_that_it_is(bench: Bench, village: Village) -> None:
    first, _ = sold_twice(village)

    def meanwhile(request: httpx.Request) -> None:
        if request.url.path.startswith("/api/conflicts/"):
            bench.way.after = lambda _: None
            cancelled(village, "airbnb", first)

    bench.way.after = meanwhile
    result = bench("resolve", typed="1\n")
    assert (result.exit_code, "résolu" in result.stdout) == (OK, True)


# -------------------------------------------------------------------------------------------- sync


def test_a_synchronisation_is_followed_to_its_end(bench: Bench) -> None:
    result = bench("sync")
    assert result.exit_code == OK
    assert "Terminé en" in result.stdout
    assert "Booking.com" in result.stdout
    assert "Étapes" in result.stderr
    job = bench.json("sync", "--home", HOME)
    assert (job["state"], job["property"]) == ("done", HOME)


def test_a_step_that_failed_is_named_and_ends_with_1(bench: Bench, village: Village) -> None:
    village.booking.faults.down = True
    result = bench("sync", "--mode", "manual", "--platform", "booking")
    assert result.exit_code == A_PERSON
    assert "Échec, observe booking" in result.stdout


def test_ctrl_c_leaves_the_job_running_and_says_how_to_follow_it(bench: Bench) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    bench.tools = replace(bench.tools, sleep=pressed)
    result = bench("sync")
    assert result.exit_code == STOPPED
    job = bench.way.asked[-1].url.path.rpartition("/")[2]
    assert f"sync --job {job}" in result.stderr
    bench.tools = replace(bench.tools, sleep=bench.turn)
    assert bench.json("sync", "--job", job)["state"] == "done"


def test_ctrl_c_while_the_engine_is_asked_says_that_it_may_go_on(bench: Bench) -> None:
    def pressed(_: httpx.Request) -> None:
        raise KeyboardInterrupt

    bench.way.after = pressed
    result = bench("sync")
    assert (result.exit_code, "continue peut-être" in result.stderr) == (STOPPED, True)


def test_a_job_that_is_only_started_is_named(bench: Bench) -> None:
    job = bench.json("sync", "--no-wait")["job"]
    assert job in bench("sync", "--no-wait").stdout  # the same wish is the same job while it runs
    assert bench("sync", "--job", "nope").exit_code == WRONG_USE


def test_a_host_that_starts_anew_meanwhile_is_waited_for_and_one_that_is_gone_is_not(bench: Bench) -> None:
    job = bench.json("sync", "--no-wait")["job"]
    bench.way.broken = [httpx.ConnectError("x"), httpx.ReadTimeout("x")]
    assert bench("sync", "--job", job).exit_code == OK
    bench.way.broken = [httpx.ConnectError("x") for _ in range(20)]
    gone = bench("sync", "--job", job)
    assert gone.exit_code == NO_ANSWER
    assert f"sync --job {job}" in gone.stderr
    asked = len(bench.way.asked)
    bench.sign_in(As(Person("Zoé")))
    bench.way.broken = []
    assert bench("sync", "--job", job).exit_code == NO_ANSWER  # a refusal will not change by itself
    assert len(bench.way.asked) == asked + 1


# ------------------------------------------------------------------------------------------- replay


def test_what_nobody_could_process_is_listed_and_tried_again_by_its_number(
    bench: Bench, village: Village
) -> None:
    assert bench("replay").exit_code == OK
    poisoned(village)
    listed = bench("replay")
    assert listed.exit_code == A_PERSON
    assert "airbnb" in listed.stdout
    assert "no json" not in listed.stdout
    assert "Reparti" in bench("replay", "1").stdout
    village.run(village.drain())
    (again,) = bench.json("replay", code=A_PERSON)["quarantine"]
    assert bench("replay", again["id"]).exit_code == OK


# --------------------------------------------------------------------------------------- check-feed

LINK = "https://www.airbnb.fr/calendar/ical/12345678.ics?s=s3cret"


def calendar(body: bytes, status: int = 200) -> MemoryHttp:
    http = MemoryHttp()

    async def answer(_: Request) -> Response:
        return Response(status, {"content-type": "text/calendar"}, body)

    http.on("GET", "https://www.airbnb.fr/", answer)
    return http


def test_a_link_is_looked_into_without_an_engine_and_never_repeated(bench: Bench) -> None:
    ahead = StayDates.parse("2099-07-10/2099-07-13")
    body = write_calendar([(ahead, "1")], seed="x", name="x", domain="x.example", language="en")
    bench.calendars(calendar(body))
    bench.settings.unlink()
    for result in (bench("check-feed", LINK), bench("check-feed", typed=f"{LINK}\n")):
        assert result.exit_code == OK
        assert "10–13 juillet 2099" in result.stdout
        assert "Airbnb" in result.stdout
        assert "s3cret" not in result.output
    found = bench.json("check-feed", LINK)
    assert (found["usable"], found["platform"], len(found["taken"])) == (True, "airbnb", 1)
    assert bench.way.asked == []


@pytest.mark.parametrize(
    ("status", "said"), [(404, "existe pas"), (500, "ne répond pas"), (200, "pas par un")]
)
def test_a_link_that_cannot_be_used_says_why(bench: Bench, status: int, said: str) -> None:
    bench.calendars(calendar(b"<html>", status))
    result = bench("check-feed", LINK)
    assert result.exit_code == A_PERSON
    assert said in result.stdout
    assert "s3cret" not in result.output
    assert bench.json("check-feed", LINK, code=A_PERSON)["usable"] is False


def test_an_engine_that_is_named_looks_itself_and_knows_its_own_addresses(
    bench: Bench, village: Village
) -> None:
    there = ("--at", f"http://127.0.0.1:{PORT}")
    found = bench.json("check-feed", "https://greengo.example/x", *there)
    assert (found["usable"], found["host"]) == (True, "greengo.example/…")
    assert bench.way.asked[-1].url.path == "/api/feeds/check"
    token = village.run(village.engine.world.sites.load(HOME)).listings[f"{HOME}-greengo"].token
    ours = bench("check-feed", f"https://console.example/export/{token}.ics", *there)
    assert (ours.exit_code, "nous publions" in ours.stdout, token in ours.output) == (A_PERSON, True, False)
    village.greengo.faults.down = True
    assert bench("check-feed", "https://greengo.example/x", *there).exit_code == A_PERSON


def test_a_pause_that_the_engine_asks_for_is_kept(bench: Bench) -> None:
    slept: list[float] = []
    busy = httpx.Response(429, json={"detail": "slow"}, headers={"retry-after": "7"})
    bench.tools = Tools(answering(busy), sleep=slept.append)
    assert bench("sync", "--job", "x").exit_code == NO_ANSWER
    assert set(slept) == {7}


# ------------------------------------------------------------------------------------ foreign text


def test_nothing_a_terminal_obeys_gets_through() -> None:
    assert plain(EVIL) == "�]0;owned��31m�"
    for kept in ("un\u202f: deux\u00a0€", "👩‍💻 é ﷽", "日本語 العربية"):
        assert plain(kept) == kept
    for name in ("blns", "xss", "crlf"):
        for one in load(f"strings/{name}.json"):
            shown = plain(one)
            assert not [sign for sign in shown if sign < " " or "\x7f" <= sign <= "\x9f"], one
            assert len(shown) == len(" ".join(one.split("\n")))


def test_no_answer_carries_an_escape_to_the_terminal(bench: Bench) -> None:
    side: dict[str, Any] = {"platform_name": EVIL, "booking": EVIL, "nights_text": {"fr": EVIL}}
    clash = {"home_name": EVIL, "nights_text": {"fr": EVIL}, "state": "new", "id": EVIL, "sides": [side]}
    clash |= {"state_text": {"fr": EVIL}, "severity_text": {"fr": EVIL}}
    account = {"platform": EVIL, "paused": EVIL, "mode": EVIL, "id": EVIL}
    value = {"conflicts": [clash], "accounts": [account], "code": EVIL, "text": {"fr": EVIL}, **clash}
    value |= {"quarantine": [{"id": EVIL, "source": EVIL, "reason": EVIL}], "bus": EVIL}
    bench.tools = Tools(answering(httpx.Response(200, json=value)))
    lines = (
        ["status"],
        ["conflicts"],
        ["code"],
        ["why", "x", "2027-01-01"],
        ["status", "--json"],
        ["replay"],
    )
    for line in (*lines, ["resolve", "x", "--acknowledge"]):
        output = bench(*line).output
        assert "owned" in output or line[0] == "code", line
        assert plain(output.replace("\n", " ")) == output.replace("\n", " "), line


def test_what_another_release_answers_breaks_nothing(bench: Bench) -> None:
    for value in ({}, {"conflicts": 7, "accounts": ["x"], "sites": None, "at": "no", "quarantine": {}}):
        bench.tools = Tools(answering(httpx.Response(200, json=value)))
        for line in (["status"], ["conflicts"], ["code"], ["why", "x", "2027-01-01"], ["replay"]):
            assert bench(*line).exit_code == OK
        assert bench("resolve", "x").exit_code == OK
