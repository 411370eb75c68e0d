"""The random functions of python and numpy, filled with numbers from elsewhere.

Neither has one place through which all draws go: a program may hold their functions under names of its own (`from random import
choice`), and numpy's generators are of types that cannot be changed. So while a run asks for it, whoever holds one of these holds
a stand-in. The function itself runs first (it knows its result's type, shape and errors), and what it drew is replaced.

A generator that the program seeds in the run itself is left alone: its numbers are the program's own, and the seed a part of it.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import compress
from types import CellType, FrameType
from typing import Any

import numpy as np

from parity.blame import HOME, hand_on, is_installed
from parity.frameworks.replacing import Replacing
from parity.numbers.distributions import Numbers

_active = Replacing()  # a `Drawing` of the run in this thread
_installed: list[tuple[Any, Any, Any]] = []  # (dict, key, original), (class or cell, attribute, original)
_LEGACY = np.random.mtrand._rand
_GENERATORS = frozenset({np.random.Generator, np.random.RandomState})
_MOST = 2 ** 62  # numbers that a draw of an integer tells apart


@dataclass
class Drawing:
    """Of one run. source: the user's files. asleep: whether what is drawn now is not the run's to give."""

    numbers: Numbers
    source: Container[str]
    asleep: Callable[[], bool]
    busy: bool = False  # in a function that draws by calling others
    seeded: list[Any] = field(default_factory=list)  # generators that the program seeded in this run

    def gives(self, generator: Any, caller: FrameType) -> bool:
        """Whether the run has numbers for a draw: for those of the program, and from the generator that all share, for those of
        the libraries that it calls."""
        if self.busy or any(one is generator for one in self.seeded) or self.asleep():
            return False
        return generator is random._inst or generator is _LEGACY or caller.f_code.co_filename in self.source


class Held:
    """Where the program, and everything else in the process, holds functions and generators to draw from."""

    def __init__(self) -> None:
        self._places: list[tuple[Any, Any, Any]] | None = None

    def places(self) -> list[tuple[Any, Any, Any]]:
        """(dict, key, stand-in) or (cell, "cell_contents", stand-in); looked for once."""
        if self._places is None:
            self._places = list(_places())
        return self._places


@contextmanager
def drawing(numbers: Numbers, held: Held, source: Container[str], asleep: Callable[[], bool] = bool) -> Iterator[None]:
    """While active, random functions called in this thread take their numbers from `numbers`."""
    with _active.on(Drawing(numbers, source, asleep), functools.partial(_install, held), _uninstall):
        yield


def _install(held: Held) -> None:
    for name, method in _METHODS.items():
        _installed.append((random.Random, name, vars(random.Random).get(name)))
        setattr(random.Random, name, method)
    for holder, key, stand_in in held.places():
        original = holder.cell_contents if isinstance(holder, CellType) else holder.get(key)
        if stand_in.stands_for is original:
            _installed.append((holder, key, original))
            _put(holder, key, stand_in)


def _uninstall() -> None:
    while _installed:
        _put(*_installed.pop())


def _put(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    elif value is None:  # inherited
        delattr(holder, key)
    else:
        setattr(holder, key, value)


def _places() -> Iterator[tuple[Any, Any, Any]]:
    """In modules, and in whatever else the garbage collector knows: not what was frozen (tests/conftest.py)."""
    held = list(_in_modules())
    elsewhere = _held_elsewhere(held)
    objects = gc.get_objects()
    generators = {id(one): one for one in (namespace.get(key) for namespace, key in held) if type(one) in _GENERATORS}
    generators |= {id(one): one for one in compress(objects, map(_GENERATORS.__contains__, map(type, objects)))}
    generators.pop(id(_LEGACY), None)
    del objects
    stand_ins = {id(original): stand_in for original, stand_in in _FUNCTIONS}
    stand_ins |= {number: _STAND_INS[type(one)](one) for number, one in generators.items()}
    yield from [(namespace, key, stand_ins[id(namespace[key])]) for namespace, key in held if id(namespace.get(key)) in stand_ins]
    sought = [*elsewhere, *generators.values()]
    for referrer in gc.get_referrers(*sought) if sought else ():
        if referrer is generators:
            continue
        if isinstance(referrer, CellType):
            yield referrer, "cell_contents", stand_ins[id(referrer.cell_contents)]
            continue
        holder = referrer if isinstance(referrer, dict) else getattr(referrer, "__dict__", None)
        if isinstance(holder, dict):
            yield from ((holder, key, stand_ins[id(value)]) for key, value in holder.items()
                        if id(value) in stand_ins and key != "stands_for")


def _held_elsewhere(held: Iterable[tuple[dict[str, Any], str]]) -> list[Any]:
    """The functions to which there are more references than from these namespaces and from here.

    To look through the whole heap for one that nobody else holds takes as long as to run a small program, and nearly always
    there is none. A function that nobody holds is counted beside them: how many references a count itself makes is python's affair.
    """
    distinct = {(id(namespace), key): namespace.get(key) for namespace, key in held}
    known = Counter(map(id, distinct.values()))
    del distinct
    unheld, *counts = [sys.getrefcount(function) for function, _ in (_UNHELD, *_FUNCTIONS)]
    return [function for (function, _), count in zip(_FUNCTIONS, counts, strict=True) if count - unheld > known[id(function)]]


_LIBRARIES = (HOME, sysconfig.get_path("stdlib") + os.sep)
# A module of a library is looked through once: what it holds, it holds from its import on. Nearly all hold nothing.
_holding: dict[str, list[str]] = {}
_empty: set[str] = set()


def _in_modules() -> Iterator[tuple[dict[str, Any], str]]:
    """(the names of a module, one of them) that stands for a function or generator to draw from."""
    functions = {id(original) for original, _ in _FUNCTIONS}
    for name in sys.modules.keys() - _empty:
        module = sys.modules.get(name)
        namespace = getattr(module, "__dict__", None)
        if not isinstance(namespace, dict):
            continue
        keys = _holding.get(name)
        if keys is None:
            keys = [key for key, value in list(namespace.items()) if id(value) in functions or type(value) in _GENERATORS]
            file = namespace.get("__file__")
            if name != "__main__" and (file is None or file.startswith(_LIBRARIES) or is_installed(file)):
                if keys:
                    _holding[name] = keys
                else:
                    _empty.add(name)
        yield from ((namespace, key) for key in keys)


# --- what replaces a draw ------------------------------------------------------------------------------------------

Sample = Callable[..., Any]
"""(numbers, the function itself without its arguments, its arguments) -> its result."""


def _drawn(sample: Sample, generator: Any, original: Callable, caller: FrameType, args: tuple, kwargs: dict) -> Any:
    run = _active.value
    if run is None or not run.gives(generator, caller):
        return hand_on(original, *args, **kwargs)
    run.busy = True
    try:
        return hand_on(sample, run.numbers, functools.partial(hand_on, original), *args, **kwargs)
    finally:
        run.busy = False


def _seeded(generator: Any, original: Callable, caller: FrameType, args: tuple, kwargs: dict) -> Any:
    """A program seeds a generator, or sets its state."""
    run = _active.value
    if run is not None and not caller.f_code.co_filename.startswith(HOME):
        given = next(iter((*args, *kwargs.values())), None)
        run.seeded = [one for one in run.seeded if one is not generator] + ([] if given is None else [generator])
    return hand_on(original, *args, **kwargs)


def _method(name: str, sample: Sample | None) -> Callable:
    """In place of a method of `random.Random`."""
    original = getattr(random.Random, name)

    @functools.wraps(original)
    def method(self: random.Random, *args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1)
        while caller.f_code.co_filename == random.__file__ and caller.f_back is not None:  # `__init__` seeds
            caller = caller.f_back
        bound = functools.partial(original, self)
        if sample is None:
            return _seeded(self, bound, caller, args, kwargs)
        return _drawn(sample, self, bound, caller, args, kwargs)

    return method


class _Function:
    """In place of a function of the generator that all share."""

    def __init__(self, stands_for: Callable, generator: Any, name: str, sample: Sample | None) -> None:
        self.stands_for, self._generator, self._sample = stands_for, generator, sample
        self.__name__, self.__doc__ = name, stands_for.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._sample is None:
            return _seeded(self._generator, self.stands_for, sys._getframe(1), args, kwargs)
        return _drawn(self._sample, self._generator, self.stands_for, sys._getframe(1), args, kwargs)


class _NewGenerator:
    """In place of `numpy.random.default_rng`: a generator without a seed draws the numbers of the run."""

    def __init__(self) -> None:
        self.stands_for = np.random.default_rng
        self.__name__, self.__doc__ = "default_rng", self.stands_for.__doc__

    def __call__(self, seed: Any = None) -> Any:
        made = hand_on(self.stands_for, seed)
        run = _active.value
        own = run is not None and sys._getframe(1).f_code.co_filename in run.source
        return _Generator(made) if own and seed is None else made


class _Generator(np.random.Generator):
    """A generator with the state of another, in whose place it stands."""

    def __new__(cls, stands_for: np.random.Generator) -> _Generator:
        return super().__new__(cls, stands_for.bit_generator)

    def __init__(self, stands_for: np.random.Generator) -> None:
        super().__init__(stands_for.bit_generator)
        self.stands_for = stands_for

    def __reduce__(self) -> Any:
        return self.stands_for.__reduce__()


class _RandomState(np.random.RandomState):
    """The same of numpy's older kind."""

    def __init__(self, stands_for: np.random.RandomState) -> None:
        super().__init__(stands_for._bit_generator)
        self.stands_for = stands_for

    def __reduce__(self) -> Any:
        return self.stands_for.__reduce__()


