"""The house as parity/README.md draws it: arrows between rooms run one way, no circles, nothing general knows U-GAT-IT.

Every import counts, also one inside a function; only those for type checkers do not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ROOMS = ["ground", "numbers", "frameworks", "trace", "pairing", "declare", "verdict", "differences", "fixes", "compare", "report",
         "recordings", "steps", "data", "metrics", "mending", "explain", "doctor", "campaign", "conversion", "ugatit", "cli",
         "face"]
GROUND = {"messages", "languages", "files", "heap", "asked", "blame", "processes"}
FACE = {"door", "plugin", "__main__", "testsuite"}
ALIASES = {"check", "faults", "inputs", "lockstep", "pair", "port", "source", "training"}  # documented names, for users alone
UGATIT = {"torch_ref", "paddle_impl", "parity.ugatit"}

# What is still to be mended. Nothing may be added; what is gone is taken off.
UPWARDS: set[tuple[str, str]] = set()
CIRCLES: set[frozenset[str]] = set()
OF_UGATIT: set[tuple[str, str]] = set()


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax, of the four packages that are installed."""
    found = {}
    for package in ("parity", "torch_ref", "paddle_impl", "weights_convert"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text())
    return found


def imports(name: str, tree: ast.Module, known: set[str]) -> Iterator[str]:
    """Modules that this one imports, anywhere: the deepest that is a file of ours, else as written."""
    package = ROOT.joinpath(*name.split(".")).is_dir()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")[:len(name.split(".")) - node.level + package]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value in known:
                yield first.value
        todo += ast.iter_child_nodes(node)


def graph_of(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    known = set(trees)
    return {name: set(imports(name, tree, known)) - {name} for name, tree in trees.items()}


@cache
def graph() -> dict[str, set[str]]:
    return graph_of(modules())


def room(name: str) -> str | None:
    """The room that a module stands in; None outside the house, and for the documented names."""
    parts = name.split(".")
    if parts[0] in ("torch_ref", "paddle_impl"):
        return "ugatit"
    if parts[0] != "parity" or len(parts) == 1 or parts[1] in ALIASES:
        return None
    return "ground" if parts[1] in GROUND else "face" if parts[1] in FACE else parts[1]


def upwards(arrows: dict[str, set[str]]) -> set[tuple[str, str]]:
    return {(one, other) for one, others in arrows.items() for other in others
            if room(one) and room(other) and ROOMS.index(room(one)) < ROOMS.index(room(other))}


def circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """Groups of modules of which each reaches each other. A package's `__init__` and what is in it may know each other."""
    def below(name: str) -> set[str]:
        seen, todo = set(), [name]
        while todo:
            for other in arrows.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    reached = {name: below(name) for name in arrows}
    return {frozenset(other for other in reached[name] if name in reached.get(other, ()))
            for name in arrows if name in reached[name]}


def knows_ugatit(arrows: dict[str, set[str]]) -> set[tuple[str, str]]:
    def is_theirs(name: str) -> bool:
        return name.startswith((*(f"{package}." for package in UGATIT), "parity.testsuite", "parity.cli.ugatit")) or (
            name in UGATIT or name == "parity.faults")

    return {(one, other) for one, others in arrows.items() if not is_theirs(one) for other in others
            if other in UGATIT or other.startswith(tuple(f"{package}." for package in UGATIT))}


def test_every_room_is_in_the_plan():
    rooms = {room(name) for name in modules()} - {None}
    assert rooms <= set(ROOMS), "a new room: say where it stands, here and in parity/README.md"
    assert len(modules()) > 150 and sum(map(len, graph().values())) > 500


def test_arrows_between_rooms_run_one_way():
    assert upwards(graph()) - UPWARDS == set(), "imports a room further up"
    assert UPWARDS - upwards(graph()) == set(), "mended: take it off the list"


def test_no_circles():
    assert circles(graph()) - CIRCLES == set()
    assert CIRCLES - circles(graph()) == set(), "mended: take it off the list"


def test_nothing_general_knows_ugatit():
    assert knows_ugatit(graph()) - OF_UGATIT == set()
    assert OF_UGATIT - knows_ugatit(graph()) == set(), "mended: take it off the list"


def test_documented_names_are_for_users():
    names = {f"parity.{name}" for name in ALIASES}
    assert names <= modules().keys()
    assert {(one, other) for one, others in graph().items() for other in others & names if one not in names} == set()


def test_numbers_need_numpy_alone():
    foreign = {other.partition(".")[0] for name, others in graph().items() if room(name) in ("ground", "numbers")
               for other in others} - set(sys.stdlib_module_names)
    assert foreign - {"parity", "numpy", "markupsafe", "babel"} == set()  # markupsafe, babel: a message in a page


@pytest.mark.parametrize("name", ["numbers", "ground", "trace", "pairing", "verdict", "report"])
def test_frameworks_are_met_in_their_own_room(name):
    """What these do to a program, they do through `parity.frameworks`."""
    met = {(module, other) for module, others in graph().items() if room(module) == name for other in others
           if other.partition(".")[0] in ("torch", "paddle")}
    assert met == set()


def relays(trees: dict[str, ast.Module]) -> set[tuple[str, int]]:
    """Where a call hands on both the positional and the keyword arguments that it was given, by other means than `hand_on`."""
    return {(name, node.lineno) for name, tree in trees.items() if room(name) in ("frameworks", "trace")
            for node in ast.walk(tree) if isinstance(node, ast.Call) and any(isinstance(a, ast.Starred) for a in node.args)
            and any(keyword.arg is None for keyword in node.keywords) and not ast.unparse(node.func).endswith("hand_on")}


def test_what_stands_around_a_users_operation_hands_it_on():
    """Else what the operation raises would count as an error of ours (parity/blame.py)."""
    assert relays(modules()) == set()
    assert relays({"parity.trace.x": ast.parse("def f(*a, **k):\n    return g(*a, **k)")}) == {("parity.trace.x", 2)}


# --- the test of the tests -------------------------------------------------------------------------------------------


def made(**sources: str) -> dict[str, set[str]]:
    return graph_of({name.replace("__", "."): ast.parse(text) for name, text in sources.items()})


def test_an_arrow_up_is_seen_wherever_it_is_written():
    judge = "def f():\n    from parity.steps.follow import follow"
    arrow = ("parity.verdict.judge", "parity.steps.follow")
    assert upwards(made(parity__verdict__judge=judge, parity__steps__follow="")) == {arrow}
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from parity.steps.follow import follow"
    assert upwards(made(parity__verdict__judge=typed, parity__steps__follow="")) == set()
    assert upwards(made(parity__verdict__judge="", parity__steps__follow="import parity.verdict.judge")) == set()


def test_a_circle_is_seen():
    assert circles(made(parity__a="import parity.b", parity__b="import parity.c", parity__c="from parity import a")) == {
        frozenset({"parity.a", "parity.b", "parity.c"})}
    assert circles(made(parity__a="import parity.b", parity__b="import parity.c", parity__c="")) == set()


@pytest.mark.parametrize("line", ["import torch_ref", "from paddle_impl.layers import Pad", "from parity.ugatit import subjects",
                                  "def f():\n    import importlib\n    importlib.import_module('parity.ugatit.subjects')"])
def test_general_code_that_knows_ugatit_is_seen(line):
    assert len(knows_ugatit(made(parity__verdict__judge=line, parity__ugatit__subjects=""))) == 1
    assert knows_ugatit(made(parity__ugatit__data=line, parity__cli__ugatit=line, parity__ugatit__subjects="")) == set()
