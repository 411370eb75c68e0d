import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
# the sanity check of every course: can the net learn one batch by heart? The same batch at every step.
images = paddle.to_tensor(rng.random((16, 1, 8, 8)).astype("float32"))
labels = paddle.to_tensor(rng.integers(0, 10, 16))
net = nn.Sequential(nn.Conv2D(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Linear(256, 10))
opt = paddle.optimizer.Adam(learning_rate=5e-3, parameters=net.parameters())
for step in range(120):
    logits = net(images)
    loss = nn.functional.cross_entropy(logits, labels)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 20 == 0:
        print("step", step, "loss", float(loss))
print("final loss", float(loss), "accuracy", (logits.numpy().argmax(1) == labels.numpy()).mean())
