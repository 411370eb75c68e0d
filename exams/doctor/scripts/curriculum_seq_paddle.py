import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
V = 10


class Recall(nn.Layer):
    """answer which digit came first in the sequence"""

    def __init__(self):
        super().__init__()
        self.emb, self.rnn, self.fc = nn.Embedding(V, 16), nn.GRU(16, 48), nn.Linear(48, V)

    def forward(self, x):
        _, h = self.rnn(self.emb(x))
        return self.fc(h[-1])


net = Recall()
opt = paddle.optimizer.Adam(8e-3, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(1.0))
step = 0
for stage, length in enumerate((2, 4, 6, 9)):
    for _ in range(45):
        x = paddle.to_tensor(np.random.randint(0, V, (64, length)))
        loss = F.cross_entropy(net(x), x[:, 0])
        loss.backward()
        opt.step()
        opt.clear_grad()
        if step % 15 == 0 or _ == 44:
            print(f"step {step} length {length} loss {float(loss):.4f}")
        step += 1
