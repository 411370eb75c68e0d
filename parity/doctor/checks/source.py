"""What the source alone says, where running it says nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from parity.doctor.checks.case import Case
from parity.doctor.finding import Finding
from parity.doctor.places import parsed
from parity.source import Site
from parity.wording import say


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


CHECKS = (calls,)
