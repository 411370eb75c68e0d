"""A small recurrent network over tokens with two losses, in Paddle."""

import paddle
from paddle import nn
from paddle.nn import functional as F

from exams.doctor.programs import data

BATCH = 12


class Cell(nn.Layer):
    def __init__(self, width, size):
        super().__init__()
        self.gate = nn.Linear(width + size, size)
        self.candidate = nn.Linear(width + size, size)
        self.sigmoid = nn.Sigmoid()
        self.tanh = nn.Tanh()

    def forward(self, x, h):
        both = paddle.concat([x, h], 1)
        z = self.sigmoid(self.gate(both))
        n = self.tanh(self.candidate(both))
        out = (1 - z) * h + z * n
        return out


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(9, 6)
        self.cell = Cell(6, 16)
        self.head = nn.Linear(16, 1)
        self.side = nn.Linear(16, 2)

    def forward(self, tokens):
        embedded = self.table(tokens)
        h = paddle.zeros([tokens.shape[0], 16], embedded.dtype)
        for index in range(tokens.shape[1]):
            h = self.cell(embedded[:, index], h)
        value = self.head(h)
        value = value.reshape([-1])
        logits = self.side(h)
        return value, logits


class Training:
    def __init__(self, dtype="float32"):
        self.net = Net()
        self.net.to(dtype=dtype)
        self.networks = {"net": self.net}
        parameters = self.net.parameters()
        self.optim = paddle.optimizer.Adam(0.02, parameters=parameters)
        self.tokens, self.values, self.odd = data.sequences(dtype)

    def batch(self, number):
        epoch, index = divmod(number - 1, len(self.odd) // BATCH)
        order = data.order(len(self.odd), epoch)
        chosen = order[index * BATCH:(index + 1) * BATCH]
        tokens = paddle.to_tensor(self.tokens[chosen])
        values = paddle.to_tensor(self.values[chosen])
        odd = paddle.to_tensor(self.odd[chosen])
        return tokens, values, odd

    def step(self, number):
        tokens, values, odd = self.batch(number)
        value, logits = self.net(tokens)
        value_loss = F.mse_loss(value, values)
        odd_loss = F.cross_entropy(logits, odd)
        loss = value_loss + 0.5 * odd_loss
        self.optim.clear_grad()
        loss.backward()
        self.optim.step()
        return {"loss": loss.detach()}

    def state(self):
        networks = {name: {key: value.numpy() for key, value in network.state_dict().items()}
                    for name, network in self.networks.items()}
        return {"networks": networks, "moments": {}, "lr": {}}

    def load_state(self, state):
        for name, network in self.networks.items():
            network.set_state_dict(state["networks"][name])
