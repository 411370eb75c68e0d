"""K-fold cross-validation: three networks trained one after another, early stopping, best weights put back."""
import numpy as np
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

paddle.seed(0)
EPOCHS = 2
FOLDS, BATCH = 3, 32
rng = np.random.default_rng(0)
X = rng.standard_normal((192, 12)).astype("float32")
KIND = rng.integers(0, 5, 192)
Y = (1.5 * X[:, 0] - X[:, 3] * X[:, 4] + 0.5 * (KIND - 2) + 0.2 * rng.standard_normal(192)).astype("float32")


class Mixed(nn.Layer):
    """Floats and one categorical column; heteroscedastic output."""

    def __init__(self):
        super().__init__()
        self.kind = nn.Embedding(5, 4)
        self.net = nn.Sequential(nn.Linear(16, 48), nn.Silu(), nn.BatchNorm1D(48), nn.Linear(48, 48), nn.Silu(), nn.Linear(48, 2))

    def forward(self, x, kind):
        out = self.net(paddle.concat([x, self.kind(kind)], axis=1))
        return out[:, 0], F.softplus(out[:, 1]) + 1e-3


def train_epoch(net, optimizer, rows, history):
    net.train()
    rng.shuffle(rows)
    for i in range(0, len(rows), BATCH):
        part = rows[i:i + BATCH]
        d.mark()
        mean, var = net(paddle.to_tensor(X[part]), paddle.to_tensor(KIND[part]))
        loss = F.gaussian_nll_loss(mean, paddle.to_tensor(Y[part]), var)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        history.append(loss.item())


@paddle.no_grad()
def evaluate(net, rows):
    net.eval()
    mean, _ = net(paddle.to_tensor(X[rows]), paddle.to_tensor(KIND[rows]))
    return F.mse_loss(mean, paddle.to_tensor(Y[rows])).item()


nets = [Mixed() for _ in range(FOLDS)]
optimizers = [paddle.optimizer.Adam(5e-3, parameters=n.parameters()) for n in nets]
folds = np.array_split(rng.permutation(len(X)), FOLDS)
scores, history = [], []
with parity.doctor(nets, optimizers) as d:
    for k, (net, optimizer) in enumerate(zip(nets, optimizers)):
        rows = np.concatenate([f for j, f in enumerate(folds) if j != k])
        best, best_state = float("inf"), None
        for epoch in range(EPOCHS):
            train_epoch(net, optimizer, rows, history)
            score = evaluate(net, folds[k])
            if score < best:
                best, best_state = score, {n: v.clone() for n, v in net.state_dict().items()}
        net.set_state_dict(best_state)
        scores.append(best)
print("cv", np.mean(scores))
print(d)
