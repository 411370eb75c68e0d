"""Following the user's lines: scalars and their weight in the loss, cuts of the graph, the line that made a NaN."""

from __future__ import annotations

import ast
import functools
import re
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any

import numpy as np

from parity.doctor.arrays import is_finite
from parity.doctor.record import Cut, Iteration, Labels, Lost, NonFinite, Passed, Term
from parity.frameworks import Framework
from parity.messages import say
from parity.trace.source import Site, Statement, Statements, statements_of

# Ways to leave the graph, as they stand in a line.
_HOW = re.compile(
    r"\.(numpy|item|detach|tolist|argmax|round|data)\b|\b(to_tensor|as_tensor|tensor|asarray|array)\(|(no_grad|stop_gradient)"
)
_GRADIENT_ALONE = re.compile(r"\b(?:autograd|paddle)\.grad\((?!.*create_graph\s*=\s*True)")  # a gradient that has none itself

_MASK = re.compile(r"mask|valid|weight|done|pad|keep|alive|drop|select|index", re.IGNORECASE)  # names of what leaves examples out
_SQUASHES = re.compile(r"softmax|sigmoid", re.IGNORECASE)


class Lines:
    """A trace function (`sys.settrace`) for the files of a source tree. Values are looked at and let go at once.

    iteration: what to write into. close: also look at every element of what lines bind. tick: the clock of events.
    depth: how many module calls are going on; module: the path of the innermost; graphs: counts network calls whose output has a
    graph. checked: weak reference to the layer's output that was looked at last, and whether it was finite.

    Inside the networks, each layer's code is followed in its first call with gradients on of an iteration: its lines are the same
    in all calls, and what every single layer gives is looked at anyhow. every_call: followed in all calls, gradients or not.
    """

    def __init__(self, framework: Framework, source: Any, tick: Callable[[], int], fail: Callable[[Exception], None]) -> None:
        self.framework, self.source, self.tick, self.fail = framework, source, tick, fail
        self.iteration: Iteration | None = None
        self.close = self.every_call = False
        self.depth = 0
        self.module = ""
        self.followed: set[tuple[str, int]] = set()
        self.checked: tuple[Any, bool] = (lambda: None, True)
        self.graphs = 0
        self._latest: tuple[Callable[[], Any], Site | None] = (lambda: None), None
        self.squashed: Site | None = None
        self.on_pair: Callable[[Any, Any, Site], None] = lambda score, label, site: None  # a statement that reads these two alone
        self.returned: dict[tuple[int, str], tuple[bool, bool, Cut | None]] = {}  # (frame, "f()") -> of what a call there gave
        self.known: set[tuple[str, int]] = set()
        self.files: dict[str, bool] = {}
        self.paused, self.resumed = _Follow(None), _Follow(self._enter)
        self._before: Any = None
        self._useful: set[int] = set()
        self._codes: dict[int, tuple[CodeType, Statements]] = {}

    def start(self, frame: FrameType | None) -> None:
        """From now on; `frame`, where the block is, is followed from its next line."""
        self._before = sys.gettrace()
        self._frame = frame
        if frame is not None and self._wanted(frame.f_code.co_filename):
            self._frame_before = frame.f_trace
            frame.f_trace = _Frame(self, frame)
        else:
            self._frame = None
        sys.settrace(self._enter)

    def give_up(self) -> None:
        """Look at nothing any more."""
        self.iteration, self.close = None, False
        self._useful.clear()

    def stop(self) -> None:
        sys.settrace(self._before)
        if self._frame is not None:
            self._frame.f_trace = self._frame_before
            self._frame = None

    def _wanted(self, file: str) -> bool:
        wanted = self.files.get(file)
        if wanted is None:
            wanted = self.files[file] = file in self.source
        return wanted

    def remember(self, code: CodeType, name: str, line: int) -> None:
        """Look at this binding in all iterations."""
        self.statements(code)  # keeps the code, and so its id
        self._useful.add(id(code))
        self.known.add((name, line))

    def made(self, tensor: Any, site: Site) -> None:
        """This line made the tensor, unless it only hands on what an earlier one made."""
        if self._latest[0]() is not tensor:
            self._latest = weakref.ref(tensor), site
            if _SQUASHES.search(site.text):
                self.squashed = site

    def made_at(self, tensor: Any) -> Site | None:
        """The line that made the tensor, where it is what the latest line has made."""
        return self._latest[1] if self._latest[0]() is tensor else None

    def maker(self, tensor: Any) -> Site | None:
        """The latest line that took a softmax or a sigmoid, where the tensor is what that line, or one after it, has made."""
        return self.squashed if self._latest[0]() is tensor else None

    def statements(self, code: CodeType) -> Statements:
        """Of a code object, remembered by identity: to hash one takes longer than to trace a line."""
        known = self._codes.get(id(code))
        if known is None:
            known = self._codes[id(code)] = code, statements_of(code)
        return known[1]

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        try:
            return self._follower(frame)
        except Exception as error:
            return self.fail(error)

    def _follower(self, frame: FrameType) -> _Frame | None:
        """What follows a function that begins, if it is to be followed."""
        code = frame.f_code
        # Between close iterations the lines of the training loop are enough, where scalars or labels were seen.
        if not self.close and (self.depth or id(code) not in self._useful):
            return None
        if not self._wanted(code.co_filename) or (code.co_name.startswith("<") and code.co_name != "<lambda>"):
            return None
        if self.depth and not self.every_call:
            place = self.module, id(self.statements(code))
            if place in self.followed or not self.framework.grad_enabled():
                return None
            self.followed.add(place)
        return _Frame(self, frame)


