"""Learning rates over a training."""

from paddle.optimizer.lr import StepDecay


def step_decay(optimizer, step_size, gamma):
    """A scheduler that multiplies the optimizer's learning rate by ``gamma`` after each ``step_size`` of its steps."""
    optimizer.set_lr_scheduler(StepDecay(optimizer.get_lr(), step_size, gamma))
    return optimizer._learning_rate
