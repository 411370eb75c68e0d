"""What paired modules were told when they were built: where both keep a number, a truth or a word under one name, and the first
line that diverges reads it, two that differ are the cause; and its place is the line that decided on it.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from parity.messages import Message, say, together
from parity.numbers.arrays import Verdict
from parity.pairing.nodes import Node
from parity.trace.events import OPERATION, is_inside
from parity.trace.source import (
    ConstructionSites,
    Site,
    attribute_site,
    calls_at,
    code_of,
    function_around,
    is_own,
    kept_at,
    kept_value,
    nodes_at,
    statements_around,
)
from parity.verdict.evidence import ROUNDING
from parity.verdict.findings import Finding, first_diverged
from parity.verdict.flow import local_name

_OF_A_RUN = frozenset({"training", "p", "inplace", "momentum"})
"""Of layers: what has no part in a value, or is the other share in the other framework (momentum)."""

_PADDLES = {"eps": "epsilon", "num_features": "", "normalized_shape": ""}
"""What Paddle's layers call it, but for an underscore; "": what their weights tell already."""

_DEPTH = 6  # constructors that hand a setting on to one another


class Setting(NamedTuple):
    """name: that of the twin."""

    name: str
    reference: Any
    twin: Any

    def said(self) -> Message:
        return say("{name} is {twin} in the twin, {reference} in the reference", name=self.name.lstrip("_"), twin=_shown(self.twin),
                   reference=_shown(self.reference))


