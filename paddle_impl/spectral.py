"""Spectral normalisation (Miyato et al., 2018) by a hook, the one that the official code uses."""

import paddle
from paddle import nn

from .functional import normalize

EPS = 1e-12


def spectral_norm(layer):
    """Divide ``layer.weight`` by its largest singular value at each forward, and return the layer.

    One power iteration per forward in training, none in eval; eps 1e-12, over the output dimension. The
    layer's state becomes ``weight_orig`` (the parameter), ``weight_u`` and ``weight_v`` (buffers).
    As ``paddle.nn.utils.spectral_norm``, but for a vector norm that is accurate in float32. (The layer
    ``paddle.nn.SpectralNorm`` is no substitute: it never updates u and v.)
    """
    weight = layer.weight
    height, width = _matrix(layer, weight).shape
    del layer.weight
    layer.add_parameter("weight_orig", weight)
    layer.register_buffer("weight", weight.detach(), persistable=False)
    layer.register_buffer("weight_u", normalize(paddle.randn([height], weight.dtype), EPS))
    layer.register_buffer("weight_v", normalize(paddle.randn([width], weight.dtype), EPS))
    layer.register_forward_pre_hook(_divide_by_sigma)
    return layer


def raw_weight(layer):
    """The weight parameter as it is trained: ``weight_orig`` of a spectral-normed layer, else ``weight``."""
    return layer.weight_orig if hasattr(layer, "weight_orig") else layer.weight


def _divide_by_sigma(layer, inputs):
    matrix = _matrix(layer, layer.weight_orig)
    u, v = layer.weight_u, layer.weight_v
    if layer.training:
        with paddle.no_grad():
            v = normalize(paddle.matmul(matrix, u, transpose_x=True), EPS)
            u = normalize(paddle.matmul(matrix, v), EPS)
            paddle.assign(v, layer.weight_v)
            paddle.assign(u, layer.weight_u)
    sigma = paddle.matmul(u, paddle.matmul(matrix, v))
    layer.weight = layer.weight_orig / sigma


def _matrix(layer, weight):
    # One row per output: Paddle holds a Linear's weight as (in, out).
    return weight.t() if isinstance(layer, nn.Linear) else weight.reshape([weight.shape[0], -1])
