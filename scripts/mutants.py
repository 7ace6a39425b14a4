"""Makes mutants of a Python module: copies with one small fault each, such as a reviewer might overlook.

What is mutated, and what is not, is decided in docs/adr/0011-mutation-testing.md. In short: everything that a program
could tell apart, on every level of the module; not type annotations, not docstrings, and not prose: text with a space
in it within a function, and whatever is said in a `raise`.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Path = tuple[tuple[str, int | None], ...]
"""From the module to a node: a field and, where it is a list, the place in it, at each turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault: a node of the module's tree, and what stands there instead."""

    module: str
    """Path from the project's root, such as `anchor/merkle.py`."""
    lines: range
    """Of the statement, without the statements inside it: a test that runs none of them cannot see the fault."""
    function: str
    """Qualified name of the outermost function around it; empty when it is outside of all functions' bodies."""
    name: str
    """Says what is changed and where, without line numbers: the name that a list of survivors can keep."""
    before: str
    after: str
    path: Path
    node: ast.AST | None
    """None: what stands there goes."""

    @property
    def key(self) -> str:
        """Its name among the mutants of all modules."""
        return f"{self.module} {self.name}"

    def tree(self, original: ast.Module) -> ast.Module:
        """Give the module with this fault, ready to be compiled."""
        tree = copy.deepcopy(original)
        if self.path:
            _put(tree, self.path, copy.deepcopy(self.node))
        return ast.fix_missing_locations(tree)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is."""

    path: Path = ()
    statement: Path = ()
    """Path of the innermost statement, `case` or `except`: what is shown of a mutant."""
    names: tuple[str, ...] = ()
    """Classes and functions around."""
    function: str = ""
    prose: bool = False
    """Within an f-string that is a sentence."""
    pattern: bool = False
    """Within a call of `re`."""


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Make all mutants of a module, in the order of its text.

    Args:
        module: Path from the project's root; becomes part of the mutants' names.
        source: Text of the module.
    """
    tree = ast.parse(source)
    found = []
    seen: Counter[str] = Counter()
    for place, node in _walk(tree, _Place()):
        before, after = _texts(tree, place, node)
        if before == after:
            continue
        name = f"{'.'.join(place.names) or 'module'}: {' → '.join(_window(before, after))}"
        seen[name] += 1
        if seen[name] > 1:
            name += f" #{seen[name]}"
        found.append(
            Mutant(
                module=module,
                lines=_lines(_get(tree, place.statement)),
                function=place.function,
                name=name,
                before=before,
                after=after,
                path=place.path,
                node=node,
            )
        )
    return found


# The walk


_SKIPPED_FIELDS = {"annotation", "returns", "type_comment", "bases", "ctx", "targets", "target", "names", "cause"}
_STATEMENTS = (ast.stmt, ast.match_case, ast.ExceptHandler)


