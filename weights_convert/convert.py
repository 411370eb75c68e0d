"""Whole checkpoints, both ways: map, lay out, write block by block, verify, and only then publish."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from . import optimizer_files
from .absent import framework
from .bits import sha256_array, sha256_file
from .errors import ConversionError, StateError, VerificationError
from .inputs import existing_file
from .layouts import DEFAULT, LayoutTable
from .official import infer_sizes
from .paddle_files import FORMATS, read_paddle, write_paddle
from .plan import Plan, Progress, plan
from .receipt import Sums, make_receipt, read_receipt, receipt_line, write_receipt
from .selection import paddle_networks, torch_networks
from .staging import Staging
from .torch_files import read_torch
from .torch_writer import write_torch
from .verification import LEVELS, same_file, verify_paddle, verify_torch

paddle, torch = framework("paddle"), framework("torch")

Build = Callable[[str, Any], tuple[torch.nn.Module, paddle.nn.Layer]]
Pairing = Callable[[torch.nn.Module, paddle.nn.Layer, LayoutTable], Plan]
Without = Callable[[str], bool]
Infer = Callable[[Mapping[str, Mapping[str, np.ndarray]]], Mapping[str, Any]]


def all_kept(name: str) -> bool:
    """The default `without`."""
    return False


def convert_to_paddle(
    src: str | Path,
    out_dir: str | Path,
    build: Build,
    format: str = "pdparams",
    *,
    infer: Infer = infer_sizes,
    prefix: str | None = None,
    network: str | None = None,
    optimizer: str | None = None,
    verify: str = "full",
    table: LayoutTable = DEFAULT,
    pairing: Pairing = plan,
    without: Without = all_kept,
    force: bool = False,
    progress: Progress | None = None,
) -> dict:
    """A torch checkpoint as one Paddle file per network, `out_dir/genA2B.pdparams` and so on, and a receipt.

    Tensors are mapped, laid out block by block and written one by one. All files appear together,
    `out_dir/receipt.json` last, or none does.

    Args:
        src: a `.pt` file (zip or legacy), a `.safetensors` file, or a folder with one of them per network.
        out_dir: made if it is not there. Files of the same names in it are replaced, others left alone.
        build: called as `build(network, sizes)`; returns the torch network (the meta device will do) and the
            Paddle network. With "full" the latter is given the weights (and their precision), unless it was built
            under LazyGuard.
        format: "pdparams" or "safetensors".
        infer: network -> its state (name -> array) to network -> what `build` is given as sizes; refuses what it
            does not know. Default: the six networks of the official U-GAT-IT checkpoint.
        prefix: take the tensors under this name only ("model", "ema.model").
        network: the name of the single network that `src` holds, or the one to take of several.
        optimizer: where Adam's state is: a key in `src` ("optimizer"), or a file of its own. It becomes
            `out_dir/NETWORK.pdopt`; for a single network.
        verify: "full": every file is reloaded by Paddle's own loader and compared bit for bit. "checksum": every
            file is read back and hashed. "none".
        table: layout rules by layer type.
        pairing: makes the plan of two networks; raises LayoutError. Default: path by path, strictly (`plan`).
        without: whether a tensor of that name in the file is left out; `pairing` has to know of it, too.
        force: `src` itself may be replaced, where `out_dir` has it under the name of a result.
        progress: called with (`network/tensor`, bytes) for each tensor written.
    Returns:
        The receipt, as it is in `receipt.json`.
    Raises:
        CheckpointError: `src` cannot be read, is not the checkpoint it should be, or `out_dir` cannot be written.
        LayoutError: the two networks of `build` cannot be paired.
        StateError: the checkpoint does not fit the torch network.
        VerificationError: what was written does not read back as it should.
    """
    _check(format, verify)
    src = Path(src)
    states = _kept(torch_networks(src, prefix, network), without)
    with _in(src):
        sizes = infer(states)
    planned, files = _Planner(build, table, pairing), []
    _check_single(optimizer, states)
    with Staging(out_dir, () if force else _files(src)) as stage, Sums(verify != "none") as sums:
        for path in _files(src):
            sums.file(path)
        for name, state in states.items():
            sums.state(name, state)
            pairs, module, layer = planned(name, sizes[name])
            path = stage.path(f"{name}.{format}")
            with _in(name):
                tensors = pairs.iter_to_paddle(state, _within(name, progress))
                written = write_paddle(path, tensors, checksum=verify == "checksum")
            files.append(path)
            sums.file(path)
            if verify != "none":
                same_file(path, written)
            if verify == "full":
                verify_paddle(name, path, pairs, state, layer)
            if optimizer is not None:
                path = stage.path(f"{name}.pdopt")
                with _in(optimizer):
                    found = optimizer_files.from_checkpoint(src, optimizer)
                    carried = optimizer_files.torch_to_paddle(found, path, pairs, module, layer, verify == "full")
                sums.file(path)
                carried = {"source": optimizer, **receipt_line(path, sums), **carried}
        receipt = make_receipt(
            to="paddle", source=_files(src), files=files, sizes=sizes, plans=planned.plans, states=states, sums=sums,
            verified=verify, selection={"prefix": prefix, "network": network},
        )  # fmt: skip
        if optimizer is not None:
            receipt["optimizer"] = carried
        write_receipt(stage.path("receipt.json"), receipt)
    return receipt


def convert_to_torch(
    src_dir: str | Path,
    dst: str | Path,
    build: Build,
    format: str | None = None,
    *,
    infer: Infer = infer_sizes,
    networks: tuple[str, ...] | None = None,
    optimizer: str | Path | None = None,
    adam: Mapping[str, float] = MappingProxyType({}),
    verify: str = "full",
    table: LayoutTable = DEFAULT,
    pairing: Pairing = plan,
    without: Without = all_kept,
    force: bool = False,
    progress: Progress | None = None,
) -> dict:
    """Paddle files as a torch checkpoint (the official one: a dict of six state dicts), and a receipt beside it.

    With "full" the checkpoint is reloaded by `torch.load`, compared bit for bit with the source, and loaded into the
    torch networks strictly. `dst` and `dst.receipt.json` appear together or not at all.

    Args:
        src_dir: a folder with `genA2B.pdparams` (or `.safetensors`) and so on, or the file of one network, then
            written as a bare state dict; they are read without running their code.
        dst: the `.pt` file to write; replaced if it exists.
        build, infer, verify, table, pairing, without, force, progress: as in `convert_to_paddle`; here the torch network is
            given the weights. format: needed where `src_dir` holds both formats.
        networks: names of the files to look for. Default: the official six.
        optimizer: a `.pdopt`, the Adam state of the single network; it becomes `dst` with `.optimizer.pt` for its suffix.
        adam: its hyperparameters, which that file does not hold: lr, and where they are not the defaults beta1, beta2,
            eps, weight_decay.
    Returns:
        The receipt.
    Raises:
        CheckpointError, LayoutError, StateError, VerificationError: as in `convert_to_paddle`.
    """
    _check(format, verify)
    src_dir, dst = Path(src_dir), Path(dst)
    sources, paddle_states = paddle_networks(src_dir, format, networks)
    paddle_states = _kept(paddle_states, without)
    with _in(src_dir):
        sizes = infer(paddle_states)
    planned, states, modules = _Planner(build, table, pairing), {}, {}
    _check_single(optimizer, paddle_states)
    for name, state in paddle_states.items():
        pairs, modules[name], layer = planned(name, sizes[name])
        with _in(name):
            pairs.check_paddle(state)
        states[name] = dict(pairs.iter_to_torch(state))
    with Staging(dst.parent, () if force else sources.values()) as stage, Sums(verify != "none") as sums:
        for source in sources.values():
            sums.file(source)
        path = stage.path(dst.name)
        metadata = {name: module.state_dict()._metadata for name, module in modules.items()}
        bare = src_dir.is_file()
        written = write_torch(path, states, metadata, bare, progress, verify == "checksum")
        if verify != "none":
            same_file(path, written)
            sums.file(path)
            found = read_torch(path)
            for name, state in ({next(iter(states)): found} if bare else found).items():
                sums.state(name, state)
        if verify == "full":
            verify_torch(path, planned.plans, paddle_states, modules, bare)
        receipt = make_receipt(
            to="torch", source=list(sources.values()), files=[path], sizes=sizes, plans=planned.plans, states=states, sums=sums,
            verified=verify,
        )  # fmt: skip
        if optimizer is not None:
            path = stage.path(f"{dst.stem}.optimizer.pt")
            with _in(optimizer):
                carried = optimizer_files.paddle_to_torch(Path(optimizer), path, pairs, modules[name], layer, adam,
                                                          verify == "full")  # fmt: skip
            sums.file(path)
            receipt["optimizer"] = {"source": str(optimizer), **receipt_line(path, sums), **carried}
        write_receipt(stage.path(f"{dst.name}.receipt.json"), receipt)
    return receipt


def check_receipt(
    path: str | Path, build: Build, *, infer: Infer = infer_sizes, table: LayoutTable = DEFAULT, pairing: Pairing = plan,
    without: Without = all_kept,
) -> dict:
    """Proves a receipt anew: source and files by their hashes, then every tensor, by the target framework's loader.

    The files lie beside the receipt, the source where it lay. A file is first read as data only, so that even under a
    forged receipt `paddle.load` sees nothing but arrays.

    Returns:
        The receipt.
    Raises:
        CheckpointError: a file is missing or unreadable. VerificationError: it is not what the receipt says.
    """
    path = Path(path)
    receipt = read_receipt(path)
    files = [path.parent / Path(line["path"]).name for line in receipt["files"]]
    sources = [Path(line["path"]) for line in receipt["source"]]
    lines, extra = [*receipt["source"], *receipt["files"]], []
    if carried := receipt.get("optimizer"):
        lines, extra = [*lines, carried], [path.parent / Path(carried["path"]).name]
    for file, line in zip([*sources, *files, *extra], lines, strict=True):
        if sha256_file(existing_file(file)) != line["sha256"]:
            raise VerificationError(f"{file}: not the file of the receipt (its SHA-256 differs); convert again, or restore it")
    to_paddle = receipt["to"] == "paddle"
    folder = len(sources) > 1
    if to_paddle:
        states = torch_networks(sources[0].parent if folder else sources[0], *receipt["selection"].values())
        paddle_states = {file.stem: read_paddle(file) for file in files}
    else:
        paddle_states = {file.stem: read_paddle(file) for file in sources}
        states = torch_networks(files[0], network=None if folder else sources[0].stem)
    states, paddle_states = _kept(states, without), _kept(paddle_states, without)
    sizes, planned, modules, sums = infer(states), _Planner(build, table, pairing), {}, {}
    for name in states:
        pairs, modules[name], layer = planned(name, sizes[name])
        with _in(name):
            pairs.check_torch(states[name])
            pairs.check_paddle(paddle_states.get(name, {}))
        if to_paddle:
            verify_paddle(name, next(file for file in files if file.stem == name), pairs, states[name], layer)
        sums |= {(name, source): sha256_array(states[name][source]) for source in states[name]}
    if not to_paddle:
        verify_torch(files[0], planned.plans, paddle_states, modules, bare=not folder)
    if {(line["network"], line["source"]): line["sha256"] for line in receipt["tensors"]} != sums:
        raise VerificationError(f"{path}: its list of tensors and checksums is not that of the files")
    return receipt


def _kept(states: Mapping[str, Any], without: Without) -> dict[str, Any]:
    return {network: {name: array for name, array in state.items() if not without(name)} if isinstance(state, Mapping) else state
            for network, state in states.items()}


class _Planner:
    """The plan of each network and the two networks it came from."""

    def __init__(self, build: Build, table: LayoutTable, pairing: Pairing):
        self._build, self._table, self._pairing = build, table, pairing
        self.plans: dict[str, Plan] = {}

    def __call__(self, network: str, sizes: Any) -> tuple[Plan, torch.nn.Module, paddle.nn.Layer]:
        module, layer = self._build(network, sizes)
        with _in(network):
            self.plans[network] = self._pairing(module, layer, self._table)
        return self.plans[network], module, layer


def _check_single(optimizer: str | Path | None, states: Mapping) -> None:
    if optimizer is not None and len(states) != 1:
        raise StateError(f"{optimizer}: an optimizer's state is carried over for one network at a time, found {', '.join(states)}; "
                         "take one of them (network)")


def _check(format: str | None, verify: str) -> None:
    if format not in (None, *FORMATS):
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {format!r}")
    if verify not in LEVELS:
        raise ValueError(f"verify must be one of {', '.join(LEVELS)}, not {verify!r}")


def _files(source: Path) -> list[Path]:
    return sorted(path for path in source.iterdir() if path.is_file()) if source.is_dir() else [source]


def _within(network: str, progress: Progress | None) -> Progress | None:
    return progress and (lambda name, nbytes: progress(f"{network}/{name}", nbytes))


@contextmanager
def _in(place: str | Path) -> Iterator[None]:
    """Says where, in front of whatever the block has to complain of."""
    try:
        yield
    except VerificationError:
        raise
    except ConversionError as error:
        raise type(error)(f"{place}: {error}") from error
