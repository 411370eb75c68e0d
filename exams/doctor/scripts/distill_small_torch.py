import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
T = 3.0
centers = 0.5 * torch.randn(12, 24)
y = torch.randint(0, 12, (1200,))
x = centers[y] + torch.randn(1200, 24)

teacher = nn.Sequential(nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 12))
opt_t = torch.optim.Adam(teacher.parameters(), lr=5e-3)
for step in range(25):
    loss = F.cross_entropy(teacher(x), y)
    opt_t.zero_grad()
    loss.backward()
    opt_t.step()
teacher.eval()
print("teacher acc", (teacher(x).argmax(1) == y).float().mean().item())

student = nn.Sequential(nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 12))
opt = torch.optim.Adam(student.parameters(), lr=5e-3)
for step in range(160):
    idx = torch.randint(0, 1200, (128,))
    with torch.no_grad():
        t_logits = teacher(x[idx])
    s_logits = student(x[idx])
    soft = F.kl_div(
        F.log_softmax(s_logits / T, dim=1),
        F.softmax(t_logits / T, dim=1), reduction="batchmean") * T * T
    opt.zero_grad()
    soft.backward()
    opt.step()
    if step % 20 == 0:
        print(f"{step} kd loss {soft.item():.4f}")
with torch.no_grad():
    print("student acc", (student(x).argmax(1) == y).float().mean().item())
    agree = (student(x).argmax(1) == teacher(x).argmax(1)).float().mean().item()
    kl = F.kl_div(F.log_softmax(student(x), 1), F.softmax(teacher(x), 1), reduction="batchmean").item()
    print("agreement with teacher", agree, "KL", kl)
