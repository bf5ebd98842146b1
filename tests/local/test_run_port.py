"""The port that "make run" is told to take: any free one for 0, a word about one that no machine has."""

from __future__ import annotations

import errno
import socket

import pytest

from local import ports
from local.ports import free_port, is_free
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
@pytest.mark.parametrize("option", ["--port", "--sandbox-port"])
def test_a_port_no_machine_has_is_a_word_and_no_traceback(
    option: str, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([option, port])
    assert ended.value.code == 2
    assert f"{option}: from 0 to 65535" in capsys.readouterr().err


def test_a_port_for_later_is_none_that_an_outgoing_connection_is_lent() -> None:
    """One of those was free when it was chosen, and a test's connection had it when the host wanted it."""
    assert ports.END <= 32_768, "from there on Linux lends, where nobody has set it otherwise"
    assert {ports.FIRST <= free_port() < ports.END for _ in range(50)} == {True}


def test_a_port_for_later_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's and the platforms' are both chosen before either listens."""
    monkeypatch.setattr(ports, "_given", set())
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    monkeypatch.setattr(ports, "END", ports.FIRST + 2)
    assert {free_port(), free_port()} == {ports.FIRST, ports.FIRST + 1}
    with pytest.raises(OSError, match="no free port"):
        free_port()


def test_a_port_somebody_has_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as theirs:
        theirs.bind((ports.HOST, free_port()))
        theirs.listen()
        taken = theirs.getsockname()[1]
        monkeypatch.setattr(ports, "_given", set())
        monkeypatch.setattr(ports, "FIRST", taken)
        monkeypatch.setattr(ports, "END", taken + 1)
        assert not is_free(taken)
        with pytest.raises(OSError, match="no free port") as refused:
            free_port()
        assert refused.value.errno == errno.EADDRINUSE