def _of_numpy(name: str, sample: Sample | None) -> Callable:
    """A method of a stand-in."""
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        original = getattr(self.stands_for, name)
        if sample is None:
            return _seeded(self, original, sys._getframe(1), args, kwargs)
        return _drawn(sample, self, original, sys._getframe(1), args, kwargs)

    return method


# --- distributions -------------------------------------------------------------------------------------------------


def _below(numbers: Numbers, end: int) -> int:
    return int(numbers.integers((), 0, min(end, _MOST)))


def _randrange(numbers: Numbers, run: Callable, start: int, stop: int | None = None, step: int = 1) -> int:
    run(start, stop, step)
    start, stop = (0, start) if stop is None else (start, stop)
    if step == 1 and abs(start) + abs(stop) < _MOST:
        return int(numbers.integers((), start, stop))
    return range(start, stop, step)[_below(numbers, len(range(start, stop, step)))]


def _choices(numbers: Numbers, run: Callable, population: Any, weights: Any = None, *, cum_weights: Any = None, k: int = 1) -> list:
    run(population, weights, cum_weights=cum_weights, k=k)
    if weights is None and cum_weights is None:
        chosen = numbers.integers((k,), 0, len(population))
    else:
        given = np.asarray(weights, float) if weights is not None else np.diff(np.asarray(cum_weights, float), prepend=0.0)
        chosen = numbers.multinomial(given, k, True)
    return [population[number] for number in chosen]


