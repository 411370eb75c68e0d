"""Terms of a sum that are added in another order: what a line has made is then no value of the other side's, and no mistake."""

from __future__ import annotations

import ast
import itertools

import numpy as np

from parity.trace.events import OPERATION
from parity.trace.source import nodes_at
from parity.verdict.findings import Finding
from parity.verdict.prints import print_of
from parity.verdict.sinks import Against, Store

TERMS = 24
"""Values of the reference that are looked at, those nearest to the divergence."""


def adds_in_another_order(finding: Finding, truth: Store, against: Against) -> bool:
    """Whether the twin's line adds two values, and what it makes is the sum of two of the reference's: of its call, or of
    modules that this calls."""
    key = finding.key
    if not key.is_local or not any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) for node in nodes_at(finding.twin)):
        return False
    made = against.first.get(key)
    if made is None or len(made.shape) < 2:
        return False
    return any((mark := print_of(one + other)) is not None and mark.shape == made.shape and made.alike(mark)
               for one, other in itertools.combinations(_terms(finding, truth, made.shape), 2))


def _terms(finding: Finding, truth: Store, shape: tuple[int, ...]) -> list[np.ndarray]:
    """The reference's values around the divergence, each once."""
    key, terms = finding.key, []
    for event in sorted(truth.events.values(), key=lambda event: abs(event.order - finding.order.at)):
        other = event.key
        if (other[:3] != key[:3] or other.function == OPERATION
                or not (other.module == key.module or other.is_inside(key.module))
                or event.array is None or event.array.dtype.kind != "f"):
            continue
        array = event.array
        if not _fits(array.shape, shape) or any(array.shape == known.shape and np.array_equal(array, known) for known in terms):
            continue
        terms.append(array)
        if len(terms) == TERMS:
            break
    return terms


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether it is broadcast to this shape."""
    return len(shape) <= len(whole) and all(one in (1, other) for one, other in zip(shape[::-1], whole[::-1], strict=False))
