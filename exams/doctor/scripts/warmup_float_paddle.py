import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(800, 14)).astype("float32")
y = (x[:, :7].max(1) > x[:, 7:].max(1)).astype("int64")


class Runner:
    def __init__(self, net, lr, steps):
        self.net = net
        cosine = paddle.optimizer.lr.CosineAnnealingDecay(lr, T_max=steps)
        self.sched = paddle.optimizer.lr.LinearWarmup(cosine, warmup_steps=20, start_lr=0.0, end_lr=lr)
        self.opt = paddle.optimizer.AdamW(learning_rate=self.sched, parameters=net.parameters(), weight_decay=0.01)

    def step(self, xb, yb):
        loss = nn.functional.cross_entropy(self.net(xb), yb)
        loss.backward()
        self.opt.step()
        self.opt.clear_grad()
        self.sched.step()
        return float(loss)


runner = Runner(nn.Sequential(nn.Linear(14, 64), nn.GELU(), nn.Linear(64, 2)), 5e-3, 200)
for epoch in range(14):
    order = rng.permutation(600)
    losses = [runner.step(paddle.to_tensor(x[b]), paddle.to_tensor(y[b])) for b in order.reshape(15, 40)]
    print("epoch", epoch, "loss", np.mean(losses), "lr", runner.sched.get_lr())
runner.net.eval()
print("accuracy", (runner.net(paddle.to_tensor(x[600:])).numpy().argmax(1) == y[600:]).mean())
