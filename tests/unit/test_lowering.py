"""What is in half precision under autocast, and what is done to gradients before an update; no framework is needed."""

import pytest

from parity.frameworks.lowering import FULL, PRODUCTS, Asked, Lowered
from parity.trace.clipping import Clip, Treated, treated_otherwise


class Tensor:
    """Anything that a weak reference can be of."""


class Run:
    """A program's steps: `told` are those that the watcher was told of."""

    def __init__(self):
        self.began, self.told = [], []
        self.lowered = Lowered(self.began.append, lambda kind, dtype: self.told.append((kind, dtype)))

    def does(self, kind, *given, name="operation"):
        result = Tensor()
        self.lowered.computed(kind, name, given, [result])
        return result


def test_products_are_in_half_in_a_region_alone():
    run, x = Run(), Tensor()
    run.does(PRODUCTS, x)
    run.lowered.enter(Asked("bfloat16"))
    run.does(PRODUCTS, x)
    run.lowered.enter(None)  # switched off inside
    run.does(PRODUCTS, x)
    run.lowered.leave()
    run.lowered.leave()
    run.does(PRODUCTS, x)
    assert run.told == [(PRODUCTS, dtype) for dtype in (None, "bfloat16", None, None)]
    assert run.began == [Asked("bfloat16")] and run.lowered.is_asked_for


def test_a_norm_is_in_half_behind_a_region_and_not_in_it():
    run, x = Run(), Tensor()
    run.lowered.enter(Asked("bfloat16"))
    product = run.does(PRODUCTS, x)
    full = run.does(FULL, product)
    run.lowered.leave()
    assert run.told == [(PRODUCTS, "bfloat16")]
    run.does(FULL, full)
    run.does(FULL, run.does(None, product, x))  # of both kinds: in full
    assert run.told == [(PRODUCTS, "bfloat16")]
    run.does(FULL, run.does(None, product))  # as it is given
    run.does(PRODUCTS, product)
    assert run.told[1:] == [(FULL, "bfloat16"), (PRODUCTS, "bfloat16")]


def test_a_cast_says_it_and_a_substitute_takes_it_over():
    run, x, other = Run(), Tensor(), Tensor()
    run.lowered.mark([x], "float16")
    run.lowered.carry(x, other)
    run.lowered.mark([x], None)
    run.does(FULL, x)
    run.does(FULL, other)
    assert run.told == [(FULL, "float16")]


def test_what_is_let_go_of_is_forgotten():
    run = Run()
    run.lowered.mark([Tensor()], "float16")
    assert not run.lowered._halves


@pytest.mark.parametrize(("asked", "told"), [
    (Asked("float16"), [(PRODUCTS, "float16")]),
    (Asked("float16", "O2", frozenset()), [(PRODUCTS, "float16"), (FULL, "float16")]),
    (Asked("float16", "O2", frozenset({"softmax"})), [(PRODUCTS, "float16")]),
    (Asked("float16", "O1", frozenset({"matmul", "softmax"})), [(PRODUCTS, None)]),
    (Asked("float16", "O1", frozenset(), frozenset({"softmax"})), [(PRODUCTS, "float16"), (FULL, "float16")])])
def test_levels_and_lists(asked, told):
    run, x = Run(), Tensor()
    run.lowered.enter(asked)
    run.does(FULL, run.does(PRODUCTS, x, name="matmul"), name="softmax")
    assert run.told == told


def test_a_level_is_named_where_torch_has_none():
    assert str(Asked("bfloat16")) == "bfloat16" and str(Asked("bfloat16", "O2")) == "bfloat16 O2"


NORM = Clip("norm", (0.5,), 2.0, (frozenset({"w", "b"}),))


@pytest.mark.parametrize(("reference", "twin", "said"), [
    (Treated((NORM,), 0), Treated((NORM,), 0), None),
    (Treated((NORM,)), Treated((NORM,)), None),
    (Treated((), 0), Treated((), 0), None),
    (Treated((NORM,), 0), Treated((NORM,), 1), "clipped and then unscaled in the twin"),
    (Treated((NORM,), 1), Treated((NORM,), 0), "unscaled and then clipped in the twin"),
    (Treated((NORM,), 0), Treated((NORM,)), "in the twin none does"),
    (Treated((NORM,)), Treated((NORM,), 0), "in the reference none does"),
    (Treated((NORM,), 0), Treated((), 0), "by nothing that the framework offers in the twin")])
def test_what_is_done_to_gradients(reference, twin, said):
    found = treated_otherwise(reference, twin)
    assert found is None if said is None else said in found
