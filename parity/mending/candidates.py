"""What might be meant at a place: changes of the twin's statement, nearest to the reference's first."""

from __future__ import annotations

import ast
import difflib
import functools
import itertools
import keyword
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from types import UnionType
from typing import Any

from parity.mending import words
from parity.mending.definitions import Definition, Function
from parity.mending.hints import NONE, Hints
from parity.mending.patches import Change, Source
from parity.mending.translation import Translation, dotted, first_import
from parity.trace.source import Site

MOST_NAMES = 12  # other names that are tried for one
MOST_SAID = 4  # statements of a function that is said as a whole


@dataclass(frozen=True)
class Spot:
    """A statement of the twin, what stands around it, and the statement of the reference that belongs to it, if one is known."""

    twin: Source
    statement: ast.stmt
    line: int  # the one that a finding named, of all that the statement has
    reference: Source | None = None
    counterpart: ast.stmt | None = None
    other_line: int = 0
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    functions: tuple[Function, Function] | None = None  # the twin's and the reference's of one name, where this is the first of it
    beside: Function | None = field(default=None, compare=False)  # the reference's function that mostly says the same as this one's

    @property
    def key(self) -> tuple[str, int, int, int]:
        return self.twin.file, self.statement.lineno, self.statement.col_offset, self.line

    @property
    def foreign(self) -> Mapping[str, str]:
        """What the reference's file imports."""
        return self.reference.imports if self.reference is not None else {}

    @property
    def suspicious(self) -> bool:
        """Whether the two functions differ here: the statement says something else, one of the two has none such, or none behind
        or before it."""
        return self.differs or (self.beside is not None and self.counterpart is None) or any(
            before or after for _, before, after in _missing(self))

    def turned(self, one: ast.stmt, next_: ast.stmt) -> bool:
        """Whether the reference's function says these two one after the other, the second first."""
        if self.beside is None or not (self.counterpart is None or self.differs):
            return False
        said = [ast.dump(self.translation().of(_header(held))) for held in _simple(self.beside)]
        return (ast.dump(next_), ast.dump(one)) in itertools.pairwise(said)

    def translation(self) -> Translation:
        return Translation(self.reference, self.twin, self.names)

    @cached_property
    def said(self) -> tuple[ast.stmt, bool] | None:
        """The reference's statement in Paddle's words and the twin's names, and whether all of it could be said."""
        if self.counterpart is None or self.reference is None:
            return None
        translation = self.translation()
        try:
            return translation.of(_header(self.counterpart)), translation.complete
        except (ValueError, SyntaxError):
            return None

    @cached_property
    def differs(self) -> bool:
        """Whether the reference's statement says something else."""
        return self.said is not None and ast.dump(self.said[0]) != ast.dump(_header(self.statement))


def statement_at(source: Source, line: int) -> ast.stmt | None:
    """The innermost statement with that line; of one that holds others, its header."""
    holding = [node for node in ast.walk(source.tree) if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno]
    return max(holding, key=lambda node: (node.lineno, -node.end_lineno), default=None)


def around(source: Source, line: int, kind: type | UnionType) -> Any:
    """The innermost function, or class, around a line."""
    holding = [node for node in _all(source, kind) if node.lineno <= line <= node.end_lineno]
    return max(holding, key=lambda node: node.lineno, default=None)


@functools.lru_cache(maxsize=256)
def _all(source: Source, kind: type | UnionType) -> list[Any]:
    return [node for node in ast.walk(source.tree) if isinstance(node, kind)]


