"""Knowledge distillation: a small student follows a trained teacher and the labels."""
import os
import tempfile
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import TensorDataset, DataLoader
from paddle.distributed.fleet.utils import recompute
import parity

EPOCHS = 3
T, ALPHA = 3.0, 0.7
paddle.seed(5)
np.random.seed(5)
centres = np.random.randn(6, 1, 12, 12)
labels = np.random.randint(0, 6, 256)
images = (centres[labels] + 1.5 * np.random.randn(256, 1, 12, 12)).astype("float32")
train_set = TensorDataset([paddle.to_tensor(images), paddle.to_tensor(labels.astype("int64"))])


class Net(nn.Layer):
    def __init__(self, width, n_class=6):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2D(1, width, 3, padding=1), nn.BatchNorm2D(width), nn.ReLU(), nn.AvgPool2D(2))
        self.body = nn.Sequential(nn.Conv2D(width, 2 * width, 3, padding=1), nn.BatchNorm2D(2 * width), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2D(2)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(8 * width, n_class)

    def features(self, x):
        return self.pool(self.body(self.stem(x))).flatten(1)

    def forward(self, x):
        return self.fc(self.drop(self.features(x)))


def pretrain(path):
    net = Net(16)
    opt = paddle.optimizer.Adam(0.005, parameters=net.parameters())
    for _ in range(4):
        for x, y in DataLoader(train_set, batch_size=32, shuffle=True):
            F.cross_entropy(net(x), y).backward()
            opt.step()
            opt.clear_grad()
    paddle.save(net.state_dict(), path)


path = os.path.join(tempfile.mkdtemp(), "teacher.pdparams")
pretrain(path)

teacher = Net(16)
teacher.set_state_dict(paddle.load(path))
teacher.eval()
for p in teacher.parameters():
    p.stop_gradient = True

student = Net(6)
optimizer = paddle.optimizer.AdamW(0.004, parameters=student.parameters(), weight_decay=0.01)


def distill_loss(s_logit, t_logit, y):
    soft = F.kl_div(F.log_softmax(s_logit / T, axis=-1), F.softmax(t_logit / T, axis=-1), reduction="batchmean") * T * T
    hard = F.cross_entropy(s_logit, y)
    return ALPHA * soft + (1 - ALPHA) * hard


loader = DataLoader(train_set, batch_size=32, shuffle=True, drop_last=True)
student.train()
with parity.doctor({"student": student, "teacher": teacher}, [optimizer], expect=["frozen-network:teacher"]) as d:
    for epoch in range(EPOCHS):
        for x, y in d.watch(loader):
            with paddle.no_grad():
                t_logit = teacher(x)
            s_logit = student(x)
            loss = distill_loss(s_logit, t_logit, y)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
        acc = paddle.metric.accuracy(s_logit, y.unsqueeze(-1))
        print(epoch, "loss", float(loss), "acc", float(acc))
print(d)
