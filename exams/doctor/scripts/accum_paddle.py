import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(1)
np.random.seed(1)
x = np.random.randn(2400, 12).astype("float32")
y = ((x[:, 0] * x[:, 1] > 0).astype(int) + (x[:, 2] > 0.5)).astype("int64")
net = nn.Sequential(nn.Linear(12, 96), nn.GELU(), nn.Linear(96, 3))
sched = paddle.optimizer.lr.NoamDecay(d_model=64, warmup_steps=60, learning_rate=1.0)
opt = paddle.optimizer.AdamW(learning_rate=sched, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
micro, k = 4, 0
for epoch in range(14):
    order = np.random.permutation(2000)
    losses = []
    for s in range(0, 2000, 25):
        i = order[s:s + 25]
        loss = F.cross_entropy(net(paddle.to_tensor(x[i])), paddle.to_tensor(y[i])) / micro
        loss.backward()
        losses.append(float(loss) * micro)
        k += 1
        if k % micro:
            continue
        opt.step()
        opt.clear_grad()
        sched.step()
    if epoch % 3 == 1:
        acc = (net(paddle.to_tensor(x[2000:])).argmax(1).numpy() == y[2000:]).mean()
        print("epoch", epoch, "lr", round(opt.get_lr(), 5), "loss", round(np.mean(losses), 4), "acc", round(float(acc), 4))
