"""Recursive network over expression trees of differing shape: one backward for each tree, one step for several trees."""
import random
import paddle
from paddle import nn
import paddle.nn.functional as F
import parity

paddle.seed(0)
random.seed(0)
STEPS = 16
TREES, WIDTH = 8, 24


def grow(depth):
    """A tree is a digit or (operator, left, right); its value is taken modulo 2."""
    if depth == 0 or random.random() < 0.3:
        return random.randint(0, 1)
    return random.choice("&|"), grow(depth - 1), grow(depth - 1)


def value(tree):
    if isinstance(tree, int):
        return tree
    op, left, right = tree
    return value(left) & value(right) if op == "&" else value(left) | value(right)


class TreeNet(nn.Layer):
    def __init__(self):
        super().__init__()
        self.leaf = nn.Embedding(2, WIDTH)
        self.cells = nn.LayerDict({"&": nn.Linear(2 * WIDTH, 2 * WIDTH), "|": nn.Linear(2 * WIDTH, 2 * WIDTH)})
        self.read = nn.Linear(WIDTH, 2)

    def encode(self, tree):
        if isinstance(tree, int):
            return self.leaf(paddle.to_tensor([tree]))
        op, left, right = tree
        candidate, gate = self.cells[op](paddle.concat([self.encode(left), self.encode(right)], axis=1)).chunk(2, axis=1)
        return F.tanh(candidate) * F.sigmoid(gate)

    def forward(self, tree):
        return self.read(self.encode(tree))


net = TreeNet()
schedule = paddle.optimizer.lr.ExponentialDecay(0.01, gamma=0.999)
optimizer = paddle.optimizer.Adam(schedule, parameters=net.parameters(), grad_clip=nn.ClipGradByNorm(1.0))
history = []
with parity.doctor({"net": net}, {"optimizer": optimizer}) as d:
    for step in range(STEPS):
        total = 0.0
        for _ in range(TREES):
            tree = grow(3)
            loss = F.cross_entropy(net(tree), paddle.to_tensor([value(tree)])) / TREES
            loss.backward()
            total += loss.item()
        optimizer.step()
        optimizer.clear_grad()
        schedule.step()
        history.append(total)
print(d)
