"""What the source alone says, where running it says nothing."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator

import numpy as np

from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding
from parity.doctor.places import called, is_library
from parity.doctor.program import HELD, with_subclasses
from parity.messages import say
from parity.trace.source import Site, parsed


def calls(case: Case) -> Iterator[Finding]:
    for file in case.program.files:
        tree = parsed(file)
        if tree is None:
            continue
        text = ast.unparse(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and called(node.value) == "no_grad":
                yield Finding(
                    "no-grad-without-with",
                    "no_grad",
                    say("no_grad() is called without `with`: it does nothing, and the graph is kept"),
                    site=Site(file, node.lineno),
                )
            elif (isinstance(node, ast.Call) and called(node) == "imread" and "cv2" in ast.unparse(node.func)
                  and "COLOR_BGR2RGB" not in text and "::-1" not in text):
                yield Finding(
                    "bgr-images",
                    "cv2.imread",
                    say("pictures are read by cv2 and never converted: blue and red are exchanged"),
                    site=Site(file, node.lineno),
                )


def _nodes(files: Iterable[str]) -> Iterator[tuple[str, ast.AST]]:
    """(file, node) of all that is written in these."""
    for file in files:
        tree = parsed(file)
        for node in ast.walk(tree) if tree is not None else ():
            yield file, node


def _only(found: set[Site]) -> Site | None:
    return next(iter(found)) if len(found) == 1 else None


_SCHEDULERS = re.compile(r"sched|lr|decay|warm", re.IGNORECASE)


def _scheduler_steps(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """(receiver, call) of `.step(...)`, where the receiver's name is none of an optimizer's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step":
            receiver = ast.unparse(node.func.value)
            if _SCHEDULERS.search(receiver):
                yield receiver, node


def scheduler_calls(case: Case) -> set[str]:
    """Receivers of `.step(...)` in the user's files that name none of the optimizers."""
    return {receiver for file in case.program.files if (tree := parsed(file)) is not None
            for receiver, _ in _scheduler_steps(tree)}


_FITS = re.compile(r"\.fit\(")


def is_fitted(step: Site | None) -> bool:
    """Whether a library's loop took that step (`Model.fit`): it steps the scheduler as well, by batch or by epoch."""
    return step is not None and bool(_FITS.search(step.text))


def scheduler_is_outside(case: Case, step: Site | None) -> bool:
    """Whether schedulers are stepped outside of the loop in which the optimizer steps at that line: once an epoch."""
    tree = parsed(step.file) if step is not None else None
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While))
             and node.lineno <= step.line <= node.end_lineno] if tree is not None else []
    if not loops:
        return False
    inner = max(loops, key=lambda loop: loop.lineno)
    lines = [call.lineno for _, call in _scheduler_steps(tree)]
    return bool(lines) and not any(inner.lineno <= line <= inner.end_lineno for line in lines)


def assignments_of(case: Case, attribute: str) -> Site | None:
    """The first line of the user's that sets this attribute of something."""
    for file, node in _nodes(case.program.files):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Attribute) and t.attr == attribute for t in node.targets):
            return Site(file, node.lineno)
    return None


def source_says(case: Case, pattern: re.Pattern) -> bool:
    """Whether the user's files have this anywhere in their code."""
    return any(pattern.search(ast.unparse(tree)) for file in case.program.files if (tree := parsed(file)) is not None)


def binding_of(case: Case, name: str) -> Site | None:
    """The last line of the user's that makes this name stand for another: `teacher = student`."""
    found = [Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Assign) and isinstance(node.value, (ast.Name, ast.Attribute))
             and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)]
    return found[-1] if found else None


def scheduler_site(case: Case, optimizer: str) -> Site | None:
    """The line that builds a scheduler: the only one, or the one of the optimizer's own scheduler's class; else the optimizer's."""
    own = type(case.framework.scheduler_of(case.program.optimizers[optimizer])).__name__
    kinds = {own, *(kind.__name__ for kind in with_subclasses(case.framework.scheduler_class))}
    found = [(called(node) == own, Site(file, node.lineno)) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and called(node) in kinds]
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
    """The line that says that this label is to be ignored, by its number or by a name, where there is only one."""
    found = {Site(file, keyword.value.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) for keyword in node.keywords
             if keyword.arg == "ignore_index" and getattr(keyword.value, "value", label) == label}
    return _only(found)


def named_alone(case: Case, method: str) -> Site | None:
    """A statement that names a method and does not call it: `optimizer.step`."""
    return next((Site(file, node.lineno) for file, node in _nodes(case.program.files)
                 if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute)
                 and node.value.attr == method), None)


def calling_eval(case: Case, network: str) -> Site | None:
    """The line that calls eval() on the network, by its name; else the first line that calls it on anything."""
    found = [(ast.unparse(node.func.value).rpartition(".")[2] == network, Site(file, node.lineno))
             for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "eval" and not node.args]
    return next((site for named, site in sorted(found, key=lambda one: not one[0])), None)


