import paddle, paddle.nn as nn
paddle.seed(0)
class Forecast(nn.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 24, time_major=False)
        self.out = nn.Linear(24, 1)
    def forward(self, x): return self.out(self.lstm(x)[0][:, -1])
net = Forecast(); opt = paddle.optimizer.Adam(5e-3, parameters=net.parameters())
for it in range(150):
    x = paddle.randn([32, 10, 3]); y = x[:, :, :1].sum(1) / 3
    loss = nn.functional.mse_loss(net(x), y); loss.backward(); opt.step(); opt.clear_grad()
    if it % 30 == 0: print(it, float(loss))
print("metric:", float(loss))