class Settings:
    """modules: path of the reference's, the network's name before it -> both modules; asked for where something diverges. sites:
    where the twin's were built."""

    def __init__(self, modules: Callable[[], Mapping[str, tuple[Any, Any]]], sites: ConstructionSites) -> None:
        self.modules, self._sites = modules, sites

    def told(self, found: list[Finding], line: Site | None = None) -> list[Finding]:
        """The findings; the first divergence with the settings that its line reads, or its layer has, as its cause. line: of the
        twin's, that made it, where it was placed elsewhere."""
        first = first_diverged(found)
        if first is None or first.twin is None or first.key.stage not in ("forward", "losses"):
            return found
        modules = self.modules()
        odd = self._of_layer(first, modules) or self._of_line(first, found, modules)
        if odd is None and line not in (None, first.twin):
            odd = self._of_line(replace(first, twin=line), found, modules)
        odd = odd or self._of_module(first, modules)
        if odd is None:
            return found
        path, settings = odd
        place = self._decided(path, settings[0].name, modules) or first.twin
        cause = together([setting.said() for setting in settings])
        return [replace(f, twin=place, cause=cause) if f is first else f for f in found]

    def kept(self, path: str, site: Site | None, operation: str) -> Site | None:
        """Where a line of the twin's calls what its object keeps (`self.act(x)`), for this operation: the line that decided on it.
        path: of the module around. None where no line can be told."""
        written = kept_at(site, operation)
        owner = self.owner(site, path) if site is not None and written is None else None
        if owner is None:
            return written
        module = self.modules()[owner][1]
        called = {call.func.attr for call in nodes_at(site) if isinstance(call, ast.Call) and is_own(call.func)}
        for name in sorted(called):
            kept = getattr(module, name, None)
            if _does(kept, operation):
                built = self._sites.of(kept) if hasattr(type(kept), "forward") else None
                return self._handed_to_keep(owner, name) or built
        return None

    def owner(self, site: Site, path: str) -> str | None:
        """The path of the module nearest to that one, of whose method a line of the twin's is."""
        modules = self.modules()
        return next((other for other in _nearest(path, modules) if _is_of(site, modules[other][1])), None)

    def _handed_to_keep(self, path: str, name: str) -> Site | None:
        """The line that wrote down, for a constructor's argument, what an object makes of it and keeps (`self.act = ACTS[act]`)."""
        modules = self.modules()
        site = attribute_site(modules[path][1], name)
        kept = [node.value for node in nodes_at(site) if isinstance(node, ast.Assign)]
        function = function_around(site)
        read = {node.id for value in kept for node in ast.walk(value) if isinstance(node, ast.Name)} & set(
            _parameters(function) if function is not None else ())
        argument = read.pop() if len(read) == 1 else None
        for _ in range(_DEPTH):
            step = self._handed_on(path, site, argument, modules)
            if step is None:
                return None
            site, argument, path = step
            if argument is None:
                given = [value for call in nodes_at(site) if isinstance(call, ast.Call)
                         for value in (*call.args, *(word.value for word in call.keywords))]
                return site if any(isinstance(getattr(value, "value", None), str) for value in given) else None
        return None

    def _of_layer(self, first: Finding, modules: Mapping[str, tuple[Any, Any]]) -> tuple[str, list[Setting]] | None:
        """Those of a library's layer that was given what is right."""
        path = first.key.module
        if first.key.is_local or not first.key.variable.startswith("output") or path not in modules:
            return None
        if not all(Node(path, module).layer for module in modules[path]):
            return None
        odd = list(differing(*modules[path]))
        return (path, odd) if odd else None

    def _handed_on(self, path: str, site: Site | None, argument: str | None,
                   modules: Mapping[str, tuple[Any, Any]]) -> tuple[Site, str | None, str] | None:
        """Of an argument of a constructor: the line that hands it over, of a class that inherits this or of one that builds such a
        module; the variable that it hands on as it is; and the module whose constructor that line is of. None where there is none,
        and of what the whole model was told."""
        module, function = modules[path][1], function_around(site)
        constructors = [one for base in type(module).__mro__ if "__init__" in vars(base)
                        if (one := _function(vars(base)["__init__"])) is not None]
        if argument is None or function is None or not any(one is function for one, _ in constructors):
            return None
        place = next(number for number, (one, _) in enumerate(constructors) if one is function)
        built = self._sites.of(module)
        if place:  # of a class that was inherited
            inherits, file = constructors[place - 1]
            calls = [call for call in ast.walk(inherits) if isinstance(call, ast.Call) and _is_of_the_base(call)]
        else:
            file, calls = (built.file, calls_at(built)) if built and "." in path else ("", [])
        handed = next(filter(None, (_handed(call, argument, _parameters(function)) for call in calls)), None)
        if handed is None or argument not in _parameters(function):
            return None
        site = Site(file, handed.lineno)
        owner = next((other for other in _nearest(path, modules) if _is_of(site, modules[other][1])), None)
        return site, getattr(handed, "id", None) if owner is not None else None, owner or path

    def _of_line(self, first: Finding, found: list[Finding],
                 modules: Mapping[str, tuple[Any, Any]]) -> tuple[str, list[Setting]] | None:
        """Those that the twin's line reads of its `self`, or a line before it that makes what it reads, and that nobody compared;
        of the innermost module whose method it is of."""
        own = _read_of_self(first, found)
        for path in _nearest(first.key.module, modules) if own else ():
            if _is_of(first.twin, modules[path][1]):
                odd = [one for one in differing(*modules[path]) if f"self.{one.name}" in own]
                if odd:
                    return path, odd
        return None

    def _of_module(self, first: Finding, modules: Mapping[str, tuple[Any, Any]]) -> tuple[str, list[Setting]] | None:
        """The numbers among those that the forward of a module reads, which returns what is wrong and was given what is right."""
        path, statements = first.key.module, statements_around(first.twin)
        if first.key.is_local or not first.key.variable.startswith("output") or path not in modules or statements is None or (
                not _is_of(first.twin, modules[path][1])):
            return None
        own = frozenset().union(*(statement.own for statement in statements.all))
        odd = [one for one in differing(*modules[path]) if f"self.{one.name}" in own and type(one.twin) in (int, float)]
        return (path, odd) if odd else None

    def _decided(self, path: str, name: str, modules: Mapping[str, tuple[Any, Any]]) -> Site | None:
        """The line that decided on a setting: that which keeps it, or hands it to the library's layer that keeps it; where that is
        an argument of the constructor as it is, the line that handed it to this, and so on. None of what such a layer was told
        where it was built."""
        module = modules[path][1]
        site = attribute_site(module, name)
        site, argument = (site, kept_value(site, name)) if site is not None else _told_the_base(module, name.removeprefix("_"))
        for _ in range(_DEPTH):
            step = self._handed_on(path, site, argument, modules)
            if step is None:
                break
            site, argument, path = step
        return site