def _sample(numbers: Numbers, run: Callable, population: Any, k: int, *, counts: Any = None) -> list:
    run(population, k, counts=counts)
    if counts is not None:
        population = [one for one, count in zip(population, counts, strict=True) for _ in range(count)]
    return [population[number] for number in numbers.permutation(len(population))[:k]]


def _shuffle(numbers: Numbers, run: Callable, x: Any, axis: int = 0) -> None:
    if isinstance(x, np.ndarray):
        x[...] = np.take(x, numbers.permutation(x.shape[axis]), axis)
        return
    shuffled = [x[number] for number in numbers.permutation(len(x))]
    for place, value in enumerate(shuffled):
        x[place] = value


def _plain(sample: Callable[..., Any]) -> Sample:
    """A function of python's that returns a number. sample: (numbers, *arguments)."""
    def draw(numbers: Numbers, run: Callable, *args: Any, **kwargs: Any) -> Any:
        return type(hand_on(run, *args, **kwargs))(hand_on(sample, numbers, *args, **kwargs))

    return draw


def _beta(numbers: Numbers, shape: tuple[int, ...], a: Any, b: Any) -> np.ndarray:
    """As `torch.distributions.Beta` and `paddle.distribution.Beta` are made."""
    return numbers.dirichlet(np.stack([np.broadcast_to(np.asarray(one, float), shape) for one in (a, b)], -1))[..., 0]


def _otherwise(name: str) -> Sample:
    """A distribution that no framework has: python's own, drawn by a generator seeded for this draw."""
    original = getattr(random.Random, name)

    def draw(numbers: Numbers, run: Callable, *args: Any, **kwargs: Any) -> Any:
        return hand_on(original, random.Random(int(numbers.generator(name, ()).integers(_MOST))), *args, **kwargs)

    return draw


