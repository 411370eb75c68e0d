"""Functions of the framework, and methods of optimizers, wrapped while the watch is on and given back afterwards."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from types import MethodType
from typing import Any

from parity.doctor.watching.scene import Scene


class Call:
    """A function that is watched, called once by what stands around it; and how that ended."""

    __slots__ = ("__name__", "_function", "done", "raised", "result")

    def __init__(self, function: Callable) -> None:
        self._function, self.done, self.raised, self.result = function, False, None, None
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self.result = self._function(*args, **kwargs)
        except Exception as error:
            self.raised = id(error)  # the error itself would be a cycle through its frames
            raise
        self.done = True
        return self.result


class Wrappers:
    """What stands around a function is only called in the thread that made this, and while an iteration is watched.

    Its own errors end the watch, and not the training: the program gets what the function itself gives.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stack = ExitStack()
        self._thread = threading.get_ident()

    def function(self, owner: Any, name: str, around: Callable[[Call, tuple, dict], Any]) -> None:
        """Put `around(original, args, kwargs)` in the place of `owner.name`."""
        scene, original, own = self._scene, getattr(owner, name), name in vars(owner)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if scene.current is None or threading.get_ident() != self._thread:
                return original(*args, **kwargs)
            call = Call(original)
            try:
                if sys.gettrace() is None:
                    return around(call, args, kwargs)
                with scene.lines.paused:
                    return around(call, args, kwargs)
            except Exception as error:
                if call.raised == id(error):
                    raise
                return self._without(call, error, args, kwargs)

        setattr(owner, name, wrapped)
        self.on_close(lambda: setattr(owner, name, original) if own else delattr(owner, name))

    def method(self, optimizer: Any, method: str, around: Callable[[Callable[[], Any]], Any]) -> None:
        """Put `around(proceed)` in the place of an optimizer's method; not within its own step."""
        scene, original, own = self._scene, getattr(optimizer, method), vars(optimizer).get(method)

        def step(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            if scene.current is None or scene.in_step:
                return original(*args, **kwargs)
            call = Call(original)
            if any(map(callable, (*args, *kwargs.values()))):  # a closure: the work of the step is done within it
                scene.work_begins()
                if scene.current is None:  # enough was watched
                    return original(*args, **kwargs)

            def proceed() -> Any:
                with scene.lines.resumed if args or kwargs else nullcontext():  # a closure is the user's code
                    return call(*args, **kwargs)

            try:
                with scene.lines.paused:
                    return around(proceed)
            except Exception as error:
                if call.raised == id(error):
                    raise
                return self._without(call, error, args, kwargs)

        functools.update_wrapper(step, getattr(original, "__func__", original))
        setattr(optimizer, method, MethodType(step, optimizer))  # a scheduler made later asks for a bound method
        self.on_close(lambda: delattr(optimizer, method) if own is None else setattr(optimizer, method, own))

    def on_close(self, give_back: Callable[[], Any]) -> None:
        self._stack.callback(give_back)

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()

    def _without(self, call: Call, error: Exception, args: tuple, kwargs: dict) -> Any:
        """What the program gets where the watch has failed."""
        self._scene.fail(error)
        return call.result if call.done else call(*args, **kwargs)
