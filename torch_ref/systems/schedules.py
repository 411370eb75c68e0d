"""Learning rates over a training."""

from torch.optim.lr_scheduler import StepLR


def step_decay(optimizer, step_size, gamma):
    """A scheduler that multiplies the optimizer's learning rate by ``gamma`` after each ``step_size`` of its steps."""
    return StepLR(optimizer, step_size, gamma)