def _read_of_self(first: Finding, found: list[Finding]) -> frozenset[str]:
    statements = statements_around(first.twin)
    statement = statements.at(first.twin.line) if statements is not None else None
    if statement is None:
        return frozenset()
    own, reads = statement.own, statement.values
    before = [f for f in found if f.verdict is Verdict.UNCOMPARED and f.key[:6] == first.key[:6] and f.twin is not None
              and f.order < first.order and f.key.function != OPERATION]
    for finding in sorted(before, key=lambda finding: finding.order, reverse=True):
        if local_name(finding.key) in reads and (made := statements.at(finding.twin.line)) is not None:
            own, reads = own | made.own, reads | made.values
    return own


def differing(reference: Any, twin: Any) -> Iterator[Setting]:
    """The settings that two modules both keep, under the names of the twin's, and that are not the same."""
    held = vars(twin)
    for name, ours in vars(reference).items():
        if name.startswith("_") or name in _OF_A_RUN or not _is_setting(ours):
            continue
        theirs = _PADDLES.get(name, name)
        known = next((other for other in (name, theirs, f"_{theirs}") if other in held), None)
        if known and _is_setting(held[known]) and not _equal(ours, held[known]):
            yield Setting(known, ours, held[known])


def _is_setting(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) or (
        isinstance(value, (tuple, list)) and 0 < len(value) <= 3 and all(type(one) is int for one in value))


def _equal(ours: Any, theirs: Any) -> bool:
    one, other = (value[0] if isinstance(value, (tuple, list)) and len(set(value)) == 1 else value for value in (ours, theirs))
    if all(isinstance(value, (int, float)) for value in (one, other)):
        return abs(one - other) <= ROUNDING * max(abs(one), abs(other))
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    # Of different kinds, as "zeros" and 0, they may mean the same.
    return type(one) is not type(other) or one == other


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _does(kept: Any, operation: str) -> bool:
    """Whether this is a function, or a layer, that is called as the operation is."""
    name = getattr(kept, "__name__", type(kept).__name__)
    return name.replace("_", "").lower() == operation.replace("_", "")


def _nearest(path: str, modules: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """Itself, those inside of it, those around it."""
    if path in modules:
        yield path
    yield from (other for other in modules if is_inside(other, path))
    while "." in path:
        path = path.rpartition(".")[0]
        if path in modules:
            yield path


def _is_of(site: Site, module: Any) -> bool:
    """Whether a line is one of a method of the module's class, or of one that this inherits from."""
    codes = (code_of(value) for base in type(module).__mro__ for value in vars(base).values() if inspect.isfunction(value))
    function = function_around(site)
    return function is not None and any(
        code is not None and code.co_filename == site.file and code.co_name == function.name
        and code.co_firstlineno <= function.lineno <= max(line for *_, line in code.co_lines() if line) for code in codes)


def _function(method: Any) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, str] | None:
    """The source of a method, and its file."""
    code = code_of(method)
    lines = [line for *_, line in code.co_lines() if line] if code is not None else []
    function = function_around(Site(code.co_filename, max(lines))) if lines else None
    return None if function is None else (function, code.co_filename)


def _is_of_the_base(call: ast.Call) -> bool:
    return re.fullmatch(r"super\(.*\)\.__init__", ast.unparse(call.func)) is not None


def _told_the_base(module: Any, name: str) -> tuple[Site | None, str | None]:
    """Where the constructor of the user's own class tells the library's layer what goes by this name, and the variable that it
    hands on as it is."""
    found = _function(type(module).__init__)
    for call in ast.walk(found[0]) if found is not None else ():
        if isinstance(call, ast.Call) and _is_of_the_base(call):
            for word in call.keywords:
                if word.arg == name:
                    return Site(found[1], word.value.lineno), getattr(word.value, "id", None)
    return None, None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names of a constructor's arguments behind `self`."""
    arguments = function.args
    return [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)][1:]


def _handed(call: ast.Call, name: str, parameters: list[str]) -> ast.expr | None:
    """What a call hands on under the name of a parameter; None where that is not written there."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return None
    named = next((word.value for word in call.keywords if word.arg == name), None)
    place = parameters.index(name)
    return named if named is not None else call.args[place] if place < len(call.args) else None
