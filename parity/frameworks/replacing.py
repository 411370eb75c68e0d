"""Functions of the whole process that are replaced while some run in some thread asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Attributes:
    """Of modules and classes, those that hold something else for a time."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, value: Any) -> None:
        self._before.append((owner, name, vars(owner)[name]))
        setattr(owner, name, value)

    def restore(self) -> None:
        while self._before:
            setattr(*self._before.pop())


class Replacing:
    """What stands in for functions: there while anybody uses it, and each thread with a value of its own."""

    def __init__(self) -> None:
        self._local, self._lock, self._users = threading.local(), threading.Lock(), 0

    @property
    def value(self) -> Any:
        """Of the run in this thread; None without one."""
        return getattr(self._local, "value", None)

    @contextmanager
    def on(self, value: Any, install: Callable[[], None], uninstall: Callable[[], None]) -> Iterator[None]:
        """Who comes first installs, who leaves last uninstalls."""
        before = self.value
        with self._lock:
            self._users += 1
            if self._users == 1:
                install()
        self._local.value = value
        try:
            yield
        finally:
            self._local.value = before
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    uninstall()
