"""Adam's state between torch and Paddle, parameter by parameter: moments laid out as their parameter is, and the step.

torch counts parameters in the order in which the optimizer was given them. Paddle keys by global parameter names and keeps
beta1^(n+1) and beta2^(n+1) in place of the step n, in float32: from these n can no longer be told once both are 0 (beta1 0.5
after 149 steps, beta2 0.999 after some 103 000). Then only their effect is left, a bias correction of exactly 1, which
every such n has.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .absent import framework
from .errors import StateError, listed
from .plan import Entry, Plan
from .torch_files import Tensor
from .verification import torch_array

torch = framework("torch")

_KINDS = {"exp_avg": "moment1", "exp_avg_sq": "moment2"}
_POWERS = ("beta1_pow_acc", "beta2_pow_acc")
ACCUMULATORS = (*_KINDS.values(), *_POWERS)
_NUMBERS = (np.dtype("f4"), np.dtype("f8"))
_MOST_STEPS = 10**8
_TINY = 1e-37  # below, float32 loses bits to denormals


@dataclass(frozen=True)
class Moments:
    """What Adam remembers of one parameter: arrays of the parameter's shape, and the number of updates."""

    step: int
    exp_avg: np.ndarray
    exp_avg_sq: np.ndarray


def from_torch(state: Mapping[str, Any], names: Iterable[str]) -> dict[str, Moments]:
    """An `optimizer.state_dict()`, as torch or `read_tree` gives it: parameter name -> Moments.

    Args:
        names: of the parameters, in the order in which the optimizer got them (`named_parameters()` mostly).
    Raises:
        StateError: not an Adam's state, or of another number of parameters. Parameters never updated are left out.
    """
    names = list(names)
    try:
        order = [number for group in state["param_groups"] for number in group["params"]]
        held = state["state"]
        if not isinstance(held, Mapping):
            raise TypeError
        if any(type(number) is not int for number in order) or len(order) != len(names):
            raise StateError(f"an optimizer of {len(names)} parameters was expected, found {len(order)}")
        if any(group.get("amsgrad") for group in state["param_groups"]):
            raise StateError("Adam with amsgrad keeps a third moment, which is not carried over; train without it")
        return {name: Moments(_step(held[number]["step"]), *(_moment(held[number][kind], f"{name}: {kind}") for kind in _KINDS))
                for number, name in zip(order, names, strict=True) if number in held}  # fmt: skip
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise StateError("expected the state_dict of a torch Adam (`state`, `param_groups`; exp_avg, exp_avg_sq and step "
                         "for each parameter), found something else") from error


def to_torch(moments: Mapping[str, Moments], names: Iterable[str], groups: Iterable[Mapping] = ()) -> dict[str, Any]:
    """The inverse: what `torch.optim.Adam.load_state_dict` takes, with arrays for tensors and a float for the step.

    groups: hyperparameters, as `param_groups` has them, without `params`; by default one group without any.
    """
    names = list(names)
    if missing := [name for name in moments if name not in names]:
        raise StateError(f"moments of no parameter: {listed(missing)}")
    settings = dict(next(iter(groups), {}))
    return {"state": {number: {"step": float(moments[name].step), "exp_avg": moments[name].exp_avg,
                               "exp_avg_sq": moments[name].exp_avg_sq}
                      for number, name in enumerate(names) if name in moments},
            "param_groups": [settings | {"params": list(range(len(names)))}]}  # fmt: skip


def to_paddle(moments: Mapping[str, Moments], plan: Plan, global_names: Mapping[str, str], betas: tuple[float, float]
              ) -> dict[str, np.ndarray]:  # fmt: skip
    """What a Paddle Adam's `set_state_dict` takes (as tensors), and a `.pdopt` holds.

    Args:
        moments: by torch name, in torch's layout.
        plan: of the network.
        global_names: Paddle's name in the network -> `parameter.name`.
    Raises:
        StateError: moments of a parameter that the plan does not know, or of another shape.
    """
    entries = _by_source(plan)
    if unknown := [name for name in moments if name not in entries]:
        raise StateError(f"moments of no parameter of the network: {listed(unknown)}")
    result = {}
    for source, held in moments.items():
        for entry in entries[source]:
            name = global_names[entry.target]
            for kind, accumulator in _KINDS.items():
                array = getattr(held, kind)
                if array.shape != entry.source_shape:
                    raise StateError(f"{source}: {kind} of shape {entry.source_shape} was expected, found {array.shape}")
                result[f"{name}_{accumulator}_0"] = np.asarray(entry.to_paddle(array), order="C")
            for beta, accumulator in zip(betas, _POWERS, strict=True):
                result[f"{name}_{accumulator}_0"] = np.array([_power(beta, held.step + 1, held.exp_avg.dtype)])
    return result


