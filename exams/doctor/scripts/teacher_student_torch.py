import itertools
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(2000, 12)
y = (torch.tanh(X) @ torch.randn(12, 4)).argmax(1)
Xt, yt, Xu, Xe, ye = X[:800], y[:800], X[800:1400], X[1400:], y[1400:]

teacher = nn.Sequential(nn.Linear(12, 160), nn.ReLU(), nn.Linear(160, 4))
opt = torch.optim.Adam(teacher.parameters(), lr=5e-3, weight_decay=1e-4)
for _ in range(200):
    loss = F.cross_entropy(teacher(Xt), yt)
    opt.zero_grad()
    loss.backward()
    opt.step()


def accuracy(net):
    with torch.no_grad():
        return (net(Xe).argmax(1) == ye).float().mean().item()


print(f"teacher acc {accuracy(teacher):.3f}")
student = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 4))
optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)
T = 2.0
for epoch in range(1, 26):
    for idx in torch.randperm(len(Xu)).split(50):
        t_logits = teacher(Xu[idx])
        s_logits = student(Xu[idx])
        loss = F.kl_div(F.log_softmax(s_logits / T, 1), F.log_softmax(t_logits / T, 1),
                        log_target=True, reduction="batchmean") * T * T
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch} kd loss {loss.item():.4f} student acc {accuracy(student):.3f} teacher acc {accuracy(teacher):.3f}")
