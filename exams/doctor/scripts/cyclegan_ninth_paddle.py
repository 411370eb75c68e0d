import random, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); random.seed(0)
def G(): return nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 4))
def D(): return nn.Sequential(nn.Linear(4, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
AB, BA, DA, DB = G(), G(), D(), D(); og = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=AB.parameters() + BA.parameters()); od = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=DA.parameters() + DB.parameters()); pool = []
for it in range(100):
    a, b = paddle.randn([32, 4]) + 2, paddle.randn([32, 4]) * 0.5 - 1; fb, fa = AB(a), BA(b)
    for p in DA.parameters() + DB.parameters(): p.stop_gradient = True
    adv = F.mse_loss(DB(fb), paddle.ones([32, 1])) + F.mse_loss(DA(fa), paddle.ones([32, 1])); cyc = F.l1_loss(BA(fb), a) + F.l1_loss(AB(fa), b); idt = F.l1_loss(AB(b), b) + F.l1_loss(BA(a), a)
    g = adv + 10 * cyc + 5 * idt; og.clear_grad(); g.backward(); og.step()
    for p in DA.parameters() + DB.parameters(): p.stop_gradient = False
    pool = (pool + [(fa.detach(), fb.detach())])[-10:]; pa, pb = random.choice(pool)
    d = F.mse_loss(DA(a), paddle.ones([32, 1])) + F.mse_loss(DA(pa), paddle.zeros([32, 1])) + F.mse_loss(DB(b), paddle.ones([32, 1])) + F.mse_loss(DB(pb), paddle.zeros([32, 1])); od.clear_grad(); d.backward(); od.step()
    if it % 25 == 0: print(it, float(g), float(d))
