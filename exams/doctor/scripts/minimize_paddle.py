import paddle, paddle.nn as nn
paddle.seed(0)
net = nn.Sequential(nn.Linear(5, 16), nn.Sigmoid(), nn.Linear(16, 1)); opt = paddle.optimizer.Adam(1e-2, parameters=net.parameters(), weight_decay=paddle.regularizer.L2Decay(1e-4))
for it in range(150):
    x = paddle.rand([32, 5]); y = x.sum(1, keepdim=True) ** 2; avg = paddle.mean(nn.functional.square_error_cost(net(x), y)); avg.backward(); opt.minimize(avg); net.clear_gradients()
    if it % 30 == 0: print(it, float(avg))
