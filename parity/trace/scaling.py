"""Gradient scalers: where a program called each of them last, and what they have come to at the end of a step."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from parity.blame import hand_on
from parity.frameworks import Framework
from parity.frameworks.replacing import Attributes
from parity.trace.source import Site, SourceTree

if TYPE_CHECKING:
    from parity.trace.recorder import Recorder

_METHODS = ("scale", "unscale_", "step", "update", "minimize")


class Scaling:
    """Watches one step of one side. scalers: name -> scaler."""

    def __init__(self, framework: Framework, source: SourceTree, scalers: Mapping[str, Any]) -> None:
        self._framework, self._source, self._scalers = framework, source, scalers
        self._sites: dict[int, Site | None] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The calls of the scalers' methods are seen for the duration of the block."""
        replaced = Attributes()
        for kind in self._framework.scaler_class.__mro__[:-1] if self._scalers else ():
            for name in vars(kind).keys() & set(_METHODS):
                replaced.put(kind, name, self._seen(vars(kind)[name]))
        try:
            yield
        finally:
            replaced.restore()

    def _seen(self, original: Callable) -> Callable:
        @functools.wraps(original)
        def method(scaler: Any, *args: Any, **kwargs: Any) -> Any:
            self._sites[id(scaler)] = self._source.site(sys._getframe(1))
            return hand_on(original, scaler, *args, **kwargs)

        return method

    def emit(self, recorder: Recorder) -> None:
        """The scale of each, and how many steps it has counted; at the line that called it last."""
        for name, scaler in self._scalers.items():
            for what, value in self._framework.scaler_state(scaler).items():
                recorder.emit_array("state", f"{name}.{what}", np.asarray(value, np.float64), site=self._sites.get(id(scaler)),
                                    scale=abs(value), entry=False)
