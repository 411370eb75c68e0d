"""A small classifier with batch norm, in Paddle."""

import paddle
from paddle import nn
from paddle.nn import functional as F

from exams.doctor.programs import data

BATCH = 8


class BatchNorm(nn.Layer):
    """As nn.BatchNorm2D, composed: the stock layer's epsilon is float32, and its running variance biased, unlike torch's."""

    def __init__(self, channels):
        super().__init__()
        self.weight = self.create_parameter([channels], default_initializer=nn.initializer.Constant(1.0))
        self.bias = self.create_parameter([channels], is_bias=True)
        self.register_buffer("running_mean", paddle.zeros([channels]))
        self.register_buffer("running_var", paddle.ones([channels]))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean([0, 2, 3])
            var = ((x - mean.reshape([1, -1, 1, 1])) ** 2).mean([0, 2, 3])
            paddle.assign(0.9 * self.running_mean + 0.1 * mean.detach(), self.running_mean)
            paddle.assign(0.9 * self.running_var + 0.1 * var.detach(), self.running_var)
        scale = self.weight / paddle.sqrt(var + 1e-5)
        out = (x - mean.reshape([1, -1, 1, 1])) * scale.reshape([1, -1, 1, 1]) + self.bias.reshape([1, -1, 1, 1])
        return out


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 8, 3)
        self.norm1 = BatchNorm(8)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2D(8, 8, 3)
        self.norm2 = BatchNorm(8)
        self.act2 = nn.ReLU()
        self.head = nn.Linear(8 * 4, 4)

    def forward(self, x):
        h = self.act1(self.norm1(self.conv1(x)))
        h = self.act2(self.norm2(self.conv2(h)))
        h = F.avg_pool2d(h, 4)
        h = h.reshape([h.shape[0], -1])
        logits = self.head(h)
        return logits


class Training:
    def __init__(self, dtype="float32"):
        self.net = Net()
        self.net.to(dtype=dtype)
        self.networks = {"net": self.net}
        self.scheduler = paddle.optimizer.lr.StepDecay(0.01, step_size=10, gamma=0.5)
        parameters = self.net.parameters()
        self.optim = paddle.optimizer.Adam(self.scheduler, parameters=parameters, weight_decay=1e-4)
        self.images, self.labels = data.pictures(dtype)

    def batch(self, number):
        epoch, index = divmod(number - 1, len(self.labels) // BATCH)
        order = data.order(len(self.labels), epoch)
        chosen = order[index * BATCH:(index + 1) * BATCH]
        x = paddle.to_tensor(self.images[chosen])
        y = paddle.to_tensor(self.labels[chosen])
        return x, y

    def step(self, number):
        x, y = self.batch(number)
        self.net.train()
        logits = self.net(x)
        loss = F.cross_entropy(logits, y)
        self.optim.clear_grad()
        loss.backward()
        self.optim.step()
        self.scheduler.step()
        return {"loss": loss.detach()}

    def state(self):
        networks = {name: {key: value.numpy() for key, value in network.state_dict().items()}
                    for name, network in self.networks.items()}
        return {"networks": networks, "moments": {}, "lr": {}}

    def load_state(self, state):
        for name, network in self.networks.items():
            network.set_state_dict(state["networks"][name])
