import copy, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
def build(): return nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1D(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 4))
s, t = build(), build(); t.set_state_dict(s.state_dict()); opt = paddle.optimizer.Adam(3e-3, parameters=s.parameters()); c = 2 * paddle.randn([4, 10])
for p in t.parameters(): p.stop_gradient = True
for it in range(120):
    y = paddle.randint(0, 4, [16]); x, u = c[y] + paddle.randn([16, 10]), c[paddle.randint(0, 4, [48])] + paddle.randn([48, 10])
    ls = F.cross_entropy(s(x), y); lu = F.mse_loss(F.softmax(s(u + 0.2 * paddle.randn(u.shape))), F.softmax(t(u)).detach()); loss = ls + min(1.0, it / 60) * lu; loss.backward(); opt.step(); opt.clear_grad()
    with paddle.no_grad():
        for a, b in zip(s.parameters(), t.parameters()): b.set_value(0.97 * b + 0.03 * a)
    if it % 30 == 0: print(it, float(ls), float(lu))
