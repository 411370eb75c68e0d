"""The weights that a run starts from: drawn by name, so that both frameworks start from the same bits."""

import math

import numpy as np

from .data import generator


def initial_networks(networks, seed):
    """Freshly drawn networks, distributed as torch initialises them (which is what the official code starts from).

    networks: network -> (key -> array), neutral: keys and shapes are taken from here, and rho, gamma and beta, which
    start from constants. Weights and biases are uniform within 1 / sqrt(inputs of the layer), u and v directions.
    Returns float32 arrays.
    """
    return {name: {key: _drawn(key, value, entries, generator(seed, f"weights/{name}/{key}")).astype(np.float32)
                   for key, value in entries.items()}
            for name, entries in networks.items()}


def _drawn(key, value, entries, rng):
    layer, _, kind = key.rpartition(".")
    if kind in ("rho", "gamma", "beta"):
        return value
    if kind in ("weight_u", "weight_v"):
        vector = rng.standard_normal(value.shape)
        return vector / np.linalg.norm(vector)
    weight = entries.get(f"{layer}.weight", entries.get(f"{layer}.weight_orig"))
    bound = 1 / math.sqrt(math.prod(weight.shape[1:]))
    return rng.uniform(-bound, bound, value.shape)
