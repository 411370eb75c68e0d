import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)


def xor_grid(n):
    x = rng.uniform(-1, 1, (n, 2)).astype("float32")
    y = ((np.sin(4 * x[:, 0]) * np.cos(4 * x[:, 1])) > 0).astype("int64")
    return x, y


class DeepNet(nn.Layer):
    def __init__(self, width=48, depth=3):
        super().__init__()
        dims = [2] + [width] * depth
        hidden = [nn.Linear(i, o) for i, o in zip(dims[:-1], dims[1:])]
        self.hidden = nn.LayerList(hidden)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.out(x)


class XorData(paddle.io.Dataset):
    def __init__(self, n):
        super().__init__()
        self.x, self.y = xor_grid(n)

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)


train = paddle.io.DataLoader(XorData(1200), batch_size=60, shuffle=True)
xv, yv = xor_grid(400)
model = DeepNet()
loss_fn = nn.CrossEntropyLoss()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
for epoch in range(1, 21):
    model.train()
    losses = []
    for xb, yb in train:
        loss = loss_fn(model(xb), yb)
        loss.backward()
        opt.step()
        opt.clear_grad()
        losses.append(float(loss))
    if epoch % 4 == 0:
        model.eval()
        acc = (model(paddle.to_tensor(xv)).argmax(1).numpy() == yv).mean()
        print(f"epoch {epoch} loss {np.mean(losses):.3f} val acc {acc:.3f}")
