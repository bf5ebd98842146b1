"""XML from strangers, over the published bombs and external entities. Times are of the processor."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from shared.connectors import strict_xml
from shared.domain.errors import PayloadRejected
from tests.security import corpus

BOMBS = (
    "cyclic",
    "dtd",
    "dtd_element",
    "external",
    "external_file",
    "quadratic",
    "xmlbomb",
    "xmlbomb2",
)


def published(name: str) -> bytes:
    file = corpus.ROOT / "xml" / f"{name}.xml"
    if not file.exists():
        pytest.skip(f"no ../shared: {file.name} is not on this machine")
    return file.read_bytes()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    body = published(name)
    begun = time.process_time()
    with pytest.raises(PayloadRejected, match="DOCTYPE"):
        strict_xml.load(body)
    assert time.process_time() - begun < 0.1


@pytest.mark.parametrize("name", ["simple", "simple-ns"])
def test_a_plain_document_is_read_without_its_namespaces(name: str) -> None:
    root = strict_xml.load(published(name))
    assert root.tag == "root"
    assert [child.tag for child in root if "}" in child.tag] == []


def test_no_line_of_the_published_ones_opens_a_file_or_expands_an_entity() -> None:
    lines = corpus.load("xml/xxe_lines.json")
    read = []
    for line in lines:
        with suppress(PayloadRejected):
            read.append(strict_xml.load(line.encode()))
    assert len(read) < len(lines) / 4
    assert not [node for root in read for node in root.iter() if "root:" in (node.text or "")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not well-formed XML at line 1"),
        (b"<a><b></a>", "not well-formed XML at line 1"),
        (b"<a>" * 65, "more than 64 deep"),
        (b"<a>" * 200_000, "more than 64 deep"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding"),
        (b"<a>&guest;</a>", "not well-formed"),
        (b"<a>" + b" " * strict_xml.MOST_BYTES, "more than"),
    ],
)
def test_a_refusal_says_why(body: bytes, reason: str) -> None:
    begun = time.process_time()
    with pytest.raises(PayloadRejected, match=reason):
        strict_xml.load(body)
    assert time.process_time() - begun < 1.0


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<a>one\x01two</a>", "onetwo"),
        (b"<a>one&#1;&#x1F;two&#65;</a>", "onetwoA"),
        (b"<a>&#xD83D;&#xDE00;smile</a>", "smile"),
        (b"<a>Ren\xe9</a>", "Ren\ufffd"),
    ],
)
def test_a_guests_forbidden_character_does_not_hide_the_document(body: bytes, text: str) -> None:
    assert strict_xml.load(body).text == text


def test_other_encodings_and_prefixes_are_read() -> None:
    assert strict_xml.load('<é xmlns="urn:x"/>'.encode("utf-16")).tag == "é"
    root = strict_xml.load(b'<p:a xmlns:p="urn:x" p:b="1"><p:c/></p:a>')
    assert (root.tag, dict(root.attrib), root[0].tag) == ("a", {"b": "1"}, "c")
