import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import Dataset

paddle.seed(0)
np.random.seed(0)
PROTO = np.random.randn(5, 1, 10, 10)


class Toy(Dataset):
    def __init__(self, n):
        self.y = np.random.randint(0, 5, (n, 1)).astype("int64")
        self.x = (PROTO[self.y[:, 0]] + 0.8 * np.random.randn(n, 1, 10, 10)).astype("float32")

    def __getitem__(self, i):
        return self.x[i], self.y[i]

    def __len__(self):
        return len(self.y)


class PrintLoss(paddle.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch} loss {float(np.asarray(logs['loss']).reshape(-1)[0]):.4f} acc {float(logs['acc']):.3f}")


net = nn.Sequential(nn.Conv2D(1, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(),
                    nn.Dropout(0.3), nn.Linear(200, 5))
model = paddle.Model(net)
model.prepare(paddle.optimizer.Adam(5e-3, parameters=model.parameters()), nn.CrossEntropyLoss(), paddle.metric.Accuracy())
model.fit(Toy(400), epochs=8, batch_size=40, verbose=0, callbacks=[PrintLoss()])
print(model.evaluate(Toy(200), batch_size=50, verbose=0))
