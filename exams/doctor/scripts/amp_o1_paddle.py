import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(3)
np.random.seed(3)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(10, 128), nn.Linear(128, 128), nn.Linear(128, 4)
        self.n = nn.LayerNorm(128)

    def forward(self, x):
        h = nn.functional.relu(self.a(x))
        return self.c(self.n(h + nn.functional.relu(self.b(h))))


W = np.random.randn(10, 4)
x = np.random.randn(3000, 10).astype("float32")
y = np.tanh(x).dot(W).argmax(1)
net = Net()
opt = paddle.optimizer.Adam(learning_rate=1e-3, parameters=net.parameters())
scaler = paddle.amp.GradScaler(enable=False)
ce = nn.CrossEntropyLoss()
for epoch in range(6):
    for i in np.array_split(np.random.permutation(2500), 40):
        with paddle.amp.auto_cast(level="O1", dtype="bfloat16"):
            loss = ce(net(paddle.to_tensor(x[i])), paddle.to_tensor(y[i]))
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
        opt.clear_grad()
    acc = float((net(paddle.to_tensor(x[2500:])).argmax(1).numpy() == y[2500:]).mean())
    print("epoch", epoch, "loss", round(float(loss), 4), "acc", round(acc, 4))
