"""Sliding windows against a platform that counts in every window there is."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Unreadable
from shared.resilience.rate_limit import (
    LONGEST_REFUSAL,
    PROPERTY,
    VALID,
    Grant,
    Grants,
    Limit,
    Want,
    left,
    refuse,
    settle,
    take,
    wait_for,
)
from shared.resilience.rate_limit_text import decode, encode

START = 1_800_000_000_000
TWO = (Limit(15, 1), Limit(120, 60))
WRITE = frozenset({"write"})


def most_in_a_window(calls: Sequence[int], span: int) -> int:
    """The most calls in any stretch that holds both its ends."""
    calls = sorted(calls)
    return max((place + 1 - bisect_left(calls, at - span) for place, at in enumerate(calls)), default=0)


def want(calls: int = 1, **more: object) -> Want:
    return Want(calls, "write", **({"urgent": True} | more))  # type: ignore[arg-type]


def test_the_counting_server_can_fail() -> None:
    assert most_in_a_window([0, 1000, 2001], 1000) == 2
    assert most_in_a_window([0, 10, 1000], 1000) == 3


@pytest.mark.parametrize("limits", [TWO, (Limit(10, 60),), (Limit(160, 60), Limit(2000, 3600))])
def test_under_saturation_hardly_a_call_is_lost_and_none_is_too_many(limits: tuple[Limit, ...]) -> None:
    grants, now, calls = Grants(), START, []
    length = 4 * 3_600_000 if limits[-1].seconds > 60 else 600_000
    while now < START + length:
        taken = take(grants, limits, now, want(7))
        grants = decode(encode(taken.grants))
        calls += [now] * taken.granted
        now += 0 if taken.granted else taken.wait
    for limit in limits:
        assert most_in_a_window(calls, limit.span) == limit.calls
    binding = min(limits, key=lambda limit: limit.calls / limit.seconds)
    allowed = binding.calls * (length // binding.span)
    assert len(calls) >= 0.97 * allowed
    assert len(encode(grants)) < 12_000


def test_a_wait_is_exact() -> None:
    full = take(Grants(), TWO, START, want(20))
    assert (full.granted, full.wait) == (15, 0)
    again = take(full.grants, TWO, START + 400, want())
    assert (again.granted, again.wait) == (0, 601)
    assert take(full.grants, TWO, START + 1000, want()).granted == 0
    assert take(full.grants, TWO, START + 1001, want()).granted == 1


def test_a_later_place_waits_for_whole_windows() -> None:
    limits = (Limit(10, 60),)
    full = take(Grants(), limits, START, want(10)).grants
    waits = [wait_for(full, limits, START, want(), place) for place in (1, 10, 11, 21)]
    assert waits == [60_001, 60_001, 120_002, 180_003]
    empty = [wait_for(Grants(), limits, START, want(), place) for place in (1, 10, 11)]
    assert empty == [0, 0, 60_001]


def test_operations_are_counted_where_they_belong() -> None:
    limits = (Limit(2, 60, operations=WRITE), Limit(3, 60))
    grants = take(Grants(), limits, START, want(5)).grants
    assert left(grants, limits[0], START) == 0
    assert left(grants, limits[1], START) == 1
    assert take(grants, limits, START, Want(5, "read")).granted == 1
    assert take(Grants(), limits[:1], START, Want(500, "read")).granted == 500


def test_one_call_in_fifty_is_left_to_the_urgent() -> None:
    limits = (Limit(100, 60),)
    patient = take(Grants(), limits, START, want(200, urgent=False))
    assert patient.granted == 98
    assert take(patient.grants, limits, START, want(urgent=False)).granted == 0
    assert take(patient.grants, limits, START, want(200)).granted == 2


def test_a_block_counts_to_its_end_and_once_settled_from_its_last_call() -> None:
    limits = (Limit(10, 60),)
    leased = take(Grants(), limits, START, want(10, host="one", block=1, until=START + VALID)).grants
    assert take(leased, limits, START + 60_001, want(host="two")).granted == 0
    assert take(leased, limits, START + VALID + 60_001, want(host="two")).granted == 1
    settled = settle(leased, "one", 1, used=4, last=START + 100)
    assert take(settled, limits, START + 200, want(10, host="two")).granted == 6
    assert take(settled, limits, START + 60_101, want(10, host="two")).granted == 10
    assert settle(leased, "one", 1, used=0, last=START) == Grants()
    assert settle(leased, "two", 1, used=0, last=START) == leased


def test_a_margin_makes_every_window_longer() -> None:
    limits = (Limit(1, 1),)
    grants = take(Grants(), limits, START, want(), 500).grants
    assert take(grants, limits, START, want(), 500).wait == 1501
    assert take(grants, limits, START + 1500, want(), 500).granted == 0
    assert take(grants, limits, START + 1501, want(), 500).granted == 1


def test_a_refusal_stops_everything_for_as_long_as_it_said() -> None:
    refused = refuse(Grants(), START, 30_000)
    taken = take(refused, TWO, START + 1, want())
    assert (taken.granted, taken.wait) == (0, 29_999)
    assert left(refused, TWO[0], START + 1) == 0
    assert take(refused, TWO, START + 30_000, want()).granted == 1
    assert refuse(refused, START, 5).refused_until == START + 30_000
    assert refuse(Grants(), START, 10**12).refused_until == START + LONGEST_REFUSAL


def test_a_clock_that_jumped_back_costs_one_window_not_an_hour() -> None:
    limits = (Limit(10, 60),)
    hour = 3_600_000
    grants = refuse(take(Grants(), limits, START + hour, want(10)).grants, START + hour, 10_000)
    mended = take(grants, limits, START, want())
    assert mended.granted == 0
    assert mended.grants != grants
    waited = take(mended.grants, limits, START + LONGEST_REFUSAL, want())
    assert waited.granted == 1
    same = take(mended.grants, limits, START + 1, want())
    assert same.grants is mended.grants


@st.composite
def stories(draw: st.DrawFn) -> tuple[tuple[Limit, ...], int]:
    sizes = draw(
        st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.5, 1, 5, 60])), min_size=1, max_size=3)
    )
    return tuple(Limit(calls, seconds) for calls, seconds in sizes), draw(st.integers(0, 2**32))


@given(stories())
def test_whatever_hosts_do_and_die_with_no_window_holds_one_call_too_many(
    story: tuple[tuple[Limit, ...], int],
) -> None:
    """Hosts with lagging clocks lease blocks, use some of them late, settle some and die with others; what they send
    takes its time. The server counts every window."""
    limits, seed = story
    chance = random.Random(seed)
    way, lag = chance.choice([0, 250]), chance.choice([0, 1250])
    arrived = run(limits, chance, way, lag, margin=way + lag)
    for limit in limits:
        assert most_in_a_window(arrived, limit.span) <= limit.calls


def test_without_the_margin_the_same_story_has_violations() -> None:
    limits = (Limit(5, 1), Limit(20, 5))
    bad = [
        most_in_a_window(run(limits, random.Random(seed), 250, 1250, margin=0), 1000) > 5
        for seed in range(20)
    ]
    assert any(bad)


class Host:
    """A host with its clock's lag, and the block it holds."""

    def __init__(self, name: str, lag: int) -> None:
        self.name, self.lag = name, lag
        self.block = self.left = self.used = self.last = self.until = 0


