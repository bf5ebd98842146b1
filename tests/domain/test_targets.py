"""Where a person may be told: what is refused, and that nothing of an address shows."""

from __future__ import annotations

import pytest

from shared.domain.targets import Target, TargetRefused, Way, ntfy_of, target


@pytest.mark.parametrize(
    ("way", "written", "masked"),
    [
        ("email", " claire@example.org ", "c…@example.org"),
        ("ntfy", "gite-du-lac-7f3a", "ntfy.sh/gi…"),
        ("ntfy", "https://push.example.org/gite-du-lac-7f3a", "push.example.org/gi…"),
        ("apprise", "tgram://123456:ABCDEF/987654", "tgram://…"),
        ("apprise", "discord://1234/abcd", "discord://…"),
        ("apprise", "slack://a/b/c/general", "slack://…"),
    ],
)
def test_an_address_is_taken_and_shown_masked(way: str, written: str, masked: str) -> None:
    one = target(way, written)
    assert one.masked == masked
    assert written.strip() not in repr(one) + one.masked + one.mark


@pytest.mark.parametrize(
    ("way", "written", "why"),
    [
        ("email", "claire", "email"),
        ("email", "a@b.org, c@d.org", "email"),
        ("email", "a@b.org\nBcc: c@d.org", "email"),
        ("ntfy", "short", "ntfy"),
        ("ntfy", "http://push.example.org/gite-du-lac", "ntfy"),
        ("ntfy", "https://user:pass@push.example.org/gite-du-lac", "ntfy"),
        ("ntfy", "https://push.example.org:8080/gite-du-lac", "ntfy"),
        ("ntfy", "https://[::1/gite-du-lac", "ntfy"),
        ("apprise", "tgram", "apprise"),
        ("apprise", "tgram://a b", "apprise"),
        ("apprise", "json://10.0.0.1/secret", "service"),
        ("apprise", "mailtos://user:pass@example.org", "service"),
        ("apprise", "file:///etc/passwd", "apprise"),
        ("pigeon", "home", "way"),
        ("email", "x" * 500 + "@example.org", "long"),
    ],
)
def test_what_cannot_be_used_or_would_call_into_our_own_network_is_refused(
    way: str, written: str, why: str
) -> None:
    with pytest.raises(TargetRefused) as refused:
        target(way, written)
    assert refused.value.why == why
    assert written not in str(refused.value)


@pytest.mark.parametrize(
    "tail",
    [
        "?template=http://169.254.169.254/metadata/instance",
        "?template=/etc/passwd",
        "/?rto=86400&cto=86400&retry=3&wait=60",
        "#general",
        ",json://10.0.0.5/x",
        ",,discord://1/2",
        "/json://10.0.0.5/x",
    ],
)
def test_options_and_second_addresses_of_apprise_are_refused(tail: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        target("apprise", "tgram://123456:ABCDEF/987654" + tail)
    assert refused.value.why == "options"
    assert tail not in str(refused.value)


def test_a_topic_alone_is_on_the_public_server() -> None:
    assert ntfy_of("gite-du-lac") == ("https://ntfy.sh", "gite-du-lac")
    assert ntfy_of("https://push.example.org/gite-du-lac/") == ("https://push.example.org", "gite-du-lac")


def test_the_mark_of_an_address_is_the_same_each_time_and_another_for_each() -> None:
    one, two = Target(Way.EMAIL, "a@b.org"), Target(Way.EMAIL, "c@b.org")
    assert one.mark == Target(Way.EMAIL, "a@b.org").mark != two.mark
