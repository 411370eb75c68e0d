import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
C = 8
cent = np.random.randn(C, 12)
y = np.random.randint(0, C, 900)
x = (cent[y] + 0.6 * np.random.randn(900, 12)).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)
net = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, C))
sched = paddle.optimizer.lr.ReduceOnPlateau(0.02, factor=0.3, patience=1, verbose=False)
opt = paddle.optimizer.Adam(sched, parameters=net.parameters())


def smooth_ce(logits, label, eps=0.2):
    soft = F.label_smooth(F.one_hot(label, C), epsilon=eps)
    return F.cross_entropy(logits, soft, soft_label=True)


for epoch in range(14):
    net.train()
    tot = 0.0
    for i in range(0, 700, 70):
        loss = smooth_ce(net(x[i:i + 70]), y[i:i + 70])
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    net.eval()
    with paddle.no_grad():
        val = float(smooth_ce(net(x[700:]), y[700:]))
    sched.step(val)
    print(f"epoch {epoch} loss {tot / 10:.4f} val {val:.4f} lr {opt.get_lr():.5f}")
