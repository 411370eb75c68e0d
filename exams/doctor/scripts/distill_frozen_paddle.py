import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
proj = rng.randn(14, 5)


def data(n):
    x = rng.randn(n, 14)
    return x.astype("float32"), (np.sin(x) @ proj).argmax(1).astype("int64")


X, Y = data(1500)
Xv, Yv = data(500)


def run(model, loss_fn, epochs, lr, bs=50):
    opt = paddle.optimizer.AdamW(learning_rate=lr, parameters=model.parameters(), weight_decay=1e-3)
    for epoch in range(1, epochs + 1):
        order, tot = rng.permutation(len(X)), []
        for i in range(0, len(X), bs):
            idx = order[i:i + bs]
            loss = loss_fn(model, paddle.to_tensor(X[idx]), paddle.to_tensor(Y[idx]))
            loss.backward()
            opt.step()
            opt.clear_grad()
            tot.append(float(loss))
        if epoch % 5 == 0:
            acc = (model(paddle.to_tensor(Xv)).argmax(1).numpy() == Yv).mean()
            print(f"  epoch {epoch} loss {np.mean(tot):.3f} acc {acc:.3f}")


teacher = nn.Sequential(nn.Linear(14, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 5))
print("teacher")
run(teacher, lambda m, x, y: F.cross_entropy(m(x), y), 10, 3e-3)
teacher.eval()
for p in teacher.parameters():
    p.stop_gradient = True


def kd(m, x, y, T=3.0, a=0.3):
    s = m(x)
    with paddle.no_grad():
        t = F.softmax(teacher(x) / T)
    soft = F.kl_div(F.log_softmax(s / T), t, reduction="batchmean") * T * T
    return a * F.cross_entropy(s, y) + (1 - a) * soft


print("student")
student = nn.Sequential(nn.Linear(14, 32), nn.ReLU(), nn.Linear(32, 5))
run(student, kd, 20, 5e-3)
