import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
P = paddle.randn([48, 16]); net = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1D(64), nn.ReLU(), nn.Linear(64, 16)); sch = paddle.optimizer.lr.LinearWarmup(paddle.optimizer.lr.CosineAnnealingDecay(0.2, 120), 15, 0.01, 0.2); opt = paddle.optimizer.Momentum(sch, 0.9, parameters=net.parameters(), weight_decay=1e-4)
lab = paddle.concat([paddle.arange(48, 96), paddle.arange(0, 48)])
for it in range(120):
    x = P[paddle.randperm(48)]; z = F.normalize(net(paddle.concat([x + 0.4 * paddle.randn(x.shape), x + 0.4 * paddle.randn(x.shape)])), axis=1); loss = F.cross_entropy(z @ z.t() / 0.3 - 1e9 * paddle.eye(96), lab); loss.backward(); opt.step(); opt.clear_grad(); sch.step()
    if it % 30 == 0: print(it, float(loss))
