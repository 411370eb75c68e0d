"""The operations that are compared where neither lines nor layers place a divergence, under one name for both frameworks.

Only what computes: reshaping, slicing and copying are written in as many ways as there are authors.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

_SAME = {
    "abs", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "amax", "amin", "argmax", "avg_pool1d", "avg_pool2d", "avg_pool3d", "batch_norm", "bmm", "conv1d", "conv2d", "conv3d", "cos",
    "cosine_similarity", "cross_entropy", "cumsum", "dropout", "einsum", "elu", "embedding", "erf", "exp", "gelu", "glu",
    "group_norm", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "instance_norm", "interpolate", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "linear", "log", "log_softmax", "logsigmoid", "logsumexp", "matmul", "max", "max_pool1d",
    "max_pool2d", "max_pool3d", "maximum", "mean", "min", "minimum", "mish", "mse_loss", "nll_loss", "norm", "normalize",
    "pad", "pixel_shuffle", "pow", "prelu", "prod", "reciprocal", "relu", "relu6", "rsqrt", "scaled_dot_product_attention",
    "selu", "sigmoid", "silu", "sin", "smooth_l1_loss", "softmax", "softplus", "sqrt", "square", "std", "sum", "tanh", "var",
    "where",
}
_OTHERWISE = {
    "add": "add", "sub": "subtract", "subtract": "subtract", "rsub": "subtract", "mul": "multiply", "multiply": "multiply",
    "div": "divide", "divide": "divide", "truediv": "divide", "true_divide": "divide", "neg": "negative", "negative": "negative",
    "mm": "matmul", "bmm": "matmul", "swish": "silu", "rpow": "pow", "radd": "add", "rmul": "multiply", "rtruediv": "divide",
    "rmatmul": "matmul", "iadd": "add", "isub": "subtract", "imul": "multiply", "itruediv": "divide", "scale": "multiply",
    "conv_transpose1d": "conv1d_transpose", "conv_transpose2d": "conv2d_transpose", "conv_transpose3d": "conv3d_transpose",
    "conv1d_transpose": "conv1d_transpose", "conv2d_transpose": "conv2d_transpose", "conv3d_transpose": "conv3d_transpose",
    "cat": "concat", "concat": "concat", "stack": "stack", "clamp": "clip", "clip": "clip",
    "binary_cross_entropy": "binary_cross_entropy",
    "binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits", "upsample": "interpolate", "logsigmoid": "log_sigmoid",
    "log_sigmoid": "log_sigmoid",
}


def operation_name(function: str, arguments: Sequence[Any] = ()) -> str | None:
    """The common name of a framework's function or Tensor method ("__rmul__", "mul_" and "multiply" are "multiply"), or None.
    To divide by a number is to multiply by another one."""
    bare = function.strip("_")
    name = _OTHERWISE.get(bare) or (bare if bare in _SAME else None)
    if name == "divide" and bare != "rtruediv" and len(arguments) > 1 and isinstance(arguments[1], Real):
        return "multiply"
    return name
