"""Links, the portfolio, one person's data from the command line: what is secret or a name shows only where it must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.cli.trouble import A_PERSON, NO_ANSWER, OK, STOPPED, WRONG_USE
from shared.bootstrap.portfolio import YamlPortfolio
from shared.domain.facts import SeenStay
from shared.ports.portfolio import PortfolioText
from tests.engine.test_personal import JULY, sell
from tests.engine.village import HOME, Sold, Village
from tests.local.cli_bench import Bench
from tests.web.support import VIEWER, As

NAME = "Marie Dupont"
GREENGO_LINK = "https://greengo.example/x"


@pytest.fixture
def village() -> Iterator[Village]:
    """One whose guests have names, and whose portfolio can be written down."""
    built = Village()
    seen = built.airbnb.seen

    def with_guest(stay: Sold) -> SeenStay:
        return replace(seen(stay), guest="Marie D.")

    def texts() -> PortfolioText:
        return YamlPortfolio(frozenset())

    built.airbnb.seen = with_guest  # type: ignore[method-assign]
    object.__setattr__(built.engine.world, "portfolio_text", texts)
    yield built
    built.close()


def token(village: Village) -> str:
    """Of the address that opens our calendar for Greengo now."""
    return village.run(village.engine.world.sites.load(HOME)).listings[f"{HOME}-greengo"].token


# -------------------------------------------------------------------------------------------- links


def test_links_are_listed_without_an_address(bench: Bench, village: Village) -> None:
    result = bench("links")
    assert result.exit_code == OK
    for word in (f"{HOME}-greengo", "Gîte du Moulin", "donné", "greengo.example/…"):
        assert word in result.stdout
    assert token(village) not in result.stdout + json.dumps(bench.json("links"))
    assert GREENGO_LINK not in result.stdout


@pytest.mark.parametrize("which", ["1", f"{HOME}-greengo"])
def test_one_address_is_shown_on_demand_alone_on_its_line(bench: Bench, village: Village, which: str) -> None:
    result = bench("links", "show", which)
    assert result.exit_code == OK
    assert result.stdout == f"https://console.example/export/{token(village)}.ics\n"
    assert "Espace hôte" in result.stderr
    assert "Gîte du Moulin sur greengo" in result.stderr


def test_whoever_may_only_look_is_shown_no_address(bench: Bench, village: Village) -> None:
    bench.sign_in(As(VIEWER))
    result = bench("links", "show", "1")
    assert result.exit_code == A_PERSON
    assert token(village) not in result.output
    assert bench("links", "rotate", "1", "--yes").exit_code == NO_ANSWER


def test_a_new_address_is_given_after_a_yes_and_the_old_one_works_for_days(
    bench: Bench, village: Village
) -> None:
    before = token(village)
    assert bench("links", "rotate", "1", typed="non\n").exit_code == A_PERSON
    assert token(village) == before
    result = bench("links", "rotate", "1", "--days", "3", typed="oui\n")
    assert result.exit_code == OK
    assert token(village) in result.stdout
    assert token(village) != before
    assert "l’ancienne adresse marche jusqu’au 4 mars 2027" in result.stderr
    assert bench("links", "rotate", "1", "--days", "31").exit_code == WRONG_USE


def test_an_address_is_revoked_after_a_yes_and_that_needs_a_person(bench: Bench, village: Village) -> None:
    assert bench("links", "revoke", "1", typed="\n").exit_code == A_PERSON
    assert bench("links", "revoke", "1", "--yes").exit_code == OK
    assert token(village) == ""
    assert (bench("links").exit_code, "révoqué" in bench("links").stdout) == (A_PERSON, True)
    assert bench("links", "show", "1").exit_code == A_PERSON
    assert bench.json("links", "rotate", "1", "--yes")["address"].endswith(f"{token(village)}.ics")


def test_a_link_that_is_not_there_is_told_with_those_that_are(bench: Bench) -> None:
    for command in ("show", "rotate", "revoke"):
        result = bench("links", command, "nope")
        assert (result.exit_code, f"{HOME}-greengo" in result.stderr) == (WRONG_USE, True)
    assert "show, rotate, revoke, disconnect" in bench("links", "nope").stderr


# ---------------------------------------------------------------------------------------- portfolio


def test_the_portfolio_is_written_without_links_and_with_them_on_demand(bench: Bench, tmp_path: Path) -> None:
    shown = bench("portfolio", "export")
    assert shown.exit_code == OK
    assert "Gîte du Moulin" in shown.stdout
    assert GREENGO_LINK not in shown.stdout
    file = tmp_path / "portfolio.yaml"
    written = bench("portfolio", "export", "--links", "-o", str(file))
    assert (written.exit_code, written.stdout) == (OK, "")
    assert GREENGO_LINK in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    again = bench("portfolio", "export", "-o", str(file))
    assert (again.exit_code, "existe déjà" in again.stderr) == (WRONG_USE, True)
    assert bench("portfolio", "export", "-o", str(tmp_path / "no" / "x")).exit_code == WRONG_USE


def test_a_portfolio_is_taken_in_and_each_mistake_told_with_its_line(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    home = "\n".join(
        (
            "owners:",
            "  - {id: me, people: [{principal: me@example.org, role: operator, email: me@example.org}]}",
            "homes:",
            "  - id: phare",
            "    name: Le Phare",
            "    listings:",
            "      - {platform: airbnb, link: 'https://www.airbnb.fr/calendar/ical/1.ics?s=s3cret'}",
        )
    )
    file.write_text(home, encoding="utf-8")
    taken = bench("portfolio", "import", str(file))
    assert (taken.exit_code, taken.stderr) == (OK, "")
    assert "phare" in taken.stdout
    file.write_text(home.replace("platform: airbnb", "platform: nope"), encoding="utf-8")
    refused = bench("portfolio", "import", str(file))
    assert refused.exit_code == WRONG_USE
    assert "  7:" in refused.stderr
    assert "mine.yaml" in refused.stderr
    assert "s3cret" not in refused.output
    assert bench("portfolio", "import", str(tmp_path / "none")).exit_code == WRONG_USE


# ------------------------------------------------------------------------------------------- people


def test_a_person_is_erased_by_a_name_that_never_shows(bench: Bench, village: Village) -> None:
    stay = sell(village)
    result = bench("erase", typed=f"{NAME}\noui\n")
    assert result.exit_code == OK
    assert "1er–4 juillet 2027 (airbnb)" in result.stdout
    assert "Effacé : noms 1" in result.stdout.replace("\u202f", " ")
    assert "Marie" not in result.output
    assert "Dupont" not in result.output
    assert bench("erase", "--yes", typed=f"{NAME}\n").stdout == "Rien n’est gardé de cette personne.\n"
    fact = village.run(village.engine.world.sites.load(HOME)).reservations[f"airbnb|{stay.id}"]
    assert (fact.guest, fact.forgotten) == ("", True)
    assert village.booking.calendar.closed == set(JULY.nights())


def test_a_no_erases_nothing_and_a_script_says_yes_before(bench: Bench, village: Village) -> None:
    sell(village)
    assert bench("erase", typed=f"{NAME}\nnon\n").exit_code == A_PERSON
    assert bench("erase", typed=f"{NAME}\n").exit_code == STOPPED  # the input is over
    result = bench("erase", "--yes", "--json", typed=f"{NAME}\n")
    assert result.exit_code == OK
    found = json.loads(result.stdout.splitlines()[-1])
    assert (found["erased"]["names"], found["left"]["stays"]) == (1, 0)
    assert bench("erase", typed="M\n").exit_code == WRONG_USE


def test_a_name_cannot_be_given_on_the_line(bench: Bench, village: Village) -> None:
    result = bench("erase", NAME)
    assert result.exit_code == WRONG_USE
    assert NAME not in result.output


def test_what_is_kept_of_a_person_is_handed_out_into_a_file_of_ones_own(
    bench: Bench, village: Village, tmp_path: Path
) -> None:
    stay = sell(village)
    file = tmp_path / "marie.json"
    result = bench("export-person", "--reservation", stay.id, "-o", str(file))
    assert (result.exit_code, result.stdout) == (OK, "")
    (found,) = json.loads(file.read_text(encoding="utf-8"))["stays"]
    assert found["guest"] == "Marie D."
    assert file.stat().st_mode & 0o777 == 0o600
