"""The weights, images and probes behind ``fixtures/official_visible_*.json``: names in, numpy arrays out.

Every array comes from a generator of its own, seeded with its name, so no files are needed and order is free.
The fixtures hold what the official code (znxlwm/UGATIT-pytorch, torch 2.13, CPU, float64) computes from them.
"""

import math
import zlib

import numpy as np

SEED = "visible"


def rng(name, seed=SEED):
    return np.random.default_rng(zlib.crc32(f"{seed}/{name}".encode()))


def state(shapes, network, seed=SEED):
    """``shapes``: official key -> torch shape; ``network``: genA2B, disLA, ... Returns float64 arrays."""
    return {
        key: _entry(rng(f"{network}/{key}", seed), key.rsplit(".", 1)[-1], tuple(shape))
        for key, shape in shapes.items()
    }


def image(name, size, batch=1, seed=SEED):
    return rng(f"image/{name}", seed).uniform(-1, 1, (batch, 3, size, size))


def probe(name, shape, seed=SEED):
    """The weights with which output ``name`` enters the scalar that is differentiated."""
    return rng(f"probe/{name}", seed).standard_normal(shape)


def _entry(draw, kind, shape):
    if kind == "rho":
        return draw.uniform(0, 1, shape)
    value = draw.standard_normal(shape)
    if kind == "gamma":
        return 1 + 0.1 * value
    if kind in ("beta", "bias"):
        return 0.1 * value
    if kind in ("weight_u", "weight_v"):
        return value / np.linalg.norm(value)
    return value / math.sqrt(math.prod(shape[1:]))