def with_bindings(source: Source, statement: ast.stmt) -> list[ast.stmt]:
    """The statement, and those before it in its function that bind or extend what it reads: `model += [...]` of
    `nn.Sequential(*model)`."""
    inside = around(source, statement.lineno, Function)
    read = {node.id for node in ast.walk(_header(statement)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return [statement, *(one for one in _simple(inside) if one.lineno < statement.lineno and read & set(_bound(one))
                         and not hasattr(one, "body"))] if inside is not None else [statement]


def spots(twin: Source, site: Site, reference: Source | None, other: Site | None) -> Iterator[Spot]:
    """Where a fault may be, likeliest first: the statement that a finding names; where what it reads of `self` is set; the
    statements before it; what else of the function and of the class's constructor is not what the reference says.

    other: a line of the reference, of the statement itself or of one before it.
    """
    statement = statement_at(twin, site.line)
    if statement is None:
        return
    inside = around(twin, site.line, Function)
    if reference is None or other is None:
        yield Spot(twin, statement, site.line)
        yield from (Spot(twin, set_in, set_in.lineno) for _, set_in in _set_in_class(twin, site.line, statement))
        return
    beside, there = around(reference, other.line, Function), statement_at(reference, other.line)
    pairs = aligned(twin, inside, reference, beside)
    partner = {id(ours): theirs for ours, theirs in pairs}
    if there is not None and not (_bound(statement) and id(statement) in partner and _bound(there) != _bound(statement)):
        partner[id(statement)] = there
        pairs = [*pairs, (statement, there)]
    own_class, other_class = around(twin, site.line, ast.ClassDef), around(reference, other.line, ast.ClassDef)
    first = _constructor(own_class)
    there_first = _constructor(other_class)
    built = aligned(twin, first, reference, there_first) if inside is not first else []
    partner = {id(ours): theirs for ours, theirs in built} | partner
    names = names_of([*pairs, *built])

    def spot(one: ast.stmt, line: int | None = None) -> Spot:
        match = partner.get(id(one))
        other_line = other.line if match is there else getattr(match, "lineno", 0)
        function = next((held for own, held in ((inside, beside), (first, there_first)) if own is not None and any(
            node is one for node in ast.walk(own))), None)
        return Spot(twin, one, line or one.lineno, reference, match, other_line, names, beside=function)

    yield spot(statement, site.line)
    yield from (spot(one) for one in _siblings(twin, statement) if one.lineno == statement.lineno and one is not statement)
    for _, set_in in _set_in_class(twin, site.line, statement):
        yield spot(set_in)
    if inside is not None:
        before = [one for one in _simple(inside) if one.end_lineno < statement.lineno]
        made = [one for one in with_bindings(twin, statement)[1:] if one in before]
        yield from map(spot, dict.fromkeys([*reversed(before[-2:]), *reversed(made[-2:])]))
    for one, _ in [*pairs, *built]:
        found = spot(one)
        if found.differs:
            yield found


def within(found: Definition, reference: Source | None = None, there: ast.AST | None = None, line: int = 0) -> Iterator[Spot]:
    """The statements of a function of the twin's, or of all methods of a class: first the one that belongs to that line of the
    reference, then those that say something else than the reference's of that name, then those that it has no partner for.

    there: the reference's function, or class, if one is known.
    """
    made = []
    for here in found.functions:
        beside = there
        if isinstance(there, ast.ClassDef):
            beside = next((one for one in there.body if isinstance(one, Function) and one.name == here.name), None)
        pairs = aligned(found.source, here, reference, beside) if isinstance(beside, Function) else []
        names, partner = names_of(pairs), {id(ours): theirs for ours, theirs in pairs}
        statements = _simple(here)
        for number, one in enumerate(statements):
            match = partner.get(id(one))
            both = (here, beside) if number == 0 and isinstance(beside, Function) else None
            made.append(Spot(found.source, one, one.lineno, reference if beside is not None else None, match,
                             getattr(match, "lineno", 0), names, both,
                             beside if isinstance(beside, Function) and 2 * len(pairs) > len(statements) else None))
    yield from sorted(made, key=lambda spot: (not (spot.differs and spot.other_line <= line <= spot.counterpart.end_lineno),
                                              1 if spot.said is None else 0 if spot.differs else 2))


def _constructor(found: ast.ClassDef | None) -> Function | None:
    return next((node for node in found.body if isinstance(node, Function) and node.name == "__init__"), None) if found else None


def _simple(function: Function) -> list[ast.stmt]:
    return sorted((node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function
                   and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))), key=lambda node: node.lineno)


@functools.lru_cache(maxsize=256)
def aligned(twin: Source, here: Function | None, reference: Source, there: Function | None) -> list[tuple[ast.stmt, ast.stmt]]:
    """Statements of two functions that belong to each other: those that say the same; between them those that bind the same
    names; and what is then left between two pairs, where it is as many on both sides."""
    if here is None or there is None:
        return []
    ours, theirs = _simple(here), _simple(there)
    said = [ast.dump(Translation(reference, twin, {}).of(_header(one))) for one in theirs]
    blocks = difflib.SequenceMatcher(None, [ast.dump(_header(one)) for one in ours], said, autojunk=False).get_matching_blocks()
    pairs = [(block.a + number, block.b + number) for block in blocks for number in range(block.size)]
    for (a, b), (to_a, to_b) in _gaps(pairs, len(ours), len(theirs)):
        start = b
        for number in range(a, to_a):
            bound = _bound(ours[number])
            match = next((place for place in range(start, to_b) if bound and _bound(theirs[place]) == bound), None)
            if match is not None:
                pairs.append((number, match))
                start = match + 1
    for (a, b), (to_a, to_b) in _gaps(pairs, len(ours), len(theirs)):
        if to_a - a == to_b - b:
            pairs += zip(range(a, to_a), range(b, to_b), strict=True)
    return [(ours[a], theirs[b]) for a, b in sorted(pairs)]


