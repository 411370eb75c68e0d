"""BYOL on small synthetic 'images': online network, predictor, and a target that follows as a moving average."""
import copy
import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F
import parity

STEPS = 20
paddle.seed(1)
rng = np.random.default_rng(1)
prototypes = rng.standard_normal((10, 3, 16, 16)).astype("float32")


def two_views(n=32):
    base = prototypes[rng.integers(0, 10, n)]
    def augment(v):
        v = v + 0.3 * rng.standard_normal(v.shape).astype("float32")
        return paddle.to_tensor(v[..., ::-1].copy() if rng.random() < 0.5 else v)
    return augment(base), augment(base)


def mlp(i, h, o):
    return nn.Sequential(nn.Linear(i, h, bias_attr=False), nn.BatchNorm1D(h), nn.ReLU(), nn.Linear(h, o))


online = nn.Sequential(
    nn.Conv2D(3, 16, 3, 2, 1), nn.BatchNorm2D(16), nn.ReLU(), nn.Conv2D(16, 32, 3, 2, 1), nn.BatchNorm2D(32), nn.ReLU(),
    nn.AdaptiveAvgPool2D(2), nn.Flatten(), mlp(128, 64, 32))
predictor = mlp(32, 64, 32)
target = copy.deepcopy(online)
for p in target.parameters():
    p.stop_gradient = True

schedule = paddle.optimizer.lr.LinearWarmup(
    paddle.optimizer.lr.CosineAnnealingDecay(0.05, T_max=400), warmup_steps=5, start_lr=0.0, end_lr=0.05)
optimizer = paddle.optimizer.Momentum(schedule, 0.9, parameters=[*online.parameters(), *predictor.parameters()], weight_decay=1e-4)


def regression(p, z):
    return (2 - 2 * F.cosine_similarity(p, z.detach(), axis=-1)).mean()


history = []
with parity.doctor({"online": online, "predictor": predictor, "target": target}, optimizer, expect=["frozen-network:target"]) as d:
    for step in range(STEPS):
        d.mark()
        a, b = two_views()
        with paddle.no_grad():
            ta, tb = target(a), target(b)
        loss = regression(predictor(online(a)), tb) + regression(predictor(online(b)), ta)
        optimizer.clear_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        with paddle.no_grad():
            for t, o in zip(target.parameters(), online.parameters()):
                t.set_value(0.97 * t + 0.03 * o)
        history.append(float(loss))
print(d)
print("loss", history[:3], history[-3:])
