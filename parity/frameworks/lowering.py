"""Where a program asks for a lower precision (autocast).

It is seen where it is asked for: neither framework lowers float64, nor Paddle anything on the CPU, so no number tells of it there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from parity.blame import hand_on
from parity.frameworks.replacing import Replacing


class Lowering:
    """A function of a framework that turns autocast on, watched while a run asks for it.

    owner, name: where it stands. asks: (its arguments) -> whether this call turns it on.
    """

    def __init__(self, owner: Any, name: str, asks: Callable[..., bool]) -> None:
        self._owner, self._name, self._asks = owner, name, asks
        self._own, self._observers = getattr(owner, name), Replacing()

    def watched(self, observe: Callable[[], None]) -> AbstractContextManager:
        """While active, `observe()` is called, in this thread, wherever a program turns autocast on."""
        return self._observers.on(observe, lambda: setattr(self._owner, self._name, self._standing_in()),
                                  lambda: setattr(self._owner, self._name, self._own))

    def _standing_in(self) -> Callable:
        own, observers, asks = self._own, self._observers, self._asks

        def turn_on(*args: Any, **kwargs: Any) -> Any:
            if observers.value is not None and hand_on(asks, *args, **kwargs):
                observers.value()
            return hand_on(own, *args, **kwargs)

        return turn_on