def run(limits: tuple[Limit, ...], chance: random.Random, way: int, lag: int, margin: int) -> list[int]:
    """When the calls arrive at the platform."""
    grants, now, arrived = Grants(), START, []
    hosts = [Host(f"h{number}", chance.randint(0, lag)) for number in range(3)]
    for _ in range(150):
        now += chance.choice([0, 0, 1, 20, 200, 999, 1000, 1001, 5000, 20_000])
        host = chance.choice(hosts)
        host.lag = chance.choice([host.lag] * 9 + [host.lag // 2])  # it learns better what time it is
        mine = now - host.lag
        if chance.random() < 0.1:  # it dies with its block, and another takes its place
            hosts[hosts.index(host)] = host = Host(f"{host.name}+", chance.randint(0, lag))
            mine = now - host.lag
        if not (host.left and mine <= host.until):
            grants = settle(grants, host.name, host.block, host.used, host.last)
            until = mine + chance.randint(0, VALID)
            block = want(chance.randint(1, 30), host=host.name, block=host.block + 1, until=until)
            taken = take(grants, limits, mine, block, margin)
            grants = decode(encode(taken.grants))
            if not taken.granted:
                continue
            host.block, host.left, host.until = block.block, taken.granted, until
            host.used, host.last = 0, mine
        sent = chance.randint(0, host.left)
        arrived += [now + chance.randint(0, way) for _ in range(sent)]
        host.left, host.used, host.last = host.left - sent, host.used + sent, mine
    return arrived


GRANTS = st.builds(
    Grants,
    st.lists(
        st.builds(
            Grant,
            st.integers(START - 10**9, START + 10**9),
            st.integers(1, 5000),
            st.sampled_from(["read", "write", "acknowledge"]),
            st.text(max_size=8),
            st.integers(0, 10**6),
        ),
        max_size=20,
    ).map(tuple),
    st.integers(0, START),
)


@given(GRANTS)
def test_the_text_says_it_all(grants: Grants) -> None:
    assert decode(encode(grants)) == grants


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[",
        "7",
        "[2,0,0,[]]",
        "[1,0,0,[[1,2]]]",
        '[1,0,0,[["x",1,"a","b",0]]]',
        "[1,0,1e999,[]]",
        "[" * 9999,
    ],
)
def test_any_other_text_is_told(text: str) -> None:
    with pytest.raises(Unreadable):
        decode(text)


def test_no_text_is_no_grants() -> None:
    assert decode("") == Grants()


def test_limits_say_what_they_are() -> None:
    names = [Limit(160, 60, operations=WRITE).name, Limit(10, 60, PROPERTY).name, Limit(200, 10).name]
    assert names == ["160/min write", "10/min a property", "200/10s"]
