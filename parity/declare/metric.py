"""Two metrics that are meant to measure the same.

    metric = Metric(my_torch.Accuracy, my_paddle.Accuracy, batch=[normal(8, 5), integers(8, high=5)])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.blame import hand_on
from parity.declare import inputs as recipes
from parity.files import InputError

Batch = tuple[Any, dict[str, np.ndarray]]
"""(the nest of recipes, its arrays by access path)"""


@dataclass(frozen=True)
class Metric:
    """A metric on both sides, for `parity metric`.

    reference, twin: build it, without arguments: an object with `update` and `compute` (torchmetrics) or `accumulate`
    (paddle.metric, whose own `compute` then comes before `update`). Or the metric itself: a function of a batch. batch: recipes
    of what it is handed (predictions, labels; see `parity.inputs`), drawn anew for each update, the last one half as large; or
    a function: number of the update (from 1) -> arrays. twin_batch: where each side has predictions of a model of its own,
    those of the twin's; then it is told whether the ends differ by the metric or by the model. updates: so many. Raises
    InputError for what is none of this.
    """

    reference: Callable[..., Any]
    twin: Callable[..., Any]
    batch: Any
    twin_batch: Any = None
    updates: int = 4
    title: str = "metric"

    def __post_init__(self) -> None:
        for side in ("reference", "twin"):
            if not callable(getattr(self, side)):
                raise InputError(f"Metric, {side}: expected a function of a batch, or what builds a metric, found "
                                 f"{getattr(self, side)!r}; write lambda: before it")
        if type(self.updates) is not int or self.updates < 1:
            raise InputError(f"Metric, updates: expected a whole number from 1 on, found {self.updates!r}")

    def batches(self, batch: Any, seed: int) -> list[Batch]:
        """What each update is handed. Of recipes the last one is half as large, as the last batch of an epoch is smaller: what
        weighs batches alike shows there alone."""
        return list(self._batches(batch, seed))

    def _batches(self, batch: Any, seed: int) -> Iterator[Batch]:
        for number in range(1, self.updates + 1):
            nest = hand_on(batch, number) if callable(batch) else batch
            nest = nest if isinstance(nest, (Mapping, tuple, list)) else (nest,)
            arrays = dict(recipes.draw(nest, f"{seed}/update {number}"))
            if number == self.updates > 1 and not callable(batch):
                sizes = {array.shape[:1] for array in arrays.values()}
                if len(sizes) == 1 and sizes != {()}:
                    arrays = {path: array[:(len(array) + 1) // 2] for path, array in arrays.items()}
            yield nest, arrays


def handed(batch: Batch, tensor: Callable[[np.ndarray], Any]) -> tuple[tuple, dict]:
    """A batch as the arguments of a call. tensor: an array in the framework's form."""
    nest, arrays = batch
    filled = recipes.fill(nest, {path: tensor(array) for path, array in arrays.items()})
    return ((), dict(filled)) if isinstance(filled, Mapping) else (tuple(filled), {})
