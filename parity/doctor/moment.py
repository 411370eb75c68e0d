"""One moment of a training: what its next step goes by, to be put back so that the step can run a second time.

Taken before each fourth iteration of those that are not watched closely. Where one of the four shows a NaN, they are run again from
here under the closest watch, for the line that made it.
"""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from io import IOBase
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from parity.doctor.program import Program

DATA = 1000  # a container of the user's with more things than that is data: neither copied nor looked into
_DICTS = (dict, OrderedDict, defaultdict)
_CONTAINERS = (*_DICTS, list, deque, set, tuple)


class Repeatable:
    """An iterator that can go back as far as where it was at the latest `forget`: it holds what it gave since."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self.iterator = iterator
        self.position = 0  # items given; set it to go back
        self._first, self._held = 0, []

    def __iter__(self) -> Repeatable:
        return self

    def __next__(self) -> Any:
        if self.position == self._first + len(self._held):
            self._held.append(next(self.iterator))
        self.position += 1
        return self._held[self.position - 1 - self._first]

    def forget(self) -> None:
        del self._held[:self.position - self._first]
        self._first = self.position

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iterator, name)


class Moments:
    """Moments of one training.

    step: the function that runs one iteration. What it can reach is looked through: its globals, closure and `self`, objects of
    the user's classes and modules, lists and dicts. Iterators held there become `Repeatable` (until `close`).
    """

    def __init__(self, program: Program, step: Callable[[], Any]) -> None:
        self.program, self.step = program, step
        self._iterators: dict[int, Repeatable] = {}
        self._places: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []  # what is held there now, and how to replace it
        self.handlers: dict[type, Callable[[Moment, Any, bool], None] | None] = {}  # by type: how such a thing is kept

    def before_step(self) -> Moment | None:
        """The moment; those before it cannot be put back any more. None where memory does not suffice for it."""
        for iterator in self._iterators.values():
            iterator.forget()
        with suppress(MemoryError, RuntimeError):  # the latter is torch's
            return self.now()

    def now(self) -> Moment:
        return Moment(self)

    def close(self) -> None:
        """Give the user's program its own iterators back."""
        for get, put in self._places:
            if isinstance(held := get(), Repeatable):
                put(held.iterator)

    def repeatable(self, value: Any, get: Callable[[], Any], put: Callable[[Any], None]) -> Any:
        """The value; if it is an iterator, what stands in its place from now on."""
        if not hasattr(type(value), "__next__") or isinstance(value, (IOBase, Repeatable)):
            return value
        made = self._iterators.setdefault(id(value), Repeatable(value))
        self._places.append((get, put))
        put(made)
        return made

    def is_users(self, module: ModuleType | None) -> bool:
        file = getattr(module, "__file__", None)
        return file is not None and file in self.program.source


