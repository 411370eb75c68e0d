import numpy as np
import paddle
import paddle.nn as nn
from paddle.io import DataLoader, Dataset, DistributedBatchSampler
import parity

paddle.seed(0)
np.random.seed(0)
EPOCHS = 3
CARDINALITY = [12, 7, 30]


class Customers(Dataset):
    def __init__(self, n):
        self.cat = np.stack([np.random.randint(0, c, n) for c in CARDINALITY], 1).astype("int64")
        num = np.random.lognormal(3, 1, (n, 4)).astype("float32")
        z = (np.log(num) - 3)
        score = np.stack([z[:, 0] + (self.cat[:, 0] > 8), z[:, 1] - z[:, 2], z[:, 3] + (self.cat[:, 2] < 6)], 1)
        self.num = z.astype("float32")
        self.tags = (score > 1.2).astype("float32")

    def __getitem__(self, i):
        return self.cat[i], self.num[i], self.tags[i]

    def __len__(self):
        return len(self.tags)


class TabNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.embeds = nn.LayerList([nn.Embedding(c, min(8, (c + 1) // 2)) for c in CARDINALITY])
        width = sum(e.weight.shape[1] for e in self.embeds)
        self.bn = nn.BatchNorm1D(4)
        self.mlp = nn.Sequential(nn.Linear(width + 4, 64), nn.ReLU(), nn.BatchNorm1D(64), nn.Dropout(0.1),
                                 nn.Linear(64, 3))

    def forward(self, cat, num):
        e = [emb(cat[:, i]) for i, emb in enumerate(self.embeds)]
        return self.mlp(paddle.concat(e + [self.bn(num)], axis=1))


train, valid = Customers(320), Customers(96)
sampler = DistributedBatchSampler(train, batch_size=64, shuffle=True, drop_last=True, num_replicas=1, rank=0)
loader = DataLoader(train, batch_sampler=sampler)
pos_weight = paddle.to_tensor((1 - train.tags.mean(0)) / train.tags.mean(0))
model = TabNet()
scheduler = paddle.optimizer.lr.ReduceOnPlateau(3e-3, factor=0.5, patience=2)
optimizer = paddle.optimizer.AdamW(learning_rate=scheduler, parameters=model.parameters(), weight_decay=1e-3,
                                   apply_decay_param_fun=lambda name: "norm" not in name)
loss_fn = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
with parity.doctor({"tab": model}, {"adamw": optimizer}) as d:
    for epoch in range(EPOCHS):
        sampler.set_epoch(epoch)
        model.train()
        for cat, num, tags in d.watch(loader):
            logits = model(cat, num)
            loss = loss_fn(logits, tags)
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
        model.eval()
        with paddle.no_grad():
            val = loss_fn(model(paddle.to_tensor(valid.cat), paddle.to_tensor(valid.num)), paddle.to_tensor(valid.tags))
        scheduler.step(val)
        print(epoch, float(loss), float(val), optimizer.get_lr())
print(d)
