"""What a browser would change of a text is written so that it does not."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from shared.domain.access import NOBODY
from shared.use_cases import Ask
from shared.web.escape import NO_SIGN, exact
from shared.web.render import Pages
from tests.web.html_tree import read


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "<b>\r&amp;", "\r"])
def test_a_carriage_return_is_written_as_a_reference(text: str) -> None:
    written = str(exact(text))
    assert "\r" not in written
    assert read(written.encode()).text == text


def test_a_zero_byte_becomes_a_sign_one_can_see() -> None:
    assert read(str(exact("a\x00<b>")).encode()).text == f"a{NO_SIGN}<b>"


@pytest.mark.parametrize("value", ["plain <b>", 7, None, Markup("<b>\r</b>"), "", "\u2028"])
def test_all_else_is_left_alone(value: object) -> None:
    assert exact(value) is value


def test_templates_write_so() -> None:
    page = Pages().page(Ask("GET", "/", person=NOBODY), "refused.html", 404, title="a\r<i>", said="b")
    tree = read(page.body)
    assert tree.one("h1").text == "a\r<i>"
    assert b"a&#13;&lt;i&gt;" in page.body
