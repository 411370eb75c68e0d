import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(5)
CLASSES, DIM = 8, 16
centers = torch.randn(CLASSES, 2, DIM) * 1.4


def make(n):
    y = torch.randint(0, CLASSES, (n,))
    m = torch.randint(0, 2, (n,))
    return centers[y, m] + torch.randn(n, DIM), y


xtr, ytr = make(2500)
xte, yte = make(1000)


def mlp(h):
    return nn.Sequential(nn.Linear(DIM, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, CLASSES))


@torch.no_grad()
def accuracy(net):
    net.eval()
    return (net(xte).argmax(1) == yte).float().mean().item()


def train_teacher(net, epochs=12):
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        net.train()
        for i in torch.randperm(len(xtr)).split(64):
            opt.zero_grad()
            F.cross_entropy(net(xtr[i]), ytr[i]).backward()
            opt.step()


class Distiller:
    def __init__(self, teacher, student, T=4.0):
        self.teacher, self.student, self.T = teacher.eval(), student, T
        self.opt = torch.optim.Adam(student.parameters(), lr=2e-3)
        self.kl = nn.KLDivLoss(reduction="batchmean")

    def step(self, x):
        with torch.no_grad():
            t = self.teacher(x)
        s = self.student(x)
        log_p = F.log_softmax(s / self.T, dim=1)
        q = F.softmax(t / self.T, dim=1)
        loss = self.kl(log_p, q) * self.T ** 2
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()

    def fit(self, epochs=10):
        for e in range(epochs):
            self.student.train()
            losses = [self.step(xtr[i]) for i in torch.randperm(len(xtr)).split(64)]
            print(f"distill epoch {e} loss {sum(losses) / len(losses):.4f}")


teacher, student = mlp(128), mlp(24)
train_teacher(teacher)
print("teacher accuracy", round(accuracy(teacher), 4))
Distiller(teacher, student).fit()
print("student accuracy", round(accuracy(student), 4))
