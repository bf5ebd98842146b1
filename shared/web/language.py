"""Which language a page is written in: the browser's choice here, else the person's, else what the browser prefers,
else French."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.spoken import LANGUAGES

COOKIE = "language"


def spoken_by(headers: Mapping[str, str], sent: Mapping[str, str]) -> str:
    """By the cookie, else by what the browser asks for."""
    chosen = sent.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """The first of our languages by the weights of an Accept-Language header (RFC 9110, 12.5.4); French without."""
    weighed: list[tuple[float, int, str]] = []
    for place, one in enumerate(header.split(",")[:50]):
        name, _, weight = one.strip().partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and (value := _weight(weight)) > 0:
            weighed.append((-value, place, language))
    return min(weighed)[2] if weighed else "fr"


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
