"""Everything that can be removed from a module of rules: functions, branches, conditions, patterns, words.

`edits` reads a syntax tree and says what could go, always in the same order. An edit is done in place;
`watch` instead wraps the place in a call of `_seen`, which the running module must define, so that one
run shows where an edit would matter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

_HAN = re.compile("[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Edit:
    """One removal in a syntax tree: how it is called, how it is done, what tells where it matters."""

    label: str
    apply: Callable[[], None]
    watch: Callable[[int], None] | None = None
    literal: str = ""


def edits(tree: ast.Module) -> Iterator[Edit]:
    """Everything that can be removed from a module, always in the same order."""
    early = _early(tree)
    for node in ast.walk(tree):
        for edit in _of_node(node):
            yield replace(edit, watch=None) if node in early else edit


def _early(tree: ast.Module) -> set[ast.AST]:
    """What runs once for all texts: it lies outside functions, or in one that keeps its answer."""
    once = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef)
        or any(ast.unparse(decorator) == "cache" for decorator in node.decorator_list)
    ]
    return {inner for node in once for inner in ast.walk(node)}


def _of_node(node: ast.AST) -> Iterator[Edit]:
    match node:
        case ast.FunctionDef():
            yield _function(node)
        case ast.If() | ast.IfExp():
            yield _branch(node)
        case ast.BoolOp():
            decides = isinstance(node.op, ast.Or)
            for operand in node.values:
                yield _condition(node.values, operand, "or" if decides else "and", decides=decides)
        case ast.comprehension():
            for operand in node.ifs:
                yield _condition(node.ifs, operand, "for if", decides=False)
        case ast.Set() | ast.Tuple() | ast.List():
            for entry in node.elts:
                if isinstance(entry, ast.Constant) and isinstance(entry.value, str):
                    yield _entry(entry, entry.value)
        case ast.Call(func=ast.Name("frozenset"), args=[ast.Constant(str()) as characters]):
            for character in dict.fromkeys(str(characters.value)):
                yield _cut(characters, character)
        case ast.Call(func=ast.Attribute(attr="compile"), args=[pattern, *_]):
            yield _pattern(node)
            for part in ast.walk(pattern):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    for start, end in alternatives(part.value):
                        if start < end:
                            yield _alternative(part, start, end)


def _function(node: ast.FunctionDef) -> Edit:
    returns = ast.unparse(node.returns) if node.returns else "None"
    empty = {"list": "[]", "bool": "False", "float": "0.0", "str": "''", "Iterator": "iter(())"}
    nothing = "None" if "None" in returns else empty.get(returns.partition("[")[0], "()")

    def apply() -> None:
        node.body = ast.parse(f"return {nothing}", mode="exec").body

    def watch(number: int) -> None:
        node.body.insert(0, ast.Expr(_seen(number, ast.Constant(True), decides=True)))

    return Edit(f"{node.lineno} def {node.name}", apply, watch)


def _branch(node: ast.If | ast.IfExp) -> Edit:
    label = f"{node.lineno} if {ast.unparse(node.test)}"

    def apply() -> None:
        node.test = ast.Constant(False)

    def watch(number: int) -> None:
        node.test = _seen(number, node.test, decides=True)

    return Edit(label, apply, watch)


def _condition(among: list[ast.expr], operand: ast.expr, joint: str, *, decides: bool) -> Edit:
    def apply() -> None:
        among[among.index(operand)] = ast.Constant(not decides)

    def watch(number: int) -> None:
        among[among.index(operand)] = _seen(number, operand, decides=decides)

    return Edit(f"{operand.lineno} {joint} {ast.unparse(operand)}", apply, watch)


def _entry(node: ast.Constant, word: str) -> Edit:
    def apply() -> None:
        node.value = "\0"

    return Edit(f"{node.lineno} entry {word}", apply, literal=_only_han(word))


def _cut(node: ast.Constant, character: str) -> Edit:
    def apply() -> None:
        node.value = str(node.value).replace(character, "")

    return Edit(f"{node.lineno} character {character}", apply, literal=_only_han(character))


def _pattern(node: ast.Call) -> Edit:
    label = f"{node.lineno} pattern {ast.unparse(node.args[0])}"

    def apply() -> None:
        node.args[0] = ast.Constant("(?!)")

    return Edit(label, apply)


def _alternative(node: ast.Constant, start: int, end: int) -> Edit:
    text = str(node.value)
    part = text[start:end]

    def apply() -> None:
        node.value = text[:start] + "(?!)" + text[end:]

    return Edit(f"{node.lineno} alternative {part}", apply, literal=_only_han(part))


def _only_han(text: str) -> str:
    return text if _HAN.fullmatch(text) else ""


def alternatives(pattern: str) -> Iterator[tuple[int, int]]:
    """Where the alternatives of a pattern lie, at every depth, as far as its brackets are whole."""
    opened, at, in_class = [[0]], 0, False
    while opened and at <= len(pattern):
        sign = pattern[at : at + 1] or ")"
        if sign == "\\":
            at += 1
        elif in_class:
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
        elif sign == "(":
            head = _GROUP.match(pattern, at)
            at = head.end() - 1 if head else at
            opened.append([at + 1])
        elif sign in "|)":
            opened[-1].append(at + 1)
            if sign == ")":
                marks = opened.pop()
                if len(marks) > 2:
                    yield from ((low, high - 1) for low, high in pairwise(marks))
        at += 1


_GROUP = re.compile(r"\((?:\?(?:[:=!]|<[=!]|[a-z]+:|P<\w+>))?")


def _seen(number: int, test: ast.expr, *, decides: bool) -> ast.Call:
    """`test`, noted where it comes out as `decides`."""
    arguments = [ast.Constant(number), test, ast.Constant(decides)]
    return ast.Call(ast.Name("_seen", ast.Load()), arguments, [])
