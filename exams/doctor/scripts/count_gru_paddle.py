import argparse

import numpy as np
import paddle
import paddle.nn as nn
import paddle.nn.functional as F


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=0.003)
    p.add_argument("--hidden", type=int, default=48)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args()


class CountNet(nn.Layer):
    def __init__(self, hidden):
        super().__init__()
        self.gru = nn.GRU(4, hidden, num_layers=2)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.gru(x)
        return self.out(h[-1]).squeeze(-1)


def batch(n):
    x = np.random.randint(0, 4, (n, 15))
    y = ((x[:, :-1] == 1) & (x[:, 1:] == 2)).sum(1)
    return paddle.to_tensor(np.eye(4, dtype="float32")[x]), paddle.to_tensor(y.astype("float32"))


def main():
    args = get_args()
    paddle.seed(args.seed)
    np.random.seed(args.seed)
    net = CountNet(args.hidden)
    opt = paddle.optimizer.Adam(learning_rate=args.lr, parameters=net.parameters())
    for step in range(1, args.steps + 1):
        x, y = batch(64)
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        opt.clear_grad()
        if step % 50 == 0:
            print("step", step, "loss", round(float(loss), 4))
    x, y = batch(500)
    print("test mse", round(float(F.mse_loss(net(x), y)), 4))


if __name__ == "__main__":
    main()
