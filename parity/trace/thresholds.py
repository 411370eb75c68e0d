"""Whether a line makes nothing of the number that it draws but one yes or no: `if random() < rate`.

Read off the source alone. What is compared once, with something that it is no part of, and where a truth is asked for (so both are
single numbers), has two outcomes, whatever it is: a smallest and a largest number there give both of them, if there are two.
"""

from __future__ import annotations

import ast

from parity.trace.source import Site, function_around

_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_UNIFORM = frozenset({"rand", "random", "random_sample", "ranf", "uniform"})  # as python, numpy and the frameworks call them


def is_one_threshold(site: Site | None) -> bool:
    """False as well where the source is not at hand, or where the line draws in a way that cannot be told."""
    function = function_around(site)
    if function is None:
        return False
    around = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    drawn = [node for node in around if isinstance(node, ast.expr) and node.lineno == site.line and _draws(node)
             and not _is_wrapped(around[node])]
    return len(drawn) == 1 and _is_compared(drawn[0], around)


def may_run_on(site: Site | None) -> bool:
    """Whether a line stands in a loop that with other numbers may not end."""
    function = function_around(site)
    return function is not None and any(isinstance(node, ast.While) and node.lineno <= site.line <= node.end_lineno
                                        for node in ast.walk(function))


def _draws(node: ast.expr) -> bool:
    """A call of a uniform number, without calls in it: `rand(())`, also as `float(rand(()))` and `rand(()).item()`."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name) and node.func.id == "float" and len(node.args) == 1:
        return _draws(node.args[0])
    if isinstance(node.func, ast.Attribute) and node.func.attr == "item" and not node.args:
        return _draws(node.func.value)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    return name in _UNIFORM and sum(isinstance(inner, ast.Call) for inner in ast.walk(node)) == 1


def _is_wrapped(parent: ast.AST) -> bool:
    """Whether what is around a draw is the same draw."""
    return (isinstance(parent, ast.Call) and _draws(parent)) or (isinstance(parent, ast.Attribute) and parent.attr == "item")


def _is_compared(number: ast.expr, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether the value of an expression goes into one comparison and nowhere else."""
    parent = around[number]
    uses = _uses(parent, number, around)
    if uses is not None:
        return len(uses) == 1 and _is_compared(uses[0], around)
    if not isinstance(parent, ast.Compare) or len(parent.ops) != 1 or not isinstance(parent.ops[0], _ORDERS):
        return False
    other, = {parent.left, *parent.comparators} - {number}
    return not any(isinstance(node, (ast.Call, ast.NamedExpr)) for node in ast.walk(other)) and _is_asked(parent, around)


def _is_asked(truth: ast.expr, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether nothing but a yes or no is taken from an expression."""
    parent = around[truth]
    if isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
        return _is_asked(parent, around)
    if isinstance(parent, (ast.If, ast.IfExp, ast.Assert)):
        return parent.test is truth
    uses = _uses(parent, truth, around)
    return bool(uses) and all(_is_asked(use, around) for use in uses)


def _uses(statement: ast.AST, value: ast.expr, around: dict[ast.AST, ast.AST]) -> list[ast.Name] | None:
    """Where the local name is read to which a statement gives a value; None where it gives it to no name that is local for sure."""
    if not isinstance(statement, ast.Assign) or statement.value is not value or len(statement.targets) != 1:
        return None
    name, = statement.targets
    if not isinstance(name, ast.Name) or any(_hands_out(node, name.id) for node in around):
        return None
    return [node for node in around if isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Load)]


def _hands_out(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and node.target.id == name
    return isinstance(node, (ast.Global, ast.Nonlocal)) and name in node.names
