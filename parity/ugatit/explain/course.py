"""A training followed by its losses alone: no lines, no layers, so that fifty runs cost minutes.

Either framework, with or without faults in the twin, or the reference moved by its rounding: the noise of the losses.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

import paddle_impl
import torch_ref
from parity.fixes.edit import Edit, applied
from parity.numbers.noise import move
from parity.ugatit import faults
from parity.ugatit.explain import start as starting
from parity.ugatit.explain.start import Start
from parity.ugatit.subjects import NETWORKS, PAIR
from weights_convert import Plan, plan

REFERENCE, TWIN = PAIR.reference_framework, PAIR.twin_framework
Losses = dict[str, list[float]]
CAM = ("G/A/cam", "G/B/cam")  # each the sum of two cross entropies
CHANCE = 4 * math.log(2)  # of the four, where the classifier says nothing
_SPARED = tuple(
    edit for package in ("torch_ref", "paddle_impl")
    for fake, network, real in (("fake_A2B", "genA2B", "real_A"), ("fake_B2A", "genB2A", "real_B"))
    for edit in (Edit(f"{package}.training:Training.discriminator_step", f"{fake}, _, _ = self.{network}({real})",
                      f"self.made_{fake} = self.{network}({real}); {fake} = self.made_{fake}[0].detach()"),
                 Edit(f"{package}.training:Training.generator_step", f"{fake}, {fake}_cam_logit, _ = self.{network}({real})",
                      f"{fake}, {fake}_cam_logit, _ = self.made_{fake}")))
"""The D step's gradients of the generators, which the G step clears unread, are not computed; and what the D step has translated,
the G step does not translate again, as the generators are the same yet. Losses stay as they are to the bit
(tests/ugatit/test_explain.py), and a step costs a fifth less."""


def run(start: Start, names: Sequence[str], *, steps: int, lane: str = "float64",
        watch: Callable[[Any], dict] | None = None) -> dict:
    """The twin with these faults in it, `steps` steps.

    Returns "losses" (see `losses`), "cosines": network -> of its first update and the reference's, "failure": what the
    faulty program raised, or None; with `watch` also what it makes of the trained program.
    """
    reference, plans = _first_update(start, lane), _plans(start)  # before the faults are there
    seen, cosines, failure, more = Losses(), {}, None, {}
    with faults.inject(*names), _spared(names), TWIN.seeded(start.seed):
        try:
            program = twin(start, lane, plans)
            before = _parameters(program, plans)
            for step in range(1, steps + 1):
                _note(seen, program.step(*_tensors(TWIN, start, step, lane), step))
                if step == 1:
                    after = _parameters(program, plans)
                    cosines = {name: _cosine(reference[name], {key: after[name][key] - before[name][key] for key in before[name]})
                               for name in NETWORKS}
            more = watch(program) if watch else {}
        except Exception as error:  # a faulty program: anything may come
            failure = f"{type(error).__name__}: {error}"
    return {"losses": totals(seen), "cosines": cosines, "failure": failure, **more}


def reference(start: Start, *, steps: int, lane: str = "float64", draw: int | None = None,
              watch: Callable[[Any], dict] | None = None) -> dict:
    """The reference, `steps` steps; draw: its weights moved by one ulp, and each operation's result by its rounding."""
    program = torch_ref.Training(**arguments(start), dtype=lane)
    state = {name: {key: value.astype(lane) for key, value in entries.items()} for name, entries in starting.weights(start).items()}
    if draw is not None:
        state = {name: move(entries, "course", start.seed, draw, name) for name, entries in state.items()}
    program.load_state({"networks": state})
    seen = Losses()
    with _spared(), REFERENCE.rounding(1 + draw) if draw is not None else nullcontext():
        for step in range(1, steps + 1):
            _note(seen, program.step(*_tensors(REFERENCE, start, step, lane), step))
    return {"losses": totals(seen), "cosines": {}, "failure": None, **(watch(program) if watch else {})}


