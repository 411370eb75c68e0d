import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(3)
rng = np.random.RandomState(3)


class RandomFeatures(nn.Layer):
    def __init__(self, i, o, gamma=0.7):
        super().__init__()
        self.lin = nn.Linear(i, o, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Normal(0, gamma)),
                             bias_attr=paddle.ParamAttr(initializer=nn.initializer.Uniform(0, 2 * np.pi)))
        for p in self.parameters():
            p.stop_gradient = True

    def forward(self, x):
        return paddle.cos(self.lin(x)) * (2.0 / self.lin.weight.shape[1]) ** 0.5


def data(n):
    x = rng.uniform(-2, 2, (n, 2)).astype("float32")
    return x, ((x ** 2).sum(1) < 2).astype("float32")


feat = RandomFeatures(2, 300)
readout = nn.Linear(300, 1)
trainable = [p for p in [*feat.parameters(), *readout.parameters()] if not p.stop_gradient]
opt = paddle.optimizer.Momentum(learning_rate=5.0, momentum=0.9, parameters=trainable, weight_decay=1e-5)
X, Y = data(800)
Xv, Yv = data(400)
for epoch in range(1, 21):
    order, tot = rng.permutation(800), []
    for i in range(0, 800, 40):
        idx = order[i:i + 40]
        out = readout(feat(paddle.to_tensor(X[idx]))).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(out, paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot.append(float(loss))
    if epoch % 4 == 0 or epoch == 1:
        with paddle.no_grad():
            hit = (readout(feat(paddle.to_tensor(Xv))).squeeze(1).numpy() > 0) == (Yv > 0.5)
        print(f"epoch {epoch} loss {np.mean(tot):.3f} acc {hit.mean():.3f}")
