import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

import parity

paddle.seed(7)


class Roads(Dataset):
    def __init__(self, count=48, size=24):
        super().__init__()
        rng = np.random.default_rng(5)
        self.images, self.masks = [], []
        for _ in range(count):
            mask = np.zeros((size, size), "float32")
            start = rng.integers(2, size - 6)
            if rng.random() < 0.5:
                mask[start:start + 4] = 1
            else:
                mask[:, start:start + 4] = 1
            image = rng.normal(0, 0.3, (3, size, size)) + mask * np.array([1.0, 0.6, -0.8])[:, None, None]
            self.images.append(image.astype("float32"))
            self.masks.append(mask)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]

    def __len__(self):
        return len(self.images)


class ConvBlock(nn.Layer):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv = nn.Conv2D(cin, cout, 3, padding=1, bias_attr=False)
        self.bn = nn.BatchNorm2D(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class UNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.encoders = nn.LayerList([ConvBlock(3, 8), ConvBlock(8, 16)])
        self.bottom = ConvBlock(16, 16)
        self.decoders = nn.LayerList([ConvBlock(32, 8), ConvBlock(16, 8)])
        self.head = nn.Conv2D(8, 1, 1)

    def forward(self, x):
        skips = []
        for enc in self.encoders:
            x = enc(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for dec in self.decoders:
            x = F.interpolate(x, scale_factor=2)
            x = dec(paddle.concat([x, skips.pop()], axis=1))
        return self.head(x)


model = UNet()
loader = DataLoader(Roads(), batch_size=8, shuffle=True)
lr = paddle.optimizer.lr.PolynomialDecay(learning_rate=0.05, decay_steps=100, end_lr=1e-4)
optimizer = paddle.optimizer.Momentum(lr, momentum=0.9, parameters=model.parameters(), weight_decay=1e-4)

with parity.doctor(model, optimizer) as d:
    for epoch in range(3):
        model.train()
        for image, mask in d.watch(loader):
            pred = model(image).squeeze(1)
            bce = F.binary_cross_entropy_with_logits(pred, mask)
            p = F.sigmoid(pred)
            dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
            loss = bce + dice
            optimizer.clear_grad()
            loss.backward()
            optimizer.step()
            lr.step()
        model.eval()
        with paddle.no_grad():
            accuracy = float(((model(image).squeeze(1) > 0).astype("float32") == mask).astype("float32").mean())
print(d)
