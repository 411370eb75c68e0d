import numpy as np
import paddle
import paddle.nn as nn
from paddle import ParamAttr
from paddle.nn.initializer import Constant, XavierNormal
from paddle.io import BatchSampler, DataLoader, Dataset

paddle.seed(55)
np.random.seed(55)


class XorLike(Dataset):
    def __init__(self, n):
        self.x = np.random.uniform(-1, 1, (n, 4)).astype("float32")
        s = (self.x[:, 0] * self.x[:, 1] > 0).astype(int) + 2 * (self.x[:, 2] * self.x[:, 3] > 0).astype(int)
        self.y = s.astype("int64")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class Classifier(nn.Layer):
    def __init__(self):
        super().__init__()
        w = lambda: ParamAttr(initializer=XavierNormal())
        b = lambda: ParamAttr(initializer=Constant(0.0))
        self.linear1 = nn.Linear(4, 64, weight_attr=w(), bias_attr=b())
        self.linear2 = nn.Linear(64, 64, weight_attr=w(), bias_attr=b())
        self.linear3 = nn.Linear(64, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.linear3(self.act(self.linear2(self.act(self.linear1(x)))))


train = XorLike(2000)
loader = DataLoader(train, batch_sampler=BatchSampler(train, batch_size=50, shuffle=True, drop_last=True))
valid = XorLike(500)
model = Classifier()
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=model.parameters())
loss_fn = nn.CrossEntropyLoss()
for epoch in range(15):
    for x, y in loader:
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
    if epoch % 3 == 2:
        acc = (model(paddle.to_tensor(valid.x)).argmax(1).numpy() == valid.y).mean()
        print("epoch", epoch + 1, "loss", round(float(loss), 4), "val acc", round(float(acc), 4))
