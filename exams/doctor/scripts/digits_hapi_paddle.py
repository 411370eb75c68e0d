import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import Dataset
from PIL import Image, ImageDraw, ImageFont

paddle.seed(2023)
rng = np.random.RandomState(2023)
font = ImageFont.load_default()


class Digits(Dataset):
    def __init__(self, n):
        super().__init__()
        self.data = []
        for _ in range(n):
            k = rng.randint(10)
            im = Image.new("L", (14, 14), 0)
            ImageDraw.Draw(im).text((int(rng.randint(2, 6)), int(rng.randint(0, 3))), str(k), fill=255, font=font)
            a = np.asarray(im).astype("float32") / 255.0 + 0.15 * rng.randn(14, 14).astype("float32")
            self.data.append((a[None], np.array([k], dtype="int64")))

    def __getitem__(self, idx):
        return self.data[idx]

    def __len__(self):
        return len(self.data)


class LeNet(nn.Layer):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2D(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2),
            nn.Conv2D(6, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2, 2))
        self.fc = nn.Sequential(nn.Linear(16 * 9, 84), nn.ReLU(), nn.Linear(84, num_classes))

    def forward(self, x):
        x = self.features(x)
        x = paddle.flatten(x, 1)
        return self.fc(x)


model = paddle.Model(LeNet())
optim = paddle.optimizer.SGD(learning_rate=0.05, parameters=model.parameters())
model.prepare(optim, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
model.fit(Digits(2000), epochs=8, batch_size=64, shuffle=True, verbose=0)
res = model.evaluate(Digits(500), batch_size=100, verbose=0)
print("eval loss", float(res["loss"][0]))
print("eval acc", float(res["acc"]))
