"""Whether a pair's label is true, checked by hand: both programs run in float64 with the same weights, inputs and random numbers.

Nothing of the harness is used: weights are carried over by name, values are drawn and compared here. A pair is the same where all
that both return, all gradients, all updates and all state agree to SAME, and differs where anything is off by DIFFERS or more.
"""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
import importlib
import inspect
import itertools
import math
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import torch

from exams.verdicts.halves import as_on_a_gpu
from exams.verdicts.program import Pair

SAME, DIFFERS = 1e-9, 1e-6  # of rounding in float64 a small program makes less than the first, a mistake more than the second
NOTHING = 1e-6  # a tensor smaller than this may be what rounding leaves of zero
STEPS = 4  # of a training
OTHER_NAMES = {"running_mean": "_mean", "running_var": "_variance", "weight": "scale",  # InstanceNorm2D's
               "weight_hr_l0": "0.cell.weight_ho"}  # of an LSTM of one layer and one direction


# --- inputs ------------------------------------------------------------------------------------------------------------

def drawn(text: str, seed: int) -> Any:
    """The inputs that a pair declares, drawn here."""
    rng = np.random.default_rng(seed)
    words = {
        "normal": lambda *shape, scale=1.0: scale * rng.standard_normal(shape),
        "uniform": lambda *shape, low=0.0, high=1.0: rng.uniform(low, high, shape),
        "integers": lambda *shape, high, low=0, dtype="int64": rng.integers(low, high, shape, dtype=dtype),
        "truths": lambda *shape: rng.random(shape) < 0.5,
        "np": np,
    }
    return _called(eval(text if text.startswith("{") else f"[{text}]", words), rng)


def _called(nest: Any, rng: np.random.Generator) -> Any:
    if isinstance(nest, (list, tuple)):
        return type(nest)(_called(item, rng) for item in nest)
    if isinstance(nest, dict):
        return {key: _called(item, rng) for key, item in nest.items()}
    value = np.asarray(nest(rng)) if callable(nest) else nest
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype == np.float32 else value


# --- random numbers ----------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def shared_random(seed: int = 1) -> Iterator[Callable]:
    """The random operations that the programs use take their numbers from one numpy generator for each side, started alike.

    Gives a context for each side's turn (0 or 1): Python's and numpy's own generators are the side's own then.
    """
    sides = []
    for module, tensor, as_tensor in ((torch, torch.Tensor, torch.as_tensor), (paddle, paddle.Tensor, paddle.to_tensor)):
        sides += _patches(module, tensor, as_tensor, np.random.default_rng(seed))
    old = [(owner, name, getattr(owner, name)) for owner, name, _ in sides]
    for owner, name, new in sides:
        setattr(owner, name, new)
    random.seed(seed)
    np.random.seed(seed)
    states = [(random.getstate(), np.random.get_state())] * 2

    @contextlib.contextmanager
    def turn(side: int) -> Iterator[None]:
        random.setstate(states[side][0])
        np.random.set_state(states[side][1])
        yield
        states[side] = random.getstate(), np.random.get_state()
    try:
        yield turn
    finally:
        for owner, name, function in old:
            setattr(owner, name, function)


