"""Proof that what lies on the disk is what was meant: by the target framework's own loader, bit for bit."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy

from .absent import framework
from .bits import same_bits, sha256_file
from .dtypes import BFLOAT16
from .errors import VerificationError, brief
from .output import Output
from .paddle_files import read_paddle
from .plan import Plan

paddle, torch = framework("paddle"), framework("torch")

LEVELS = ("full", "checksum", "none")
"""full: every tensor reloaded by the target framework and compared. checksum: the files read back, their SHA-256 compared
with that of what was written. none."""


def same_file(path: Path, written: Output) -> None:
    """Raises VerificationError unless the file, as it is read back, has the size and (where it was computed) the SHA-256
    of what was written."""
    if path.stat().st_size != written.size or (written.sha256 and sha256_file(path) != written.sha256):
        raise VerificationError(
            f"{path.name}: the disk returned other bytes than were written; check the disk"
        )


def verify_paddle(
    network: str, path: Path, planned: Plan, state: Mapping[str, np.ndarray], layer: paddle.nn.Layer
) -> None:
    """The file through Paddle's own loader, and through `set_state_dict` where the layer has memory for it.

    `paddle.load` runs what a file says: whoever wrote it, the file is first read as data, in which there is no code.
    """
    read_paddle(path)
    loaded = _load(path)
    _compare(f"{path.name}, reloaded", planned, state, loaded)
    if not all(parameter._is_initialized() for parameter in layer.parameters()):
        return  # built under LazyGuard: it has names and shapes, and those the plan has checked
    _adopt_precision(layer, loaded)
    try:  # numpy's uint16 is how Paddle takes a bfloat16
        missing, unexpected = layer.set_state_dict(
            {name: array.view(np.uint16) if array.dtype == BFLOAT16 else array for name, array in loaded.items()}
        )
    except Exception as error:
        raise VerificationError(f"{network}: Paddle's set_state_dict failed ({brief(error)})") from error
    missing = [name for name in missing if name not in planned.derived]
    if missing or unexpected:
        raise VerificationError(
            f"{network}: Paddle's set_state_dict misses {missing} and ignores {unexpected}"
        )
    held = {name: tensor for name, tensor in layer.state_dict().items() if name not in planned.derived}
    _compare(f"{network}, after set_state_dict", planned, state, held)


def _load(path: Path) -> dict[str, np.ndarray]:
    if path.suffix != ".safetensors":
        loaded = paddle.load(str(path), return_numpy=True)
    else:
        try:
            loaded = paddle.load(str(path), safetensors=True, return_numpy=True)
        except ValueError as error:
            if "(safetensors)" not in str(error):
                raise
            loaded = safetensors.numpy.load_file(path)  # up to 3.0 Paddle has no loader of its own for them
    return {name: paddle_array(array) for name, array in loaded.items()}


def verify_torch(
    path: Path,
    plans: Mapping[str, Plan],
    paddle_states: Mapping[str, Mapping[str, np.ndarray]],
    modules: Mapping[str, torch.nn.Module],
    bare: bool = False,
) -> None:
    """The file through `torch.load`, then strictly into the torch networks."""
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    content = {next(iter(plans)): content} if bare else content
    for network, planned in plans.items():
        for entry in planned.entries.values():
            if entry.target is None:
                continue
            found = entry.to_paddle(torch_array(content[network][entry.source]))
            if not same_bits(found, paddle_states[network][entry.target]):
                raise VerificationError(
                    f"{path.name}: {network}.{entry.source} is not, bit for bit, {entry.target}"
                )
        try:  # assign: a module on the meta device or of another precision takes the tensors as they are
            missing, unexpected = modules[network].load_state_dict(content[network], strict=not planned.left_out, assign=True)
        except RuntimeError as error:
            raise VerificationError(f"{network}: torch's load_state_dict failed ({brief(error)})") from error
        missing = [name for name in missing if name not in planned.left_out]
        if missing or unexpected:
            raise VerificationError(f"{network}: torch's load_state_dict misses {missing} and ignores {unexpected}")


def torch_array(tensor: torch.Tensor) -> np.ndarray:
    """A view of the tensor; numpy has no bfloat16 of its own."""
    tensor = tensor.detach()
    return tensor.view(torch.int16).numpy().view(BFLOAT16) if tensor.dtype is torch.bfloat16 else tensor.numpy()


def paddle_array(tensor) -> np.ndarray:
    """A Paddle tensor's values; of bfloat16 `numpy()` gives the bits as uint16."""
    array = tensor if isinstance(tensor, np.ndarray) else tensor.numpy()
    return array.view(BFLOAT16) if array.dtype == np.uint16 else array


def _compare(where: str, planned: Plan, state: Mapping[str, np.ndarray], found: Mapping) -> None:
    expected = {entry.target: entry for entry in planned.entries.values() if entry.target is not None}
    if expected.keys() != found.keys():
        raise VerificationError(
            f"{where}: other tensors than were meant: {sorted(expected.keys() ^ found.keys())}"
        )
    for name, entry in expected.items():
        if not same_bits(paddle_array(found[name]), entry.to_paddle(state[entry.source])):
            raise VerificationError(f"{where}: {name} is not, bit for bit, the source's {entry.source}")


def _adopt_precision(layer: paddle.nn.Layer, state: Mapping) -> None:
    """Paddle's set_state_dict refuses another precision than the layer's. Only where needed: `to` makes
    integers floating, too."""
    wanted, held = ({d for d in _dtypes(s) if "float" in d} for s in (state, layer.state_dict()))
    if len(wanted) == 1 and wanted != held:
        layer.to(dtype=wanted.pop())


def _dtypes(state: Mapping) -> set[str]:
    return {str(tensor.dtype).removeprefix("paddle.") for tensor in state.values()}
