"""Azure's own description of its resource types, trimmed, where it lies beside this repository: is a property known,
writable, of the right kind, and is every needed one there? What is computed is taken to be right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tree_sitter import Node

from tests.infra.bicep import BicepFile, entries, literal, text

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference" / "bicep-types"

REQUIRED, READ_ONLY = 1, 2
WRITTEN_BY_BICEP = {"parent", "scope", "dependsOn"}
"""What stands in a resource's object and is Bicep's own."""

LOST = {"description"}
"""Properties that the trimmed copy lost with the texts that explain things: alert rules of both kinds have it."""

UNLISTED = {"Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01"}
"""Types that the copy leaves out. INFERRED: that there is this one in this version, with ``allow`` (true or false)."""

NOT_NEEDED = {"type", "apiVersion", "id"}

PLAIN = {"string": "StringType", "number": "IntegerType", "boolean": "BooleanType"}

Type = dict[str, object]


class Types:
    """One file: a list of types that name each other by their place."""

    def __init__(self, listed: list[Type]) -> None:
        self._listed = listed

    @property
    def body(self) -> Type:
        """The resource's own object."""
        return self.named(self._listed[0]["body"])

    def named(self, reference: object) -> Type:
        """The type a reference names."""
        assert isinstance(reference, dict)
        return self._listed[int(str(reference["$ref"]).removeprefix("#/"))]

    def wrong(self, node: Node, kind: Type, path: str, top: bool = False) -> Iterator[str]:
        """What does not fit, each with where it stands."""
        what = kind["$type"]
        if what == "DiscriminatedObjectType" and node.type == "object":
            yield from self._chosen(node, kind, path, top)
        elif what == "ObjectType" and node.type == "object":
            yield from self._object(node, kind, path, top)
        elif what == "ArrayType" and node.type in ("array", "for_statement"):
            items = node.named_children if node.type == "array" else node.named_children[-1:]
            for number, one in enumerate(items):
                yield from self.wrong(one, self.named(kind["itemType"]), f"{path}[{number}]")
        elif (value := literal(node)) is not None:
            if not self._takes(kind, value):
                yield f"{path}: {value!r} is not expected"
        elif node.type in ("object", "array", "for_statement", *PLAIN) and not self._is(kind, node):
            yield f"{path}: {text(node)[:40]} is not of the expected kind"

    def _chosen(self, node: Node, kind: Type, path: str, top: bool) -> Iterator[str]:
        given = entries(node)
        key, elements, base = str(kind["discriminator"]), kind["elements"], kind["baseProperties"]
        assert isinstance(elements, dict)
        assert isinstance(base, dict)
        value = literal(given[key]) if key in given else None
        if value not in elements:
            yield f"{path}.{key}: {value!r} is none of {', '.join(elements)}"
            return
        chosen = dict(self.named(elements[value]))
        assert isinstance(chosen["properties"], dict)
        chosen["properties"] = base | chosen["properties"]
        yield from self._object(node, chosen, path, top)

    def _object(self, node: Node, kind: Type, path: str, top: bool) -> Iterator[str]:
        known, others, given = kind["properties"], kind.get("additionalProperties"), entries(node)
        assert isinstance(known, dict)
        for key, value in given.items():
            where = f"{path}.{key}"
            if key in known and known[key]["flags"] & READ_ONLY:
                yield f"{where} is only read"
            elif key in known:
                yield from self.wrong(value, self.named(known[key]["type"]), where)
            elif others is not None:
                yield from self.wrong(value, self.named(others), where)
            elif key not in (LOST | WRITTEN_BY_BICEP if top else LOST):
                yield f"{where} is not known"
        needed = {key for key, one in known.items() if one["flags"] & REQUIRED} - (
            NOT_NEEDED if top else set()
        )
        yield from (f"{path}.{key} is missing" for key in sorted(needed - given.keys()))

    def _takes(self, kind: Type, value: str) -> bool:
        if kind["$type"] == "UnionType":
            elements = kind["elements"]
            assert isinstance(elements, list)
            options = [self.named(one) for one in elements]
            literals = [one["value"] for one in options if one["$type"] == "StringLiteralType"]
            # "or any string" stands beside the known ones; a slip is likelier than a value newer than the list.
            return value in literals if literals else any(self._takes(one, value) for one in options)
        if kind["$type"] == "StringLiteralType":
            return kind["value"] == value
        return kind["$type"] in ("StringType", "AnyType")

    def _is(self, kind: Type, node: Node) -> bool:
        if kind["$type"] == "UnionType":
            elements = kind["elements"]
            assert isinstance(elements, list)
            return any(self._is(self.named(one), node) for one in elements)
        expected = {
            "object": ("ObjectType", "DiscriminatedObjectType"),
            "array": ("ArrayType",),
            "for_statement": ("ArrayType",),
        }
        kinds = expected.get(node.type) or (PLAIN[node.type],)
        return kind["$type"] in (*kinds, "AnyType")


@cache
def types_of(name: str) -> Types | None:
    """The description of ``Microsoft.X/y@date``; None where there is none."""
    index = json.loads((FOLDER / "INDEX.json").read_text("utf-8"))["types"]
    return Types(json.loads((FOLDER / index[name]).read_text("utf-8"))) if name in index else None


def wrong_resources(file: BicepFile) -> list[str]:
    """What does not fit in one file's resources; those that are only looked up are judged by their type's name."""
    found = []
    for symbol, resource in file.resources.items():
        types = types_of(resource.type)
        if types is None and resource.type not in UNLISTED:
            found.append(f"{symbol}: no type {resource.type}")
        elif types is not None and not resource.existing:
            found += types.wrong(resource.body, types.body, symbol, top=True)
    return found
