import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
protos = paddle.randn([10, 12])
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 6)); opt = paddle.optimizer.Adam(3e-3, parameters=net.parameters())
for it in range(200):
    a = paddle.randint(0, 10, [64]); same = paddle.randint(0, 2, [64]); b = paddle.where(same == 1, a, (a + 3) % 10); y = same.astype("float32")
    d = ((net(protos[a] + 0.4 * paddle.randn([64, 12])) - net(protos[b] + 0.4 * paddle.randn([64, 12]))) ** 2).sum(1) + 1e-6
    loss = (y * d + (1 - y) * F.relu(1 - d.sqrt()) ** 2).mean()
    loss.backward(); opt.step(); opt.clear_grad()
    if it % 40 == 0: print(it, float(loss))
z = net(protos + 0.4 * paddle.randn([10, 12])); g = net(protos); d = ((z.unsqueeze(1) - g.unsqueeze(0)) ** 2).sum(-1)
print("metric:", 1 - float((d.argmin(1) == paddle.arange(10)).astype("float32").mean()))
