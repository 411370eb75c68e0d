"""Adam with coupled weight decay, its learning rate, and its state by parameter as numpy arrays."""

import numpy as np
import paddle


class Adam(paddle.optimizer.Adam):
    """``paddle.optimizer.Adam`` that counts its updates, parameter by parameter, as torch's does.

    ``updates``: global parameter name -> count. Paddle itself keeps only beta1^n and beta2^n, from which n can no
    longer be told once they underflow (float32: beta1 0.5 after 149 steps, beta2 0.999 after some 90 000).
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.updates = {}

    def step(self):
        for parameter in self._parameter_list:
            if not parameter.stop_gradient and parameter.grad is not None:
                self.updates[parameter.name] = self.updates.get(parameter.name, 0) + 1
        super().step()

    def state_dict(self):
        # Paddle 2.6 keeps to itself what was set before the first step; Paddle 3 reports it.
        return super().state_dict() or dict(self._accumulators_holder)


def adam(parameters, lr, betas, eps, weight_decay):
    """The official optimizer: weight_decay * parameter is added to the gradient before the moments see it."""
    return Adam(lr, *betas, eps, list(parameters), weight_decay)


def get_lr(optimizer):
    """The learning rate of the next step, a float."""
    return optimizer.get_lr()


def set_lr(optimizer, lr):
    """From the next step on."""
    optimizer.set_lr(lr)


def clear_grad(optimizer):
    """Gradients become zeros, as torch's zero_grad of 2019 left them; one that never was stays None."""
    optimizer.clear_grad()


def get_moments(optimizer, parameters):
    """What Adam remembers: name -> {"updates": int, "exp_avg": array, "exp_avg_sq": array}, copied.

    parameters: name -> parameter. Parameters without an update, or unknown to this optimizer, are left out.
    """
    moments = {}
    # Keys are the parameter's global name, what is held ("moment1"), and a counter, which is 0 but for a second
    # optimizer of the same parameters.
    accumulators = {key.rpartition("_")[0]: value for key, value in optimizer.state_dict().items()}
    for name, parameter in parameters.items():
        updates = optimizer.updates.get(parameter.name)
        if updates:
            moments[name] = {
                "updates": updates,
                "exp_avg": accumulators[f"{parameter.name}_moment1"].numpy(),
                "exp_avg_sq": accumulators[f"{parameter.name}_moment2"].numpy(),
            }
    return moments


def set_moments(optimizer, parameters, moments):
    """The inverse of ``get_moments``, for all parameters of the optimizer at once; who is missing starts anew."""
    optimizer.updates.clear()
    names = {key.rpartition("_")[0]: key for key in optimizer.state_dict()}
    state = {}
    for name, parameter in parameters.items():
        held = moments.get(name)
        updates = held["updates"] if held else 0
        zeros = np.zeros(parameter.shape)
        values = {
            "moment1": held["exp_avg"] if held else zeros,
            "moment2": held["exp_avg_sq"] if held else zeros,
            "beta1_pow_acc": _power(optimizer._beta1, updates + 1, parameter),
            "beta2_pow_acc": _power(optimizer._beta2, updates + 1, parameter),
        }
        for kind, value in values.items():
            key = f"{parameter.name}_{kind}"
            state[names.get(key, f"{key}_0")] = paddle.to_tensor(value, parameter.dtype)
        if held:
            optimizer.updates[parameter.name] = updates
    optimizer.set_state_dict(state)


def _power(beta, exponent, parameter):
    # Multiplied up one by one in the parameter's precision, as the optimizer does: the same bits.
    dtype = str(parameter.dtype).removeprefix("paddle.")
    return np.cumprod(np.full(exponent, beta, dtype))[-1:]
