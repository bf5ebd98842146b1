"""The corpus's strings in a real browser: it reads what our own reading of the page reads, and runs nothing. One batch
in a test run, all of them with PROVE=1; each string through every template stands in tests/web/test_strings.py."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from shared.use_cases import HttpAnswer
from shared.web.assets import assets
from tests.browser.chromium import FLAGS, executable
from tests.web.html_tree import read
from tests.web.support import Browser
from tests.web.test_strings import HOMES, Hamlet, hamlet, named, rounds

__all__ = ["hamlet"]

pytestmark = pytest.mark.e2e

PAGES = ("/", "/conflicts", "/removals", "/why", "/history", "/calendar", "/channels", "/links")
BATCHES = rounds() if os.environ.get("PROVE") else rounds()[:1]

_TEXTS = "[...document.querySelectorAll('bdi')].map((one) => one.textContent)"
_WATCH = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (e) => window.reports.push(e.violatedDirective));
"""


@contextmanager
def served(answers: dict[str, HttpAnswer]) -> Iterator[str]:
    """Answers by path on a loopback port; the address without a trailing slash."""

    class Desk(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path, HttpAnswer(404, b"", {"content-type": "text/plain"}))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name != "strict-transport-security":  # this is plain HTTP
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("number", range(len(BATCHES)))
def test_a_browser_shows_them_back_and_runs_nothing(hamlet: Hamlet, number: int) -> None:
    path = executable()
    clashes = [named(hamlet, f"h{n:02}", text) for n, text in enumerate(BATCHES[number])]
    assert len(clashes) == HOMES
    door = Browser(hamlet.engine, hamlet.run)
    wanted = [*PAGES, *(f"/conflicts/{name}" for name in clashes)]
    answers = {where: door.get(where) for where in wanted}
    statics = [f"/static/{one.name}" for one in assets().values()]
    problems: list[str] = []
    with served(answers | {where: door.get(where) for where in statics}) as base, sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page(locale="fr")
        page.add_init_script(_WATCH)
        page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: problems.append(f"script: {error}"))
        for where in wanted:
            assert answers[where].status == 200, where
            page.goto(base + where, wait_until="domcontentloaded")
            ours = [one.text for one in read(answers[where].body).every("bdi")]
            theirs = page.evaluate(_TEXTS)
            if theirs != ours:
                problems.append(f"{where}: the browser reads other texts")
            problems += [f"{where}: policy: {one}" for one in page.evaluate("window.reports")]
        browser.close()
    assert not problems
