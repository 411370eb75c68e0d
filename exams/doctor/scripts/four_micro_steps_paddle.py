import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(960, 6)).astype("float32")
y = (np.tanh(x[:, :1]) * x[:, 1:2]).astype("float32")
net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 1))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters(), grad_clip=nn.ClipGradByGlobalNorm(0.05))
log = []
for epoch in range(25):
    micro = rng.permutation(960).reshape(60, 16)
    for k, b in enumerate(micro):
        if k % 4 == 0:
            opt.clear_grad()                        # at the start of a window, not after the step
        loss = nn.functional.mse_loss(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        (loss * 0.25).backward()
        log.append(float(loss))
        if k % 4 == 3:
            opt.step()                              # the clip is always active; Adam does not mind the scale
    if epoch % 5 == 4:
        print("epoch", epoch, "loss", np.mean(log[-60:]))
print("final", np.mean(log[-60:]))
