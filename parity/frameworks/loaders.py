"""A data pipeline in its parts: samples by number, an order of them, and what makes a batch of some; or a stream of items.

The loaders of both frameworks keep these under the same names. Here the parts are called one after the other, as a loader without
workers does: Paddle's own reads in a thread, where nobody could follow it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parity.blame import hand_on


@dataclass(frozen=True)
class Parts:
    """numbers: of an epoch, batch by batch; None of a stream. sample: number -> sample. count: of all samples. collate: samples
    of a batch -> batch; None where samples are handed out one by one. stream: an epoch's items, of a stream alone. once: a
    stream that can be read once."""

    numbers: Callable[[], Iterator[list[Any]]] | None = None
    sample: Callable[[Any], Any] | None = None
    count: int | None = None
    collate: Callable[[list[Any]], Any] | None = None
    stream: Callable[[], Iterator[Any]] | None = None
    once: bool = False
    objects: tuple[Any, ...] = ()

    def items(self) -> Iterator[Any]:
        """An epoch as a stream: of batches, or of samples where none are made."""
        if self.stream is not None:
            yield from self.stream()
            return
        for numbers in self.numbers():
            samples = [self.sample(number) for number in numbers]
            yield samples[0] if self.collate is None else hand_on(self.collate, samples)


def parts_of(made: Any) -> Parts | None:
    """Of a DataLoader of either framework, a dataset, a sequence, any iterable, or a function that returns an iterator; else
    None."""
    if hasattr(made, "dataset") and hasattr(made, "collate_fn"):
        return _of_loader(made)
    if _is_stream(made):
        once = iter(made) is made
        return Parts(stream=lambda: iter(made), once=once, objects=(made,))
    if hasattr(type(made), "__getitem__") and hasattr(type(made), "__len__") and not isinstance(made, Mapping):
        return _by_number(made, lambda: ([number] for number in range(len(made))), None, (made,))
    if callable(made):
        return Parts(stream=lambda: iter(hand_on(made)), objects=(made,))
    return None


def _of_loader(loader: Any) -> Parts:
    dataset, sampler = loader.dataset, getattr(loader, "batch_sampler", None)
    objects = (loader, dataset, sampler, getattr(sampler, "sampler", None), loader.collate_fn)
    if _is_stream(dataset):
        collate = _collate(loader)
        return Parts(stream=lambda: _batches(dataset, loader.batch_size, loader.drop_last, collate), objects=objects)
    if sampler is None:  # without batches: torch has an order of samples, Paddle takes them as they come
        order = getattr(loader, "sampler", None)
        return _by_number(dataset, lambda: ([number] for number in (range(len(dataset)) if order is None else order)), None,
                          (*objects, order))
    return _by_number(dataset, lambda: map(list, sampler), _collate(loader), objects)


def _by_number(dataset: Any, numbers: Callable[[], Iterator[list[Any]]], collate: Callable | None, objects: tuple) -> Parts:
    return Parts(numbers, lambda number: hand_on(dataset.__getitem__, number), len(dataset), collate, objects=objects)


def _collate(loader: Any) -> Callable[[list[Any]], Any]:
    if loader.collate_fn is not None:
        return loader.collate_fn
    from paddle.io.dataloader.collate import default_collate_fn  # Paddle's loader keeps None for it
    return default_collate_fn


def _is_stream(made: Any) -> bool:
    """Whether samples come one after the other, and not by number; datasets of both frameworks have every method by name."""
    if any(cls.__name__ == "IterableDataset" for cls in type(made).__mro__):
        return True
    return isinstance(made, Iterable) and not (hasattr(type(made), "__getitem__") and hasattr(type(made), "__len__"))


def _batches(dataset: Any, size: int | None, drop_last: bool, collate: Callable[[list[Any]], Any]) -> Iterator[Any]:
    samples = iter(dataset)
    if size is None:
        yield from samples
        return
    while batch := list(itertools.islice(samples, size)):
        if drop_last and len(batch) < size:
            return
        yield hand_on(collate, batch)