def _patches(module: Any, tensor: type, as_tensor: Callable, rng: np.random.Generator) -> list[tuple[Any, str, Callable]]:
    functional = module.nn.functional

    def shaped(shape: tuple) -> list[int]:
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return [int(n) for n in shape]

    def noise(draw: Callable) -> Callable:
        return lambda *shape, **options: as_tensor(draw(shaped(options.get("shape", options.get("size", shape)) or shape)))

    def like(draw: Callable) -> Callable:
        return lambda x, **options: as_tensor(draw(list(x.shape)))

    def kept(shape: list[int], p: float) -> Any:
        return as_tensor((rng.random(shape) >= p).astype(np.float64))

    def as_called(name: str, ours: Callable) -> tuple[Any, str, Callable]:
        """A function of `nn.functional`, called as the framework's own is: the two order their arguments differently."""
        signature = inspect.signature(getattr(functional, name))
        words = {"input": "x", "logits": "x", "temperature": "tau", "dim": "axis"}
        taken = inspect.signature(ours).parameters

        def call(*given, **options):
            bound = signature.bind(*given, **options)
            bound.apply_defaults()
            named = {words.get(word, word): value for word, value in bound.arguments.items()}
            return ours(**{word: value for word, value in named.items() if word in taken})
        return functional, name, call

    def dropout(x, p, training, axis=None, mode="upscale_in_train"):
        if not training:
            return x * (1 - p) if mode == "downscale_in_infer" else x
        axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
        mask = kept([n if i in axes else 1 for i, n in enumerate(x.shape)], p)
        return x * mask / (1 - p if mode == "upscale_in_train" else 1)

    def channels(x, p, training):
        return x * kept([*x.shape[:2], *[1] * (x.ndim - 2)], p) / (1 - p) if training else x

    def alpha(x, p, training):
        if not training:
            return x
        low = -1.7580993408473766
        a = ((1 - p) * (1 + p * low * low)) ** -0.5
        mask = kept(list(x.shape), p)
        return a * (x * mask + low * (1 - mask)) - a * low * p

    def bernoulli(x, **options):
        return as_tensor((rng.random(list(x.shape)) < x.detach().numpy()).astype(np.float64))

    def integers(low, high=None, shape=(1,), size=None, dtype=None, **options):
        if isinstance(high, (tuple, list)):
            low, high, size = 0, low, high
        elif high is None:
            low, high = 0, low
        return as_tensor(rng.integers(low, high, list(size if size is not None else shape)))

    def permutation(n, **options):
        return as_tensor(rng.permutation(n))

    def multinomial(x, num_samples=1, replacement=False, **options):
        rows = x.detach().numpy()
        flat = rows.reshape(-1, rows.shape[-1])
        picked = np.stack([rng.choice(row.size, num_samples, replace=replacement, p=row / row.sum()) for row in flat])
        return as_tensor(picked.reshape(*rows.shape[:-1], num_samples))

    def normal(mean=0.0, std=1.0, size=None, shape=None, **options):
        size = size if size is not None else shape
        known = [v for v in (mean, std) if isinstance(v, tensor)]
        return mean + std * as_tensor(rng.standard_normal(list(size if size is not None else known[0].shape)))

    def uniform(shape, dtype=None, min=-1.0, max=1.0, **options):
        return as_tensor(rng.uniform(min, max, list(shape)))

    def filled(draw: Callable) -> Callable:
        def fill(self, *given, **options):
            with module.no_grad():
                value = as_tensor(draw(list(self.shape), *given, **options))
                self.copy_(value) if module is torch else self.set_value(value.astype(self.dtype))
            return self
        return fill

    def gumbel(x, tau, hard, axis):
        soft = functional.softmax((x + as_tensor(rng.gumbel(size=list(x.shape)))) / tau, axis)
        if not hard:
            return soft
        best = functional.one_hot(soft.argmax(axis), soft.shape[axis])
        return (best.to(soft.dtype) if module is torch else best.astype(soft.dtype)) - soft.detach() + soft

    def exponential(shape, lambd=1.0, lam=None):
        return rng.exponential(1 / (lambd if lam is None else lam), shape)

    rand, randn = rng.random, rng.standard_normal
    found = [(module, "rand", noise(rand)), (module, "randn", noise(randn)), (module, "rand_like", like(rand)),
             (module, "randn_like", like(randn)), (module, "bernoulli", bernoulli), (module, "randint", integers),
             (module, "randperm", permutation), (module, "multinomial", multinomial), (module, "normal", normal),
             as_called("dropout", dropout), as_called("dropout2d", channels), as_called("dropout3d", channels),
             as_called("alpha_dropout", alpha), as_called("gumbel_softmax", gumbel),
             (tensor, "normal_", filled(lambda shape, mean=0.0, std=1.0: mean + std * randn(shape))),
             (tensor, "exponential_", filled(exponential)),
             (tensor, "bernoulli_", filled(lambda shape, p=0.5: (rand(shape) < p) * 1.0))]
    if module is torch:
        found += [(tensor, "uniform_", filled(lambda shape, low=0.0, high=1.0: rng.uniform(low, high, shape))),
                  (tensor, "bernoulli", bernoulli), (tensor, "multinomial", multinomial)]
    else:
        found += [(tensor, "uniform_", filled(lambda shape, min=-1.0, max=1.0, seed=0: rng.uniform(min, max, shape))),
                  (module, "standard_normal", noise(randn)), (module, "uniform", uniform), (tensor, "multinomial", multinomial)]
    return [patch for patch in found if patch[0] is tensor or hasattr(patch[0], patch[1])]


# --- weights -----------------------------------------------------------------------------------------------------------

