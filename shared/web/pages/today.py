"""The first page: what needs me, else that all is well."""

from __future__ import annotations

from shared.use_cases import Ask, HttpAnswer
from shared.web.desk import Desk


async def show(desk: Desk, ask: Ask) -> HttpAnswer:
    """What needs a person, worst first."""
    return desk.pages.page(ask, "today.html")
