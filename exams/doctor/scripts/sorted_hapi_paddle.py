import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import TensorDataset

paddle.seed(0)
rng = np.random.default_rng(0)
means = rng.normal(0, 0.8, (6, 16))


def folder(n):
    """As files are read: one class after the other."""
    y = np.repeat(np.arange(6), n)
    x = (means[y] + rng.normal(0, 1.0, (len(y), 16))).astype("float32")
    return TensorDataset([paddle.to_tensor(x), paddle.to_tensor(y[:, None])])


network = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
model = paddle.Model(network)
model.prepare(paddle.optimizer.Momentum(learning_rate=0.1, parameters=network.parameters()),
              nn.CrossEntropyLoss(), paddle.metric.Accuracy())
model.fit(folder(150), epochs=6, batch_size=30, shuffle=True, verbose=2, log_freq=30)
result = model.evaluate(folder(50), batch_size=50, verbose=0)
print("eval", result)
