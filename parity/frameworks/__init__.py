"""What the harness asks of a framework, and the two answers: `TorchFramework`, `PaddleFramework`."""

from parity.frameworks.base import Framework, FrameworkError, numbers_in, of_model, of_tensor, pixels_in
from parity.frameworks.paddle_side import PaddleFramework
from parity.frameworks.torch_side import TorchFramework

__all__ = ["Framework", "FrameworkError", "PaddleFramework", "TorchFramework", "numbers_in", "of_model", "of_tensor",
           "pixels_in"]
