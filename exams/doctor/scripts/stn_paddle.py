"""Spatial transformer (zero-initialised localisation head) with multi-label targets, pos_weight and warm-up."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
from paddle.io import Dataset, DataLoader
import parity

paddle.seed(1)
EPOCHS = 3


class Marks(Dataset):
    """Images with up to three marks; label k is 1 if mark k is there."""

    def __init__(self, n=128):
        rng = np.random.default_rng(3)
        stamps = rng.standard_normal((3, 4, 4)) * 1.5
        self.x = rng.standard_normal((n, 1, 16, 16)).astype("float32") * 0.3
        self.y = (rng.random((n, 3)) < 0.3).astype("float32")
        for i in range(n):
            for k in range(3):
                if self.y[i, k]:
                    r, c = rng.integers(0, 12, 2)
                    self.x[i, 0, r:r + 4, c:c + 4] += stamps[k]

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class STN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.localise = nn.Sequential(nn.Conv2D(1, 8, 5), nn.MaxPool2D(2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 16), nn.ReLU())
        self.theta = nn.Linear(16, 6, weight_attr=nn.initializer.Constant(0.0),
                               bias_attr=paddle.ParamAttr(initializer=nn.initializer.Assign(np.array([1, 0, 0, 0, 1, 0], "float32")),
                                                          learning_rate=0.1))
        self.stem = nn.Conv2D(1, 4, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2D(4, 16, 4, padding=1, bias_attr=False), nn.BatchNorm2D(16), nn.ReLU(),
                                  nn.Conv2D(16, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2D(1), nn.Flatten())
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        theta = self.theta(self.localise(x)).reshape([-1, 2, 3])
        grid = F.affine_grid(theta, x.shape, align_corners=False)
        return self.head(self.body(F.grid_sample(self.stem(x), grid, align_corners=False)))


net = STN()
loader = DataLoader(Marks(), batch_size=16, shuffle=True)
schedule = paddle.optimizer.lr.LinearWarmup(3e-3, warmup_steps=10, start_lr=0.0, end_lr=3e-3)
optimizer = paddle.optimizer.AdamW(schedule, parameters=net.parameters(), weight_decay=1e-3,
                                   apply_decay_param_fun=lambda name: "bias" not in name,
                                   grad_clip=nn.ClipGradByGlobalNorm(1.0))
criterion = nn.BCEWithLogitsLoss(pos_weight=paddle.to_tensor([2.3, 2.3, 2.3]))
history = []
with parity.doctor({"net": net}, {"optimizer": optimizer}) as d:
    for epoch in range(EPOCHS):
        for image, target in d.watch(loader()):
            loss = criterion(net(image), target)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            schedule.step()
            history.append(loss.item())
print(d)