_PYTHON: dict[str, Sample] = {
    "random": _plain(lambda numbers: numbers.uniform(())),
    "uniform": _plain(lambda numbers, a, b: numbers.uniform((), a, b)),
    "randrange": _randrange,
    "randint": lambda numbers, run, a, b: (run(a, b), _randrange(numbers, lambda *_: None, a, b + 1))[1],
    "getrandbits": lambda numbers, run, k: (run(k), _below(numbers, 2 ** k))[1],
    "choice": lambda numbers, run, seq: (run(seq), seq[_below(numbers, len(seq))])[1],
    "choices": _choices,
    "sample": _sample,
    "shuffle": _shuffle,
    **dict.fromkeys(("gauss", "normalvariate"), _plain(lambda numbers, mu=0.0, sigma=1.0: numbers.normal((), mu, sigma))),
    "lognormvariate": _plain(lambda numbers, mu=0.0, sigma=1.0: numbers.log_normal((), mu, sigma)),
    "expovariate": _plain(lambda numbers, lambd=1.0: numbers.exponential((), lambd)),
    "gammavariate": _plain(lambda numbers, alpha, beta: numbers.gamma(np.asarray(alpha, float)) * beta),
    "betavariate": _plain(lambda numbers, alpha, beta: _beta(numbers, (), alpha, beta)),
    **{name: _otherwise(name) for name in ("triangular", "vonmisesvariate", "paretovariate", "weibullvariate", "randbytes",
                                           "binomialvariate") if hasattr(random.Random, name)},
}
"""Method of `random.Random` -> its replacement."""


def _number(value: Any) -> Any:
    """A parameter: a number, or an array of them."""
    return float(value) if np.ndim(value) == 0 else np.asarray(value, float)


def _filled(result: Any, values: Any) -> Any:
    """The result of a function, with other values in it."""
    if isinstance(result, np.ndarray):
        result[...] = values
        return result
    return type(result)(values) if isinstance(result, (int, float, np.number)) else values


def _array(sample: Callable[..., Any]) -> Sample:
    """A function of numpy's that returns what it draws. sample: (numbers, shape of the result, *arguments)."""
    def draw(numbers: Numbers, run: Callable, *args: Any, **kwargs: Any) -> Any:
        result = hand_on(run, *args, **kwargs)
        return _filled(result, hand_on(sample, numbers, np.shape(result), *args, **kwargs))

    return draw


def _spread(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, float), shape)


def _integers(numbers: Numbers, shape: tuple[int, ...], low: Any, high: Any = None, size: Any = None, dtype: Any = None,
              endpoint: bool = False) -> np.ndarray:
    low, high = (0, low) if high is None else (low, high)
    low, high = (int(one) if np.ndim(one) == 0 else np.asarray(one) for one in (low, high))
    return numbers.integers(shape, low, high + 1 if endpoint else high)


def _binomial(numbers: Numbers, shape: tuple[int, ...], n: Any, p: Any, size: Any = None) -> np.ndarray:
    if np.all(np.asarray(n) == 1):
        return numbers.bernoulli(shape, _number(p))
    return numbers.binomial(_spread(n, shape), _spread(p, shape))


def _choice(numbers: Numbers, run: Callable, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0,
            **others: Any) -> Any:
    result = run(a, size, replace, p, **({"axis": axis} if axis else {}), **others)
    pool = np.arange(a) if np.ndim(a) == 0 else np.asarray(a)
    shape = () if size is None else tuple(np.atleast_1d(size).tolist())
    count, n = int(np.prod(shape)), pool.shape[axis]
    if p is not None:
        chosen = numbers.multinomial(np.asarray(p, float), count, replace or size is None)
    else:
        chosen = numbers.integers(shape, 0, n) if replace or size is None else numbers.permutation(n)[:count]
    return _filled(result, np.take(pool, np.reshape(chosen, shape), axis))


def _permutation(numbers: Numbers, shape: tuple[int, ...], x: Any, axis: int = 0) -> np.ndarray:
    order = numbers.permutation(shape[axis])
    return order if np.ndim(x) == 0 else np.take(np.asarray(x), order, axis)


def _as_numpy(name: str) -> Sample:
    """A distribution that no framework has: numpy's own, drawn by the draw's generator."""
    return lambda numbers, run, *args, **kwargs: hand_on(getattr(numbers.generator(name, ()), name), *args, **kwargs)


