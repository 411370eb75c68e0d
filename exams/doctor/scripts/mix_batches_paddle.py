import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proto = rng.randn(6, 24)


def rows(n):
    y = rng.randint(0, 6, n)
    return (proto[y] + 0.8 * rng.randn(n, 24)).astype("float32"), y.astype("int64")


def mixup(x, alpha=0.4):
    lam = rng.beta(alpha, alpha)
    lam = max(lam, 1 - lam)
    perm = rng.permutation(x.shape[0])
    return lam * x + (1 - lam) * x[perm], perm, float(lam)


X, Y = rows(900)
Xv, Yv = rows(400)
model = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
opt = paddle.optimizer.AdamW(learning_rate=2e-3, parameters=model.parameters(), weight_decay=1e-3)
for epoch in range(1, 16):
    model.train()
    order = rng.permutation(900)
    losses = []
    for i in range(0, 900, 45):
        x, y = X[order[i:i + 45]], Y[order[i:i + 45]]
        xm, perm, lam = mixup(x)
        logits = model(paddle.to_tensor(xm))
        loss_a = F.cross_entropy(logits, paddle.to_tensor(y))
        loss_b = F.cross_entropy(logits, paddle.to_tensor(y[perm]))
        loss = lam * loss_a + (1 - lam) * loss_b
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 3 == 0:
        model.eval()
        out = model(paddle.to_tensor(Xv))
        val = float(F.cross_entropy(out, paddle.to_tensor(Yv)))
        acc = (out.argmax(1).numpy() == Yv).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.3f} val loss {val:.3f} val acc {acc:.3f}")
