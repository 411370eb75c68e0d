import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset

paddle.seed(0)
np.random.seed(0)
rng = np.random.default_rng(0)


class Cells(Dataset):
    """16x16 pictures of a bright cell; the masks are stored as 0 and 255, as in a png."""

    def __init__(self, n):
        yy, xx = np.mgrid[:16, :16]
        c, r = rng.uniform(4, 12, (n, 2)), rng.uniform(2, 4, n)
        self.mask = (((yy - c[:, 0, None, None]) ** 2 + (xx - c[:, 1, None, None]) ** 2 < r[:, None, None] ** 2) * 255)
        self.img = 0.6 * self.mask / 255 + rng.normal(0, 0.3, self.mask.shape)

    def __len__(self):
        return len(self.img)

    def __getitem__(self, i):
        return self.img[i][None].astype("float32"), self.mask[i][None].astype("float32") / 255


net = nn.Sequential(nn.Conv2D(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2D(8, 8, 3, padding=1), nn.ReLU(),
                    nn.Conv2D(8, 1, 1))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
loss_fn = nn.BCEWithLogitsLoss()
train = Cells(240)
for epoch in range(5):
    for x, m in DataLoader(train, batch_size=20, shuffle=True):
        loss = loss_fn(net(x), m)
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
test = Cells(60)
pred = net(paddle.to_tensor(test.img[:, None].astype("float32"))).numpy()[:, 0] > 0
true = test.mask > 0
print("final loss", float(loss), "iou", (pred & true).sum() / (pred | true).sum())
