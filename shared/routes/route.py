"""What a route of the console is: plain data, cheap to import, from which the functions, the OpenAPI document and the
test of who may call what are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.domain.access import Right


@dataclass(frozen=True, slots=True)
class Route:
    """One address people or their programs call.

    ``name`` is the function's; ``path`` as the Functions host reads it, without a leading slash (``api/jobs/{id}``);
    ``handler`` is "module:function" inside ``shared.web``, imported at the first call only, since every import is paid
    at a cold start. ``summary`` says in a few words what it does. Routes under ``api/`` speak JSON, others are pages.
    ``asks``, ``takes`` and ``gives`` are "module:Model" inside ``shared.web.api``: what the body must be, which
    parameters there are, and what a good answer is (or, with a slash in it, the kind of a text); empty where there is
    none. ``status`` is a good answer's, ``also`` are those it may have beside what every route may. ``ticks``: a page
    asks there, again and again, whether there is news, and is told no more than that; see ``Door``.
    """

    name: str
    method: str
    path: str
    right: Right
    handler: str
    summary: str
    asks: str = ""
    gives: str = ""
    takes: str = ""
    status: int = 200
    also: tuple[int, ...] = ()
    ticks: bool = False

    @property
    def is_page(self) -> bool:
        """Whether a person's browser calls it, rather than a program."""
        return not self.path.startswith("api/")

    @property
    def changes(self) -> bool:
        """Whether it may change anything: a GET never does."""
        return self.method != "GET"
