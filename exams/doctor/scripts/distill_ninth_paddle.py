import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
T = nn.Sequential(nn.Linear(12, 64), nn.Tanh(), nn.Linear(64, 5)); T.eval(); S = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 5)); hint = nn.Linear(24, 64); opt = paddle.optimizer.Adam(3e-3, parameters=S.parameters() + hint.parameters())
for it in range(120):
    x = paddle.randn([64, 12])
    with paddle.no_grad(): th = T[1](T[0](x)); tl = T[2](th)
    sh = S[1](S[0](x)); sl = S[2](sh); loss = F.kl_div(F.log_softmax(sl / 3), F.softmax(tl / 3), reduction="batchmean") * 9 + 0.3 * F.mse_loss(hint(sh), th) + 0.5 * F.cross_entropy(sl, tl.argmax(1)); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
