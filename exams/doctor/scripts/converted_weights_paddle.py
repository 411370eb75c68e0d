import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(1200, 16)).astype("float32")
# a checkpoint of another framework: "weight" is (out, in)
q1, q2 = [np.linalg.qr(rng.normal(size=(16, 16)))[0].astype("float32") for _ in range(2)]
ckpt = {"fc1.weight": 1.5 * q1, "fc1.bias": np.zeros(16, "float32"), "fc2.weight": 1.5 * q2, "fc2.bias": np.zeros(16, "float32")}
feature = np.maximum(np.maximum(x @ ckpt["fc1.weight"].T, 0) @ ckpt["fc2.weight"].T, 0)
y = feature[:, :4].argmax(1).astype("int64")


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)

    def forward(self, x):
        h = nn.functional.relu(self.fc1(x))
        return self.head(nn.functional.relu(self.fc2(h)))


net = Net()
state = {k: paddle.to_tensor(v.T if v.ndim == 2 else v) for k, v in ckpt.items()}
net.fc1.set_state_dict({k[4:]: v for k, v in state.items() if k.startswith("fc1")})
net.fc2.set_state_dict({k[4:]: v for k, v in state.items() if k.startswith("fc2")})
for layer in (net.fc1, net.fc2):
    for p in layer.parameters():
        p.stop_gradient = True
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.head.parameters())
for epoch in range(12):
    for i in range(0, 1000, 50):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(x[i:i + 50])), paddle.to_tensor(y[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
print("accuracy", (net(paddle.to_tensor(x[1000:])).numpy().argmax(1) == y[1000:]).mean())
