"""Constants that Paddle keeps in float32 while it computes in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import torch
from torch.nn import functional as F

from parity.differences.difference import Difference
from parity.differences.imitation import Acted, in_optimizers, intercepting, methods, with_gradient_times


def float32(value: float) -> float:
    return float(np.float32(value))


def _rounded(acted: Acted, x: Any, value: Any) -> Any:
    """`value` as float32 keeps it, if it is a Python float that meets a float64 tensor."""
    if not isinstance(x, torch.Tensor) or x.dtype != torch.float64:
        return value
    if isinstance(value, float) and float32(value) != value:
        acted.count += 1
        return float32(value)
    return value


def _round_named(*names: str) -> Any:
    """A handler that rounds these keyword arguments."""
    def handler(acted: Acted, function: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        rounded = {name: _rounded(acted, x, kwargs[name]) for name in names if name in kwargs}
        return function(x, *args, **{**kwargs, **rounded})

    return handler


def _round_scalars(acted: Acted, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Rounds the Python floats among the operands."""
    tensor = next((arg for arg in args if isinstance(arg, torch.Tensor)), None)
    return function(*(_rounded(acted, tensor, arg) for arg in args), **kwargs)


def _round_all(acted: Acted, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Rounds the Python floats among the arguments, of any name."""
    tensor = next((arg for arg in args if isinstance(arg, torch.Tensor)), None)
    return _round_scalars(acted, function, *args, **{name: _rounded(acted, tensor, value) for name, value in kwargs.items()})


# --- epsilon of the norms --------------------------------------------------------------------------------------------

def instance_norm_error() -> float:
    """Relative error of a float64 instance norm of small variance (1e-6)."""
    x = 1e-3 * np.random.default_rng(0).standard_normal((2, 4, 5, 7))
    truth = (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
    found = paddle.nn.functional.instance_norm(paddle.to_tensor(x), eps=1e-5).numpy()
    return np.abs(found - truth).max() / np.abs(truth).max()


def _composed_instance_norm_error() -> float:
    x = 1e-3 * np.random.default_rng(0).standard_normal((2, 4, 5, 7))
    truth = (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
    p = paddle.to_tensor(x)
    deviation = p - p.mean([2, 3], keepdim=True)
    eps = paddle.full([], 1e-5, "float64")
    found = (deviation / paddle.sqrt(paddle.square(deviation).mean([2, 3], keepdim=True) + eps)).numpy()
    return np.abs(found - truth).max() / np.abs(truth).max()


NORM_EPSILON = Difference(
    name="norm_epsilon",
    title="Instance, batch and layer norm keep epsilon in float32",
    where="paddle.nn.functional.instance_norm, batch_norm, layer_norm, and their layers (group_norm up to 3.0.0; "
          "right in 3.3.1)",
    size="float64: 2e-13 off at variance 1, 1e-9 at 1e-4, 1.1e-8 at 1e-6; 1e-5 becomes 9.99999974737875e-06.",
    measure=instance_norm_error,
    expected=(1e-9, 1e-7),
    control=_composed_instance_norm_error,
    correct="about 1e-16, as composed operations give",
    figures={"3.3.1": 1.1e-8, "3.0.0": 1.1e-8, "2.6.2": 1.1e-8},
    effect="none in float32; in a float64 comparison it hides every smaller error behind it",
    avoided_by="`instance_norm` composed of `mean`, `square` and `sqrt`",
    is_bug=True,
    imitate=intercepting({_round_named("eps"): (F.instance_norm, F.batch_norm, F.layer_norm)}),
)


# --- scalars ---------------------------------------------------------------------------------------------------------

def power_error() -> float:
    """Relative error of the float64 power 3 ** 1.3."""
    return abs(float(paddle.to_tensor(np.array(3.0)) ** 1.3) / 3.0 ** 1.3 - 1)


def _exp_log_error() -> float:
    log = paddle.log(paddle.to_tensor(np.array(3.0)))
    return abs(float(paddle.exp(log * paddle.full([], 1.3, "float64"))) / 3.0 ** 1.3 - 1)


def _selu(acted: Acted, function: Any, x: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    if x.dtype != torch.float64:
        return function(x, inplace)
    acted.count += 1
    scale, alpha = float32(1.0507009873554805), float32(1.6732632423543772)
    result = scale * F.elu(x, alpha)
    slope = scale * alpha * torch.exp(x.detach())
    product = float32(scale * alpha)  # what its gradient adds to the result, where that is negative
    return with_gradient_times(acted, result, torch.where(x > 0, 1.0, (result.detach() + product) / slope))


def _smooth_l1(acted: Acted, loss: Any, input: torch.Tensor, target: torch.Tensor, size_average: Any = None, reduce: Any = None,
               reduction: str = "mean", beta: float = 1.0) -> torch.Tensor:
    """Paddle has Huber's loss alone, which a port divides by beta as it stands."""
    delta = _rounded(acted, input, beta)
    if delta == beta:
        return loss(input, target, size_average, reduce, reduction, beta)
    return F.huber_loss(input, target, reduction=reduction, delta=delta) / beta


POW_EXPONENT = Difference(
    name="pow_exponent",
    title="Float parameters are kept in float32: the exponent of x ** 1.3, elu's alpha, hardtanh's bounds, smooth_l1_loss's delta",
    where="paddle.pow and x ** float, paddle.nn.functional.elu, celu, hardtanh, selu (its scale and alpha), softshrink, "
          "smooth_l1_loss; alpha and beta of paddle.addmm, baddbmm",
    size="float64: 3 ** 1.3 is 5.2e-8 off, hardtanh(x, -1.3, 1.3) 4.8e-8, Huber's loss with a delta of 0.7 5e-9.",
    measure=power_error,
    expected=(1e-9, 1e-6),
    control=_exp_log_error,
    correct="about 1e-16, as exp(1.3 * log(x)) gives",
    figures={"3.3.1": 5.2e-8, "3.0.0": 5.2e-8, "2.6.2": 5.2e-8},
    effect="none in float32",
    avoided_by="no such operation in the twin",
    is_bug=True,
    imitate=intercepting({
        _round_scalars: methods("pow", "__pow__", "pow_"),
        _round_named("alpha"): (F.elu, F.celu),
        _round_named("min_val", "max_val"): (F.hardtanh,),
        _round_named("delta"): (F.huber_loss,),
        _smooth_l1: (F.smooth_l1_loss,),
        _round_all: (F.softshrink, *methods("addmm", "addmm_", "baddbmm", "baddbmm_")),
        _selu: (F.selu, *methods("selu")),
    }),
)


def leaky_relu_slope_error() -> float:
    """Error of leaky_relu(-1, 0.2) in float64."""
    return abs(float(paddle.nn.functional.leaky_relu(paddle.to_tensor(np.array(-1.0)), 0.2)) + 0.2)


def _product_error() -> float:
    return abs(float(paddle.to_tensor(np.array(-1.0)) * 0.2) + 0.2)


LEAKY_RELU_SLOPE = Difference(
    name="leaky_relu_slope",
    title="leaky_relu keeps its slope in float32",
    where="paddle.nn.functional.leaky_relu, paddle.nn.LeakyReLU",
    size="float64: leaky_relu(-1, 0.2) is 3.0e-9 off in 2.6.2 and 3.0.0; exact in 3.3.1.",
    measure=leaky_relu_slope_error,
    expected=(1e-10, 1e-8),
    control=_product_error,
    correct="0",
    figures={"3.3.1": 0.0, "3.0.0": 2.98e-9, "2.6.2": 2.98e-9},
    effect="none in float32; in a float64 comparison it hides every smaller error behind it",
    avoided_by="`leaky_relu` composed as x * where(x > 0, 1, slope)",
    is_bug=True,
    imitate=intercepting({_round_named("negative_slope"): (F.leaky_relu,)}),
)


def rrelu_slope_error() -> float:
    """Error of rrelu(-1, 0.2, 0.5) in eval mode, in float64: its slope is 0.35."""
    return abs(float(paddle.nn.functional.rrelu(paddle.to_tensor(np.array(-1.0)), 0.2, 0.5, training=False)) + 0.35)


def _composed_rrelu_error() -> float:
    return abs(float(paddle.to_tensor(np.array(-1.0)) * ((0.2 + 0.5) / 2)) + 0.35)


def _rrelu(acted: Acted, function: Any, x: torch.Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False,
           *args: Any, **kwargs: Any) -> torch.Tensor:
    if x.dtype == torch.float64 and (float32(lower), float32(upper)) != (lower, upper):
        acted.count += 1
        lower, upper = float32(lower), float32(upper)
    if x.dtype == torch.float64 and not training and (slope := float32((lower + upper) / 2)) != (lower + upper) / 2:
        acted.count += 1
        lower = upper = slope
    return function(x, lower, upper, training, *args, **kwargs)


RRELU_SLOPE = Difference(
    name="rrelu_slope",
    title="rrelu keeps the bounds of its slope, and the slope, in float32",
    where="paddle.nn.functional.rrelu, paddle.nn.RReLU",
    size="float64: rrelu(-1, 0.2, 0.5) is 6.0e-9 off in eval mode; in train mode slopes are drawn in float32.",
    measure=rrelu_slope_error,
    expected=(1e-10, 1e-8),
    control=_composed_rrelu_error,
    correct="0",
    figures={"3.3.1": 5.96e-9, "3.0.0": 5.96e-9, "2.6.2": 5.96e-9},
    effect="none in float32; in a float64 comparison it hides every smaller error behind it",
    avoided_by="no such operation in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_rrelu: (F.rrelu, *methods("rrelu", "rrelu_"))}),
)


def scalar_addition_error() -> float:
    """Error of 3 + 1e-5 in float64."""
    return abs(float(paddle.to_tensor(np.array(3.0)) + 1e-5) - (3.0 + 1e-5))


def _tensor_addition_error() -> float:
    return abs(float(paddle.to_tensor(np.array(3.0)) + paddle.full([], 1e-5, "float64")) - (3.0 + 1e-5))


SCALAR_ADDITION = Difference(
    name="scalar_addition",
    title="x + 1e-5 rounds the number to float32",
    where="the operators + and - of a float64 tensor and a Python float",
    size="2.6.2, float64: 3 + 1e-5 is 2.5e-13 off; exact from 3.0.0 on. (* and / are exact in all.)",
    measure=scalar_addition_error,
    expected=(1e-14, 1e-12),
    control=_tensor_addition_error,
    correct="0",
    figures={"3.3.1": 0.0, "3.0.0": 0.0, "2.6.2": 2.5e-13},
    effect="none in float32; in float64 an epsilon written as a number is 2.5e-13 off",
    avoided_by="`add_eps`: the number as a 0-d tensor",
    is_bug=True,
    imitate=intercepting({_round_scalars: methods("add", "sub", "__add__", "__radd__", "__sub__", "__rsub__")}),
)

# --- Adam ------------------------------------------------------------------------------------------------------------

def second_moment_error() -> float:
    """Relative error of Adam's second moment after one float32 step with gradient 1: it should be 1 - beta2 = 0.001."""
    parameter = paddle.create_parameter([1], "float32")
    optimizer = paddle.optimizer.Adam(1e-4, 0.5, 0.999, parameters=[parameter])
    parameter.sum().backward()
    optimizer.step()
    return abs(optimizer._accumulators["moment2"][parameter.name].item() / (1 - 0.999) - 1)


def _composed_second_moment_error() -> float:
    gradient = paddle.ones([1])
    return abs(((1 - 0.999) * gradient * gradient).item() / (1 - 0.999) - 1)


def _betas_in_float32(optimizer: str, dtype: torch.dtype, settings: dict[str, Any]) -> dict[str, Any]:
    if optimizer == "sgd" or dtype != torch.float32:
        return {}
    return {beta: float32(settings[beta]) for beta in ("beta1", "beta2")}


ADAM_BETAS = Difference(
    name="adam_betas",
    title="Adam takes 1 - beta2 of a beta2 in float32",
    where="paddle.optimizer.Adam, AdamW, with float32 parameters",
    size="0.999 becomes 0.99900001287, so that the second moment is 1.3e-5 smaller, relative, in every element.",
    measure=second_moment_error,
    expected=(5e-6, 5e-5),
    control=_composed_second_moment_error,
    correct="about 6e-8, as torch gives, which takes 1 - beta2 in double precision",
    figures={"3.3.1": 1.29e-5, "3.0.0": 1.29e-5, "2.6.2": 1.29e-5},
    effect="none on the updates: the correction 1 - beta2^n has the same factor. The moments differ by 1.3e-5, so a "
           "run handed over from one framework to the other has an update 6e-6 off at first (the root of it)",
    avoided_by=None,
    imitate=in_optimizers(_betas_in_float32),
)


# --- momentum and decoupled weight decay -------------------------------------------------------------------------------

def momentum_error() -> float:
    """Relative error of Momentum's velocity in float64 after two steps with gradient 1: it should be 1.9."""
    parameter = paddle.create_parameter([1], "float64")
    optimizer = paddle.optimizer.Momentum(0.1, 0.9, [parameter])
    for _ in range(2):
        parameter.sum().backward()
        optimizer.step()
        optimizer.clear_grad()
    return abs(optimizer._accumulators["velocity"][parameter.name].item() / 1.9 - 1)


def _composed_momentum_error() -> float:
    gradient = paddle.ones([1], "float64")
    return abs((gradient * 0.9 + gradient).item() / 1.9 - 1)


def _momentum_in_float32(optimizer: str, dtype: torch.dtype, settings: dict[str, Any]) -> dict[str, Any]:
    if optimizer != "sgd" or dtype != torch.float64 or not settings["momentum"]:
        return {}  # without momentum it is Paddle's SGD, which adds the decay to the gradient by an operation of its own
    return {name: float32(settings[name]) for name in ("momentum", "weight_decay")}


MOMENTUM_FACTOR = Difference(
    name="momentum_factor",
    title="Momentum keeps its factor and its weight decay in float32",
    where="paddle.optimizer.Momentum, with float64 parameters",
    size="float64: 0.9 becomes 0.89999997615814; the velocity is 1.3e-8 off after two steps, relative, in the end 2.4e-7.",
    measure=momentum_error,
    expected=(1e-9, 1e-7),
    control=_composed_momentum_error,
    correct="about 1e-16",
    figures={"3.3.1": 1.25e-8, "3.0.0": 1.25e-8, "2.6.2": 1.25e-8},
    effect="none in float32; in a float64 comparison all updates are 1e-8 off",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    is_bug=True,
    imitate=in_optimizers(_momentum_in_float32),
)


def decoupled_decay_error() -> float:
    """Error of one float64 step of AdamW that has nothing to do but to decay a weight of 1 by 0.1."""
    parameter = paddle.create_parameter([1], "float64", default_initializer=paddle.nn.initializer.Constant(1.0))
    optimizer = paddle.optimizer.AdamW(1.0, parameters=[parameter], weight_decay=0.1)
    (parameter * 0.0).sum().backward()
    optimizer.step()
    return abs(parameter.item() - 0.9)


def _composed_decay_error() -> float:
    return abs((paddle.ones([1], "float64") * (1 - 1.0 * 0.1)).item() - 0.9)


def _decay_in_float32(optimizer: str, dtype: torch.dtype, settings: dict[str, Any]) -> dict[str, Any]:
    if optimizer != "adamw" or dtype != torch.float64:
        return {}
    return {"weight_decay": float32(settings["weight_decay"])}


DECOUPLED_DECAY = Difference(
    name="decoupled_decay",
    title="AdamW keeps its weight decay in float32",
    where="paddle.optimizer.AdamW, with float64 parameters",
    size="float64: 0.1 becomes 0.10000000149; the decay is 1.5e-8 off, relative (3e-9 of an update, at rate 0.01 and decay 0.1).",
    measure=decoupled_decay_error,
    expected=(1e-10, 1e-8),
    control=_composed_decay_error,
    correct="about 1e-16",
    figures={"3.3.1": 1.49e-9, "3.0.0": 1.49e-9, "2.6.2": 1.49e-9},
    effect="none in float32; in a float64 comparison all updates are 1e-9 off",
    avoided_by="no such optimizer in the twin of U-GAT-IT",
    is_bug=True,
    imitate=in_optimizers(_decay_in_float32),
)


# --- hardsigmoid -----------------------------------------------------------------------------------------------------

def hardsigmoid_error() -> float:
    """Error of hardsigmoid(1) in float64: it is 1/2 + 1/6."""
    return abs(float(paddle.nn.functional.hardsigmoid(paddle.to_tensor(np.array(1.0)))) - (1 / 6 + 0.5))


def _composed_hardsigmoid_error() -> float:
    x = paddle.to_tensor(np.array(1.0))
    return abs(float(paddle.clip((x + 3) / 6, 0, 1)) - (1 / 6 + 0.5))


def _hardsigmoid(acted: Acted, function: Any, x: torch.Tensor, inplace: bool = False) -> torch.Tensor:
    acted.count += 1
    slope = 0.1666667 if x.dtype == torch.float32 else float32(0.1666667)
    return torch.clamp(x * slope + 0.5, 0, 1)


HARDSIGMOID_SLOPE = Difference(
    name="hardsigmoid_slope",
    title="hardsigmoid has the slope 0.1666667, not 1/6",
    where="paddle.nn.functional.hardsigmoid, paddle.nn.Hardsigmoid (MobileNetV3's squeeze and excitation)",
    size="hardsigmoid(1) is 3.5e-8 off, hardsigmoid(2.9) 1e-7; so is the slope, the gradient: 2.1e-7 relative.",
    measure=hardsigmoid_error,
    expected=(1e-9, 1e-6),
    control=_composed_hardsigmoid_error,
    correct="about 1e-16, as clip((x + 3) / 6, 0, 1) gives",
    figures={"3.3.1": 3.48e-8, "3.0.0": 3.48e-8, "2.6.2": 3.48e-8},
    effect="in float32 about one rounding; in a float64 comparison it hides every smaller error behind it",
    avoided_by="no such operation in the twin of U-GAT-IT",
    is_bug=True,
    imitate=intercepting({_hardsigmoid: (F.hardsigmoid,)}),
)

ENTRIES = (NORM_EPSILON, POW_EXPONENT, LEAKY_RELU_SLOPE, RRELU_SLOPE, SCALAR_ADDITION, ADAM_BETAS,
           MOMENTUM_FACTOR, DECOUPLED_DECAY, HARDSIGMOID_SLOPE)
