"""PyTorch checkpoint files, read without running their code, on a machine without GPU."""

import pickle
import re
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from .errors import CheckpointError, brief
from .inputs import existing_file

_DTYPES = {torch.float16, torch.float32, torch.float64, torch.bool, torch.uint8,
           torch.int8, torch.int16, torch.int32, torch.int64}  # fmt: skip
_DEEPEST = 2  # a dict of state dicts

State = dict[str, np.ndarray]


def read_torch(path: str | Path) -> dict[str, State | np.ndarray]:
    """A `.pt` file as it is: name -> array, or name -> (name -> array), in the order of the file.

    Zip files are mapped into memory and their arrays are views of the map; legacy files (before torch 1.6)
    are read whole. Storages saved on a GPU come to the CPU. No code from the file is run. The arrays are
    read-only.

    Raises:
        CheckpointError: missing, a folder, empty, truncated, of another format, compressed, asking to run
            code, or holding anything else than CPU tensors of a numpy dtype.
    """
    path = existing_file(path)
    mapped = _looks_zipped(path)
    if mapped:
        _check_zip(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # torch raises nearly anything on a damaged file
        raise _unreadable(path, error) from error
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: expected a dict of tensors, found {_a(content)}; save a state_dict")
    return _to_numpy(path, content)


def write_torch(
    path: str | Path, states: Mapping[str, Mapping[str, np.ndarray]], metadata: Mapping | None = None
) -> None:
    """torch.save of an ordered dict of state dicts: the layout of an official checkpoint.

    Args:
        path: written directly; for an atomic write give a path from `Staging`.
        states: network -> (name -> array), any memory order.
        metadata: network -> the `_metadata` of its `state_dict()`, which torch keeps for versioned layers.
    Raises:
        CheckpointError, OSError: the file cannot be written.
    """
    checkpoint = OrderedDict()
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The given NumPy array is not writable"
        )  # nothing writes to them
        for network, state in states.items():
            tensors = (
                (name, torch.from_numpy(np.asarray(array, order="C"))) for name, array in state.items()
            )
            checkpoint[network] = OrderedDict(tensors)
            if metadata and network in metadata:
                checkpoint[network]._metadata = metadata[network]
    try:
        torch.save(checkpoint, path)
    except RuntimeError as error:  # so torch calls a full disk
        raise CheckpointError(f"{Path(path).name}: cannot write ({brief(error)})") from error


def _looks_zipped(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _check_zip(path: Path) -> None:
    """What torch does not check: it maps the members as they lie in the file, so none may be compressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # zipfile, too, raises nearly anything on a damaged file
        raise CheckpointError(
            f"{path}: a damaged or truncated zip file ({brief(error)}); copy it again"
        ) from error
    names = [member.filename for member in members]
    if not any(name.endswith("/data.pkl") for name in names):
        raise CheckpointError(f"{path}: a zip file, but not a PyTorch checkpoint (it has no data.pkl)")
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(f"{path}: a TorchScript program, not a checkpoint; save its state_dict")
    if len(set(names)) != len(names):
        raise CheckpointError(f"{path}: two members of the zip file share a name; not written by torch.save")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(
                f"{path}: member {member.filename!r} is compressed; save it again with torch.save"
            )


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    """torch's many pages on `weights_only` as one line, without their advice to switch it off."""
    if (refused := re.search(r"(?:GLOBAL|global:?) ([\w.]+\.[\w.]+)", str(error))) is not None:
        return CheckpointError(
            f"{path}: expected tensors only, but the file asks to import {refused[1]}; its code was not run; "
            "save a plain state_dict, or use a checkpoint that you trust"
        )
    if tarfile.is_tarfile(path):
        return CheckpointError(
            f"{path}: a tar archive (torch before 0.2), which is not read; save it again with torch"
        )
    return CheckpointError(
        f"{path}: expected a PyTorch checkpoint, found a truncated or foreign file ({_reason(error)}); "
        "copy or download it again"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        said = str(error).partition("WeightsUnpickler error: ")[2]
        return said.partition("\n")[0].strip() or "no state_dict"
    return brief(error)


def _to_numpy(path: Path, content: Mapping, prefix: str = "", depth: int = 1) -> dict:
    result = {}
    for name, value in content.items():
        where = f"{path}: {prefix}{name}"
        if not isinstance(name, str):
            raise CheckpointError(f"{where}: expected names, found a key that is {_a(name)}")
        if isinstance(value, Mapping) and depth < _DEEPEST:
            result[name] = _to_numpy(path, value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, torch.Tensor):
            result[name] = _array(where, value)
        else:
            raise CheckpointError(
                f"{where}: expected a tensor, found {_a(value)}; keep only state_dicts in the file"
            )
    return result


def _array(where: str, tensor: torch.Tensor) -> np.ndarray:
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.dtype not in _DTYPES:
        found = f"{tensor.dtype}, {tensor.layout}, {tensor.device}"
        raise CheckpointError(
            f"{where}: expected a dense CPU tensor of a numpy dtype, found {found}; convert it in torch"
        )
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(
            f"{where}: claims shape {tuple(tensor.shape)}, but the file holds fewer bytes for it"
        )
    array = tensor.detach().numpy()
    array.flags.writeable = False
    return array


def _a(value: object) -> str:
    return f"of type {type(value).__name__}"
