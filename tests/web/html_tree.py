"""HTML as a tree, as far as our own pages need it: made with the standard library's parser, strict about what stands
open. What a browser makes of a page is tested in one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
"""Elements without an end tag."""


@dataclass
class Node:
    """An element with its attributes and what stands in it, in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Node | str] = field(default_factory=list)

    def every(self, tag: str = "", **attributes: str) -> list[Node]:
        """Every element in it of that kind with these attributes (``class_`` names one of several classes)."""
        return [one for one in self._all() if (not tag or one.tag == tag) and one._has(attributes)]

    def one(self, tag: str = "", **attributes: str) -> Node:
        """The only such element."""
        found = self.every(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}, not one"
        return found[0]

    @property
    def text(self) -> str:
        """All text in it, exactly."""
        return "".join(one if isinstance(one, str) else one.text for one in self.inside)

    @property
    def said(self) -> str:
        """Its text as it is read: blanks folded to one."""
        return " ".join(self.text.split())

    def _all(self) -> Iterator[Node]:
        for one in self.inside:
            if isinstance(one, Node):
                yield one
                yield from one._all()

    def _has(self, attributes: dict[str, str]) -> bool:
        for name, value in attributes.items():
            if name == "class_":
                if value not in self.attributes.get("class", "").split():
                    return False
            elif self.attributes.get(name.rstrip("_").replace("_", "-")) != value:
                return False
        return True


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(page: bytes) -> Node:
    """A page as a tree. Fails where an element is closed that is not open, or left open."""
    reader = _Reader()
    reader.feed(page.decode())
    reader.close()
    assert reader.open == [reader.root], f"left open: {[one.tag for one in reader.open[1:]]}"
    return reader.root


def shape(node: Node) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page in order, each with the names of its attributes: what a foreign text must not change."""
    return [(one.tag, tuple(one.attributes)) for one in node.every()]
