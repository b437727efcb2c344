"""The terms that the code can put into a row of the ledger, read off its syntax.

A term is what is given to a parameter, or stands under a key, that is called like a column. Names are followed to what
is assigned to them in the same function, loops over literals among it; what cannot be followed is any word.
"""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "analysis"
ROOMS = ("design", "estimate", "pipeline")
COLUMNS = ("outcome", "contrast", "estimand", "estimator", "measure")
ANY = r"\w+"
Parameters = Mapping[str, list[ast.arg]]


class Module:
    """One module: its syntax, and the text and tables that its names stand for."""

    def __init__(self, source: str, name: str = ""):
        self.tree = ast.parse(source)
        self.values = vars(importlib.import_module(name)) if name else {}

    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]


def modules() -> list[Module]:
    """Return the modules that make rows."""
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    return [Module(path.read_text(encoding="utf-8"), name) for path, name in zip(paths, names, strict=True)]


def terms_of(read: list[Module]) -> set[tuple[str, str]]:
    """Return (column, pattern of the term) for every term in the modules."""
    functions = {function.name: (function, module) for module in read for function in module.functions()}
    taken = {name: function.args.args for name, (function, _) in functions.items()}
    found = set()
    for module in read:
        for part in module.tree.body:
            scope = Scope(part, module, functions)
            given = [*_given(part, taken), *_defaults(part)]
            found |= {(column, pattern) for column, node in given for pattern in scope.patterns(node)}
    return found


def _given(part: ast.AST, taken: Parameters) -> Iterator[tuple[str, ast.expr]]:
    """Yield (column, expression) for arguments and for values of dictionaries."""
    for node in ast.walk(part):
        if isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            yield from ((k, v) for k, v in zip(keys, node.values, strict=True) if k in COLUMNS)
        if isinstance(node, ast.Call):
            yield from ((word.arg, word.value) for word in node.keywords if word.arg in COLUMNS)
            is_partial = getattr(node.func, "id", "") == "partial"
            called, *arguments = [*([] if is_partial else [node.func]), *node.args]
            names = [parameter.arg for parameter in taken.get(getattr(called, "id", ""), [])]
            if getattr(called, "id", "") == "Analysis" and not _is_without_rows(node):
                names = ["estimator", "", "", "estimator"]
            yield from ((n, a) for n, a in zip(names, arguments, strict=False) if n in COLUMNS)


def _is_without_rows(analysis: ast.Call) -> bool:
    """Whether a line of a design's list gives frames or checks alone: then its id names no estimator."""
    return any(getattr(kind, "value", "") in ("frame", "checks") for kind in analysis.args[2:3])


def _defaults(part: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(part):
        if isinstance(node, ast.arguments) and node.defaults:
            last = node.args[-len(node.defaults) :]
            yield from ((a.arg, d) for a, d in zip(last, node.defaults, strict=True) if a.arg in COLUMNS)


class Scope:
    """What the names of one part of a module can stand for."""

    def __init__(self, part: ast.AST, module: Module, functions: Mapping[str, tuple[ast.FunctionDef, Module]]):
        self.part, self.module, self.functions, self.bound = part, module, functions, {}
        for node in ast.walk(part):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value:
                self._bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.comprehension):
                for element in self._elements(node.iter):
                    self._bind(node.target, element)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=True):
                self._bind(one, other)
        elif isinstance(target, ast.Name):
            self.bound.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            self.bound.setdefault(target.value.id, []).append(ast.Dict([target.slice], [value]))

    def _elements(self, looped: ast.expr) -> list[ast.expr]:
        """Return what a loop over literals gives, in turn."""
        if isinstance(looped, ast.Tuple | ast.List):
            return looped.elts
        if isinstance(looped, ast.Call) and getattr(looped.func, "id", "") == "enumerate":
            return [ast.Tuple([ast.Constant(0), each]) for each in self._elements(looped.args[0])]
        if isinstance(looped, ast.Call) and getattr(looped.func, "attr", "") == "items":
            name = getattr(looped.func.value, "id", "")
            pairs = [pair for table in self._tables(name) for pair in zip(table.keys, table.values, strict=True)]
            return [ast.Tuple([key, value]) for key, value in pairs if key]
        if isinstance(looped, ast.Name):
            return [each for value in self.bound.get(looped.id, []) for each in self._elements(value)]
        return []

    def _tables(self, name: str) -> list[ast.Dict]:
        bound = list(self.bound.get(name, []))
        if isinstance(self.module.values.get(name), dict):
            bound.append(ast.parse(repr(self.module.values[name]), mode="eval").body)
        tables = []
        for value in bound:
            if isinstance(value, ast.DictComp):
                loop = value.generators[0]
                tables += [ast.Dict([value.key], [value.value])] if self._elements(loop.iter) else []
            tables += [value] if isinstance(value, ast.Dict) else []
        return tables

    def patterns(self, node: ast.expr, within: frozenset[str] = frozenset()) -> set[str]:
        """Return the patterns of what an expression can be; none for a parameter: its callers are read."""
        if isinstance(node, ast.Constant):
            return {re.escape(node.value)} if isinstance(node.value, str) else set()
        if isinstance(node, ast.JoinedStr):
            made = {""}
            for part in node.values:
                ends = self.patterns(part.value if isinstance(part, ast.FormattedValue) else part, within) or {ANY}
                made = {start + end for start in made for end in ends}
            return made
        if isinstance(node, ast.IfExp):
            return self.patterns(node.body, within) | self.patterns(node.orelse, within)
        if isinstance(node, ast.Name):
            if node.id in within:
                return set()
            if node.id in self.bound:
                return set().union(*(self.patterns(value, within | {node.id}) for value in self.bound[node.id]))
            value = self.module.values.get(node.id)
            return {re.escape(value)} if isinstance(value, str) else set()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in self.functions:
            function, module = self.functions[node.func.id]
            returned = [each.value for each in ast.walk(function) if isinstance(each, ast.Return) and each.value]
            scope = Scope(function, module, self.functions)
            return set().union(*map(scope.patterns, returned)) if function is not self.part else set()
        return set()
