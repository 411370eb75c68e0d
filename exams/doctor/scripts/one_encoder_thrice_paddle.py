import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.default_rng(0)
who = rng.normal(size=(20, 12))


def shots(k):
    return paddle.to_tensor((who[k] + 0.5 * rng.normal(size=(len(k), 12))).astype("float32"))


net = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 8))
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
loss_fn = nn.TripletMarginLoss(margin=0.3)
share = []
for step in range(300):
    k = rng.integers(0, 20, 64)
    other = (k + rng.integers(1, 20, 64)) % 20
    a, p, n = [F.normalize(net(shots(i))) for i in (k, k, other)]       # one net, called three times
    loss = loss_fn(a, p, n)
    loss.backward()         # near the end most triplets are inside the margin and give nothing
    opt.step()
    opt.clear_grad()
    share.append(float(loss))
    if step % 60 == 0:
        print("step", step, "loss", share[-1])
k = np.arange(20)
d = ((F.normalize(net(shots(k))).unsqueeze(1) - F.normalize(net(shots(k))).unsqueeze(0)) ** 2).sum(-1).numpy()
print("loss of the last 20", np.mean(share[-20:]), "nearest is the same person", (d.argmin(1) == k).mean())
