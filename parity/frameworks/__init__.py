"""What the harness asks of a framework, and the two answers: `TorchFramework`, `PaddleFramework`.

The answers are imported when they are asked for: a comparison of two traces needs neither framework.
"""

from typing import TYPE_CHECKING, Any

from parity.frameworks.base import Framework, FrameworkError, numbers_in, of_model, of_tensor, pixels_in

if TYPE_CHECKING:
    from parity.frameworks.paddle_side import PaddleFramework
    from parity.frameworks.torch_side import TorchFramework

__all__ = ["Framework", "FrameworkError", "PaddleFramework", "TorchFramework", "numbers_in", "of_model", "of_tensor",
           "pixels_in"]


def __getattr__(name: str) -> Any:
    if name == "TorchFramework":
        from parity.frameworks.torch_side import TorchFramework
        return TorchFramework
    if name == "PaddleFramework":
        from parity.frameworks.paddle_side import PaddleFramework
        return PaddleFramework
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