class Moment:
    """Now: networks, optimizers, schedulers and scalers with the values of their tensors and gradients; random generators,
    positions of iterators, and the plain values and containers that the step can reach. Tensors of the user's outside those,
    arrays, and what libraries keep for themselves are not copied.
    """

    def __init__(self, moments: Moments) -> None:
        framework = self._framework = moments.program.framework
        self._moments = moments
        self._back: list[Callable[[], None]] = [
            partial(random.setstate, random.getstate()), partial(np.random.set_state, np.random.get_state()),
            partial(framework.set_random_state, framework.random_state()),
        ]
        self._dicts: list[tuple[dict, dict]] = []  # with what they held
        self._tensors: list[tuple[Any, Any]] = []  # with their values
        self._gradients: list[tuple[Any, Any]] = []  # parameters with theirs
        self._seen: set[int] = set()
        self._waiting: list[tuple[Callable, Any, bool]] = []
        program, step = moments.program, moments.step
        # What is part of a network or optimizer is known as such before the user's program is seen to hold it.
        self._look_at((*program.models.values(), *program.optimizers.values()), True)
        self._keep_all()
        function = getattr(step, "__func__", step)
        self._look_at((step, getattr(function, "__globals__", None)), False)
        self._keep_all()

    def _keep_all(self) -> None:
        while self._waiting:
            keep, value, machine = self._waiting.pop()
            keep(self, value, machine)

    def _look_at(self, values: Iterable[Any], machine: bool) -> None:
        """Keep these, later. machine: they are part of a network, an optimizer, a scheduler or a scaler."""
        handlers, seen = self._moments.handlers, self._seen
        for value in values:
            kind = type(value)
            if kind not in handlers:
                handlers[kind] = self._handler(value)
            keep = handlers[kind]
            # A network has many dicts that are always empty.
            if keep is None or id(value) in seen or (machine and kind in _CONTAINERS and not value):
                continue
            seen.add(id(value))
            self._waiting.append((keep, value, machine))

    def put_back(self) -> None:
        for held, before in self._dicts:
            for key in held.keys() - before.keys():
                del held[key]
            for key, value in before.items():
                if key not in held or held[key] is not value:
                    held[key] = value
        for back in self._back:
            back()
        for tensor, values in self._tensors:
            self._framework.overwrite(tensor, values)
        for parameter, gradient in self._gradients:
            self._framework.give_gradient(parameter, gradient)

    def _handler(self, value: Any) -> Callable[[Moment, Any, bool], None] | None:
        """How things of this type are kept; None: not at all."""
        framework, kind = self._framework, type(value)
        if framework.is_tensor(value):
            return Moment._tensor
        if kind in _CONTAINERS:
            return Moment._dict if kind in _DICTS else Moment._items
        machines = (framework.module_class, framework.optimizer_class, framework.scheduler_class, framework.scaler_class)
        for kinds, keep in (
            (type, None), (machines, Moment._machine),
            (FunctionType, Moment._function), (MethodType, Moment._method), (ModuleType, Moment._module),
            ((np.random.Generator, np.random.RandomState, random.Random, framework.generator_class), Moment._generator),
            (Repeatable, Moment._position),
        ):
            if isinstance(value, kinds):
                return keep
        return Moment._object if hasattr(value, "__dict__") and self._moments.is_users(sys.modules.get(kind.__module__)) else None

    def _tensor(self, tensor: Any, machine: bool) -> None:
        if not machine:
            return
        framework = self._framework
        self._tensors.append((tensor, framework.copied(tensor)))
        if framework.is_parameter(tensor):
            gradient = framework.gradient(tensor)
            self._gradients.append((tensor, None if gradient is None else framework.copied(gradient)))

    def _machine(self, value: Any, machine: bool) -> None:
        self._dict(vars(value), True)

    def _object(self, value: Any, machine: bool) -> None:
        self._dict(vars(value), machine)

    def _module(self, module: ModuleType, machine: bool) -> None:
        if self._moments.is_users(module):
            self._dict(vars(module), False)

    def _dict(self, held: dict, machine: bool) -> None:
        if not machine and len(held) > DATA:
            return
        before = held.copy()
        if not machine:
            for key, value in before.items():
                before[key] = self._moments.repeatable(value, partial(held.get, key), partial(held.__setitem__, key))
        self._dicts.append((held, before))
        self._look_at(before.values(), machine)

    def _items(self, held: Any, machine: bool) -> None:
        if not machine and len(held) > DATA:
            return
        before = tuple(held)
        if not isinstance(held, tuple):
            self._back += [held.clear, partial(held.update if isinstance(held, set) else held.extend, before)]
        self._look_at(before, machine)

    def _generator(self, value: Any, machine: bool) -> None:
        if isinstance(value, np.random.Generator):
            self._back.append(partial(setattr, value.bit_generator, "state", value.bit_generator.state))
        elif isinstance(value, random.Random):
            self._back.append(partial(value.setstate, value.getstate()))
        else:
            self._back.append(partial(value.set_state, value.get_state()))

    def _position(self, value: Repeatable, machine: bool) -> None:
        self._back.append(partial(setattr, value, "position", value.position))

    def _method(self, value: MethodType, machine: bool) -> None:
        self._look_at((value.__self__, value.__func__), machine)

    def _function(self, value: FunctionType, machine: bool) -> None:
        for cell in value.__closure__ or ():
            self._cell(cell)
        if value.__code__.co_filename in self._moments.program.source:
            self._look_at((value.__globals__,), False)

    def _cell(self, cell: CellType) -> None:
        with suppress(ValueError):  # a variable that has no value yet
            get, put = partial(getattr, cell, "cell_contents"), partial(setattr, cell, "cell_contents")
            value = self._moments.repeatable(get(), get, put)
            self._back.append(partial(put, value))
            self._look_at((value,), False)
