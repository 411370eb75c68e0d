import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(77)
np.random.seed(77)
IDS, DIM = 40, 24
faces = np.random.randn(IDS, 6).astype("float32")
lift = np.random.randn(6, DIM).astype("float32")
noise_dirs = np.random.randn(10, DIM).astype("float32")


def photo(ids):
    base = faces[ids] @ lift
    return (base + 1.2 * np.random.randn(len(ids), 10) @ noise_dirs).astype("float32")


def triplets(n):
    a = np.random.randint(0, IDS - 10, n)
    neg = (a + np.random.randint(1, IDS - 10, n)) % (IDS - 10)
    return [paddle.to_tensor(photo(k)) for k in (a, a, neg)]


class EmbeddingNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(DIM, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x):
        return F.normalize(self.body(x), axis=1)


class TripletLoss(nn.Layer):
    def __init__(self, margin=0.5):
        super().__init__()
        self.margin = margin

    def forward(self, anchor, positive, negative):
        ap = (anchor - positive).square().sum(1)
        an = (anchor - negative).square().sum(1)
        return F.relu(ap - an + self.margin).mean()


def rank1(net):
    net.eval()
    ids = np.arange(IDS)
    with paddle.no_grad():
        gallery = net(paddle.to_tensor(photo(ids))).numpy()
        probe_ids = np.repeat(ids, 10)
        probe = net(paddle.to_tensor(photo(probe_ids))).numpy()
    net.train()
    return float(((probe @ gallery.T).argmax(1) == probe_ids).mean())


net, criterion = EmbeddingNet(), TripletLoss()
adam = paddle.optimizer.Adam(learning_rate=2e-3, parameters=net.parameters())
print("rank-1 before", rank1(net))
for it in range(400):
    a, p, n = triplets(64)
    loss = criterion(net(a), net(p), net(n))
    loss.backward()
    adam.step()
    adam.clear_grad()
    if it % 100 == 99:
        print("iter", it + 1, "loss", round(float(loss), 4))
print("rank-1 after", rank1(net))
