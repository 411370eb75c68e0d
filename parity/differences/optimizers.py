"""Update rules that Paddle computes otherwise: where epsilon stands, what is kept in float32, which algorithm it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle
import torch

from parity.differences.constants import float32
from parity.differences.difference import Difference
from parity.differences.imitation import Acted, in_optimizers, updating, with_settings


def _stepped(optimizer: str, gradient: float, start: float = 0.0, steps: int = 1, **options: Any) -> tuple[float, Any, str]:
    """A float64 weight after steps of one of Paddle's optimizers, that optimizer, and the weight's name."""
    weight = paddle.create_parameter([1], "float64", default_initializer=paddle.nn.initializer.Constant(start))
    made = getattr(paddle.optimizer, optimizer)(parameters=[weight], **options)
    for _ in range(steps):
        (weight * paddle.full([1], gradient, "float64")).sum().backward()
        made.step()
        made.clear_grad()
    return weight.item(), made, weight.name


def _alone(function: Any, params: list, *lists: list, **kwargs: Any) -> Iterator[tuple[torch.Tensor, list]]:
    """(parameter, what belongs to it) one by one, of the lists that torch hands to its functions."""
    for number, parameter in enumerate(params):
        yield parameter, [held[number] if held else None for held in lists]


def _decayed(parameter: torch.Tensor, gradient: torch.Tensor, kwargs: dict[str, Any]) -> torch.Tensor:
    gradient = -gradient if kwargs.get("maximize") else gradient
    return gradient.add(parameter, alpha=kwargs["weight_decay"]) if kwargs["weight_decay"] else gradient


# --- epsilon of RMSProp ----------------------------------------------------------------------------------------------

def rmsprop_epsilon_error() -> float:
    """How much smaller RMSProp's first step is for a gradient of 1e-4: torch's is 1e-4 / (sqrt(0.1 * 1e-8) + 1e-8)."""
    weight, _, _ = _stepped("RMSProp", 1e-4, learning_rate=1.0, rho=0.9, epsilon=1e-8)
    return abs(-weight / (1e-4 / (np.sqrt(0.1 * 1e-8) + 1e-8)) - 1)


def _composed_rmsprop_error() -> float:
    gradient = paddle.full([1], 1e-4, "float64")
    step = (gradient / (paddle.sqrt(gradient * gradient * 0.1) + paddle.full([1], 1e-8, "float64"))).item()
    return abs(step / (1e-4 / (np.sqrt(0.1 * 1e-8) + 1e-8)) - 1)


@torch.no_grad()
def _epsilon_under_the_root(acted: Acted, function: Any, params: list, *lists: Any, **kwargs: Any) -> None:
    rho, eps = kwargs["alpha"], kwargs["eps"]
    acted.count += bool(params) and eps > 0
    for parameter, (gradient, square, mean, velocity, step) in _alone(function, params, *lists[:5]):
        step += 1
        gradient = _decayed(parameter, gradient, kwargs)
        square.mul_(rho).addcmul_(gradient, gradient, value=1 - rho)
        variance = square
        if kwargs["centered"]:
            variance = square - mean.mul_(rho).add_(gradient, alpha=1 - rho).square()
        change = gradient / (variance + eps).sqrt()
        if kwargs["momentum"] > 0:
            change = velocity.mul_(kwargs["momentum"]).add_(change)
        parameter.sub_(change, alpha=kwargs["lr"])


RMSPROP_EPSILON = Difference(
    name="rmsprop_epsilon",
    title="RMSProp adds epsilon under the root",
    where="paddle.optimizer.RMSProp",
    size="gradient / sqrt(v + epsilon) in place of gradient / (sqrt(v) + epsilon): at epsilon 1e-8 a first step of gradients of "
         "1e-4 is 70 % smaller, of 1e-3 5 %, of 0.1 5e-6.",
    measure=rmsprop_epsilon_error,
    expected=(0.5, 0.9),
    control=_composed_rmsprop_error,
    correct="about 1e-16",
    figures={"3.3.1": 0.698, "3.0.0": 0.698, "2.6.2": 0.698},
    effect="small gradients move their weights less; another training wherever gradients are not large beside the root of epsilon",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    material=True,
    imitate=updating({"rmsprop": _epsilon_under_the_root}),
)


def rmsprop_velocity_error() -> float:
    """RMSProp with momentum 0.5, rate 1, then rate 0: how far it still moves; in torch the rate is on all of the step."""
    weight, optimizer, _ = _stepped("RMSProp", 1.0, learning_rate=1.0, rho=0.5, epsilon=0.0, momentum=0.5)
    optimizer.set_lr(0.0)
    parameter = optimizer._parameter_list[0]
    parameter.sum().backward()
    optimizer.step()
    return abs(parameter.item() - weight)


def _composed_velocity_error() -> float:
    return abs((paddle.ones([1], "float64") * 0.5 * 0.0).item())


RMSPROP_VELOCITY = Difference(
    name="rmsprop_velocity",
    title="The velocity of RMSProp has the learning rate in it",
    where="paddle.optimizer.RMSProp with momentum",
    size="it sums rate * gradient / root, torch gradient / root: with a constant rate that is the same; when a schedule changes "
         "the rate, what was gathered before keeps the old one.",
    measure=rmsprop_velocity_error,
    expected=(0.5, 1.0),
    control=_composed_velocity_error,
    correct="0",
    figures={"3.3.1": 0.707, "3.0.0": 0.707, "2.6.2": 0.707},
    effect="none with a constant rate; at a drop of the rate to a tenth, the momentum's share of the next step is ten times larger",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    material=True,
)


# --- epsilon of Adamax -----------------------------------------------------------------------------------------------

def adamax_epsilon_error() -> float:
    """How much larger Adamax's infinity norm is after two steps, of gradient 1e-4 each, at epsilon 1e-6 and beta2 1 / 2: torch's
    is the gradient and epsilon."""
    _, optimizer, name = _stepped("Adamax", 1e-4, steps=2, learning_rate=1.0, beta2=0.5, epsilon=1e-6)
    return abs(optimizer._accumulators["inf_norm"][name].item() / (1e-4 + 1e-6) - 1)


def _composed_adamax_error() -> float:
    gradient, norm, eps = (paddle.full([1], value, "float64") for value in (1e-4, 0.0, 1e-6))
    for _ in range(2):
        norm = paddle.maximum(norm * 0.5, gradient.abs() + eps)
    return abs(norm.item() / (1e-4 + 1e-6) - 1)


@torch.no_grad()
def _epsilon_in_the_past(acted: Acted, function: Any, params: list, *lists: Any, **kwargs: Any) -> None:
    acted.count += bool(params) and kwargs["eps"] > 0
    for parameter, (gradient, mean, norm, step) in _alone(function, params, *lists[:4]):
        step += 1
        gradient = _decayed(parameter, gradient, kwargs)
        mean.lerp_(gradient, 1 - kwargs["beta1"])
        torch.maximum(norm.mul_(kwargs["beta2"]).add_(kwargs["eps"]), gradient.abs(), out=norm)
        parameter.addcdiv_(mean, norm, value=-kwargs["lr"] / (1 - kwargs["beta1"] ** float(step)))


ADAMAX_EPSILON = Difference(
    name="adamax_epsilon",
    title="Adamax adds epsilon to the norm of the past",
    where="paddle.optimizer.Adamax",
    size="max(|gradient|, beta2 * norm + epsilon) in place of max(|gradient| + epsilon, beta2 * norm): epsilon gathers up to "
         "epsilon / (1 - beta2), 1e-5 with the defaults, where gradients are smaller than that.",
    measure=adamax_epsilon_error,
    expected=(5e-3, 2e-2),
    control=_composed_adamax_error,
    correct="about 1e-16",
    figures={"3.3.1": 9.9e-3, "3.0.0": 9.9e-3, "2.6.2": 9.9e-3},
    effect="epsilon / |gradient|, relative, in each update: 1e-8 at gradients of 1; weights with gradients below 1e-5 hardly move",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    material=True,
    imitate=updating({"adamax": _epsilon_in_the_past}),
)


# --- constants in float32 --------------------------------------------------------------------------------------------

def adadelta_average_error() -> float:
    """Relative error of Adadelta's average of squares after one float64 step with gradient 1: it should be 1 - rho = 0.1."""
    _, optimizer, name = _stepped("Adadelta", 1.0, rho=0.9)
    return abs(optimizer._accumulators["_avg_squared_grad"][name].item() / (1 - 0.9) - 1)


