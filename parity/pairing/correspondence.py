"""Which module and which tensor of the twin is which of the reference, where the two do not use the same names.

First what the user says, then equal names of equal content, then content (layer type and shapes), within each pair of modules and,
for what is left, in those around it, up to the whole model. Of what is alike, names tell which is which as far as they resemble
each other, then the order of definition. What was guessed is said in `Correspondence.guesses`. Layouts come from the layer types
(`weights_convert`); of tensors that a user's own class holds, from their shapes (`parity.pairing.fitting`).
"""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from parity.files import InputError
from parity.messages import Message, say, some, term, together
from parity.pairing import hints
from parity.pairing.fitting import Held, cut, fit, held, is_doubtful
from parity.pairing.nodes import WHOLE, Node, below, elements
from parity.pairing.normed import ORIGINAL, Misfit, misfit, vectors
from weights_convert import Entry, LayoutTable, Plan, Problem, pair_up

_SHOWN = 6  # names in a remark
_PIECES = (4, 3, 2)  # of a fused layer: query, key and value; key and value; gate and up

Nodes = list[Node]
Named = dict[str, Node]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Correspondence:
    """modules: twin path -> reference path, of the modules whose inputs and outputs are compared. guesses: one remark each.
    silent: groups of (reference path, twin path) of layers that are alike, of which neither names nor the order of definition tell
    which is which. doubtful: the reference's names of square matrices whose layout no layer type tells. misfits: layers whose u
    and v cannot be paired.
    """

    plan: Plan
    problems: tuple[Problem, ...]
    modules: Mapping[str, str] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()
    silent: tuple[Pairs, ...] = ()
    doubtful: frozenset[str] = frozenset()
    misfits: tuple[Misfit, ...] = ()


class Misnamed(NameError):
    """A name that the user gave is nobody's, or names what cannot be a pair."""


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Around what pairs two networks: names that the user gave, and that are nobody's, become an InputError."""
    try:
        yield
    except Misnamed as error:
        raise InputError(f"{what}, names (or --map): {error}") from error


class _Trouble(NamedTuple):
    """A problem, and the full names of the tensors that it is about, on either side; None for no tensor of that side."""

    problem: Problem
    reference: str | None
    twin: str | None


def correspond(reference: Any, twin: Any, table: LayoutTable, names: Mapping[str, str] | None = None,
               turned: Collection[str] = ()) -> Correspondence:
    """Pair two networks. names: reference path -> twin path, of modules or single tensors, where the user knows better. turned:
    those of the doubtful matrices that lie the other way than guessed.

    Raises Misnamed.
    """
    return _Pairing(reference, twin, table, dict(names or {}), turned).found()


