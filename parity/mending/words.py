"""What PyTorch's names are called in Paddle, and how their arguments differ: what a statement of the reference is said again with.

Only what the names themselves do not tell: most functions are called alike, `nn.Conv2d` is `nn.Conv2D`, and whether Paddle has
a function, and an argument of that name, is asked of Paddle.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

FUNCTIONS = {
    "torch.cat": "paddle.concat", "torch.concatenate": "paddle.concat", "torch.clamp": "paddle.clip",
    "torch.mul": "paddle.multiply", "torch.div": "paddle.divide", "torch.sub": "paddle.subtract",
    "torch.from_numpy": "paddle.to_tensor", "torch.tensor": "paddle.to_tensor", "torch.as_tensor": "paddle.to_tensor",
    "torch.permute": "paddle.transpose", "torch.eq": "paddle.equal", "torch.ne": "paddle.not_equal",
    "torch.gt": "paddle.greater_than", "torch.lt": "paddle.less_than", "torch.ge": "paddle.greater_equal",
    "torch.le": "paddle.less_equal", "torch.norm": "paddle.linalg.norm", "torch.sigmoid": "paddle.nn.functional.sigmoid",
    "torch.softmax": "paddle.nn.functional.softmax", "torch.relu": "paddle.nn.functional.relu",
    "torch.nn.functional.logsigmoid": "paddle.nn.functional.log_sigmoid", "torch.nn.Module": "paddle.nn.Layer",
    "torch.nn.ModuleList": "paddle.nn.LayerList", "torch.nn.ModuleDict": "paddle.nn.LayerDict", "torch.nn.SiLU": "paddle.nn.Silu",
    "torch.nn.MultiheadAttention": "paddle.nn.MultiHeadAttention", "torch.transpose": "paddle.swapaxes",
    "torch.nn.RNN": "paddle.nn.SimpleRNN", "torch.autograd.grad": "paddle.grad",
    "torch.nn.functional.huber_loss": "paddle.nn.functional.smooth_l1_loss", "torch.nn.HuberLoss": "paddle.nn.SmoothL1Loss",
}

METHODS = {
    "contiguous": None, "cpu": None, "cuda": None,
    "view": "reshape", "permute": "transpose", "repeat": "tile", "clamp": "clip", "mul": "multiply", "div": "divide",
    "sub": "subtract", "eq": "equal", "ne": "not_equal", "gt": "greater_than", "lt": "less_than",
    "ge": "greater_equal", "le": "less_equal", "transpose": "swapaxes", "zero_grad": "clear_grad",
    "mul_": "multiply_", "sub_": "subtract_",
}
"""Paddle's method of that meaning; None: the tensor itself."""

LISTED = {"reshape", "transpose", "tile", "expand", "flip"}
"""Methods that take in Paddle one list where torch takes numbers one by one as well."""

CASTS = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "bool": "bool",
         "bfloat16": "bfloat16"}

ARGUMENTS = {
    "dim": "axis", "dims": "axis", "eps": "epsilon", "bias": "bias_attr", "input": "x", "other": "y", "tensors": "x",
    "target": "label", "start_dim": "start_axis", "end_dim": "stop_axis",
    "lr": "learning_rate", "params": "parameters",
    "sizes": "shape", "size": "shape", "repeats": "repeat_times", "inplace": "", "device": "", "out": "",
    "size_average": "", "reduce": "", "requires_grad": "", "memory_format": "",
}
"""torch's name of an argument -> Paddle's, where Paddle's function has no argument of torch's name; "": there is none."""


