"""Which module and which tensor of the twin is which of the reference, where the two do not use the same names.

First what the user says, then equal names of equal content, then content (layer type and shapes), in the order of definition.
What was guessed is said in `Correspondence.guesses`. Layouts always come from the layer types (`weights_convert`), never from
shapes.
"""

from __future__ import annotations

import copy
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from parity.messages import Message, say, some, term, together
from weights_convert import Entry, LayoutTable, Plan, Problem, dtypes, pair_up

_LISTS = {"ModuleList", "ModuleDict", "LayerList", "LayerDict", "ParameterList", "ParameterDict"}  # are never called
_CONTAINERS = {"Sequential", *_LISTS}
WHOLE = {"multiheadattention", "lstm", "gru", "rnn"}  # one framework keeps their weights in more pieces than the other
_SHOWN = 6  # names in a remark


@dataclass(frozen=True)
class Correspondence:
    """modules: twin path -> reference path, of the modules whose inputs and outputs are compared. guesses: one remark each."""

    plan: Plan
    problems: tuple[Problem, ...]
    modules: Mapping[str, str] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()


class _Module(NamedTuple):
    path: str
    module: Any

    @property
    def children(self) -> dict[str, _Module]:
        """By name; a module that occurs twice occurs twice."""
        held = self.module._modules if hasattr(self.module, "_modules") else self.module._sub_layers
        return {name: _Module(f"{self.path}.{name}".strip("."), child) for name, child in held.items() if child is not None}

    @property
    def kind(self) -> str:
        """The layer type as both frameworks would call it; "" for a container or the user's own class."""
        cls = type(self.module)
        if cls.__module__.partition(".")[0] not in ("torch", "paddle") or ".vision." in cls.__module__ \
                or cls.__name__ in _CONTAINERS:
            return ""
        name = re.sub(r"conv(\d)dtranspose", r"convtranspose\1d", cls.__name__.lower())
        return {"simplernn": "rnn", "swish": "silu", "simplernncell": "rnncell"}.get(name, name)

    def signature(self) -> tuple:
        """Layer type and shapes of its own tensors, in torch's layout; () if it has none."""
        own = {**self.module._parameters, **self.module._buffers}
        shapes = [tuple(int(n) for n in tensor.shape) for tensor in own.values() if tensor is not None]
        if self.kind in WHOLE:
            tensors = {id(p): p for p in self.module.parameters()}.values()
            return self.kind, sum(_elements(tensor.shape) for tensor in tensors)
        if type(self.module).__module__.startswith("paddle.nn") and self.kind == "linear":
            shapes = [shape[::-1] for shape in shapes]
        shapes = [shape for shape in shapes if shape]  # a counter of batches is torch's alone
        return (self.kind, *sorted(shapes)) if shapes else ()

    def content(self) -> Counter:
        """The signatures of all that is below, and its own."""
        found = Counter([self.signature()])
        for child in self.children.values() if self.kind not in WHOLE else ():
            found += child.content()
        del found[()]
        return found


def _elements(shape: Any) -> int:
    total = 1
    for n in shape:
        total *= int(n)
    return total


def correspond(reference: Any, twin: Any, table: LayoutTable, names: Mapping[str, str] | None = None) -> Correspondence:
    """Pair two networks. names: reference path -> twin path, of modules or single tensors, where the user knows better."""
    return _Pairing(table, dict(names or {})).of(_Module("", reference), _Module("", twin))


