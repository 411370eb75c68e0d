import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import Dataset

paddle.seed(0)
rng = np.random.default_rng(0)


class Pairs(Dataset):
    """Two inputs (a picture's vector and a question's number) and one answer."""

    def __init__(self, n):
        self.a = rng.normal(size=(n, 6)).astype("float32")
        self.q = rng.integers(0, 6, n)
        self.y = (self.a[np.arange(n), self.q] > 0).astype("int64")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.a[i], self.q[i], self.y[i:i + 1]


class VQA(nn.Layer):
    def __init__(self):
        super().__init__()
        self.q = nn.Embedding(6, 32)
        self.a = nn.Linear(6, 32)
        self.out = nn.Sequential(nn.ReLU(), nn.Linear(32, 2))

    def forward(self, a, q):
        return self.out(self.a(a) * self.q(q))


spec = paddle.static.InputSpec
model = paddle.Model(VQA(), inputs=[spec([None, 6], "float32", "a"), spec([None], "int64", "q")],
                     labels=[spec([None, 1], "int64", "y")])
model.prepare(paddle.optimizer.Adam(1e-2, parameters=model.parameters()), nn.CrossEntropyLoss(), paddle.metric.Accuracy())
stop = paddle.callbacks.EarlyStopping("loss", mode="min", patience=2, save_best_model=False, verbose=0)
model.fit(Pairs(800), Pairs(200), epochs=30, batch_size=50, verbose=0, callbacks=[stop])
print("stopped after", stop.stopped_epoch, "epochs,", model.evaluate(Pairs(400), batch_size=100, verbose=0))
