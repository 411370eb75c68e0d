import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, (1000, 2)).astype("float32")
y = ((np.abs(x).sum(1) < 0.8) ^ (rng.random(1000) < 0.1)).astype("int64")      # a tenth of the labels is wrong
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 2))
average = {k: v.numpy().copy() for k, v in net.state_dict().items()}
opt = paddle.optimizer.Adam(learning_rate=1e-2, parameters=net.parameters())
log, step = [], 0
for epoch in range(20):
    for b in rng.permutation(800).reshape(20, 40):
        loss = nn.functional.cross_entropy(net(paddle.to_tensor(x[b])), paddle.to_tensor(y[b]))
        loss.backward()
        opt.step()
        opt.clear_grad()
        log.append(loss.numpy())
        step += 1
        decay = min(0.99, (1 + step) / (10 + step))
        for k, v in net.state_dict().items():
            average[k] = decay * average[k] + (1 - decay) * v.numpy()
    if epoch % 4 == 3:
        print("epoch", epoch, "mean loss", np.mean(log[-20:]))
own = {k: v.clone() for k, v in net.state_dict().items()}
net.set_state_dict({k: paddle.to_tensor(v) for k, v in average.items()})       # looked at, then put back
clean = (np.abs(x[800:]).sum(1) < 0.8)
print("accuracy of the average", (net(paddle.to_tensor(x[800:])).numpy().argmax(1) == clean).mean())
net.set_state_dict(own)
