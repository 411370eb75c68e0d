import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
# one long record read in order by 8 parallel streams, never shuffled: the state is handed on, cut from the graph
bits = rng.integers(0, 2, (8, 400))
delayed = np.concatenate([np.zeros((8, 3), int), bits[:, :-3]], 1)       # say each bit three steps later
x = paddle.to_tensor(bits[..., None].astype("float32") * 2 - 1)
y = paddle.to_tensor(delayed)
rnn, out = nn.GRU(1, 32), nn.Linear(32, 2)
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=rnn.parameters() + out.parameters())
for epoch in range(6):
    state, losses = paddle.zeros([1, 8, 32]), []
    for t in range(0, 400, 10):
        h, state = rnn(x[:, t:t + 10], state)
        loss = nn.functional.cross_entropy(out(h).reshape([-1, 2]), y[:, t:t + 10].reshape([-1]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        state = state.detach()
        losses.append(float(loss))
    print("epoch", epoch, "loss", np.mean(losses))
