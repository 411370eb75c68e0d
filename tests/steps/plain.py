"""The plainest training of both sides: a network, SGD, the mean squared error. A test gives it its own networks."""

import paddle
import torch

RATE = 0.125  # the same in float32, in which Paddle 2.6 keeps it


class TorchTrainer:
    """make: what builds the network."""

    make = None

    def __init__(self):
        self.net = self.make()
        self.opt = torch.optim.SGD(self.net.parameters(), lr=RATE)

    def step(self, x, t):
        loss = torch.nn.functional.mse_loss(self.net(x), t)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss


class PaddleTrainer:
    """make: as the other's."""

    make = None

    def __init__(self):
        self.net = self.make()
        self.opt = paddle.optimizer.SGD(RATE, parameters=self.net.parameters())

    def step(self, x, t):
        loss = paddle.nn.functional.mse_loss(self.net(x), t)
        self.opt.clear_grad()
        loss.backward()
        self.opt.step()
        return loss


def trainers(reference, twin):
    """The two, of what builds their networks."""
    return (type("Reference", (TorchTrainer,), {"make": staticmethod(reference)}),
            type("Twin", (PaddleTrainer,), {"make": staticmethod(twin)}))
