import numpy as np
import paddle
import paddle.nn as nn

paddle.seed(0)
rng = np.random.default_rng(0)
SIZE, HOLES, GOAL = 4, {5, 7, 11, 12}, 15


def move(s, a):
    r, c = divmod(s, SIZE)
    r, c = [(r, max(c - 1, 0)), (min(r + 1, 3), c), (r, min(c + 1, 3)), (max(r - 1, 0), c)][a]
    s = r * SIZE + c
    return s, float(s == GOAL), s == GOAL or s in HOLES


eye = np.eye(16, dtype="float32")
make = lambda: nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
net, old = make(), make()
old.set_state_dict(net.state_dict())
opt = paddle.optimizer.Adam(learning_rate=3e-3, parameters=net.parameters())
memory, eps = [], 1.0
for episode in range(150):
    s, done, t = 0, False, 0
    while not done and t < 30:
        a = int(rng.integers(4)) if rng.random() < eps else int(net(paddle.to_tensor(eye[s])).argmax())
        s2, r, done = move(s, a)
        memory.append((s, a, r, s2, float(done)))
        s, t = s2, t + 1
    for _ in range(8):
        bs, ba, br, bn, bd = map(np.array, zip(*[memory[i] for i in rng.integers(0, len(memory), 32)]))
        q = paddle.take_along_axis(net(paddle.to_tensor(eye[bs])), paddle.to_tensor(ba[:, None]), 1)
        with paddle.no_grad():
            best = old(paddle.to_tensor(eye[bn])).max(1)
            goal = paddle.to_tensor(br.astype("float32")) + 0.95 * best * paddle.to_tensor((1 - bd).astype("float32"))
        loss = nn.functional.mse_loss(q.squeeze(1), goal)
        loss.backward()
        opt.step()
        opt.clear_grad()
    eps = max(0.1, eps * 0.98)
    if episode % 5 == 0:
        old.set_state_dict(net.state_dict())
    if episode % 30 == 29:
        print("episode", episode, "loss", float(loss))
s, done, t = 0, False, 0
while not done and t < 30:
    s, r, done = move(s, int(net(paddle.to_tensor(eye[s])).argmax()))
    t += 1
q0 = float(net(paddle.to_tensor(eye[0])).max())
print("greedy walk ends at", s, "after", t, "; value of the start", q0, "want", 0.95 ** 5)
