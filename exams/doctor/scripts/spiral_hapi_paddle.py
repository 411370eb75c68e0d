import numpy as np
import paddle
from paddle import nn
from paddle.io import TensorDataset

paddle.seed(1)
np.random.seed(1)
N = 3000
t = np.random.rand(N) * 2.5 * np.pi
c = np.random.randint(0, 2, N)
X = np.stack([np.cos(t) * t / 3, np.sin(t) * t / 3], 1) * (1 - 2 * c)[:, None] + 0.05 * np.random.randn(N, 2)
X, c = X.astype("float32"), c.astype("int64")[:, None]
train_set = TensorDataset([paddle.to_tensor(X[:2400]), paddle.to_tensor(c[:2400])])
eval_set = TensorDataset([paddle.to_tensor(X[2400:]), paddle.to_tensor(c[2400:])])

network = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
scheduler = paddle.optimizer.lr.StepDecay(learning_rate=0.01, step_size=8, gamma=0.5)
optimizer = paddle.optimizer.Adam(learning_rate=scheduler, parameters=network.parameters())
callbacks = [paddle.callbacks.LRScheduler(by_step=False, by_epoch=True)]

model = paddle.Model(network)
model.prepare(optimizer, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
model.fit(train_set, batch_size=50, epochs=20, shuffle=True, verbose=0, callbacks=callbacks)
print("last lr", optimizer.get_lr())
print(model.evaluate(eval_set, batch_size=200, verbose=0)["acc"])