_UNIFORM = _array(lambda numbers, shape, *args, **kwargs: numbers.uniform(shape))
_NORMAL = _array(lambda numbers, shape, *args, **kwargs: numbers.normal(shape))
_NUMPY: dict[str, Sample] = {
    **dict.fromkeys(("random", "random_sample", "ranf", "sample", "rand"), _UNIFORM),
    **dict.fromkeys(("standard_normal", "randn"), _NORMAL),
    "uniform": _array(lambda numbers, shape, low=0.0, high=1.0, size=None: numbers.uniform(shape, _number(low), _number(high))),
    "normal": _array(lambda numbers, shape, loc=0.0, scale=1.0, size=None: numbers.normal(shape, _number(loc), _number(scale))),
    "lognormal": _array(lambda numbers, shape, mean=0.0, sigma=1.0, size=None:
                        numbers.log_normal(shape, _number(mean), _number(sigma))),
    **dict.fromkeys(("randint", "integers"), _array(_integers)),
    "random_integers": _array(lambda numbers, shape, low, high=None, size=None:
                              _integers(numbers, shape, *((1, low) if high is None else (low, high)), endpoint=True)),
    "choice": _choice,
    "permutation": _array(_permutation),
    "shuffle": _shuffle,
    "exponential": _array(lambda numbers, shape, scale=1.0, size=None: numbers.exponential(shape, 1 / _number(scale))),
    "standard_exponential": _array(lambda numbers, shape, *args, **kwargs: numbers.exponential(shape)),
    "poisson": _array(lambda numbers, shape, lam=1.0, size=None: numbers.poisson(_spread(lam, shape))),
    "binomial": _array(_binomial),
    "geometric": _array(lambda numbers, shape, p, size=None: numbers.geometric(shape, _number(p))),
    "standard_gamma": _array(lambda numbers, size_, /, shape, *args, **kwargs: numbers.gamma(_spread(shape, size_))),
    "gamma": _array(lambda numbers, size_, /, shape, scale=1.0, size=None: numbers.gamma(_spread(shape, size_)) * scale),
    "beta": _array(lambda numbers, shape, a, b, size=None: _beta(numbers, shape, a, b)),
    "dirichlet": _array(lambda numbers, shape, alpha, size=None: numbers.dirichlet(_spread(alpha, shape))),
    "standard_cauchy": _array(lambda numbers, shape, size=None: numbers.cauchy(shape, 0.0, 1.0)),
    **{name: _as_numpy(name) for name in (
        "bytes", "chisquare", "f", "gumbel", "hypergeometric", "laplace", "logistic", "logseries", "multinomial",
        "multivariate_hypergeometric", "multivariate_normal", "negative_binomial", "noncentral_chisquare", "noncentral_f", "pareto",
        "permuted", "power", "rayleigh", "standard_t", "triangular", "vonmises", "wald", "weibull", "zipf")},
}
"""Function of numpy's -> its replacement."""

_METHODS = {name: _method(name, sample) for name, sample in {**_PYTHON, "seed": None, "setstate": None}.items()}
_STAND_INS: dict[type, type] = {np.random.Generator: _Generator, np.random.RandomState: _RandomState}
for _kind, _stand_in in _STAND_INS.items():
    for _name, _replacement in {**_NUMPY, "seed": None, "set_state": None}.items():
        if hasattr(_kind, _name):
            setattr(_stand_in, _name, _of_numpy(_name, _replacement))
_FUNCTIONS: tuple[tuple[Any, Any], ...] = (
    *((getattr(random, name), _Function(getattr(random, name), random._inst, name, sample))
      for name, sample in {**_PYTHON, "seed": None, "setstate": None}.items() if hasattr(random, name)),
    *((getattr(np.random, name), _Function(getattr(np.random, name), _LEGACY, name, sample))
      for name, sample in {**_NUMPY, "seed": None, "set_state": None}.items() if hasattr(np.random, name)),
    (np.random.default_rng, _NewGenerator()),
)
"""(function, its stand-in), of the generators that all share."""


def _unheld() -> tuple[Any, Any]:
    function = functools.partial(int)
    return function, _Function(function, None, "nobody's", None)


_UNHELD = _unheld()  # held as each of these is
