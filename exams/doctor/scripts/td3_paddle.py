import copy, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
def net(i, o): return nn.Sequential(nn.Linear(i, 48), nn.ReLU(), nn.Linear(48, o))
class Actor(nn.Layer):
    def __init__(self): super().__init__(); self.f = net(3, 1)
    def forward(self, s): return paddle.tanh(self.f(s))
a, c1, c2 = Actor(), net(4, 1), net(4, 1); ta, t1, t2 = copy.deepcopy(a), copy.deepcopy(c1), copy.deepcopy(c2); oa, oc = paddle.optimizer.Adam(1e-3, parameters=a.parameters()), paddle.optimizer.Adam(1e-3, parameters=c1.parameters() + c2.parameters())
for it in range(150):
    s = paddle.randn([64, 3]); u = (a(s) + 0.2 * paddle.randn([64, 1])).clip(-1, 1).detach(); s2 = 0.9 * s + 0.1 * u; r = -(u - s[:, :1]) ** 2
    with paddle.no_grad():
        u2 = (ta(s2) + (0.2 * paddle.randn([64, 1])).clip(-0.5, 0.5)).clip(-1, 1); z = paddle.concat([s2, u2], 1); y = r + 0.9 * paddle.minimum(t1(z), t2(z))
    z = paddle.concat([s, u], 1); lc = F.mse_loss(c1(z), y) + F.mse_loss(c2(z), y); oc.clear_grad(); lc.backward(); oc.step()
    if it % 2 == 0:
        la = -c1(paddle.concat([s, a(s)], 1)).mean(); oa.clear_grad(); la.backward(); oa.step()
        for n, t in ((a, ta), (c1, t1), (c2, t2)):
            for p, q in zip(n.parameters(), t.parameters()): q.set_value(0.995 * q + 0.005 * p)
    if it % 30 == 0: print(it, float(lc), float(la))
