"""What the source alone says, where running it says nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding
from parity.doctor.places import is_library, parsed
from parity.doctor.program import HELD, with_subclasses
from parity.messages import say
from parity.trace.source import Site


def calls(case: Case) -> Iterator[Finding]:
    for file in case.program.files:
        tree = parsed(file)
        if tree is None:
            continue
        text = ast.unparse(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _called(node.value) == "no_grad":
                yield Finding(
                    "no-grad-without-with",
                    "no_grad",
                    say("no_grad() is called without `with`: it does nothing, and the graph is kept"),
                    site=Site(file, node.lineno),
                )
            elif (isinstance(node, ast.Call) and _called(node) == "imread" and "cv2" in ast.unparse(node.func)
                  and "COLOR_BGR2RGB" not in text and "::-1" not in text):
                yield Finding(
                    "bgr-images",
                    "cv2.imread",
                    say("pictures are read by cv2 and never converted: blue and red are exchanged"),
                    site=Site(file, node.lineno),
                )


def _called(node: ast.Call) -> str | None:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)


def scheduler_calls(case: Case) -> set[str]:
    """Receivers of `.step(...)` in the user's files that name none of the optimizers."""
    receivers = set()
    for file in case.program.files:
        tree = parsed(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step":
                receiver = ast.unparse(node.func.value)
                if (
                    "sched" in receiver.lower()
                    or "lr" in receiver.lower()
                    or "decay" in receiver.lower()
                    or "warm" in receiver.lower()
                ):
                    receivers.add(receiver)
    return receivers


def assignments_of(case: Case, attribute: str) -> Site | None:
    """The first line of the user's that sets this attribute of something."""
    for file in case.program.files:
        tree = parsed(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Attribute) and t.attr == attribute for t in node.targets):
                return Site(file, node.lineno)
    return None


def source_says(case: Case, pattern: re.Pattern) -> bool:
    """Whether the user's files have this anywhere in their code."""
    return any(pattern.search(ast.unparse(tree)) for file in case.program.files if (tree := parsed(file)) is not None)


def binding_of(case: Case, name: str) -> Site | None:
    """The last line of the user's that makes this name stand for another: `teacher = student`."""
    found = [Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Attribute))
             and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)]
    return found[-1] if found else None


def scheduler_site(case: Case, optimizer: str) -> Site | None:
    """The line that builds a scheduler: the only one, or the one of the optimizer's own scheduler's class; else the optimizer's."""
    own = type(case.framework.scheduler_of(case.program.optimizers[optimizer])).__name__
    kinds = {own, *(kind.__name__ for kind in with_subclasses(case.framework.scheduler_class))}
    found = [(_called(node) == own, Site(file, node.lineno)) for file in case.program.files if (tree := parsed(file)) is not None
             for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in kinds]
    mine = [site for is_own, site in found if is_own] or [site for _, site in found]
    return mine[0] if len(mine) == 1 else case.program.optimizer_site(optimizer)


def handed_site(case: Case, optimizer: str) -> Site | None:
    """The line that makes what an optimizer is handed by its name: of `Adam([picture])`, that of `picture = ...`."""
    made = case.program.optimizer_site(optimizer)
    tree = parsed(made.file) if made else None
    for call in ast.walk(tree) if tree is not None else ():
        if isinstance(call, ast.Call) and call.lineno <= made.line <= call.end_lineno:
            given = [keyword.value for keyword in call.keywords if keyword.arg in HELD] or call.args[:1]
            names = [node.elts[0].id for node in given if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == 1
                     and isinstance(node.elts[0], ast.Name)]
            return case.program.assigned(names[0], "") if names else None
    return None


def ignoring_site(case: Case, label: int) -> Site | None:
    """The line that says that this label is to be ignored, where there is only one."""
    found = {Site(file, keyword.value.lineno) for file in case.program.files if (tree := parsed(file)) is not None
             for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords
             if keyword.arg == "ignore_index" and isinstance(keyword.value, ast.Constant) and keyword.value.value == label}
    return found.pop() if len(found) == 1 else None


def named_alone(case: Case, method: str) -> Site | None:
    """A statement that names a method and does not call it: `optimizer.step`."""
    return next((Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None
                 for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute)
                 and node.value.attr == method), None)


def making_site(case: Case, kind: str) -> Site | None:
    """The line that makes something of this class, where there is only one."""
    found = {Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, ast.Call) and _called(node) == kind}
    return found.pop() if len(found) == 1 else None


def loading_site(case: Case) -> Site | None:
    """The line that makes a loader which does not shuffle, where there is only one."""
    found = {Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, ast.Call) and (_called(node) or "").endswith("DataLoader")
             and not any(keyword.arg in ("sampler", "batch_sampler") or (keyword.arg == "shuffle" and getattr(
                 keyword.value, "value", True)) for keyword in node.keywords)}
    return found.pop() if len(found) == 1 else None


_FILLS = re.compile(r"constant|full|fill", re.IGNORECASE)


