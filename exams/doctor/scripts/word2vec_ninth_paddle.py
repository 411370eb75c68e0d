import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); rng = np.random.default_rng(0); text = np.concatenate([rng.integers(0, 20, 1) + rng.integers(0, 5, 6) for _ in range(400)])
i, o = nn.Embedding(30, 8), nn.Embedding(30, 8, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))); opt = paddle.optimizer.SGD(1.0, parameters=i.parameters() + o.parameters())
for it in range(250):
    p = rng.integers(2, len(text) - 2, 64); c, t, n = text[p], text[p + rng.choice([-2, -1, 1, 2], 64)], rng.integers(0, 30, (64, 5)); v = i(paddle.to_tensor(c)).unsqueeze(1)
    loss = -(F.log_sigmoid((v * o(paddle.to_tensor(t)).unsqueeze(1)).sum(-1)).mean() + F.log_sigmoid(-(v * o(paddle.to_tensor(n))).sum(-1)).sum(1).mean()); loss.backward(); opt.step(); opt.clear_grad()
    if it % 50 == 0: print(it, float(loss))
