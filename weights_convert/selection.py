"""Which networks a user's files hold: network -> its state, however they are packed."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .errors import CheckpointError, listed
from .inputs import existing_file
from .official import NETWORKS
from .paddle_files import FORMATS, read_paddle
from .safetensors_files import read_safetensors
from .torch_files import arrays_of, read_tree

State = dict[str, np.ndarray]
_TORCH = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")


def torch_networks(src: Path, prefix: str | None = None, network: str | None = None) -> dict[str, State]:
    """network -> state, in torch's layout.

    Args:
        src: a file of state dicts, or of one; or a folder with one file per network.
        prefix: only what lies under these names ("ema", "ema.genA2B"), of nested dicts or of dotted tensor names.
        network: the name for a bare state dict, or the one network to take of several.
    Raises:
        CheckpointError: unreadable; nothing under the prefix; one network needed, several found.

    The `module.` that DataParallel puts in front of every name is taken off.
    """
    if src.is_dir():
        files = sorted(path for path in src.iterdir() if path.suffix in _TORCH)
        if len({path.stem for path in files}) != len(files):
            raise CheckpointError(f"{src}: holds two files for one network; keep one of them")
        content = {path.stem: _bare(path, None) for path in files if network in (None, path.stem)}
        if not content:
            raise CheckpointError(f"{src}: expected a file for each network ({', '.join(_TORCH)}), found none"
                                  + (f" for {network}" if network else ""))
    else:
        content = _file(src, prefix)
    if all(isinstance(value, np.ndarray) for value in content.values()):
        content = _unflattened(content)
    if all(isinstance(value, np.ndarray) for value in content.values()):
        if network is None:
            raise CheckpointError(
                f"{src}: the state_dict of one network (it holds {', '.join(list(content)[:3])}, ...): say which it is "
                f"(--network NAME); of an official checkpoint: missing {', '.join(NETWORKS)}, unexpected "
                f"{listed(list(content))}"
            )
        return {network: _without_module(content)}
    if network is not None:
        if network not in content:
            inside = next((name for name, value in content.items() if isinstance(value, Mapping)), None)
            raise CheckpointError(f"{src}: holds no {network}, but {listed(list(content))}"
                                  + (f"; if its weights are in one of these, say in which (--prefix {inside})" if inside else ""))
        content = {network: content[network]}
    return {name: _without_module(value) if isinstance(value, Mapping) else value for name, value in content.items()}


def paddle_networks(
    src: Path, format: str | None = None, networks: tuple[str, ...] | None = None
) -> tuple[dict[str, Path], dict[str, State]]:
    """network -> its file, and network -> its state in Paddle's layout. Raises CheckpointError."""
    if src.is_file():
        if src.suffix not in tuple(f".{f}" for f in FORMATS):
            raise CheckpointError(f"{src}: expected the folder that holds {NETWORKS[0]}.{FORMATS[0]} and so on, or one such file")
        name = networks[0] if networks is not None and len(networks) == 1 else src.stem
        return {name: src}, {name: read_paddle(src)}
    files = _network_files(src, format, networks or NETWORKS)
    return files, {network: read_paddle(path) for network, path in files.items()}


def _file(path: Path, prefix: str | None) -> dict:
    path = existing_file(path)
    content = read_safetensors(path) if path.suffix == ".safetensors" else read_tree(path)
    for part in prefix.split(".") if prefix else ():
        inner = content.get(part)
        if isinstance(inner, Mapping):
            content = inner
            continue
        content = {name.removeprefix(f"{part}."): value for name, value in content.items()
                   if isinstance(name, str) and name.startswith(f"{part}.")}
    if prefix and not content:
        raise CheckpointError(f"{path}: holds nothing under the prefix {prefix}; check its spelling")
    return arrays_of(path, content)


def _bare(path: Path, prefix: str | None) -> State:
    state = _file(path, prefix)
    if any(isinstance(value, Mapping) for value in state.values()):
        raise CheckpointError(f"{path}: expected the state_dict of one network, found several; give the file itself")
    return state


def _unflattened(state: State) -> dict:
    """{"genA2B.conv.weight": a} as {"genA2B": {"conv.weight": a}}, where every name begins with a network's."""
    split = [name.partition(".") for name in state]
    if not all(head in NETWORKS and rest for head, _, rest in split):
        return state
    nested: dict[str, State] = {}
    for (head, _, rest), array in zip(split, state.values(), strict=True):
        nested.setdefault(head, {})[rest] = array
    return nested


def _without_module(state: Mapping) -> dict:
    if state and all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): value for name, value in state.items()}
    return dict(state)


def _network_files(folder: Path, format: str | None, networks: tuple[str, ...]) -> dict[str, Path]:
    if not folder.is_dir():
        raise CheckpointError(
            f"{folder}: expected the folder that holds {networks[0]}.{FORMATS[0]} and so on"
        )
    found = {
        f: [n for n in networks if (folder / f"{n}.{f}").exists()] for f in ([format] if format else FORMATS)
    }
    complete = [f for f, names in found.items() if len(names) == len(networks)]
    if len(complete) > 1:
        raise CheckpointError(
            f"{folder}: holds both {' and '.join(complete)} files; say which format to read"
        )
    if not complete:
        best = max(found, key=lambda f: len(found[f]))
        missing = ", ".join(f"{n}.{best}" for n in networks if n not in found[best])
        count = "six" if networks == NETWORKS else len(networks)
        raise CheckpointError(f"{folder}: expected one file for each of the {count} networks, missing {missing}")
    return {network: folder / f"{network}.{complete[0]}" for network in networks}
