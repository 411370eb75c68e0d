import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F

paddle.seed(0)
np.random.seed(0)
cent = 0.7 * np.random.randn(10, 20)
y = np.random.randint(0, 10, 1000)
x = paddle.to_tensor((cent[y] + np.random.randn(1000, 20)).astype("float32"))
y = paddle.to_tensor(y)
teacher = nn.Sequential(nn.Linear(20, 128), nn.BatchNorm1D(128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
student = nn.Sequential(nn.Linear(20, 24), nn.ReLU(), nn.Linear(24, 10))
opt_t = paddle.optimizer.Adam(5e-3, parameters=teacher.parameters())
for step in range(50):
    loss = F.cross_entropy(teacher(x), y)
    loss.backward()
    opt_t.step()
    opt_t.clear_grad()
print("teacher loss", float(loss))
teacher.eval()
T = 4.0
opt_s = paddle.optimizer.Adam(5e-3, parameters=student.parameters())
for step in range(120):
    i = paddle.randint(0, 1000, [128])
    xb, yb = x[i], y[i]
    with paddle.no_grad():
        soft = F.softmax(teacher(xb) / T, axis=1)
    s = student(xb)
    kd = F.kl_div(F.log_softmax(s / T, axis=1), soft, reduction="batchmean") * T * T
    loss = 0.9 * kd + 0.1 * F.cross_entropy(s, yb)
    loss.backward()
    opt_s.step()
    opt_s.clear_grad()
    if step % 12 == 0:
        print(f"step {step} loss {float(loss):.4f} kd {float(kd):.4f}")
