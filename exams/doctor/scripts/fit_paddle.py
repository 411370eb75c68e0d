"""The high-level API: Model.prepare and Model.fit with callbacks; two inputs, one of them token numbers."""
import numpy as np
import paddle
from paddle import nn
from paddle.io import Dataset
from paddle.static import InputSpec
import parity

paddle.seed(0)
EPOCHS = 3
history = []


class Reviews(Dataset):
    def __init__(self, n=128):
        rng = np.random.default_rng(5)
        self.words = rng.integers(1, 40, (n, 10))
        self.meta = rng.standard_normal((n, 3)).astype("float32")
        weight = rng.standard_normal(40)
        score = weight[self.words].mean(1) * 3 + self.meta[:, 0]
        self.label = (score > np.median(score)).astype("int64")[:, None]

    def __getitem__(self, i):
        return self.words[i], self.meta[i], self.label[i]

    def __len__(self):
        return len(self.label)


class Bag(nn.Layer):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 16, padding_idx=0)
        self.attend = nn.Linear(16, 1, bias_attr=False)
        self.head = nn.Sequential(nn.Linear(19, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 2))

    def forward(self, words, meta):
        e = self.embed(words)
        weight = nn.functional.softmax(self.attend(e), axis=1)
        return self.head(paddle.concat([(weight * e).sum(axis=1), meta], axis=1))


class Record(paddle.callbacks.Callback):
    def on_train_batch_end(self, step, logs=None):
        history.append(float(np.ravel(logs["loss"])[0]))


net = Bag()
model = paddle.Model(net, [InputSpec([None, 10], "int64", "words"), InputSpec([None, 3], "float32", "meta")],
                     [InputSpec([None, 1], "int64", "label")])
rate = paddle.optimizer.lr.PolynomialDecay(0.01, decay_steps=200, end_lr=1e-3)
optimizer = paddle.optimizer.AdamW(rate, parameters=model.parameters(), weight_decay=0.01)
model.prepare(optimizer, nn.CrossEntropyLoss(), paddle.metric.Accuracy())
with parity.doctor({"net": net}, {"optimizer": optimizer}) as d:
    model.fit(Reviews(), eval_data=Reviews(32), batch_size=16, epochs=EPOCHS, shuffle=True, verbose=0,
              callbacks=[Record(), paddle.callbacks.LRScheduler(by_step=True, by_epoch=False)])
print(d)
