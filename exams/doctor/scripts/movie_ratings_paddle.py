import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
U, M = 80, 50
pu, pm = np.random.randn(U, 3), np.random.randn(M, 3)
full = 3 + 0.8 * (pu @ pm.T) + 0.3 * np.random.randn(U, M)
full = np.clip(np.rint(full), 1, 5).astype("float32")
uid, mid = np.nonzero(np.random.rand(U, M) < 0.6)
ratings = full[uid, mid]


class Recommender(nn.Layer):
    def __init__(self, d=8):
        super().__init__()
        self.user_emb = nn.Embedding(U, d)
        self.movie_emb = nn.Embedding(M, d)
        self.fc1 = nn.Linear(2 * d + d, 32)
        self.fc2 = nn.Linear(32, 1)

    def forward(self, u, m):
        a, b = self.user_emb(u), self.movie_emb(m)
        h = F.relu(self.fc1(paddle.concat([a, b, a * b], axis=-1)))
        out = F.sigmoid(self.fc2(h))
        return (1 + 4 * out).squeeze(-1)


model = Recommender()
opt = paddle.optimizer.Adam(learning_rate=0.01, parameters=model.parameters())
mse = nn.MSELoss()
for epoch in range(10):
    perm, tot = np.random.permutation(len(uid)), 0.0
    for k in range(0, len(uid), 200):
        i = perm[k:k + 200]
        loss = mse(model(paddle.to_tensor(uid[i]), paddle.to_tensor(mid[i])), paddle.to_tensor(ratings[i]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        tot += float(loss) * len(i)
    print(f"epoch {epoch} mse {tot / len(uid):.4f}")
print("variance of the ratings", ratings.var())