class _Pairing:
    def __init__(self, reference: Any, twin: Any, table: LayoutTable, names: dict[str, str], turned: Collection[str]) -> None:
        kinds = [{node.kind for node in below(Node("", model))} for model in (reference, twin)]
        opened = WHOLE - (kinds[0] & kinds[1])  # the other side spells them out, or has none
        self._roots = Node("", reference, opened), Node("", twin, opened)
        nodes = [list(below(root)) for root in self._roots]
        self._by_path = [{node.path: node for node in side} for side in nodes]
        self._often = {number for side in nodes for number, times in Counter(id(node.module) for node in side).items() if times > 1}
        self._table, self._names, self._turned = table, names, turned
        self._entries: dict[str, Entry] = {}
        self._derived: set[str] = set()
        self._troubles: list[_Trouble] = []
        self._modules: dict[str, str] = {}
        self._guessed: list[tuple[str, str]] = []
        self._ambiguous: dict[tuple, list[tuple[str, str]]] = defaultdict(list)
        self._rivals: list[Pairs] = []  # that the order of definition alone told apart
        self._doubtful: set[str] = set()
        self._known: dict[tuple[str, int], Any] = {}  # what was worked out of a module, by its id

    def found(self) -> Correspondence:
        self._said = self._heard()
        left, right = self._pair(*self._roots)
        for one, other in self._said.items():
            more = self._pair(self._by_path[0][one], self._by_path[1][other])
            left, right = left + more[0], right + more[1]
        left, right = self._settle(self._new(0, left), self._new(1, right), final=True)
        own = [[node for node in side.values() if not node.kind] for side in self._by_path]
        self._match(*([tensor for layer in layers for tensor in self._missing(side, layer)]
                      for side, layers in enumerate((left + own[0], right + own[1]))))
        self._containers()
        misfits = tuple(self._misfits())
        plan = Plan(self._in_order(), frozenset(self._derived))
        inner = tuple(f"{path}." for path, node in self._by_path[0].items() if node.uses_uncalled)
        modules = {other: one for other, one in self._modules.items() if not one.startswith(inner)}
        silent = tuple(group for group in self._rivals if self._is_silent(group))
        return Correspondence(plan, tuple(self._problems(misfits)), modules, tuple(self._remarks()), silent,
                              frozenset(self._doubtful), misfits)

    # --- what the user says --------------------------------------------------------------------------------

    def _heard(self) -> dict[str, str]:
        """The modules that the user names; single tensors are paired at once. Raises Misnamed."""
        wrong, modules = [], {}
        tensors = [{tensor.full: tensor for node in side.values() for tensor in held(node)} for side in self._by_path]
        for one, other in self._names.items():
            unknown = [f"{path}: the {side} has no module or tensor of this name{hints.near(path, [*known, *owned])}"
                       for path, side, known, owned in zip((one, other), ("reference", "twin"), self._by_path, tensors, strict=True)
                       if path not in known and path not in owned]
            if unknown:
                wrong += unknown
            elif one in self._by_path[0] and other in self._by_path[1]:
                modules[one] = other
            elif one in tensors[0] and other in tensors[1]:
                if not self._take(tensors[0][one], tensors[1][other]):
                    wrong.append(f"{one} {tensors[0][one].shape} = {other} {tensors[1][other].shape}: the one cannot become "
                                 f"the other")
            else:
                wrong.append(f"{one} = {other}: one is a module, the other a tensor; name two modules or two tensors")
        wrong += [f"{path}: it is said to be the partner of several" for path, times in Counter(self._names.values()).items()
                  if times > 1]
        if wrong:
            raise Misnamed("; ".join(wrong))
        return modules

    def _take(self, ours: Held, theirs: Held) -> bool:
        """Pair two tensors that the user names; False where they cannot be."""
        rule = self._table.rule(type(ours.node.module), type(theirs.node.module), ours.known_as, {*ours.node.own})
        alone = pair_up(_alone(ours.node.module), _alone(theirs.node.module), self._table)[0].entries.get(ours.name)
        if rule is not None and alone is not None and alone.target == theirs.name:
            self._entries[ours.full] = _renamed(alone, ours.full, theirs.full)
            return True
        return self._enter(ours, theirs)

    # --- modules -------------------------------------------------------------------------------------------

    def _pair(self, left: Node, right: Node) -> tuple[Nodes, Nodes]:
        """These two are each other's: pair their tensors, then what is in them. Returns the layers in them without partner."""
        left, right = self._core(left, right), self._core(right, left)
        if not (left.is_list or right.is_list):
            self._modules[right.path] = left.path
        whole = left.kind == right.kind and left.kind in WHOLE
        if self._tensors(left, right, whole) or whole:
            return [], []
        ours, theirs = self._children(0, left), self._children(1, right)
        lost: tuple[Nodes, Nodes] = [], []
        while True:
            for one, other in self._matched(ours, theirs):
                more = self._pair(ours.pop(one), theirs.pop(other))
                lost = lost[0] + more[0], lost[1] + more[1]
            if not self._unwrapped(ours, theirs) and not self._unwrapped(theirs, ours):
                break
        more = [[layer for node in nodes.values() for layer in self._layers(node)] for nodes in (ours, theirs)]
        lost = self._settle(lost[0] + more[0], lost[1] + more[1])
        return lost[0], self._split([left], lost[1])[1] if self._missing(0, left) else lost[1]

    def _core(self, node: Node, other: Node) -> Node:
        """The one layer in a module that holds nothing else, where the other is such a layer by itself."""
        if other.kind and not node.kind and other.own:
            holding = [one for one in below(node) if one.own]
            return holding[0] if len(holding) == 1 else node
        return node

    def _children(self, side: int, node: Node) -> Named:
        """Those that the user has not named."""
        said = self._said.values() if side else self._said.keys()
        return {name: child for name, child in node.children.items() if child.path not in said}

    def _matched(self, ours: Named, theirs: Named) -> list[tuple[str, str]]:
        """Names of children that belong together: equal names and content, then either, then content whatever layers it is in."""
        ours, theirs = dict(ours), dict(theirs)
        found: list[tuple[str, str]] = []

        def take(one: str, other: str) -> None:
            ours.pop(one), theirs.pop(other)
            found.append((one, other))

        def by_name(key: Callable[[Node], Hashable]) -> None:
            for alike in (str, hints.plain):
                for one in list(ours):
                    for other in list(theirs):
                        a, b = ours[one], theirs[other]
                        if alike(one) == alike(other) and key(a) == key(b) and (key(a) or a.kind == b.kind):
                            take(one, other)
                            break

        def by_content(key: Callable[[Node], Hashable]) -> None:
            for mine, others in _groups(ours.items(), theirs.items(), key):
                if len(mine) == len(others):
                    for one, other in self._assigned([ours[name] for name in mine], [theirs[name] for name in others]):
                        take(mine[one], others[other])

        by_name(self._content)
        by_content(lambda node: self._content(node) and (node.kind, self._content(node)))
        by_name(self._bare)
        by_name(self._elements)
        for one in list(ours):  # the same name, other shapes: a fault, to be found by name
            a, b = ours[one], theirs.get(one)
            if b is not None and (_normed_around(a, b) or _normed_around(b, a) or self._namesakes(a, b, theirs.values())):
                take(one, one)
        by_content(self._bare)
        by_content(self._elements)
        inside = [frozenset(self._content(node) for child in nodes.values() for node in below(child) if node is not child)
                  for nodes in (ours, theirs)]
        by_content(lambda node: self._content(node) not in inside[not node.is_paddles] and node.kind)  # as many of a kind
        return found

    def _namesakes(self, one: Node, other: Node, others: Iterable[Node]) -> bool:
        """Whether two of one name are each other's, although their shapes differ."""
        if one.kind or other.kind:
            return one.kind == other.kind
        contents = self._content(one), self._content(other)
        return bool(contents[0]) == bool(contents[1]) and (not contents[0] or not self._elsewhere(one, other, others))

    def _assigned(self, mine: Nodes, others: Nodes) -> list[tuple[int, int]]:
        """Which of as many that are alike is which, as places; it is noted what was guessed."""
        pairs, told = hints.assigned([node.path for node in mine], [node.path for node in others])
        for one, other in pairs:
            self._guess(mine[one], others[other], 1 if told else len(mine))
        if not told and all(node.signature() for node in (*mine, *others)):
            self._rivals.append(tuple((mine[one].path, others[other].path) for one, other in pairs))
        return pairs

    def _is_silent(self, group: Pairs) -> bool:
        """Whether the order of definition tells nothing: what is around these is defined in another order on the two sides."""
        parents = {(_parent(one), _parent(other)) for one, other in group}
        if len(parents) != 1:
            return False
        [(ours, theirs)] = parents
        places = [{child.path: place for place, child in enumerate(self._by_path[side][path].children.values())}
                  for side, path in enumerate((ours, theirs))]
        around = [(places[0][one], places[1][other]) for other, one in self._modules.items()
                  if one in places[0] and other in places[1] and (one, other) not in group]
        around.append((min(places[0][one] for one, _ in group), min(places[1][other] for _, other in group)))
        theirs_in_our_order = [place for _, place in sorted(around)]
        return theirs_in_our_order != sorted(theirs_in_our_order)

    def _unwrapped(self, ours: Named, theirs: Named) -> bool:
        """Whether one that was left over is around several that the other side has left, one after the other; then what is in it
        takes its place. Told by how much is in them, as fused layers have other shapes."""
        sizes = [size for node in theirs.values() if (size := self._elements(node))]
        runs = {sum(sizes[start:stop]) for start in range(len(sizes)) for stop in range(start + 2, len(sizes) + 1)}
        for name, node in list(ours.items()):
            if node.children and not node.own and self._elements(node) in runs:
                around = list(ours.items())
                ours.clear()
                for other, one in around:  # each in its place: the order of definition tells
                    inside = {f"{name}.{inner}": child for inner, child in node.children.items()}
                    ours.update(inside if other == name else {other: one})
                return True
        return False

    def _elsewhere(self, one: Node, namesake: Node, others: Iterable[Node]) -> bool:
        """Whether more of what is in `one` lies in another module than in the one of its name: it is nested otherwise."""
        wanted = Counter(dict(self._content(one)))

        def shared(other: Node) -> int:
            return (wanted & Counter(dict(self._content(other)))).total()

        return any(shared(other) > shared(namesake) for other in others)

    def _settle(self, left: Nodes, right: Nodes, final: bool = False) -> tuple[Nodes, Nodes]:
        """Pair layers that are nested otherwise, of one type and shape, else of one shape; hands back what is left.

        final: there is nothing around these in which a partner might be. Now as many as there are go by their order.
        """
        keys: list[Callable[[Node], Hashable]] = [Node.signature, self._bare]
        for key in [*keys, lambda node: node.own and node.kind] if final else keys:
            groups = _groups(((layer, layer) for layer in left if final or id(layer.module) not in self._often),
                             ((layer, layer) for layer in right if final or id(layer.module) not in self._often), key)
            for mine, others in groups:
                few = min(len(mine), len(others))
                if len(mine) != len(others) and not (final and key is Node.signature):
                    continue
                for one, other in self._assigned(mine[:few], others[:few]):
                    left, right = _without(left, mine[one]), _without(right, others[other])
                    self._pair(mine[one], others[other])
        return self._split(left, right)

    def _split(self, left: Nodes, right: Nodes) -> tuple[Nodes, Nodes]:
        """Pair fused layers of the reference with the twin's that are their pieces, one after the other."""
        for one in list(left):
            windows = [right[start:start + count] for count in _PIECES for start in range(len(right) - count + 1)]
            for window in windows:
                if len({_parent(piece.path) for piece in window}) > 1:
                    continue
                entries = cut(self._missing(0, one), [self._missing(1, piece) for piece in window])
                if entries:
                    self._entries |= {f"{entry.source}[{entry.rows[0]}:{entry.rows[1]}]": entry for entry in entries}
                    self._guessed.append((one.path, " + ".join(piece.path for piece in window)))
                    left, right = _without(left, one), [layer for layer in right if layer not in window]
                    break
        return left, right

    def _layers(self, node: Node) -> Iterator[Node]:
        """All below that has tensors of its own, in the order of definition."""
        if node.own:
            yield node
        for child in node.children.values() if node.kind not in WHOLE else ():
            if child.path not in (*self._said, *self._said.values()):
                yield from self._layers(child)

    def _new(self, side: int, layers: Nodes) -> Nodes:
        """Those that are not second names of what has a partner."""
        known = self._partnered(side)
        paired = {id(tensor.tensor) for node in self._by_path[side].values() for tensor in held(node) if tensor.full in known}
        return [layer for layer in layers if not {id(tensor) for tensor in layer.own.values()} <= paired]

    # --- tensors -------------------------------------------------------------------------------------------

    def _tensors(self, left: Node, right: Node, whole: bool) -> bool:
        """Pair what the two hold themselves. Returns whether that was all that is in them: where one of them is a layer, and the
        other holds the same in several modules, as a spectral norm does that wraps a layer, or that a layer holds."""
        if bool(left.kind) != bool(right.kind):
            layer, around = (left, right) if left.kind else (right, left)
            wraps = any(node.kind == layer.kind for node in below(around))
            alike = self._bare(left) == self._bare(right) and bool(self._bare(left))
            if (alike and (wraps or (layer.kind not in WHOLE and layer.own))) or _normed_around(layer, around):
                kind = layer.kind if wraps else ""  # of a class that computes by itself the shapes tell
                self._match(*([tensor for node in below(one) for tensor in held(node, kind)] for one in (left, right)))
                return True
        pair = (left.module, right.module) if whole else (_alone(left.module), _alone(right.module))
        plan, problems = pair_up(*pair, self._table)
        ours, theirs = (f"{node.path}." if node.path else "" for node in (left, right))
        taken = self._partnered(1)
        for name, entry in plan.entries.items():
            target = None if entry.target is None else theirs + entry.target
            if target not in taken and (entry.rows or ours + entry.source not in self._partnered(0)):
                self._entries[ours + name] = _renamed(entry, ours + entry.source, target)
        self._derived |= {theirs + name for name in plan.derived}
        for problem in problems:
            self._troubles.append(_trouble(problem, ours, theirs))
        if not whole:
            self._normed_on_one_side(left, right)
            rules = self._table.rules(type(left.module), type(right.module)) or {}
            targets = {rule.target or name for name, rule in rules.items()}
            self._match([tensor for tensor in self._missing(0, left) if tensor.known_as not in rules],
                        [tensor for tensor in self._missing(1, right) if tensor.name not in targets])
        return False

    def _normed_on_one_side(self, left: Node, right: Node) -> None:
        """Pair a weight that a norm divides on one side with the one that the other side uses as it is, or divides by itself."""
        ours, theirs = ({tensor.known_as: tensor for tensor in self._missing(side, node)}
                        for side, node in enumerate((left, right)))
        for name in ours:
            plain = name.removesuffix(ORIGINAL)
            other = theirs.get(plain if plain != name else name + ORIGINAL)
            if other is not None:
                self._enter(ours[name], other)

    def _match(self, ours: list[Held], theirs: list[Held]) -> None:
        """Pair single tensors of equal shapes: those of equal names, then of names with a word in common, then in order."""
        for least in (2.0, 0.01, 0.0):
            for one in list(ours):
                alike = {other.full: hints.likeness(one.known_as, other.known_as) for other in theirs}
                fitting = [other for other in theirs if fit(one, other) and alike[other.full] >= least
                           and not (vectors([one]) and other.known_as == "bias")]
                if not fitting:
                    continue
                other = min(fitting, key=lambda other: (-alike[other.full], fit(one, other) != "identity"))
                self._enter(one, other)
                ours.remove(one), theirs.remove(other)
                if least < 2 and self._names.get(one.full) != other.full:
                    self._guessed.append((one.full, other.full))
                    if len(fitting) > 1:
                        self._ambiguous[("tensor", one.shape)].append((one.full, other.full))

    def _enter(self, ours: Held, theirs: Held) -> bool:
        rule = fit(ours, theirs)
        if rule is None:
            return False
        if is_doubtful(ours, theirs):
            self._doubtful.add(ours.full)
            rule = {"identity": "transpose", "transpose": "identity"}[rule] if ours.full in self._turned else rule
        self._entries[ours.full] = Entry(ours.full, theirs.full, ours.shape, theirs.shape, ours.dtype, rule)
        return True

    def _partnered(self, side: int) -> set[str]:
        """Full names of that side's tensors that have a partner, or need none."""
        if side:
            return {entry.target for entry in self._entries.values() if entry.target} | self._derived
        return {entry.source for entry in self._entries.values()}

    def _missing(self, side: int, node: Node) -> list[Held]:
        """What the module holds itself that has no partner."""
        known = self._partnered(side)
        return [tensor for tensor in held(node) if tensor.full not in known
                and not (side == 0 and self._table.drops(type(node.module), tensor.name))]

    # --- the end -------------------------------------------------------------------------------------------

    def _misfits(self) -> Iterator[Misfit]:
        """Of each pair of layers, what there is to say of u and v that have no partner."""
        of_weights = [entry for entry in self._entries.values() if entry.target is not None and (
            _normed(entry.source) or _normed(entry.target))]
        for entry in of_weights:
            owners = _owner(entry.source), _owner(entry.target)
            ours, theirs = (vectors([tensor for node in below(self._by_path[side][owner])
                                     for tensor in self._missing(side, node)]) for side, owner in enumerate(owners))
            found = misfit(ours, theirs, entry)
            if found is not None:
                yield found

    def _problems(self, misfits: Iterable[Misfit]) -> Iterator[Problem]:
        """What was wrong with a pair, then what has none; nothing twice, and nothing that was settled elsewhere."""
        known = self._partnered(0), self._partnered(1)
        for found in misfits:
            known[0].update(found.reference), known[1].update(found.twin)
        spoken: tuple[set, set] = set(), set()
        for problem, *names in self._troubles:
            about = [(side, name) for side, name in enumerate(names) if name is not None]
            if all(name in known[side] or name in spoken[side] for side, name in about):
                continue
            for side, name in about:
                spoken[side].add(name)
            yield problem
        for side, nodes in enumerate(self._by_path):
            for node in nodes.values():
                for tensor in self._missing(side, node):
                    if tensor.full not in known[side] | spoken[side]:
                        yield Problem(tensor.full, "in the {side} only, the other side has no such {kind}",
                                      {"side": term(("reference", "twin")[side]), "kind": type(node.module).__name__})

    def _containers(self) -> None:
        """Modules around the same layers are the same if their classes have the same name."""
        partner = {entry.target: entry.source for entry in self._entries.values() if entry.target}
        inside: dict[tuple, list[str]] = defaultdict(list)
        paired = set(self._modules.values())
        for path, node in self._by_path[0].items():
            around = frozenset(tensor.full for one in below(node) for tensor in held(one))
            if around and path not in paired and not node.own and not node.is_container:
                inside[hints.plain(type(node.module).__name__), around].append(path)
        for path, node in self._by_path[1].items():
            if path not in self._modules and not node.own and not node.is_container:
                around = frozenset(partner.get(tensor.full, "") for one in below(node) for tensor in held(one))
                same = inside.get((hints.plain(type(node.module).__name__), around))
                if same:
                    self._modules[path] = same.pop(0)

    def _in_order(self) -> dict[str, Entry]:
        """The entries as the reference defines them."""
        names = [tensor.full for node in self._by_path[0].values() for tensor in held(node)]
        order = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return dict(sorted(self._entries.items(), key=lambda item: (order.get(item[1].source, len(order)), item[1].rows or ())))

    def _guess(self, one: Node, other: Node, rivals: int) -> None:
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

    # --- what is in a module, worked out once --------------------------------------------------------------

    def _content(self, node: Node) -> frozenset:
        return self._once("content", node, lambda: frozenset(node.content().items()))

    def _bare(self, node: Node) -> frozenset:
        return self._once("bare", node, lambda: frozenset(node.bare().items()))

    def _elements(self, node: Node) -> int:
        return self._once("elements", node, lambda: elements(node))

    def _once(self, what: str, node: Node, work: Callable[[], Any]) -> Any:
        key = what, id(node.module)
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]


