import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
class ST(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, z, q): return q.clone()
    @staticmethod
    def backward(ctx, g): return g, None
data = paddle.randn([12, 10]); enc, dec, code = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4)), nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 10)), nn.Embedding(24, 4); opt = paddle.optimizer.Adam(3e-3, parameters=enc.parameters() + dec.parameters() + code.parameters())
for it in range(150):
    x = data[paddle.randint(0, 12, [64])] + 0.05 * paddle.randn([64, 10]); z = enc(x); k = ((z.unsqueeze(1) - code.weight) ** 2).sum(-1).argmin(1); q = code(k)
    loss = F.mse_loss(dec(ST.apply(z, q.detach())), x) + F.mse_loss(q, z.detach()) + F.mse_loss(z, q.detach()); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
