"""What each transform of a chain makes of a sample: those of torchvision's and Paddle's `Compose`, and of a user's own.

Nothing is imported for it: a class that nobody has imported runs nowhere. torchvision need not be installed.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from parity.blame import hand_on, is_installed
from parity.frameworks.replacing import Replacing

CHAINS = ("Compose", "RandomApply", "RandomChoice", "RandomOrder")
_KNOWN = ("torchvision.transforms", "paddle.vision.transforms")
_active = Replacing()  # what is told of the transforms that run in this thread
_changed: list[tuple[type, str, Any]] = []

Observe = Callable[[Any, Any, Any], None]
"""(transform, what it was given, what it made of that)"""


@contextmanager
def watching(observe: Observe, classes: Sequence[type]) -> Iterator[None]:
    """While active, `observe` is called after each transform of a chain of these classes that runs in this thread."""
    with _active.on(observe, functools.partial(_install, classes), _uninstall):
        yield


def chains() -> Iterator[type]:
    """Classes of that name, with a list `transforms`, that are loaded: of the two libraries, or of nobody's that was installed."""
    seen = set()
    for name, module in list(sys.modules.items()):
        names = getattr(module, "__dict__", {})
        for chain in CHAINS:
            found = names.get(chain)
            if not isinstance(found, type) or id(found) in seen or found.__module__ != name:
                continue
            if name.startswith(_KNOWN) or not is_installed(getattr(module, "__file__", None) or "site-packages/"):
                seen.add(id(found))
                yield found


def _install(classes: Sequence[type]) -> None:
    for chain in classes:
        method = "forward" if "forward" in vars(chain) else "__call__"
        if method in vars(chain):
            original = vars(chain)[method]
            _changed.append((chain, method, original))
            setattr(chain, method, _watched(original))


def _uninstall() -> None:
    while _changed:
        setattr(*_changed.pop())


def _watched(original: Callable) -> Callable:
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        observe, transforms = _active.value, getattr(self, "transforms", None)
        if observe is None or not isinstance(transforms, (list, tuple)):
            return hand_on(original, self, *args, **kwargs)
        self.transforms = [_Told(one, observe) for one in transforms]
        try:
            return hand_on(original, self, *args, **kwargs)
        finally:
            self.transforms = transforms

    return run


def _nothing() -> None:
    """All that is to be installed is."""


class _Told:
    """In place of a transform: does what it does, and tells."""

    def __init__(self, transform: Any, observe: Observe) -> None:
        self._transform, self._observe = transform, observe

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = args[0] if len(args) == 1 else args
        chained = type(self._transform).__name__ in CHAINS  # what a transform does inside is its own affair
        with contextlib.nullcontext() if chained else _active.on(None, _nothing, _nothing):
            made = hand_on(self._transform, *args, **kwargs)
        self._observe(self._transform, given, made)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transform, name)
