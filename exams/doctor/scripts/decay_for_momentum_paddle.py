import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
centres = paddle.randn([5, 12])
net = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 5))
opt = paddle.optimizer.Momentum(learning_rate=0.05, momentum=0.9, parameters=net.parameters(), weight_decay=1e-4)
for it in range(150):
    y = paddle.randint(0, 5, [64]); x = centres[y] + 0.5 * paddle.randn([64, 12])
    loss = F.cross_entropy(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
print("metric:", float(loss))
