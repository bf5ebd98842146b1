"""What every channel needs of a notice: one line for a title, and text without signs that could be taken for more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from email.utils import parseaddr

from shared.domain.errors import AuthFailed, PayloadRejected, PlatformDown, RateLimited
from shared.ports.http import Response
from shared.ports.people import Notice

MOST_TITLE = 120
"""Characters of a title: more than any phone or mail list shows."""

_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")


def languages(notice: Notice, wanted: str = "") -> Sequence[str]:
    """The languages to tell it in: the wanted one where there is a text in it, else all there are, French first."""
    if wanted in notice.text:
        return (wanted,)
    return sorted(notice.text, key=lambda name: (name != "fr", name))


def body(notice: Notice, wanted: str = "") -> str:
    """The text in these languages, one under the other, and the link."""
    texts = [tame(notice.text[name]) for name in languages(notice, wanted)]
    return "\n\n".join([*(text for text in texts if text), *([one_line(notice.link)] if notice.link else [])])


def title(notice: Notice, wanted: str = "") -> str:
    """The beginning of the text in the first language, on one line."""
    names = languages(notice, wanted)
    line = one_line(notice.text[names[0]]) if names else notice.kind
    return line if len(line) <= MOST_TITLE else f"{line[: MOST_TITLE - 1].rstrip()}…"


def tame(text: str) -> str:
    """Without control signs (line breaks and tabs stay), marks that turn the writing direction, and halves of pairs."""
    return "".join(sign for sign in text.replace("\r\n", "\n") if sign in "\n\t" or not _is_wild(sign))


def one_line(text: str) -> str:
    """On one line: a header field, or a title, ends where the line ends. Blanks that keep French signs with their word
    stay as they are."""
    return _BLANKS.sub(" ", tame(_BLANKS.sub(" ", text))).strip()


def _is_wild(sign: str) -> bool:
    # Cf holds the direction marks, and the joiners that emoji are made of: those may stay.
    kind = unicodedata.category(sign)
    return kind in ("Cc", "Cs", "Zl", "Zp") or (kind == "Cf" and sign not in "\u200c\u200d")


def plain_id(notice: Notice) -> str:
    """The notice's id as any header may hold it."""
    return (
        "".join(one for one in notice.id if one.isascii() and (one.isalnum() or one in "-_"))[:64] or "none"
    )


def is_address(text: str) -> bool:
    """Whether it is one plain e-mail address, with nothing round it and no room for a second one or a header."""
    name, sign, domain = text.rpartition("@")
    plain = text.isprintable() and not any(mark in ' ,;:<>()[]"\\' for mark in text)
    return bool(plain and name and sign and "." in domain and "@" not in name and parseaddr(text)[1] == text)


def check_taken(host: str, answer: Response) -> None:
    """Whether a 2xx came back; else raises what the port ``Channel`` says, without a word of the other side's body."""
    if 200 <= answer.status < 300:
        return
    what = f"{host} answered {answer.status}"
    if answer.status == 429:
        raise RateLimited(what)
    if answer.status in (401, 403):
        raise AuthFailed(what)
    if answer.status >= 500 or answer.status == 408:
        raise PlatformDown(what)
    raise PayloadRejected(what)
