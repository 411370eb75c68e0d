import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(5, 24)


def data(n):
    y = rng.randint(0, 5, n)
    return (proto[y] * rng.uniform(0.5, 1.5, (n, 1)) + 0.9 * rng.randn(n, 24)).astype("float32"), y.astype("int64")


X, Y = data(800)
Xv, Yv = data(300)
model = nn.Sequential(nn.Linear(24, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 5))
sched = paddle.optimizer.lr.CosineAnnealingDecay(learning_rate=3e-3, T_max=12)
opt = paddle.optimizer.AdamW(learning_rate=sched, parameters=model.parameters())
for epoch in range(1, 13):
    model.train()
    order, tot = rng.permutation(800), []
    for i in range(0, 800, 40):
        idx = order[i:i + 40]
        with paddle.amp.auto_cast(enable=True, level="O1", dtype="bfloat16"):
            logits = model(paddle.to_tensor(X[idx]))
        loss = F.cross_entropy(logits.astype("float32"), paddle.to_tensor(Y[idx]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot.append(float(loss))
    sched.step()
    if epoch % 3 == 0 or epoch == 1:
        model.eval()
        with paddle.no_grad():
            acc = (model(paddle.to_tensor(Xv)).argmax(1).numpy() == Yv).mean()
        print(f"epoch {epoch} lr {opt.get_lr():.2e} loss {np.mean(tot):.3f} acc {acc:.3f}")
