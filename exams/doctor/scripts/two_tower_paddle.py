import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
N_USER, N_ITEM, D = 60, 40, 12

true_u, true_i = np.random.randn(N_USER, 4), np.random.randn(N_ITEM, 4)
score = true_u @ true_i.T
users, items = np.meshgrid(np.arange(N_USER), np.arange(N_ITEM), indexing="ij")
users, items = users.ravel(), items.ravel()
clicks = (score.ravel() + 0.2 * np.random.randn(len(users)) > 0).astype("float32")


class Tower(nn.Layer):
    def __init__(self, n):
        super().__init__()
        self.emb = nn.Embedding(n, 16)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, D))

    def forward(self, ids):
        return self.mlp(self.emb(ids))


class TwoTower(nn.Layer):
    def __init__(self):
        super().__init__()
        self.user, self.item = Tower(N_USER), Tower(N_ITEM)
        self.bias = self.create_parameter([1], is_bias=True)

    def forward(self, u, i):
        u_vec = self.user(u)
        i_vec = self.item(i)
        return (u_vec * i_vec).sum(axis=-1) + self.bias


model = TwoTower()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=model.parameters())
for step in range(160):
    b = np.random.randint(0, len(users), 256)
    logit = model(paddle.to_tensor(users[b]), paddle.to_tensor(items[b]))
    loss = F.binary_cross_entropy_with_logits(logit, paddle.to_tensor(clicks[b]))
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 16 == 0:
        print(f"step {step} loss {float(loss):.4f}")
logit = model(paddle.to_tensor(users), paddle.to_tensor(items)).numpy()
print("acc", ((logit > 0) == clicks).mean())
