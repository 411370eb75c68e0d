"""What is kept beside weights, of both sides, at the end of a step: the same but for rounding, or another one."""

import numpy as np
import pytest

from parity.steps.remembered import Remembered

EPS = float(np.finfo(np.float64).eps)


def kept(value, **others):
    return {name: {"": np.array(one)} for name, one in {"baseline": value, **others}.items()}


def after_a_step(value, *draws, measured=None):
    remembered = Remembered(kept(value), "float64", measured)
    for draw in draws:
        remembered.drawn(kept(draw))
    return remembered


def test_of_what_was_just_built_nothing_may_differ():
    assert not Remembered(kept(0.9, best=np.inf)).unlike(kept(0.9, best=np.inf))
    assert Remembered(kept(0.9, rate=0.3)).unlike(kept(0.9 + EPS, rate=0.3)) == {"baseline"}


@pytest.mark.parametrize("sign", [1, -1])
def test_what_rounding_moves_may_differ_as_far(sign):
    remembered = after_a_step(1.0, 1 + 1e-12, 1 - 2e-12, 1.0)
    assert not remembered.unlike(kept(1 + sign * 4e-12)) and remembered.unlike(kept(1 + sign * 1e-9)) == {"baseline"}


def test_what_no_draw_moves_may_differ_by_its_own_rounding():
    assert not after_a_step(1.0).unlike(kept(1 + EPS)) and after_a_step(1.0).unlike(kept(1 + 100 * EPS))


def test_where_rounding_hides_mistakes_nothing_is_alike_that_is_apart():
    remembered = after_a_step(1.0, 1.125, 0.875)
    assert remembered.unlike(kept(1.0625)) and not remembered.unlike(kept(1.0))


def test_of_another_run_of_the_step_the_noise_is_known():
    first = after_a_step(1.0, 1 + 1e-12)
    assert not after_a_step(2.0, measured=first).unlike(kept(2 + 4e-12))


@pytest.mark.parametrize(("ours", "theirs"), [
    (None, {"": [0.0, 0.0]}), ({"": [0.0, 0.0]}, {}), ({"": [0.0, 0.0]}, {"": [[0.0, 0.0]]}), ({"": [0.0]}, {"[0]": [0.0]}),
    ({"": np.inf}, {"": 1.0}), ({"": 1.0}, {"": np.nan}), ({"": [np.nan, 1.0]}, {"": [np.nan, 1.5]}), ({"": 1.0}, {"": 1})])
@pytest.mark.parametrize("lane", ["float64", None])
def test_another_thing_is_unlike(ours, theirs, lane):
    ours, theirs = ({"hidden": {path: np.array(one) for path, one in held.items()}} if held is not None else {}
                    for held in (ours, theirs))
    remembered = Remembered(ours, lane)
    assert remembered.unlike(theirs) == {"hidden"} and not remembered.unlike(ours)