def filling_site(case: Case, value: float) -> Site | None:
    """The line that calls something like `constant_(..., value)`, where there is only one."""
    found = {Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, ast.Call) and _FILLS.search(_called(node) or "")
             for given in (*node.args, *(keyword.value for keyword in node.keywords))
             if isinstance(given, ast.Constant) and type(given.value) in (int, float)
             and np.float32(given.value) == np.float32(value)}
    return found.pop() if len(found) == 1 else None


_FREEZES = re.compile(r"requires_grad_\(False\)|requires_grad = False|stop_gradient = True")


def freezing_site(case: Case) -> Site | None:
    """The line of the user's that freezes parameters, where there is only one."""
    found = {Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, (ast.Expr, ast.Assign)) and _FREEZES.search(ast.unparse(node))}
    return found.pop() if len(found) == 1 else None


_WRITES = ("copy_", "set_value", "lerp_", "load_state_dict", "set_state_dict", "assign", "_foreach_copy_")


def writing_site(case: Case) -> Site | None:
    """The line of the user's that writes into tensors, where there is only one."""
    found = {Site(file, node.lineno) for file in case.program.files if (tree := parsed(file)) is not None for node in ast.walk(tree)
             if isinstance(node, ast.Call) and _called(node) in _WRITES}
    return found.pop() if len(found) == 1 else None


def group_site(case: Case, optimizer: str) -> Site | None:
    """The first line that gives a parameter group a learning rate of its own, within the optimizer's call."""
    made = case.program.optimizer_site(optimizer)
    tree = parsed(made.file) if made else None
    calls_ = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.lineno <= made.line <= node.end_lineno] \
        if tree is not None else []
    return next((Site(made.file, key.lineno) for call in calls_ for node in ast.walk(call) if isinstance(node, ast.Dict)
                 for key in node.keys if isinstance(key, ast.Constant) and key.value == "learning_rate"), None)


def calling_site(case: Case, name: str) -> Site | None:
    """The line of a network's forward that calls a function of this name, or makes a layer of it, where there is only one."""
    classes = {type(module) for module in case.program.modules.values()}
    called = {Site(file, node.lineno) for file, tree in _forwards(classes) for node in ast.walk(tree)
              if isinstance(node, ast.Call) and _called(node) == name}
    called |= {site for path, module in case.program.modules.items() if type(module).__name__.lower() == name
               and (site := case.program.site_of(path))}
    return called.pop() if len(called) == 1 else None


def dividing_site(case: Case, network: str) -> Site | None:
    """The first line of the network's forward that divides by a number, or multiplies by one."""
    forwards = _forwards({type(case.program.models[network])})
    return next((Site(file, node.lineno) for file, tree in forwards for node in ast.walk(tree) if isinstance(node, ast.BinOp)
                 and isinstance(node.op, (ast.Div, ast.Mult)) and isinstance(node.right, ast.Constant)), None)


def forward_says(case: Case, network: str, pattern: re.Pattern) -> bool:
    """Whether a forward of the user's within this network has this in it."""
    kinds = {type(module) for path, module in case.program.modules.items() if case.program.network_of(path) == network}
    return any(pattern.search(ast.unparse(tree)) for _, tree in _forwards(kinds))


def _forwards(classes: set[type]) -> Iterator[tuple[str, ast.AST]]:
    """(file, syntax tree) of the forwards of the user's classes."""
    for kind in classes:
        code = getattr(kind.forward, "__code__", None)
        tree = parsed(code.co_filename) if code is not None and not is_library(code.co_filename) else None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.FunctionDef) and node.name == "forward" and (
                    node.lineno <= code.co_firstlineno <= node.body[0].lineno):
                yield code.co_filename, node


_TENSORS_OF = re.compile(r"state_dict\(|parameters\(|buffers\(")


def rebinding(case: Case) -> Iterator[Finding]:
    """A loop over tensors of a network that computes new values of them, and binds them to its own variable: they are lost."""
    for file in case.program.files:
        tree = parsed(file)
        for loop in ast.walk(tree) if tree is not None else ():
            if not isinstance(loop, ast.For) or not (_TENSORS_OF.search(ast.unparse(loop.iter)) or _is_state(tree, loop.iter)):
                continue
            own = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
            for node in ast.walk(loop):
                if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
                        and isinstance(node.value, ast.BinOp) and node.targets[0].id in own):
                    continue
                name = node.targets[0].id
                later = {part.id for part in ast.walk(loop) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
                         and (part.lineno, part.col_offset) > (node.end_lineno, node.end_col_offset)}
                if name in _read(node.value) and name not in later:
                    yield Finding("write-lost", name, say(
                        "{name} is bound to a new tensor here, and nobody reads it: the tensor that the loop gave is as it was",
                        name=name), site=Site(file, node.lineno))
                    return


def _is_state(tree: ast.AST, iterated: ast.expr) -> bool:
    """Whether the loop goes over what a name bound to a network's state gives: `state.items()`."""
    names = {node.id for node in ast.walk(iterated) if isinstance(node, ast.Name)}
    return any(isinstance(node, ast.Assign) and _TENSORS_OF.search(ast.unparse(node.value))
               and any(isinstance(part, ast.Name) and part.id in names for target in node.targets for part in ast.walk(target))
               for node in ast.walk(tree))


def _read(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


CHECKS = (calls, rebinding)