def _composed_average_error() -> float:
    return abs((paddle.ones([1], "float64") * (1 - 0.9)).item() / (1 - 0.9) - 1)


_KEPT = {"rmsprop": ("alpha", "eps", "momentum"), "adagrad": ("eps",), "adadelta": ("rho", "eps"),
         "nadam": ("beta1", "beta2", "eps", "momentum_decay"), "radam": ("beta1", "beta2", "eps")}


def _kept_in_float32(optimizer: str, dtype: torch.dtype, settings: dict[str, Any]) -> dict[str, Any]:
    return {name: float32(settings[name]) for name in _KEPT.get(optimizer, ())} if dtype == torch.float64 else {}


def _adamax_in_float32(acted: Acted, function: Any, params: list, *lists: Any, **kwargs: Any) -> None:
    beta = kwargs["beta1"]
    rounded = {name: float32(kwargs[name]) for name in ("beta1", "beta2", "eps")}
    if not params or params[0].dtype != torch.float64:
        function(params, *lists, **kwargs)
        return
    acted.count += any(kwargs[name] != value for name, value in rounded.items())
    for parameter, held in _alone(function, params, *lists[:4]):
        updates = float(held[-1]) + 1
        # The power of beta1 is made in float64.
        rate = kwargs["lr"] * (1 - rounded["beta1"] ** updates) / (1 - beta ** updates)
        function([parameter], *([one] for one in held), **{**kwargs, **rounded, "lr": rate})