def from_paddle(state: Mapping[str, np.ndarray], plan: Plan, global_names: Mapping[str, str], betas: tuple[float, float]
                ) -> dict[str, Moments]:  # fmt: skip
    """The inverse of `to_paddle`. `state`: accumulator -> array, as an optimizer's `state_dict()` or a `.pdopt` has it.

    Raises:
        StateError: only some of a parameter's accumulators, of another shape, or powers that are none of these betas'.
    """
    held = {key.rpartition("_")[0]: array for key, array in state.items() if isinstance(array, np.ndarray)}
    result = {}
    for source, entries in _by_source(plan).items():
        parts = []
        for entry in entries:
            name = global_names.get(entry.target)
            found = [held.get(f"{name}_{kind}") for kind in ACCUMULATORS]
            if name is None or all(array is None for array in found):
                continue
            if any(array is None for array in found):
                raise StateError(f"{source}: expected moments and powers of a Paddle Adam for {name}, found only some")
            if any(array.shape != entry.target_shape or array.dtype not in _NUMBERS for array in found[:2]):
                raise StateError(f"{source}: moments of shape {entry.target_shape}, float32 or float64, were expected, found "
                                 + " and ".join(f"{array.shape} {array.dtype}" for array in found[:2]))
            if any(power.size != 1 or power.dtype not in _NUMBERS for power in found[2:]):
                raise StateError(f"{source}: powers of the betas were expected for {name}, one number each")
            step = _step_of([float(power.reshape(-1)[0]) for power in found[2:]], betas, source)
            parts.append((step, *(entry.to_torch(array) for array in found[:2])))
        if len(parts) == len(entries) and parts:
            steps, *moments = zip(*parts, strict=True)
            if len(set(steps)) > 1:
                raise StateError(f"{source}: its parts were updated {', '.join(map(str, steps))} times; torch keeps one step")
            joined = [arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for arrays in moments]
            result[source] = Moments(steps[0], *(np.asarray(array, order="C") for array in joined))
    return result


def _by_source(plan: Plan) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in plan.entries.values():
        if entry.target is not None:
            found.setdefault(entry.source, []).append(entry)
    return found


def same_effect(step: int, other: int, beta: float) -> bool:
    """Whether float32 powers of beta, multiplied up one by one, cannot tell the two numbers of steps apart."""
    return abs(beta**step - beta**other) <= _rounding(max(step, other)) * beta**other + 1e-42


def _rounding(step: int) -> float:
    """Of beta^(step+1) in float32, multiplied up: half a unit in the last place each time."""
    return 6e-8 * (step + 2)


def _step_of(powers: list[float], betas: tuple[float, float], name: str) -> int:
    """n from beta^(n+1), by the beta that still tells it best; the other must agree."""
    pairs = sorted(zip(betas, powers, strict=True), reverse=True)  # the larger beta lasts longer
    for beta, power in pairs:
        if power > beta * (1 + 1e-5) or not power >= 0:
            raise StateError(f"{name}: beta^(step+1) is {power}, more than beta {beta}; give the betas it was trained with")
    step = next((round(math.log(power) / math.log(beta)) - 1 for beta, power in pairs if power > 0),
                math.ceil(math.log(1e-46) / math.log(max(betas))))  # fmt: skip
    for beta, power in pairs:
        expected = beta ** (step + 1)
        if abs(power - expected) > _rounding(step) * expected + 1e-42 * (max(power, expected) < _TINY):
            raise StateError(f"{name}: beta^(step+1) is {power}, which is no power of {beta} at step {step}; "
                             "give the betas it was trained with")
    return step


@lru_cache(maxsize=64)
def _power(beta: float, count: int, dtype: np.dtype) -> np.floating:
    """Multiplied up one by one, as the optimizer does: the same bits. A piece at a time."""
    power = dtype.type(1)
    while count and power:
        factors = np.full(min(count, 1 << 20) + 1, beta, dtype)
        factors[0] = power
        power, count = np.cumprod(factors)[-1], count - len(factors) + 1
    return power


def _step(value: Any) -> int:
    """A number or a tensor of one; anything else that a file makes up is not even looked at."""
    if type(value) in (int, float):
        step = value
    else:
        array = _array(value, "step")
        step = array.reshape(-1)[0] if array.size == 1 else -1
    if not 0 <= step <= _MOST_STEPS or step != int(step):
        raise StateError(f"a step that is no count from 0 to {_MOST_STEPS}")
    return int(step)


def _moment(value: Any, where: str) -> np.ndarray:
    array = _array(value, where)
    if array.dtype not in _NUMBERS:
        raise StateError(f"{where}: float32 or float64 was expected, found {array.dtype}")
    return array


def _array(value: Any, where: str) -> np.ndarray:
    if isinstance(value, Tensor):
        return value.array(where)
    if isinstance(value, torch.Tensor):
        return torch_array(value.detach().cpu())
    if not isinstance(value, np.ndarray):
        raise TypeError(where)
    return value
