"""Signed webhooks against published vectors: what is right gets in; what is not never breaks anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.connectors.registry import PLATFORMS
from shared.connectors.webhook_signature import (
    MOST_SIGNATURES,
    SCHEMES,
    TOLERANCE,
    StandardWebhooks,
    matches,
    read_key,
    verifier,
)
from shared.domain.errors import PayloadRejected
from tests.security.corpus import load

NAME = "webhooks/standard_webhooks.json"
KEY = "whsec_" + base64.b64encode(b"an invented key of 32 bytes here").decode()
OTHER = "whsec_" + base64.b64encode(b"another key, invented, of 32 by.").decode()
NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
BODY = b'{"action":"test_notification"}'


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def signed(key: str, body: bytes = BODY, name: str = "msg_1", when: datetime = NOW) -> dict[str, str]:
    stamp = str(int(when.timestamp()))
    mac = hmac.digest(read_key(key), b".".join((name.encode(), stamp.encode(), body)), hashlib.sha256)
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def test_every_published_case_of_standard_webhooks() -> None:
    published: dict[str, Any] = load(NAME)
    verify = StandardWebhooks([published["symmetric"]["secret"]]).verify
    wrong = [
        case["name"]
        for case in published["cases"]
        if (verify(case["headers"], case["payload"].encode(), at(case["now"])).refused == "")
        != (case["verdict"] == "accept")
    ]
    assert len(published["cases"]) >= 33
    assert wrong == []


def test_the_same_headers_under_their_older_names() -> None:
    published: dict[str, Any] = load(NAME)
    verify = StandardWebhooks([published["symmetric"]["secret"]]).verify
    for case in published["cases"]:
        renamed = {name.lower().replace("webhook-", "svix-"): text for name, text in case["headers"].items()}
        assert (verify(renamed, case["payload"].encode(), at(case["now"])).refused == "") == (
            case["verdict"] == "accept"
        ), case["name"]


def test_the_published_signature_of_a_shared_and_of_a_public_key() -> None:
    published: dict[str, Any] = load(NAME)
    for one, key in (
        (published["symmetric"], published["symmetric"]["secret"]),
        (published["asymmetric"], published["asymmetric"]["public_key"]),
    ):
        headers = {
            "webhook-id": one["id"],
            "webhook-timestamp": str(one["timestamp"]),
            "webhook-signature": one["signature"],
        }
        judge = StandardWebhooks([key])
        assert judge.verify(headers, one["payload"].encode(), at(one["timestamp"])).delivery == one["id"]
        assert judge.verify(headers, one["payload"].encode() + b" ", at(one["timestamp"])).refused


def test_a_signature_of_one_kind_of_key_is_none_of_the_other() -> None:
    published: dict[str, Any] = load(NAME)
    one = published["asymmetric"]
    relabelled = one["signature"].replace("v1a,", "v1,")
    for key, signature in (
        (published["symmetric"]["secret"], one["signature"]),
        (one["public_key"], relabelled),
        (one["public_key"], published["symmetric"]["signature"]),
        (one["public_key"], "v1a,"),
        (one["public_key"], "v1a,é"),
    ):
        headers = {
            "webhook-id": one["id"],
            "webhook-timestamp": str(one["timestamp"]),
            "webhook-signature": signature,
        }
        verdict = StandardWebhooks([key]).verify(headers, one["payload"].encode(), at(one["timestamp"]))
        assert verdict.refused == "no signature fits"


def test_published_secrets_good_and_bad() -> None:
    published: dict[str, Any] = load(NAME)
    for good in published["secrets_valid"]:
        read_key(good)
    for bad in published["secrets_invalid"]:
        with pytest.raises(PayloadRejected) as caught:
            read_key(bad)
        assert bad == "" or len(bad) < 8 or bad not in str(caught.value)


def test_every_published_tag_of_hmac() -> None:
    published: dict[str, Any] = load("webhooks/hmac_sha256_wycheproof.json")
    tried = 0
    for group in published["testGroups"]:
        for case in group["tests"]:
            key, message, tag = (bytes.fromhex(case[name]) for name in ("key", "msg", "tag"))
            fits = matches(key, message, tag, length=group["tagSize"] // 8)
            assert fits == (case["result"] == "valid"), case["tcId"]
            tried += 1
    assert tried == 174


def test_the_published_delivery_of_github() -> None:
    published: dict[str, Any] = load("webhooks/github.json")
    judge = verifier("github", [published["secret"]])
    header = {"X-Hub-Signature-256": published["x-hub-signature-256"]}
    body = published["payload"].encode()
    # The published payload is a plain sentence: its sender is right, and it is no JSON.
    assert judge.verify(header, body, NOW).unreadable.startswith("not JSON")
    assert judge.verify(header, body + b"!", NOW).refused == "no signature fits"


# --------------------------------------------------------------------------- without the published files


@pytest.mark.parametrize(("off", "fits"), [(0, True), (TOLERANCE, True), (TOLERANCE + 1, False)])
def test_five_minutes_both_ways(off: int, fits: bool) -> None:
    judge = StandardWebhooks([KEY])
    for sign in (1, -1):
        when = at(int(NOW.timestamp()) + sign * off)
        assert (judge.verify(signed(KEY, when=when), BODY, NOW).refused == "") is fits


def test_while_one_key_replaces_another_both_are_good() -> None:
    judge = verifier("standard", [KEY, OTHER])
    assert judge.verify(signed(KEY), BODY, NOW).delivery == "msg_1"
    assert judge.verify(signed(OTHER), BODY, NOW).delivery == "msg_1"
    assert verifier("standard", [OTHER]).verify(signed(KEY), BODY, NOW).refused == "no signature fits"


def test_a_full_stop_in_the_id_would_let_two_deliveries_share_a_signature() -> None:
    right = signed(KEY, body=b"1.{}", name="msg_1")
    shifted = {
        **right,
        "webhook-id": f"msg_1.{right['webhook-timestamp']}",
        "webhook-timestamp": str(int(NOW.timestamp())),
    }
    assert StandardWebhooks([KEY]).verify(right, b"1.{}", NOW).refused == ""
    assert StandardWebhooks([KEY]).verify(shifted, b"1.{}", NOW).refused == "no readable id"


@pytest.mark.parametrize(
    "signature", ["", " ", ",", "v1", "v1,,", "v1 ,x", "\udcff", "v1,\udcff", "v1," + "=" * 9000]
)
def test_no_signature_makes_the_verifier_raise(signature: str) -> None:
    headers = {**signed(KEY), "webhook-signature": signature}
    assert StandardWebhooks([KEY]).verify(headers, BODY, NOW).refused == "no signature fits"
    for scheme in ("github", "lodgify", "header"):
        name = {"github": "x-hub-signature-256", "lodgify": "ms-signature", "header": "x-webhook-secret"}[
            scheme
        ]
        for text in (signature, f"sha256={signature}"):
            assert verifier(scheme, ["k" * 20]).verify({name: text}, BODY, NOW).refused


def test_public_key_signatures_are_tried_a_few_times_only() -> None:
    published: dict[str, Any] = load(NAME)
    one = published["asymmetric"]
    bad = "v1a," + base64.b64encode(bytes(64)).decode()
    for before, fits in ((MOST_SIGNATURES - 1, True), (MOST_SIGNATURES, False)):
        headers = {
            "webhook-id": one["id"],
            "webhook-timestamp": str(one["timestamp"]),
            "webhook-signature": " ".join([*[bad] * before, one["signature"]]),
        }
        verdict = StandardWebhooks([one["public_key"]]).verify(
            headers, one["payload"].encode(), at(one["timestamp"])
        )
        assert (verdict.refused == "") is fits


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    ("scheme", "header"), [("github", "X-Hub-Signature-256"), ("lodgify", "ms-signature")]
)
def test_a_hexadecimal_signature_of_the_body(scheme: str, header: str, upper: bool) -> None:
    judge = verifier(scheme, ["an old key of ours", "a new key of ours"])
    for key in (b"an old key of ours", b"a new key of ours"):
        tag = hmac.new(key, BODY, hashlib.sha256).hexdigest()
        text = f"sha256={tag.upper() if upper else tag}"
        assert judge.verify({header: text}, BODY, NOW).refused == ""
        assert judge.verify({header: text[:-1]}, BODY, NOW).refused == "no signature fits"
        assert judge.verify({header: text[:-2]}, BODY, NOW).refused == "no signature fits"
        assert judge.verify({header: tag}, BODY, NOW).refused == "no readable signature"
        assert judge.verify({}, BODY, NOW).refused == "no readable signature"


def test_a_key_in_a_header() -> None:
    judge = verifier("header", ["0123456789abcdef"])
    assert judge.verify({"X-Webhook-Secret": "0123456789abcdef"}, BODY, NOW).refused == ""
    assert judge.verify({"X-Webhook-Secret": "0123456789abcdeF"}, BODY, NOW).refused == "wrong key"
    assert judge.verify({}, BODY, NOW).refused == "wrong key"


def test_the_registry_names_schemes_that_there_are() -> None:
    named = {entry.platform: entry.signature for entry in PLATFORMS.values() if entry.signature}
    assert named == {"channex": "header"}
    assert set(named.values()) <= SCHEMES.keys()


def test_a_key_may_name_its_scheme() -> None:
    judge = verifier("", [f"github:{'k' * 20}"])
    tag = hmac.new(b"k" * 20, BODY, hashlib.sha256).hexdigest()
    assert judge.verify({"x-hub-signature-256": f"sha256={tag}"}, BODY, NOW).refused == ""
    assert verifier("", [KEY]).verify(signed(KEY), BODY, NOW).refused == ""


@pytest.mark.parametrize(
    ("scheme", "keys"),
    [
        ("standard", ["whsec_short"]),
        ("standard", ["whpk_short"]),
        ("github", ["too short"]),
        ("header", [""]),
        ("tls", ["k" * 20]),
        ("", ["github:" + "k" * 20, "lodgify:" + "k" * 20]),
        ("", ["github:" + "k" * 20, KEY]),
    ],
)
def test_keys_nobody_can_use_are_refused_and_not_shown(scheme: str, keys: list[str]) -> None:
    with pytest.raises(PayloadRejected) as caught:
        verifier(scheme, keys)
    assert all(key == "" or key not in str(caught.value) for key in keys)


def test_a_signed_body_that_is_no_json_is_told_apart() -> None:
    judge = verifier("standard", [KEY])
    for body, why in ((b'{"a":1', "not JSON"), (b"[NaN]", "JSON with NaN"), (b'{"a":1,"a":2}', "")):
        verdict = judge.verify(signed(KEY, body=body), body, NOW)
        assert (verdict.refused, verdict.unreadable[: len(why) or 1]) == ("", why)
