import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(1)
rng = np.random.default_rng(1)
means = rng.normal(0, 2, (5, 12))
label = rng.integers(0, 5, 900)
feat = (means[label] + rng.normal(0, 1.5, (900, 12))).astype("float32")
x, y = paddle.to_tensor(feat), paddle.to_tensor(label)


class Classifier(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 40)
        self.fc2 = nn.Linear(40, 5)

    def forward(self, x):
        return self.fc2(nn.functional.relu(self.fc1(x)))


model = Classifier()
criterion = nn.CrossEntropyLoss(reduction="mean")
optimizer = paddle.optimizer.Adam(5e-3, parameters=model.parameters())
for epoch in range(10):
    order = rng.permutation(700)
    for i in range(0, 700, 50):
        idx = paddle.to_tensor(order[i:i + 50])
        loss = criterion(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
    print("epoch", epoch, "loss", float(loss))
acc = float((model(x[700:]).argmax(1) == y[700:]).astype("float32").mean())
print("test accuracy", acc)
