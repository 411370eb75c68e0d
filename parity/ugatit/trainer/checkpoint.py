"""What a run leaves on the disk: weights for others, and everything that a resume needs. No pickle but torch's own.

    OUT/model/NAME_params_0000300.pt         torch: the official checkpoint
    OUT/model/NAME_params_0000300/*.pdparams paddle: one file per network
    OUT/state/step_0000300.safetensors       networks, Adam's moments, in torch's layouts, by name
    OUT/state/step_0000300.json              step, lr, update counts, options, seed, the data's file list

The state is neutral: a run in the one framework continues one in the other. Random draws are functions of seed and
step, so these two *are* the state of the random generators and of the data order.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from weights_convert import CheckpointError, Staging, infer_sizes, read_paddle, read_torch, write_paddle, write_torch
from weights_convert.bits import sha256_file
from weights_convert.safetensors_files import write_safetensors
from weights_convert.staging import recover

from .errors import TrainerError
from .frameworks import KINDS
from .options import NETWORKS, Options

SCHEMA = "trainer.state/1"
_STEP = re.compile(r"_params_(\d+)$")


@dataclass
class Snapshot:
    """A run after ``step`` steps. ``state``: neutral, as ``Training.state()`` gives it. ``data``: domain -> digest of
    its file names, as ``data_digest`` makes it."""

    framework: str
    step: int
    options: Options
    state: Mapping
    data: Mapping = field(default_factory=dict)


def data_digest(domain):
    """What the run depends on: which names the folder lists, in their order, and what the files hold."""
    contents = hashlib.sha256("".join(map(sha256_file, domain.files)).encode())
    return {"files": len(domain.names), "sha256": hashlib.sha256("\n".join(domain.names).encode()).hexdigest(),
            "contents": contents.hexdigest()}


def same_data(saved, found):
    """Whether two digests, by domain, are of the same pictures; those of older versions tell of names alone."""
    return saved.keys() == found.keys() and all(
        isinstance(kept, dict) and kept.items() <= found[domain].items() for domain, kept in saved.items())


def save_state(out, snapshot):
    """Write the snapshot into OUT/state and remove older ones; a reader never sees half of one.

    Raises CheckpointError where the disk does not take it; the older snapshot then stays.
    """
    folder, stem = Path(out) / "state", f"step_{snapshot.step:07d}"
    tensors = {f"networks/{name}/{key}": value for name, entries in snapshot.state["networks"].items()
               for key, value in entries.items()}
    tensors |= {f"{kind}/{name}/{key}": held[kind] for name, entries in snapshot.state["moments"].items()
                for key, held in entries.items() for kind in KINDS}
    older = [path for path in folder.glob("step_*") if path.stem != stem]
    with Staging(folder) as stage:
        path = stage.path(f"{stem}.safetensors")
        written = write_safetensors(path, {name: np.asarray(value) for name, value in tensors.items()})
        content = {
            "schema": SCHEMA,
            "framework": snapshot.framework,
            "step": snapshot.step,
            "lr": snapshot.state["lr"],
            "options": asdict(snapshot.options),
            "data": dict(snapshot.data),
            "tensors": {"file": path.name, "sha256": written.sha256},
            "versions": {name: _version(name) for name in ("torch", "paddlepaddle", "paddlepaddle-gpu", "numpy",
                                                           "pillow")},
            "updates": {name: {key: held["updates"] for key, held in entries.items()}
                        for name, entries in snapshot.state["moments"].items()},
        }
        content["sha256"] = _sealed(content)
        stage.path(f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for path in older:
        path.unlink(missing_ok=True)


def load_state(path):
    """The snapshot of a run: ``path`` is OUT, its state folder, or a ``step_*.json``; of several the latest.

    Raises TrainerError where there is none, or where it is damaged.
    """
    path = Path(path)
    for folder in (path.parent,) if path.suffix == ".json" else (path / "state", path):
        recover(folder)
    files = [path] if path.suffix == ".json" else sorted([*path.glob("state/step_*.json"), *path.glob("step_*.json")])
    if not files or not files[-1].is_file():
        raise TrainerError(f"{path}: expected the folder of a run, with state/step_*.json in it, found none")
    file = files[-1]
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise TrainerError(f"{file}: expected a {SCHEMA}, found {content['schema']!r}")
        if content.pop("sha256", None) not in (None, _sealed(content)):  # None: of a version that had no seal
            raise TrainerError(f"{file}: not the file that was saved (its checksum differs); copy it again")
        tensors = file.parent / Path(content["tensors"]["file"]).name
        if sha256_file(tensors) != content["tensors"]["sha256"]:
            raise TrainerError(f"{tensors}: not the file that was saved (its checksum differs); copy it again")
        arrays = safetensors.numpy.load_file(tensors)
        state = {"networks": {name: {} for name in NETWORKS}, "moments": {name: {} for name in NETWORKS},
                 "lr": {side: _rate(content["lr"][side]) for side in "GD"}}
        for name, array in arrays.items():
            kind, network, key = name.split("/")
            if kind == "networks":
                state["networks"][network][key] = array
            else:
                updates = int(content["updates"][network][key])
                state["moments"][network].setdefault(key, {"updates": updates})[kind] = array
        return Snapshot(str(content["framework"]), int(content["step"]), Options.from_json(content["options"]), state,
                        content["data"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        raise TrainerError(f"{file}: expected the state of a run, cannot read it ({type(error).__name__}: {error}); "
                           f"restore it from a copy") from error


def clear(out):
    """Removes what killed runs have left half written in OUT."""
    weights = [folder for folder in (out / "model").glob("*") if folder.is_dir()]
    for folder in (out, out / "img", out / "model", *weights, out / "state"):
        recover(folder)
    for folder in weights:
        with suppress(OSError):  # it holds something
            folder.rmdir()


def save_weights(out, name, framework, step, networks, layouts):
    """The six networks for other programs; returns the path. networks: neutral."""
    stem = f"{name}_params_{step:07d}"
    folder = Path(out) / "model"
    if framework == "torch":
        with Staging(folder) as stage:
            write_torch(stage.path(f"{stem}.pt"), networks)
        return folder / f"{stem}.pt"
    folder = folder / stem
    with Staging(folder) as stage:
        for network, entries in networks.items():
            write_paddle(stage.path(f"{network}.pdparams"), layouts.network_from_neutral(network, entries).items())
    return folder


def load_weights(path, decoder_norm=None):
    """The six networks of a checkpoint, whatever wrote it: (neutral networks, sizes, steps trained or None).

    path: an official ``.pt``; a folder of ``.pdparams`` or ``.safetensors``; the folder of a run, which knows its decoder norm.
    decoder_norm: of the ablation's generators, where the tensors cannot tell (see `infer_sizes`). Raises TrainerError or
    CheckpointError, also where it is another one than the checkpoint's.
    """
    path = Path(path)
    if path.is_dir() and list(path.glob("state/step_*.json")):
        snapshot = load_state(path)
        if decoder_norm not in (None, snapshot.options.decoder_norm):
            raise TrainerError(f"{path}: expected a run with the decoder norm {decoder_norm}, found one with "
                               f"{snapshot.options.decoder_norm}; leave --decoder-norm out")
        return snapshot.state["networks"], snapshot.options.sizes(), snapshot.step
    found = _STEP.search(path.stem if path.suffix == ".pt" else path.name)
    step = int(found[1]) if found else None
    if not path.is_dir():
        networks = read_torch(path)
        return networks, _sizes(path, networks, decoder_norm), step
    files = {name: [path / f"{name}{suffix}" for suffix in (".pdparams", ".safetensors")
                    if (path / f"{name}{suffix}").is_file()] for name in NETWORKS}
    wrong = [name for name, candidates in files.items() if len(candidates) != 1]
    if wrong:
        raise TrainerError(f"{path}: expected the folder of a run, or one with a file (.pdparams or .safetensors) for "
                           f"each of the six networks; found none, or both, for {', '.join(wrong)}")
    networks = {name: read_paddle(candidates[0]) for name, candidates in files.items()}
    sizes = _sizes(path, networks, decoder_norm)
    return {name: _neutral(name, entries, sizes[name]) for name, entries in networks.items()}, sizes, step


def _sizes(path, networks, decoder_norm):
    try:
        return infer_sizes(networks, decoder_norm)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _neutral(name, entries, sizes):
    import torch

    import paddle_impl
    import torch_ref
    import weights_convert
    kind = "ResnetGenerator" if name.startswith("gen") else "Discriminator"
    with torch.device("meta"):
        reference = getattr(torch_ref, kind)(**sizes.arguments())
    return weights_convert.plan(reference, getattr(paddle_impl, kind)(**sizes.arguments())).to_torch(entries)


def _sealed(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _rate(value):
    if not 0 <= float(value) < math.inf:
        raise ValueError(f"a learning rate of {value}")
    return float(value)


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None