def carry(reference: Any, twin: Any, names: Mapping[str, str], rng: np.random.Generator | None) -> list[tuple[str, Any, Any, bool]]:
    """Hand the reference's weights to the twin, by name; returns (name, its tensor, the twin's, transposed?) of the parameters.

    rng: moves all of the reference's parameters first, so that no bias of 0 hides anything.
    """
    theirs = {**dict(twin.named_parameters()), **dict(twin.named_buffers())}
    for module_name, layer in twin.named_sublayers(include_self=True):
        tensors = {**layer._parameters, **layer._buffers}
        theirs |= {f"{module_name}.{name}".lstrip("."): value for name, value in tensors.items() if value is not None}
    modules, paired = dict(reference.named_modules()), []
    moved, done = set[int](), set[int]()
    for name, value in itertools.chain(reference.named_parameters(remove_duplicate=False), reference.named_buffers()):
        path, _, last = name.rpartition(".")
        if rng is not None and isinstance(value, torch.nn.Parameter) and id(value) not in moved:
            moved.add(id(value))
            with torch.no_grad():
                value += torch.as_tensor(0.1 * rng.standard_normal(tuple(value.shape)))
                if getattr(modules.get(path), "padding_idx", None) is not None:
                    value[modules[path].padding_idx] = 0
        if last == "num_batches_tracked" or name not in reference.state_dict():  # what is not saved each side makes itself
            continue
        if not value.is_floating_point() and value.numel() == 1:  # and counts by itself
            continue
        name_there = next((old.replace(old, new) + name[len(old):] for old, new in names.items()
                           if name == old or name.startswith(f"{old}.")), name)
        if last.startswith("in_proj_"):  # of torch's attention: queries, keys and values in one
            for letter, part in zip("qkv", value.detach().chunk(3), strict=True):
                target = theirs[f"{path}.{letter}_proj.{last.removeprefix('in_proj_')}"]
                target.set_value(_laid_out(part, part.ndim == 2, target))
            continue
        target = _named(theirs, name_there)
        if target is None and id(value) in done:
            continue
        done.add(id(value))
        linear = (isinstance(modules.get(path), torch.nn.Linear) and value.ndim == 2 and last.startswith("weight")) or (
            last == "weight_hr_l0")
        array = _laid_out(value.detach(), linear, target)
        target.set_value(array.astype(str(target.dtype).removeprefix("paddle.")))
        if isinstance(value, torch.nn.Parameter):
            paired.append((name, value, target, linear))
    return paired


def _laid_out(value: torch.Tensor, linear: bool, target: Any) -> np.ndarray:
    """The reference's array as the twin holds it: linear weights transposed, sizes of 1 and flat shapes taken over."""
    array, shape = value.numpy().T if linear else value.numpy(), tuple(target.shape)
    alike = len(shape) == 1 or [n for n in shape if n != 1] == [n for n in array.shape if n != 1]
    assert alike, f"expected the twin's shape {shape}, found {array.shape}"
    return array.reshape(shape)


def _named(tensors: Mapping[str, Any], name: str) -> Any:
    name = f".{name}".replace(".module.", ".")[1:]  # of an AveragedModel, which is a model around the average
    head, _, tail = name.rpartition(".")
    return tensors.get(name, tensors.get(f"{head}.{OTHER_NAMES.get(tail)}".lstrip(".")))


# --- values ------------------------------------------------------------------------------------------------------------

def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, leaf) of all that a program returns: arrays with their dtype, numbers, strings."""
    if isinstance(value, (torch.Tensor, paddle.Tensor)):
        kind = str(value.dtype).rpartition(".")[2]
        widened = value.float() if kind in ("bfloat16", "float16") and isinstance(value, torch.Tensor) else value
        array = (widened.detach().resolve_conj().numpy() if isinstance(value, torch.Tensor)
                 else (value.astype("float32") if kind in ("bfloat16", "float16") else value).detach().numpy())
        yield path, (kind, array)
    elif isinstance(value, np.ndarray):
        yield path, (str(value.dtype), value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from leaves({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, path)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from leaves(value[key], f"{path}.{key}")
    elif isinstance(value, (str, bytes, bool, int, float, complex, decimal.Decimal, type(None), np.generic)):
        yield path, value
    elif isinstance(value, (set, frozenset)):
        yield path, sorted(value, key=str)
    elif hasattr(value, "__iter__"):
        items = list(value)
        yield f"{path}#", len(items)
        for n, item in enumerate(items):
            yield from leaves(item, f"{path}[{n}]")
    else:
        yield from leaves(dict(vars(value)), path)


def apart(a: Any, b: Any) -> float:
    """How far two leaves are apart: 0 to 1 and more, inf where they are not of one kind. Relative to the elements, of which
    small ones count as the smaller of 1 and the median."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        (kind_a, a), (kind_b, b) = a, b
        if kind_a != kind_b or a.shape != b.shape:
            return math.inf
        if a.dtype.kind not in "fc":
            return 0.0 if np.array_equal(a, b) else math.inf
        with np.errstate(all="ignore"):
            return _distance(a, b)
    if isinstance(a, (float, complex)) and isinstance(b, (float, complex)):
        return _distance(np.asarray([a]), np.asarray([b]))
    return 0.0 if type(a) is type(b) and a == b else math.inf


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    if not a.size:
        return 0.0
    agree = (a == b) | (np.isnan(a) & np.isnan(b))
    if not np.isfinite(a[~agree]).all() or not np.isfinite(b[~agree]).all():
        return math.inf
    if agree.all():
        return 0.0
    sizes = np.abs(a[np.isfinite(a) & (a != 0)])
    small = min(1.0, max(NOTHING, float(np.median(sizes)))) if sizes.size else 1.0
    return float((np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), small))[~agree].max())


