"""Forged forms are told from ours, by two proofs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web import csrf

PUBLIC = "https://console.example"


def test_a_mask_differs_each_time_and_always_fits() -> None:
    secret = csrf.new_secret()
    masks = {csrf.masked(secret) for _ in range(100)}
    assert len(masks) == 100
    assert all(csrf.fits(mask, secret) for mask in masks)


@given(st.text(max_size=120), st.text(max_size=60))
def test_nothing_else_fits_and_nothing_raises(token: str, secret: str) -> None:
    assert not csrf.fits(token, csrf.new_secret())
    assert not csrf.fits(csrf.masked(csrf.new_secret()), secret)


def test_an_empty_cookie_fits_no_token_at_all() -> None:
    assert not csrf.fits("", "")
    assert not csrf.fits(csrf.masked(""), "")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),  # a program
        ({"origin": "https://console.example", "host": "console.example"}, True),
        (
            {"origin": "https://console.example", "host": "inner.azurewebsites.net"},
            True,
        ),  # behind a front end
        ({"origin": "http://127.0.0.1:7071", "host": "127.0.0.1:7071"}, True),
        ({"origin": "https://evil.example", "host": "console.example"}, False),
        ({"origin": "https://console.example.evil.example", "host": "console.example"}, False),
        ({"origin": "null", "host": "console.example"}, False),
        ({"origin": "http://[", "host": "console.example"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),  # a neighbour under azurewebsites.net is a stranger
        ({"sec-fetch-site": "same-origin", "origin": "https://console.example"}, True),
        ({"sec-fetch-site": "none"}, True),
    ],
)
def test_whose_page_a_request_comes_from(headers: dict[str, str], ours: bool) -> None:
    assert csrf.is_ours(headers, PUBLIC) is ours


def test_only_what_no_browser_adds_unasked_cannot_be_forged() -> None:
    assert csrf.cannot_be_forged({"authorization": "Bearer x"})
    assert not csrf.cannot_be_forged({"authorization": "Bearer x", "cookie": "a=b"})
    assert not csrf.cannot_be_forged({})


@pytest.mark.parametrize("cookie", ["", "x" * 48, "4 " * 24, "é" * 48, "0" * 47])
def test_a_cookie_that_is_none_of_ours_is_replaced(cookie: str) -> None:
    assert not csrf.is_secret(cookie)
    assert csrf.is_secret(csrf.new_secret())
