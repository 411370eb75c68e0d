import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(1500, 16)
true_w = torch.randn(16, 5)
y = (torch.sin(X) @ true_w).argmax(1)
Xtr, ytr, Xte, yte = X[:1000], y[:1000], X[1000:], y[1000:]


def train_teacher():
    net = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 5))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-4)
    for _ in range(150):
        loss = F.cross_entropy(net(Xtr), ytr)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return net.eval().requires_grad_(False)


teacher = train_teacher()
print(f"teacher acc {(teacher(Xte).argmax(1) == yte).float().mean().item():.3f}")

student = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 5))
opt = torch.optim.Adam(student.parameters(), lr=5e-3)
T = 2.0


def kd_loss(s_logits, t_logits):
    soft_target = F.softmax(t_logits / T, dim=1)
    soft_student = F.log_softmax(s_logits / T, dim=1)
    return F.kl_div(soft_student, soft_target, reduction="batchmean") * T * T


for epoch in range(1, 31):
    for idx in torch.randperm(len(Xtr)).split(50):
        with torch.no_grad():
            t_out = teacher(Xtr[idx])
        loss = kd_loss(student(Xtr[idx]), t_out)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 6 == 0:
        with torch.no_grad():
            out = student(Xte)
            acc = (out.argmax(1) == yte).float().mean().item()
            gap = F.kl_div(F.log_softmax(out, 1), F.softmax(teacher(Xte), 1), reduction="batchmean").item()
        print(f"epoch {epoch} loss {loss.item():.3f} student acc {acc:.3f} kl to teacher {gap:.3f}")
