import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
V, D, T = 60, 20, 12
vectors = rng.normal(size=(V, D)).astype("float32")        # as GloVe would be: given, not learnt
tone = vectors @ rng.normal(size=D)


class Text(nn.Layer):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(V, D)
        self.emb.weight.set_value(vectors)
        self.emb.weight.stop_gradient = True
        self.gru = nn.GRU(D, 32)
        self.fc = nn.Linear(32, 2)

    def forward(self, ids):
        return self.fc(self.gru(self.emb(ids))[0].mean(1))


ids = rng.integers(0, V, (800, T))
y = (tone[ids].mean(1) > 0).astype("int64")
net = Text()
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for epoch in range(6):
    for i in range(0, 600, 50):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(ids[i:i + 50])), paddle.to_tensor(y[i:i + 50]))
        loss.backward()
        opt.step()
        opt.clear_grad()
    print("epoch", epoch, "loss", float(loss))
print("accuracy", (net(paddle.to_tensor(ids[600:])).numpy().argmax(1) == y[600:]).mean())
