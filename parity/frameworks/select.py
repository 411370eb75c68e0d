"""Which of the frameworks: by name, imported when it is first asked for; of a model; of a tensor."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from parity.frameworks.base import Framework, FrameworkError


def _frameworks() -> Iterator[Framework]:
    """Those that have been imported: a value is of no other."""
    if "torch" in sys.modules:
        from parity.frameworks.torch_side import TorchFramework
        yield TorchFramework()
    if "paddle" in sys.modules:
        from parity.frameworks.paddle_side import PaddleFramework
        yield PaddleFramework()


def loadable(wanted: Collection[str] = ("torch", "paddle")) -> Iterator[Framework]:
    """Those of the wanted that are installed; importing them is the price."""
    if "torch" in wanted:
        with suppress(ImportError):
            from parity.frameworks.torch_side import TorchFramework
            yield TorchFramework()
    if "paddle" in wanted:
        with suppress(ImportError):
            from parity.frameworks.paddle_side import PaddleFramework
            yield PaddleFramework()


def of_model(model: Any) -> Framework:
    """The framework whose module this is; `FrameworkError` if it is neither's."""
    for framework in _frameworks():
        if framework.is_model(model):
            return framework
    raise FrameworkError(f"expected a torch.nn.Module or a paddle.nn.Layer, found {type(model).__module__}."
                         f"{type(model).__qualname__}")


def of_tensor(value: Any) -> Framework:
    """The framework whose tensor this is; `FrameworkError` if it is neither's."""
    for framework in _frameworks():
        if framework.is_tensor(value):
            return framework
    raise FrameworkError(f"expected a torch or Paddle tensor, found {type(value).__qualname__}")