def making_site(case: Case, kind: str) -> Site | None:
    """The line that makes something of this class, where there is only one."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and called(node) == kind}
    return _only(found)


def loading_site(case: Case, step: Site | None = None) -> Site | None:
    """The line that makes a loader which does not shuffle, where there is only one; of several, the one that the loop goes over in
    which the optimizer steps."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and (called(node) or "").endswith("DataLoader")
             and not any(keyword.arg in ("sampler", "batch_sampler") or (keyword.arg == "shuffle" and getattr(
                 keyword.value, "value", True)) for keyword in node.keywords)}
    tree = parsed(step.file) if step is not None else None
    read = {name for node in ast.walk(tree) if isinstance(node, ast.For) and node.lineno <= step.line <= node.end_lineno
            for name in _read(node.iter)} if tree is not None and len(found) > 1 else set()
    found = {site for site in found if not read or any(
        isinstance(node, ast.Assign) and node.lineno <= site.line <= node.end_lineno and read & _bound(node)
        for node in ast.walk(parsed(site.file)))}
    return _only(found)


def _bound(node: ast.Assign) -> set[str]:
    return {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}


_FILLS = re.compile(r"constant|full|fill", re.IGNORECASE)


def filling_site(case: Case, value: float) -> Site | None:
    """The line that calls something like `constant_(..., value)`, where there is only one."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and _FILLS.search(called(node) or "")
             for given in (*node.args, *(keyword.value for keyword in node.keywords))
             if isinstance(given, ast.Constant) and type(given.value) in (int, float)
             and np.float32(given.value) == np.float32(value)}
    return _only(found)


def state_loads(case: Case) -> list[tuple[Site, bool]]:
    """Lines that load the state of one network into another; whether the two are the same."""
    return [(Site(file, node.lineno), ast.unparse(given.value) == ast.unparse(node.func.value))
            for file, node in _nodes(case.program.files)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("load_state_dict", "set_state_dict") and node.args and isinstance(node.args[0], ast.Call)
            and isinstance(given := node.args[0].func, ast.Attribute) and given.attr == "state_dict"]


_FREEZES = re.compile(r"requires_grad_\(False\)|requires_grad = False|stop_gradient = True")


def freezing_site(case: Case) -> Site | None:
    """The line of the user's that freezes parameters, where there is only one."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, (ast.Expr, ast.Assign)) and _FREEZES.search(ast.unparse(node))}
    return _only(found)


_LOW = re.compile(r"bfloat16|float16|\bhalf\b")


def casting_site(case: Case) -> Site | None:
    """The first line that brings something to half precision (autocast does so by itself)."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, (ast.Expr, ast.Assign, ast.Return)) and _LOW.search(text := ast.unparse(node))
             and "cast(" not in text}
    return min(found, default=None, key=lambda site: site.line)


_EPOCH = re.compile(r"epoch|^ep$", re.IGNORECASE)


def in_each_epoch(site: Site) -> bool:
    """Whether the line is done anew in each turn of a loop that counts epochs, and in no branch of it."""
    tree = parsed(site.file)
    around = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.If, ast.FunctionDef, ast.Lambda))
              and node.lineno < site.line <= node.end_lineno] if tree is not None else []
    inner = max(around, key=lambda node: node.lineno, default=None)
    return isinstance(inner, ast.For) and any(_EPOCH.search(part.id) for part in ast.walk(inner.target)
                                              if isinstance(part, ast.Name))


def averaging_site(files: Iterable[str]) -> Site | None:
    """The line that writes into the parameters of one network what comes of another's, in a loop over both, where there is only
    one."""
    return _only({Site(file, node.lineno) for file, loop in _nodes(files)
                  if isinstance(loop, ast.For) and ast.unparse(loop.iter).count("parameters(") > 1
                  for node in ast.walk(loop) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                  and node.func.attr in (*_WRITES, "mul_", "add_")})


_WRITES = ("copy_", "set_value", "lerp_", "load_state_dict", "set_state_dict", "assign", "_foreach_copy_")


def writing_site(case: Case) -> Site | None:
    """The line of the user's that writes into tensors, where there is only one."""
    found = {Site(file, node.lineno) for file, node in _nodes(case.program.files)
             if isinstance(node, ast.Call) and called(node) in _WRITES}
    return _only(found)


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
    found = {Site(file, node.lineno) for file, tree in _forwards(classes) for node in ast.walk(tree)
             if isinstance(node, ast.Call) and called(node) == name}
    found |= {site for path, module in case.program.modules.items() if type(module).__name__.lower() == name
              and (site := case.program.site_of(path))}
    return _only(found)


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


_ATTRIBUTES = ("requires_grad", "stop_gradient")
NEAR = 0.85  # of difflib's ratio: a letter or two left out, doubled or exchanged


def misspelt(case: Case) -> Iterator[Finding]:
    """An attribute that is set and that nothing reads, named nearly like one of the framework's."""
    for file, node in _nodes(case.program.files):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if not isinstance(target, ast.Attribute) or ast.unparse(target.value) == "self":  # a name of the user's own
                continue
            meant = next(iter(difflib.get_close_matches(target.attr, _ATTRIBUTES, 1, NEAR)), None)
            if meant and meant != target.attr and isinstance(node.value, ast.Constant) and type(node.value.value) is bool:
                yield Finding("attribute-misspelt", target.attr, say(
                    "{name} is no attribute of a tensor: setting it does nothing; is {meant} meant?", name=target.attr,
                    meant=meant), site=Site(file, node.lineno))
                return


CHECKS = (calls, misspelt, rebinding)
