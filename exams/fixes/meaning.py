"""Does a patched twin mean what the fault's own mend means? `python -m exams.fixes.meaning NAME FILE.npz DRAWS` writes its values.

Both twins compute from the same weights and inputs, on seeds that no search has seen. They are the same where no value is further
apart than rounding takes it: M times what moving all weights by one unit in the last place does to the mended twin, and never less
than what the harness can always see in float64 (`parity.numbers.noise.REFORMULATION`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from parity.numbers.arrays import deviation, largest_magnitude
from parity.numbers.noise import REFORMULATION, M

FIRST, SEEDS = 100, 20
ALWAYS = M * REFORMULATION * float(np.finfo(np.float64).eps)


def said(text: str, mended: str) -> str:
    """What a file says, less the definitions that nobody uses and the mended one has not."""
    tree, names = ast.parse(text), {getattr(node, "name", "") for node in ast.parse(mended).body}
    used = names | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name not in used) and not (
        isinstance(node, ast.Import) and not {(one.asname or one.name).partition(".")[0] for one in node.names} & used)]
    return ast.dump(tree)


def apart(mended: dict[str, np.ndarray], patched: dict[str, np.ndarray]) -> Iterator[str]:
    """Of each seed the value that is furthest apart, if it is more than rounding."""
    for seed in range(FIRST, FIRST + SEEDS):
        of_mended, of_patched = ({key.partition(" ")[2]: values for key, values in arrays.items()
                                  if key.partition(" ")[0] == str(seed)} for arrays in (mended, patched))
        if not of_mended:
            raise ValueError(f"nothing was computed with seed {seed}")
        if one := sorted(of_mended.keys() ^ of_patched.keys()):
            yield f"{one[0]} on one side only"
            continue
        far = {}
        for key, values in of_mended.items():
            found = deviation(values, of_patched[key])
            limit = max(M * float(mended.get(f"{seed}±{key}", 0.0)), ALWAYS * largest_magnitude(values))
            if found.trouble or found.distance > limit:
                far[key] = found.relative
        if far:
            key = max(far, key=far.__getitem__)
            yield f"{key} {far[key]:.1e}"


def values(name: str, draws: int) -> dict[str, Any]:
    """"SEED KEY" -> what the twin computes (outputs, gradients, what is remembered); "SEED±KEY" -> how far draws move it."""
    arrays: dict[str, Any] = {}
    for seed in range(FIRST, FIRST + SEEDS):
        found = _computed(name, seed, None)
        arrays |= {f"{seed} {key}": array for key, array in found.items()}
        for draw in range(draws):
            for key, array in _computed(name, seed, draw).items():
                if key in found and array.dtype.kind == "f":
                    distance = deviation(found[key], array).distance
                    arrays[f"{seed}±{key}"] = max(arrays.get(f"{seed}±{key}", 0.0), distance)
    return arrays


def _computed(name: str, seed: int, draw: int | None) -> dict[str, np.ndarray]:
    from exams.fixes.sitting import cases, steps_of, training
    from parity.verdict.sinks import Store
    steps = steps_of(name)
    store = Store()
    if steps is None:
        from dataclasses import replace

        from parity.compare.ladder import Both
        from parity.steps.state import moved
        subject = cases(name, seed)[0].subject
        wide = {key: array.astype(np.float64) if array.dtype.kind == "f" else array for key, array in subject.state.items()}
        both = Both(replace(subject, state=wide if draw is None else moved(wide, seed, draw)), "cpu")
        if (raised := both.twin("float64", store)) is not None:
            raise raised
        return _results([("", store)])
    from parity.steps.programs import Programs
    from parity.steps.state import moved
    programs, stores = Programs(training(name, seed), "float64"), []
    programs.load(1, programs.for_twin(programs.start if draw is None else moved(programs.start, seed, draw)))
    for number in range(1, steps + 1):
        stores.append((f"step {number} ", Store()))
        programs.step(1, number, programs.batch(number), stores[-1][1])
    return _results(stores)


def _results(stores: list[tuple[str, Any]]) -> dict[str, np.ndarray]:
    """All but locals, and what is between the layers: that a patch may write otherwise."""
    return {head + str(key): event.array for head, store in stores for key, event in store.events.items()
            if event.array is not None and not key.is_local and not key.is_activation_gradient
            and (key.stage != "forward" or "." not in key.module)}


if __name__ == "__main__":
    name_, file, draws_ = sys.argv[1:]
    with Path(file).open("wb") as opened:
        np.savez(opened, **values(name_, int(draws_)))
