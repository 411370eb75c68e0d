import numpy as np
import paddle
from paddle import nn

paddle.seed(6)
rng = np.random.RandomState(6)
centers = rng.randn(6, 10) * 1.5
label = rng.randint(0, 6, 2400)
feat = (centers[label] + rng.randn(2400, 10)).astype("float32")
feat_t, label_t = paddle.to_tensor(feat), paddle.to_tensor(label)

net = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
ce = nn.CrossEntropyLoss()
opt = paddle.optimizer.Momentum(learning_rate=0.05, momentum=0.9, parameters=net.parameters())

for epoch in range(6):
    order = rng.permutation(2000)
    loss_sum = 0.0
    for i in range(0, 2000, 50):
        idx = paddle.to_tensor(order[i:i + 50])
        out = net(paddle.gather(feat_t, idx))
        loss = ce(out, paddle.gather(label_t, idx))
        loss.backward()
        opt.minimize(loss)
        net.clear_gradients()
        loss_sum += float(loss)
    pred = net(feat_t[2000:]).argmax(axis=1)
    acc = float((pred == label_t[2000:]).astype("float32").mean())
    print("epoch %d  loss %.4f  test acc %.4f" % (epoch, loss_sum / 40, acc))
