import numpy as np
import paddle

paddle.seed(0)
rng = np.random.default_rng(0)
# k-means by gradient: no network, five points are the parameters; a centre without rows has a gradient of zero
spots = np.array([[0, 0], [4, 0], [0, 4], [4, 4], [2, 8]])
x = paddle.to_tensor((spots[rng.integers(0, 5, 600)] + 0.4 * rng.normal(size=(600, 2))).astype("float32"))
centre = paddle.create_parameter([5, 2], "float32")
rows, first = x.numpy(), [0]
while len(first) < 5:               # the row that is farthest from those taken
    first.append(int(((rows[:, None] - rows[first][None]) ** 2).sum(-1).min(1).argmax()))
centre.set_value(paddle.to_tensor(rows[first]))
opt = paddle.optimizer.SGD(learning_rate=0.5, parameters=[centre])
for step in range(80):
    b = x[paddle.to_tensor(rng.integers(0, 600, 100))]
    d = ((b.unsqueeze(1) - centre.unsqueeze(0)) ** 2).sum(-1)
    loss = d.min(1).mean()
    loss.backward()
    opt.step()
    opt.clear_grad()
    if step % 16 == 0:
        print("step", step, "loss", float(loss))
print("final", float(((x.unsqueeze(1) - centre.unsqueeze(0)) ** 2).sum(-1).min(1).mean()))