def twin(start: Start, lane: str, plans: Mapping[str, Plan]) -> Any:
    """The twin's training program, as it is now (with the faults injected), at the start.

    What the start does not say, or a fault has given another shape, stays as the program made it; but a convolution whose
    spectral norm has another number of rows begins where the real port's did.
    """
    state = starting.weights(start)
    program = paddle_impl.Training(**arguments(start), dtype=lane)
    own = program.state()["networks"]
    for name, entries in own.items():
        carried = plans[name].to_paddle(state[name])
        for key, value in entries.items():
            if key in carried and carried[key].shape == value.shape:
                entries[key] = carried[key].astype(lane)
            elif key.endswith("weight_u"):
                entries[key] = starting.start_vector(name, key.removesuffix(".weight_u"), value.size, start.seed).astype(lane)
    program.load_state({"networks": own})
    return program


@contextmanager
def _spared(names: Sequence[str] = ()) -> Iterator[None]:
    """Without work whose result nobody reads. Faults outside of the nine might read it: theirs is the whole step."""
    with applied(_SPARED if set(names) <= set(faults.PORT2020) else ()):
        yield


def totals(losses: Mapping[str, Sequence[float]]) -> Losses:
    """The two losses that are trained on, and the sum of the four CAM losses of the generators."""
    result = {name: list(losses.get(name, ())) for name in ("D_loss", "G_loss")}
    return {**result, "cam": [sum(terms) for terms in zip(*(losses.get(name, ()) for name in CAM), strict=True)]}


def _note(losses: Losses, found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        losses.setdefault(name, []).append(float(value))


def arguments(start: Start) -> dict[str, Any]:
    """Of both frameworks' `Training`."""
    return {"ngf": start.ngf, "n_blocks": start.n_blocks, "img_size": start.size, "light": start.light, "ndf": start.ndf,
            "device": "cpu"}


def _tensors(framework: Any, start: Start, step: int, lane: str) -> list[Any]:
    return [framework.tensor(array.astype(lane)) for array in starting.batch(start, step).values()]


@functools.lru_cache(maxsize=4)
def _plans(start: Start) -> dict[str, Plan]:
    """How each network's state is carried over: from the healthy programs."""
    programs = [package.Training(**arguments(start)) for package in (torch_ref, paddle_impl)]
    return {name: plan(network, programs[1].networks[name]) for name, network in programs[0].networks.items()}


def _parameters(program: Any, plans: Mapping[str, Plan]) -> dict[str, dict[str, np.ndarray]]:
    """Network -> the twin's trained entries, in the reference's names and layouts; what does not fit is left out."""
    found = {}
    for name, entries in program.state()["networks"].items():
        trained = TWIN.parameters(program.networks[name])
        found[name] = {entry.source: entry.to_torch(entries[key]) for key, entry in
                       ((entry.target, entry) for entry in plans[name].entries.values())
                       if key in trained and entries[key].shape == tuple(entry.target_shape)}
    return found


@functools.lru_cache(maxsize=4)
def _first_update(start: Start, lane: str) -> dict[str, dict[str, np.ndarray]]:
    """Network -> parameter -> what the reference's first step changes."""
    program = torch_ref.Training(**arguments(start), dtype=lane)
    program.load_state({"networks": starting.weights(start)})

    def held() -> dict[str, dict[str, np.ndarray]]:
        return {name: {key: REFERENCE.array(parameter, copy=True) for key, parameter in REFERENCE.parameters(network).items()}
                for name, network in program.networks.items()}

    before = held()
    program.step(*_tensors(REFERENCE, start, 1, lane), 1)
    return {name: {key: value - before[name][key] for key, value in entries.items()} for name, entries in held().items()}


def _cosine(reference: Mapping[str, np.ndarray], update: Mapping[str, np.ndarray]) -> float:
    """Of two updates of one network, over the parameters that both have; 0 where one of them is 0."""
    common = sorted(reference.keys() & update.keys())
    a, b = (np.concatenate([side[key].ravel() for key in common]) for side in (reference, update))
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0
