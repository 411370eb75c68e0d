import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)


class Encoder(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1D(1, 6, 5, padding=2)
        self.conv2 = nn.Conv1D(6, 6, 5, padding=2)

    def forward(self, x):
        h = nn.functional.relu(self.conv1(x))
        return nn.functional.relu(self.conv2(h)).mean(-1)


def signals(n):
    """A sine whose frequency is one of four, at a random phase."""
    k = rng.integers(0, 4, n)
    t = np.arange(40)[None] / 40
    s = np.sin(2 * np.pi * (t * (4 + k[:, None]) + rng.random((n, 1)))) + rng.normal(0, 0.2, (n, 40))
    return paddle.to_tensor(s[:, None].astype("float32")), paddle.to_tensor(k)


encoder, classifier = Encoder(), nn.Linear(6, 4)
params = encoder.parameters() + classifier.parameters()
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=params)
for step in range(400):
    x, y = signals(64)
    feature = encoder(x)
    logits = classifier(feature)
    loss = nn.functional.cross_entropy(logits, y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 80 == 0:
        print("step", step, "loss", float(loss))
x, y = signals(500)
print("final loss", float(loss), "acc", float((classifier(encoder(x)).argmax(1) == y).astype("float32").mean()))
