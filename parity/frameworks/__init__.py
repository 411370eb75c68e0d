"""What the harness asks of a framework, and the two answers: `TorchFramework`, `PaddleFramework`.

Each side is imported when it is first asked for: who has one framework only need not have the other, and a comparison of two
traces needs neither.
"""

from __future__ import annotations

from typing import Any

from parity.frameworks.base import Framework, FrameworkError, loadable, numbers_in, of_model, of_tensor, pixels_in

__all__ = ["Framework", "FrameworkError", "PaddleFramework", "TorchFramework", "loadable", "numbers_in", "of_model", "of_tensor",
           "pixels_in"]


def __getattr__(name: str) -> Any:
    if name == "PaddleFramework":
        from parity.frameworks.paddle_side import PaddleFramework
        return PaddleFramework
    if name == "TorchFramework":
        from parity.frameworks.torch_side import TorchFramework
        return TorchFramework
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
