"""One forward and backward pass of a pair, compared: both sides, the ladder, the one pass, the runner that users call.

The package is also the function `parity.compare(pair)`: see `parity.door.compare`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import parity


class _Callable(ModuleType):
    """`parity.compare(...)`: the package under the name that users write."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return parity.door.compare(*args, **options)


sys.modules[__name__].__class__ = _Callable
