"""Whole official checkpoints, both ways: read, lay out, write, reload, compare, and only then publish."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import paddle
import torch

from .bits import same_bits, sha256_file
from .errors import CheckpointError, ConversionError, VerificationError, brief
from .layouts import DEFAULT, LayoutTable
from .official import NETWORKS, Sizes, infer_sizes
from .paddle_files import FORMATS, read_paddle, write_paddle
from .plan import Plan, Progress, plan
from .receipt import make_receipt, write_receipt
from .staging import Staging
from .torch_files import read_torch, write_torch

Build = Callable[[str, Sizes], tuple[torch.nn.Module, paddle.nn.Layer]]


def convert_to_paddle(
    src: str | Path,
    out_dir: str | Path,
    build: Build,
    format: str = "pdparams",
    *,
    table: LayoutTable = DEFAULT,
    progress: Progress | None = None,
) -> dict:
    """An official `.pt` checkpoint as one Paddle file per network, `out_dir/genA2B.pdparams` and so on, and
    a receipt.

    Every file is reloaded by Paddle's own loader and compared bit for bit with `src`, and so is what a
    Paddle network holds after `set_state_dict`. All files appear together, `out_dir/receipt.json` last, or
    none does.

    Args:
        src: a `.pt` file, zip or legacy.
        out_dir: made if it is not there. Files of the same names in it are replaced, others left alone.
        build: called as `build(network, sizes)`; returns the torch network (the meta device will do) and the
            Paddle network, which is given the weights (and their precision).
        format: "pdparams" or "safetensors".
        table: layout rules by layer type.
        progress: called with (`network/tensor`, bytes) for each tensor written.
    Returns:
        The receipt, as it is in `receipt.json`.
    Raises:
        CheckpointError: `src` cannot be read, is no official checkpoint, or `out_dir` cannot be written.
        LayoutError: the two networks of `build` cannot be paired.
        StateError: the checkpoint does not fit the torch network.
        VerificationError: what was written does not read back as it should.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    src = Path(src)
    states = read_torch(src)
    with _in(src):
        sizes = infer_sizes(states)
    plans, files = {}, []
    with Staging(out_dir) as stage:
        for network in NETWORKS:
            torch_module, layer = build(network, sizes[network])
            path = stage.path(f"{network}.{format}")
            with _in(network):
                plans[network] = plan(torch_module, layer, table)
                pairs = plans[network].iter_to_paddle(states[network], _within(network, progress))
                digest = write_paddle(path, pairs)
            _verify_paddle(network, path, digest, plans[network], states[network], layer)
            files.append(path)
        receipt = make_receipt(
            to="paddle", source=[src], files=files, sizes=sizes, plans=plans, states=states
        )
        write_receipt(stage.path("receipt.json"), receipt)
    return receipt


def convert_to_torch(
    src_dir: str | Path,
    dst: str | Path,
    build: Build,
    format: str | None = None,
    *,
    table: LayoutTable = DEFAULT,
    progress: Progress | None = None,
) -> dict:
    """One Paddle file per network as an official `.pt` checkpoint with its six keys, and a receipt beside it.

    The checkpoint is reloaded by `torch.load`, compared bit for bit with the source, and loaded into the
    torch networks strictly. `dst` and `dst.receipt.json` appear together or not at all.

    Args:
        src_dir: a folder with `genA2B.pdparams` (or `.safetensors`) and so on; they are read without running
            their code.
        dst: the `.pt` file to write; replaced if it exists.
        build, table, progress: as in `convert_to_paddle`; here the torch network is given the weights.
        format: needed where `src_dir` holds both formats.
    Returns:
        The receipt.
    Raises:
        CheckpointError, LayoutError, StateError, VerificationError: as in `convert_to_paddle`.
    """
    src_dir, dst = Path(src_dir), Path(dst)
    sources = _network_files(src_dir, format)
    paddle_states = {network: read_paddle(path) for network, path in sources.items()}
    with _in(src_dir):
        sizes = infer_sizes(paddle_states)
    plans, states, modules = {}, {}, {}
    for network in NETWORKS:
        modules[network], layer = build(network, sizes[network])
        with _in(network):
            plans[network] = plan(modules[network], layer, table)
            states[network] = plans[network].to_torch(paddle_states[network], _within(network, progress))
    with Staging(dst.parent) as stage:
        path = stage.path(dst.name)
        write_torch(
            path, states, {network: module.state_dict()._metadata for network, module in modules.items()}
        )
        _verify_torch(path, plans, paddle_states, modules)
        receipt = make_receipt(
            to="torch", source=list(sources.values()), files=[path], sizes=sizes, plans=plans, states=states
        )
        write_receipt(stage.path(f"{dst.name}.receipt.json"), receipt)
    return receipt


