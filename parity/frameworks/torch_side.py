"""PyTorch behind the `Framework` interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from parity.frameworks.base import Framework, FrameworkError
from parity.frameworks.torch_rounding import StochasticRounding

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class TorchFramework(Framework):
    name = "torch"

    @property
    def version(self) -> str:
        return torch.__version__

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    def tensor(self, array: np.ndarray, *, requires_grad: bool = False, device: str = "cpu") -> torch.Tensor:
        tensor = torch.tensor(array, device=_device(device))
        return tensor.requires_grad_(requires_grad)

    def array(self, tensor: torch.Tensor, *, copy: bool) -> np.ndarray:
        array = tensor.detach().cpu().numpy()
        return array.copy() if copy else array

    def version_of(self, tensor: torch.Tensor) -> int:
        return tensor._version

    def shape_dtype(self, tensor: torch.Tensor) -> tuple[tuple[int, ...], str]:
        return tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")

    def requires_grad(self, tensor: torch.Tensor) -> bool:
        return tensor.requires_grad

    def on_gradient(self, tensor: torch.Tensor, observe: Callable[[Any], None]) -> None:
        tensor.register_hook(lambda gradient: observe(gradient))

    def observable(self, tensor: torch.Tensor) -> torch.Tensor:
        # A write in place to a view (instance_norm returns one, ReLU(True) follows) rebuilds the graph of its base, and
        # a hook on the view is lost with the old one.
        return tensor.clone() if tensor.requires_grad and tensor._is_view() else tensor

    def clone(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.clone()

    def backward(self, tensors: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> None:
        torch.autograd.backward(list(tensors), list(gradients))

    def rounding(self, seed: int) -> StochasticRounding:
        return StochasticRounding(seed)

    def is_model(self, value: Any) -> bool:
        return isinstance(value, torch.nn.Module)

    def modules(self, model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
        return model.named_modules()

    def parameters(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        return dict(model.named_parameters())

    def buffers(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        return dict(model.named_buffers())

    def load_state(self, model: torch.nn.Module, state: Mapping[str, np.ndarray]) -> None:
        try:
            model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        except RuntimeError as error:
            raise FrameworkError(str(error)) from error

    def before_forward(self, module: torch.nn.Module, hook: Callable) -> Callable[[], None]:
        return module.register_forward_pre_hook(lambda m, inputs: hook(m, inputs)).remove

    def after_forward(self, module: torch.nn.Module, hook: Callable) -> Callable[[], None]:
        return module.register_forward_hook(lambda m, inputs, outputs: hook(m, inputs, outputs)).remove

    def prepare(self, model: torch.nn.Module, *, dtype: str, training: bool, device: str) -> torch.nn.Module:
        return model.to(device=_device(device), dtype=_DTYPES[dtype]).train(training)

    @property
    def module_class(self) -> type:
        return torch.nn.Module

    def clear_gradient(self, tensor: torch.Tensor) -> None:
        tensor.grad = None

    def gradient(self, tensor: torch.Tensor) -> torch.Tensor | None:
        return tensor.grad


def _device(device: str) -> torch.device:
    if device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise FrameworkError("--device gpu: this PyTorch sees no CUDA device; install a CUDA build, or use cpu")
    return torch.device("cuda")
