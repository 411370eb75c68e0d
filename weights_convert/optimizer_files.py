"""Adam's state as files: what people save beside the weights, found, carried over, and read back to be compared.

torch: a dict that `optimizer.state_dict()` gave, in the checkpoint or in a file of its own. Paddle: a `.pdopt`, keyed by the
global names of parameters, which count the layers that a process has built: they are those of a process that builds this
network first, as they are in Paddle's own files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import optimizer_state
from .absent import framework
from .bits import same_bits
from .errors import CheckpointError, StateError, VerificationError, listed
from .inputs import existing_file
from .optimizer_state import Moments
from .paddle_files import read_paddle, write_paddle
from .plan import Plan
from .torch_files import read_tree
from .torch_writer import described, write_archive

paddle, torch = framework("paddle"), framework("torch")

ADAM = {"lr": None, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
"""What Paddle's files do not hold, with the defaults of both frameworks; lr has none."""


def from_checkpoint(checkpoint: Path, where: str) -> Mapping[str, Any]:
    """The optimizer's state dict. where: the file that holds it, or its (dotted) key in the checkpoint. Raises CheckpointError."""
    if Path(where).is_file():
        return read_tree(where)
    if checkpoint.is_dir():
        raise CheckpointError(f"{checkpoint}: a folder; give the optimizer's state as a file of its own, there is no {where}")
    content: Any = read_tree(existing_file(checkpoint))
    for part in where.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{checkpoint}: holds no optimizer's state under {where}, and there is no such file; check the name")
    return content


def torch_to_paddle(state: Mapping[str, Any], path: Path, plan: Plan, module: torch.nn.Module, layer: paddle.nn.Layer,
                    verify: bool) -> dict[str, Any]:  # fmt: skip
    """Writes `path` (a `.pdopt`) and says what was carried over. Raises StateError, VerificationError, OSError."""
    moments, betas = _known(optimizer_state.from_torch(state, _names(module))), _betas(state)
    names = _global_names(layer)
    write_paddle(path, optimizer_state.to_paddle(moments, plan, names, betas).items())
    if verify:
        check_paddle(path, moments, plan, layer, betas)
    return _summary(moments, betas)


def paddle_to_torch(source: Path, path: Path, plan: Plan, module: torch.nn.Module, layer: paddle.nn.Layer,
                    adam: Mapping[str, float], verify: bool) -> dict[str, Any]:  # fmt: skip
    """Writes `path`: what `torch.optim.Adam.load_state_dict` takes. adam: hyperparameters, by the names of `ADAM`.

    Raises CheckpointError, StateError, VerificationError.
    """
    adam = ADAM | dict(adam)
    if adam["lr"] is None:
        raise StateError("a Paddle file does not hold the learning rate, which torch keeps beside the moments: give it (lr)")
    betas = adam["beta1"], adam["beta2"]
    moments = _known(from_paddle_file(source, plan, layer, betas))
    settings = {"lr": adam["lr"], "betas": betas, "eps": adam["eps"], "weight_decay": adam["weight_decay"], "amsgrad": False}
    state, storages = optimizer_state.to_torch(moments, _names(module), [settings]), []
    for held in state["state"].values():
        held |= {kind: described(held[kind], storages) for kind in ("exp_avg", "exp_avg_sq")}
    write_archive(path, state, storages)
    if verify:
        check_torch(path, moments, module)
    return _summary(moments, betas)


def from_paddle_file(path: Path, plan: Plan, layer: paddle.nn.Layer, betas: tuple[float, float]) -> dict[str, Moments]:
    """The moments of a `.pdopt`, by torch name. Raises CheckpointError, StateError: one of them belongs to no parameter."""
    state, names = read_paddle(path), _global_names(layer)
    known = {f"{name}_{kind}_0" for name in names.values() for kind in optimizer_state.ACCUMULATORS}
    if unknown := [key for key in state if key not in known]:
        raise StateError(f"{path}: the state of parameters that a process which builds this network first does not name so: "
                         f"{listed(unknown)}")  # fmt: skip
    return optimizer_state.from_paddle(state, plan, names, betas)


def check_paddle(path: Path, moments: Mapping[str, Moments], plan: Plan, layer: paddle.nn.Layer,
                 betas: tuple[float, float]) -> None:  # fmt: skip
    """The file through Paddle's own loader. Raises VerificationError."""
    read_paddle(path)  # only data: `paddle.load` would run code
    try:
        back = optimizer_state.from_paddle(paddle.load(str(path), return_numpy=True), plan, _global_names(layer), betas)
    except StateError as error:
        raise VerificationError(f"{path.name}, reloaded: {error}") from error
    _compare(path, back, moments, max(betas))


def check_torch(path: Path, moments: Mapping[str, Moments], module: torch.nn.Module) -> None:
    """The file through `torch.load`. Raises VerificationError."""
    back = optimizer_state.from_torch(torch.load(path, map_location="cpu", weights_only=True, mmap=True), _names(module))
    _compare(path, back, moments)


def _compare(path: Path, found: Mapping[str, Moments], moments: Mapping[str, Moments], beta: float | None = None) -> None:
    for name in moments.keys() | found.keys():
        a, b = found.get(name), moments.get(name)
        same = a and b and same_bits(a.exp_avg, b.exp_avg) and same_bits(a.exp_avg_sq, b.exp_avg_sq)
        if not same or not (a.step == b.step or (beta and optimizer_state.same_effect(a.step, b.step, beta))):
            raise VerificationError(f"{path.name}, reloaded: step and moments of {name} are not those of the source")


def _known(moments: dict[str, Moments]) -> dict[str, Moments]:
    if not moments:
        raise StateError("an optimizer's state was expected, found one without any moments; leave it out")
    return moments


def _names(module: torch.nn.Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def _global_names(layer: paddle.nn.Layer) -> dict[str, str]:
    return {name: parameter.name for name, parameter in layer.named_parameters()}


def _betas(state: Mapping[str, Any]) -> tuple[float, float]:
    found = [group.get("betas") for group in state["param_groups"]]
    # The type first: hashing, comparing or showing what a file makes up can take for ever.
    sound = all(type(betas) is tuple and len(betas) == 2 and all(type(beta) is float and 0 <= beta < 1 for beta in betas)
                for betas in found)  # fmt: skip
    if not sound or len(set(found)) != 1:
        raise StateError("expected one pair of betas for all groups of a torch Adam, each from 0 up to 1, found something else")
    return found[0]


def _summary(moments: Mapping[str, Moments], betas: tuple[float, float]) -> dict[str, Any]:
    steps = [held.step for held in moments.values()]
    return {"parameters": len(moments), "steps": [min(steps), max(steps)], "betas": list(betas)}
