"""Bicep, read by its grammar: what a file declares, and which names it uses that nobody declared.

No compiler is at hand. This finds what most often goes wrong by hand; ``az bicep build`` remains the authority.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).resolve().parents[2] / "infra"

FUNCTIONS = frozenset(
    {
        *("concat", "empty", "filter", "replace", "split", "string", "toLower", "toObject", "trim", "union"),
        *("environment", "subscription", "subscriptionResourceId", "tenant", "guid", "uniqueString"),
        *("loadJsonContent", "loadTextContent"),
    }
)
"""Functions of Bicep that our files use; another one is taken for a slip until it is added here."""

_PARSER = Parser(Language(tree_sitter_bicep.language()))


@dataclass(frozen=True)
class Declared:
    """A resource or module: its type with version (or the module's path), its object, whether it only looks one up."""

    type: str
    body: Node
    existing: bool = False


@dataclass(frozen=True)
class BicepFile:
    """What one file declares."""

    root: Node
    params: Mapping[str, Node] = field(default_factory=dict)
    variables: Mapping[str, Node] = field(default_factory=dict)
    resources: Mapping[str, Declared] = field(default_factory=dict)
    modules: Mapping[str, Declared] = field(default_factory=dict)
    outputs: Mapping[str, Node] = field(default_factory=dict)


def text(node: Node) -> str:
    """What stands there."""
    return (node.text or b"").decode()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it."""
    yield node
    for child in node.children:
        yield from walk(child)


def read(source: str) -> BicepFile:
    """Read one file's text. Raises ``SyntaxError`` with the line of what the grammar does not know."""
    root = _PARSER.parse(source.encode()).root_node
    for node in walk(root):
        if node.type == "ERROR" or node.is_missing:
            raise SyntaxError(f"line {node.start_point[0] + 1}: {text(node)[:60]!r}")
    file = BicepFile(root, {}, {}, {}, {}, {})
    kinds = {
        "parameter_declaration": file.params,
        "variable_declaration": file.variables,
        "output_declaration": file.outputs,
    }
    for node in root.named_children:
        if node.type in kinds:
            _add(kinds[node.type], _name(node), node)
        elif node.type in ("resource_declaration", "module_declaration"):
            found = file.resources if node.type.startswith("resource") else file.modules
            kind = next(child for child in node.named_children if child.type == "string")
            existing = any(child.type == "existing" for child in node.children)
            _add(found, _name(node), Declared(literal(kind) or "", _body(node), existing))
    return file


def _add(found: object, name: str, what: object) -> None:
    assert isinstance(found, dict)
    if name in found:
        raise SyntaxError(f"{name} is declared twice")
    found[name] = what


def _name(node: Node) -> str:
    return text(next(child for child in node.named_children if child.type == "identifier"))


def _body(node: Node) -> Node:
    """The object of a resource or module, out of its condition or loop."""
    last = node.named_children[-1]
    while last.type in ("if_statement", "for_statement"):
        last = last.named_children[-1]
    return last


def literal(node: Node) -> str | None:
    """A string's text where nothing is computed in it."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def entries(node: Node) -> dict[str, Node]:
    """An object's values by key; a computed key stands as it is written."""
    found = {}
    for pair in node.named_children:
        if pair.type == "object_property":
            key, *rest = pair.named_children
            found[literal(key) or text(key)] = rest[-1]
    return found


def at(node: Node, *path: str) -> Node:
    """The value under keys, one in another."""
    for key in path:
        node = entries(node)[key]
    return node


def default(param: Node) -> Node | None:
    """A parameter's value where none is given; None where one must be given."""
    after = [child for child in param.named_children if child.type not in ("identifier", "type", "comment")]
    return after[-1] if after else None


def undeclared(file: BicepFile) -> list[str]:
    """Names that are used and nowhere declared, with their lines."""
    known = {*file.params, *file.variables, *file.resources, *file.modules}
    return [f"{text(node)} in line {node.start_point[0] + 1}" for node in _uses(file.root, known)]


def unused(file: BicepFile) -> list[str]:
    """Parameters and variables that nobody reads."""
    read_names = {text(node) for node in _uses(file.root, set())}
    return sorted({*file.params, *file.variables} - read_names)


def _uses(node: Node, known: set[str]) -> Iterator[Node]:
    """Identifiers in the place of a value that are not ``known``."""
    if node.type == "decorators":
        return
    children = list(node.named_children)
    if node.type == "call_expression" and children[0].type == "identifier":
        if text(children[0]) not in FUNCTIONS:
            yield children[0]
    elif node.type in ("for_statement", "lambda_expression"):
        known = known | {text(one) for one in walk(children[0]) if one.type == "identifier"}
    if _begins_with_a_name(node):
        children = children[1:]
    for child in children:
        if child.type == "identifier":
            if text(child) not in known:
                yield child
        else:
            yield from _uses(child, known)


def _begins_with_a_name(node: Node) -> bool:
    """Whether what comes first names something new, a function or a key."""
    if node.type in ("call_expression", "object_property"):
        return node.named_children[0].type == "identifier"
    return node.type in ("for_statement", "lambda_expression") or node.type.endswith("_declaration")


def infra() -> dict[str, str]:
    """The text of every Bicep file, by its path under infra/."""
    return {str(path.relative_to(INFRA)): path.read_text("utf-8") for path in sorted(INFRA.rglob("*.bicep"))}


def wrong_modules(files: Mapping[str, BicepFile]) -> list[str]:
    """Modules that are not there, parameters given and not known or needed and not given, outputs nobody has."""
    found = []
    for name, file in files.items():
        for symbol, module in file.modules.items():
            target = files.get(module.type)
            if target is None:
                found.append(f"{name}: {symbol}: no file {module.type}")
                continue
            given = set(entries(at(module.body, "params")))
            needed = {one for one, node in target.params.items() if default(node) is None}
            found += [f"{name}: {symbol}: no parameter {one}" for one in sorted(given - target.params.keys())]
            found += [f"{name}: {symbol}: {one} is not given" for one in sorted(needed - given)]
            asked = set(_outputs_asked(file.root, symbol))
            found += [f"{name}: {symbol}: no output {one}" for one in sorted(asked - target.outputs.keys())]
    return found


def _outputs_asked(root: Node, symbol: str) -> Iterator[str]:
    start = f"{symbol}.outputs."
    for node in walk(root):
        written = text(node)
        if node.type == "member_expression" and written.startswith(start):
            yield written.removeprefix(start).partition(".")[0]