def largest(ours: Any, theirs: Any, what: str) -> list[tuple[float, str]]:
    a, b = dict(leaves(ours)), dict(leaves(theirs))
    found = [(apart(a[path], b[path]), what + path) for path in a.keys() & b.keys()]
    return found + [(math.inf, f"{what}{path} on one side only") for path in a.keys() ^ b.keys()]


# --- both programs -----------------------------------------------------------------------------------------------------

def difference(pair: Pair) -> tuple[float, str]:
    """The largest difference between the two programs of a pair, and where. Raises whatever they raise."""
    with tempfile.TemporaryDirectory() as folder:
        pair.write(Path(folder))
        sys.path.insert(0, folder)
        torch.set_default_dtype(torch.float64)
        paddle.set_default_dtype("float64")
        try:
            modules = [importlib.import_module(f"{pair.stem}_{side}") for side in ("torch", "paddle")]
            options = eval(f"dict({pair.program.options})", {"np": np})
            with as_on_a_gpu():
                found = (_trained if pair.program.training else _compared)(pair, modules, options)
        finally:
            torch.set_default_dtype(torch.float32)
            paddle.set_default_dtype("float32")
            sys.path.remove(folder)
    ignored = tuple(word for word in pair.program.known if word.startswith("."))
    return max((item for item in found if not any(word in item[1] for word in ignored)), default=(0.0, "nothing"))


def agrees(pair: Pair) -> str:
    """Empty where the label is true, else what was found."""
    tolerance = max([SAME, *pair.program.known.values()])
    far, where = difference(pair)
    if pair.answer == "same":
        return "" if far <= tolerance else f"said to be the same, {far:.2g} apart at {where}"
    return "" if far >= max(DIFFERS, 10 * tolerance) else f"said to differ, {far:.2g} apart at most ({where})"


def _built(modules: list, name: str) -> list:
    torch.manual_seed(0)
    paddle.seed(0)
    return [getattr(module, name)() for module in modules]


def _compared(pair: Pair, modules: list, options: Mapping[str, Any]) -> list[tuple[float, str]]:
    found = []
    for mode in options.get("modes", ("eval", "train")):
        models = _built(modules, "Net")
        paired = carry(*models, options.get("names", {}), np.random.default_rng(5))
        for model in models:
            getattr(model, mode)()
        given = drawn(pair.program.inputs, 3)
        words = options.get("twin_keywords", {})
        # Paddle's recurrent kernels have no backward in eval mode
        recurrent = any(isinstance(layer, paddle.nn.layer.rnn.RNNBase) for layer in models[1].sublayers(include_self=True))
        forward_only = mode == "eval" and recurrent
        sides = []
        with shared_random() as turn:
            for side, model in enumerate(models):
                with turn(side):
                    sides.append(_ran(model, _tensors(given, side), words if side else {}, options.get("calls", 1), forward_only))
        found += largest(*[outs for outs, _ in sides], f"{mode} output")
        found += largest(*[[x.grad for x in fed] for _, fed in sides], f"{mode} gradient of input")
        for name, ours, theirs, linear in paired:
            g, h = ours.grad, theirs.grad
            if g is not None and h is not None:
                g = torch.as_tensor(_laid_out(g, linear, theirs))
            # no gradient and a gradient of zeros are one
            zero = [x is None or not np.abs(x.numpy()).max(initial=0) for x in (g, h)]
            found += [] if all(zero) else largest(g, h, f"{mode} gradient of {name}")
        found += _states(*models, options.get("names", {}), mode)
    return found