class _Follow:
    """While active, calls are followed by this function; by None: not at all. The doctor's own calls and the library's are many."""

    def __init__(self, function: Callable | None) -> None:
        self._function, self._before = function, []

    def __enter__(self) -> None:
        self._before.append(sys.gettrace())
        sys.settrace(self._function)

    def __exit__(self, *error: Any) -> None:
        sys.settrace(self._before.pop())


class _Frame:
    """One running function, statement by statement."""

    __slots__ = ("_current", "_cuts", "_graphs", "_inside", "_kinds", "_lines", "_statements", "_unread")

    def __init__(self, lines: Lines, frame: FrameType) -> None:
        self._lines = lines
        self._statements = lines.statements(frame.f_code)
        self._current: Statement | None = None
        self._inside = lines.depth > 0
        self._graphs, self._cuts = lines.graphs, 0
        self._unread: dict[str, Term] = {}  # losses that were bound, and that no statement has read
        self._kinds: dict[str, tuple[bool, bool, Cut | None]] = {}  # name -> (has a graph, is finite, the cut it comes from)
        code = frame.f_code
        if not lines.close:
            return
        for name in code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]:
            self._see(name, frame.f_locals.get(name))

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        try:
            self._follow(frame, event, arg)
        except Exception as error:  # raised here, it would be the program's
            return self._lines.fail(error)
        return self

    def _follow(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "line":
            statement = self._statements.at(frame.f_lineno)
            if statement is not self._current:
                self._finish(frame)
                self._current, self._graphs = statement, self._lines.graphs
                self._cuts = len(self._lines.iteration.cuts) if self._lines.iteration is not None else 0
        elif event == "exception":
            self._current = None
        elif event == "return":
            if arg is not None and self._current is not None and not self._current.binds and self._lines.iteration is not None:
                self._returned(frame, arg)
            elif self._current is None and frame.f_code.co_name == "<lambda>" and self._lines.close and (
                    self._lines.framework.is_tensor(arg) and self._lines.framework.requires_grad(arg)):
                self._pass("what a lambda gives", arg, Site(frame.f_code.co_filename, frame.f_lineno))
            self._finish(frame)

    def _see(self, name: str, value: Any) -> None:
        framework = self._lines.framework
        tensors = [tensor for _, tensor in framework.tensors_in(value)] if _may_hold(value) else []
        if framework.is_tensor(value):
            tensors = [value]
        if tensors:
            finite = not self._lines.close or all(is_finite(framework.values(tensor)) for tensor in tensors)
            self._kinds[name] = (any(map(framework.requires_grad, tensors)), finite, None)

    def _finish(self, frame: FrameType) -> None:
        statement, lines = self._current, self._lines
        if statement is None or lines.iteration is None:
            return
        if not lines.close and not statement.binds:
            return
        values = frame.f_locals
        for caller, name in list(lines.returned):
            if caller == id(frame):
                self._kinds[name] = lines.returned.pop((caller, name))
        if lines.close and self._kinds:
            site = Site(frame.f_code.co_filename, statement.first)
            self._switched_off(values, statement, site)
            self._suspected(values, statement, site)
            if not self._inside:
                self._paired(values, statement, site)
            if not statement.binds:
                self._lost(values, site, None)
        for name in statement.reads:
            self._unread.pop(name, None)
        for name in statement.binds:
            value = values.get(name)
            if value is not None:
                self._bound(name, value, statement, Site(frame.f_code.co_filename, statement.first), frame)

    def _bound(self, name: str, value: Any, statement: Statement, site: Site, frame: FrameType) -> None:
        lines = self._lines
        framework, iteration = lines.framework, lines.iteration
        if not lines.close and (not framework.is_tensor(value) or len(value.shape) > 1 or (name, site.line) not in lines.known):
            return
        sources = [self._kinds[read] for read in statement.reads if read in self._kinds]
        from_graph = any(kind[0] for kind in sources) or lines.graphs > self._graphs
        finite_before = lines.close and all(kind[1] for kind in sources)  # elsewhere not all of them were looked at
        cut = next((kind[2] for kind in sources if kind[2] is not None), None)
        if framework.is_tensor(value):
            graph, finite = framework.requires_grad(value), True
            shape, dtype = framework.shape_dtype(value)
            if cut is not None:
                cut.used = True
            if dtype.startswith(("float", "bfloat")):
                revived = graph and from_graph and value.is_leaf and not framework.is_parameter(value)
                if from_graph and (revived or not graph):
                    cut = self._cut(name, site, statement, used=shape == ()) or cut or next(iter(iteration.cuts[self._cuts:]), None)
                elif graph and lines.close:
                    self._pass(name, value, site)
                    self._derived(frame.f_locals, site)
                small = all(length == 1 for length in shape)
                if lines.close or small:
                    finite = self._finite(name, value, site, finite_before)
                if small and len(shape) <= 1 and not self._inside:
                    self._term(name, value, graph, statement, site, frame)
            elif dtype.startswith("int") and len(shape) == 1 and shape[0] > 1 and not self._inside:
                array = framework.values(value)
                lines.remember(frame.f_code, name, site.line)
                iteration.labels.append(Labels(name, site, int(array[0]), len(np.unique(array)), int(array.size)))
            self._kinds[name] = (graph, finite, cut)
        elif isinstance(value, (np.ndarray, float)) and from_graph:
            if not isinstance(value, np.ndarray) or value.dtype.kind == "f":
                cut = self._cut(name, site, statement)
            self._kinds[name] = (False, True, cut)
        elif _may_hold(value):
            self._see(name, value)
            if name in self._kinds and cut is not None:
                self._kinds[name] = (*self._kinds[name][:2], cut)
        elif cut is not None and name not in self._kinds:
            self._kinds[name] = (False, True, cut)

    def _returned(self, frame: FrameType, value: Any) -> None:
        """A cut, or the origin of a NaN, in a return statement."""
        lines, statement = self._lines, self._current
        sources = [self._kinds[read] for read in statement.reads if read in self._kinds]
        from_graph = any(kind[0] for kind in sources) or lines.graphs > self._graphs
        site = Site(frame.f_code.co_filename, statement.first)
        if lines.close and _may_hold(value):
            for _, tensor in lines.framework.tensors_in(value):
                if not self._finite("what is returned", tensor, site, all(kind[1] for kind in sources)):
                    return
        for kind in sources:
            if kind[2] is not None:
                kind[2].used = True
        if not lines.framework.is_tensor(value):
            return
        floating = lines.framework.shape_dtype(value)[1].startswith(("float", "bfloat"))
        if floating and frame.f_back is not None and not lines.depth:
            cut = next((kind[2] for kind in sources if kind[2] is not None), None)
            lines.returned[id(frame.f_back), f"{frame.f_code.co_name}()"] = lines.framework.requires_grad(value), True, cut
        if from_graph and floating and not lines.framework.requires_grad(value):
            self._cut("what is returned", site, statement, used=True)
        elif lines.close and floating and lines.framework.requires_grad(value):
            self._pass("what is returned", value, site)
        if lines.close and floating:
            self._finite("what is returned", value, site, all(kind[1] for kind in sources))

    def _cut(self, name: str, site: Site, statement: Statement, used: bool = False) -> Cut | None:
        how = _how(site.text, self._lines.framework)
        if not how:
            return None
        cut = Cut(
            site, name, ", ".join(sorted(read for read in statement.reads if self._kinds.get(read, (False,))[0])[:4]), how, used
        )
        self._lines.iteration.cuts.append(cut)
        return cut

    def _switched_off(self, values: Any, statement: Statement, site: Site) -> None:
        """`h.stop_gradient = True` and the like bind no name, but change what a name stands for."""
        for name in statement.reads.difference(statement.binds):
            known, value = self._kinds.get(name), values.get(name)
            if known and known[0] and self._lines.framework.is_tensor(value) and not self._lines.framework.requires_grad(value):
                self._kinds[name] = (False, known[1], self._cut(name, site, statement, used=True))

    def _finite(self, name: str, value: Any, site: Site, before: bool) -> bool:
        lines = self._lines
        if lines.checked[0]() is value:
            return lines.checked[1]
        array = lines.framework.values(value)
        if is_finite(array):
            return True
        lines.iteration.nonfinite.append(NonFinite(lines.tick(), name, bool(np.isnan(array).any()), site, before))
        return False

    def _term(self, name: str, value: Any, graph: bool, statement: Statement, site: Site, frame: FrameType) -> None:
        lines = self._lines
        lines.remember(frame.f_code, name, site.line)
        base = not any(read in lines.iteration.terms_of(frame.f_code) for read in statement.reads)
        term = Term(float(lines.framework.values(value).ravel()[0]), site, len(lines.iteration.terms), name=name,
                    function=frame.f_code.co_name, differentiable=graph, base=base)
        lines.iteration.terms[f"{name}:{site.line}"] = term
        if graph and lines.close:
            if name in self._unread:
                lines.iteration.overwritten.append((name, site, self._unread[name]))
            self._unread[name] = term
            self._lost(frame.f_locals, site, f"{name}:{site.line}")
            # The hook dies with the graph; it holds numbers only.
            def observe(gradient: Any) -> None:
                if gradient is not None:
                    values = lines.framework.values(gradient)
                    term.weight, term.slope = float(np.abs(values).sum()), float(values.sum())

            lines.framework.on_gradient(value, observe)


    def _suspected(self, values: Any, statement: Statement, site: Site) -> None:
        """A line that leaves the graph somewhere within: what is returned by `head(h.detach())` has one again."""
        how = _how(site.text, self._lines.framework)
        for name in statement.reads if how else ():
            value = values.get(name)
            shaped = name in statement.binds or (self._lines.framework.is_tensor(value) and len(value.shape) > 0)
            if shaped and self._kinds.get(name, (False,))[0]:
                self._lines.iteration.suspects.append(Cut(site, name, name, how, tick=self._lines.tick()))
                return
        if how and self._lines.graphs > self._graphs:  # of a layer that it calls itself
            self._lines.iteration.suspects.append(Cut(site, say("what this line gives"), say("a layer's output"), how,
                                                      tick=self._lines.tick()))

    def _paired(self, values: Any, statement: Statement, site: Site) -> None:
        """A statement that reads a tensor of the graph and one that is none, of the same shape, and no other."""
        framework = self._lines.framework
        tensors = {name: value for name in statement.reads if framework.is_tensor(value := values.get(name))}
        with_graph = [name for name, value in tensors.items() if framework.requires_grad(value)]
        if len(tensors) == 2 and len(with_graph) == 1 and with_graph[0] not in statement.binds:
            (label,) = tensors.keys() - set(with_graph)
            if not _MASK.search(label) and framework.shape_dtype(tensors[label])[1] != "bool":
                self._lines.on_pair(tensors[with_graph[0]], tensors[label], site)

    def _lost(self, values: Any, site: Site, term: str | None) -> None:
        """Parts of a sum that is a loss, or is handed to backward: such as have no graph and come of something that had one."""
        for names in addends(site.text):
            if names and all(name.endswith(_AS_NUMBER) or name not in self._kinds for name in names):  # taken out in this line
                taken = [name.removesuffix(_AS_NUMBER) for name in names if name.endswith(_AS_NUMBER)]
                alive = [name for name in taken if self._kinds.get(name, (False,))[0]]
                if alive:
                    self._lines.iteration.lost.append(Lost(" * ".join(taken), Cut(site, alive[0], alive[0], "item"), term))
                continue
            kinds = [self._kinds[name] for name in names if name in self._kinds]
            cut = next((kind[2] for kind in kinds if kind[2] is not None), None)
            if cut is not None and not any(kind[0] for kind in kinds) and all(self._says(values.get(name)) for name in names):
                self._lines.iteration.lost.append(Lost(" * ".join(names), cut, term))

    def _derived(self, values: Any, site: Site) -> None:
        """Sums of what a network gives and of a derivative of it that has no graph of its own (the residual of an equation). What
        it is a derivative by is moved along it, and no fault (an attack, a chain that is drawn)."""
        names = {name for part in addends(site.text) for name in part if name in self._kinds}
        cuts = [cut for graph, _, cut in map(self._kinds.__getitem__, names) if cut is not None and not graph]
        cut = next((cut for cut in cuts if cut.how == "create_graph"), None)
        alive = {name for name in names if self._kinds[name][0] and not getattr(values.get(name), "is_leaf", True)}
        if cut is not None and alive - _derived_by(cut.site.text):
            self._lines.iteration.derived.append(cut)

    def _says(self, value: Any) -> bool:
        """Whether a number, or a tensor, is other than 0: sums begin at 0."""
        if self._lines.framework.is_tensor(value):
            return bool(self._lines.framework.values(value).any())
        return bool(value) if isinstance(value, (int, float)) else True

    def _pass(self, name: str, value: Any, site: Site) -> None:
        """Note what the backward brings to this tensor: numbers only, the tensor is not held."""
        lines = self._lines
        lines.made(value, site)
        passed = Passed(name, site)
        lines.iteration.passed.append(passed)

        def observe(gradient: Any) -> None:
            with suppress(Exception):  # raised here, it would be the program's; some gradients have no values (vmap)
                array = lines.framework.values(gradient)
                passed.state = "nonfinite" if not is_finite(array) else "alive" if array.any() else "zero"

        lines.framework.on_gradient(value, observe)


@functools.lru_cache(maxsize=1024)
def addends(line: str) -> tuple[tuple[str, ...], ...]:
    """The names in each part of the sum that a line binds, or calls `backward` of; without parts whose calls could do anything.

    A part that is known is a product of names and numbers, of what their methods give, and of `float(name)` and the like.
    """
    try:
        (statement,) = ast.parse(line.strip()).body
    except (SyntaxError, ValueError):  # a piece of a statement
        return ()
    whole = getattr(statement, "value", None)
    if isinstance(statement, ast.Expr) and isinstance(whole, ast.Call):
        whole = whole.func.value if isinstance(whole.func, ast.Attribute) and whole.func.attr == "backward" else None
    elif not isinstance(statement, (ast.Assign, ast.AugAssign)) or not all(
            isinstance(target, ast.Name) for target in getattr(statement, "targets", None) or [statement.target]):
        return ()
    waiting, parts = [whole], []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            waiting += [node.right, node.left]
        elif isinstance(node, ast.UnaryOp):
            waiting.append(node.operand)
        elif node is not None:
            parts.append(node)
    if len(parts) + isinstance(statement, ast.AugAssign) < 2:
        return ()
    return tuple(names for part in parts if (names := _factors(part)))


_AS_NUMBER = ".item"  # behind the name of what a part of a sum takes the number of
_METHODS = {"detach", "mean", "sum", "abs", "pow", "square", "sqrt", "clamp", "log", "exp"}  # of tensors
_CASTS = {"float", "tensor", "to_tensor", "as_tensor", "FloatTensor"}


def _factors(node: ast.expr) -> tuple[str, ...] | None:
    """Names that a product is made of; None where something else may be in it."""
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Constant):
        return ()
    if isinstance(node, ast.UnaryOp):
        return _factors(node.operand)
    if isinstance(node, ast.Attribute):  # self.weight, args.weight
        return () if isinstance(node.value, ast.Name) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        left, right = _factors(node.left), _factors(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and not node.args and called.attr != "detach":
            return (called.value.id + _AS_NUMBER * (called.attr == "item"),)
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in _CASTS and node.args:
            return _factors(node.args[0])
        return (f"{name}()",) if name and name not in _METHODS else None
    return None


@functools.lru_cache(maxsize=256)
def _derived_by(line: str) -> set[str]:
    """Names in the second argument of a call of `grad` on this line."""
    try:
        calls = [node for node in ast.walk(ast.parse(line.strip())) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):  # a piece of a statement
        return set()
    return {node.id for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "grad" and len(call.args) > 1
            for node in ast.walk(call.args[1]) if isinstance(node, ast.Name)}


def _may_hold(value: Any) -> bool:
    return isinstance(value, (tuple, list, dict)) and 0 < len(value) <= 64


def _how(text: str, framework: Framework) -> str:
    """What in the line leaves the graph, as a word; "" where nothing does (a comparison has no gradient, and misses none)."""
    found = _HOW.search(text)
    if found:
        return next(group for group in found.groups() if group)
    if _GRADIENT_ALONE.search(text):
        return "create_graph"
    return "" if framework.grad_enabled() else "no_grad"