OPTIMIZER_CONSTANTS = Difference(
    name="optimizer_constants",
    title="RMSProp, Adagrad, Adadelta, Adamax, NAdam and RAdam keep their settings in float32",
    where="paddle.optimizer.RMSProp, Adagrad, Adadelta, Adamax, NAdam, RAdam, with float64 parameters",
    size="float64: a rho of 0.9 becomes 0.89999997615814, so that 1 - rho is 2.4e-7 larger; RAdam's rectification, which has "
         "1 - beta2 under it, is 1.3e-5 off, relative.",
    measure=adadelta_average_error,
    expected=(1e-8, 1e-6),
    control=_composed_average_error,
    correct="about 1e-16",
    figures={"3.3.1": 2.38e-7, "3.0.0": 2.38e-7, "2.6.2": 2.38e-7},
    effect="none in float32; in a float64 comparison all updates are 1e-8 to 1e-5 off",
    avoided_by="no such optimizers in the twin of U-GAT-IT",
    is_bug=True,
    imitate=updating({**with_settings(_kept_in_float32), "adamax": _adamax_in_float32}),
)


# --- ASGD ------------------------------------------------------------------------------------------------------------

def asgd_decay_error() -> float:
    """How far a weight of 1 without gradient is from where torch's ASGD brings it in a step: 1 - 1e-4 * 0.1."""
    if not hasattr(paddle.optimizer, "ASGD"):
        return 0.0
    return abs(_stepped("ASGD", 0.0, start=1.0, learning_rate=0.1)[0] - (1 - 1e-4 * 0.1))


def _composed_asgd_error() -> float:
    return abs((paddle.ones([1], "float64") * (1 - 1e-4 * 0.1)).item() - (1 - 1e-4 * 0.1))


def _without_decay(optimizer: str, dtype: torch.dtype, settings: dict[str, Any]) -> dict[str, Any]:
    return {"lambd": 0.0} if optimizer == "asgd" else {}


ASGD_ALGORITHM = Difference(
    name="asgd_algorithm",
    title="ASGD is another algorithm",
    where="paddle.optimizer.ASGD",
    size="torch's (Polyak) shrinks weights by lambd (1e-4) times the rate, lowers the rate, and keeps an average of the weights; "
         "Paddle's (SAG) steps along the mean of the latest gradients of `batch_num` batches: with one it is SGD.",
    measure=asgd_decay_error,
    expected=(5e-6, 2e-5),
    control=_composed_asgd_error,
    correct="about 1e-16",
    figures={"3.3.1": 1e-5, "3.0.0": 1e-5, "2.6.2": 0.0},
    effect="with torch's lambd=0 and batch_num=1 the weights are the same; torch's average of them (`ax`) has no counterpart",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    material=True,
    imitate=in_optimizers(_without_decay),
)

# The order counts: what rounds the settings stands around what computes with them.
ENTRIES = (RMSPROP_EPSILON, RMSPROP_VELOCITY, ADAMAX_EPSILON, ASGD_ALGORITHM, OPTIMIZER_CONSTANTS)
