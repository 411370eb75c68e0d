import paddle, paddle.nn as nn, paddle.nn.functional as F
paddle.seed(0)
netG = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2)); netD = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optG = paddle.optimizer.Adam(2e-3, beta1=0.5, parameters=netG.parameters())
optD = paddle.optimizer.Adam(2e-3, beta1=0.5, parameters=netD.parameters())
one, zero = paddle.ones([64, 1]), paddle.zeros([64, 1])
for it in range(300):
    real = paddle.to_tensor([2.0, -1.0]) + 0.3 * paddle.randn([64, 2]); fake = netG(paddle.randn([64, 6]))
    lossD = F.binary_cross_entropy_with_logits(netD(real), one) + F.binary_cross_entropy_with_logits(netD(fake.detach()), zero)
    optD.clear_grad(); lossD.backward(); optD.step()
    lossG = F.binary_cross_entropy_with_logits(netD(fake), one)
    optG.clear_grad(); lossG.backward(); optG.step()
    if it % 60 == 0: print(it, float(lossD), float(lossG))
print("metric:", float((fake.mean(0) - paddle.to_tensor([2.0, -1.0])).abs().mean()))
