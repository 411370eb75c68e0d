import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
# pictures rated by many people: the target is the whole distribution over 1..7
x = rng.normal(size=(900, 10)).astype("float32")
centre = 4 + 1.5 * np.tanh(x[:, 0] + x[:, 1] * x[:, 2])
spread = 0.6 + 0.4 / (1 + np.exp(-x[:, 3]))
dist = np.exp(-((np.arange(1, 8)[None] - centre[:, None]) / spread[:, None]) ** 2 / 2)
dist = (dist / dist.sum(1, keepdims=True)).astype("float32")

model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 7))
opt = paddle.optimizer.Adam(learning_rate=4e-3, parameters=model.parameters())
for epoch in range(15):
    for i in range(0, 700, 50):
        logits = model(paddle.to_tensor(x[i:i + 50]))
        loss = F.kl_div(F.log_softmax(logits, axis=1), paddle.to_tensor(dist[i:i + 50]), reduction="batchmean")
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
p = F.softmax(model(paddle.to_tensor(x[700:])), axis=1).numpy()
print("error of the mean rating", np.abs((p - dist[700:]) @ np.arange(1, 8)).mean())