class _Pairing:
    def __init__(self, table: LayoutTable, names: dict[str, str]) -> None:
        self._table, self._names = table, names
        self._entries: dict[str, Entry] = {}
        self._derived: set[str] = set()
        self._problems: list[Problem] = []
        self._modules: dict[str, str] = {}
        self._guessed: list[tuple[str, str]] = []
        self._ambiguous: dict[tuple, list[tuple[str, str]]] = defaultdict(list)

    def of(self, reference: _Module, twin: _Module) -> Correspondence:
        unknown = [f"{path}: the reference has no module or tensor of this name" for path in self._names
                   if not _exists(reference, path)]
        unknown += [f"{path}: the twin has no module or tensor of this name" for path in self._names.values()
                    if not _exists(twin, path)]
        if unknown:
            raise NameError("; ".join(unknown))
        self._pair(reference, twin)
        plan = Plan(self._entries, frozenset(self._derived))
        return Correspondence(plan, tuple(self._problems), self._modules, tuple(self._remarks()))

    def _pair(self, left: _Module, right: _Module) -> None:
        """These two are each other's: pair their tensors, then what is in them."""
        if not {type(m.module).__name__ for m in (left, right)} & _LISTS:
            self._modules[right.path] = left.path
        whole = self._table.rules(type(left.module), type(right.module)) is not None
        self._tensors(left, right, whole)
        if whole:  # a library's layer, whose inside is its own affair
            return
        ours, theirs = left.children, right.children
        for one, other in self._matched(left, ours, theirs):
            self._pair(ours.pop(one), theirs.pop(other))
        self._leftovers(list(ours.values()), list(theirs.values()))

    def _matched(self, left: _Module, ours: dict[str, _Module], theirs: dict[str, _Module]) -> list[tuple[str, str]]:
        """Names of children that belong together: the user's word, then equal names and content, then either."""
        found: list[tuple[str, str]] = []
        ours, theirs = dict(ours), dict(theirs)

        def take(one: str, other: str) -> None:
            ours.pop(one), theirs.pop(other)
            found.append((one, other))

        by_path = {module.path: name for name, module in theirs.items()}
        for one in list(ours):
            said = self._names.get(ours[one].path)
            if said in by_path and by_path[said] in theirs:
                take(one, by_path[said])
        content = {id(m): frozenset(m.content().items()) for m in [*ours.values(), *theirs.values()]}
        for alike in (str, _plain):
            for one in list(ours):
                for other in list(theirs):
                    a, b = ours[one], theirs[other]
                    if alike(one) == alike(other) and content[id(a)] == content[id(b)] and (
                            content[id(a)] or a.kind == b.kind):
                        take(one, other)
                        break
        groups: dict[tuple, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for side, modules in enumerate((ours, theirs)):
            for name, module in modules.items():
                groups[module.kind, content[id(module)]][side].append(name)
        for (_, held), (mine, others) in groups.items():
            if held and len(mine) == len(others):
                for one, other in zip(mine, others, strict=True):
                    self._guess(ours[one], theirs[other], len(mine))
                    take(one, other)
        for one in list(ours):  # the same name, other shapes: a fault, to be found by name
            a, b = ours[one], theirs.get(one)
            if b is not None and a.kind == b.kind and (a.kind or (bool(content[id(a)]) == bool(content[id(b)]) and (
                    not content[id(a)] or not self._elsewhere(a, b, theirs.values())))):
                take(one, one)
        for kind in {m.kind for m in ours.values()} - {""}:  # as many of a kind on either side
            mine = [name for name, m in ours.items() if m.kind == kind]
            others = [name for name, m in theirs.items() if m.kind == kind]
            if len(mine) == len(others):
                for one, other in zip(mine, others, strict=True):
                    self._guess(ours[one], theirs[other], len(mine))
                    take(one, other)
        return found

    def _elsewhere(self, one: _Module, namesake: _Module, others: Iterable[_Module]) -> bool:
        """Whether more of what is in `one` lies in another module than in the one of its name: it is nested otherwise."""
        wanted = one.content()

        def shared(other: _Module) -> int:
            return (wanted & other.content()).total()

        return any(shared(other) > shared(namesake) for other in others)

    def _leftovers(self, ours: list[_Module], theirs: list[_Module]) -> None:
        """What is nested otherwise: layer by layer, of one type and shape in the order of definition."""
        left = [layer for module in ours for layer in self._layers(module)]
        right = [layer for module in theirs for layer in self._layers(module)]
        pairs: list[tuple[_Module, _Module]] = []
        for by in (lambda m: m.signature(), lambda m: (m.kind,)):
            groups: dict[tuple, tuple[list, list]] = defaultdict(lambda: ([], []))
            for side, layers in enumerate((left, right)):
                for layer in layers:
                    groups[by(layer)][side].append(layer)
            for key, (mine, others) in groups.items():
                if key in ((), ("",)) or (by is not None and len(mine) != len(others) and len(key) == 1):
                    continue
                for one, other in zip(mine, others, strict=False):
                    said = self._names.get(one.path)
                    other = next((o for o in others if o.path == said), other)
                    if one in left and other in right:
                        self._guess(one, other, len(mine))
                        pairs.append((one, other))
                        left.remove(one), right.remove(other)
        for one, other in pairs:
            whole = self._table.rules(type(one.module), type(other.module)) is not None
            self._modules[other.path] = one.path
            self._tensors(one, other, whole)
        for side, layers in (("reference", left), ("twin", right)):
            for layer in layers:
                self._problems += [Problem(f"{layer.path}.{name}", "in the {side} only, the other side has no such {kind}",
                                           {"side": term(side), "kind": type(layer.module).__name__})
                                   for name in _own(layer.module)]
        self._containers(ours, theirs, pairs)

    def _layers(self, module: _Module) -> Iterator[_Module]:
        """All below that has tensors of its own, in the order of definition."""
        if module.signature():
            yield module
        if module.kind in WHOLE:
            return
        for child in module.children.values():
            yield from self._layers(child)

    def _containers(self, ours: list[_Module], theirs: list[_Module], pairs: list[tuple[_Module, _Module]]) -> None:
        """Modules around the same layers are the same if their classes have the same name."""
        partner = {other.path: one.path for one, other in pairs}
        inside: dict[tuple, list[str]] = defaultdict(list)
        for root in ours:
            for module in _below(root):
                layers = frozenset(layer.path for layer in self._layers(module))
                if layers and not module.signature() and type(module.module).__name__ not in _CONTAINERS:
                    inside[_plain(type(module.module).__name__), layers].append(module.path)
        for root in theirs:
            for module in _below(root):
                layers = frozenset(partner.get(layer.path, "") for layer in self._layers(module))
                same = inside.get((_plain(type(module.module).__name__), layers))
                if same and not module.signature():
                    self._modules[module.path] = same.pop(0)

    def _tensors(self, left: _Module, right: _Module, whole: bool) -> None:
        pair = (left.module, right.module) if whole else (_alone(left.module), _alone(right.module))
        plan, problems = pair_up(*pair, self._table)
        ours, theirs = (f"{module.path}." if module.path else "" for module in (left, right))
        for name, entry in plan.entries.items():
            target = None if entry.target is None else theirs + entry.target
            self._entries[ours + name] = _renamed(entry, ours + entry.source, target)
        self._derived |= {theirs + name for name in plan.derived}
        problems = [Problem(ours + problem.name, problem.pattern, problem.values) for problem in problems]
        self._problems += problems if whole else self._by_shape(left, right, problems)

    def _by_shape(self, left: _Module, right: _Module, problems: list[Problem]) -> list[Problem]:
        """Tensors that the user's own class holds under another name: by shape, in order."""
        ours = {f"{left.path}.{name}".strip("."): tensor for name, tensor in _own(left.module).items()}
        theirs = {f"{right.path}.{name}".strip("."): tensor for name, tensor in _own(right.module).items()}
        held = {entry.target for entry in self._entries.values()}
        theirs = {name: tensor for name, tensor in theirs.items() if name not in held}
        settled = set()
        for name, tensor in ours.items():
            if name in self._entries:
                continue
            shape = tuple(int(n) for n in tensor.shape)
            same = [other for other, t in theirs.items() if tuple(int(n) for n in t.shape) == shape and _kind(t) == _kind(tensor)]
            same.sort(key=lambda other: other.rpartition(".")[2] != name.rpartition(".")[2])  # of one name first
            said = self._names.get(name)
            same = [said] if said in same else same
            if same:
                dtype = str(tensor.dtype).removeprefix("torch.")
                self._entries[name] = Entry(name, same[0], shape, shape, dtype, "identity")
                if said != same[0] and name.rpartition(".")[2] != same[0].rpartition(".")[2]:
                    self._guessed.append((name, same[0]))
                    if len(same) > 1:
                        self._ambiguous[("tensor", shape)].append((name, same[0]))
                theirs.pop(same[0])
                settled |= {name, f"{left.path}.{same[0].rpartition('.')[2]}".strip(".")}
        return [problem for problem in problems if problem.name not in settled]

    def _guess(self, one: _Module, other: _Module, rivals: int) -> None:
        if self._names.get(one.path) == other.path:
            return
        if one.path != other.path:
            self._guessed.append((one.path, other.path))
        if rivals > 1:
            self._ambiguous[one.signature() or (one.kind or type(one.module).__name__,)].append((one.path, other.path))

    def _remarks(self) -> Iterator[str]:
        if self._guessed:
            yield say("{count} modules or tensors have other names in the twin; paired by layer type and shape: {pairs}",
                      count=len(self._guessed), pairs=_listed(self._guessed))
        if self._ambiguous:
            groups = [say("{kind} {shape} {count} times ({pairs})", kind=kind or say("module"), shape=shapes[0] if shapes else "",
                          count=len(pairs), pairs=_listed(pairs, 2)) for (kind, *shapes), pairs in self._ambiguous.items()]
            if len(groups) > _SHOWN:
                groups[_SHOWN:] = [say("{count} more kinds", count=len(groups) - _SHOWN)]
            yield say("of one type and shape, told apart by the order of definition alone: {groups}. "
                      "If that is wrong, say which is which (names, or --map)", groups=together(groups, "; "))


def _own(module: Any) -> dict[str, Any]:
    return {name: tensor for name, tensor in {**module._parameters, **module._buffers}.items() if tensor is not None}


def _kind(tensor: Any) -> str:
    return dtypes.kind(str(tensor.dtype).rpartition(".")[2])


def _alone(module: Any) -> Any:
    """The module without what is in it; its tensors are the module's own."""
    shell = copy.copy(module)
    shell.__dict__["_modules" if "_modules" in shell.__dict__ else "_sub_layers"] = {}
    return shell


def _renamed(entry: Entry, source: str, target: str | None) -> Entry:
    renamed = copy.copy(entry)
    object.__setattr__(renamed, "source", source)
    object.__setattr__(renamed, "target", target)
    return renamed


def alike_together(problems: Iterable[Problem]) -> list[Problem]:
    """One problem for all layers that have the same: a framework's default is one fact, not forty."""
    alike: dict[tuple, list[Problem]] = defaultdict(list)
    for problem in problems:
        alike[re.sub(r"(has no|Paddle's) [\w.]+", r"\1", problem.message)].append(problem)
    merged = []
    for same in alike.values():
        first = same[0]
        if len(same) > 1:
            values = {"first": Message(first.pattern, first.values), "count": len(same) - 1,
                      "names": some([problem.name for problem in same[1:]], _SHOWN - 1)}
            if "InstanceNorm" in first.message and "in Paddle only" in first.message:
                first = Problem(first.name, "{first} (Paddle's InstanceNorm is affine by default, torch's is not: "
                                "weight_attr=False, bias_attr=False); and {count} more like it: {names}", values)
            else:
                first = Problem(first.name, "{first}; and {count} more like it: {names}", values)
        merged.append(first)
    return merged


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _below(module: _Module) -> Iterator[_Module]:
    yield module
    for child in module.children.values():
        yield from _below(child)


def _exists(root: _Module, path: str) -> bool:
    paths = {module.path for module in _below(root)}
    owner, _, name = path.rpartition(".")
    return path in paths or any(module.path == owner and name in _own(module.module) for module in _below(root))


def _listed(pairs: list[tuple[str, str]], most: int = _SHOWN) -> str:
    return some([f"{one} = {other}" if one != other else one for one, other in pairs], most)
