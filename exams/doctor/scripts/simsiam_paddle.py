import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
protos = paddle.randn([12, 16])
enc = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1D(32), nn.ReLU(), nn.Linear(32, 8)); pred = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
opt = paddle.optimizer.Momentum(0.05, 0.9, parameters=enc.parameters() + pred.parameters())
def D(p, z):
    return -F.cosine_similarity(p, z.detach(), axis=1).mean()
for it in range(250):
    x = protos[paddle.randint(0, 12, [64])]; z1, z2 = enc(x + 0.4 * paddle.randn([64, 16])), enc(x + 0.4 * paddle.randn([64, 16]))
    loss = D(pred(z1), z2) / 2 + D(pred(z2), z1) / 2
    loss.backward(); opt.step(); opt.clear_grad()
    if it % 50 == 0: print(it, float(loss))
z = F.normalize(enc(protos), axis=1); print("metric:", -float(z.std(0).mean()))
