import math, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
C = paddle.randn([8, 10]); body = nn.Sequential(nn.Linear(10, 32), nn.PReLU(), nn.Linear(32, 6)); W = paddle.create_parameter([6, 8], "float32"); opt = paddle.optimizer.Momentum(0.05, 0.9, parameters=body.parameters() + [W], weight_decay=5e-4)
for it in range(120):
    y = paddle.randint(0, 8, [64]); cos = (F.normalize(body(C[y] + 0.4 * paddle.randn([64, 10]))) @ F.normalize(W, axis=0)).clip(-1 + 1e-6, 1 - 1e-6); sin = (1 - cos ** 2).sqrt(); phi = cos * math.cos(0.3) - sin * math.sin(0.3); one = F.one_hot(y, 8)
    loss = F.cross_entropy(16 * (one * phi + (1 - one) * cos), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
