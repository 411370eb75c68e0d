"""The two `Training` twins behind one face: the same weights into either, arrays in torch's layout out of either."""

import numpy as np
import paddle
import recipe
import torch

import paddle_impl
import torch_ref
from weights_convert import plan

paddle.set_device("cpu")
TINY = {"ngf": 2, "n_blocks": 1, "img_size": 96, "light": True, "ndf": 1}
TENSOR = {torch_ref: torch.tensor, paddle_impl: paddle.to_tensor}


def plans(sizes):
    """network -> how its state is carried over."""
    reference = torch_ref.Training(**sizes)
    twin = paddle_impl.Training(**sizes)
    return {name: plan(network, twin.networks[name]) for name, network in reference.networks.items()}


def carried(state, plans, to_paddle):
    """A `Training.state()` of the one framework as that of the other."""
    result = {"lr": state["lr"], "networks": {}, "moments": {}} if "lr" in state else {"networks": {}, "moments": {}}
    for name, planned in plans.items():
        entries = planned.entries
        networks = state["networks"][name]
        result["networks"][name] = planned.to_paddle(networks) if to_paddle else planned.to_torch(networks)
        layout = {key: entry.to_paddle if to_paddle else entry.to_torch for key, entry in entries.items()}
        result["moments"][name] = {
            key: {"updates": held["updates"], **{kind: np.ascontiguousarray(layout[key](held[kind]))
                                                 for kind in ("exp_avg", "exp_avg_sq")}}
            for key, held in state.get("moments", {}).get(name, {}).items()
        }
    return result


def recipe_weights(sizes):
    reference = torch_ref.Training(**sizes)
    return {"networks": {name: recipe.state({key: value.shape for key, value in network.state_dict().items()}, name)
                         for name, network in reference.networks.items()}}


def make(package, sizes, weights=None, **options):
    """A `Training` that holds these weights (torch's layout; the recipe's without any)."""
    training = package.Training(**sizes, **options)
    state = weights or recipe_weights(sizes)
    training.load_state(state if package is torch_ref else carried(state, plans(sizes), to_paddle=True))
    return training


def pictures(package, step, size, dtype="float64", batch=1):
    return [TENSOR[package](recipe.image(f"{domain}{step}", size, batch).astype(dtype)) for domain in "AB"]


def equal(one, other):
    """Two states, to the bit. Returns the number of arrays compared."""
    assert one["lr"] == other["lr"]
    compared = 0
    for kind in ("networks", "moments"):
        assert one[kind].keys() == other[kind].keys()
        for name, entries in one[kind].items():
            assert entries.keys() == other[kind][name].keys()
            for key, value in entries.items():
                again = other[kind][name][key]
                if kind == "moments":
                    assert value["updates"] == again["updates"]
                pairs = [(value, again)]
                if kind == "moments":
                    pairs = [(value[moment], again[moment]) for moment in ("exp_avg", "exp_avg_sq")]
                for a, b in pairs:
                    assert a.dtype == b.dtype and a.shape == b.shape, f"{kind} {name}/{key}"
                    assert a.tobytes() == b.tobytes(), f"{kind} {name}/{key}"
                    compared += 1
    return compared
