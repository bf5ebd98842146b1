"""Side by side: in order, some at once, and nothing goes on behind the back of whoever was told of a failure."""

from __future__ import annotations

import asyncio

import pytest

from shared.engine.side_by_side import AT_ONCE, side_by_side


class Doing:
    """Begins, gives others their turn twice, ends; what is in ``bad`` fails."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.begun, self.over, self.most = bad, list[int](), list[int](), 0

    async def __call__(self, number: int) -> int:
        self.begun.append(number)
        self.most = max(self.most, len(self.begun) - len(self.over))
        await asyncio.sleep(0)
        if number in self.bad:
            self.over.append(number)
            raise ValueError(number)
        await asyncio.sleep(0)
        self.over.append(number)
        return 2 * number


async def test_what_comes_of_many_comes_in_their_order_and_not_all_at_once() -> None:
    doing = Doing()
    assert await side_by_side(doing, range(100)) == [2 * number for number in range(100)]
    assert doing.most == AT_ONCE
    assert await side_by_side(doing, []) == []


async def test_after_a_failure_what_has_begun_ends_and_nothing_else_begins() -> None:
    """The rest used to go on unseen, five seconds each where the tables are away."""
    doing = Doing(3)
    with pytest.raises(ValueError, match="3"):
        await side_by_side(doing, range(100))
    assert len(doing.begun) <= 2 * AT_ONCE
    assert sorted(doing.over) == sorted(doing.begun)
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(doing.over) == sorted(doing.begun)


async def test_where_none_may_be_left_out_all_have_their_turn_before_the_failure_is_raised() -> None:
    doing = Doing(3, 5)
    with pytest.raises(ValueError, match="3"):
        await side_by_side(doing, range(100), at_once=8, go_on=True)
    assert sorted(doing.over) == list(range(100))
    assert doing.most == 8
