import numpy as np
import paddle
import paddle.nn as nn
from paddle.metric import Accuracy

paddle.seed(0)
rng = np.random.RandomState(0)
base = rng.randn(4, 1, 8, 8)


class Tiles(paddle.io.Dataset):
    def __init__(self, n):
        super().__init__()
        self.y = rng.randint(0, 4, (n, 1)).astype("int64")
        self.x = (base[self.y[:, 0]] + 1.5 * rng.randn(n, 1, 8, 8)).astype("float32")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.x)


class Small(nn.Layer):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2D(1, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU(), nn.MaxPool2D(2),
            nn.Conv2D(8, 16, 3, padding=1), nn.BatchNorm2D(16), nn.ReLU(),
            nn.Flatten(), nn.Linear(256, 4),
        )

    def forward(self, x):
        return self.net(x)


class Log(paddle.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        loss = float(np.ravel(logs["loss"])[0])
        print(f"epoch {epoch} loss {loss:.3f} acc {float(np.ravel(logs['acc'])[0]):.3f}")


train, val = Tiles(500), Tiles(200)
model = paddle.Model(Small())
opt = paddle.optimizer.Adam(learning_rate=2e-3, parameters=model.parameters(), weight_decay=1e-4)
model.prepare(opt, nn.CrossEntropyLoss(), Accuracy())
stop = paddle.callbacks.EarlyStopping("acc", mode="max", patience=3, verbose=0, save_best_model=False)
print("before", model.evaluate(val, batch_size=100, verbose=0))
model.fit(train, val, batch_size=25, epochs=8, shuffle=True, verbose=0, callbacks=[Log(), stop])
print("after", model.evaluate(val, batch_size=100, verbose=0))
