import paddle, paddle.nn as nn
paddle.seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2)); C = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1)); og, oc = paddle.optimizer.Adam(1e-3, 0.0, 0.9, parameters=G.parameters()), paddle.optimizer.Adam(1e-3, 0.0, 0.9, parameters=C.parameters())
for it in range(100):
    r = paddle.randn([64, 2]) * 0.2 + paddle.to_tensor([1.0, 1.0]); f = G(paddle.randn([64, 4])).detach(); e = paddle.rand([64, 1]); x = e * r + (1 - e) * f; x.stop_gradient = False
    g = paddle.grad(C(x).sum(), x, create_graph=True)[0]; gp = ((g.norm(axis=1) - 1) ** 2).mean(); d = C(f).mean() - C(r).mean() + 10 * gp; d.backward(); oc.step(); oc.clear_grad()
    if it % 4 == 3: l = -C(G(paddle.randn([64, 4]))).mean(); l.backward(); og.step(); og.clear_grad(); oc.clear_grad()
    if it % 25 == 0: print(it, float(d), float(gp))