def _walk(node: ast.AST, place: _Place) -> Iterator[tuple[_Place, ast.AST | None]]:
    """Give all (place, replacement) below and including a node."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.Pass) or _is_docstring(node):
        return
    if isinstance(node, _STATEMENTS):
        place = replace(place, statement=place.path)
    for mutated in _replacements(node, place):
        yield place, mutated
    yield from _removals(node, place)
    if isinstance(node, ast.Raise):
        return
    if isinstance(node, ast.JoinedStr):
        texts = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
        place = replace(place, prose=any(" " in text for text in texts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re":
        place = replace(place, pattern=True)
    is_function = isinstance(node, ast.FunctionDef)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        place = replace(place, names=(*place.names, node.name))
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS:
            continue
        # Decorators and defaults are evaluated when the function is defined, not when it runs.
        inside = place
        if is_function and field == "body" and not place.function:
            inside = replace(place, function=".".join(place.names))
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if isinstance(child, ast.AST):
                yield from _walk(child, replace(inside, path=(*place.path, (field, index))))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


# What can go wrong in one place


_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}
_OTHER_METHOD = {
    "lower": "upper",
    "upper": "lower",
    "startswith": "endswith",
    "endswith": "startswith",
    "partition": "rpartition",
    "rpartition": "partition",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
    "fullmatch": "match",
    "match": "search",
    "append": "extend",
}
_SYMMETRIC = {"max", "min"}
_REMEMBERING = {"lru_cache"}
_WRAPPERS = {
    "bytes",
    "dict",
    "enumerate",
    "frozenset",
    "int",
    "iter",
    "list",
    "reversed",
    "set",
    "sorted",
    "str",
    "tuple",
}


def _replacements(node: ast.AST, place: _Place) -> Iterator[ast.AST]:
    """Give what could stand instead of a node."""
    match node:
        case ast.Constant():
            yield from _constants(node, place)
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for other in _COMPARISONS[type(operator)]:
                    ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                    yield ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
        case ast.BoolOp(values=values):
            for index in range(len(values)):
                kept = [*values[:index], *values[index + 1 :]]
                yield kept[0] if len(kept) == 1 else ast.BoolOp(op=node.op, values=kept)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=operator, right=right):
            yield ast.BinOp(left=left, op=_OPERATORS[type(operator)](), right=right)
        case ast.AugAssign(target=target, op=operator, value=value):
            yield ast.AugAssign(target=target, op=_OPERATORS[type(operator)](), value=value)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Call():
            yield from _calls(node)
        case ast.Slice(lower=lower, upper=upper, step=step):
            if lower is not None:
                yield ast.Slice(lower=None, upper=upper, step=step)
            if upper is not None:
                yield ast.Slice(lower=lower, upper=None, step=step)
        case ast.Attribute(value=value, attr=attr) if attr in _OTHER_METHOD:
            yield ast.Attribute(value=value, attr=_OTHER_METHOD[attr], ctx=ast.Load())


def _constants(node: ast.Constant, place: _Place) -> Iterator[ast.AST]:
    match node.value:
        case bool() as value:
            yield ast.Constant(value=not value)
        case int() as value:
            yield ast.Constant(value=value + 1)
            if value > 0:
                yield ast.Constant(value=value - 1)
        case str() as value if place.prose or (place.function and " " in value):
            return
        case str() as value:
            yield ast.Constant(value=f"XX{value}")
            if place.pattern:
                yield from (ast.Constant(value=other) for other in _patterns(value))
        case bytes() as value:
            yield ast.Constant(value=b"XX" + value)


def _patterns(pattern: str) -> Iterator[str]:
    """Give regular expressions that take a little more or a little less."""
    for found in re.finditer(r"(?<!\\)\{(\d+)(,?)(\d*)\}|(?<=[\])\w])[*+?]|\[\^|\\.", pattern):
        start, end = found.span()
        text = found[0]
        others: list[str] = []
        if text.startswith("{"):
            low, comma, high = int(found[1]), found[2], found[3]
            others = [f"{{{low + 1}{comma}{high}}}", f"{{{max(low - 1, 0)}{comma}{high}}}"]
            if high:
                others += [f"{{{low},{int(high) + 1}}}", f"{{{low},{int(high) - 1}}}"]
        elif text in "*+?":
            others = [other for other in "*+?" if other != text]
        elif text == "[^":
            others = ["["]
        elif text[1].isalpha():
            others = [text.swapcase()]
        for other in others:
            mutated = pattern[:start] + other + pattern[end:]
            try:
                re.compile(mutated)
            except re.error:
                continue
            yield mutated


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    function, arguments, keywords = node.func, node.args, node.keywords
    if isinstance(function, ast.Name) and function.id in _REMEMBERING:
        return  # what is remembered, and how much of it, changes no result
    for index, keyword in enumerate(keywords):
        if keyword.arg is not None:
            yield ast.Call(func=function, args=arguments, keywords=[*keywords[:index], *keywords[index + 1 :]])
    if len(arguments) > 1:
        if ast.unparse(arguments[-1]) != "'big'":  # which is what `to_bytes` and `from_bytes` take without it
            yield ast.Call(func=function, args=arguments[:-1], keywords=keywords)
        is_symmetric = isinstance(function, ast.Name) and function.id in _SYMMETRIC
        is_plain = not any(isinstance(argument, ast.Starred) for argument in arguments)
        if len(arguments) == 2 and is_plain and not is_symmetric:
            yield ast.Call(func=function, args=arguments[::-1], keywords=keywords)
    if isinstance(function, ast.Name):
        if function.id in _OTHER_FUNCTION:
            other = ast.Name(id=_OTHER_FUNCTION[function.id], ctx=ast.Load())
            yield ast.Call(func=other, args=arguments, keywords=keywords)
        if function.id in _WRAPPERS and arguments and not isinstance(arguments[0], ast.Starred):
            yield arguments[0]
    elif isinstance(function, ast.Attribute) and not arguments and not keywords:
        yield function.value  # `text.strip()` → `text`


def _removals(node: ast.AST, place: _Place) -> Iterator[tuple[_Place, ast.AST | None]]:
    """Give what can be left out of a node, or be forced within it."""

    def at(field: str, index: int | None = None) -> _Place:
        return replace(place, path=(*place.path, (field, index)))

    match node:
        case ast.If() | ast.IfExp():
            for forced in (True, False):
                yield at("test"), ast.Constant(value=forced)
        case ast.While() if not isinstance(node.test, ast.Constant):
            yield at("test"), ast.Constant(value=False)
        case ast.comprehension(ifs=conditions):
            for index in range(len(conditions)):
                yield at("ifs", index), ast.Constant(value=True)
        case ast.match_case(guard=ast.expr()):
            for forced in (True, False):
                yield at("guard"), ast.Constant(value=forced)
        case ast.Match(cases=cases):
            for index in range(len(cases)):
                yield at("cases", index), None
        case ast.ExceptHandler(type=ast.Tuple(elts=types)):
            for index in range(len(types)):
                yield replace(place, path=(*place.path, ("type", None), ("elts", index))), None
        case ast.ExceptHandler(type=ast.expr()):
            yield at("type"), ast.Tuple(elts=[], ctx=ast.Load())  # catches nothing
        case ast.Dict(keys=keys):
            for index in range(len(keys)):
                yield at("values", index), None
        case ast.Set(elts=items) | ast.List(elts=items):
            for index in range(len(items)):
                yield at("elts", index), None
        case ast.Tuple(elts=items) if not place.function:
            for index in range(len(items)):
                yield at("elts", index), None
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield place, ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield place, ast.Pass()


# Trees


def _get(tree: ast.AST, path: Path) -> Any:
    node: Any = tree
    for field, index in path:
        node = getattr(node, field)
        if index is not None:
            node = node[index]
    return node


def _put(tree: ast.AST, path: Path, new: ast.AST | None) -> None:
    (field, index), parent = path[-1], _get(tree, path[:-1])
    if new is None:
        del getattr(parent, field)[index]
        if isinstance(parent, ast.Dict) and index is not None:
            del parent.keys[index]
        if isinstance(parent, ast.Match) and not parent.cases:
            raise ValueError("a match without cases")
        return
    old = _get(tree, path)
    if hasattr(old, "lineno"):
        ast.copy_location(new, old)
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new


def _header(statement: ast.AST) -> ast.AST:
    """Give a statement without the statements inside it."""
    bare = copy.copy(statement)
    for field in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
        # An expression's body is part of it: lambda, `x if y else z`.
        if isinstance(getattr(bare, field, None), list):
            setattr(bare, field, [])
    return bare


def _lines(statement: ast.AST) -> range:
    nodes = [node for node in ast.walk(_header(statement)) if hasattr(node, "lineno")]
    first = min((node.lineno for node in nodes), default=1)
    last = max((getattr(node, "end_lineno", first) for node in nodes if not _has_body(node)), default=first)
    return range(first, last + 1)


def _has_body(node: ast.AST) -> bool:
    return isinstance(getattr(node, "body", None), list) or isinstance(node, ast.Match)


def _texts(tree: ast.Module, place: _Place, new: ast.AST | None) -> tuple[str, str]:
    """Show the statement around a fault, before and after."""
    statement = _get(tree, place.statement)
    rest = place.path[len(place.statement) :]
    if not rest:
        return _unparse(_header(statement)), _unparse(new)
    # A whole `case` or decorator lies outside of what the header shows.
    if rest[0][0] in {"cases", "decorator_list"}:
        shown = copy.deepcopy(_get(statement, rest[:1]))
        before = _unparse(_header(shown))
        if len(rest) == 1:
            return before, "nothing"
        _put(shown, rest[1:], copy.deepcopy(new))
        return before, _unparse(_header(shown))
    changed = copy.deepcopy(_header(statement))
    _put(changed, rest, copy.deepcopy(new))
    return _unparse(_header(statement)), _unparse(changed)


def _unparse(node: ast.AST | None) -> str:
    return " ".join(ast.unparse(node).split()) if node is not None else "nothing"


def _window(before: str, after: str, around: int = 40) -> tuple[str, str]:
    """Cut what two long texts have in common down to a few words around their difference."""
    if max(len(before), len(after)) <= 3 * around:
        return before, after
    shortest = min(len(before), len(after))
    start = next((index for index in range(shortest) if before[index] != after[index]), shortest)
    end = next(
        (index for index in range(shortest - start) if before[-1 - index] != after[-1 - index]), shortest - start
    )
    first = before.rfind(" ", 0, max(start - around, 0)) + 1
    last = len(before) if end <= around else (before.find(" ", len(before) - end + around) + 1 or len(before) + 1) - 1
    tail = len(before) - last
    return before[first:last], after[first : len(after) - tail]
