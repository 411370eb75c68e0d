"""From running code back to its source: statements, the names they bind and read, the lines that build modules."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import itertools
import linecache
import math
import os
import re
import sys
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from parity.blame import hand_on, is_below, is_installed
from parity.trace.statements import lines_of, name_of


class Site(NamedTuple):
    """A place in a source file. `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{relative(self.file)}:{self.line}"

    @property
    def text(self) -> str:
        """The source line itself, stripped."""
        return linecache.getline(self.file, self.line).strip()


def relative(file: str) -> str:
    """The path as a person would type it: relative to the working directory where that is shorter."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


@dataclass(frozen=True)
class Statement:
    """One simple statement: its lines, the local names that it binds, those that it reads, with what it reads of `self`
    ("self.eps"), and those whose values it writes in place. handed: (what is called, name) of those that it reads only to hand
    them on as they are; what is called is "self.layer", or "self.layers" of `self.layers[0](x)`. is_name: it gives a value that is
    there another name (`residual = x`), and does nothing else. values: of the names that it reads, those of which it reads more
    than what kind of value they are (`x.dtype`, `x.shape`)."""

    first: int
    last: int
    binds: tuple[str, ...]
    reads: frozenset[str]
    own: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    handed: frozenset[tuple[str, str]] = frozenset()
    is_name: bool = False
    values: frozenset[str] = frozenset()


class Statements:
    """The simple statements of one code object, found by line.

    Compound statements (`for`, `if`, `with`) count by their header, so that a loop variable is bound there. parameters: of a
    method, the names of its positional arguments behind `self`, in order.
    """

    def __init__(self, function: ast.AST | None) -> None:
        self._by_line: dict[int, Statement] = {}
        self.all = list(_one_a_line(_statements(function))) if function is not None else []
        for statement in self.all:
            for line in range(statement.first, statement.last + 1):
                self._by_line[line] = statement
        self.arguments = frozenset(one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)) if hasattr(
            function, "args") else frozenset()
        positional = [*function.args.posonlyargs, *function.args.args] if self.arguments else []
        self.parameters = tuple(one.arg for one in positional)[1:]
        self.names = self.arguments.union(*(statement.binds for statement in self.all))

    def at(self, line: int) -> Statement | None:
        return self._by_line.get(line)

    def hands_on(self, statement: Statement, names: Iterable[str]) -> bool:
        """Whether a statement reads these names for nothing but to hand them to modules (`self.layer(x)`, `layer(x)`)."""
        return all(self.handed_to(statement, name) for name in names)

    def handed_to(self, statement: Statement, name: str) -> list[str]:
        """The modules that a statement hands a name to, as it calls them, where it reads it for nothing else."""
        to = [called for called, other in statement.handed if other == name]
        return to if self.names.union({"self"}).issuperset(called.partition(".")[0] for called in to) else []


@functools.lru_cache(maxsize=4096)
def _statements_of(code: CodeType, file: str) -> Statements:
    return Statements(function_of(code))


def statements_of(code: CodeType) -> Statements:
    """The statements of a code object. (Code objects of two files may be equal: the file belongs to the key.)"""
    return _statements_of(code, code.co_filename)


def statements_around(site: Site | None) -> Statements | None:
    """The statements of the innermost function around a line; None where the source is not at hand."""
    function = function_around(site)
    return None if function is None else _inside(_text_of(site.file), function)


def statement_at(site: Site | None) -> Statement | None:
    """The statement of a line; None where the source is not at hand."""
    statements = statements_around(site)
    return statements.at(site.line) if statements is not None else None


def function_around(site: Site | None) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a line, a shared tree; None where there is none, or the source is not at hand."""
    if site is None:
        return None
    try:
        return _around(_text_of(site.file), site.line)
    except SyntaxError:  # rewritten since
        return None


@functools.lru_cache(maxsize=1024)
def _around(text: str, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    return max((node for node in _functions(text) if node.lineno <= line <= node.end_lineno), key=lambda node: node.lineno,
               default=None)


@functools.lru_cache(maxsize=1024)
def _inside(text: str, function: ast.AST) -> Statements:
    return Statements(function)


def function_of(code: CodeType) -> ast.AST | None:
    """The function of a code object in its file's tree, or the file where it is a script's; None without its source."""
    text = _text_of(code.co_filename)
    if code.co_name == "<module>":  # a script's loop stands in no function
        return _parse(text) if text else None
    candidates = [node for node in _functions(text) if node.name == code.co_name
                  and min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) == code.co_firstlineno]
    return candidates[0] if candidates else None


_texts: dict[str, tuple[list[str], str]] = {}  # by file: its lines as they were seen last, and the same in one piece


def _text_of(file: str) -> str:
    """One string for as long as the file's lines are the same list: as a key it is hashed once."""
    lines = linecache.getlines(file)
    known = _texts.get(file)
    if known is None or known[0] is not lines:
        known = _texts[file] = lines, "".join(lines)
    return known[1]


@functools.lru_cache(maxsize=64)
def _functions(text: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    return tuple(node for node in ast.walk(_parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


@functools.lru_cache(maxsize=256)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def parsed(file: str) -> ast.Module | None:
    """The syntax tree of a file as it is now, a shared one; None where it is no Python."""
    try:
        return _parse(_text_of(file))
    except SyntaxError:
        return None


def _statements(function: ast.AST) -> Iterator[Statement]:
    for line in lines_of(function):
        node, inner = line.node, list(line.inner)
        names = [n for n in inner if isinstance(n, ast.Name)]
        # In evaluation order of a plain assignment; a tuple target binds from left to right.
        binds = tuple(dict.fromkeys(n.id for n in names if isinstance(n.ctx, ast.Store)))
        reads = frozenset(n.id for n in names if isinstance(n.ctx, ast.Load))
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            reads |= {node.target.id}
        own = frozenset(f"self.{n.attr}" for n in inner if isinstance(n, ast.Attribute) and name_of(n.value) == "self")
        writes = frozenset(name for n in inner if (name := _written(n)) is not None)
        yield Statement(node.lineno, line.last, binds, reads, own, writes, _handed(inner),
                        isinstance(node, ast.Assign) and isinstance(node.value, ast.Name), reads - _of_kind_only(inner))


_KIND = frozenset({"dtype", "shape", "device", "place", "ndim"})


def _of_kind_only(nodes: Iterable[ast.AST]) -> set[str]:
    """The names that are read for nothing but what kind of value they are."""
    read = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    kinds = Counter(node.value.id for node in nodes if isinstance(node, ast.Attribute) and node.attr in _KIND
                    and isinstance(node.value, ast.Name))
    return {name for name, count in kinds.items() if count == read[name]}


def _handed(nodes: Iterable[ast.AST]) -> frozenset[tuple[str, str]]:
    """Of the nodes of a statement, the names that are nothing but arguments, with the name of what they are handed to."""
    read = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    given: dict[str, list[str]] = {}
    for call in nodes:
        called, attributes = call.func if isinstance(call, ast.Call) else None, []
        while isinstance(called, (ast.Attribute, ast.Subscript)):
            attributes = [called.attr, *attributes] if isinstance(called, ast.Attribute) else []
            called = called.value
        if isinstance(called, ast.Name):
            for name in filter(None, map(name_of, [*call.args, *(word.value for word in call.keywords)])):
                given.setdefault(name, []).append(".".join([called.id, *attributes]))
    return frozenset((to, name) for name, called in given.items() if len(called) == read[name] for to in called)


def _written(node: ast.AST) -> str | None:
    """The name whose value a piece of code writes in place: `x[0] = y`, `x.mul_(y)`."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        return name_of(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_"):
        return name_of(node.func.value)
    return None


def _one_a_line(statements: Iterable[Statement]) -> Iterator[Statement]:
    """The statements with those that share a line (`if c: x = f(x)`, `a = 1; b = 2`) made one: lines are all one can see."""
    together: list[Statement] = []
    for one in sorted(statements, key=lambda statement: (statement.first, statement.last)):
        if together and one.first <= together[-1].last:
            before = together.pop()
            one = Statement(before.first, max(before.last, one.last), tuple(dict.fromkeys(before.binds + one.binds)),
                            before.reads | one.reads, before.own | one.own, before.writes | one.writes,
                            before.handed & one.handed, values=before.values | one.values)
        together.append(one)
    yield from together


@functools.lru_cache(1 << 16)  # of all modules in the process, which lie in far fewer folders
def _resolved_once(file: str) -> Path:
    folder, name = os.path.split(file)
    return Path(file).resolve() if os.path.islink(file) or name in ("", ".", "..") else _resolved_folder(folder) / name


@functools.lru_cache(1 << 14)
def _resolved_folder(folder: str) -> Path:
    return Path(folder).resolve()


def called_inside(frame: FrameType | None, module: object) -> object | None:
    """The layer that runs inside of a Sequential, the innermost on the stack; None where the module is no Sequential."""
    if not any(kind.__name__ == "Sequential" for kind in type(module).__mro__):
        return None
    inner = None
    while frame is not None:
        running = frame.f_locals.get("self")
        if running is module:
            return inner
        inner = running if inner is None and hasattr(type(running), "forward") else inner
        frame = frame.f_back
    return None


class SourceTree:
    """The files whose code is the user's: folders and files, less the `helpers` among them.

    A helper file counts as library code: what its functions do is one operation of the line that calls them.
    """

    def __init__(self, *roots: str | Path, helpers: Iterable[str | Path] = ()) -> None:
        if not roots:
            raise ValueError("a source tree needs at least one folder or file")
        self._roots = _resolved(roots)
        self._helpers = _resolved(helpers)
        self._named = {*self._roots, *self._helpers}
        self._known: dict[str, bool] = {}
        self._folders: dict[Path, bool] = {}

    def __contains__(self, file: str) -> bool:
        known = self._known.get(file)
        if known is None:
            path = _resolved_once(file) if os.path.isabs(file) else Path(file).resolve()
            known = self._has(path.parent)
            if path in self._named:
                known = is_below(path, self._roots) and not is_below(path, self._helpers)
            self._known[file] = known
        return known

    def _has(self, folder: Path) -> bool:
        """Whether what lies in that folder is the user's, but for files that are named by themselves."""
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = is_below(folder, self._roots) and not is_below(folder, self._helpers)
        return known

    def modules(self) -> list[ModuleType]:
        """The modules of the user's that are loaded."""
        files = [(module, getattr(module, "__file__", None)) for module in list(sys.modules.values())]
        return [module for module, file in files if isinstance(file, str) and file in self]

    def defines(self, module: object) -> bool:
        """Whether the module's forward is the user's own code."""
        code = code_of(getattr(type(module), "forward", None))
        return code is not None and code.co_filename in self

    def hands_to_library(self, module: object, returned: Site | None) -> bool:
        """Whether a module's forward returns, at that line, what the forward of a library's class makes of its arguments as they
        are (`return super().forward(x)`): where the module was built it was told what to do."""
        if not _returns_the_base(returned):
            return False
        kinds = [kind for kind in type(module).__mro__ if "forward" in vars(kind)]
        codes = [code_of(vars(kind)["forward"]) for kind in kinds]
        base = next((code for own, code in itertools.pairwise(codes) if own is not None and own.co_filename in self), None)
        return base is not None and base.co_filename not in self

    def runs_inside(self, frame: FrameType | None, module: object) -> bool:
        """Whether the innermost line of the user's on the stack runs inside of a module's call: of a library's, a container, that
        calls modules of the user's."""
        while frame is not None and frame.f_code.co_filename not in self:
            if frame.f_locals.get("self") is module:
                return False
            frame = frame.f_back
        return frame is not None

    def site(self, frame: FrameType | None, skip_self: object = None) -> Site | None:
        """The innermost line of the user's code on the stack; frames whose `self` is `skip_self` are passed over."""
        found = self.innermost(frame, skip_self)
        return None if found is None else Site(found.f_code.co_filename, found.f_lineno)

    def innermost(self, frame: FrameType | None, skip_self: object = None) -> FrameType | None:
        """The frame of that line."""
        while frame is not None:
            if frame.f_code.co_filename in self and not (
                    skip_self is not None and frame.f_locals.get("self") is skip_self):
                return frame
            frame = frame.f_back
        return None


def code_of(function: Any) -> CodeType | None:
    """Of a function, also of one inside a decorator that says what it is around (`functools.wraps`: no_grad, to_static)."""
    try:
        return getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    except ValueError:  # no end of it: an object that has every attribute
        return None


def _resolved(paths: Iterable[str | Path]) -> tuple[Path, ...]:
    return tuple(Path(path).resolve() for path in paths)


def _beside(file: str, names: Mapping[str, Any]) -> set[str]:
    """The files in the same folder whose functions are used there."""
    folder = os.path.dirname(file)
    if is_installed(file):
        return set()
    codes = (code_of(value) for value in names.values() if callable(value))
    return {code.co_filename for code in codes if isinstance(code, CodeType) and os.path.dirname(code.co_filename) == folder}


_NOWHERE = "/no/source/of/the/user"


def files_of(models: Iterable[Any], framework: Any) -> list[str]:
    """The files of all classes of modules in some models, the frameworks' layers aside (their model zoo counts as the user's); and
    those of the functions that such a file takes from its own folder, where nobody has installed it."""
    files: set[str] = set()
    for model in models:
        for _, module in framework.modules(model):
            for cls in type(module).__mro__:
                library = cls.__module__.partition(".")[0] in ("torch", "paddle") and ".vision." not in cls.__module__
                if not library and cls is not object and (file := getattr(sys.modules.get(cls.__module__), "__file__", None)):
                    files.add(file)
                    files |= _beside(file, vars(sys.modules[cls.__module__]))
    return sorted(files) or [_NOWHERE]


def attribute_site(owner: Any, name: str) -> Site | None:
    """The line of the owner's class that sets `self.name` (the first one), or registers it by that name."""
    for base in type(owner).__mro__:
        if base.__module__.partition(".")[0] in ("torch", "paddle", "builtins"):
            continue
        try:
            lines, first = inspect.getsourcelines(base)
            file, tree = str(inspect.getsourcefile(base)), _parse(_dedented(lines))
        except (OSError, TypeError):  # its module is not to be found: a script under runpy
            file, first, tree = _class_of_methods(base)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if _sets(node, name):
                return Site(file, first + node.lineno - 1)
    return None


def class_text(kind: type) -> str:
    """The source of a class; "" where it is not at hand."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ast.unparse(_class_of_methods(kind)[2])


def _class_of_methods(kind: type) -> tuple[str, int, ast.AST]:
    """(file, what to count its lines from, tree) of a class, by the code of a method of its own; an empty tree without one."""
    codes = [code for value in vars(kind).values() if (code := getattr(value, "__code__", None)) is not None]
    with suppress(SyntaxError):
        for code in codes:
            around = [node for node in ast.walk(_parse(_text_of(code.co_filename))) if isinstance(node, ast.ClassDef)
                      and node.name == kind.__name__ and node.lineno <= code.co_firstlineno <= node.end_lineno]
            if around:
                return code.co_filename, 1, around[-1]
    return "", 1, ast.Module([], [])


def kept_at(site: Site | None, operation: str) -> Site | None:
    """Where the line calls a function that its object keeps (`self.act(x)`), or a layer, for this operation: the one line of the
    class that keeps it (`self.act = torch.relu`, `self.act = nn.ReLU()`). None where there is none, or several."""
    tree = parsed(site.file) if site is not None else None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
               and node.lineno <= site.line <= node.end_lineno] if tree is not None else []
    if not classes:
        return None
    inner = max(classes, key=lambda node: node.lineno)
    called = {call.func.attr for call in ast.walk(inner) if isinstance(call, ast.Call) and is_own(call.func)
              and call.lineno <= site.line <= call.end_lineno}
    kept = [node for node in ast.walk(inner) if isinstance(node, ast.Assign)
            and any(is_own(target) and target.attr in called for target in node.targets)]
    handed = not is_installed(site.file)  # a library's class keeps what it is handed, be that a layer
    named = [node for node in kept if _function_name(node.value).lower() == operation.replace("_", "")
             or (handed and isinstance(node.value, ast.Name))]
    only = len(named) == 1 and all(node in named or is_own(node.value) for node in kept)
    return Site(site.file, named[0].lineno) if only else None


def calls_own(site: Site | None) -> bool:
    """Whether the statement there does nothing after a call of what its object keeps (`h = self.act(self.conv(x))`)."""
    return any(isinstance(node, (ast.Assign, ast.AnnAssign, ast.Return)) and isinstance(node.value, ast.Call)
               and is_own(node.value.func) for node in nodes_at(site))


def kept_value(site: Site | None, name: str) -> str | None:
    """The variable that the line keeps as `self.name`, as it is; None where it makes something of it."""
    for node in nodes_at(site):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            both = (target, node.value), *zip(*(getattr(side, "elts", ()) for side in (target, node.value)), strict=False)
            for kept, value in both:
                if is_own(kept) and kept.attr == name:
                    return name_of(value)
    return None


def calls_at(site: Site | None) -> list[ast.Call]:
    """The calls that begin on a line, outer ones first."""
    return [node for node in nodes_at(site) if isinstance(node, ast.Call) and node.lineno == site.line]


def nodes_at(site: Site | None) -> list[ast.AST]:
    """The nodes of the innermost function around a line that are on it."""
    function = function_around(site)
    return [node for node in ast.walk(function) if getattr(node, "lineno", math.inf) <= site.line <= node.end_lineno] \
        if function is not None else []


def returned_part(site: Site | None, path: str) -> frozenset[str] | None:
    """The names of which a result is made that stands at an access path of what the line returns: `b` of `return a, b` for "[1]",
    of `return {"x": a, "y": b}` for "['y']". None where the line returns nothing that is spelled out there."""
    node = next((node.value for node in nodes_at(site) if isinstance(node, ast.Return)), None)
    narrowed = False
    for number, name in re.findall(r"\[(?:(\d+)|'([^']*)')\]", path):
        if number and isinstance(node, (ast.Tuple, ast.List)) and int(number) < len(node.elts):
            node, narrowed = node.elts[int(number)], True
        elif name and isinstance(node, ast.Dict) and (held := [value for key, value in zip(node.keys, node.values, strict=True)
                                                               if isinstance(key, ast.Constant) and key.value == name]):
            node, narrowed = held[-1], True
        else:
            break
        if isinstance(node, ast.Starred):
            return None
    if not narrowed:
        return None
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _returns_the_base(site: Site | None) -> bool:
    """Whether the line is `return super().forward(x)`, of arguments that are what they were."""
    function = function_around(site)
    return function is not None and _hands_to_the_base(function, site.line)


@functools.lru_cache(maxsize=1024)
def _hands_to_the_base(function: ast.FunctionDef | ast.AsyncFunctionDef, line: int) -> bool:
    found = [node for node in ast.walk(function) if isinstance(node, ast.Return) and node.lineno <= line <= node.end_lineno]
    call = found[0].value if len(found) == 1 else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in ("forward", "__call__"):
        return False
    base = call.func.value
    handed = [*call.args, *(word.value for word in call.keywords)]
    arguments = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    stored = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return (isinstance(base, ast.Call) and name_of(base.func) == "super"
            and all(name_of(one) in arguments - stored for one in handed))


def is_own(node: ast.AST) -> bool:
    """self.name"""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _function_name(node: ast.AST) -> str:
    """relu of `torch.relu`, ReLU of `nn.ReLU()`, without underscores; "" of what is none by its form, or the object's own."""
    node = node.func if isinstance(node, ast.Call) else node
    name = node.attr if isinstance(node, ast.Attribute) and not is_own(node) else name_of(node) or ""
    return name.replace("_", "")


def _sets(node: ast.AST, name: str) -> bool:
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(t, ast.Attribute) and t.attr == name for target in targets for t in ast.walk(target))
    if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        if called in ("add_sublayer", "add_module", "add_parameter", "register_parameter", "register_buffer", "setattr"):
            return any(isinstance(argument, ast.Constant) and argument.value == name for argument in node.args)
    return False


def _dedented(lines: list[str]) -> str:
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "".join(line[indent:] if line.strip() else "\n" for line in lines)


class ConstructionSites:
    """Remembers, for every module built inside `watch`, the line of user code that built it, or what it is a copy of.

    A wrong stride or an affine norm is written where a layer is *built*; where it runs is a `Sequential`'s inside.
    """

    def __init__(self) -> None:
        self._sites: weakref.WeakKeyDictionary[object, Site] = weakref.WeakKeyDictionary()
        self._numbers: weakref.WeakKeyDictionary[object, int] = weakref.WeakKeyDictionary()
        self._counter = itertools.count()

    def built(self, module: object) -> bool:
        """Whether the module was built inside `watch`."""
        return module in self._numbers

    def number(self, module: object) -> float:
        """As the how manieth it was built; infinity for one that was not built inside `watch`."""
        return self._numbers.get(module, math.inf)

    def of(self, module: object) -> Site | None:
        return self._sites.get(module) if module is not None else None

    @contextmanager
    def watch(self, module_class: type, source: SourceTree) -> Iterator[None]:
        original, copying = module_class.__init__, vars(module_class).get("__deepcopy__")

        @functools.wraps(original)
        def init(module, *args, **kwargs):
            hand_on(original, module, *args, **kwargs)
            note(module, source.site(sys._getframe(1), skip_self=module))

        def deepcopy(module, memo):
            copied = copy._reconstruct(module, memo, *module.__reduce_ex__(4))  # as `copy.deepcopy` does
            note(copied, self.of(module))
            return copied

        def note(module, site):
            self._numbers[module] = next(self._counter)
            if site is not None:
                self._sites[module] = site

        module_class.__init__ = init
        if copying is None:
            module_class.__deepcopy__ = deepcopy
        try:
            yield
        finally:
            module_class.__init__ = original
            if copying is None:
                del module_class.__deepcopy__
