import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)


class Classifier(nn.Layer):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 6), nn.Tanh())
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.backbone(x))


def set_trainable(layer, flag):
    for p in layer.parameters():
        p.stop_gradient = not flag


# three spirals
t = np.random.rand(900) * 2 + 0.3
y = np.random.randint(0, 3, 900)
ang = t * 2.2 + y * 2 * np.pi / 3
x = (np.stack([t * np.cos(ang), t * np.sin(ang)], 1) + 0.05 * np.random.randn(900, 2)).astype("float32")
x, y = paddle.to_tensor(x), paddle.to_tensor(y)

model = Classifier()
set_trainable(model.backbone, False)
optimizer = paddle.optimizer.Adam(
    learning_rate=0.01,
    parameters=model.parameters())

for epoch in range(150):
    if epoch == 20:
        set_trainable(model.backbone, True)
        print("backbone unfrozen")
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    optimizer.clear_grad()
    if epoch % 15 == 0:
        print(f"epoch {epoch} loss {float(loss):.4f}")
print("acc", float((model(x).argmax(1) == y).astype("float32").mean()))
