import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
def fc(i, o):
    return nn.Linear(i, o, weight_attr=paddle.ParamAttr(initializer=nn.initializer.XavierNormal()))
net = nn.Sequential(fc(10, 32), nn.ReLU(), fc(32, 32), nn.ReLU(), fc(32, 3)); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
w = paddle.randn([10, 3])
for it in range(150):
    x = paddle.randn([64, 10]); y = (x @ w).argmax(1)
    loss = F.cross_entropy(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
print("metric:", float(loss))
