"""Two-layer graph convolution, transductive: the whole graph is the one batch of each epoch."""
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

EPOCHS = 20
paddle.seed(7)
rng = np.random.default_rng(7)
N, CLASSES = 300, 4
label = rng.integers(0, CLASSES, N)
prob = np.where(label[:, None] == label[None], 0.06, 0.006)
adj = np.triu(rng.random((N, N)) < prob, 1)
adj = adj | adj.T | np.eye(N, dtype=bool)
src, dst = (paddle.to_tensor(v.astype("int64")) for v in adj.nonzero())
norm = paddle.to_tensor((1 / np.sqrt(adj.sum(0))).astype("float32")).unsqueeze(-1)
features = paddle.to_tensor((rng.random((N, 64)) < 0.02 + 0.08 * (np.arange(64)[None] % CLASSES == label[:, None])).astype("float32"))
target = paddle.to_tensor(label)
order = rng.permutation(N)
train_idx, valid_idx = paddle.to_tensor(order[:60]), paddle.to_tensor(order[60:160])


class GCNLayer(nn.Layer):
    def __init__(self, i, o):
        super().__init__()
        self.weight = self.create_parameter([i, o])
        self.bias = self.create_parameter([o], is_bias=True)

    def forward(self, h):
        h = paddle.matmul(h, self.weight) * norm
        return paddle.geometric.send_u_recv(h, src, dst, "sum") * norm + self.bias


class GCN(nn.Layer):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.drop = GCNLayer(64, 32), GCNLayer(32, CLASSES), nn.Dropout(0.5)

    def forward(self, x):
        return self.b(self.drop(F.relu(self.a(self.drop(x)))))


model = GCN()
plateau = paddle.optimizer.lr.ReduceOnPlateau(0.02, mode="max", factor=0.5, patience=15)
optimizer = paddle.optimizer.AdamW(plateau, parameters=model.parameters(), weight_decay=5e-4)
with parity.doctor({"gcn": model}, {"adamw": optimizer}) as d:
    for epoch in range(EPOCHS):
        d.mark()
        model.train()
        logits = model(features)
        smooth = F.label_smooth(F.one_hot(target, CLASSES), epsilon=0.1)
        loss = F.cross_entropy(logits.index_select(train_idx), smooth.index_select(train_idx), soft_label=True)
        optimizer.clear_grad()
        loss.backward()
        optimizer.step()

        model.eval()
        with paddle.no_grad():
            hit = (model(features).argmax(-1) == target).astype("float32")
            accuracy = hit.index_select(valid_idx).mean().item()
        plateau.step(accuracy)
        if epoch % max(1, EPOCHS // 5) == 0:
            print(epoch, loss.item(), accuracy, optimizer.get_lr())
print(d)
print("last", loss.item(), accuracy)