def _groups(ours: Iterable[tuple[Any, Node]], theirs: Iterable[tuple[Any, Node]],
            key: Callable[[Node], Hashable]) -> list[tuple[list, list]]:
    """Of either side, (what stands for a module, module): those of an equal key that says something, where both sides have some."""
    groups: dict[Hashable, tuple[list, list]] = defaultdict(lambda: ([], []))
    for side, nodes in enumerate((ours, theirs)):
        for what, node in nodes:
            if found := key(node):
                groups[found][side].append(what)
    return [group for group in groups.values() if all(group)]


def _owner(name: str) -> str:
    """Path of the module whose tensor it is; torch's parametrizations are no modules here."""
    return f".{_parent(name)}".partition(".parametrizations.")[0].strip(".")


def _normed(name: str) -> bool:
    return name.endswith((ORIGINAL, ".original"))


def _normed_around(layer: Node, around: Node) -> bool:
    """Whether the one is a class of the user's that holds such a layer, and beside it the weight which a norm divides."""
    return bool(layer.kind) and not around.kind and any(map(_normed, around.own)) and any(
        node.kind == layer.kind for node in below(around))


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _without(nodes: Nodes, node: Node) -> Nodes:
    return [other for other in nodes if other is not node]


def _trouble(problem: Problem, ours: str, theirs: str) -> _Trouble:
    """A problem of `pair_up`, of two modules at these paths, under the reference's path."""
    said = Problem(ours + problem.name, problem.pattern, problem.values)
    if problem.pattern.startswith("in Paddle only"):
        return _Trouble(said, None, theirs + problem.name)
    target = problem.values.get("name")
    misfit = target is not None and not problem.pattern.startswith("in torch")
    return _Trouble(said, ours + problem.name, f"{theirs}{target}" if misfit else None)


def _alone(module: Any) -> Any:
    """The module without what is in it; its tensors are the module's own."""
    shell = object.__new__(type(module))  # `copy.copy` asks the module, which may refuse (parametrizations)
    shell.__dict__.update(vars(module))
    held_in = "_modules" if "_modules" in shell.__dict__ else "_sub_layers"
    applied = {name: child for name, child in shell.__dict__[held_in].items() if name == "parametrizations"}
    shell.__dict__[held_in] = applied
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
        alike[hints.nameless(problem.message)].append(problem)
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


def _listed(pairs: list[tuple[str, str]], most: int = _SHOWN) -> str:
    return some([f"{one} = {other}" if one != other else one for one, other in pairs], most)
