"""What is true of a pair, without parity's pairing: weights copied by a rule written by hand, both run in float64 and eval mode.

    python -m exams.gallery.truth bert llama

prints how far apart the outputs are, relative to the largest value of each.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import paddle
import torch

from exams.gallery.rules import RULES, Rule
from parity import Port
from parity.frameworks import FRAMEWORKS

# Two float64 computations of these depths stay within 1e-11: an epsilon of 1e-5 is stored as float32 in one of them. Constants that
# are written with few digits (Paddle's slope of hardsigmoid is 0.1666667) make 1e-8. Programs that make float32 inside, whatever
# they are given (RMSNorm, softmax of scores), agree to a few units in float32's last place.
SAME, SAME_IN_FLOAT32 = 1e-7, 1e-6
FLOAT32_INSIDE = {"t5", "t5_lm", "mt5", "llama", "llama_lm"}

# What differs in truth, and the reason, as far as it is known.
DIFFERS = {
    "alexnet": "paddle.vision drops out with downscale_in_infer: in eval mode it halves, twice",
    "albert_defaults": "the default activation is gelu_new in transformers, gelu in PaddleNLP",
    "bert_padding": "PaddleNLP masks where a word is pad_token_id (0) and no mask is given; transformers does not",
    "fnet": "PaddleNLP transforms over the batch, too: fftn without axes",
    "gptj": "PaddleNLP hands paddle.where a mask of floats, at which Paddle 3 raises: it does not run",
    "mobilevit": "the epsilon of a norm",
    "pvt_v2": "LayerNorm's epsilon is 1e-6 in timm, 1e-5 in PaddleClas",
    "squeezenet1_0": "paddle.vision pools with ceil_mode off",
    "squeezenet1_1": "paddle.vision pools with ceil_mode off",
    "swin": "PaddleClas shifts windows also where one covers the whole map; timm, as the paper's code, does not",
    "googlenet": "paddle.vision's has no batch norm",
    "inception_v3": "batch norm's epsilon is 1e-3 in torchvision, 1e-5 in paddle.vision",
}
# What differs in train mode alone; deviations are measured in eval mode, so these say nothing of it.
DIFFERS_IN_TRAIN = {
    "fasternet": "PaddleClas's norm behind the patches has momentum 0.1, which in Paddle is 0.9 of torch's",
    "deberta_v2": "PaddleNLP's own dropout returns two gradients for its one tensor, at which Paddle 3 raises: no way back",
    "opt": "PaddleNLP drops out embeddings, transformers does not; transformers draws for its layerdrop",
    "opt_lm": "PaddleNLP drops out embeddings, transformers does not; transformers draws for its layerdrop",
    "distilbert": "PaddleNLP drops out what attention returns, transformers does not",
    "roberta_classifier": "PaddleNLP drops out the words twice before its head's first layer, transformers once",
    "distilbert_classifier": "PaddleNLP drops out what attention returns, transformers does not",
}
# What one side holds and never uses.
DIFFERS_IN_WEIGHTS = {
    "bert_mlm": "PaddleNLP's model for masked words keeps a pooler that nothing uses",
    "roformer_mlm": "PaddleNLP's model for masked words keeps a pooler that nothing uses",
}


class RuleError(Exception):
    """The rule leaves a tensor out, or a shape does not fit: the weights cannot be copied."""


def port(name: str) -> Port:
    return importlib.import_module(f"exams.gallery.pairs.{name}").pair


def deviation(name: str) -> float:
    """The largest deviation of an output, relative to that output's largest value; infinite where the twin does not run. Raises
    RuleError."""
    pair = port(name)
    torch.manual_seed(0)
    paddle.seed(0)
    reference, twin = pair.reference(), pair.twin()
    stir(reference)
    for framework, model in zip(FRAMEWORKS, (reference, twin), strict=True):
        framework.prepare(model, dtype="float64", training=False, device="cpu")
    copy(reference, twin, RULES[name])
    arrays = [wide(array) for array in pair.arrays(pair.seed).values()]
    with FRAMEWORKS[0].default_dtype("float64"), FRAMEWORKS[1].default_dtype("float64"), torch.no_grad(), paddle.no_grad():
        one = list(outputs(called(pair, 0, reference, [torch.from_numpy(array) for array in arrays]), torch.is_tensor))
        try:
            theirs = called(pair, 1, twin, [paddle.to_tensor(array) for array in arrays])
        except Exception:
            traceback.print_exc()
            return float("inf")
        other = list(outputs(theirs, paddle.is_tensor))
    if len(one) != len(other) or not one:
        raise RuleError(f"{name}: {len(one)} outputs in the reference, {len(other)} in the twin")
    return max(apart(a.numpy(), b.numpy()) for a, b in zip(one, other, strict=True))


def stir(model: torch.nn.Module) -> None:
    """No weight stays a constant: a scale of ones or a bias of zeros that goes missing is missed."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point():
                moved = 0.1 * torch.randn(tensor.shape, generator=rng)
                tensor.add_(moved.abs() if name.endswith("running_var") else moved)


def copy(reference: torch.nn.Module, twin: paddle.nn.Layer, rule: Rule) -> None:
    state, layers = rule.prepare(dict(reference.state_dict())), dict(twin.named_sublayers(include_self=True))
    unused, copied = {name for name in state if not rule.is_fresh(name)}, {}
    in_order = iter([name for name in state if name in unused])
    for name, tensor in twin.state_dict().items():
        theirs = next(in_order, "(nothing left)") if rule.in_order and not rule.is_fresh(name) else rule.name(name)
        if theirs not in state:
            if rule.is_fresh(name):
                continue
            raise RuleError(f"{name}: there is no {theirs} in the reference")
        value = state[theirs].numpy()
        if (name.endswith("weight") and isinstance(layers.get(name.rpartition(".")[0]), paddle.nn.Linear)) or rule.is_turned(name):
            value = value.T
        if tuple(value.shape) != tuple(tensor.shape):
            raise RuleError(f"{name}: {tuple(tensor.shape)}, {theirs} is {tuple(value.shape)}")
        copied[name] = value
        unused.discard(theirs)
    if unused:
        raise RuleError(f"nothing in the twin takes {', '.join(sorted(unused)[:5])}")
    for name, tensor in twin.state_dict().items():
        if name in copied:
            tensor.set_value(paddle.to_tensor(np.ascontiguousarray(copied[name]), dtype=tensor.dtype))


def called(pair: Port, side: int, model: Any, tensors: list) -> Any:
    positional, named = pair.arrange(side, tensors)
    return model(*positional, **named)


def outputs(value: Any, is_tensor: Any) -> Iterator[Any]:
    if is_tensor(value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from outputs(item, is_tensor)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from outputs(item, is_tensor)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.finfo(np.float64).tiny))


def wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def expected(name: str) -> str:
    """same, or differs: what is true of the whole pair."""
    return "differs" if reason(name) else "same"


def reason(name: str) -> str | None:
    """Why a pair differs, where it does."""
    return (DIFFERS | DIFFERS_IN_TRAIN | DIFFERS_IN_WEIGHTS).get(name)


def holds(name: str, apart: float) -> bool:
    """Whether a measured deviation, of eval mode, is what is expected of the pair."""
    same = apart <= (SAME_IN_FLOAT32 if name in FLOAT32_INSIDE else SAME)
    return same == (name not in DIFFERS)


def main(names: list[str]) -> int:
    for name in names or sorted(RULES):
        try:
            print(f"{name:20} {deviation(name):.1e}")
        except RuleError as error:
            print(f"{name:20} {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
