"""The exam's own judge of patches: a patched twin beside the mended one."""

import numpy as np

from exams.fixes.meaning import FIRST, SEEDS, apart, said

MENDED = "import paddle\n\n\ndef scaled(x):\n    return x * 2\n"
SEEN = range(FIRST, FIRST + SEEDS)


def test_a_definition_that_nobody_uses_says_nothing():
    faulty = "\n\ndef copied(*given):\n    import home\n    return home.copied(*given)\n"
    assert said(MENDED + faulty, MENDED) == said(MENDED, MENDED)
    assert said(MENDED.replace("x * 2", "copied(x)") + faulty, MENDED) != said(MENDED, MENDED)


def computed(*, off=0.0, at=FIRST + 7):
    values = np.random.default_rng(0).standard_normal((4, 5))
    return {f"{seed} output": values + (off if seed == at else 0.0) for seed in SEEN}


def test_values_that_rounding_parts_are_equal_and_others_are_told():
    assert not list(apart(computed(), computed(off=1e-15)))
    assert [one.split()[0] for one in apart(computed(), computed(off=1e-9))] == ["output"]
    assert not list(apart({**computed(), f"{FIRST + 7}±output": 1e-9}, computed(off=1e-9)))


def test_a_value_that_one_twin_lacks_is_told():
    assert "one side" in next(apart(computed(), {**computed(), f"{FIRST} gradient": np.ones(2)}))
