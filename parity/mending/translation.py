"""A statement of the reference, said in Paddle, with the twin's own names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy

from parity.mending import words
from parity.mending.patches import Source


def dotted(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """The full name of what is imported; None for anything else."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value, known)
        return None if inner is None else f"{inner}.{node.attr}"
    return None


def spelled(name: str, known: Mapping[str, str]) -> ast.expr:
    """A dotted name as a file that has these imports can write it, the shortest way; in full where it imports nothing of it."""
    ways = [alias + name.removeprefix(full) for alias, full in known.items() if name == full or name.startswith(full + ".")]
    return words.text(min(ways, key=len, default=name))


def first_import(tree: ast.Module) -> ast.stmt | None:
    """The first import of a file that may have another before it."""
    return next((node for node in tree.body if isinstance(node, ast.Import) or (
        isinstance(node, ast.ImportFrom) and node.module != "__future__")), None)


class Translation(ast.NodeTransformer):
    """names: of locals and attributes ("self.x") of the reference -> the twin's, where they differ."""

    def __init__(self, reference: Source, twin: Source, names: Mapping[str, str]) -> None:
        self._ours, self._theirs, self._names = reference.imports, twin.imports, names
        self.complete = True  # whether all was said; else some torch is left in it

    def of(self, statement: ast.stmt) -> ast.stmt:
        return ast.fix_missing_locations(self.visit(deepcopy(statement)))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._imported(node) or ast.Name(self._names.get(node.id, node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if (found := self._imported(node)) is not None:
            return found
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            own = self._names.get(f"self.{node.attr}", f"self.{node.attr}")
            return ast.Attribute(node.value, own.removeprefix("self."), node.ctx)
        if node.attr == "data":
            return self.visit(node.value)
        return ast.Attribute(self.visit(node.value), node.attr, node.ctx)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        """What torch trains has `requires_grad`, what Paddle does not train has `stop_gradient`."""
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Attribute) and target.attr == "requires_grad" and isinstance(value, ast.Constant):
            stopped = ast.Attribute(self.visit(target.value), "stop_gradient", ast.Store())
            return ast.Assign([stopped], ast.Constant(not value.value))
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`torch.max(x, dim)[0]` is Paddle's max itself."""
        if isinstance(node.slice, ast.Constant) and node.slice.value == 0 and isinstance(node.value, ast.Call):
            call = node.value
            name = dotted(call.func, self._ours) or ""
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if (name in ("torch.max", "torch.min", "torch.sort") or (not name and method in ("max", "min", "sort"))) and (
                    call.keywords or len(call.args) > (1 if name else 0)):
                return self.visit(call)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = dotted(node.func, self._ours)
        if name is not None and name.startswith("torch"):
            return self._function(name, node)
        if isinstance(node.func, ast.Attribute) and not (isinstance(node.func.value, ast.Name) and node.func.value.id in (
                "self", *self._ours)) and not _is_super(node.func.value):
            return self._method(node)
        return self.generic_visit(node)

    def _imported(self, node: ast.expr) -> ast.expr | None:
        name = dotted(node, self._ours)
        if name is None or not (name == "torch" or name.startswith("torch.")):
            return None
        theirs = words.in_paddle(name) if name != "torch" else "paddle"
        written = spelled(theirs, self._theirs) if theirs else None
        if written is None:
            self.complete = False
        return written

    def _function(self, name: str, node: ast.Call) -> ast.expr:
        theirs = words.in_paddle(name)
        said = ast.Call(deepcopy(node.func), [self.visit(one) for one in node.args], [])
        if theirs is None and name not in words.RULES:
            self.complete = False
            said.keywords = [ast.keyword(one.arg, self.visit(one.value)) for one in node.keywords]
            return said
        known = words.parameters(theirs) if theirs else None
        ours = words.parameters(name)
        if ours is not None and known is not None:  # an argument by its place may stand elsewhere
            args, said.args = said.args, []
            named = {words.argument(own, known) for own in ours}
            for place, (one, own) in enumerate(zip(args, ours, strict=False)):
                wanted = words.argument(own, known)
                if not wanted and words.ARGUMENTS.get(own, own) and place < len(known) and known[place] not in named:
                    wanted = known[place]  # called otherwise, and in the same place
                if wanted and place < len(known) and known[place] == wanted and not said.keywords:
                    said.args.append(one)
                elif wanted:
                    said.keywords.append(ast.keyword(wanted, one))
        for keyword in node.keywords:
            wanted = words.argument(keyword.arg, known) if keyword.arg else None
            if wanted or keyword.arg is None:
                said.keywords.append(ast.keyword(wanted, self.visit(keyword.value)))
        if (rule := words.RULES.get(name)) is not None:
            given = [ast.keyword(one.arg, self.visit(one.value)) for one in node.keywords]
            said = rule(ast.Call(node.func, [self.visit(one) for one in node.args], given), said)
            if ast.unparse(said.func).startswith("self."):
                for inner in (one.value for one in said.keywords if isinstance(one.value, ast.Call)):
                    inner.func = spelled(ast.unparse(inner.func), self._theirs)
                return said
            theirs = dotted(said.func, {"paddle": "paddle"}) or theirs
        written = spelled(theirs, self._theirs) if theirs else None
        if written is None:
            self.complete = False
            return said
        return ast.Call(written, said.args, said.keywords)

    def _method(self, node: ast.Call) -> ast.expr:
        base, method = self.visit(node.func.value), node.func.attr
        args = [self.visit(one) for one in node.args]
        keywords = [ast.keyword(ARGUMENT_OF_METHODS.get(one.arg, one.arg), self.visit(one.value)) for one in node.keywords]
        if method == "copy" and isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute) and base.func.attr == "numpy":
            return base  # is a copy already
        if method in words.CASTS and not args:
            return ast.Call(ast.Attribute(base, "astype", ast.Load()), [ast.Constant(words.CASTS[method])], [])
        if method == "size":
            shape = ast.Attribute(base, "shape", ast.Load())
            return ast.Subscript(shape, args[0], ast.Load()) if args else shape
        if method == "dim" and not args:
            return ast.Attribute(base, "ndim", ast.Load())
        if method == "copy_" and len(args) == 1 and not keywords:
            return ast.Call(spelled("paddle.assign", self._theirs), [args[0], base], [])
        theirs = words.METHODS.get(method, method)
        if theirs is None:
            return base
        if theirs in words.LISTED and args and not isinstance(args[0], (ast.List, ast.Tuple, ast.Starred)) and not (
                len(args) == 1 and isinstance(args[0], (ast.Attribute, ast.Name))):
            args = [ast.List(args, ast.Load())]
        return ast.Call(ast.Attribute(base, theirs, ast.Load()), args, keywords)


ARGUMENT_OF_METHODS = {"dim": "axis", "dims": "axis"}


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