@functools.cache
def found(dotted: str) -> Any:
    """What that name stands for in torch or Paddle; None where there is nothing."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for name in parts[count:]:
            value = getattr(value, name, None)
            if value is None:
                return None
        return value
    return None


@functools.cache
def in_paddle(name: str) -> str | None:
    """Paddle's dotted name for torch's; None where it is not known."""
    if name in FUNCTIONS:
        return FUNCTIONS[name] if found(FUNCTIONS[name]) is not None else None
    if not name.startswith("torch."):
        return None
    direct = "paddle." + name.removeprefix("torch.")
    for candidate in (re.sub(r"(?<=[a-z])([123])d$", r"\1D", direct), direct):
        if found(candidate) is not None:
            return candidate
    return None


@functools.cache
def parameters(name: str) -> tuple[str, ...] | None:
    """The names of the arguments, without self; None where they cannot be asked for (torch's compiled functions)."""
    value = found(name)
    if value is None:
        return None
    try:
        names = inspect.signature(value.__init__ if inspect.isclass(value) else value).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(one.kind is one.VAR_POSITIONAL for one in names):
        return None
    kept = [one.name for one in names if one.kind is not one.VAR_KEYWORD]
    return tuple(kept[1:] if inspect.isclass(value) else kept)


def argument(name: str, known: tuple[str, ...] | None) -> str:
    """Paddle's name of an argument of torch's; "" where Paddle has none. (3.x takes some by torch's name, too; 2.6 does not.)"""
    for one in (ARGUMENTS.get(name, name), name):
        if known is None or one in known:
            return one
    return ""


def text(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _keyword(call: ast.Call, name: str, at: int | None = None) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[at] if at is not None and at < len(call.args) else None


def _without(call: ast.Call, *names: str) -> list[ast.keyword]:
    return [keyword for keyword in call.keywords if keyword.arg not in names]


def _batch_norm(call: ast.Call, said: ast.Call) -> ast.Call:
    """Paddle's momentum is what is kept, torch's what is taken in."""
    momentum, affine = _keyword(call, "momentum", 2), _keyword(call, "affine", 3)
    said.args, said.keywords = said.args[:1], _without(said, "momentum", "affine", "epsilon", "track_running_stats")
    if (eps := _keyword(call, "eps", 1)) is not None:
        said.keywords.append(ast.keyword("epsilon", eps))
    if momentum is not None:
        kept = text(f"1 - {ast.unparse(momentum)}")
        if isinstance(momentum, ast.Constant) and isinstance(momentum.value, (int, float)):
            kept = ast.Constant(round(1 - momentum.value, 12))
        said.keywords.append(ast.keyword("momentum", kept))
    if isinstance(affine, ast.Constant) and affine.value is False:
        said.keywords += [ast.keyword("weight_attr", ast.Constant(False)), ast.keyword("bias_attr", ast.Constant(False))]
    return said


def _instance_norm(call: ast.Call, said: ast.Call) -> ast.Call:
    """Paddle's is affine where nobody says otherwise, torch's is not."""
    affine = _keyword(call, "affine", 3)
    said.args, said.keywords = said.args[:1], _without(said, "momentum", "affine", "track_running_stats")
    if (eps := _keyword(call, "eps", 1)) is not None:
        said.keywords = [*_without(said, "epsilon"), ast.keyword("epsilon", eps)]
    if affine is None or (isinstance(affine, ast.Constant) and affine.value is False):
        said.keywords += [ast.keyword("weight_attr", ast.Constant(False)), ast.keyword("bias_attr", ast.Constant(False))]
    return said


def _average(call: ast.Call, said: ast.Call) -> ast.Call:
    """Paddle leaves what was padded out of the average, torch counts it."""
    counted = _keyword(call, "count_include_pad")
    said.keywords = _without(said, "count_include_pad", "exclusive")
    if counted is None or (isinstance(counted, ast.Constant) and counted.value is True):
        said.keywords.append(ast.keyword("exclusive", ast.Constant(False)))
    return said


def _padding(mode: str) -> Callable[[ast.Call, ast.Call], ast.Call]:
    def said_as(call: ast.Call, said: ast.Call) -> ast.Call:
        dimensions = call.func.attr[-2] if isinstance(call.func, ast.Attribute) else call.func.id[-2]
        inner = text(f"paddle.nn.Pad{dimensions}D")
        return ast.Call(inner, call.args[:1], [ast.keyword("mode", ast.Constant(mode)), *said.keywords])

    return said_as


def _normalised(call: ast.Call, said: ast.Call) -> ast.Call:
    """Paddle's layer and group norms have a scale and a shift unless both are refused."""
    affine = _keyword(call, "elementwise_affine", 2) or _keyword(call, "affine", 3)
    said.keywords = _without(said, "elementwise_affine", "affine", "weight_attr")
    if isinstance(affine, ast.Constant) and affine.value is False:
        said.keywords = [*_without(said, "bias_attr"), ast.keyword("weight_attr", ast.Constant(False)),
                         ast.keyword("bias_attr", ast.Constant(False))]
    return said


def _recurrent(call: ast.Call, said: ast.Call) -> ast.Call:
    """torch's layer takes time first unless it is told otherwise, Paddle's the batch; and each has its own word for both ways."""
    first, both = _keyword(call, "batch_first", 4), _keyword(call, "bidirectional", 6)
    said.keywords = _without(said, "batch_first", "bidirectional", "time_major", "direction", "bias_attr")
    if isinstance(both, ast.Constant) and both.value is True:
        said.keywords.append(ast.keyword("direction", ast.Constant("bidirect")))
    if first is None or (isinstance(first, ast.Constant) and first.value is False):
        said.keywords.append(ast.keyword("time_major", ast.Constant(True)))
    return said


def _split(call: ast.Call, said: ast.Call) -> ast.Call:
    """torch is told how long a part is, Paddle how many parts there are; a list of lengths means the same to both."""
    size, axis = _keyword(call, "split_size_or_sections", 1), _keyword(call, "dim", 2) or ast.Constant(0)
    whole = _keyword(call, "tensor", 0)
    if whole is None or size is None:
        return said
    if not isinstance(size, (ast.List, ast.Tuple)):
        size = text(f"{ast.unparse(whole)}.shape[{ast.unparse(axis)}] // {_operand(size)}")
    return ast.Call(said.func, [whole, size], [ast.keyword("axis", axis)])


def _operand(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, (ast.Constant, ast.Name, ast.Attribute, ast.Call)) else f"({ast.unparse(node)})"


def _gelu(call: ast.Call, said: ast.Call) -> ast.Call:
    """torch names the approximation, Paddle says whether there is one."""
    named = _keyword(call, "approximate")
    said.keywords = _without(said, "approximate")
    if isinstance(named, ast.Constant) and named.value == "tanh":
        said.keywords.append(ast.keyword("approximate", ast.Constant(True)))
    return said


def _gathered(call: ast.Call, said: ast.Call) -> ast.Call:
    whole, axis, index = (_keyword(call, name, place) for place, name in enumerate(("input", "dim", "index")))
    return ast.Call(text("paddle.take_along_axis"), [whole, index, axis], [])


def _sized(call: ast.Call, said: ast.Call) -> ast.Call:
    """torch takes sizes one by one, Paddle in a list."""
    if len(call.args) > 1 or (len(call.args) == 1 and isinstance(call.args[0], ast.Constant)):
        said.args = [ast.List(call.args, ast.Load())]
    return said


def _parameter(call: ast.Call, said: ast.Call) -> ast.Call:
    """torch makes a parameter of a tensor; in Paddle a layer makes it, with what it begins with."""
    value = _keyword(call, "data", 0)
    if value is None:
        return said
    kind = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
    if kind in ("zeros", "ones", "empty", "Tensor") and value.args:
        sizes = value.args[0] if isinstance(value.args[0], (ast.List, ast.Tuple)) else ast.List(value.args, ast.Load())
        begin = ast.Call(text("paddle.nn.initializer.Constant"), [ast.Constant(float(kind == "ones"))], [])
    elif kind == "full" and len(value.args) == 2:
        sizes, begin = value.args[0], ast.Call(text("paddle.nn.initializer.Constant"), [value.args[1]], [])
        sizes = ast.List(sizes.elts, ast.Load()) if isinstance(sizes, ast.Tuple) else sizes
    else:
        sizes = ast.Attribute(deepcopy(value), "shape", ast.Load())
        begin = ast.Call(text("paddle.nn.initializer.Assign"), [value], [])
    return ast.Call(text("self.create_parameter"), [sizes], [ast.keyword("default_initializer", begin)])


def _optimizer(kind: str, **defaults: float) -> Callable[[ast.Call, ast.Call], ast.Call]:
    """torch's optimizer with what it is given, and torch's own defaults where Paddle has others."""
    def said_as(call: ast.Call, said: ast.Call) -> ast.Call:
        name, given = kind, {"parameters": _keyword(call, "params", 0), "learning_rate": _keyword(call, "lr", 1)}
        momentum, betas = _keyword(call, "momentum"), _keyword(call, "betas", 2)
        if kind == "SGD" and momentum is not None:
            name, given["momentum"], given["use_nesterov"] = "Momentum", momentum, _keyword(call, "nesterov")
        elif kind == "RMSProp":
            given |= {"momentum": momentum, "centered": _keyword(call, "centered"), "rho": _keyword(call, "alpha")}
        if kind.startswith("Adam") and betas is not None:
            given |= {f"beta{n + 1}": betas.elts[n] if isinstance(betas, ast.Tuple) else ast.Subscript(
                betas, ast.Constant(n), ast.Load()) for n in (0, 1)}
        given |= {"epsilon": _keyword(call, "eps"), "weight_decay": _keyword(call, "weight_decay")}
        for argument_, default in defaults.items():
            given[argument_] = given.get(argument_) or ast.Constant(default)
        return ast.Call(text(f"paddle.optimizer.{name}"), [], [ast.keyword(one, value) for one, value in given.items()
                                                               if value is not None])

    return said_as


RULES: dict[str, Callable[[ast.Call, ast.Call], ast.Call]] = {
    **{f"torch.nn.BatchNorm{n}d": _batch_norm for n in (1, 2, 3)},
    **{f"torch.nn.InstanceNorm{n}d": _instance_norm for n in (1, 2, 3)},
    **{f"torch.nn.AvgPool{n}d": _average for n in (1, 2, 3)},
    **{f"torch.nn.functional.avg_pool{n}d": _average for n in (1, 2, 3)},
    **{f"torch.nn.ReflectionPad{n}d": _padding("reflect") for n in (1, 2, 3)},
    **{f"torch.nn.ReplicationPad{n}d": _padding("replicate") for n in (1, 2, 3)},
    **{f"torch.nn.ZeroPad{n}d": _padding("constant") for n in (1, 2, 3)},
    **{f"torch.nn.{kind}": _recurrent for kind in ("LSTM", "GRU", "RNN")},
    **{f"torch.nn.{kind}Norm": _normalised for kind in ("Layer", "Group")},
    "torch.optim.SGD": _optimizer("SGD", learning_rate=1e-3), "torch.optim.Adam": _optimizer("Adam"),
    "torch.optim.AdamW": _optimizer("AdamW"), "torch.optim.Adagrad": _optimizer("Adagrad", learning_rate=0.01, epsilon=1e-10),
    "torch.optim.RMSprop": _optimizer("RMSProp", learning_rate=0.01, rho=0.99, epsilon=1e-8),
    **{f"torch.{kind}": _sized for kind in ("zeros", "ones", "empty", "randn", "rand")},
    "torch.nn.Parameter": _parameter, "torch.nn.parameter.Parameter": _parameter,
    "torch.split": _split, "torch.gather": _gathered, "torch.nn.GELU": _gelu, "torch.nn.functional.gelu": _gelu,
}
"""torch's call (with what it is given said in Paddle), and the same by name alone -> it said in Paddle.

For what differs in more than its name.
"""


def _counted_labels(call: ast.Call) -> str | None:
    """Paddle's mean counts the labels that are ignored, too (`ignored_labels` in the registry of differences)."""
    logits, labels = _keyword(call, "input", 0), _keyword(call, "label", 1)
    reduction = _keyword(call, "reduction", 4)
    if logits is None or labels is None or _keyword(call, "weight", 2) is not None or (
            reduction is not None and not (isinstance(reduction, ast.Constant) and reduction.value == "mean")):
        return None
    ignored = _keyword(call, "ignore_index", 3) or ast.Constant(-100)
    summed = ast.Call(call.func, call.args[:4], [*_without(call, "reduction"), ast.keyword("reduction", ast.Constant("sum"))])
    counted = f"({_operand(labels)} != {ast.unparse(ignored)}).sum()"
    named = isinstance(logits, ast.Name)  # else it would be computed twice
    return f"({ast.unparse(summed)} / {f'{counted}.astype({logits.id}.dtype)' if named else f'float({counted})'})"


COMPOSED: dict[str, Callable[[ast.Call], str | None]] = {"paddle.nn.functional.cross_entropy": _counted_labels}
"""Paddle's call that computes something else than torch's of that name -> what computes torch's; None where it does."""
