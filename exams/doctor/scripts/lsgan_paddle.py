import paddle
import paddle.nn as nn

paddle.seed(0)
G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
opt_g = paddle.optimizer.Adam(1e-3, beta1=0.5, parameters=G.parameters())
opt_d = paddle.optimizer.Adam(2e-3, beta1=0.5, parameters=D.parameters())
mse = nn.MSELoss()
center = paddle.to_tensor([1.0, -1.0])
one, zero = paddle.ones([64, 1]), paddle.zeros([64, 1])
for step in range(180):
    real = center + 0.3 * paddle.randn([64, 2])
    fake = G(paddle.randn([64, 4]))
    loss_d = 0.5 * (mse(D(real), one) + mse(D(fake.detach()), zero))
    opt_d.clear_grad()
    loss_d.backward()
    opt_d.step()
    loss_g = 0.5 * mse(D(fake), one)
    opt_g.clear_grad()
    loss_g.backward()
    opt_g.step()
    if step % 18 == 0:
        gap = (G(paddle.randn([500, 4])).mean(0) - center).norm()
        print(f"step {step} d loss {float(loss_d):.4f} g loss {float(loss_g):.4f} gap {float(gap):.3f}")
