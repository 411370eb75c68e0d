"""What the harness asks of a framework, and the two answers: `TorchFramework`, `PaddleFramework`.

Each side is imported when it is first asked for: who has one framework only need not have the other, and a comparison of two
traces needs neither.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from parity.frameworks.base import Framework, FrameworkError, pixels_in
from parity.frameworks.select import loadable, of_model, of_tensor


class Late:
    """A framework that is imported when something is asked of it: who runs one side need not have the other."""

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self.name = kind, name

    @cached_property
    def _framework(self) -> Framework:
        return __getattr__(self._kind)()

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(self._framework, attribute)


def itself(framework: Framework) -> Framework:
    """The framework that stands behind a `Late` one, for who asks it at every value."""
    return framework._framework if isinstance(framework, Late) else framework


FRAMEWORKS: tuple[Framework, Framework] = (Late("TorchFramework", "torch"), Late("PaddleFramework", "paddle"))
"""The reference's and the twin's."""

__all__ = ["FRAMEWORKS", "Framework", "FrameworkError", "PaddleFramework", "TorchFramework", "itself", "loadable",
           "of_model", "of_tensor", "pixels_in"]


def __getattr__(name: str) -> Any:
    if name == "PaddleFramework":
        from parity.frameworks.paddle_side import PaddleFramework
        return PaddleFramework
    if name == "TorchFramework":
        from parity.frameworks.torch_side import TorchFramework
        return TorchFramework
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
