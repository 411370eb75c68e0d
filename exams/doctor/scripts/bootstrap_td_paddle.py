import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
N, GAMMA = 10, 0.95
# TD(0) on a walk to the right that slips back at times; the end pays 10. Values begin at zero
# and the reward is carried back one state after the other; the value of the start does not move for long.
eye = paddle.eye(N)
value = nn.Linear(N, 1, bias_attr=False)
value.weight.set_value(paddle.zeros([N, 1]))
opt = paddle.optimizer.SGD(learning_rate=1.0, parameters=value.parameters())
for episode in range(150):
    s, trace = 0, []
    while s < N - 1:
        s2 = s + 1 if rng.random() < 0.8 else max(s - 1, 0)
        trace.append((s, s2, 10.0 if s2 == N - 1 else 0.0))
        s = s2
    s, s2, r = map(np.array, zip(*trace))
    target = paddle.to_tensor(r.astype("float32")) + GAMMA * value(eye[paddle.to_tensor(s2)]).squeeze(1).detach() \
        * paddle.to_tensor((s2 < N - 1).astype("float32"))
    loss = nn.functional.mse_loss(value(eye[paddle.to_tensor(s)]).squeeze(1), target)
    loss.backward()
    opt.step()
    opt.clear_grad()
    if episode % 15 == 0:
        print("episode", episode, "loss", float(loss), "value of the start", float(value.weight[0, 0]))
print("loss", float(loss), "values", value.weight.numpy()[:-1, 0].round(2).tolist())
