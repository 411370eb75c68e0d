"""`parity.frameworks.lifting` of torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.amp import grad_scaler
from torch.overrides import TorchFunctionMode

from parity.blame import hand_on
from parity.frameworks.lifting import Lifted, Rounded, folder_of, is_the_programs, of_numbers

_WIDER = {torch.float32: torch.float64, torch.complex64: torch.complex128}
_CASTS = {torch.Tensor.float: torch.Tensor.double, torch.Tensor.cfloat: torch.Tensor.cdouble}
_TORCH = folder_of(torch)


class Lifting(TorchFunctionMode):
    """While active, no tensor of the program is float32; or its constants are rounded to it (`Rounded`)."""

    def __init__(self, lifted: Lifted) -> None:
        super().__init__()
        self._lifted = lifted

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if not is_the_programs(_TORCH, grad_scaler.__file__):
            return hand_on(func, *args, **kwargs)
        if isinstance(self._lifted, Rounded):
            return self._rounded(hand_on(func, *args, **kwargs), func, (*args, *kwargs.values()))
        named = func in _CASTS or any(isinstance(one, torch.dtype) and one in _WIDER for one in (*args, *kwargs.values()))
        result = hand_on(_CASTS.get(func, func), *map(_wider, args), **{name: _wider(value) for name, value in kwargs.items()})
        made = isinstance(result, torch.Tensor) and result.dtype in _WIDER  # of an array, or by a function that names it itself
        self._lifted.count += named or made
        return result.to(_WIDER[result.dtype]) if made else result

    def _rounded(self, result: Any, func: Any, given: tuple) -> Any:
        made = isinstance(result, torch.Tensor) and result.dtype == torch.float64 and not result.requires_grad
        if not made or any(isinstance(one, torch.dtype) for one in given):
            return result
        operands = [one for one in given if isinstance(one, torch.Tensor)]
        of_integers = bool(operands) and not any(one.is_floating_point() or one.is_complex() for one in operands)
        if not of_integers and not of_numbers(getattr(func, "__name__", ""), given, torch.Tensor):
            return result
        own = result.cpu().numpy()  # by numpy: a noise draw would move a cast of torch's by what float32 rounds
        rounded = own.astype(np.float32)
        self._lifted.count += not np.array_equal(rounded, own)
        return torch.from_numpy(rounded if of_integers else rounded.astype(np.float64)).to(result.device)


def _wider(value: Any) -> Any:
    return _WIDER.get(value, value) if isinstance(value, torch.dtype) else value
