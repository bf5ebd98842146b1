"""The port that "make run" is told to take: any free one for 0, a word about one that no machine has."""

from __future__ import annotations

import socket

import pytest

from local.run import main
from local.run_stack import PortTaken, choose_port


def test_port_0_is_any_free_one() -> None:
    """It was taken for none at all, and the answer was that 7071 is taken."""
    said: list[str] = []
    assert choose_port(0, "the host", said.append, must=True) > 0
    assert said == []


def test_a_port_somebody_has_is_named() -> None:
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        theirs.listen()
        taken = theirs.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {taken} for the host is taken"):
            choose_port(taken, "the host", lambda _: None, must=True)


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_a_port_no_machine_has_is_a_word_and_no_traceback(
    port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", port])
    assert ended.value.code == 2
    assert "--port: from 0 to 65535" in capsys.readouterr().err
