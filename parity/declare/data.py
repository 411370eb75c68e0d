"""Two data pipelines that are meant to feed the same.

    data = Data(my_torch.loader, my_paddle.loader)     # each returns a DataLoader, a Dataset, or any iterable
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parity.files import InputError


@dataclass(frozen=True)
class Data:
    """A data pipeline on both sides, for `parity data`.

    reference, twin: build it, without arguments, and return a DataLoader of either framework, a dataset, a sequence, any
    iterable, or a function that returns an iterator (a reader of Paddle 1.x). epochs: so many are compared; two show whether an
    order is drawn anew. Raises InputError where a side is nothing to call, or epochs no number from 1 on.
    """

    reference: Callable[[], Any]
    twin: Callable[[], Any]
    epochs: int = 2
    title: str = "data"

    def __post_init__(self) -> None:
        for side in ("reference", "twin"):
            if not callable(getattr(self, side)):
                raise InputError(f"Data, {side}: expected a function or class that builds the pipeline, found "
                                 f"{getattr(self, side)!r}; write lambda: before it")
        if type(self.epochs) is not int or self.epochs < 1:
            raise InputError(f"Data, epochs: expected a whole number from 1 on, found {self.epochs!r}")
