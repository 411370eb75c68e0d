import numpy as np, paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0); np.random.seed(0)
class AC(nn.Layer):
    def __init__(self): super().__init__(); self.b, self.p, self.v = nn.Sequential(nn.Linear(5, 32), nn.Tanh()), nn.Linear(32, 3), nn.Linear(32, 1)
    def forward(self, s): h = self.b(s); return F.log_softmax(self.p(h), -1), self.v(h).squeeze(-1)
m = AC(); opt = paddle.optimizer.Adam(3e-3, parameters=m.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.5))
for up in range(20):
    opt.set_lr(3e-3 * (1 - up / 20)); S = paddle.randn([128, 5])
    with paddle.no_grad(): lp, v = m(S); A = paddle.multinomial(lp.exp(), 1).squeeze(-1); old = paddle.take_along_axis(lp, A.unsqueeze(1), 1).squeeze(1)
    R = (A == S[:, :3].argmax(1)).astype("float32"); adv = R - v; adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    for _ in range(3):
        for i in np.random.permutation(128).reshape(4, 32):
            i = paddle.to_tensor(i); lp, v = m(S[i]); new = paddle.take_along_axis(lp, A[i].unsqueeze(1), 1).squeeze(1); ratio = (new - old[i]).exp()
            loss = -paddle.minimum(ratio * adv[i], ratio.clip(0.8, 1.2) * adv[i]).mean() + 0.5 * ((v - R[i]) ** 2).mean() + 0.01 * (lp.exp() * lp).sum(1).mean(); opt.clear_grad(); loss.backward(); opt.step()
    if up % 5 == 0: print(up, float(R.mean()))
