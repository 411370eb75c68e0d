"""Do both sides draw their initial weights from the same distribution? Two samples of one parameter are enough to tell.

Weights are carried over before anything is compared, so nothing else can see an initialiser. What each side drew for itself is
compared by the two-sample Kolmogorov-Smirnov distance, the largest difference of the two empirical distribution functions. It
needs no assumption on the distributions, and its chance is known: for two samples of n independent values each from the same
distribution, P(distance > d) <= e exp(-n d^2) (Wei and Dudley, 2012, theorem 1: the Dvoretzky-Kiefer-Wolfowitz bound for two
samples of equal size). A parameter of few values can hardly exceed it: small parameters are looked at, and seldom seen.
"""

from __future__ import annotations

import math

import numpy as np

from parity.messages import say

FALSE_ALARMS = 1e-6
"""At most so often is one of all the parameters of a comparison wrongly called different."""

LARGEST = 20_000  # values looked at; of independent values any part is as good as the whole


def drawn_otherwise(reference: np.ndarray, twin: np.ndarray, comparisons: int) -> str | None:
    """In words, how two fresh parameters of one size are distributed differently; None where chance may explain it.

    comparisons: how many parameters share `FALSE_ALARMS`.
    """
    left, right = (np.sort(_part(array)) for array in (reference, twin))
    found = distance(left, right)
    by_chance = math.sqrt(math.log(math.e * comparisons / FALSE_ALARMS) / left.size)
    if found <= by_chance:
        return None
    return say("drawn from another distribution at the start; reference: mean {mean:.3g}, standard deviation {spread:.3g}; "
               "twin: mean {mean2:.3g}, standard deviation {spread2:.3g} ({size} values, distance of the distributions "
               "{distance:.2f}, by chance at most {by_chance:.2f})", mean=left.mean(), spread=left.std(), mean2=right.mean(),
               spread2=right.std(), size=left.size, distance=found, by_chance=by_chance)


def distance(left: np.ndarray, right: np.ndarray) -> float:
    """Of two sorted samples: the largest difference of their empirical distribution functions."""
    values = np.concatenate([left, right])
    functions = [np.searchsorted(sample, values, side="right") / sample.size for sample in (left, right)]
    return float(np.abs(functions[0] - functions[1]).max())


def _part(array: np.ndarray) -> np.ndarray:
    values = np.asarray(array, np.float64).ravel()
    return values[::max(1, values.size // LARGEST)]
