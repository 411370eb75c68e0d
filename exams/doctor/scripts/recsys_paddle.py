import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
from paddle.io import DataLoader, Dataset

paddle.seed(17)
np.random.seed(17)
N_USERS, N_ITEMS = 120, 120
pu, qi = np.random.randn(N_USERS, 3), np.random.randn(N_ITEMS, 3)


class Ratings(Dataset):
    def __init__(self, n):
        self.u = np.random.randint(0, N_USERS, n)
        self.i = np.random.randint(0, N_ITEMS, n)
        self.r = (np.tanh((pu[self.u] * qi[self.i]).sum(1)) * 2 + 3).astype("float32")

    def __getitem__(self, k):
        return self.u[k], self.i[k], self.r[k]

    def __len__(self):
        return len(self.r)


class NeuMF(nn.Layer):
    def __init__(self, dim=16):
        super().__init__()
        self.user_emb = nn.Embedding(N_USERS, dim)
        self.item_emb = nn.Embedding(N_ITEMS, dim)
        self.mlp = nn.Sequential(nn.Linear(2 * dim, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.out = nn.Linear(32 + dim, 1)

    def forward(self, user, item):
        u = self.user_emb(user)
        v = self.item_emb(item)
        h = self.mlp(paddle.concat([u, v], axis=-1))
        return self.out(paddle.concat([u * v, h], axis=-1)).squeeze(-1) + 3.0


train_loader = DataLoader(Ratings(8000), batch_size=200, shuffle=True)
test = Ratings(1000)
model = NeuMF()
opt = paddle.optimizer.Adam(learning_rate=0.01, parameters=model.parameters())
for epoch in range(10):
    model.train()
    tot = 0.0
    for user, item, rating in train_loader:
        loss = F.mse_loss(model(user, item), rating)
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss)
    model.eval()
    with paddle.no_grad():
        p = model(paddle.to_tensor(test.u), paddle.to_tensor(test.i)).numpy()
    print("epoch", epoch, "train mse", round(tot / 40, 4), "test rmse", round(float(np.sqrt(((p - test.r) ** 2).mean())), 4))
