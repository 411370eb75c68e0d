"""Adam with coupled weight decay, its learning rate, and its state by parameter as numpy arrays."""

import torch


def adam(parameters, lr, betas, eps, weight_decay):
    """The official optimizer: weight_decay * parameter is added to the gradient before the moments see it."""
    return torch.optim.Adam(parameters, lr, betas, eps, weight_decay)


def get_lr(optimizer):
    """The learning rate of the next step, a float."""
    return optimizer.param_groups[0]["lr"]


def set_lr(optimizer, lr):
    """From the next step on."""
    optimizer.param_groups[0]["lr"] = lr


def clear_grad(optimizer):
    """Gradients become zeros, as torch's zero_grad of 2019 left them; one that never was stays None."""
    optimizer.zero_grad(set_to_none=False)


def get_moments(optimizer, parameters):
    """What Adam remembers: name -> {"updates": int, "exp_avg": array, "exp_avg_sq": array}, copied.

    parameters: name -> parameter. Parameters without an update, or unknown to this optimizer, are left out.
    """
    moments = {}
    for name, parameter in parameters.items():
        held = optimizer.state.get(parameter)
        if held:
            moments[name] = {
                "updates": int(held["step"]),
                "exp_avg": held["exp_avg"].detach().cpu().numpy().copy(),
                "exp_avg_sq": held["exp_avg_sq"].detach().cpu().numpy().copy(),
            }
    return moments


def set_moments(optimizer, parameters, moments):
    """The inverse of ``get_moments``, for all parameters of the optimizer at once; who is missing starts anew."""
    optimizer.state.clear()
    for name, parameter in parameters.items():
        held = moments.get(name)
        if held:
            optimizer.state[parameter] = {
                "step": torch.tensor(float(held["updates"])),
                "exp_avg": torch.tensor(held["exp_avg"], dtype=parameter.dtype, device=parameter.device),
                "exp_avg_sq": torch.tensor(held["exp_avg_sq"], dtype=parameter.dtype, device=parameter.device),
            }