def _states(ours: Any, theirs: Any, names: Mapping[str, str], what: str) -> list[tuple[float, str]]:
    there = {**dict(theirs.named_parameters()), **dict(theirs.named_buffers())}  # batch norm's statistics are parameters
    found = []
    for name, value in ours.named_buffers():
        name_there = next((new + name[len(old):] for old, new in names.items() if name == old or name.startswith(f"{old}.")), name)
        if value.is_floating_point():
            other = _named(there, name_there)
            assert other is not None, f"{name}: no such state in the twin"
            found += largest(value.to(torch.float64), other.astype("float64"), f"{what} state .{name}")
    return found


def _ran(model: Any, given: Any, words: Mapping[str, str], calls: int, forward_only: bool) -> tuple[list, list]:
    outs = []
    for _ in range(calls):
        outs.append(model(**{words.get(k, k): v for k, v in given.items()}) if isinstance(given, dict) else model(*given))
    rng = np.random.default_rng(7)
    loss = 0.0
    for _, value in sorted(_float_tensors(outs), key=lambda item: item[0]):
        weight = rng.standard_normal(tuple(value.shape))
        loss = loss + (value * (torch.as_tensor(weight) if isinstance(value, torch.Tensor) else paddle.to_tensor(weight))).sum()
    fed = [value for _, value in _float_tensors(given)]
    if not isinstance(loss, float) and not forward_only:
        loss.backward()
    return outs, fed


def _float_tensors(nest: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(nest, torch.Tensor):
        if nest.requires_grad and nest.is_floating_point():
            yield path, nest
    elif isinstance(nest, paddle.Tensor):
        if not nest.stop_gradient and "float" in str(nest.dtype):
            yield path, nest
    elif isinstance(nest, Mapping):
        for key, item in nest.items():
            yield from _float_tensors(item, f"{path}.{key}")
    elif isinstance(nest, (list, tuple)) or (hasattr(nest, "__iter__") and not isinstance(nest, (str, set, frozenset))):
        for n, item in enumerate(nest):
            yield from _float_tensors(item, f"{path}[{n:03}]")
    elif hasattr(nest, "__dict__") and not isinstance(nest, type):
        yield from _float_tensors(vars(nest), path)


def _tensors(nest: Any, side: int) -> Any:
    if isinstance(nest, np.ndarray):
        value = paddle.to_tensor(nest) if side else torch.as_tensor(nest.copy())
        if nest.dtype.kind == "f":
            if side:
                value.stop_gradient = False
            else:
                value.requires_grad_(True)
        return value
    if isinstance(nest, dict):
        return {key: _tensors(item, side) for key, item in nest.items()}
    if isinstance(nest, (list, tuple)):
        return type(nest)(_tensors(item, side) for item in nest)
    return nest


def _trained(pair: Pair, modules: list, options: Mapping[str, Any]) -> list[tuple[float, str]]:
    trainers = _built(modules, "Trainer")
    paired, names = [], options.get("names", {})
    for name, network in list(vars(trainers[0]).items()):
        if isinstance(network, torch.nn.Module):
            inner = {key.removeprefix(f"{name}."): value.rpartition(f"{name}.")[2] for key, value in names.items()}
            carried = carry(network, getattr(trainers[1], names.get(name, name)), inner, None)
            paired += [(f"{name}.{path}", *tensors) for path, *tensors in carried]
    found: list[tuple[float, str]] = []
    with shared_random() as turn:
        for step in range(1, STEPS + 1):
            given = drawn(pair.program.inputs, step)
            losses = []
            for side, trainer in enumerate(trainers):
                batch = [x.detach() if isinstance(x, (torch.Tensor, paddle.Tensor)) else x for x in _tensors(given, side)]
                with turn(side):
                    losses.append(trainer.step(*batch))
            found += largest(*[_plain(loss) for loss in losses], f"loss of step {step} ")
            for name, ours, theirs, linear in paired:
                found += largest(torch.as_tensor(_laid_out(ours.detach(), linear, theirs)), theirs, f"{name} after step {step}")
            for name, network in vars(trainers[0]).items():
                if isinstance(network, torch.nn.Module):
                    found += _states(network, getattr(trainers[1], names.get(name, name)), {}, f"step {step}")
    return found


def _plain(losses: Any) -> Any:
    if isinstance(losses, (tuple, list)):
        return [_plain(loss) for loss in losses]
    if isinstance(losses, dict):
        return {key: _plain(loss) for key, loss in losses.items()}
    return float(losses)
