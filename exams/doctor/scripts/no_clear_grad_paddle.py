import paddle, paddle.nn as nn
paddle.seed(0)
net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1)); opt = paddle.optimizer.Momentum(0.02, 0.9, parameters=net.parameters())
w = paddle.randn([8, 1])
for it in range(200):
    x = paddle.randn([32, 8]); y = paddle.sin(x @ w)
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if it % 40 == 0: print(it, float(loss))
print("metric:", float(loss))