def _network_files(folder: Path, format: str | None) -> dict[str, Path]:
    if format not in (None, *FORMATS):
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: expected the folder that holds {NETWORKS[0]}.{FORMATS[0]} and so on"
        )
    found = {
        f: [n for n in NETWORKS if (folder / f"{n}.{f}").exists()] for f in ([format] if format else FORMATS)
    }
    complete = [f for f, networks in found.items() if len(networks) == len(NETWORKS)]
    if len(complete) > 1:
        raise CheckpointError(
            f"{folder}: holds both {' and '.join(complete)} files; say which format to read"
        )
    if not complete:
        best = max(found, key=lambda f: len(found[f]))
        missing = ", ".join(f"{n}.{best}" for n in NETWORKS if n not in found[best])
        raise CheckpointError(f"{folder}: expected one file for each of the six networks, missing {missing}")
    return {network: folder / f"{network}.{complete[0]}" for network in NETWORKS}


def _verify_paddle(
    network: str,
    path: Path,
    digest: str,
    planned: Plan,
    state: Mapping[str, np.ndarray],
    layer: paddle.nn.Layer,
) -> None:
    """The file through Paddle's own loader, then through the network, each bit for bit against the source."""
    if sha256_file(path) != digest:  # paddle.load runs what a file says: only ever our own bytes
        raise VerificationError(
            f"{path.name}: the disk returned other bytes than were written; check the disk"
        )
    loaded = read_paddle(path) if path.suffix == ".safetensors" else paddle.load(str(path))
    _compare(f"{path.name}, reloaded", planned, state, loaded)
    _adopt_precision(layer, loaded)
    try:
        missing, unexpected = layer.set_state_dict(loaded)
    except Exception as error:
        raise VerificationError(f"{network}: Paddle's set_state_dict failed ({brief(error)})") from error
    missing = [name for name in missing if name not in planned.derived]
    if missing or unexpected:
        raise VerificationError(
            f"{network}: Paddle's set_state_dict misses {missing} and ignores {unexpected}"
        )
    held = {name: tensor for name, tensor in layer.state_dict().items() if name not in planned.derived}
    _compare(f"{network}, after set_state_dict", planned, state, held)


def _compare(where: str, planned: Plan, state: Mapping[str, np.ndarray], found: Mapping) -> None:
    expected = {entry.target: entry for entry in planned.entries.values() if entry.target is not None}
    if expected.keys() != found.keys():
        raise VerificationError(
            f"{where}: other tensors than were meant: {sorted(expected.keys() ^ found.keys())}"
        )
    for name, entry in expected.items():
        array = found[name] if isinstance(found[name], np.ndarray) else found[name].numpy()
        if not same_bits(entry.to_torch(array), state[entry.source]):
            raise VerificationError(f"{where}: {name} is not, bit for bit, the source's {entry.source}")


def _adopt_precision(layer: paddle.nn.Layer, state: Mapping) -> None:
    """Paddle's set_state_dict refuses another precision than the layer's. Only where needed: `to` makes
    integers floating, too."""
    wanted, held = ({d for d in _dtypes(s) if "float" in d} for s in (state, layer.state_dict()))
    if len(wanted) == 1 and wanted != held:
        layer.to(dtype=wanted.pop())


def _dtypes(state: Mapping) -> set[str]:
    return {str(tensor.dtype).removeprefix("paddle.") for tensor in state.values()}


def _verify_torch(
    path: Path,
    plans: Mapping[str, Plan],
    paddle_states: Mapping[str, Mapping[str, np.ndarray]],
    modules: Mapping[str, torch.nn.Module],
) -> None:
    reloaded = read_torch(path)
    for network, planned in plans.items():
        for entry in planned.entries.values():
            if entry.target is None:
                continue
            source = paddle_states[network][entry.target]
            if not same_bits(entry.to_paddle(reloaded[network][entry.source]), source):
                raise VerificationError(
                    f"{path.name}: {network}.{entry.source} is not, bit for bit, {entry.target}"
                )
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    for network, module in modules.items():
        try:  # assign: a module on the meta device or of another precision takes the tensors as they are
            module.load_state_dict(content[network], strict=True, assign=True)
        except RuntimeError as error:
            raise VerificationError(f"{network}: torch's load_state_dict failed ({brief(error)})") from error


def _within(network: str, progress: Progress | None) -> Progress | None:
    return progress and (lambda name, nbytes: progress(f"{network}/{name}", nbytes))


@contextmanager
def _in(place: str | Path) -> Iterator[None]:
    """Says where, in front of whatever the block has to complain of."""
    try:
        yield
    except ConversionError as error:
        raise type(error)(f"{place}: {error}") from error
