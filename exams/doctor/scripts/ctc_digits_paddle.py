import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
rng = np.random.RandomState(0)
NCLS, LEN, STRIDE = 10, 4, 4
shapes = rng.randn(NCLS, STRIDE - 1, 7)


def lines(n):
    y = rng.randint(1, NCLS + 1, (n, LEN))
    x = np.zeros((n, LEN * STRIDE, 7))
    for k in range(n):
        for j, c in enumerate(y[k]):
            x[k, j * STRIDE:(j + 1) * STRIDE - 1] = shapes[c - 1]
    x = x + 0.1 * rng.randn(*x.shape)
    return paddle.to_tensor(x.astype("float32")), paddle.to_tensor(y.astype("int32")), y


class CRNN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1D(7, 24, 3, padding=1)
        self.rnn = nn.LSTM(24, 32, direction="bidirect")
        self.fc = nn.Linear(64, NCLS + 1)

    def forward(self, x):
        h = F.relu(self.conv(x.transpose([0, 2, 1]))).transpose([0, 2, 1])
        h, _ = self.rnn(h)
        return self.fc(h)


def greedy(out):
    texts = []
    for p in out.argmax(-1).numpy():
        texts.append([int(c) for k, c in enumerate(p) if c != 0 and (k == 0 or c != p[k - 1])])
    return texts


model = CRNN()
criterion = nn.CTCLoss(blank=0)
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
x_val, _, words = lines(150)
for step in range(1, 161):
    x, y, _ = lines(32)
    out = model(x).transpose([1, 0, 2])
    loss = criterion(out, y, paddle.full([32], out.shape[0], "int64"), paddle.full([32], LEN, "int64"))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 40 == 0:
        with paddle.no_grad():
            acc = np.mean([g == list(w) for g, w in zip(greedy(model(x_val)), words)])
        print(f"step {step} loss {float(loss):.3f} line accuracy {acc:.3f}")
