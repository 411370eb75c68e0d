import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


class EarlyStopping:
    def __init__(self, patience=3):
        self.patience = patience
        self.best_loss = float("inf")
        self.bad = 0
        self.state = None

    def __call__(self, loss, model):
        if loss < self.best_loss:
            self.best_loss, self.bad = loss, 0
            self.state = {k: v.clone() for k, v in model.state_dict().items()}
        else:
            self.bad += 1
        return self.bad >= self.patience


x = np.random.randn(1200, 12).astype("float32")
y = (np.sin(x[:, 0] * 2) + x[:, 1] * x[:, 2] > 0).astype("int64")
xt, yt, xv, yv = (paddle.to_tensor(a) for a in (x[:900], y[:900], x[900:], y[900:]))

model = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
opt = paddle.optimizer.Adam(2e-3, parameters=model.parameters())
stopper = EarlyStopping()
for epoch in range(20):
    model.train()
    for i in range(0, 900, 100):
        loss = F.cross_entropy(model(xt[i:i + 100]), yt[i:i + 100])
        loss.backward()
        opt.step()
        opt.clear_grad()
    model.eval()
    with paddle.no_grad():
        val = float(F.cross_entropy(model(xv), yv))
    print(f"epoch {epoch} train {float(loss):.4f} val {val:.4f}")
    if stopper(val, model):
        print("early stop at epoch", epoch)
        break
if stopper.state is not None:
    model.set_state_dict(stopper.state)
print("val acc", float((model(xv).argmax(1) == yv).astype("float32").mean()))