def _gaps(pairs: list[tuple[int, int]], here: int, there: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(begin, end) on both sides of what lies between neighbouring pairs."""
    edges = [(-1, -1), *sorted(pairs), (here, there)]
    return [((a + 1, b + 1), end) for (a, b), end in itertools.pairwise(edges)]


def _bound(statement: ast.stmt) -> tuple[str, ...]:
    targets = statement.targets if isinstance(statement, ast.Assign) else (
        [statement.target] if isinstance(statement, (ast.AugAssign, ast.AnnAssign, ast.For)) else [])
    return tuple(ast.unparse(target) for target in targets)


def names_of(pairs: list[tuple[ast.stmt, ast.stmt]]) -> dict[str, str]:
    """The reference's name of a local, or of what is the module's own ("self.x") -> the twin's, where statements that belong to
    each other bind another."""
    names: dict[str, str] = {}
    for ours, theirs in pairs:
        for one, other in zip(_bound(ours), _bound(theirs), strict=False):
            own = [name.removeprefix("self.") for name in (one, other)]
            if one != other and all(name.isidentifier() for name in own) and (one == own[0]) == (other == own[1]):
                names.setdefault(other, one)
    return names


def _set_in_class(source: Source, line: int, statement: ast.stmt | None) -> list[tuple[str, ast.stmt]]:
    """("self.x", the statement of the class that sets it) of all that the statement reads; of everything without one."""
    owner = around(source, line, ast.ClassDef)
    if owner is None:
        return []
    read = None if statement is None else {ast.unparse(node) for node in ast.walk(statement) if isinstance(node, ast.Attribute)
                                           and isinstance(node.value, ast.Name) and node.value.id == "self"}
    return [(name, node) for node in ast.walk(owner) if isinstance(node, (ast.Assign, ast.AnnAssign))
            for name in _bound(node) if name.startswith("self.") and (read is None or name in read) and node is not statement]


AS_THERE, SAID, PUT_IN, LEFT_OUT, AS_FOUND = TOLD = (
    "as in the reference", "the reference's statement, said in Paddle", "a statement that the reference has",
    "a statement that the reference has not", "what the finding says that the reference has")


@dataclass(frozen=True)
class Candidate:
    """Changes that belong together. cost: smaller ones are tried first. told: the reference says so; else it is a guess."""

    changes: tuple[Change, ...]
    cost: float

    @property
    def removes(self) -> bool:
        """Whether it takes a whole statement away: then what was wrong is no longer there to be compared."""
        return not any(change.new.strip() for change in self.changes)

    @property
    def shifts(self) -> bool:
        """Whether there is a statement more, or less: then other values of a name stand beside each other."""
        return self.changes[0].why in (PUT_IN, LEFT_OUT)

    @property
    def told(self) -> bool:
        return self.changes[0].why in TOLD


def candidates(spot: Spot, hints: Hints = NONE) -> list[Candidate]:
    """Each once, cheapest first; none that leaves the text as it is. hints: what the finding says of its cause."""
    made: dict[tuple[Change, ...], Candidate] = {}
    before = spot.twin.text
    known = spot.twin.imports
    bound = spot.twin.bound
    torchs = {name for name in spot.foreign if bound.get(name, ("torch", 0))[0].partition(".")[0] == "torch"}
    unsaid = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, torchs)) or '(?!)'})\b")  # left in torch's words
    made_by = (_like_the_reference, _composed, _frameworks_own, _whole_function, _forgotten, _simpler, _other_operators,
               _other_names, _other_constants, _of_the_family, _exchanged, _other_statements)
    for cost, why, changes in itertools.chain(_as_found(spot, hints), *(made_of(spot) for made_of in made_by)):
        kept = tuple(Change(spot.twin.file, *_bare(before, start, end, new), why) for start, end, new in changes
                     if before[start:end] != new)
        if any(unsaid.search(change.new) and not unsaid.search(before[change.start:change.end]) for change in kept):
            continue
        if any(_unknown(change.new.strip(), spot.twin) for change in kept):
            continue
        if "paddle" not in known and any(re.search(r"\bpaddle\.", change.new) for change in kept):
            first = first_import(spot.twin.tree)
            if first is None:
                continue
            place = spot.twin.whole_lines(first)[0]
            kept += (Change(spot.twin.file, place, place, "import paddle\n", "what the changed line needs"),)
        if kept and (kept not in made or made[kept].cost > cost):
            made[kept] = Candidate(kept, cost)
    return sorted(made.values(), key=lambda candidate: candidate.cost)


def _unknown(text: str, twin: Source) -> bool:
    """Whether it names what the twin's file does not know."""
    try:
        named = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    except SyntaxError:  # it is a piece
        return False
    return not named <= twin.names


def _bare(text: str, start: int, end: int, new: str) -> tuple[int, int, str]:
    """The change without brackets around it that would change nothing."""
    ways = [(start, end, new)]
    if new.startswith("(") and new.endswith(")"):
        ways.append((start, end, new[1:-1]))
    elif new and text[start - 1:start] == "(" and text[end:end + 1] == ")" and not _is_called(text, start - 1):
        ways.append((start - 1, end + 1, new))
    if len(ways) == 1:
        return ways[0]
    try:
        read = [ast.dump(ast.parse(text[:a] + way + text[b:])) for a, b, way in ways]
    except SyntaxError:
        return ways[0]
    return ways[-1] if read[0] == read[-1] else ways[0]


def _is_called(text: str, bracket: int) -> bool:
    """Whether the bracket is that of a call."""
    before = re.search(r"(\w+|[\])])$", text[max(bracket - 40, 0):bracket])
    return before is not None and not keyword.iskeyword(before[0])


Changes = list[tuple[int, int, str]]
Made = Iterator[tuple[float, str, Changes]]


def _header(statement: ast.stmt) -> ast.stmt:
    """A compound statement without what it holds."""
    if not hasattr(statement, "body"):
        return statement
    header = deepcopy(statement)
    header.body = [ast.Pass()]
    for name in ("orelse", "finalbody"):
        if hasattr(header, name):
            setattr(header, name, [])
    return header


def _like_the_reference(spot: Spot) -> Made:
    if spot.said is None:
        return
    said, complete = spot.said
    pairs = list(_differing(_header(spot.statement), said))
    if spot.statement.lineno < spot.statement.end_lineno and not hasattr(spot.statement, "body"):
        ours, theirs = (_on_the_line(one, line) for one, line in ((spot.statement, spot.line), (spot.counterpart, spot.other_line)))
        if len(ours) == len(theirs):
            translation = spot.translation()
            pairs = [*(pair for one, other in zip(ours, theirs, strict=True)
                       for pair in _differing(one, translation.visit(deepcopy(other)))), *pairs]
    for one, other in pairs:
        yield 1 + _size(one, other), AS_THERE, _replacing(spot, one, other)
    several = [_replacing(spot, one, other) for one, other in pairs]
    for count in range(2, min(len(several), 3) + 1):
        for group in itertools.combinations(several, count):
            if not any(a[0] < d[1] and d[0] < a[1] for one, other in itertools.combinations(group, 2) for a in one for d in other):
                yield 3 + count, AS_THERE, [change for changes in group for change in changes]
    if complete and spot.differs and not hasattr(spot.statement, "body") and isinstance(
            said, type(spot.statement) if not isinstance(spot.statement, ast.Pass) else ast.Expr | ast.Assign | ast.AugAssign):
        start, end = spot.twin.span(spot.statement)
        yield 6 if pairs else 1.5, SAID, [(start, end, ast.unparse(said))]


def _size(one: ast.AST | None, other: ast.AST | None) -> float:
    return sum(1 for node in (one, other) if node is not None for _ in ast.walk(node)) / 100


class _Missing(ast.AST):
    """Stands where one side has no argument: of which call, and as which keyword."""

    def __init__(self, call: ast.Call, name: str) -> None:
        super().__init__()
        self.call, self.name = call, name


def _on_the_line(statement: ast.stmt, line: int) -> list[ast.expr]:
    """Of a statement over several lines (a list of layers), the outermost expressions that begin on one of them."""
    found: list[ast.expr] = []
    pending: list[ast.AST] = list(ast.iter_child_nodes(statement))
    while pending:
        node = pending.pop(0)
        listing = isinstance(node, (ast.List, ast.Tuple))
        if isinstance(node, ast.expr) and node.lineno == line and (node.end_lineno == line or not listing):
            found.append(node)
        elif getattr(node, "lineno", line) <= line <= getattr(node, "end_lineno", line):
            pending += ast.iter_child_nodes(node)
    return found


def _differing(ours: ast.AST, theirs: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The smallest pairs of parts in which two statements differ."""
    if ast.dump(ours) == ast.dump(theirs):
        return
    if isinstance(ours, ast.Call) and isinstance(theirs, ast.Call) and _callee(ours) == _callee(theirs):
        yield from _of_arguments(ours, theirs)
        return
    inner = _parts(ours, theirs)
    if inner is not None:
        for one, other in inner:
            yield from _differing(one, other)
    if isinstance(ours, ast.expr) and isinstance(theirs, ast.expr):
        yield ours, theirs
        if inner is None:  # somewhere below, the other side may have what is meant here
            for one in ast.walk(ours):
                both_calls = isinstance(one, ast.Call) and isinstance(theirs, ast.Call)
                if both_calls and one is not ours and _callee(one) == _callee(theirs):
                    yield from _of_arguments(one, theirs)


def _callee(call: ast.Call) -> str:
    return ast.dump(call.func) if isinstance(call.func, (ast.Name, ast.Attribute)) and not (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)) else (
        call.func.attr if isinstance(call.func, ast.Attribute) else "")


def _of_arguments(ours: ast.Call, theirs: ast.Call) -> Iterator[tuple[ast.AST, ast.AST]]:
    if isinstance(ours.func, ast.Attribute) and isinstance(theirs.func, ast.Attribute):
        yield from _differing(ours.func.value, theirs.func.value)
    for one, other in zip(ours.args, theirs.args, strict=False):
        yield from _differing(one, other)
    mine = {keyword.arg: keyword.value for keyword in ours.keywords}
    wanted = {keyword.arg: keyword.value for keyword in theirs.keywords}
    for name in dict.fromkeys([*mine, *wanted]):
        if name in mine and name in wanted:
            yield from _differing(mine[name], wanted[name])
        elif name is not None and name in wanted:
            yield _Missing(ours, name), wanted[name]
        elif name is not None:
            yield mine[name], _Missing(ours, name)
    extra = ours.args[len(theirs.args):]
    if len(extra) == 1 and not set(wanted) - set(mine):
        yield extra[0], _Missing(ours, "")
    for one in theirs.args[len(ours.args):len(ours.args) + 1]:
        yield _Missing(ours, ""), one


def _parts(ours: ast.AST, theirs: ast.AST) -> list[tuple[ast.AST, ast.AST]] | None:
    """The parts of two of one kind, pair by pair; None where they are built otherwise."""
    if type(ours) is not type(theirs):
        return None
    pairs = []
    for (_, one), (_, other) in zip(ast.iter_fields(ours), ast.iter_fields(theirs), strict=False):
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return None
            pairs += zip(one, other, strict=True)
        elif isinstance(one, ast.AST) and isinstance(other, ast.AST):
            if isinstance(one, (ast.operator, ast.unaryop, ast.cmpop, ast.boolop)):
                if type(one) is not type(other):
                    return None
            else:
                pairs.append((one, other))
        elif one != other and not isinstance(one, ast.expr_context):
            return None
    return [pair for pair in pairs if isinstance(pair[0], ast.AST) and isinstance(pair[1], ast.AST)
            and not isinstance(pair[0], ast.expr_context)]


def _replacing(spot: Spot, one: ast.AST, other: ast.AST) -> Changes:
    source = spot.twin
    if isinstance(one, _Missing):
        end = source.span(one.call)[1] - 1
        filled = one.call.args or one.call.keywords
        written = f"{one.name}={ast.unparse(other)}" if one.name else ast.unparse(other)
        if not one.name and one.call.keywords:  # before them
            place = source.span(one.call.keywords[0])[0]
            return [(place, place, f"{written}, ")]
        tail = source.text[source.span((one.call.args + one.call.keywords)[-1])[1]:end] if filled else ""
        return [(end, end, f"{'' if not filled or ',' in tail else ', '}{written}")]
    if isinstance(other, _Missing):
        call = other.call
        keyword = next((one_ for one_ in call.keywords if one_.value is one), None)
        start, end = source.span(one if keyword is None else keyword)
        listed = sorted(source.span(argument) for argument in [*call.args, *call.keywords])
        place = listed.index((start, end))
        if place:
            return [(listed[place - 1][1], end, "")]
        return [(start, listed[1][0] if len(listed) > 1 else end, "")]
    start, end = source.span(one)
    return [(start, end, _written(other, one))]


def _written(node: ast.AST, instead_of: ast.AST | None = None) -> str:
    text = ast.unparse(node)
    weak = isinstance(node, (ast.BinOp, ast.IfExp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Lambda))
    strong = instead_of is None or isinstance(instead_of, (ast.BinOp, ast.IfExp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Lambda))
    return f"({text})" if weak and not strong else text


def _expressions(spot: Spot) -> list[ast.expr]:
    """All parts of the statement that are read, those on the finding's line where it has several lines."""
    header = spot.statement
    held = {id(below) for part in ("body", "orelse", "finalbody", "handlers") for inner in getattr(header, part, [])
            for below in ast.walk(inner)}
    nodes = [node for node in ast.walk(header) if isinstance(node, ast.expr) and id(node) not in held
             and not isinstance(getattr(node, "ctx", None), ast.Store)]
    if header.end_lineno > header.lineno and not hasattr(header, "body"):
        near = [node for node in nodes if node.lineno <= spot.line <= node.end_lineno]
        opened = [node for node in near if isinstance(node, ast.Call) and node.func.end_lineno == spot.line < node.end_lineno]
        given = {id(below) for call in opened for below in ast.walk(call)}  # a call's line is that of what it is given, too
        return [*near, *(node for node in nodes if id(node) in given and node not in near)] or nodes
    return nodes


def _simpler(spot: Spot) -> Made:
    """One operation less: f(x), x.f(), x + y, x[i] as x."""
    said = spot.said
    wanted = {ast.dump(node) for node in ast.walk(said[0])} if said else set()
    known = spot.twin.imports
    targets = {name for target in getattr(spot.statement, "targets", ()) for name in ast.unparse(target).strip("()").split(", ")}
    for node in _expressions(spot):
        inner: list[ast.expr] = []
        if isinstance(spot.statement, ast.Expr) and node is spot.statement.value:
            continue  # nothing would be done with it: then the statement is left out
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and dotted(node.func, known) is None and not (
                    isinstance(node.func.value, ast.Name) and node.func.value.id == "self"):
                inner.append(node.func.value)
            inner += [one for one in node.args[:2] if not isinstance(one, (ast.Constant, ast.Starred))]
        elif isinstance(node, ast.BinOp):
            inner += [node.left, node.right]
        elif isinstance(node, ast.UnaryOp):
            inner.append(node.operand)
        elif isinstance(node, ast.Subscript):
            inner.append(node.value)
        elif isinstance(node, ast.IfExp):
            inner += [node.body, node.orelse]
        for one in inner:
            start, end = spot.twin.span(node)
            cost = 8 if ast.dump(node) in wanted else 3 if ast.dump(one) in wanted else 2 if _cuts(node, known) else 5
            if isinstance(node, ast.BinOp) and ast.unparse(one) in targets:  # x = x / y: what is there already, left as it is
                cost = min(cost, 2.5)
            yield cost, "one operation less", [(start, end, _kept(spot, one, node))]


def _cuts(node: ast.expr, known: Mapping[str, str]) -> bool:
    """Whether no gradient comes through that call."""
    if not isinstance(node, ast.Call):
        return False
    method = isinstance(node.func, ast.Attribute) and node.func.attr in ("detach", "numpy", "item", "tolist")
    return method or dotted(node.func, known) in ("paddle.to_tensor", "paddle.Tensor")


def _whole_function(spot: Spot) -> Made:
    """What a short function of the reference's says, in the twin's of that name."""
    if spot.functions is None:
        return
    ours, theirs = spot.functions
    mine, said = _body(ours), _body(theirs)
    if not mine or not said or len(said) > MOST_SAID or len(ours.args.args) != len(theirs.args.args):
        return
    names = {other.arg: one.arg for one, other in zip(ours.args.args, theirs.args.args, strict=True)}
    translation = Translation(spot.reference, spot.twin, names)
    lines = [ast.unparse(translation.of(one)) for one in said]
    if translation.complete:
        indent = "\n" + spot.twin.indent(mine[0])
        yield 1.6 + len(said) / 10, SAID, [(spot.twin.span(mine[0])[0], spot.twin.span(mine[-1])[1],
                                         indent.join("\n".join(lines).split("\n")))]


def _forgotten(spot: Spot) -> Made:
    """What the function is given and does not read, handed on."""
    function = around(spot.twin, spot.statement.lineno, Function)
    if function is None:
        return
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    lost = [one.arg for one in function.args.args + function.args.kwonlyargs if one.arg not in read and one.arg != "self"]
    for call in (node for node in _expressions(spot) if lost and isinstance(node, ast.Call)):
        for name in lost:
            if name not in {keyword.arg for keyword in call.keywords}:
                yield 4, "an argument that was forgotten", _replacing(spot, _Missing(call, name), ast.Name(name))


def _body(function: Function) -> list[ast.stmt]:
    """Without its docstring."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _composed(spot: Spot) -> Made:
    """Where Paddle's own operation computes something else than torch's of that name: what makes it the same."""
    for node in _expressions(spot):
        rule = words.COMPOSED.get(dotted(node.func, spot.twin.imports) or "") if isinstance(node, ast.Call) else None
        if rule is not None and (said := rule(node)) is not None:
            yield 1.5, "what Paddle's own operation does otherwise, composed", [(*spot.twin.span(node), said)]


def _frameworks_own(spot: Spot) -> Made:
    """Where both call one name, of which the reference's is torch's and the twin's the user's own: Paddle's, imported."""
    if spot.counterpart is None or spot.reference is None:
        return
    theirs = {node.id: name for node in ast.walk(_header(spot.counterpart)) if isinstance(node, ast.Name)
              and (name := spot.reference.imports.get(node.id, "")).startswith("torch.")}
    for node in _expressions(spot):
        own = words.in_paddle(theirs[node.id]) if isinstance(node, ast.Name) and node.id in theirs else None
        if own is None or node.id in spot.twin.imports:
            continue
        package, _, name = own.rpartition(".")
        line = f"from {package} import {name}" + (f" as {node.id}" if name != node.id else "")
        for held in spot.twin.tree.body:
            if isinstance(held, ast.ImportFrom) and any((one.asname or one.name) == node.id for one in held.names):
                rest = [one for one in held.names if (one.asname or one.name) != node.id]
                kept = ast.unparse(ast.ImportFrom(held.module, rest, held.level)) + "\n" if rest else ""
                yield 0.9, SAID, [(*spot.twin.span(held), kept + line)]


def _kept(spot: Spot, node: ast.expr, instead_of: ast.expr) -> str:
    text = spot.twin.segment(node)
    return f"({text})" if _written(node, instead_of).startswith("(") and not text.startswith("(") else text


def _as_found(spot: Spot, hints: Hints) -> Made:
    """The reference's value of a setting for the twin's: a name in scope that is called so, or the value itself. The reference's
    operation for the twin's: a function, a layer, or its name as a text."""
    scope = _in_scope(spot)
    for name, ours, theirs in hints.settings:
        mine, wanted = _value(ours), _value(theirs)
        for node in _expressions(spot):
            if isinstance(node, ast.Constant) and type(node.value) is type(mine) and node.value == mine:
                yield 0.9, AS_FOUND, [(*spot.twin.span(node), repr(wanted))]
            elif isinstance(node, ast.Call) and (callee := dotted(node.func, spot.twin.imports)) is not None and name in (
                    words.parameters(callee) or ()) and name not in {given.arg for given in node.keywords}:
                yield 1.0, AS_FOUND, _replacing(spot, _Missing(node, name), ast.Constant(wanted))
    named = {name for name, *_ in hints.settings}
    for node in _expressions(spot):
        for given in node.keywords if isinstance(node, ast.Call) else ():
            if given.arg in scope and isinstance(given.value, ast.Constant):
                yield 0.8 if given.arg in named else 3.5, "the name in scope", [(*spot.twin.span(given.value), given.arg)]
    for node in _expressions(spot):
        for ours, theirs in itertools.product(hints.twin, hints.reference):
            if _operation(node) == _plain(ours) != _plain(theirs) and (said := _said_as(node, theirs)) is not None:
                yield 0.9, AS_FOUND, [(*spot.twin.span(node), said)]


def _value(shown: str) -> Any:
    try:
        return ast.literal_eval(shown)
    except (ValueError, SyntaxError):
        return shown


def _in_scope(spot: Spot) -> list[str]:
    """The arguments of the function around, and what it has bound before."""
    function = around(spot.twin, spot.line, Function)
    if function is None:
        return []
    given = [one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg) and one.arg != "self"]
    return given + [node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                    and node.lineno < spot.statement.lineno]


FAMILIES = (("relu", "gelu", "tanh", "sigmoid", "silu", "leaky_relu", "quick_gelu", "gelu_new", "relu6", "hardswish",
             "hardsigmoid", "elu", "softplus", "mish"),
            ("max_pool2d", "avg_pool2d"), ("adaptive_max_pool2d", "adaptive_avg_pool2d"),
            ("max_pool1d", "avg_pool1d"), ("adaptive_max_pool1d", "adaptive_avg_pool1d"))
"""Operations that stand for each other: they take and give the same shapes. Some are the names of a library alone, as texts."""


def _of_the_family(spot: Spot) -> Made:
    """Another operation of its kind: first those that the reference's file speaks of."""
    spoken = {_plain(word) for word in re.findall(r"\w+", spot.reference.text)} if spot.reference is not None else set()
    for node in _expressions(spot):
        own = _operation(node)
        family = next((family for family in FAMILIES if own in map(_plain, family)), ())
        for number, other in enumerate(one for one in family if _plain(one) != own):
            said = _said_as(node, other)
            if said is not None:
                yield (4.5 if _plain(other) in spoken else 6.5) + number / 10, "another operation of its kind", [
                    (*spot.twin.span(node), said)]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _operation(node: ast.expr) -> str | None:
    """What a function, a layer or a text names: the last word, plainly."""
    name = node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
    return _plain(name) if isinstance(name, str) else None


def _said_as(node: ast.expr, operation: str) -> str | None:
    """Another operation, named in the way of this one; None where Paddle has none of that name."""
    if isinstance(node, ast.Constant):
        return repr(operation)
    if not isinstance(node, ast.Attribute):
        return None
    package = ("paddle.nn",) if node.attr[:1].isupper() else ("paddle.nn.functional", "paddle")
    own = next((name for one in package for name in dir(words.found(one)) if _plain(name) == _plain(operation)
                and name[:1].isupper() == node.attr[:1].isupper()), None)
    return None if own is None else f"{ast.unparse(node.value)}.{own}"


_INVERSE = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_CALLED = {"add": "subtract", "multiply": "divide", "maximum": "minimum", "max": "min", "argmax": "argmin", "mean": "sum"}
_CALLED |= {other: one for one, other in _CALLED.items()}


def _other_operators(spot: Spot) -> Made:
    """The inverse of an operation: + for -, * for /, and what is called so (a sum for a mean). First where the reference's
    statement has that one, and has not this."""
    source = spot.twin
    said = [type(node) for node in ast.walk(spot.said[0])] if spot.said else []

    def cost(kind: type) -> float:
        other = next(one for one, sign in _SIGNS.items() if sign == _INVERSE[kind])
        return 3.0 if other in said and kind not in said else 4.0

    for node in _expressions(spot):
        if isinstance(node, ast.BinOp) and type(node.op) in _INVERSE:
            place = _sign(source, node.left, node.right, _SIGNS[type(node.op)])
            yield cost(type(node.op)), "the inverse operation", [(place, place + 1, _INVERSE[type(node.op)])]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLED:
            other = f"{source.segment(node.func.value)}.{_CALLED[node.func.attr]}"
            yield 4.5, "the inverse operation", [(*source.span(node.func), other)]
    statement = spot.statement
    if isinstance(statement, ast.AugAssign) and type(statement.op) in _INVERSE:
        place = _sign(source, statement.target, statement.value, _SIGNS[type(statement.op)])
        yield cost(type(statement.op)), "the inverse operation", [(place, place + 1, _INVERSE[type(statement.op)])]


def _sign(source: Source, left: ast.AST, right: ast.AST, sign: str) -> int:
    """Where the operator between two operands stands; brackets and comments may stand there, too."""
    start, end = source.span(left)[1], source.span(right)[0]
    between = re.sub(r"#[^\n]*", lambda found: " " * len(found[0]), source.text[start:end])
    return start + between.index(sign)


def _other_names(spot: Spot) -> Made:
    """Another variable in scope, another attribute of the module: first those that the reference's statement reads."""
    said = spot.said
    read = [ast.unparse(node) for node in ast.walk(said[0]) if _is_name(node)] if said else []
    read = [name for name in read if name not in spot.foreign]
    nodes = [node for node in _expressions(spot) if _is_name(node)]
    known, mine = spot.twin.imports, {ast.unparse(node) for node in ast.walk(_header(spot.statement)) if _is_name(node)}
    function, owner = around(spot.twin, spot.line, Function), around(spot.twin, spot.line, ast.ClassDef)
    local = _in_scope(spot)
    own = [] if owner is None else [ast.unparse(node) for node in ast.walk(owner) if isinstance(node, ast.Attribute)
                                     and isinstance(node.ctx, ast.Store) and ast.unparse(node).startswith("self.")]
    called = {id(node.func) for node in _expressions(spot) if isinstance(node, ast.Call)}
    if function is not None:
        callable_ = {node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    for node in nodes:
        text = ast.unparse(node)
        if text in known or text == "self":
            continue
        others = own if text.startswith("self.") else local
        if id(node) in called and not text.startswith("self."):
            others = [one for one in local if one in callable_]
        tried = [one for one in dict.fromkeys([*(one for one in read if one not in mine), *others])
                 if one != text and one.startswith("self.") == text.startswith("self.") and one not in known]
        for one in tried[:MOST_NAMES]:
            start, end = spot.twin.span(node)
            yield 4 if one in read and one not in mine else 7, "another name", [(start, end, one)]
    for node in _expressions(spot):
        if isinstance(node, ast.Constant):
            for one in dict.fromkeys(one for one in read if one not in mine):
                yield 3.5, "a name for a constant", [(*spot.twin.span(node), one)]


def _is_name(node: ast.AST) -> bool:
    if not isinstance(getattr(node, "ctx", None), ast.Load):
        return False
    return (isinstance(node, ast.Name) and node.id != "self") or (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self")


def _other_constants(spot: Spot) -> Made:
    """Another number or text: those of the reference's statement, the other sign, one more or less; True for False."""
    said = spot.said
    theirs = [node.value for node in ast.walk(said[0]) if isinstance(node, ast.Constant)] if said else []
    mine = [node.value for node in _expressions(spot) if isinstance(node, ast.Constant)]
    exponents = {id(node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right) for node in _expressions(spot)
                 if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)}
    for node in _expressions(spot):
        if not isinstance(node, ast.Constant):
            continue
        value, others = node.value, []
        if isinstance(value, bool):
            others = [(6.0, not value)]
        elif isinstance(value, (int, float)):
            others = [(4.0 if one not in mine else 8.0, one) for one in theirs
                      if isinstance(one, (int, float)) and not isinstance(one, bool)]
            others += [(7.0, -value), (7.0, round(1 - value, 12))]
            others += [(4.0, one) for one in (0.5, 2)] if id(node) in exponents else []
            others += [(7.0, value + 1), (7.0, value - 1)] if isinstance(value, int) else []
        elif isinstance(value, str):
            others = [(4.0, one) for one in theirs if isinstance(one, str)]
        for cost, one in others:
            if one != value or type(one) is not type(value):
                start, end = spot.twin.span(node)
                yield cost, "another constant", [(start, end, repr(one))]


def _exchanged(spot: Spot) -> Made:
    """Two operands, arguments or elements the other way round."""
    for node in _expressions(spot):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.BinOp):
            pairs.append((node.left, node.right))
        elif isinstance(node, (ast.List, ast.Tuple)) and 2 <= len(node.elts) <= 4:
            pairs += itertools.combinations(node.elts, 2)
        elif isinstance(node, ast.Call) and 2 <= len(node.args) <= 4:
            pairs += itertools.combinations(node.args, 2)
        for one, other in pairs:
            first, second = spot.twin.span(one), spot.twin.span(other)
            yield 6, "the other way round", [(*first, spot.twin.segment(other)), (*second, spot.twin.segment(one))]
    if isinstance(spot.statement, ast.Assign) and len(spot.statement.targets) == 1 and isinstance(
            spot.statement.targets[0], ast.Tuple) and 2 <= len(spot.statement.targets[0].elts) <= 4:
        for one, other in itertools.combinations(spot.statement.targets[0].elts, 2):
            first, second = spot.twin.span(one), spot.twin.span(other)
            yield 6, "the other way round", [(*first, spot.twin.segment(other)), (*second, spot.twin.segment(one))]


def _other_statements(spot: Spot) -> Made:
    """The statement left out; exchanged with its neighbour; the reference's statements that the twin has none for, put in."""
    source, statement = spot.twin, spot.statement
    if hasattr(statement, "body"):
        return
    siblings = _siblings(source, statement)
    start, end = source.whole_lines(statement)
    alone = source.text[start:end].strip() == source.segment(statement).strip()
    place = siblings.index(statement)
    if len(siblings) > 1 and (alone or source.shares_line(statement, siblings)) and not isinstance(statement, ast.Return):
        cost, why = (8, "one statement less") if spot.counterpart else (1.2, LEFT_OUT) if spot.beside else (4, "one statement less")
        yield cost, why, [(*((start, end) if alone else source.with_semicolon(statement, siblings)), "")]
    for neighbour in siblings[place + 1:place + 2] + siblings[max(place - 1, 0):place]:
        if not hasattr(neighbour, "body"):
            first, second = source.span(statement), source.span(neighbour)
            swapped = [(*first, source.segment(neighbour)), (*second, source.segment(statement))]
            told = spot.turned(*sorted((statement, neighbour), key=lambda one: one.lineno))
            yield (2, AS_THERE, swapped) if told else (8, "two statements exchanged", swapped)
    for missing, before, after in _missing(spot):
        translation = spot.translation()
        said = translation.of(missing)
        if translation.complete and alone and ast.dump(said) != ast.dump(statement):
            line = source.indent(statement) + ast.unparse(said) + "\n"
            yield 1.3 if before else 4, PUT_IN, [(start, start, line)]
            yield 1.3 if after else 4.5, PUT_IN, [(end, end, line)]


@functools.lru_cache(maxsize=4096)
def _siblings(source: Source, statement: ast.stmt) -> list[ast.stmt]:
    for node in ast.walk(source.tree):
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list) and any(one is statement for one in held):
                return held
    return [statement]


def _missing(spot: Spot) -> list[tuple[ast.stmt, bool, bool]]:
    """Simple statements of the reference's function that have no partner in the twin's, nearest first, each with whether it stands
    right before, and right behind, the one that belongs to the spot's; and the one that a finding put beside the twin's
    statement, which may be what is missing before it."""
    if spot.reference is None or spot.counterpart is None:
        return []
    theirs = around(spot.reference, spot.counterpart.lineno, Function)
    ours = around(spot.twin, spot.statement.lineno, Function)
    if theirs is None or ours is None:
        return []
    partner = {id(one): mine for mine, one in aligned(spot.twin, ours, spot.reference, theirs)}
    matched = partner.keys()
    all_ = _simple(theirs)
    lone = [(one, partner.get(id(next_)) is spot.statement, partner.get(id(before)) is spot.statement)
            for before, one, next_ in zip([None, *all_], all_, [*all_[1:], None], strict=False)
            if id(one) not in matched or (one is spot.counterpart and partner[id(one)] is not spot.statement)]
    near = [found for found in lone if not hasattr(found[0], "body") and not isinstance(found[0], ast.Return)]
    return sorted(near, key=lambda found: (id(found[0]) in matched, abs(found[0].lineno - spot.counterpart.lineno)))[:3]
