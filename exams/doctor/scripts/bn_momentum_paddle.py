import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = (rng.normal(size=(803, 10)) * 3 + 1).astype("float32")
y = ((x[:, 0] > x[:, 1]) * 1 + (x[:, 2] + x[:, 3] > 2) * 2).astype("int64")
xt = (rng.normal(size=(400, 10)) * 3 + 1).astype("float32")
yt = ((xt[:, 0] > xt[:, 1]) * 1 + (xt[:, 2] + xt[:, 3] > 2) * 2).astype("int64")


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1D(o, momentum=0.9), nn.ReLU())


net = nn.Sequential(block(10, 64), block(64, 32), nn.Linear(32, 4))
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
history = []
for epoch in range(15):
    net.train()
    for i in range(0, 803, 50):
        out = net(paddle.to_tensor(x[i:i + 50]))
        loss = nn.functional.cross_entropy(out, paddle.to_tensor(y[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    net.eval()
    with paddle.no_grad():
        acc = (net(paddle.to_tensor(xt)).argmax(1).numpy() == yt).mean()
    history.append(acc)
    print(f"epoch {epoch}: train loss {float(loss):.4f} val acc {acc:.4f}")
print("mean val acc of the last five", np.mean(history[-5:]))
