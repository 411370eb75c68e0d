"""The whole state of a torch program with one optimizer `optim` and perhaps a `scheduler`, as numpy and back."""

import torch

from torch_ref.optimizer import get_moments, set_moments


def state(training):
    """What `parity.steps.follow` needs to run a step again: weights, moments, learning rate, the scheduler's count."""
    networks = {name: {key: value.detach().numpy().copy() for key, value in network.state_dict().items()}
                for name, network in training.networks.items()}
    moments = {name: get_moments(training.optim, dict(network.named_parameters()))
               for name, network in training.networks.items()}
    scheduler = getattr(training, "scheduler", None)
    rates = {"optim": training.optim.param_groups[0]["lr"], "count": scheduler.last_epoch if scheduler else 0}
    return {"networks": networks, "moments": moments, "lr": rates}


def load(training, state):
    for name, network in training.networks.items():
        network.load_state_dict({key: torch.tensor(value) for key, value in state["networks"][name].items()})
    parameters, moments = {}, {}
    for name, network in training.networks.items():
        parameters |= {f"{name}/{key}": value for key, value in network.named_parameters()}
        moments |= {f"{name}/{key}": value for key, value in state["moments"].get(name, {}).items()}
    set_moments(training.optim, parameters, moments)
    training.optim.param_groups[0]["lr"] = state["lr"]["optim"]
    if hasattr(training, "scheduler"):
        training.scheduler.last_epoch = state["lr"]["count"]
