"""What keeps a command from doing what was asked, and the codes a command ends with."""

from __future__ import annotations

OK, A_PERSON, WRONG_USE, NO_ANSWER, STOPPED = 0, 1, 2, 3, 130
"""Nothing to do; something needs a person; the command was misused; the app refused or did not answer; Ctrl-C."""


class Trouble(Exception):
    """Ends a command with a code and a sentence: the text ``key`` of ``local.cli.words``, filled with ``values``."""

    def __init__(self, code: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.code = code
        self.key = key
        self.values = values
