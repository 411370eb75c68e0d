"""Faults put into the twin of a gallery pair: each one line of its library's source, changed in memory, and known to matter.

A fault is made by an operator (a mistake of the kind that people make: an epsilon, a sign, an activation, a scale) on a line of a
class that the twin is built of. It is taken only where the truth says that the outputs are no longer the same; so which lines are
run, and which changes do nothing, is measured and not guessed.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

import numpy as np

from exams.gallery import truth
from parity.fixes.edit import Edit, EditError, applied

# kind of mistake: what is looked for on a line, what it becomes
OPERATORS = {
    "epsilon": (r"(epsilon|eps)=([\w.\[\]\"'-]+)", r"\1=1e-3"),
    "norm's place": (r"normalize_before=(False|[\w.]+)", "normalize_before=True"),
    "scale": (r"\*\* ?-0\.5", "** -0.4"),
    "root left out": (r"math\.sqrt\(([^()]*)\)", r"(\1)"),
    "axis": (r"softmax\((.*)axis=-1", r"softmax(\1axis=-2"),
    "gelu": (r"\bgelu\b", "relu"),
    "activation": (r"nn\.(GELU|Hardswish|Swish|ReLU6|Sigmoid|ReLU)\(\)", "nn.LeakyReLU()"),
    "activation's name": (r"(activation|act)=(?!None)([\w.\[\]\"']+)", r'\1="tanh"'),
    "heads": (r"\b(n_head|nhead|num_heads)=([\w.\[\]]+)", r"\1=1"),
    "relu": (r"\bF\.relu6?\(", "F.leaky_relu("),
    "tanh": (r"\btanh\b|\bTanh\b", "sigmoid"),
    "sign": (r"^(\s*(?:\w+ = |return )\w+) \+ ", r"\1 - "),
    "sum in place": (r"\+= (?![\d(\[])", "-= "),
    "sum": (r"paddle\.add\(", "paddle.subtract("),
    "position": (r"(position_ids|position_embeddings|past_key_values_length) \+ ", r"\1 - "),
    "pooling": (r"\bMaxPool2D", "AvgPool2D"),
    "ceiling": (r"ceil_mode=False", "ceil_mode=True"),
    "factor": (r"^(\s*return )(\w+)$", r"\1\2 * 1.01"),
    "statistics": (r"\.mean\(", ".sum("),
    "order": (r"\[0, 2, 1, 3\]", "[0, 1, 2, 3]"),
    "last word": (r"\[:, 0\]", "[:, -1]"),
    "shuffled": (r"perm=\[0, 2, 1, 3, 4\]|\[0, 2, 1, 3, 4\]", "[0, 1, 2, 3, 4]"),
}


@dataclass(frozen=True)
class Fault:
    """One line of the twin's library. where, old, new as in `Edit`; file and line of the original; span: the lines of its class."""

    pair: str
    kind: str
    edit: Edit
    file: str
    line: int
    span: tuple[int, int]


def faults(name: str, count: int, seed: int = 0) -> list[Fault]:
    """As many faults of a pair, of as many kinds as there are, that matter; the same ones for one seed."""
    candidates = list(_candidates(name))
    np.random.default_rng(seed).shuffle(candidates)
    turn: Counter[str] = Counter()
    turns = []
    for candidate in candidates:
        turns.append(turn[candidate.kind])
        turn[candidate.kind] += 1
    found: list[Fault] = []
    for place in np.argsort(turns, kind="stable"):  # one of each kind first
        if len(found) < count and _matters(candidates[place]):
            found.append(candidates[place])
    return found


def _candidates(name: str) -> Iterator[Fault]:
    model = truth.port(name).twin()
    classes = {type(layer) for layer in model.sublayers(include_self=True)}
    classes |= {base for kind in classes for base in kind.__mro__ if base.__module__ == kind.__module__}
    for kind in sorted(classes, key=lambda kind: (kind.__module__, kind.__qualname__)):
        if kind.__module__.startswith("paddle.vision") or kind.__module__.partition(".")[0] not in ("paddle", "builtins"):
            yield from in_class(name, kind)


def in_class(name: str, kind: type) -> Iterator[Fault]:
    """Each operator on each line of a class's methods that it fits."""
    lines, first = inspect.getsourcelines(kind)
    span = (first, first + len(lines) - 1)
    for function in filter(inspect.isfunction, vars(kind).values()):
        where = f"{kind.__module__}:{kind.__qualname__}.{function.__name__}"
        body, start = inspect.getsourcelines(function)
        for offset in range(_first_statement(body), len(body)):
            text = body[offset].rstrip("\n")
            if text.strip().startswith("#") or sum(text in line for line in body) > 1:
                continue
            for mistake, (pattern, replacement) in OPERATORS.items():
                new = re.sub(pattern, replacement, text, count=1)
                if new != text:
                    yield Fault(name, mistake, Edit(where, text, new), inspect.getsourcefile(kind), start + offset, span)


def _first_statement(body: list[str]) -> int:
    """The offset of the first line of a function behind its signature and docstring."""
    node = ast.parse(dedent("".join(body))).body[0]
    statements = node.body[1:] if ast.get_docstring(node) else node.body
    return statements[0].lineno - 1 if statements else len(body)


def _matters(fault: Fault) -> bool:
    """Whether the outputs are no longer those of the healthy twin; what does not run at all is no fault of a port."""
    try:
        with applied((fault.edit,)):
            deviation = truth.deviation(fault.pair)
    except EditError:
        return False
    except Exception:  # the changed line raises: anybody sees that without a tool
        return False
    return bool(deviation > 1e-5) and np.isfinite(deviation)
