"""What the answers of the control API are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Nights = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$",
        description="Day of arrival and day of departure",
        examples=["2027-07-10/2027-07-13"],
    ),
]
Mode = Literal["auto", "real_time", "batch", "manual"]


class Answer(BaseModel):
    """An answer, or a part of one. A later release may add fields, so a client takes what it knows."""

    model_config = ConfigDict(populate_by_name=False)


class Said(Answer):
    """A sentence in both languages."""

    fr: str
    en: str


class Problem(Answer):
    """What went wrong (RFC 9457). ``detail`` names the field; ``reason`` is one word for programs and ``said`` the
    sentence for people, where there are such; ``correlation`` finds the story in the log."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str | None = None
    reason: str | None = None
    said: Said | None = None
    correlation: str


class LineProblem(Answer):
    """Something to mend in a text, by its place; 0 where it is about no place."""

    line: int
    column: int
    field: str
    text: str


class TextProblem(Problem):
    """A text that cannot be taken, with everything that is wrong with it."""

    problems: list[LineProblem] | None = None
