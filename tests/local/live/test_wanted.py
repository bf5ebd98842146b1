"""What the reader gives, and what is made of it: marks, secrets, beliefs, and that nothing goes round the doors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.live.beliefs import BELIEFS, Seen, Verdict, judge
from local.live.ledger import Ledger
from local.live.wanted import NotGiven, read_env, read_live, read_marks
from local.live.words import Mask
from local.portfolio_rules import portfolio_rules
from shared.adapters.portfolio_yaml import PortfolioUnreadable

ROOT = Path(__file__).resolve().parents[3]
LIVE = ROOT / "local" / "live"
FILE = """\
owners: [{id: me, people: [{principal: me@example.org, role: operator}]}]
accounts: [{id: ours, platform: channex, secrets: {api_key: CHANNEX_API_KEY}}]
homes:
  - id: moulin
    name: Le Moulin
    listings:
      - {platform: channex, account: ours, unit: 'a:b', live_writes: %s}
      - {platform: ical, link: 'https://example.org/one.ics'}
"""


def marks(word: str) -> frozenset[str]:
    return read_marks((FILE % word).encode(), portfolio_rules(), "live.yaml")[1]


def test_only_a_plain_yes_is_a_mark() -> None:
    assert marks("yes") == {"moulin-channex"}
    assert marks("no") == frozenset()


@pytest.mark.parametrize("word", ["true", "Yes", "on", "maybe", "1", "[yes]", "''", "~"])
def test_what_is_doubtful_is_a_mistake_and_no_mark(word: str) -> None:
    with pytest.raises(PortfolioUnreadable, match=r"line 7, .*yes or no"):
        marks(word)


def test_a_mark_anywhere_else_is_a_mistake() -> None:
    text = FILE.replace("    name: Le Moulin", "    name: Le Moulin\n    live_writes: yes") % "no"
    with pytest.raises(PortfolioUnreadable, match="unknown field"):
        read_marks(text.encode(), portfolio_rules(), "live.yaml")


def test_an_ordinary_portfolio_has_no_marks_and_may_hold_none() -> None:
    from shared.adapters.portfolio_yaml import read_portfolio

    text = (FILE % "yes").encode()
    with pytest.raises(PortfolioUnreadable, match="unknown field"):
        read_portfolio(text, portfolio_rules())


def test_a_missing_secret_is_named_and_the_env_file_is_read(tmp_path: Path) -> None:
    path, env = tmp_path / "live.yaml", tmp_path / ".env"
    path.write_text(FILE % "no")
    with pytest.raises(NotGiven, match="CHANNEX_API_KEY"):
        read_live(path, {}, env, portfolio_rules())
    env.write_text("# keys\nexport CHANNEX_API_KEY='from=the file'\nnothing\n")
    assert read_env(env) == {"CHANNEX_API_KEY": "from=the file"}
    assert read_live(path, {}, env, portfolio_rules()).secrets["CHANNEX_API_KEY"] == "from=the file"
    given = read_live(path, {"CHANNEX_API_KEY": "first"}, env, portfolio_rules())
    assert given.secrets["CHANNEX_API_KEY"] == "first"
    assert "first" not in repr(given)


@pytest.mark.parametrize("path", [None, Path("nowhere.yaml")])
def test_without_a_file_it_says_what_to_give(path: Path | None, tmp_path: Path) -> None:
    with pytest.raises(NotGiven, match="Il lui faut"):
        read_live(path, {}, tmp_path / ".env", portfolio_rules())


def test_each_row_of_what_is_only_believed_has_its_check() -> None:
    page = (ROOT / "docs" / "limits.md").read_text("utf-8")
    table = page.partition("## What is only believed")[2].partition("Of Azure, likewise")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if re.match(r"\| (?!belief|---)", line)]
    first = [found[1] for row in rows if (found := re.search(r"`([^`]+)`", row))]
    assert len(first) == len(rows) > 5
    assert set(first) == {belief.where for belief in BELIEFS}


def test_one_observation_against_a_belief_outweighs_those_for_it() -> None:
    seen = [Seen("importer", True, "a"), Seen("importer", False, "b"), Seen("importer", True, "a")]
    judged = {one.belief.id: one for one in judge(seen)}
    assert judged["importer"].verdict is Verdict.NOT_HELD
    assert judged["importer"].said == ("a", "b")
    assert judged["vrbo-links"].verdict is Verdict.NOT_SEEN
    with pytest.raises(KeyError):
        judge([Seen("nowhere", True, "")])


def test_connectors_are_made_in_one_place_alone_and_behind_the_door() -> None:
    """Whoever makes one elsewhere in this command would go round the rule for writes."""
    makers = {
        path.name: text
        for path in LIVE.glob("*.py")
        if re.search(r"\bconnect\(|import_module|Connector\(", text := path.read_text("utf-8"))
        and path.name not in ("permit.py",)
    }
    assert makers.keys() == {"run.py"}
    made = re.findall(r"(?<![\w.])connect\(|(?<!Ical)Connector\(", makers["run.py"])
    assert made == ["connect("]
    assert "MarkedOnly(\n                connect(name, self._http" in makers["run.py"]


def test_no_other_command_tests_or_runs_it() -> None:
    """``make test`` and CI never touch a real platform."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert makefile.count("local.live") == 1
    assert "live" not in re.findall(r"^(?:test|prove|check|run|setup):.*$", makefile, re.MULTILINE)
    for name in (".ci/run", ".github/workflows/check.yml"):
        assert "make live" not in (ROOT / name).read_text("utf-8")
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert {"live.yaml", ".env"} <= set(ignored)


def test_the_memory_is_private_and_survives(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    ledger = Ledger(path)
    token = ledger.token("moulin-greengo")
    assert path.stat().st_mode & 0o077 == 0
    assert Ledger(path).token("moulin-greengo") == token
    assert Ledger(path).token("another") != token


def test_the_mask_takes_the_longer_secret_first() -> None:
    mask = Mask(["abcdefgh", "abcdefgh-ijkl", "abc"])
    assert mask("x abcdefgh-ijkl y abcdefgh z abc") == "x … y … z abc"
